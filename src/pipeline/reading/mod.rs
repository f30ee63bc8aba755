//! A read of one or several opened sources, put together by whoever knows what was asked for:
//! freeze, begin, run, the newest N. Knows nothing of flags and of how a broker is opened.

mod newest;

use std::sync::Arc;
use std::time::Instant;

use super::{Consumer, End, Limits, Outcome, Stop, Ticker, merge, run, split_by_partition, tag};
use crate::broker::{
    Address, Broker, Capabilities, Error, ErrorKind, PartitionRange, Range, Result, Source,
    Subscription,
};
use crate::event::Position;
use crate::query::Query;

/// A prepared read.
#[derive(Clone)]
pub struct Reading {
    pub query: Arc<Query>,
    pub inputs: Vec<Input>,
    pub limits: Limits,
    /// Only the newest N.
    pub last: Option<usize>,
    pub follow: bool,
}

/// One source of it.
#[derive(Clone)]
pub struct Input {
    /// With its context resolved.
    pub address: Address,
    /// As the user typed it, secrets hidden.
    pub shown: String,
    pub broker: Arc<dyn Broker>,
    pub sub: Subscription,
    /// Its number among the sources; its events carry it.
    pub origin: u16,
}

impl Input {
    /// Where the read of this range really begins: the frozen ranges can leave out its start, as
    /// where part of it is gone and the rest was asked for.
    pub fn begins(&self, range: &PartitionRange) -> Position {
        let Range::Frozen(ranges) = &self.sub.range else {
            return range.start;
        };
        let same = |r: &&PartitionRange| r.topic == range.topic && r.partition == range.partition;
        ranges.iter().find(same).map_or(range.start, |r| r.start)
    }

    fn capabilities(&self) -> Capabilities {
        self.broker.capabilities()
    }

    async fn ranges(&self) -> Result<Vec<PartitionRange>> {
        let ranges = self
            .broker
            .resolve(&self.sub)
            .await
            .map_err(|e| e.on(format!("cannot read {}", self.shown)))?;
        let topics = &self.sub.topics;
        if ranges.is_empty() && !topics.is_all() && !self.sub.follow {
            return Err(Error::new(
                ErrorKind::MissingTopic,
                format!("cannot read {}: no topic matches '{topics}'", self.shown),
            )
            .hint("`evtap topics` lists what is there"));
        }
        Ok(ranges)
    }

    /// A glob is frozen here: one that matches nothing is a mistake, not an empty read.
    async fn sub(&self) -> Result<Subscription> {
        let topics = &self.sub.topics;
        let mut sub = self.sub.clone();
        if !topics.is_all()
            && !topics.is_literal()
            && !sub.follow
            && matches!(sub.range, Range::Bounds { .. })
        {
            sub.range = Range::Frozen(self.ranges().await?);
        }
        Ok(sub)
    }

    async fn source(&self, sub: &Subscription) -> Result<Box<dyn Source>> {
        let source = self.broker.source(sub).await;
        let source = source.map_err(|e| e.on(format!("cannot read {}", self.shown)))?;
        Ok(tag(source, self.origin))
    }
}

/// Gives the wish to stop. It is asked for once a read has begun: what waits for a broker before
/// that is given up by dropping it.
pub type StopWhenBegun<'a> = &'a (dyn Fn() -> Stop + Send + Sync);

impl Reading {
    /// The frozen ranges of each source.
    pub async fn resolve(&self) -> Result<Vec<Vec<PartitionRange>>> {
        let mut all = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            all.push(input.ranges().await?);
        }
        Ok(all)
    }

    /// Reads these ranges from now on, whatever the flags said.
    pub fn freeze(&mut self, ranges: Vec<Vec<PartitionRange>>) {
        for (input, ranges) in self.inputs.iter_mut().zip(ranges) {
            input.sub.range = Range::Frozen(ranges);
        }
    }

    /// Asks for whole record batches as they came: for a consumer that writes them as they are.
    /// Nothing may need a look at the events, and the batches of one source only stay in order.
    pub fn ask_for_raw(&mut self) {
        let counted = self.limits.events.is_some() || self.last.is_some();
        if let [input] = &mut self.inputs[..] {
            input.sub.raw = !counted && input.sub.select.keeps_all();
        }
    }

    /// All sources as one.
    pub async fn source(&self) -> Result<Box<dyn Source>> {
        let mut sources = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            sources.push(input.source(&input.sub().await?).await?);
        }
        let ordered = !self.follow && self.inputs.iter().all(|i| i.capabilities().time_ordered);
        Ok(merge(sources, ordered))
    }

    /// The frozen ranges merged by time: one source a partition, each in its own order.
    pub async fn source_by_time(&self) -> Result<Box<dyn Source>> {
        let mut sources = Vec::new();
        for input in &self.inputs {
            let Range::Frozen(ranges) = &input.sub.range else {
                sources.push(input.source(&input.sub).await?);
                continue;
            };
            for sub in split_by_partition(&input.sub, ranges) {
                sources.push(input.source(&sub).await?);
            }
        }
        Ok(merge(sources, true))
    }

    /// Runs the read into the consumer.
    pub async fn run(
        &self,
        stop: StopWhenBegun<'_>,
        consumer: &mut dyn Consumer,
        ticker: &mut dyn Ticker,
    ) -> Result<Outcome> {
        let Some(n) = self.last else {
            let mut source = self.source().await?;
            return Ok(run(&mut *source, consumer, self.limits, stop(), ticker).await);
        };
        let started = Instant::now();
        let (mut outcome, ends) = self.run_last(n, stop, consumer, ticker).await?;
        if self.follow && matches!(outcome.end, End::Complete) {
            let mut sources = Vec::with_capacity(self.inputs.len());
            for (input, range) in self.inputs.iter().zip(ends) {
                let sub = Subscription {
                    range: Range::Frozen(range),
                    ..input.sub.clone()
                };
                sources.push(input.source(&sub).await?);
            }
            let mut source = merge(sources, false);
            let limits = Limits {
                events: self
                    .limits
                    .events
                    .map(|n| n.saturating_sub(outcome.matched)),
                ..self.limits
            };
            let rest = run(&mut *source, consumer, limits, stop(), ticker).await;
            outcome.scanned += rest.scanned;
            outcome.matched += rest.matched;
            outcome.end = rest.end;
        }
        outcome.elapsed = started.elapsed();
        Ok(outcome)
    }
}
