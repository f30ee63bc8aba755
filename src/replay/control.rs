//! The handle by which a run under way is paused, paced anew, aborted and watched. What is wished
//! for here, the run does at its waits and between batches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::Clock;
use super::{Pace, Skip, Tally};
use crate::broker::{Error, ErrorKind, Result};
use crate::pipeline::{Stop, StopHandle};

/// The rate is that of so long.
const WINDOW: Duration = Duration::from_secs(2);
/// A sample for the rate is not taken more often.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// A handle on a run; cheap to clone, and of use from before the run until after it.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

struct Shared {
    wish: watch::Sender<Wish>,
    /// The events of all partitions come merged by their time.
    timeline: bool,
    handle: StopHandle,
    stop: Stop,
    live: Mutex<Live>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wish {
    /// By a person.
    pub paused: bool,
    /// The first events are written, and somebody is to look at them.
    pub canary: bool,
    /// A consumer group is too far behind.
    pub lagging: bool,
    pub pace: Pace,
}

impl Wish {
    /// For whatever reason the run is to stand still.
    pub(super) const fn holds(self) -> bool {
        self.paused || self.canary || self.lagging
    }
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// No event has come yet.
    #[default]
    Ready,
    Running,
    /// Asked to pause; what is being sent is still going out.
    Pausing,
    Paused,
    /// All is sent, or it was stopped: what was sent is waited for.
    Finishing,
    /// Everything sent was waited for, and the sink is closed.
    Ended,
}

/// A run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub state: RunState,
    /// Events that the selection kept, so far.
    pub read: u64,
    /// Taken over by the target.
    pub sent: u64,
    /// Stored, by the target's word; it is asked every few seconds, at each pause and at the end.
    pub acknowledged: u64,
    /// The reasons that occurred, with how often.
    pub skipped: Vec<(Skip, u64)>,
    /// Since the first event, without the pauses.
    pub elapsed: Duration,
    /// All pauses together.
    pub paused: Duration,
    /// Events a second, lately.
    pub rate: f64,
    /// As it was wished for last.
    pub pace: Pace,
    /// The most that an event went out after its moment; `None` while not paced.
    pub late: Option<Duration>,
    /// It waits for somebody to look at the first events that it wrote.
    pub canary: bool,
    /// Consumer groups hold it.
    pub lagging: bool,
    /// Why they do, or why they cannot be asked; `None` while all is well with them.
    pub lag: Option<String>,
}

/// What the run tells.
#[derive(Default)]
struct Live {
    state: RunState,
    read: u64,
    sent: u64,
    acknowledged: u64,
    skipped: Vec<(Skip, u64)>,
    lag: Option<String>,
    clock: Option<Clock>,
    /// How long it went on, and the pauses, once it ended.
    lasted: Option<(Duration, Duration)>,
    late: Option<Duration>,
    /// When how many were sent.
    samples: VecDeque<(Instant, u64)>,
}

/// What a run has to tell of itself.
pub(super) struct Told<'a> {
    pub tally: &'a Tally,
    pub sent: u64,
    pub acknowledged: u64,
    pub clock: Option<Clock>,
    pub late: Option<Duration>,
}

impl Control {
    /// For a run at this pace.
    pub fn new(pace: Pace) -> Self {
        let (handle, stop) = Stop::new();
        let wish = Wish {
            paused: false,
            canary: false,
            lagging: false,
            pace,
        };
        Self {
            shared: Arc::new(Shared {
                wish: watch::Sender::new(wish),
                timeline: pace.needs_timeline(),
                handle,
                stop,
                live: Mutex::default(),
            }),
        }
    }

    /// Holds the run and its time line; what was sent is stored meanwhile.
    pub fn pause(&self) {
        self.shared.wish.send_modify(|wish| wish.paused = true);
    }

    /// Takes back a pause, and goes on behind the canary. A pause for the sake of a consumer group
    /// ends by itself.
    pub fn resume(&self) {
        self.shared.wish.send_modify(|wish| {
            wish.paused = false;
            wish.canary = false;
        });
    }

