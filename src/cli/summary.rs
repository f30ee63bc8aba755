//! The closing summary: one line on standard error, and JSON in a file when asked for.

use std::path::Path;

use super::error::{Failure, Result};
use super::session::Session;
use crate::output::Summary;
use crate::pipeline::{End, Outcome};

/// Sums a run up.
pub fn of(outcome: &Outcome) -> Summary {
    Summary {
        scanned: outcome.scanned.events,
        matched: outcome.matched,
        errors: outcome.scanned.failed,
        bytes: outcome.scanned.bytes,
        elapsed: outcome.elapsed,
        complete: matches!(outcome.end, End::Complete),
        reason: outcome.end.reason(),
    }
}

/// Says it, and writes it where `--summary` wants it.
pub fn close(session: &Session, outcome: &Outcome, file: Option<&Path>) -> Result<()> {
    let summary = of(outcome);
    session.say(&summary.human_line(session.ascii()));
    if let Some(path) = file {
        std::fs::write(path, summary.json() + "\n").map_err(|e| {
            Failure::usage(format!("cannot write the summary {}: {e}", path.display()))
        })?;
    }
    Ok(())
}
