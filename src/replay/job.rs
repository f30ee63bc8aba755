//! A replay from its plan to its verification: what every front end does in this order. Talk,
//! questions and keys are theirs; so is opening the brokers. The run itself is `run`'s,
//! what is looked at after it `verified`'s.

mod run;
mod verified;

use std::path::PathBuf;
use std::sync::Arc;

use super::alter::{Alterer, Means};
use super::freeze::{Create, From, How, To, freeze};
use super::plan::frozen;
use super::runs::Claim;
use super::verify::Noted;
use super::{Control, Part, Plan, Preview, PreviewRun, Report, TargetState, guard};
use crate::broker::{Address, Broker, ErrorKind, PartitionRange, Range, Result};
use crate::event::Timestamp;
use crate::pipeline::{Consumer, End, Outcome, Reading, StopWhenBegun, Ticker, run};

/// Where to, opened.
pub struct Destination {
    /// With its context resolved.
    pub address: Address,
    /// As the user typed it, secrets hidden.
    pub shown: String,
    pub broker: Arc<dyn Broker>,
    /// What the context says of it; `prod` asks more.
    pub env: Option<String>,
    pub create: Create,
    pub overwrite: bool,
}

/// A replay that was planned.
pub struct Job {
    reading: Reading,
    /// The range of each source as it was asked for, before it was frozen.
    pub(super) asked: Vec<Range>,
    to: Destination,
    plan: Plan,
    /// Of the selection, when a preview found it.
    earliest: Option<Timestamp>,
    /// How many events the preview found, if there was one.
    to_send: Option<u64>,
    /// Standard input comes once: it cannot be previewed.
    once: bool,
    means: Means,
    /// Where what is rejected is kept; by default a file of the plan's name.
    rejects: Option<PathBuf>,
    /// What the hosts that share the plan know this process by. Of the same name when it is started
    /// again, it takes its own place at once; else that waits until it counts as gone.
    pub(super) worker: String,
    /// Its place among the processes of this host, once the run is kept.
    pub(super) claim: Option<Claim>,
    /// The folder of the plan's runs.
    pub(super) kept_in: Option<PathBuf>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Ran {
    pub report: Report,
    /// How the read ended, or why it could not even begin.
    pub outcome: Result<Outcome>,
    before: Option<TargetState>,
    /// What other hosts did of it meanwhile.
    elsewhere: Vec<Part>,
    /// What was written, for [`Job::compare_run`].
    noted: Option<Noted>,
}

impl Job {
    /// Freezes the ranges and makes the plan. Writes nothing.
    pub async fn plan(mut reading: Reading, to: Destination, how: How) -> Result<Self> {
        let stdin = |address: &Address| matches!(address, Address::Stdin);
        let once = reading.inputs.iter().any(|input| stdin(&input.address));
        let asked = reading.inputs.iter().map(|i| i.sub.range.clone()).collect();
        let mut ranges = vec![Vec::new(); reading.inputs.len()];
        if !once {
            ranges = reading.resolve().await?;
            reading.freeze(ranges.clone());
        }
        let from = From::all(&reading, ranges);
        let target = To {
            address: &to.address,
            shown: &to.shown,
            broker: &*to.broker,
            create: to.create,
            overwrite: to.overwrite,
        };
        let means = how.means.clone();
        let mut plan = freeze(&from, &target, how).await.map_err(|error| {
            // The others say by themselves what they are about.
            match error.kind {
                ErrorKind::Unreachable | ErrorKind::Authentication | ErrorKind::Authorization => {
                    error.on(format!("cannot replay into {}", to.shown))
                }
                _ => error,
            }
        })?;
        drop(from);
        let notices = reading
            .inputs
            .first()
            .map(|input| input.sub.notices.clone());
        let tell = |text: &str| notices.iter().for_each(|notices| notices.tell(text));
        plan.schemas = frozen(&plan, &means, tell).await?;
        let mut job = Self::new(reading, asked, to, plan);
        job.once = once;
        job.equip(means)?;
        Ok(job)
    }