    /// Holds the run until somebody has looked at what is written so far.
    pub(super) fn hold_for_canary(&self) {
        self.shared.wish.send_modify(|wish| wish.canary = true);
    }

    /// Holds the run, or lets it go on, by what consumer groups are behind; `why` is for people.
    pub(super) fn hold_for_lag(&self, lagging: bool, why: Option<String>) {
        self.live().lag = why;
        self.shared.wish.send_modify(|wish| wish.lagging = lagging);
    }

    /// Another pace from now on. The plan stays what it is. Only a run that began as the events
    /// happened has them in that order, and can go on so.
    pub fn set_pace(&self, pace: Pace) -> Result<()> {
        if pace.needs_timeline() && !self.shared.timeline {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this run does not follow the recorded time: its partitions are not merged by it",
            )
            .hint("plan it anew with --speed, or set a rate"));
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let good = match pace {
            Pace::Max => true,
            Pace::Rate(rate) => positive(rate),
            Pace::Speed { factor, .. } => positive(factor),
        };
        if !good {
            return Err(Error::new(ErrorKind::Usage, "a pace is more than nothing")
                .hint("pause the run to hold it"));
        }
        self.shared.wish.send_modify(|wish| wish.pace = pace);
        Ok(())
    }

    /// Ends the run where it stands: what is being sent may be there or not, and the report says
    /// how many that are.
    pub fn abort(&self) {
        self.shared.handle.stop();
    }

    pub fn is_aborted(&self) -> bool {
        self.shared.stop.is_stopped()
    }

    /// What ends with [`Control::abort`], for who drives the run.
    pub fn stop(&self) -> Stop {
        self.shared.stop.clone()
    }

    /// How the run stands.
    pub fn figures(&self) -> Figures {
        let wish = *self.shared.wish.borrow();
        let mut live = self.live();
        let rate = live.rate(Instant::now());
        let (elapsed, paused) = live.lasted.unwrap_or_else(|| live.times());
        let state = match live.state {
            RunState::Running if wish.holds() => RunState::Pausing,
            state => state,
        };
        Figures {
            state,
            read: live.read,
            sent: live.sent,
            acknowledged: live.acknowledged,
            skipped: live.skipped.clone(),
            elapsed,
            paused,
            rate,
            pace: wish.pace,
            late: live.late,
            canary: wish.canary,
            lagging: wish.lagging,
            lag: live.lag.clone(),
        }
    }

    pub(super) fn wishes(&self) -> watch::Receiver<Wish> {
        self.shared.wish.subscribe()
    }

    pub(super) fn tell(&self, state: RunState, told: &Told<'_>) {
        let mut live = self.live();
        live.state = state;
        live.read = told.tally.read();
        live.sent = told.sent;
        live.acknowledged = told.acknowledged;
        live.skipped.clear();
        live.skipped.extend(told.tally.skipped());
        live.clock = told.clock;
        live.late = told.late;
        live.lasted = (state == RunState::Ended).then(|| live.times());
        live.sample(Instant::now());
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.shared
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn times(&self) -> (Duration, Duration) {
        let clock = self.clock;
        clock.map_or_else(Default::default, |clock| (clock.now(), clock.stood()))
    }

    fn sample(&mut self, now: Instant) {
        if self.state != RunState::Running {
            // A pause is not slow.
            self.samples.clear();
            return;
        }
        let last = self.samples.back();
        if last.is_none_or(|(at, _)| now.saturating_duration_since(*at) >= SAMPLE_EVERY) {
            self.samples.push_back((now, self.sent));
            self.forget(now);
        }
    }

    /// Leaves one sample from before the window, to count from.
    fn forget(&mut self, now: Instant) {
        let is_old = |(at, _): &(Instant, u64)| now.saturating_duration_since(*at) >= WINDOW;
        while self.samples.get(1).is_some_and(is_old) {
            self.samples.pop_front();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    fn rate(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let Some((at, sent)) = self.samples.front() else {
            return 0.0;
        };
        let seconds = now.saturating_duration_since(*at).as_secs_f64();
        let events = self.sent.saturating_sub(*sent) as f64;
        if seconds > 0.0 { events / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests;
