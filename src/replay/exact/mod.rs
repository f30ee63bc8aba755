//! A run that writes exactly once: it asks for its share, copies it, commits, and asks again until
//! the whole plan is done, by this host or by others. What a transaction is, the target knows.

#[cfg(test)]
mod fake;
mod ledger;
mod note;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::{Instant, sleep};

pub(super) use self::ledger::Ledger;
pub use self::ledger::{Overall, Part};
use super::run::Runner;
use super::{Control, Job};
use crate::broker::{Error, Result};
use crate::event::Scanned;
use crate::pipeline::{End, Limits, Outcome, Reading};

/// Failures in a row without a commit between them, before one is taken for the last word.
const TRIES: u32 = 6;
/// The wait after the first; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

enum Turn {
    Again,
    Over(End),
}

/// Copies until the plan is done, it is stopped, or nothing mends what fails.
pub(super) async fn copy(job: &Job, runner: &mut Runner, control: &Control) -> Outcome {
    let began = Instant::now();
    let mut all = Outcome {
        scanned: Scanned::default(),
        matched: 0,
        elapsed: Duration::ZERO,
        end: End::Complete,
        undisturbed: true,
    };
    let (mut failures, mut stored) = (0, 0);
    all.end = loop {
        let error = match turn(job, runner, control, began, &mut all).await {
            Ok(Turn::Again) => continue,
            Ok(Turn::Over(end)) => break end,
            Err(error) => error,
        };
        if std::mem::replace(&mut stored, runner.acknowledged()) < stored {
            failures = 0;
        }
        failures += 1;
        match mend(runner, control, error, failures).await {
            Ok(true) => {}
            Ok(false) => break End::Interrupted,
            Err(error) => break End::Failed(error),
        }
    };
    all.elapsed = began.elapsed();
    all
}

/// One share. `Err` is the target's.
async fn turn(
    job: &Job,
    runner: &mut Runner,
    control: &Control,
    began: Instant,
    all: &mut Outcome,
) -> Result<Turn> {
    let mut aborted = control.stop();
    let left = tokio::select! {
        biased;
        () = aborted.stopped() => return Ok(Turn::Over(End::Interrupted)),
        left = runner.share() => left?,
    };
    if !left {
        return Ok(Turn::Over(End::Complete));
    }
    let reading = narrowed(job.reading(), runner, began.elapsed());
    let outcome = match job.copy(&reading, runner, control).await {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Turn::Over(End::Failed(error))),
    };
    all.scanned += outcome.scanned;
    all.matched += outcome.matched;
    all.undisturbed &= outcome.undisturbed;
    match outcome.end {
        End::Complete | End::Limit => {
            runner.settle().await?;
            Ok(Turn::Again)
        }
        // The hosts share anew.
        End::Closed => Ok(Turn::Again),
        End::Failed(error) if runner.is_undone() => Err(error),
        end => Ok(Turn::Over(end)),
    }
}

/// What is left of the plan for this host.
fn narrowed(reading: &Reading, runner: &Runner, elapsed: Duration) -> Reading {
    let mut reading = reading.clone();
    let mut left = runner.left(reading.inputs.len());
    for (left, input) in left.iter_mut().zip(&reading.inputs) {
        for range in left {
            // Part of the plan's range may be gone, and that be accepted.
            range.start = range.start.max(input.begins(range));
        }
    }
    reading.freeze(left);
    let read = runner.overall().map_or(0, |all| all.counts.read);
    let limits = reading.limits;
    reading.limits = Limits {
        events: limits.events.map(|n| n.saturating_sub(read)),
        timeout: limits.timeout.map(|t| t.saturating_sub(elapsed)),
        ..limits
    };
    let read = usize::try_from(read).unwrap_or(usize::MAX);
    reading.last = reading.last.map(|n| n.saturating_sub(read));
    reading
}

/// Takes back what was not committed. False when it was stopped meanwhile.
async fn mend(runner: &mut Runner, control: &Control, error: Error, failures: u32) -> Result<bool> {
    if failures > TRIES {
        return Err(error);
    }
    let wait = FIRST_WAIT * 2_u32.saturating_pow(failures - 1);
    let mut aborted = control.stop();
    tokio::select! {
        biased;
        () = aborted.stopped() => Ok(false),
        mended = async {
            runner.take_back(error).await?;
            sleep(wait).await;
            Ok(true)
        } => mended,
    }
}
