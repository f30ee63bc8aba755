//! The second read of a check: what may be there twice is read again, and compared.

use crate::broker::{BoxFuture, Range};
use crate::cli::error::Result;
use crate::cli::session::Session;
use crate::event::Batch;
use crate::inspect::check::Check;
use crate::inspect::order::Proof;
use crate::pipeline::{Consumer, End, Flow, Limits, Outcome, Reading};

struct Compare(Proof);

impl Consumer for Compare {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, crate::broker::Result<Flow>> {
        self.0.batch(&batch);
        Box::pin(async { Ok(Flow::More) })
    }
}

/// Reads again what is suspected, where something is. `outcome` is that of the first read; where
/// this one is interrupted or fails, nothing is proven, and the report says so.
pub(super) async fn prove(
    session: &Session,
    reading: &mut Reading,
    check: &mut Check,
    outcome: &mut Outcome,
) -> Result<()> {
    let Some(suspicion) = check.suspicion() else {
        return Ok(());
    };
    for input in &mut reading.inputs {
        let then = input.sub.select.clone();
        input.sub.select = suspicion.select(input.origin, then);
        input.sub.range = Range::Frozen(suspicion.ranges(input.origin));
    }
    reading.last = None;
    // What the first read took counts, to the last event of it.
    reading.limits = Limits {
        timeout: reading.limits.timeout,
        ..Limits::default()
    };
    let mut compare = Compare(suspicion.proof());
    let (second, complete) = super::read(session, reading, &mut compare).await?;
    outcome.elapsed += second.elapsed;
    if complete {
        check.proven(compare.0);
    } else if matches!(second.end, End::Interrupted) {
        outcome.end = second.end;
    }
    Ok(())
}
