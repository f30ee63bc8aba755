//! The runs that are remembered. Reads only.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};

use super::{Line, PLAN, StateFolder, redrive};
use crate::replay::{Plan, PlanError};

/// A longer line is none of ours.
const LINE_BYTES: u64 = 64 << 20;

/// What is kept of a run besides its lines.
#[derive(Debug)]
pub enum Kept {
    /// What can be applied again.
    Plan(Box<Plan>),
    /// The file of its plan cannot be read.
    Damaged(PlanError),
    /// What a redrive was asked, for people.
    Redrive(String),
}

/// A plan or redrive that was run on this host.
#[derive(Debug)]
pub struct Past {
    /// The short id.
    pub id: String,
    pub kept: Kept,
    /// The newest line of it in the audit log.
    pub last: Option<Line>,
    /// A process of this host works on it now.
    pub running: bool,
}

/// All runs, the newest first by when their last line began; those without a line come first.
pub fn list(state: &StateFolder) -> Vec<Past> {
    let mut lines = last_lines(state);
    let Ok(folders) = fs::read_dir(state.runs()) else {
        return Vec::new();
    };
    let mut all: Vec<Past> = folders
        .flatten()
        .filter_map(|folder| {
            let id = folder.file_name().into_string().ok()?;
            let plan = state.plan_of(&id)?;
            let kept = match redrive::read(&folder.path()) {
                Some(text) => Kept::Redrive(text),
                None => match Plan::load(&plan) {
                    Ok(plan) => Kept::Plan(Box::new(plan)),
                    Err(error) => Kept::Damaged(error),
                },
            };
            Some(Past {
                kept,
                last: lines.remove(&id),
                running: is_running(&folder.path()),
                id,
            })
        })
        .collect();
    let begun = |past: &Past| past.last.as_ref().map(|line| line.begun.begun.clone());
    all.sort_by(|a, b| match (begun(a), begun(b)) {
        (Some(a), Some(b)) => b.cmp(&a),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    all
}

/// The newest line of each run. What is no line of ours is passed over.
fn last_lines(state: &StateFolder) -> HashMap<String, Line> {
    let mut lines = HashMap::new();
    let Ok(file) = File::open(state.audit()) else {
        return lines;
    };
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    loop {
        text.clear();
        match reader
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', &mut text)
        {
            Ok(0) | Err(_) => return lines,
            Ok(_) => {}
        }
        if let Ok(line) = serde_json::from_slice::<Line>(&text) {
            lines.insert(line.begun.run.clone(), line);
        }
    }
}

/// Whether somebody holds one of the folder's locks.
fn is_running(folder: &std::path::Path) -> bool {
    let Ok(files) = fs::read_dir(folder) else {
        return false;
    };
    files.flatten().any(|file| {
        file.file_name() != PLAN
            && File::open(file.path()).is_ok_and(|lock| {
                matches!(lock.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
            })
    })
}
