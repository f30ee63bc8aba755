//! What a run says of itself when it is over. The words for people are `describe`'s.

use std::path::PathBuf;
use std::time::Duration;

use crate::broker::Error;
use crate::replay::Tally;
use crate::replay::exact::Overall;

/// What a run did.
#[derive(Debug)]
pub struct Report {
    pub plan: String,
    pub tally: Tally,
    /// Taken over by the target.
    pub sent: u64,
    /// Begun to send when the run was stopped: sent or not.
    pub in_doubt: u64,
    /// Stored, by the target's word.
    pub acknowledged: u64,
    /// Without the pauses.
    pub elapsed: Duration,
    pub paused: Duration,
    /// The most that an event went out after its moment; `None` when not paced.
    pub late: Option<Duration>,
    /// What the last flush failed with.
    pub failure: Option<Error>,
    /// The file with what was rejected, where anything was.
    pub rejects: Option<PathBuf>,
    /// Of a run that writes exactly once: how far the plan is by all runs and hosts.
    pub overall: Option<Overall>,
    /// What is promised of it.
    pub promise: &'static str,
}

impl Report {
    /// What is promised where nothing is remembered.
    pub(in crate::replay) const AT_LEAST_ONCE: &'static str =
        "at least once: run again after an interruption, and events can be there twice";
}
