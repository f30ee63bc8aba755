//! Which process of this host works on a plan: a number that is held by a lock, so that a process
//! which is killed and started again gets the one that it had.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::audit::{self, Begun, Ended};
use super::{RunFolder, Subject, cannot, who};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::Timestamp;
use crate::replay::lock::{locked, private};

/// More processes of one host on one plan are a mistake.
const WORKERS: u32 = 256;
/// What begins a run is small but for its ranges.
const BEGUN_BYTES: u64 = 64 << 20;

/// A place among the processes that work on a plan. Given up when it is dropped, or when the
/// process ends in whatever way.
#[derive(Debug)]
pub struct Claim {
    /// Locked. While a run is under way it holds how that began.
    lock: File,
    audit: File,
    begun: Begun,
    number: u32,
    worker: String,
}

impl RunFolder {
    /// Takes the lowest number that is free, notes that the run has begun, and makes sure that its
    /// end can be noted. What ended without a word is noted as killed.
    pub fn claim(&self, subject: impl Into<Subject>, now: Timestamp) -> Result<Claim> {
        let audit = self.open_audit()?;
        audit::note_killed(&self.state.runs(), &audit);
        let mark = who::mark(&self.state.root)?;
        let host = who::host();
        for number in 0..WORKERS {
            let path = self.folder.join(format!("worker-{number}.lock"));
            let lock = locked(&path).map_err(|error| cannot("lock", &path, &error))?;
            let Some(mut lock) = lock else { continue };
            // It may have died since the look for those.
            audit::note_one_killed(&mut lock, &audit);
            let worker = format!("{host}-{mark}-{number}");
            let begun = Begun::new(subject.into(), &worker, now);
            begin(&mut lock, &begun).map_err(|error| cannot("write", &path, &error))?;
            return Ok(Claim {
                lock,
                audit,
                begun,
                number,
                worker,
            });
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!("guard workers: {WORKERS} processes of this host work on the plan already"),
        )
        .hint("wait for them, or end some"))
    }

    fn open_audit(&self) -> Result<File> {
        let path = &self.state.audit;
        if let Some(folder) = path.parent().filter(|f| *f != Path::new("")) {
            super::create(folder)
                .map_err(|error| cannot("make the folder of the audit log", folder, &error))?;
        }
        let opened = private().append(true).open(path);
        opened.map_err(|error| cannot("write the audit log", path, &error))
    }
}

fn begin(lock: &mut File, begun: &Begun) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(begun)?;
    text.push(b'\n');
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    lock.write_all(&text)?;
    lock.sync_all()
}

/// How the run that this lock was held for began, if it has not ended.
pub(super) fn begun_in(lock: &mut File) -> Option<Begun> {
    let mut text = Vec::new();
    lock.seek(SeekFrom::Start(0)).ok()?;
    lock.take(BEGUN_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

impl Claim {
    /// `HOST-MARK-N`: tells this process from all others of the plan, and is the same when it is
    /// started again.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// 0 for the only process of this host.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Appends the run's line to the audit log, stored when this returns.
    pub fn end(self, ended: &Ended, now: Timestamp) -> Result<()> {
        let line = audit::line(&self.begun, ended, Some(now));
        let kept = line.and_then(|line| audit::append(&self.audit, &line));
        kept.and_then(|()| self.lock.set_len(0)).map_err(|error| {
            Error::new(
                ErrorKind::File,
                format!("the run is over, and its audit line cannot be written: {error}"),
            )
        })
    }
}
