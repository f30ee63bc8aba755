//! The audit log: one line of JSON a run, with no payload and no secret in it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::claim::begun_in;
use super::subject::{Kind, Side, Subject};
use super::who;
use crate::broker::ErrorKind;
use crate::event::Timestamp;
use crate::replay::Report;

/// What is known of a run when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub run: String,
    #[serde(default)]
    pub kind: Kind,
    /// The whole id of the plan.
    pub plan: String,
    pub user: Option<String>,
    pub host: String,
    pub worker: String,
    pub pid: u32,
    pub evtap: String,
    /// RFC 3339.
    pub begun: String,
    pub sources: Vec<Side>,
    /// Of a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Side>,
    /// Of a redrive, which has as many as its dead letters name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Side>,
    /// Of a redrive that puts some aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Side>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ended {
    /// `complete`, `partial`, `interrupted`, `failed` or `killed`.
    pub result: String,
    /// The exit code; absent where the process was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// The kind of what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Whether what the target holds is what was selected; absent where nobody compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
}

/// Events, and bytes as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub read: u64,
    pub sent: u64,
    pub acknowledged: u64,
    pub in_doubt: u64,
    pub bytes: u64,
    /// Of a redrive: what is stored where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redriven: Option<u64>,
    /// Of a redrive: what is stored where it was set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<u64>,
    pub skipped: serde_json::Map<String, serde_json::Value>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    #[serde(flatten)]
    pub begun: Begun,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    #[serde(flatten)]
    pub how: Ended,
}

impl Begun {
    pub(super) fn new(subject: Subject, worker: &str, now: Timestamp) -> Self {
        Self {
            run: subject.run,
            kind: subject.kind,
            plan: subject.plan,
            user: who::user(),
            host: who::host(),
            worker: worker.to_owned(),
            pid: std::process::id(),
            evtap: env!("CARGO_PKG_VERSION").to_owned(),
            begun: now.to_string(),
            sources: subject.sources,
            target: subject.target,
            targets: subject.targets,
            parked: subject.parked,
        }
    }

    /// All that is written to, what is parked last.
    pub fn written(&self) -> impl Iterator<Item = &Side> {
        let targets = self.target.iter().chain(&self.targets);
        targets.chain(&self.parked)
    }
}

/// What a report counted.
pub(in crate::replay) fn counts(report: &Report) -> Counts {
    let skipped = report.tally.skipped();
    Counts {
        read: report.tally.read(),
        sent: report.sent,
        acknowledged: report.acknowledged,
        in_doubt: report.in_doubt,
        bytes: report.tally.bytes(),
        redriven: None,
        parked: None,
        skipped: skipped
            .map(|(why, n)| (why.reason().to_owned(), n.into()))
            .collect(),
    }
}

impl Ended {
    /// With nothing known but this word.
    pub fn with(result: &str) -> Self {
        Self {
            result: result.to_owned(),
            ..Self::default()
        }
    }

    /// A run that failed with this.
    pub fn failed(kind: ErrorKind) -> Self {
        Self {
            error: Some(format!("{kind:?}")),
            ..Self::with("failed")
        }
    }
}

/// One line, with its end.
pub(super) fn line(begun: &Begun, how: &Ended, now: Option<Timestamp>) -> std::io::Result<Vec<u8>> {
    let line = Line {
        begun: begun.clone(),
        ended: now.map(|now| now.to_string()),
        how: how.clone(),
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    Ok(text)
}

/// In one write, so that lines of several processes do not mix; stored when this returns.
pub(super) fn append(mut audit: &File, line: &[u8]) -> std::io::Result<()> {
    audit.lock()?;
    let written = audit.write_all(line).and_then(|()| audit.sync_all());
    audit.unlock()?;
    written
}

/// Lines for the runs that ended without a word. What cannot be noted now is noted another time.
pub(super) fn note_killed(runs: &Path, audit: &File) {
    let Ok(runs) = fs::read_dir(runs) else { return };
    for run in runs.flatten() {
        let Ok(files) = fs::read_dir(run.path()) else {
            continue;
        };
        for file in files.flatten() {
            let lock = file.file_name().to_string_lossy().ends_with(".lock");
            if !lock || file.metadata().is_ok_and(|m| m.len() == 0) {
                continue;
            }
            let opened = File::options().read(true).write(true).open(file.path());
            if let Ok(mut lock) = opened
                && lock.try_lock().is_ok()
            {
                note_one_killed(&mut lock, audit);
            }
        }
    }
}

/// The same for one lock, which must be held.
pub(super) fn note_one_killed(lock: &mut File, audit: &File) {
    let Some(begun) = begun_in(lock) else { return };
    let noted = line(&begun, &Ended::with("killed"), None).and_then(|line| append(audit, &line));
    if let Err(error) = noted.and_then(|()| lock.set_len(0)) {
        tracing::warn!("a run that was killed is not in the audit log yet: {error}");
    }
}
