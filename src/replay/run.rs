//! The run: copies what a source hands on into a sink, at the plan's pace or what its [`Control`]
//! made of that. Whoever calls it stops it by dropping the future of [`Consumer::batch`], and
//! always ends it with [`Runner::finish`].

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::control::{Told, Wish};
use super::plan::{Guards, Plan, TimestampPolicy};
use super::provenance::Prior;
use super::transform::Transform;
use super::alter::Alterer;
use super::{Control, Pace, Pacer, Rejects, RunState, Tally, guard};
use crate::broker::{BoxFuture, Error, Result, Sink};
use crate::event::{Batch, BatchPool, EventRef, Timestamp};
use crate::pipeline::{Consumer, Flow};
use crate::text::human;

/// How often the target is asked to store what it took: it bounds what an end by force leaves in
/// doubt, and is rare enough to cost nothing.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// A pause of this length has time for a flush.
const LONG_WAIT: Duration = Duration::from_millis(500);

/// A run under way.
pub struct Runner {
    id: String,
    transform: Transform,
    pacer: Pacer,
    /// It was paced at some time.
    paced: bool,
    shifted: bool,
    guards: Guards,
    /// After so many events somebody is to look at them.
    canary: Option<u64>,
    rejects: Option<Rejects>,
    sink: Box<dyn Sink>,
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
    flushed: Instant,
    unflushed: bool,
}

#[derive(Clone, Copy)]
struct Held {
    prior: Prior,
    time: Option<Timestamp>,
    due: Duration,
    /// To tell its moment anew when the pace changes.
    before: Pacer,
}

/// Why the filling of a batch for the sink paused.
enum Step {
    Full,
    Wait(Duration),
    /// So many events are copied as are to be looked at, and more follow.
    Canary,
    Done,
    Stop(Error),
}

/// What a run did.
#[derive(Debug)]
pub struct Report {
    pub plan: String,
    pub tally: Tally,
    /// Taken over by the target.
    pub sent: u64,
    /// Begun to send when the run was stopped: sent or not.
    pub in_doubt: u64,
    /// Stored, by the target's word.
    pub acknowledged: u64,
    /// Without the pauses.
    pub elapsed: Duration,
    pub paused: Duration,
    /// The most that an event went out after its moment; `None` when not paced.
    pub late: Option<Duration>,
    /// What the last flush failed with.
    pub failure: Option<Error>,
    /// The file with what was rejected, where anything was.
    pub rejects: Option<PathBuf>,
}

impl Runner {
    pub fn new(plan: &Plan, sink: Box<dyn Sink>) -> Self {
        Self::controlled(plan, sink, &Control::new(plan.pace))
    }

    /// With the handle by which somebody holds it.
    pub fn controlled(plan: &Plan, sink: Box<dyn Sink>, control: &Control) -> Self {
        Self {
            id: plan.id(),
            transform: Transform::new(plan),
            pacer: Pacer::new(plan.pace),
            paced: plan.pace != Pace::Max,
            shifted: plan.timestamps == TimestampPolicy::Shift,
            guards: plan.guards,
            canary: plan.holds.canary,
            rejects: None,
            sink,
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
            flushed: Instant::now(),
            unflushed: false,
        }
    }

    /// Alters events as the plan says, and keeps what is rejected.
    pub fn altering(mut self, alter: Option<Alterer>, rejects: Option<Rejects>) -> Self {
        self.transform = self.transform.altering(alter);
        if rejects.is_some() {
            self.transform.keep_rejects();
        }
        self.rejects = rejects;
        self
    }

    /// Somebody has looked at the first events already.
    pub const fn past_canary(&mut self) {
        self.canary = None;
    }

