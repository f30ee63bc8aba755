//! Files as such: opening, creating, reading at a position, and what their errors mean.
//! Knows nothing of what is inside.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::broker::{Error, ErrorKind, Result};

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<File> {
    let fail = |error: &io::Error| unreadable(path, error);
    let file = File::open(path).map_err(|e| fail(&e))?;
    if file.metadata().map_err(|e| fail(&e))?.is_dir() {
        return Err(Error::new(
            ErrorKind::File,
            format!("'{}' is a directory", path.display()),
        )
        .hint("name the files in it: evtap read DIR/*.mcap"));
    }
    Ok(file)
}

/// Whether a file can be read at all, for who tells it before anything is shown. A pipe is left
/// alone: who opens one takes it.
pub fn readable(path: &Path) -> Result<()> {
    let kind = path.metadata().map_err(|e| unreadable(path, &e))?;
    if kind.is_file() || kind.is_dir() {
        open(path)?;
    }
    Ok(())
}

/// Why a file cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the path; a topic of a broker is CONTEXT/TOPIC or a URL",
        io::ErrorKind::PermissionDenied => "check the file's permissions",
        _ => "is the disk in order?",
    };
    Error::new(
        ErrorKind::File,
        format!("cannot read '{}': {error}", path.display()),
    )
    .hint(hint)
}

/// Creates a file for writing; replaces one only when that was asked for.
pub(super) fn create(path: &Path, overwrite: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::new(
            ErrorKind::Usage,
            format!("'{}' exists already", path.display()),
        )
        .hint("choose another name, or replace it with --overwrite"),
        _ => unwritable(path, &error),
    })
}

/// Why a file cannot be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "the folder must exist",
        io::ErrorKind::PermissionDenied => "check the permissions of the folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on the disk; what was written before can be read"
        }
        io::ErrorKind::IsADirectory => "name a file",
        _ => "what was written before can be read",
    };
    Error::new(
        ErrorKind::File,
        format!("cannot write '{}': {error}", path.display()),
    )
    .hint(hint)
}

/// Reads at a position without moving a cursor, so that one handle serves many readers.
#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Fills the buffer from a position; a file that ends before is `UnexpectedEof`.
pub(super) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(file, buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buffer = &mut buffer[n..];
                at += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A reader with a cursor of its own over a shared handle.
pub(super) struct Cursor {
    file: Arc<File>,
    at: u64,
}

impl Cursor {
    pub(super) const fn at(file: Arc<File>, at: u64) -> Self {
        Self { file, at }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// What was found out about a file, which holds while the file is the same.
pub(super) struct Remembered<T> {
    known: Mutex<Option<(State, Arc<T>)>>,
}

/// Length and time of change; nothing for what cannot change.
type State = Option<(u64, Option<SystemTime>)>;

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self {
            known: Mutex::new(None),
        }
    }
}

impl<T: Send + Sync + 'static> Remembered<T> {
    /// What is known of the file, or what `find` finds out. Without a path it is found out once.
    pub(super) async fn get(
        &self,
        path: Option<&Path>,
        find: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<Arc<T>> {
        let state = match path {
            Some(path) => {
                let meta = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
                Some((meta.len(), meta.modified().ok()))
            }
            None => None,
        };
        let known = self.lock().clone();
        if let Some((then, found)) = known
            && then == state
        {
            return Ok(found);
        }
        let found = Arc::new(on_thread(find).await?);
        *self.lock() = Some((state, found.clone()));
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(State, Arc<T>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs blocking work on a named thread of its own and waits for it without blocking.
pub(super) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, wait) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("capture-open".into())
        // When nobody waits any more, the answer is of no use.
        .spawn(move || drop(answer.send(work())))
        .map_err(|error| no_thread(&error))?;
    wait.await.unwrap_or_else(|_| Err(died()))
}

pub(super) fn no_thread(error: &io::Error) -> Error {
    Error::new(ErrorKind::File, format!("cannot start a thread: {error}"))
        .hint("the limit of processes may be reached: ulimit -u")
}

/// The thread ended without a word: a defect of evtap, never a clean end.
pub(super) fn died() -> Error {
    Error::new(ErrorKind::File, "the thread that reads the file died")
        .hint("please report this with the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_replaced_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mcap");
        std::fs::write(&path, "precious").unwrap();
        let error = create(&path, false).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.hint.unwrap().contains("--overwrite"));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        create(&path, true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let missing = open(&dir.path().join("nothing.mcap")).unwrap_err();
        assert_eq!(missing.kind, ErrorKind::File);
        assert!(missing.message.contains("nothing.mcap"), "{missing}");
        let folder = open(dir.path()).unwrap_err();
        assert!(folder.message.contains("directory"), "{folder}");
        let nowhere = create(&dir.path().join("no/such/a.mcap"), false).unwrap_err();
        assert_eq!(nowhere.kind, ErrorKind::File);
    }
}
