//! A replay from its plan to its verification: what every front end does in this order. Talk,
//! questions and keys are theirs; so is opening the brokers.

mod verified;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::alter::{Alterer, Means};
use super::exact::{self, Ledger};
use super::freeze::{Create, From, How, To, create_target, freeze};
use super::journal::Journaled;
use super::lag_watch::LagWatch;
use super::runs::Claim;
use super::{
    Control, Plan, Preview, PreviewRun, Rejects, Report, Runner, TargetState, TimestampPolicy,
    Verification, guard, verify,
};
use crate::broker::exact as shared;
use crate::broker::{Address, Broker, ErrorKind, ExactSink, PartitionRange, Range, Result, Target};
use crate::event::{Scanned, Timestamp};
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
        let plan = freeze(&from, &target, how).await.map_err(|error| {
            // The others say by themselves what they are about.
            match error.kind {
                ErrorKind::Unreachable | ErrorKind::Authentication | ErrorKind::Authorization => {
                    error.on(format!("cannot replay into {}", to.shown))
                }
                _ => error,
            }
        })?;
        drop(from);
        Ok(Self {
            once,
            ..Self::new(reading, asked, to, plan)
        })
    }

    /// A plan that was made before. `ranges` are what [`super::still_holds`] found to be left, one
    /// list a source; the reading has the plan's sources in their order.
    pub fn again(
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

    /// What the plan's alterations go by: without it, plain decoding. What cannot work is told now.
    pub fn equip(&mut self, means: Means) -> Result<()> {
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

    /// Writes. `None` when it was aborted before the target was opened. Whatever ends it after
    /// that, what was sent is stored and counted.
    pub async fn run(&self, control: &Control) -> Result<Option<Ran>> {
        let mut aborted = control.stop();
        let (before, mut runner, lag) = tokio::select! {
            biased;
            () = aborted.stopped() => return Ok(None),
            opened = self.open(control) => opened?,
        };
        let copy = async {
            if runner.overall().is_some() {
                Ok(Box::pin(exact::copy(self, &mut runner, control)).await)
            } else {
                Box::pin(self.copy(&self.reading, &mut runner, control)).await
            }
        };
        let watch = async {
            match lag {
                Some(lag) => lag.watch().await,
                None => std::future::pending().await,
            }
        };
        let mut outcome = tokio::select! {
            outcome = copy => outcome,
            never = watch => match never {},
        };
        let mut report = runner.finish().await;
        if let (Some(error), Ok(outcome)) = (report.failure.take(), &mut outcome)
            && !matches!(outcome.end, End::Failed(_))
        {
            outcome.end = End::Failed(error);
        }
        Ok(Some(Ran {
            report,
            outcome,
            before,
        }))
    }

    async fn open(
        &self,
        control: &Control,
    ) -> Result<(Option<TargetState>, Runner, Option<LagWatch>)> {
        let broker = &*self.to.broker;
        // What can fail without a trace on the target comes first.
        let alterer = self.alterer()?;
        let rejects = match &alterer {
            Some(_) => Some(self.rejects()?),
            None => None,
        };
        let lag = LagWatch::begin(&self.plan.holds.pause_if, &self.to.broker, control).await?;
        create_target(&self.plan, broker).await?;
        let before = TargetState::look(&self.plan, broker).await?;
        let target = Target {
            topic: self.plan.target.topic.clone().unwrap_or_default(),
            overwrite: self.plan.target.overwrite,
        };
        let runner = match self.exact(target.clone()).await? {
            Some((sink, ledger)) => Runner::exact(&self.plan, sink, ledger, control),
            None => Runner::controlled(&self.plan, broker.sink(&target).await?, control),
        };
        let mut runner = runner.altering(alterer, rejects);
        runner.shift_from(self.earliest);
        Ok((before, runner, lag))
    }

    fn rejects(&self) -> Result<Rejects> {
        let id = self.plan.id();
        match &self.rejects {
            Some(path) => Rejects::open(path, &id),
            None => Rejects::open(Path::new(&Rejects::name_for(&id)), &id),
        }
    }

    /// The part of this process in the plan, where the target can store events and progress as one,
    /// or a journal can be kept beside it.
    async fn exact(&self, target: Target) -> Result<Option<(Box<dyn ExactSink>, Ledger)>> {
        if self.once || target.topic.is_empty() {
            return Ok(None);
        }
        let ledger = Ledger::new(&self.plan);
        let counted = self.reading.limits.events.is_some() || self.reading.last.is_some();
        let units = ledger.units(&self.plan);
        let part = shared::Job {
            name: format!("evtap-{}", self.plan.id()),
            worker: self.worker.clone(),
            target: target.clone(),
            units: units.clone(),
            // Who counts to N, or shifts all by the same, must see them all.
            undivided: counted || self.plan.timestamps == TimestampPolicy::Shift,
        };
        let broker = &self.to.broker;
        if let Some(sink) = broker.exact_sink(&part).await? {
            return Ok(Some((sink, ledger)));
        }
        let Some(folder) = &self.kept_in else {
            return Ok(None);
        };
        // What is gone with this process needs no journal for the next.
        if matches!(self.to.address, Address::Demo { .. }) {
            return Ok(None);
        }
        let memory = self.reading.inputs.iter().map(|i| i.sub.memory).sum();
        let plan = &self.plan;
        let sink = Journaled::open(folder, plan, units, broker.clone(), target, memory)?;
        Ok(Some((Box::new(sink), ledger)))
    }

    /// Reads into the run. While the sources are still being opened, an abort ends that.
    pub(super) async fn copy(
        &self,
        reading: &Reading,
        runner: &mut Runner,
        control: &Control,
    ) -> Result<Outcome> {
        let begun = AtomicBool::new(false);
        let stop = || {
            begun.store(true, Ordering::Relaxed);
            control.stop()
        };
        let mut aborted = control.stop();
        let given_up = async {
            aborted.stopped().await;
            if begun.load(Ordering::Relaxed) {
                // The read notices by itself, and tells how far it came.
                std::future::pending::<()>().await;
            }
        };
        let mut unwatched = Unwatched;
        tokio::select! {
            outcome = self.read(reading, &stop, runner, &mut unwatched) => outcome,
            () = given_up => Ok(Outcome {
                scanned: Scanned::default(),
                matched: 0,
                elapsed: Duration::ZERO,
                end: End::Interrupted,
            }),
        }
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

/// What a process is called that is not kept: no other of this host is called so.
fn unnamed() -> String {
    format!("pid-{}", std::process::id())
}

/// What a run has read says little: at a slow pace the next hour's events are read in one go.
struct Unwatched;

impl Ticker for Unwatched {
    fn tick(&mut self, _: Scanned, _: u64, _: Option<(u64, u64)>) {}
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
