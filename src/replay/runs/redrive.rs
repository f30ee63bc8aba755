//! What is kept of a redrive: the text of what it was asked, which its id is the SHA-256 of. It
//! cannot be applied again; it tells what an id in the audit log and in provenance headers was.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{RunFolder, StateFolder, cannot};
use crate::broker::Result;
use crate::replay::whole_file::save;

const REDRIVE: &str = "redrive.txt";
/// As a plan's file: more is none of ours.
const BYTES: u64 = 16 << 20;

impl StateFolder {
    /// The folder of a redrive's runs, with what it was asked in it.
    pub fn keep_redrive(&self, id: &str, text: &str) -> Result<RunFolder> {
        let folder = self.made(id)?;
        if read(&folder).as_deref() != Some(text) {
            let file = folder.join(REDRIVE);
            save(&file, text, true).map_err(|error| cannot("write", &file, &error))?;
        }
        Ok(RunFolder {
            state: self.clone(),
            folder,
        })
    }

    /// Whether a short or long id is that of a redrive of this host.
    pub fn is_redrive(&self, id: &str) -> bool {
        self.folder_of(id)
            .is_some_and(|folder| folder.join(REDRIVE).is_file())
    }
}

/// What the redrive of a folder was asked; `None` where it is of none, or cannot be read.
pub(super) fn read(folder: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(folder.join(REDRIVE)).ok()?;
    file.take(BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
