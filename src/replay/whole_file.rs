//! Files that are there as a whole or not at all.

use std::fs::File;
use std::io::{Result, Write};
use std::path::Path;

/// Writes a file beside its name and moves it there, stored when this returns, its name included. A
/// file that is there is replaced only with `overwrite`.
pub(super) fn save(path: &Path, text: &str, overwrite: bool) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let placed = if overwrite {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    placed.map_err(|error| error.error)?;
    // Else a power cut could take the name again.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
