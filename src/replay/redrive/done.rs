//! Which dead letters were redriven or parked before: their copies say so, in the topics that they
//! went to.

use std::collections::HashMap;
use std::sync::Arc;

use super::lanes::lanes;
use crate::broker::{Bound, Broker, Error, ErrorKind, Range, Result, Subscription, TopicSelector};
use crate::event::{Batch, Position, PositionStyle, Timestamp};
use crate::query::{Query, QuerySpec};
use crate::replay::PlanSource;
use crate::replay::provenance::SOURCE;

/// Clocks of hosts may be so far apart, in milliseconds: a copy can seem older than its original.
const SKEW: i64 = 60 * 60 * 1_000;

/// The copies that are there.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Partition of the sources and position there; sorted once all are known.
    all: Vec<(usize, Position)>,
}

impl Done {
    pub(super) fn has(&self, lane: usize, position: Position) -> bool {
        self.all.binary_search(&(lane, position)).is_ok()
    }

    pub(super) fn sort(&mut self) {
        self.all.sort_unstable();
        self.all.dedup();
    }
}

/// What copies of a plan's sources call their originals.
pub(super) struct Names {
    /// Partition and style, by `PLACE/TOPIC/PARTITION`.
    lanes: HashMap<Vec<u8>, (usize, PositionStyle)>,
    /// Bytes that may be held.
    memory: usize,
    select: Arc<Query>,
}

impl Names {
    pub(super) fn new(sources: &[PlanSource], memory: usize) -> Result<Self> {
        let mut found = HashMap::new();
        for (number, lane) in lanes(sources).iter().enumerate() {
            let range = &lane.range;
            let Some(source) = sources.get(lane.source) else {
                continue;
            };
            for name in source.place.names().chain([source.name.clone()]) {
                let place = format!("{name}/{}/{}", range.topic, range.partition);
                found.insert(place.into_bytes(), (number, range.style));
            }
        }
        // Most events of a target are no copies: those are passed over where they stand.
        let spec = QuerySpec {
            where_: vec![format!(".headers[\"{SOURCE}\"] != null")],
            ..QuerySpec::default()
        };
        Ok(Self {
            lanes: found,
            memory,
            select: Arc::new(
                Query::compile(&spec)
                    .map_err(|error| Error::new(ErrorKind::Query, error.to_string()))?,
            ),
        })
    }

    fn take(&self, batch: &Batch, done: &mut Done) -> Result<()> {
        for event in batch.iter().filter(|event| !event.is_aborted()) {
            let Some(source) = event.headers.last(SOURCE).flatten() else {
                continue;
            };
            let Some(cut) = memchr::memrchr(b'/', source) else {
                continue;
            };
            let Some((lane, style)) = self.lanes.get(&source[..cut]) else {
                continue;
            };
            let position = str::from_utf8(&source[cut + 1..]).ok();
            if let Some(position) = position.and_then(|text| Position::parse(text, *style)) {
                done.all.push((*lane, position));
            }
        }
        if done
            .all
            .len()
            .saturating_mul(size_of::<(usize, Position)>())
            > self.memory
        {
            return Err(Error::new(
                ErrorKind::Usage,
                "more was redriven before than there is memory for",
            )
            .hint("give more with --mem, or redrive fewer at once with --from and --until"));
        }
        Ok(())
    }

    /// Looks through a topic for copies that were made since `earliest`, when the first of the
    /// originals happened.
    pub(super) async fn seek(
        &self,
        broker: &dyn Broker,
        topic: &str,
        earliest: Option<Timestamp>,
        done: &mut Done,
    ) -> Result<()> {
        let can = broker.capabilities();
        let from = match earliest {
            Some(time) if can.seek_by_time => Bound::Time(Timestamp(time.0.saturating_sub(SKEW))),
            _ => Bound::Start,
        };
        let sub = Subscription {
            range: Range::Bounds {
                from,
                until: Bound::End,
            },
            select: self.select.clone(),
            ..Subscription::all_of(TopicSelector::one(topic), self.memory)
        };
        let looking = |error: Error| {
            error.on(format!(
                "cannot look for what was redriven to {topic} before"
            ))
        };
        let mut source = broker.source(&sub).await.map_err(looking)?;
        while let Some(batch) = source.next_batch().await.map_err(looking)? {
            self.take(&batch, done)?;
        }
        Ok(())
    }
}
