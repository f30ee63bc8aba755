//! The last step of a replay: both sides are compared, or only counted. What the run noted of the
//! source is not read again.

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
        let sides = self.sides(cut_short, elsewhere);
        Box::pin(compare(&sides, None, stop, ticker)).await
    }

    fn sides<'a>(&'a self, cut_short: bool, elsewhere: &'a [Part]) -> Sides<'a> {
        let inputs = &self.reading.inputs;
        let notices = inputs.first().map(|input| input.sub.notices.clone());
        Sides {
            plan: &self.plan,
            reading: &self.reading,
            target: &self.to.broker,
            means: &self.means,
            shown: &self.to.shown,
            cut_short,
            elsewhere,
            memory: self.memory(),
            notices: notices.unwrap_or_default(),
        }
    }

    /// Compares after a run that came to an end of its own; `None` when it did not, or when it was
    /// interrupted. What the run noted of the source is not read again, the first time.
    pub async fn compare_run(
        &self,
        ran: &mut Ran,
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<Option<Comparison>> {
        let Some(end) = ran.end() else {
            return Ok(None);
        };
        let cut_short = matches!(end, End::Idle | End::Timeout | End::Closed);
        let is_complete = matches!(end, End::Complete);
        let noted = ran.noted.take().filter(|_| is_complete);
        let sides = self.sides(cut_short, &ran.elsewhere);
        Box::pin(compare(&sides, noted, stop, ticker)).await
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

    /// True when the run noted all that the verification asks of the source.
    pub fn source_is_noted(&self) -> bool {
        let noted = self.noted.as_ref();
        noted.is_some_and(|noted| noted.is_all(&self.elsewhere))
    }

    fn end(&self) -> Option<&End> {
        let outcome = self.outcome.as_ref().ok()?;
        match outcome.end {
            End::Interrupted | End::Failed(_) => None,
            _ => Some(&outcome.end),
        }
    }
}
