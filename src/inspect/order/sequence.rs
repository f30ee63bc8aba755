//! The numbers that producers give their events, over all partitions of a topic. Partitions have
//! no order between them, so a number is missing only when it does not come at all.

use std::collections::BTreeMap;

use super::counting::{Counting, Hole, Step};
use super::{Heads, KEY_BYTES, Spot, cut};
use crate::event::EventRef;

/// Producers whose numbers are followed.
const PRODUCERS: usize = 4_096;
/// Holes kept for each of them.
const HOLES: usize = 1_024;

/// The event that jumped over numbers.
#[derive(Debug, Clone)]
pub(super) struct After {
    pub(super) spot: Spot,
    pub(super) time: Option<i64>,
    pub(super) key: Option<Box<[u8]>>,
}

/// The numbers of one producer in one topic.
#[derive(Debug)]
pub(super) struct Sequence {
    counting: Counting<After>,
    /// Holes of countings that were begun anew since.
    closed: Vec<Hole<After>>,
    seen: u64,
}

impl Sequence {
    fn step(&mut self, number: u64, after: impl Fn() -> After) {
        self.seen += 1;
        let again = self.counting.step(number, &after, HOLES) == Step::Again;
        if again && number <= 1 {
            // It was started anew and counts from the front again.
            let room = HOLES.saturating_sub(self.closed.len());
            self.closed.extend(self.counting.holes().take(room));
            self.counting = Counting::begin(number, after());
        }
    }

    /// The producer's own numbers, if they are counted for this topic alone: where more are
    /// missing than there are, they number something else.
    pub(super) fn is_dense(&self) -> bool {
        self.counting.missing() <= self.seen
    }

    pub(super) fn holes(&self) -> impl Iterator<Item = Hole<After>> + '_ {
        self.closed.iter().cloned().chain(self.counting.holes())
    }
}

impl PartialEq for After {
    fn eq(&self, other: &Self) -> bool {
        self.spot == other.spot
    }
}

/// All producers that number their events.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// By topic and producer.
    all: BTreeMap<u32, BTreeMap<Box<[u8]>, Sequence>>,
    followed: usize,
    /// Events of producers that there was no room for.
    pub(super) unfollowed: u64,
    pub(super) numbered: u64,
}

impl Sequences {
    pub(super) fn event(
        &mut self,
        topic: u32,
        spot: Spot,
        number: u64,
        heads: &Heads<'_>,
        event: &EventRef<'_>,
    ) {
        self.numbered += 1;
        let mut digits = itoa::Buffer::new();
        let producer = match (heads.producer, event.meta) {
            (Some(name), _) => name.get(..KEY_BYTES).unwrap_or(name),
            (None, Some(meta)) if meta.producer_id >= 0 => {
                digits.format(meta.producer_id).as_bytes()
            }
            (None, _) => &[],
        };
        let after = || After {
            spot,
            time: event.time().map(|t| t.0),
            key: event.key.map(cut),
        };
        let topic = self.all.entry(topic).or_default();
        if let Some(sequence) = topic.get_mut(producer) {
            sequence.step(number, after);
        } else if self.followed < PRODUCERS {
            self.followed += 1;
            let sequence = Sequence {
                counting: Counting::begin(number, after()),
                closed: Vec::new(),
                seen: 1,
            };
            topic.insert(producer.into(), sequence);
        } else {
            self.unfollowed += 1;
        }
    }

    /// Topic, producer and numbers of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u8], &Sequence)> {
        self.all.iter().flat_map(|(topic, producers)| {
            let producers = producers.iter();
            producers.map(|(name, sequence)| (*topic, &**name, sequence))
        })
    }
}
