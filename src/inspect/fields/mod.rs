//! Which fields the JSON values of a topic have, of which types, since when and by whom: learnt
//! from the events themselves, one profile for each topic and type of event.

mod blocks;
mod drift;
mod report;
#[cfg(test)]
mod tests;
mod tree;
mod values;

use std::collections::BTreeMap;

use super::Names;
use super::lanes::{Lanes, Spot};
use super::top::{self, Value};
use crate::event::{Batch, Decoded, EventRef, SchemaId};
use crate::schema::Reader;
use crate::text::JsonText;
pub use drift::{Change, Drift};
pub use report::{Field, FieldsReport, Profile, TypeSeen};
pub use tree::JsonType;
use tree::{Climber, Seen, Sight, Tree};

/// Paths of one profile, and of all together; about 700 bytes each, with few strings 2 KiB.
const PATHS: usize = 4_096;
const ALL_PATHS: usize = 32_768;
/// Profiles: pairs of topic and type of event.
const PROFILES: usize = 1_024;
/// Partitions that are counted apart; those beyond share the last place.
const SLOTS: usize = 64;
/// Producers that are told apart in a profile.
const PRODUCERS: usize = 64;
/// Bytes of a name that are kept.
const NAME_BYTES: usize = 256;

/// What is known of one topic and type of event.
#[derive(Debug, Default)]
struct Known {
    topic: u32,
    kind: Box<[u8]>,
    events: u64,
    /// Events by partition, and which partition has which place.
    lanes: Vec<u64>,
    slots: BTreeMap<u32, usize>,
    producers: Vec<Box<[u8]>>,
    tree: Tree,
    /// The first event of each block of the time that the profile covers.
    firsts: BTreeMap<i64, Seen>,
    /// How long those blocks are.
    shift: u32,
}

impl Known {
    /// Notes the first event of each block, which grow as the profile's do.
    fn first_of_block(&mut self, sight: &Sight<'_>) {
        let (Some(time), Some(root)) = (sight.time, self.tree.nodes.first()) else {
            return;
        };
        let shift = root.blocks.shift();
        if shift != self.shift {
            for (_, seen) in std::mem::take(&mut self.firsts) {
                self.earlier(seen, shift);
            }
            self.shift = shift;
        }
        let known = self.firsts.get(&(time.0 >> shift));
        if known.is_none_or(|seen| sight.time < seen.time) {
            self.earlier(sight.seen(), shift);
        }
    }

    fn earlier(&mut self, seen: Seen, shift: u32) {
        let Some(time) = seen.time else { return };
        let first = self.firsts.entry(time.0 >> shift);
        let first = first.or_insert_with(|| seen.clone());
        if seen.time < first.time {
            *first = seen;
        }
    }

    fn slot(&mut self, lane: u32) -> usize {
        let free = self.slots.len().min(SLOTS - 1);
        let slot = *self.slots.entry(lane).or_insert(free);
        if slot >= self.lanes.len() {
            self.lanes.resize(slot + 1, 0);
        }
        slot
    }

    /// The number of a producer; `None` where there is none, or no room.
    fn producer(&mut self, name: Option<&[u8]>) -> Option<u16> {
        let name = name?;
        let name = name.get(..NAME_BYTES).unwrap_or(name);
        if let Some(at) = self.producers.iter().position(|p| **p == *name) {
            return Some(at as u16);
        }
        if self.producers.len() >= PRODUCERS {
            return None;
        }
        self.producers.push(name.into());
        Some(self.producers.len() as u16 - 1)
    }
}

/// The fold.
#[derive(Default)]
pub struct Fields {
    /// What makes JSON of values; without one they are taken as they are.
    reader: Option<Reader>,
    names: Names,
    lanes: Lanes,
    known: Vec<Known>,
    /// For each topic, its profiles by the type of event.
    by_topic: Vec<BTreeMap<Box<[u8]>, usize>>,
    /// For each topic, its values that are no JSON.
    other: Vec<u64>,
    paths: usize,
    /// Fields and events that there was no room for.
    unkept: u64,
}

impl Fields {
    /// Looks at what the values decode to.
    pub fn decoded(reader: Reader) -> Self {
        Self {
            reader: Some(reader),
            ..Self::default()
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        let mut reader = self.reader.take();
        let topics = self.lanes.topics();
        self.by_topic.resize_with(topics, BTreeMap::new);
        self.other.resize(topics, 0);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if !self.lanes.counts(spot, &event) {
                continue;
            }
            match &mut reader {
                None => self.event(spot, &event, event.value, None),
                Some(reader) => {
                    let seen = reader.see(&event);
                    let value = match &seen.value.data {
                        Decoded::Null => None,
                        Decoded::Json(json) => Some(json.as_str().as_bytes()),
                        // What was refused is no JSON even if it looks so.
                        Decoded::Text(_) | Decoded::Binary(_) => event.value.map(|_| &b"\xff"[..]),
                    };
                    self.event(spot, &event, value, seen.schema.and_then(|s| s.id));
                }
            }
        }
        self.reader = reader;
    }

    fn event(
        &mut self,
        spot: Spot,
        event: &EventRef<'_>,
        value: Option<&[u8]>,
        schema: Option<SchemaId<'_>>,
    ) {
        let topic = self.lanes.get(spot.lane).topic_number;
        let heads = self.names.heads(event.headers);
        let kind = match top::look(value, &self.names) {
            Value::Json { kind } => heads.kind.or(kind).unwrap_or_default(),
            Value::Other => {
                self.other[topic as usize] += 1;
                return;
            }
            Value::Nothing => return,
        };
        let Some(known) = self.profile(topic, kind) else {
            self.unkept += 1;
            return;
        };
        let known = &mut self.known[known];
        known.events += 1;
        let place = known.slot(spot.lane);
        known.lanes[place] += 1;
        let producer = known.producer(heads.producer);
        let before = known.tree.paths();
        let bytes = value.unwrap_or_default();
        let sight = Sight {
            spot,
            time: event.time(),
            key: event.key,
            event: known.events,
            slot: place,
            in_slot: known.lanes[place],
            producer,
            headers: event.headers,
            schema,
        };
        let mut climber = Climber {
            room: PATHS.min(before + (ALL_PATHS - self.paths)),
            unkept: &mut self.unkept,
            text: bytes,
            sight: &sight,
            tree: &mut known.tree,
            open: Vec::new(),
            next: None,
        };
        // It is JSON: the look said so.
        JsonText::walk(bytes, &mut climber);
        known.first_of_block(&sight);
        self.paths += known.tree.paths() - before;
    }

    fn profile(&mut self, topic: u32, kind: &[u8]) -> Option<usize> {
        let kind = kind.get(..NAME_BYTES).unwrap_or(kind);
        let of_topic = &mut self.by_topic[topic as usize];
        if let Some(&known) = of_topic.get(kind) {
            return Some(known);
        }
        if self.known.len() >= PROFILES {
            return None;
        }
        of_topic.insert(kind.into(), self.known.len());
        self.known.push(Known {
            topic,
            kind: kind.into(),
            ..Known::default()
        });
        Some(self.known.len() - 1)
    }

    pub fn report(&self) -> FieldsReport {
        report::build(self)
    }
}
