//! The loop: ask the source for a batch, give it to the consumer, mind the limits.

use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout_at};

use super::Stop;
use crate::broker::{BoxFuture, Error, Result, Source};
use crate::event::{Batch, Scanned};

/// Takes what a source hands on: a printer, a recorder, a replay.
pub trait Consumer: Send {
    /// It holds events, or tells of record batches without any (transaction markers, batches of
    /// which nothing was kept). Record batches stand in the place of events only for a consumer that
    /// asked for them with `Subscription::raw`. It is handed over, so that it can go on to another
    /// thread; dropping it gives its buffers back to the source.
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>>;

    /// Nothing more is waiting for now: show what is buffered.
    fn rest(&mut self) -> BoxFuture<'_, Result<Flow>> {
        Box::pin(async { Ok(Flow::More) })
    }
}

/// Whether the consumer wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    More,
    /// The reader of our output went away.
    Closed,
}

/// Called about ten times a second with what was done so far.
pub trait Ticker: Send {
    fn tick(&mut self, scanned: Scanned, matched: u64, progress: Option<(u64, u64)>);
}

/// Nobody wants to know.
pub struct Unwatched;

impl Ticker for Unwatched {
    fn tick(&mut self, _: Scanned, _: u64, _: Option<(u64, u64)>) {}
}

/// When to end before the range does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Events that match.
    pub events: Option<u64>,
    /// Silence: no event came, matching or not.
    pub idle: Option<Duration>,
    /// In all.
    pub timeout: Option<Duration>,
}

/// Why a run ended.
#[derive(Debug)]
pub enum End {
    /// The whole frozen range was looked at.
    Complete,
    Limit,
    Idle,
    Timeout,
    Interrupted,
    /// Nobody reads our output any more.
    Closed,
    /// The source gave up; what it had handed on before was consumed.
    Failed(Error),
}

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    pub scanned: Scanned,
    pub matched: u64,
    pub elapsed: Duration,
    pub end: End,
    /// See [`Source::undisturbed`].
    pub undisturbed: bool,
}

/// Runs until the source ends, a limit is reached or somebody stops it.
pub async fn run(
    source: &mut dyn Source,
    consumer: &mut dyn Consumer,
    limits: Limits,
    mut stop: Stop,
    ticker: &mut dyn Ticker,
) -> Outcome {
    let started = Instant::now();
    let mut state = Run {
        scanned: Scanned::default(),
        matched: 0,
        limits,
        deadline: limits.timeout.map(|t| started + t),
        last_event: started,
        last_tick: started,
    };
    let end = tokio::select! {
        biased;
        () = stop.stopped() => None,
        end = state.pump(source, consumer, ticker) => Some(end),
    };
    // The future above is gone: whatever it had taken from the source was consumed or is lost only
    // to an interruption, and an interrupted run reports itself as partial.
    let end = match end {
        None => End::Interrupted,
        Some(Ok(end)) => end,
        Some(Err(error)) => End::Failed(error),
    };
    let end = match (consumer.rest().await, end) {
        (Err(error), End::Complete | End::Limit | End::Idle | End::Timeout) => End::Failed(error),
        (Ok(Flow::Closed), _) => End::Closed,
        (_, end) => end,
    };
    ticker.tick(state.scanned, state.matched, source.progress());
    Outcome {
        scanned: state.scanned,
        matched: state.matched,
        elapsed: started.elapsed(),
        end,
        undisturbed: source.undisturbed(),
    }
}

struct Run {
    scanned: Scanned,
    matched: u64,
    limits: Limits,
    deadline: Option<Instant>,
    last_event: Instant,
    last_tick: Instant,
}

/// How long a buffered line may wait while the source is silent.
const REST_AFTER: Duration = Duration::from_millis(20);
const TICK_EVERY: Duration = Duration::from_millis(100);

