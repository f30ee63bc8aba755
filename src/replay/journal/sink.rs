//! A plain sink and a journal as one: the engine that writes exactly once drives it, commits
//! become flushes with a line in the journal, and events that are there already are left out.

use std::path::Path;
use std::sync::Arc;

use super::file::Journal;
use super::intervals::Intervals;
use crate::broker::exact::{Progress, Share, Unit};
use crate::broker::{
    BoxFuture, Broker, Error, ErrorKind, ExactSink, PartitionRange, Range, Result, Sink,
    Subscription, Target, TopicSelector, Written,
};
use crate::event::{Batch, BatchPool, Position};
use crate::replay::copies::{Copies, Origin, Places, Reader};
use crate::replay::{PartitionEnd, Plan};

/// Intervals that are remembered of a target's tail: about 200 MB. Where positions are dense, one
/// can be a whole partition.
const MOST_INTERVALS: usize = 4 << 20;

/// What is there of each of the plan's partitions, since the journal's last line.
struct Present {
    places: Places,
    there: Vec<Intervals>,
    reader: Reader,
    empty: bool,
}

pub(in crate::replay) struct Journaled {
    plan: String,
    /// The target's ends as the plan noted them.
    planned: Vec<PartitionEnd>,
    /// Copies can be told: they carry provenance.
    provenance: bool,
    units: Vec<Unit>,
    broker: Arc<dyn Broker>,
    target: Target,
    sink: Option<Box<dyn Sink>>,
    journal: Journal,
    present: Present,
    pool: BatchPool,
    memory: usize,
}

impl Journaled {
    /// `folder` is that of the plan's runs; nothing is read or written but the journal there.
    pub(in crate::replay) fn open(
        folder: &Path,
        plan: &Plan,
        units: Vec<Unit>,
        broker: Arc<dyn Broker>,
        target: Target,
        memory: usize,
    ) -> Result<Self> {
        let places = Places::of(plan);
        Ok(Self {
            plan: plan.id(),
            planned: plan.target.ends.clone(),
            provenance: plan.provenance,
            journal: Journal::open(folder, &plan.id(), units.len())?,
            units,
            broker,
            target,
            sink: None,
            present: Present {
                there: vec![Intervals::default(); places.len()],
                places,
                reader: Reader::default(),
                empty: true,
            },
            pool: BatchPool::default(),
            memory,
        })
    }

    /// Finds what was written after the journal's last line.
    async fn read_back(&mut self) -> Result<()> {
        let now = ends(&*self.broker, &self.target.topic).await?;
        let noted = self.journal.state().ends.as_ref().unwrap_or(&self.planned);
        let ranges = now.iter().map(|there| {
            let known = noted.iter().find(|e| e.partition == there.partition);
            PartitionRange {
                topic: self.target.topic.clone(),
                partition: there.partition,
                style: there.style,
                start: known.map_or(Position::ZERO, |e| e.end).min(there.end),
                end: there.end,
            }
        });
        let ranges: Vec<PartitionRange> = ranges.filter(|r| r.start < r.end).collect();
        if ranges.is_empty() || !self.provenance {
            return Ok(());
        }
        let sub = Subscription {
            range: Range::Frozen(ranges),
            select: Copies::of(&self.plan),
            ..Subscription::all_of(TopicSelector::one(&self.target.topic), self.memory)
        };
        let mut source = self.broker.source(&sub).await?;
        while let Some(batch) = source.next_batch().await? {
            self.present.take(&self.plan, &batch);
            if self.present.intervals() > MOST_INTERVALS {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "guard journal: too much was written since its last line to remember it",
                )
                .hint("plan what is left anew, with --from"));
            }
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<Share> {
        if self.sink.is_none() {
            self.read_back().await?;
            self.sink = Some(self.broker.sink(&self.target).await?);
        }
        let progress = self.journal.state().progress.clone();
        let units = self.units.iter().zip(&progress).enumerate();
        let open = units.filter(|(_, (unit, progress))| {
            let next = progress.as_ref().map_or(unit.start, |p| p.next);
            !unit.is_done_at(next)
        });
        Ok(Share {
            mine: open.map(|(index, _)| index).collect(),
            progress,
        })
    }

