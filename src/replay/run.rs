//! The run: copies what a source hands on into a sink, at the plan's pace or what its [`Control`]
//! made of that. Whoever calls it stops it by dropping the future of [`Consumer::batch`], and
//! always ends it with [`Runner::finish`].

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::control::{Told, Wish};
use super::plan::{Guards, Plan, TimestampPolicy};
use super::provenance::Prior;
use super::transform::Transform;
use super::{Control, Pace, Pacer, RunState, Tally, guard};
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
            self.send().await?;
            // Not only between batches: at a slow pace one takes hours.
            if self.unflushed && self.flushed.elapsed() >= FLUSH_EVERY {
                self.flush().await?;
            }
            self.tell(RunState::Running);
            match step {
                Step::Full => {}
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
            if !wish.paused {
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
            if let Some(stop) = self.full_up() {
                return Ok(Step::Stop(stop));
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
mod tests {
    use super::*;
    use crate::broker::ErrorKind;
    use crate::replay::fake::{Event, Memory, batch, event, plan, streams};

    fn events(count: u64) -> Vec<Event> {
        (0..count).map(|offset| event(0, offset)).collect()
    }

    async fn run(
        plan: &Plan,
        memory: &Memory,
        batches: impl IntoIterator<Item = Batch>,
    ) -> (Result<Flow>, Report) {
        let mut runner = Runner::new(plan, Box::new(memory.clone()));
        let mut last = Ok(Flow::More);
        for batch in batches {
            last = runner.batch(batch).await;
            if last.is_err() {
                break;
            }
        }
        (last, runner.finish().await)
    }

    #[tokio::test]
    async fn order_is_kept_across_batches_and_splits() {
        let big: &'static [u8] = vec![b'x'; 100_000].leak();
        let mut all = events(40);
        for event in &mut all {
            event.value = Some(big);
        }
        let table = streams();
        let batches = [batch(&table, &all[..25]), batch(&table, &all[25..])];
        let memory = Memory::new();
        let (_, report) = run(&plan(), &memory, batches).await;
        let got: Vec<String> = memory
            .all()
            .into_iter()
            .map(|s| s.headers[1].1.clone().unwrap())
            .collect();
        let expected: Vec<_> = (0..40)
            .map(|o| format!("kafka://h:9092/orders/0/{o}"))
            .collect();
        assert_eq!(got, expected);
        assert_eq!(
            (report.sent, report.acknowledged, report.in_doubt),
            (40, 40, 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_to_the_millisecond() {
        let mut plan = plan();
        plan.pace = Pace::Rate(200.0);
        let memory = Memory::new();
        let (_, report) = run(&plan, &memory, [batch(&streams(), &events(600))]).await;
        for (i, sent) in (0..).zip(memory.all()) {
            let due = i * 5;
            assert!((due..=due + 2).contains(&sent.at), "{i}: {}", sent.at);
        }
        assert!(report.elapsed >= Duration::from_millis(2995));
        assert!(report.late.unwrap() <= Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_speed_follows_the_recorded_time_and_skips_cost_none() {
        let mut plan = plan();
        plan.pace = Pace::speed(10.0, Some(Duration::from_secs(2)));
        let mut all = events(5);
        for (event, time) in all.iter_mut().zip([0, 1000, 9_000_000, 500, 9_000_100]) {
            event.time = Some(time);
        }
        // It would stretch the line by far, were it not skipped.
        all[2].headers = vec![("evtap-count", Some("1"))];
        let memory = Memory::new();
        let (_, report) = run(&plan, &memory, [batch(&streams(), &all)]).await;
        let at: Vec<u128> = memory.all().iter().map(|s| s.at).collect();
        assert_eq!(at[0], 0);
        assert!(
            (100..=102).contains(&at[1]) && (100..=102).contains(&at[2]),
            "{at:?}"
        );
        assert!((2100..=2102).contains(&at[3]), "{at:?}");
        assert_eq!(report.sent, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_stores_what_was_sent() {
        let mut plan = plan();
        plan.pace = Pace::Rate(1.0);
        let memory = Memory::new();
        let table = streams();
        let input = batch(&table, &events(3));
        let mut runner = Runner::new(&plan, Box::new(memory.clone()));
        let stopped = tokio::time::timeout(Duration::from_millis(1500), runner.batch(input)).await;
        assert!(stopped.is_err());
        assert_eq!(*memory.flushes.lock().unwrap(), 2);
        let report = runner.finish().await;
        assert_eq!(
            (report.sent, report.acknowledged, report.in_doubt),
            (2, 2, 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_run_stores_what_was_sent_now_and_then() {
        let mut plan = plan();
        // No wait is long enough for a flush of its own.
        plan.pace = Pace::rate(5.0);
        let memory = Memory::new();
        let batches = [batch(&streams(), &events(100))];
        let (flow, report) = run(&plan, &memory, batches).await;
        assert!(flow.is_ok());
        assert_eq!(report.sent, 100);
        // 20 s, and the end.
        let flushes = *memory.flushes.lock().unwrap();
        assert!((4..=5).contains(&flushes), "{flushes}");
    }

    #[tokio::test]
    async fn the_guards_stop_a_run_after_what_they_allow() {
        let mut limited = plan();
        limited.guards.max_events = Some(3);
        let memory = Memory::new();
        let (end, report) = run(&limited, &memory, [batch(&streams(), &events(5))]).await;
        let error = end.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.starts_with("guard max-events"), "{error}");
        assert_eq!((report.sent, memory.all().len()), (3, 3));
        let (end, _) = run(&limited, &Memory::new(), [batch(&streams(), &events(3))]).await;
        assert!(end.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_cannot_end_in_time_is_not_waited_for() {
        let mut plan = plan();
        plan.pace = Pace::Rate(1.0);
        plan.guards.max_duration = Some(Duration::from_secs(2));
        let memory = Memory::new();
        let (end, report) = run(&plan, &memory, [batch(&streams(), &events(60))]).await;
        assert!(end.unwrap_err().message.starts_with("guard max-duration"));
        assert_eq!(report.sent, 3);
        assert!(report.elapsed < Duration::from_secs(3));
    }

    #[tokio::test]
    async fn what_the_target_does_not_take_is_not_counted_as_sent() {
        let memory = Memory::with_room(4);
        let (end, report) = run(&plan(), &memory, [batch(&streams(), &events(9))]).await;
        assert_eq!(end.unwrap_err().kind, ErrorKind::Broker);
        assert_eq!(
            (report.sent, report.in_doubt, report.acknowledged),
            (0, 9, 4)
        );
    }
}
