//! The run of a job: opens the target, copies until that ends, and sums up. The loop of a target
//! that keeps the progress is `exact`'s.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Job, Ran};
use crate::broker::exact as shared;
use crate::broker::{Address, ExactSink, Result, Target};
use crate::event::Scanned;
use crate::pipeline::{End, Outcome, Reading, Unwatched};
use crate::replay::exact::{self, Ledger};
use crate::replay::freeze::create_target;
use crate::replay::journal::Journaled;
use crate::replay::lag_watch::LagWatch;
use crate::replay::verify::Noted;
use crate::replay::{Control, Rejects, Runner, TargetState, TimestampPolicy};

/// What is noted may take this part of the memory, beside what the read takes.
const NOTED_SHARE: usize = 4;

impl Job {
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
        let elsewhere = runner.ended_elsewhere();
        let (mut report, noted) = runner.finish_noted().await;
        if let (Some(error), Ok(outcome)) = (report.failure.take(), &mut outcome)
            && !matches!(outcome.end, End::Failed(_))
        {
            outcome.end = End::Failed(error);
        }
        let undisturbed = outcome.as_ref().is_ok_and(|outcome| outcome.undisturbed);
        Ok(Some(Ran {
            report,
            outcome,
            before,
            elsewhere,
            noted: noted.filter(|_| undisturbed),
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
        let mut runner = runner.altering(alterer, rejects).noting(self.noted());
        runner.shift_from(self.earliest);
        Ok((before, runner, lag))
    }

    /// Where the run reads all that is selected, from which the verification can go on.
    fn noted(&self) -> Option<Noted> {
        let room = self.memory() / NOTED_SHARE;
        (!self.once && !self.is_counted()).then(|| Noted::of(&self.plan, room))?
    }

    /// Not all of the selection is read, but so many of it.
    fn is_counted(&self) -> bool {
        self.reading.limits.events.is_some() || self.reading.last.is_some()
    }

    /// Bytes that may be remembered, as far as it is asked for.
    pub(super) fn memory(&self) -> usize {
        self.reading.inputs.iter().map(|i| i.sub.memory).sum()
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
        let units = ledger.units(&self.plan);
        let part = shared::Job {
            name: format!("evtap-{}", self.plan.id()),
            worker: self.worker.clone(),
            target: target.clone(),
            units: units.clone(),
            // Who counts to N, or shifts all by the same, must see them all.
            undivided: self.is_counted() || self.plan.timestamps == TimestampPolicy::Shift,
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
        let (plan, memory) = (&self.plan, self.memory());
        let sink = Journaled::open(folder, plan, units, broker.clone(), target, memory)?;
        Ok(Some((Box::new(sink), ledger)))
    }

    /// Reads into the run. While the sources are still being opened, an abort ends that.
    pub(in crate::replay) async fn copy(
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
        // What a run has read says little: at a slow pace the next hour's events are read in one go.
        let mut unwatched = Unwatched;
        tokio::select! {
            outcome = self.read(reading, &stop, runner, &mut unwatched) => outcome,
            () = given_up => Ok(Outcome {
                scanned: Scanned::default(),
                matched: 0,
                elapsed: Duration::ZERO,
                end: End::Interrupted,
                undisturbed: false,
            }),
        }
    }
}