impl Run {
    async fn pump(
        &mut self,
        source: &mut dyn Source,
        consumer: &mut dyn Consumer,
        ticker: &mut dyn Ticker,
    ) -> Result<End> {
        if self.limits.events == Some(0) {
            return Ok(End::Limit);
        }
        loop {
            let batch = match self.next(source, consumer).await? {
                Next::Batch(batch) => batch,
                Next::End(end) => return Ok(end),
            };
            if let Some(end) = self.consume(batch, consumer).await? {
                return Ok(end);
            }
            if self.last_tick.elapsed() >= TICK_EVERY {
                self.last_tick = Instant::now();
                ticker.tick(self.scanned, self.matched, source.progress());
            }
        }
    }

    async fn consume(
        &mut self,
        mut batch: Batch,
        consumer: &mut dyn Consumer,
    ) -> Result<Option<End>> {
        self.scanned += batch.scanned;
        if batch.scanned.events > 0 {
            self.last_event = Instant::now();
        }
        let room = self.limits.events.map(|n| n - self.matched);
        if let Some(room) = room {
            batch.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        }
        let taken = batch.events();
        self.matched += taken;
        if !batch.is_empty() || !batch.metas().is_empty() {
            // A consumer that works at a pace can take longer than is left.
            let taking = consumer.batch(batch);
            let flow = match self.deadline {
                Some(deadline) => match timeout_at(deadline.into(), taking).await {
                    Ok(flow) => flow?,
                    Err(_) => return Ok(Some(End::Timeout)),
                },
                None => taking.await?,
            };
            if flow == Flow::Closed {
                return Ok(Some(End::Closed));
            }
        }
        let reached = room.is_some_and(|room| taken >= room);
        Ok(reached.then_some(End::Limit))
    }

    async fn next(&self, source: &mut dyn Source, consumer: &mut dyn Consumer) -> Result<Next> {
        let next = source.next_batch();
        tokio::pin!(next);
        // A short wait first: while events flow, nothing is flushed early.
        let soon = Instant::now() + REST_AFTER;
        if let Ok(batch) = timeout_at(soon.into(), &mut next).await {
            return self.judge(batch);
        }
        if consumer.rest().await? == Flow::Closed {
            return Ok(Next::End(End::Closed));
        }
        let idle = self.limits.idle.map(|idle| self.last_event + idle);
        let (wake, why) = match (idle, self.deadline) {
            (Some(idle), Some(deadline)) if deadline < idle => (Some(deadline), End::Timeout),
            (Some(idle), _) => (Some(idle), End::Idle),
            (None, deadline) => (deadline, End::Timeout),
        };
        let Some(wake) = wake else {
            return self.judge(next.await);
        };
        tokio::select! {
            batch = &mut next => self.judge(batch),
            () = sleep_until(wake.into()) => Ok(Next::End(why)),
        }
    }

    fn judge(&self, batch: Result<Option<Batch>>) -> Result<Next> {
        if self.deadline.is_some_and(|d| Instant::now() >= d) {
            // A stream that never pauses must not outrun the deadline.
            return Ok(Next::End(match batch? {
                None => End::Complete,
                Some(_) => End::Timeout,
            }));
        }
        Ok(batch?.map_or(Next::End(End::Complete), Next::Batch))
    }
}

enum Next {
    Batch(Batch),
    End(End),
}

impl End {
    /// The word in the summary line; `None` when complete.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Complete => None,
            Self::Limit => Some("limit".to_owned()),
            Self::Idle => Some("idle".to_owned()),
            Self::Timeout => Some("timeout".to_owned()),
            Self::Interrupted => Some("interrupted".to_owned()),
            Self::Closed => Some("output closed".to_owned()),
            Self::Failed(error) => Some(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::fake::{Script, stream_table};

    struct Collect(Vec<u64>);

    impl Consumer for Collect {
        fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
            self.0.extend(batch.iter().map(|e| e.position.major));
            Box::pin(async { Ok(Flow::More) })
        }
    }

