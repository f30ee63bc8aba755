//! The last step of a replay: both sides are read once more and compared, or only counted.

use super::{Job, Ran};
use crate::broker::Result;
use crate::pipeline::{End, StopWhenBegun, Ticker};
use crate::replay::verify::{compare, verify};
use crate::replay::{Comparison, Part, Sides, TargetState, Verification};

impl Job {
    /// False for standard input, which comes only once: then there are counts ([`Job::verify`]).
    pub const fn can_be_compared(&self) -> bool {
        !self.once
    }

    /// Compares what the plan selects with what the target got since it ended there. `cut_short`:
    /// the run was to end before the selection did. `elsewhere` is left to the hosts that wrote it.
    /// `None` when it was interrupted.
    pub async fn compare(
        &self,
        cut_short: bool,
        elsewhere: &[Part],
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<Option<Comparison>> {
        let inputs = &self.reading.inputs;
        let notices = inputs.first().map(|input| input.sub.notices.clone());
        let sides = Sides {
            plan: &self.plan,
            reading: &self.reading,
            target: &self.to.broker,
            means: &self.means,
            shown: &self.to.shown,
            cut_short,
            elsewhere,
            memory: inputs.iter().map(|input| input.sub.memory).sum(),
            notices: notices.unwrap_or_default(),
        };
        Box::pin(compare(&sides, stop, ticker)).await
    }

    /// Compares after a run that came to an end of its own; `None` when it did not, or when it was
    /// interrupted.
    pub async fn compare_run(
        &self,
        ran: &Ran,
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<Option<Comparison>> {
        let Some(end) = ran.end() else {
            return Ok(None);
        };
        let cut_short = matches!(end, End::Idle | End::Timeout | End::Closed);
        self.compare(cut_short, &ran.elsewhere, stop, ticker).await
    }

    /// Compares what was sent with what the target has. `None` after a run that did not run
    /// through: its report says what is known.
    pub async fn verify(&self, ran: &Ran) -> Result<Option<Verification>> {
        if !ran.came_to_an_end() {
            return Ok(None);
        }
        let after = TargetState::look(&self.plan, &*self.to.broker).await?;
        let before = ran.before.as_ref();
        Ok(Some(verify(
            &self.plan,
            &ran.report,
            before,
            after.as_ref(),
        )))
    }
}

impl Ran {
    /// False when it was interrupted or failed: then it is known to be incomplete.
    pub fn came_to_an_end(&self) -> bool {
        self.end().is_some()
    }

    fn end(&self) -> Option<&End> {
        let outcome = self.outcome.as_ref().ok()?;
        match outcome.end {
            End::Interrupted | End::Failed(_) => None,
            _ => Some(&outcome.end),
        }
    }
}