    /// With shifted timestamps: the earliest of the selection, which becomes now. Without it the
    /// first event that comes does.
    pub fn shift_from(&mut self, earliest: Option<Timestamp>) {
        if let (true, Some(earliest)) = (self.shifted, earliest) {
            self.transform.shift(earliest, Timestamp::wall_clock());
        }
    }

    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Waits until what was sent is stored, closes the sink and sums up.
    pub async fn finish(mut self) -> Report {
        self.tell(RunState::Finishing);
        let mut failure = self.flush().await.err();
        if let Err(error) = self.sink.finish().await {
            failure.get_or_insert(error);
        }
        self.tell(RunState::Ended);
        Report {
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
        }
    }

    async fn take(&mut self, batch: &Batch) -> Result<Flow> {
        self.clock.get_or_insert_with(Clock::start);
        // Both are left behind only by a future that was dropped; that batch is gone.
        self.held = None;
        if self.transform.begin(batch) || !self.out.is_empty() {
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
            if self.unflushed && self.flushed.elapsed() >= FLUSH_EVERY {
                self.flush().await?;
            }
            self.tell(RunState::Running);
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

    /// Copies events as far as they are due.
    fn fill(&mut self, batch: &Batch, next: &mut usize) -> Result<Step> {
        let mut now = self.now();
        if let Some(stop) = self.out_of_time(now) {
            return Ok(Step::Stop(stop));
        }
        // At full speed nothing has a moment to be late for.
        let timed = self.pacer.pace() != Pace::Max;
        while *next < batch.len() {
            let event = batch.get(*next);
            let Some(held) = self.next_due(&event) else {
                *next += 1;
                continue;
            };
            if let Some(step) = self.limit()
                && self.transform.is_written(&event)?
            {
                self.held = Some(held);
                return Ok(step);
            }
            if held.due > now {
                now = self.now();
                if held.due > now {
                    self.held = Some(held);
                    let stop = self.out_of_time(held.due);
                    return Ok(stop.map_or(Step::Wait(held.due), Step::Stop));
                }
            }
            if timed {
                self.late = self.late.max(now.saturating_sub(held.due));
            }
            self.transform.copy(&event, held.prior, &mut self.out)?;
            *next += 1;
            if self.out.is_full() {
                return Ok(Step::Full);
            }
        }
        Ok(Step::Done)
    }

    /// The event's moment; `None` when it is not copied.
    fn next_due(&mut self, event: &EventRef<'_>) -> Option<Held> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        let prior = self.transform.judge(event)?;
        let before = self.pacer;
        let time = event.time();
        let due = self.pacer.next(time);
        Some(Held {
            prior,
            time,
            due,
            before,
        })
    }

    /// What keeps another event from being written.
    fn limit(&self) -> Option<Step> {
        let stop = self.full_up().map(Step::Stop);
        let written = self.sent + self.out.len() as u64;
        stop.or_else(|| (written >= self.canary?).then_some(Step::Canary))
    }

    fn full_up(&self) -> Option<Error> {
        let most = self.guards.max_events?;
        (self.sent + self.out.len() as u64 >= most).then(|| {
            let what = format!("{} events are written, and more follow", human::count(most));
            guard::too_many(&what)
        })
    }

    fn out_of_time(&self, at: Duration) -> Option<Error> {
        let most = self.guards.max_duration?;
        (at > most).then(|| {
            let what = format!("{} are over, and more follows", human::duration(most));
            guard::too_long(&what)
        })
    }

    async fn send(&mut self) -> Result<()> {
        let events = self.out.len() as u64;
        if events == 0 {
            return Ok(());
        }
        self.in_flight = events;
        self.unflushed = true;
        self.sink.send(&self.out).await?;
        self.in_flight = 0;
        self.sent += events;
        self.out = self.pool.batch(self.transform.streams().clone());
        Ok(())
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

    async fn flush(&mut self) -> Result<()> {
        if let Some(rejects) = &mut self.rejects {
            rejects.store()?;
        }
        let written = self.sink.flush().await?;
        self.acknowledged = written.events;
        self.flushed = Instant::now();
        self.unflushed = false;
        Ok(())
    }
}

impl Consumer for Runner {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        Box::pin(async move { self.take(&batch).await })
    }
}

#[cfg(test)]
mod tests;
