//! What was found broken while reading: told as it is found, and an error at the very end, after
//! everything that could be read was handed on.

use std::path::{Path, PathBuf};

use crate::broker::{Error, ErrorKind, Notices, Result};

/// More are counted, and no longer told one by one.
const TOLD: u64 = 10;

/// The damage of one file.
pub(super) struct Damage {
    path: PathBuf,
    notices: Notices,
    first: Option<String>,
    count: u64,
}

impl Damage {
    pub(super) fn new(path: &Path, notices: Notices) -> Self {
        Self {
            path: path.to_owned(),
            notices,
            first: None,
            count: 0,
        }
    }

    /// Notes one damage: a lower-case fragment without a full stop.
    pub(super) fn note(&mut self, what: &str) {
        self.count += 1;
        let path = self.path.display();
        if self.count <= TOLD {
            self.notices.tell(&format!("{path}: {what}"));
        } else if self.count == TOLD + 1 {
            self.notices.tell(&format!(
                "{path}: there is more damage, which is only counted"
            ));
        }
        if self.first.is_none() {
            self.first = Some(what.to_owned());
        }
    }

    /// The verdict when the reading is done.
    pub(super) fn end(&self) -> Result<()> {
        let Some(first) = &self.first else {
            return Ok(());
        };
        let more = match self.count {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        Err(Error::new(
            ErrorKind::Damaged,
            format!("'{}' is damaged: {first}{more}", self.path.display()),
        )
        .hint("everything that could be read was; the file was not changed"))
    }
}