    fn sink(&mut self) -> Result<&mut Box<dyn Sink>> {
        let closed = || Error::new(ErrorKind::Broker, "the target is not open");
        self.sink.as_mut().ok_or_else(closed)
    }

    async fn send_new(&mut self, batch: &Batch) -> Result<()> {
        if self.present.empty {
            return self.sink()?.send(batch).await;
        }
        let mut new = self.pool.batch(batch.streams().clone());
        for event in batch.iter() {
            let origin = self
                .present
                .reader
                .origin(&self.present.places, &self.plan, &event);
            if self.present.has(origin) {
                continue;
            }
            let full = |error| Error::new(ErrorKind::Broker, format!("cannot copy: {error}"));
            new.push(&event).map_err(full)?;
        }
        if new.is_empty() {
            return Ok(());
        }
        self.sink()?.send(&new).await
    }
}

/// Where the partitions of the target end now.
async fn ends(broker: &dyn Broker, topic: &str) -> Result<Vec<PartitionEnd>> {
    let found = broker.topics(&TopicSelector::one(topic)).await?;
    let found = found.iter().find(|t| &*t.name == topic);
    let found = found.ok_or_else(|| {
        let what = format!("no topic {topic} any more");
        Error::new(ErrorKind::MissingTopic, what)
    })?;
    let ends = found.partitions.iter().map(|p| PartitionEnd {
        partition: p.partition,
        style: found.style,
        end: p.end,
    });
    Ok(ends.collect())
}

impl Present {
    fn take(&mut self, plan: &str, batch: &Batch) {
        for event in batch.iter() {
            let origin = self.reader.origin(&self.places, plan, &event);
            if let Some(Origin::At(place, position)) = origin
                && let Some(style) = self.places.style(place)
                && let Some(there) = self.there.get_mut(place)
            {
                there.insert(position, style);
                self.empty = false;
            }
        }
    }

    fn has(&self, origin: Option<Origin>) -> bool {
        match origin {
            Some(Origin::At(place, position)) => {
                let there = self.there.get(place);
                there.is_some_and(|there| there.contains(position))
            }
            _ => false,
        }
    }

    fn intervals(&self) -> usize {
        self.there.iter().map(Intervals::len).sum()
    }
}

impl ExactSink for Journaled {
    fn share(&mut self) -> BoxFuture<'_, Result<Share>> {
        Box::pin(self.begin())
    }

    fn is_stale(&self) -> bool {
        false
    }

    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.send_new(batch))
    }

    fn commit<'a>(
        &'a mut self,
        progress: &'a [(usize, Progress)],
    ) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async move {
            let written = self.sink()?.flush().await?;
            // Nothing is sent meanwhile: what the plan writes next stands behind these.
            let ends = ends(&*self.broker, &self.target.topic).await?;
            self.journal.append(progress, ends)?;
            Ok(written)
        })
    }

    /// What was sent stays: the next share finds it in the target.
    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        self.sink = None;
        Box::pin(async { Ok(()) })
    }

    fn takes_back(&self) -> bool {
        false
    }

    fn promise(&self) -> &'static str {
        if self.provenance {
            "at least once, with a journal: applied again after an interruption, the plan goes on \
             and leaves out what the target holds"
        } else {
            "at least once, with a journal: without provenance, what was written since its last \
             line can be there twice"
        }
    }

    /// What a connection survives, the sink mends by itself.
    fn recover(&mut self, error: Error) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Err(error) })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.sink.as_mut() {
                Some(sink) => sink.finish().await,
                None => Ok(()),
            }
        })
    }
}
