//! Files that only their owner can read, and locks on them, by which processes of this host know of
//! each other. What such a file holds is the business of who opens it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Result;
use std::path::Path;

/// How a file is opened that is made, for its owner only, when it is missing.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// To be read and written, with what stands in it.
pub(super) fn open(path: &Path) -> Result<File> {
    let mut options = private();
    options.truncate(false).read(true).write(true).open(path)
}

/// As [`open`], and locked until it is closed, by whatever end of the process. `None` when somebody
/// holds it.
pub(super) fn locked(path: &Path) -> Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
