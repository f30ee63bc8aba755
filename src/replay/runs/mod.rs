//! What is kept of runs from one start of the program to the next: each plan, or what a redrive was
//! asked, in a folder of its own, who of this host works on it, and one line a run in the audit log.

mod audit;
mod claim;
mod list;
mod redrive;
mod subject;
#[cfg(test)]
mod tests;
mod who;

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use super::{Plan, id};
use crate::broker::{Error, ErrorKind, Result};

pub(super) use audit::counts;
pub use audit::{Begun, Counts, Ended, Line};
pub use claim::Claim;
pub use list::{Kept, Past, list};
pub use subject::{Kind, Range, Side, Subject};

const PLAN: &str = "plan.toml";

/// The folder of what evtap remembers of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolder {
    root: PathBuf,
    audit: PathBuf,
}

impl StateFolder {
    /// `$EVTAP_STATE`, else `evtap/` in `$XDG_STATE_HOME` or `~/.local/state`. The audit log
    /// stands in it unless it is somewhere else.
    pub fn find(env: &dyn Fn(&str) -> Option<String>, audit: Option<&Path>) -> Result<Self> {
        let var = |name| env(name).filter(|value| !value.is_empty());
        let usual = || {
            // The XDG specification: a relative path is invalid and is to be ignored.
            let base = var("XDG_STATE_HOME")
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
                .or_else(|| Some(PathBuf::from(var("HOME")?).join(".local/state")))?;
            Some(base.join("evtap"))
        };
        let root = var("EVTAP_STATE").map(PathBuf::from).or_else(usual);
        let root = root.ok_or_else(|| {
            Error::new(
                ErrorKind::File,
                "there is no folder to keep the runs of plans in: no home is known",
            )
            .hint("set HOME, or name a folder in EVTAP_STATE")
        })?;
        Ok(Self::at(root, audit))
    }

    pub fn at(root: PathBuf, audit: Option<&Path>) -> Self {
        let audit = audit.map_or_else(|| root.join("audit.jsonl"), Path::to_owned);
        Self { root, audit }
    }

    /// The file of the audit log.
    pub fn audit(&self) -> &Path {
        &self.audit
    }

    /// The plan of a run, by its short or long id; `None` where the text is no id.
    pub fn plan_of(&self, id: &str) -> Option<PathBuf> {
        Some(self.folder_of(id)?.join(PLAN))
    }

    /// The folder of a run, by its short or long id.
    fn folder_of(&self, text: &str) -> Option<PathBuf> {
        id::shortened(text).map(|short| self.run(short))
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    fn run(&self, short: &str) -> PathBuf {
        self.runs().join(short)
    }

    /// The folder of a run, which is there when this returns.
    fn made(&self, short: &str) -> Result<PathBuf> {
        let folder = self.run(short);
        create(&folder).map_err(|error| cannot("make the folder", &folder, &error))?;
        Ok(folder)
    }

    /// The folder of a plan's runs, with the plan in it, stored when this returns: after it the
    /// plan can be applied by its id, whatever happens.
    pub fn keep(&self, plan: &Plan) -> Result<RunFolder> {
        let folder = self.made(&plan.id())?;
        let file = folder.join(PLAN);
        // One that is there is the same plan, or damaged.
        if Plan::load(&file).ok().as_ref() != Some(plan) {
            plan.save(&file, true)?;
        }
        Ok(RunFolder {
            state: self.clone(),
            folder,
        })
    }
}

/// The folder of one plan's runs on this host.
#[derive(Debug)]
pub struct RunFolder {
    state: StateFolder,
    folder: PathBuf,
}

impl RunFolder {
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

/// With all folders above, for their owner only.
fn create(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::File,
        format!("cannot {what} {}: {error}", path.display()),
    )
    .hint("EVTAP_STATE names another folder for what is kept of runs; nothing was written")
}