    async fn go(script: &mut Script, limits: Limits) -> (Vec<u64>, Outcome) {
        let (_handle, stop) = Stop::new();
        let mut collect = Collect(Vec::new());
        let outcome = run(script, &mut collect, limits, stop, &mut Unwatched).await;
        (collect.0, outcome)
    }

    #[tokio::test]
    async fn a_limit_cuts_inside_a_batch() {
        let mut script = Script::new(stream_table(&["t"]))
            .events(0, &[0, 1, 2])
            .events(0, &[3, 4]);
        let limits = Limits {
            events: Some(2),
            ..Limits::default()
        };
        let (seen, outcome) = go(&mut script, limits).await;
        assert_eq!(seen, [0, 1]);
        assert!(matches!(outcome.end, End::Limit));
        assert_eq!(outcome.matched, 2);
    }

    #[tokio::test]
    async fn the_end_of_the_range_is_complete() {
        let mut script = Script::new(stream_table(&["t"])).events(0, &[0, 1]);
        let (seen, outcome) = go(&mut script, Limits::default()).await;
        assert_eq!(seen, [0, 1]);
        assert!(matches!(outcome.end, End::Complete));
        assert_eq!(outcome.end.reason(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_an_idle_run() {
        let mut script = Script::new(stream_table(&["t"])).events(0, &[7]).silent();
        let limits = Limits {
            idle: Some(Duration::from_millis(50)),
            ..Limits::default()
        };
        let (seen, outcome) = go(&mut script, limits).await;
        assert_eq!(seen, [7]);
        assert!(matches!(outcome.end, End::Idle));
    }

    /// Takes an hour for each batch, as a paced replay can.
    struct Slow;

    impl Consumer for Slow {
        fn batch(&mut self, _: Batch) -> BoxFuture<'_, Result<Flow>> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_hours(1)).await;
                Ok(Flow::More)
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_consumer_does_not_outrun_the_deadline() {
        let mut script = Script::new(stream_table(&["t"])).events(0, &[1]);
        let (_handle, stop) = Stop::new();
        let limits = Limits {
            timeout: Some(Duration::from_secs(5)),
            ..Limits::default()
        };
        let began = tokio::time::Instant::now();
        let outcome = run(&mut script, &mut Slow, limits, stop, &mut Unwatched).await;
        assert!(matches!(outcome.end, End::Timeout), "{:?}", outcome.end);
        assert!(began.elapsed() < Duration::from_secs(6));
    }

    #[tokio::test]
    async fn events_in_record_batches_match_too() {
        struct Bytes(usize, Vec<u64>);

        impl Consumer for Bytes {
            fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
                self.0 += batch.raws().map(|(_, bytes)| bytes.len()).sum::<usize>();
                self.1.extend(batch.iter().map(|e| e.position.major));
                Box::pin(async { Ok(Flow::More) })
            }
        }

        let mut script = Script::new(stream_table(&["t"]))
            .raw(0, &[0, 1, 5])
            .events(0, &[6, 7]);
        let (_handle, stop) = Stop::new();
        let mut bytes = Bytes(0, Vec::new());
        let limits = Limits::default();
        let outcome = run(&mut script, &mut bytes, limits, stop, &mut Unwatched).await;
        assert!(matches!(outcome.end, End::Complete));
        assert_eq!((outcome.scanned.events, outcome.matched), (5, 5));
        assert!(bytes.0 > 0, "the consumer got the bytes");
        assert_eq!(bytes.1, [6, 7]);
    }

    #[tokio::test]
    async fn an_error_after_some_events_keeps_them() {
        let mut script = Script::new(stream_table(&["t"])).events(0, &[1]).fails();
        let (seen, outcome) = go(&mut script, Limits::default()).await;
        assert_eq!(seen, [1]);
        assert!(matches!(outcome.end, End::Failed(_)));
    }
}