    /// A plan that was made before. `ranges` are what `still_holds` found to be left, one
    /// list a source; the reading has the plan's sources in their order.
    pub(super) fn again(
        mut reading: Reading,
        to: Destination,
        plan: Plan,
        ranges: Vec<Vec<PartitionRange>>,
    ) -> Self {
        reading.freeze(ranges);
        let asked = reading.inputs.iter().map(|i| i.sub.range.clone()).collect();
        Self::new(reading, asked, to, plan)
    }

    fn new(reading: Reading, asked: Vec<Range>, to: Destination, plan: Plan) -> Self {
        Self {
            reading,
            asked,
            to,
            plan,
            earliest: None,
            to_send: None,
            once: false,
            means: Means::default(),
            rejects: None,
            worker: unnamed(),
            claim: None,
            kept_in: None,
        }
    }

    /// With what the plan's alterations go by. What cannot work is told now.
    pub(super) fn equip(&mut self, means: Means) -> Result<()> {
        self.means = means;
        self.alterer().map(drop)
    }

    /// The file for what is rejected.
    pub fn reject_into(&mut self, file: PathBuf) {
        self.rejects = Some(file);
    }

    /// What does the plan's alterations; `None` where it has none.
    fn alterer(&self) -> Result<Option<Alterer>> {
        Alterer::new(&self.plan.alterations, &self.means)
    }

    pub const fn the_plan(&self) -> &Plan {
        &self.plan
    }

    pub const fn reading(&self) -> &Reading {
        &self.reading
    }

    pub const fn destination(&self) -> &Destination {
        &self.to
    }

    /// How many events a preview found that are to be sent.
    pub const fn to_send(&self) -> Option<u64> {
        self.to_send
    }

    /// False for standard input.
    pub const fn can_be_previewed(&self) -> bool {
        !self.once
    }

    /// What a person must type before production is written to; else a yes is enough.
    pub fn name_to_type(&self) -> Option<&str> {
        let production = self.to.env.as_deref() == Some("prod");
        self.plan.target.topic.as_deref().filter(|_| production)
    }

    /// A handle for the run.
    pub fn control(&self) -> Control {
        Control::new(self.plan.pace)
    }

    /// Reads the selection, by the run's time line where the pace needs it.
    async fn read(
        &self,
        reading: &Reading,
        stop: StopWhenBegun<'_>,
        consumer: &mut dyn Consumer,
        ticker: &mut dyn Ticker,
    ) -> Result<Outcome> {
        let by_time = self.plan.pace.needs_timeline() && !self.once && reading.last.is_none();
        if by_time {
            let mut source = reading.source_by_time().await?;
            let limits = reading.limits;
            Ok(run(&mut *source, consumer, limits, stop(), ticker).await)
        } else {
            reading.run(stop, consumer, ticker).await
        }
    }

    /// The whole way into a sink that drops everything. `None` when it was stopped. The limits of
    /// the plan are not judged by it: see [`Job::judge`].
    pub async fn preview(
        &mut self,
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<Option<Preview>> {
        let mut preview = PreviewRun::altering(&self.plan, self.alterer()?, &self.means.source);
        let outcome = self.read(&self.reading, stop, &mut preview, ticker).await?;
        match outcome.end {
            End::Failed(error) => return Err(error.on("preview")),
            End::Interrupted => return Ok(None),
            _ => {}
        }
        let preview = preview.finish(outcome.scanned);
        self.earliest = preview.earliest;
        self.to_send = Some(preview.sent());
        Ok(Some(preview))
    }

    /// The limits of the plan against what a preview found.
    pub fn judge(&self, preview: &Preview) -> Result<()> {
        guard::after_preview(&self.plan, preview)
    }
}

/// What a process is called that is not kept: no other of this host is called so.
fn unnamed() -> String {
    format!("pid-{}", std::process::id())
}

#[cfg(test)]
impl Job {
    /// Under this name, as after [`Job::keep`].
    pub(super) fn named(mut self, name: String) -> Self {
        self.worker = name;
        self
    }

    /// As `--limit` does.
    pub(super) fn limit_to(&mut self, events: u64) {
        self.reading.limits.events = Some(events);
    }
}

#[cfg(test)]
pub(super) mod tests;
