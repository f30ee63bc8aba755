//! Where JSON lines come from: a file, or standard input, which can be read once as it comes, or
//! be kept in a temporary file when it is asked about before.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::broker::capture::{file, zst};
use crate::broker::{Error, ErrorKind, Result};

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How much of a file its last lines are.
const TAIL: u64 = 256 * 1024;

/// A file, or standard input.
pub(super) enum Input {
    File(PathBuf),
    Stdin(Mutex<Pipe>),
}

/// What became of standard input.
pub(super) enum Pipe {
    Fresh,
    /// It was read to its end, into here.
    Kept(Arc<File>),
    /// It was or is being read as it comes.
    Gone,
}

/// An opened input.
pub(super) struct Opened {
    pub(super) from: Box<dyn Read + Send>,
    /// Bytes to read, when they are known and read as they are.
    pub(super) len: Option<u64>,
}

impl Input {
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Stdin(_) => Path::new("standard input"),
        }
    }

    /// The topic of events that do not say theirs.
    pub(super) fn topic(&self) -> Arc<str> {
        let Self::File(path) = self else {
            return "stdin".into();
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".zst").unwrap_or(&name);
        let stem = stem.strip_suffix(".jsonl").unwrap_or(stem);
        if stem.is_empty() {
            "file".into()
        } else {
            stem.into()
        }
    }

    /// Opens all that is there now; with `grows` what comes later is read too.
    pub(super) fn open(&self, grows: bool) -> Result<Opened> {
        match self {
            Self::File(path) => {
                let file = file::open(path)?;
                open_file(Arc::new(file), grows).map_err(|e| file::unreadable(path, &e))
            }
            Self::Stdin(pipe) => {
                let file = keep(&mut pipe.lock().unwrap_or_else(PoisonError::into_inner))?;
                open_file(file, false).map_err(|e| file::unreadable(self.name(), &e))
            }
        }
    }

    /// The last lines of a file of text, the first of them maybe cut; all of what is compressed.
    pub(super) fn open_tail(&self) -> Result<Opened> {
        let Self::File(path) = self else {
            return self.open(false);
        };
        let unreadable = |error: io::Error| file::unreadable(path, &error);
        let file = Arc::new(file::open(path)?);
        let meta = file.metadata().map_err(unreadable)?;
        let mut head = [0; ZSTD_MAGIC.len()];
        let is_text = meta.is_file()
            && file::read_at(&file, &mut head, 0).map_err(unreadable)? > 0
            && head != *ZSTD_MAGIC;
        if !is_text {
            return self.open(false);
        }
        let start = meta.len().saturating_sub(TAIL);
        Ok(Opened {
            from: Box::new(file::Cursor::at(file, start).take(meta.len() - start)),
            len: None,
        })
    }

    /// Standard input as it comes, unless it is known already.
    pub(super) fn open_live(&self) -> Result<Opened> {
        if let Self::Stdin(pipe) = self {
            let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*pipe, Pipe::Fresh) {
                *pipe = Pipe::Gone;
                let from: Box<dyn Read + Send> = Box::new(io::stdin());
                return Ok(Opened { from, len: None });
            }
        }
        self.open(false)
    }
}

fn open_file(file: Arc<File>, grows: bool) -> io::Result<Opened> {
    let meta = file.metadata()?;
    let len = meta.is_file().then_some(meta.len());
    let from: Box<dyn Read + Send> = match len {
        Some(len) if !grows => Box::new(file::Cursor::at(file, 0).take(len)),
        Some(_) => Box::new(file::Cursor::at(file, 0)),
        // A named pipe has no positions.
        None => Box::new(Shared(file)),
    };
    Ok(Opened { from, len })
}

struct Shared(Arc<File>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

/// Reads standard input to its end, into a file that nobody else sees.
fn keep(pipe: &mut Pipe) -> Result<Arc<File>> {
    match pipe {
        Pipe::Kept(file) => Ok(file.clone()),
        Pipe::Gone => Err(Error::new(
            ErrorKind::Usage,
            "standard input was read already, and cannot be read again",
        )
        .hint("write it to a file first, and name that")),
        Pipe::Fresh => {
            *pipe = Pipe::Gone;
            let kept = tempfile::tempfile().and_then(|mut file| {
                io::copy(&mut io::stdin().lock(), &mut file)?;
                Ok(Arc::new(file))
            });
            let file = kept.map_err(|error| {
                Error::new(
                    ErrorKind::File,
                    format!("cannot keep standard input in a temporary file: {error}"),
                )
                .hint("set TMPDIR to a folder with room, or name a file as the source")
            })?;
            *pipe = Pipe::Kept(file.clone());
            Ok(file)
        }
    }
}

/// Unpacks zstd, whatever the name says. Blocks no longer than it must to see that.
pub(super) fn unpack(mut from: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut head = [0; 4];
    let mut have = 0;
    while have < head.len() && ZSTD_MAGIC.starts_with(&head[..have]) {
        match from.read(&mut head[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let whole = io::Cursor::new(head).take(have as u64).chain(from);
    if head[..have] == *ZSTD_MAGIC {
        return Ok((zst::reader(whole)?, true));
    }
    Ok((Box::new(whole), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(bytes: Vec<u8>) -> (Vec<u8>, bool) {
        let (mut from, packed) = unpack(Box::new(io::Cursor::new(bytes))).unwrap();
        let mut out = Vec::new();
        from.read_to_end(&mut out).unwrap();
        (out, packed)
    }

    #[test]
    fn zstd_is_seen_by_its_magic() {
        let mut packed = Vec::new();
        zst::push_frame(b"{}\n", &mut packed).unwrap();
        assert_eq!(unpacked(packed), (b"{}\n".to_vec(), true));
        for plain in [&b""[..], b"1", b"(", b"{\"a\":1}\n"] {
            assert_eq!(unpacked(plain.to_vec()), (plain.to_vec(), false));
        }
    }

    #[test]
    fn the_topic_is_the_stem_of_the_name() {
        for (path, topic) in [
            ("/tmp/orders.jsonl", "orders"),
            ("a.b.jsonl.zst", "a.b"),
            ("./plain", "plain"),
            ("/x/.jsonl", "file"),
        ] {
            assert_eq!(&*Input::File(path.into()).topic(), topic);
        }
        assert_eq!(&*Input::Stdin(Mutex::new(Pipe::Fresh)).topic(), "stdin");
    }
}
