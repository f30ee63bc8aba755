//! The newest N events of a read: growing windows at the tail, until each partition gave its last N
//! or was read whole. The windows themselves are `pipeline`'s.

use std::time::Instant;

use super::{Input, Reading, StopWhenBegun};
use crate::broker::{
    Bound, BoxFuture, Error, ErrorKind, PartitionRange, Range, Result, Subscription,
};
use crate::event::{ArenaFull, Batch, PositionStyle, Scanned};
use crate::pipeline::{Consumer, End, Flow, LastEvents, Limits, Outcome, Ticker, Window, run};

impl Reading {
    /// Reads growing windows at the tail until each partition gave its last N, or was read whole.
    /// Gives the ends too, from where a follow goes on.
    pub(super) async fn run_last(
        &self,
        n: usize,
        stop: StopWhenBegun<'_>,
        consumer: &mut dyn Consumer,
        ticker: &mut dyn Ticker,
    ) -> Result<(Outcome, Vec<Vec<PartitionRange>>)> {
        let started = Instant::now();
        let limits = Limits {
            events: None,
            ..self.limits
        };
        let mut all = LastSearch::new(n);
        let mut ends = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let ranges = input.ranges().await?;
            let found = input.last(&ranges, n, limits, stop, ticker).await?;
            all.add(found)?;
            ends.push(ranges.into_iter().map(after).collect());
        }
        let mut batch = all.last.finish().map_err(too_many)?;
        if let Some(most) = self.limits.events {
            batch.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        let mut outcome = Outcome {
            scanned: all.scanned,
            matched: batch.len() as u64,
            elapsed: started.elapsed(),
            end: all.end,
            // It looks in several places until it has enough.
            undisturbed: false,
        };
        if !batch.is_empty() {
            let flow = consumer.batch(batch).await?;
            if flow == Flow::Closed || consumer.rest().await? == Flow::Closed {
                outcome.end = End::Closed;
            }
        }
        Ok((outcome, ends))
    }
}

/// What comes after a range.
fn after(range: PartitionRange) -> PartitionRange {
    PartitionRange {
        start: range.end,
        ..range
    }
}

fn too_many(error: ArenaFull) -> Error {
    Error::new(ErrorKind::Usage, error.to_string()).hint("ask for fewer events with --last")
}

/// The last events of the sources so far.
struct LastSearch {
    last: LastEvents,
    scanned: Scanned,
    end: End,
}

impl LastSearch {
    fn new(n: usize) -> Self {
        Self {
            last: LastEvents::new(n),
            scanned: Scanned::default(),
            end: End::Complete,
        }
    }

    fn add(&mut self, found: Self) -> Result<()> {
        let batch = found.last.finish().map_err(too_many)?;
        self.last.take_other(&batch).map_err(too_many)?;
        self.scanned += found.scanned;
        if matches!(self.end, End::Complete) {
            self.end = found.end;
        }
        Ok(())
    }
}

/// Gathers the last events of one window.
struct Gather<'a> {
    last: &'a mut LastEvents,
}

impl Consumer for Gather<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        let taken = self.last.take(&batch);
        Box::pin(async move {
            taken.map_err(too_many)?;
            Ok(Flow::More)
        })
    }
}

impl Input {
    async fn last(
        &self,
        ranges: &[PartitionRange],
        n: usize,
        limits: Limits,
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<LastSearch> {
        let filtered = !self.sub.select.keeps_all();
        let mut window = Window::first(n, filtered);
        loop {
            let tails = self.tails(window, ranges).await?;
            let cut = window.cut(ranges, &tails);
            let sub = Subscription {
                range: Range::Frozen(cut.clone()),
                follow: false,
                ..self.sub.clone()
            };
            let mut found = LastSearch::new(n);
            let mut source = self.source(&sub).await?;
            let mut gather = Gather {
                last: &mut found.last,
            };
            let outcome = run(&mut *source, &mut gather, limits, stop(), ticker).await;
            found.scanned = outcome.scanned;
            let whole = cut.iter().zip(ranges).all(|(cut, range)| {
                cut.start <= range.start || found.last.held(&cut.topic, cut.partition) >= n
            });
            let complete = matches!(outcome.end, End::Complete);
            found.end = outcome.end;
            if whole || !complete {
                return Ok(found);
            }
            window = window.wider();
        }
    }

    /// Where the last positions begin, for brokers whose positions cannot be counted back.
    async fn tails(
        &self,
        window: Window,
        ranges: &[PartitionRange],
    ) -> Result<Vec<PartitionRange>> {
        if ranges.iter().all(|r| r.style == PositionStyle::Offset) {
            return Ok(Vec::new());
        }
        let sub = Subscription {
            range: Range::Bounds {
                from: Bound::Last(window.positions),
                until: Bound::End,
            },
            ..self.sub.clone()
        };
        self.broker.resolve(&sub).await
    }
}
