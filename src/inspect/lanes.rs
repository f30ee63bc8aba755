//! The partitions that a fold has met, numbered. Batches of one fold may come with different
//! tables of streams: a topic was found later, or several sources are read together.

use std::collections::HashMap;
use std::sync::Arc;

use super::At;
use super::window::Keyed;
use crate::event::{Batch, EventRef, Position, PositionStyle, Streams};

/// True for a topic that by its name holds dead letters: copies of events with their ids, on which
/// no detector runs.
pub fn is_dead_letter(topic: &str) -> bool {
    [".dlq", "-dlq", ".DLT", "-dlt"]
        .iter()
        .any(|end| topic.ends_with(end))
}

/// One partition of one topic of one source.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) origin: u16,
    pub(super) topic: Arc<str>,
    pub(super) partition: u32,
    pub(super) style: PositionStyle,
    /// Number of the topic among those that were met.
    pub(super) topic_number: u32,
    /// The topic and its source in the hashes of who has no numbers of topics.
    pub(super) scope: u32,
    pub(super) dead_letters: bool,
}

impl Lane {
    pub(super) fn at(&self, position: Position) -> At {
        At {
            origin: self.origin,
            topic: Arc::clone(&self.topic),
            partition: self.partition,
            position,
            style: self.style,
        }
    }
}

/// Where an event stands, small enough to keep many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) lane: u32,
    pub(super) position: Position,
}

/// All partitions met so far.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    hash: Keyed,
    second: Keyed,
    all: Vec<Lane>,
    numbers: HashMap<(u16, Arc<str>, u32), u32>,
    topics: HashMap<(u16, Arc<str>), u32>,
    /// The table of the batch under way, and what its indices mean here.
    table: Option<(Streams, Arc<[u16]>)>,
    map: Vec<u32>,
    /// The last position of each that was taken.
    last: Vec<Option<Position>>,
}

impl Lanes {
    /// A batch comes: its stream indices can be asked for now.
    pub(super) fn enter(&mut self, batch: &Batch) {
        let known = self.table.as_ref().is_some_and(|(streams, origins)| {
            Arc::ptr_eq(streams, batch.streams()) && Arc::ptr_eq(origins, batch.origins())
        });
        if known {
            return;
        }
        self.map.clear();
        for index in 0..batch.streams().len() {
            let number = self.number(batch, index);
            self.map.push(number);
        }
        self.table = Some((Arc::clone(batch.streams()), Arc::clone(batch.origins())));
    }

    fn number(&mut self, batch: &Batch, index: usize) -> u32 {
        let stream = &batch.streams()[index];
        let origin = batch.origin(index as u32);
        self.known(origin, &stream.topic, stream.partition, stream.style)
    }

    /// The number of a partition, whether it was met or not.
    fn known(
        &mut self,
        origin: u16,
        topic: &Arc<str>,
        partition: u32,
        style: PositionStyle,
    ) -> u32 {
        let name = (origin, Arc::clone(topic), partition);
        if let Some(&number) = self.numbers.get(&name) {
            return number;
        }
        let topics = self.topics.len() as u32;
        let topic_number = self.topics.entry((origin, Arc::clone(topic)));
        let number = self.all.len() as u32;
        self.all.push(Lane {
            origin,
            topic: Arc::clone(topic),
            partition,
            style,
            topic_number: *topic_number.or_insert(topics),
            scope: self.hash.scope(origin, topic),
            dead_letters: is_dead_letter(topic),
        });
        self.last.push(None);
        self.numbers.insert(name, number);
        number
    }

    /// Takes over the partitions that others met, and tells their numbers here.
    pub(super) fn adopt(&mut self, others: &Self) -> Vec<u32> {
        let lanes = others.all.iter();
        lanes
            .map(|lane| self.known(lane.origin, &lane.topic, lane.partition, lane.style))
            .collect()
    }

    /// Another hash, with another secret.
    pub(super) fn second(&self) -> &Keyed {
        &self.second
    }

    /// The hash that knows the lanes' scopes.
    pub(super) fn hash(&self) -> &Keyed {
        &self.hash
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn topics(&self) -> usize {
        self.topics.len()
    }

    /// What a stream index of the batch under way means here.
    #[inline]
    pub(super) fn lane(&self, stream_index: u32) -> u32 {
        self.map[stream_index as usize]
    }

    #[inline]
    pub(super) fn get(&self, lane: u32) -> &Lane {
        &self.all[lane as usize]
    }

    /// Takes the next event of a partition; false when it was taken before, so that events which
    /// are fed twice count once.
    #[inline]
    pub(super) fn take(&mut self, spot: Spot) -> bool {
        let last = &mut self.last[spot.lane as usize];
        let new = last.is_none_or(|last| spot.position > last);
        if new {
            *last = Some(spot.position);
        }
        new
    }

    /// Takes the next event of a partition; false for one that no detector looks at: it was taken
    /// before, it is a dead letter, or its transaction was aborted.
    #[inline]
    pub(super) fn counts(&mut self, spot: Spot, event: &EventRef<'_>) -> bool {
        !event.is_aborted() && !self.get(spot.lane).dead_letters && self.take(spot)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Lane)> {
        (0..).zip(&self.all)
    }

    pub(super) fn at(&self, spot: Spot) -> At {
        self.get(spot.lane).at(spot.position)
    }
}
