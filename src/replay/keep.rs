//! A job's run as it is remembered: kept before it writes, and noted in the audit log when it is
//! over.

use super::runs::{Ended, StateFolder, counts};
use super::{Job, Ran};
use crate::broker::Result;
use crate::event::Timestamp;
use crate::pipeline::{End, Outcome};

impl Job {
    /// Keeps the plan, so that it can be applied by its id whatever happens, and takes a number
    /// among the processes of this host. To be called before [`Job::run`]; a failure means that
    /// nothing may be written.
    pub fn keep(&mut self, state: &StateFolder, now: Timestamp) -> Result<()> {
        let folder = state.keep(self.the_plan())?;
        let claim = folder.claim(self.the_plan(), now)?;
        claim.worker().clone_into(&mut self.worker);
        self.claim = Some(claim);
        self.kept_in = Some(folder.path().to_owned());
        Ok(())
    }

    /// Notes how the run ended. Nothing where it was not kept.
    pub fn note(&mut self, ended: &Ended, now: Timestamp) -> Result<()> {
        match self.claim.take() {
            Some(claim) => claim.end(ended, now),
            None => Ok(()),
        }
    }
}

impl Ended {
    /// How a run ended by what it told; `verified` where both sides were compared to the end.
    pub fn of(ran: &Ran, verified: Option<bool>) -> Self {
        Self {
            counts: Some(counts(&ran.report)),
            verified,
            ..Self::by(&ran.outcome)
        }
    }

    /// By how its read ended.
    pub(super) fn by(outcome: &Result<Outcome>) -> Self {
        match outcome {
            Err(error) => Self::failed(error.kind),
            Ok(outcome) => match &outcome.end {
                End::Failed(error) => Self::failed(error.kind),
                End::Interrupted => Self::with("interrupted"),
                End::Complete | End::Limit => Self::with("complete"),
                End::Idle | End::Timeout | End::Closed => Self::with("partial"),
            },
        }
    }
}
