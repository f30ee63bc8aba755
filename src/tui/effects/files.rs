//! Files that the screen writes: what is kept from run to run, and what is too large for a
//! clipboard.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::tui::msg::Kept;

/// Replaces the file as a whole, or leaves it as it was.
pub fn keep(kept: &Kept) -> io::Result<()> {
    let folder = kept.path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(kept.text.as_bytes())?;
    file.persist(&kept.path)?;
    Ok(())
}

/// Writes bytes into a new file of the temporary folder, which stays.
pub fn aside(bytes: &[u8], ending: &str) -> io::Result<PathBuf> {
    let mut file = tempfile::Builder::new()
        .prefix("evtap-")
        .suffix(&format!(".{ending}"))
        .tempfile()?;
    file.write_all(bytes)?;
    let (_, path) = file.keep()?;
    Ok(path)
}
