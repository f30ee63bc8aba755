//! The run: copies what a source hands on into a sink, at the plan's pace or what its [`Control`]
//! made of that. Whoever calls it stops it by dropping the future of [`Consumer::batch`], and
//! always ends it with [`Runner::finish`].

mod exact;
mod fill;
mod report;
mod store;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use self::fill::{Held, Step};
pub use self::report::Report;
use super::alter::Alterer;
use super::clock::Clock;
use super::control::{Told, Wish};
use super::exact::Ledger;
use super::outlet::{Exact, Outlet};
use super::plan::{Guards, Plan};
use super::transform::Transform;
use super::verify::Noted;
use super::{Control, Pace, Pacer, Rejects, RunState, Tally};
use crate::broker::{BoxFuture, ExactSink, Result, Sink};
use crate::event::{Batch, BatchPool, Timestamp};
use crate::pipeline::{Consumer, Flow};

/// A pause of this length has time for a flush.
const LONG_WAIT: Duration = Duration::from_millis(500);

/// A run under way.
pub struct Runner {
    id: String,
    transform: Transform,
    pacer: Pacer,
    /// It was paced at some time.
    paced: bool,
    guards: Guards,
    /// After so many events somebody is to look at them.
    canary: Option<u64>,
    rejects: Option<Rejects>,
    outlet: Outlet,
    pool: BatchPool,
    out: Batch,
    /// The event that waits for its moment.
    held: Option<Held>,
    control: Control,
    wishes: watch::Receiver<Wish>,
    /// Begins with the first event.
    clock: Option<Clock>,
    late: Duration,
    sent: u64,
    /// Events whose `send` has not returned.
    in_flight: u64,
    acknowledged: u64,
    /// The counts as of the last commit: what they are again when the rest is taken back.
    stored: Tally,
    /// As of the share: what all runs and hosts had copied then, and this one had sent.
    already: (u64, u64),
    flushed: Instant,
    unflushed: bool,
    /// The target failed, and what was sent since the last commit is not there.
    undone: bool,
    /// What is sent, for who verifies it.
    noted: Option<Noted>,
}

impl Runner {
    pub fn new(plan: &Plan, sink: Box<dyn Sink>) -> Self {
        Self::controlled(plan, sink, &Control::new(plan.pace))
    }

    /// With the handle by which somebody holds it.
    pub fn controlled(plan: &Plan, sink: Box<dyn Sink>, control: &Control) -> Self {
        Self::into_outlet(plan, Outlet::Plain(sink), control)
    }

    /// Into a target that keeps the progress too.
    pub(super) fn exact(
        plan: &Plan,
        sink: Box<dyn ExactSink>,
        ledger: Ledger,
        control: &Control,
    ) -> Self {
        Self::into_outlet(plan, Outlet::Exact(Exact::new(sink, ledger)), control)
    }

    fn into_outlet(plan: &Plan, outlet: Outlet, control: &Control) -> Self {
        Self {
            id: plan.id(),
            transform: Transform::new(plan),
            pacer: Pacer::new(plan.pace),
            paced: plan.pace != Pace::Max,
            guards: plan.guards,
            canary: plan.holds.canary,
            rejects: None,
            outlet,
            pool: BatchPool::default(),
            out: Batch::default(),
            held: None,
            wishes: control.wishes(),
            control: control.clone(),
            clock: None,
            late: Duration::ZERO,
            sent: 0,
            in_flight: 0,
            acknowledged: 0,
            stored: Tally::default(),
            already: (0, 0),
            flushed: Instant::now(),
            unflushed: false,
            undone: false,
            noted: None,
        }
    }

    /// Notes what it sends.
    #[must_use]
    pub(super) fn noting(mut self, noted: Option<Noted>) -> Self {
        self.noted = noted;
        self
    }

    /// Alters events as the plan says, and keeps what is rejected.
    #[must_use]
    pub fn altering(mut self, alter: Option<Alterer>, rejects: Option<Rejects>) -> Self {
        self.transform = self.transform.altering(alter);
        if rejects.is_some() {
            self.transform.keep_rejects();
        }
        self.rejects = rejects;
        self
    }

    /// With shifted timestamps: the earliest of the selection, which becomes now. Without it the
    /// first event that comes does.
    pub fn shift_from(&mut self, earliest: Option<Timestamp>) {
        if let (true, Some(earliest)) = (self.transform.shifts(), earliest) {
            self.transform.shift(earliest, Timestamp::wall_clock());
        }
    }

    pub fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// True when what was sent since the last commit must be taken back.
    pub(super) const fn is_undone(&self) -> bool {
        self.undone
    }

    /// Waits until what was sent is stored, closes the sink and sums up.
    pub async fn finish(self) -> Report {
        self.finish_noted().await.0
    }

