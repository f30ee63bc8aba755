//! Plans as files: reading one back with what is wrong in it, and writing one in one step.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::Plan;
use super::document::{Document, Head};
use super::write::FORMAT;
use crate::broker::{self, Error};
use crate::config::describe_toml;
use crate::replay::whole_file;

/// A plan of a topic with ten thousand partitions takes less than 1 MiB; more is the wrong file.
const PLAN_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// It cannot be read, or is none.
    Unreadable { message: String, hint: String },
    /// It is one, and was changed after it was made.
    Changed { message: String },
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Unreadable { message, hint } => {
                Self::new(broker::ErrorKind::Usage, message).hint(hint)
            }
            PlanError::Changed { message } => {
                Self::new(broker::ErrorKind::Refused, message).hint(ANEW)
            }
        }
    }
}

const ANEW: &str = "make the plan anew: evtap replay … --plan-out FILE";

impl Plan {
    /// Reads what [`Plan::to_toml`] wrote; `path` names it in errors, which tell line and field.
    pub fn parse(text: &str, path: &Path) -> Result<Self, PlanError> {
        let mistake = |error: toml::de::Error| {
            let told = describe_toml(&error, text, path);
            PlanError::Unreadable {
                message: told.message,
                hint: told.hint.unwrap_or_else(|| ANEW.to_owned()),
            }
        };
        let head: Head = toml::from_str(text).map_err(mistake)?;
        if head.format != FORMAT {
            return Err(PlanError::Unreadable {
                message: format!(
                    "{}: a plan of format {}, this evtap reads format {FORMAT}",
                    path.display(),
                    head.format
                ),
                hint: "apply it with the evtap that made it, or make it anew".to_owned(),
            });
        }
        let document: Document = toml::from_str(text).map_err(mistake)?;
        let id = document.id.clone();
        let plan = document.plan();
        if plan.long_id() != id {
            return Err(PlanError::Changed {
                message: format!(
                    "guard plan hash: {} was changed after it was made: its fields do not give \
                     its id",
                    path.display()
                ),
            });
        }
        Ok(plan)
    }

    /// Reads a plan's file.
    pub fn load(path: &Path) -> Result<Self, PlanError> {
        let failed = |why: String| PlanError::Unreadable {
            message: format!("cannot read the plan {}: {why}", path.display()),
            hint: "name a file that --plan-out wrote, or the id of a run".to_owned(),
        };
        let file = File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut text = String::new();
        let read = file.take(PLAN_BYTES + 1).read_to_string(&mut text);
        let read = read.map_err(|error| failed(error.to_string()))?;
        if read as u64 > PLAN_BYTES {
            return Err(failed("it is too large for a plan".to_owned()));
        }
        Self::parse(&text, path)
    }

    /// Writes the plan's file as a whole or not at all, stored when this returns. A file that is
    /// there is replaced only with `overwrite`.
    pub fn save(&self, path: &Path, overwrite: bool) -> broker::Result<()> {
        let failed = |error: std::io::Error| {
            let told = Error::new(
                broker::ErrorKind::File,
                format!("cannot write the plan {}: {error}", path.display()),
            );
            match error.kind() {
                ErrorKind::AlreadyExists => told.hint("choose another name, or give --overwrite"),
                _ => told,
            }
        };
        whole_file::save(path, &self.to_toml(), overwrite).map_err(failed)
    }
}