    /// With what was noted of the partitions that this run copied alone and whole, if nothing went
    /// wrong on the source's side.
    pub(super) async fn finish_noted(mut self) -> (Report, Option<Noted>) {
        self.tell(RunState::Finishing);
        let mut failure = self.flush_last().await.err();
        let closed = match &mut self.outlet {
            Outlet::Plain(sink) => sink.finish().await,
            Outlet::Exact(exact) => exact.finish().await,
        };
        if let Err(error) = closed {
            failure.get_or_insert(error);
        }
        self.tell(RunState::Ended);
        let noted = self.noted.take().and_then(|noted| match &self.outlet {
            Outlet::Plain(_) => noted.of_parts(None),
            Outlet::Exact(exact) => noted.of_parts(Some(&exact.ledger.copied_alone())),
        });
        let report = Report {
            plan: self.id,
            tally: self.transform.tally,
            sent: self.sent,
            in_doubt: self.in_flight,
            acknowledged: self.acknowledged,
            elapsed: self.clock.map_or(Duration::ZERO, |clock| clock.now()),
            paused: self.clock.map_or(Duration::ZERO, |clock| clock.stood()),
            late: self.paced.then_some(self.late),
            failure,
            rejects: self.rejects.and_then(Rejects::file),
            overall: match &self.outlet {
                Outlet::Plain(_) => None,
                Outlet::Exact(exact) => Some(exact.ledger.overall()),
            },
            promise: match &self.outlet {
                Outlet::Plain(_) => None,
                Outlet::Exact(exact) => exact.promise(),
            }
            .unwrap_or(Report::AT_LEAST_ONCE),
        };
        (report, noted)
    }

    async fn take(&mut self, batch: &Batch) -> Result<Flow> {
        self.clock.get_or_insert_with(Clock::start);
        // Both are left behind only by a future that was dropped; that batch is gone.
        self.held = None;
        let other = self.transform.begin(batch);
        if let (true, Some(noted)) = (other, &mut self.noted) {
            noted.begin(batch);
        }
        if other || !self.out.is_empty() {
            self.out = self.pool.batch(self.transform.streams().clone());
        }
        let mut next = 0;
        loop {
            self.obey().await?;
            let step = self.fill(batch, &mut next)?;
            // Before anything is stored that says how far the run came.
            if let (Some(rejects), Some(record)) = (&mut self.rejects, self.transform.rejects()) {
                rejects.keep(record)?;
            }
            self.send().await?;
            // Not only between batches: at a slow pace one takes hours.
            if self.must_flush() {
                self.flush().await?;
            }
            self.tell(RunState::Running);
            if self.is_stale() {
                self.leave_share().await?;
                return Ok(Flow::Closed);
            }
            match step {
                Step::Full => {}
                Step::Canary => {
                    self.flush().await?;
                    self.canary = None;
                    self.control.hold_for_canary();
                }
                Step::Wait(due) => self.wait(due).await?,
                Step::Done => return Ok(Flow::More),
                Step::Stop(error) => return Err(error),
            }
        }
    }

    /// Does what was wished for meanwhile; waits as long as the run is to be paused.
    async fn obey(&mut self) -> Result<()> {
        loop {
            let wish = *self.wishes.borrow_and_update();
            if wish.pace != self.pacer.pace() {
                self.change_pace(wish.pace);
            }
            let Some(clock) = &mut self.clock else {
                return Ok(());
            };
            if !wish.holds() {
                clock.resume();
                return Ok(());
            }
            clock.pause();
            if self.unflushed {
                self.flush().await?;
            }
            self.tell(RunState::Paused);
            // The run itself has a control: its end of the line is never closed.
            if self.wishes.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    fn change_pace(&mut self, pace: Pace) {
        let now = self.now();
        self.paced |= pace != Pace::Max;
        if let Some(held) = &mut self.held {
            self.pacer = held.before;
            self.pacer.change(pace, now);
            held.before = self.pacer;
            held.due = self.pacer.next(held.time);
        } else {
            self.pacer.change(pace, now);
        }
    }

    fn now(&self) -> Duration {
        self.clock.map_or(Duration::ZERO, |clock| clock.now())
    }

    fn tell(&self, state: RunState) {
        let told = Told {
            tally: &self.transform.tally,
            sent: self.sent,
            acknowledged: self.acknowledged,
            clock: self.clock,
            late: self.paced.then_some(self.late),
        };
        self.control.tell(state, &told);
    }

    /// Waits for a moment, or until somebody wishes for something.
    async fn wait(&mut self, due: Duration) -> Result<()> {
        if self.unflushed && due.saturating_sub(self.now()) >= LONG_WAIT {
            self.flush().await?;
            self.tell(RunState::Running);
        }
        let Some(clock) = self.clock else {
            return Ok(());
        };
        tokio::select! {
            _ = self.wishes.changed() => {}
            () = sleep_until(clock.when(due)) => {}
        }
        Ok(())
    }

    fn is_stale(&self) -> bool {
        matches!(&self.outlet, Outlet::Exact(exact) if exact.is_stale())
    }
}

impl Consumer for Runner {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        Box::pin(async move { self.take(&batch).await })
    }
}

#[cfg(test)]
mod tests;
