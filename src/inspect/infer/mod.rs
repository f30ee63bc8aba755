//! A JSON Schema for each topic and type of event, learnt from the events themselves. Bounded: at
//! most 1,024 types and 32,768 values of different places (about 300 bytes each) are told apart,
//! what comes beyond is allowed and not described.
//!
//! The rules are those of `GenSON` (<https://github.com/wolverdude/GenSON>): whatever was seen is valid,
//! what two schemas take their merger takes, and within that a schema is as strict as it can be.

mod formats;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Names;
use super::lanes::{Lanes, Spot};
use super::top::{self, Value as Look};
use crate::event::{Batch, Decoded, EventRef};
use crate::schema::Reader;
use crate::text::JsonText;
use shape::Shapes;
use walk::Walker;

/// Places of values of one type of event, and of all together.
const PLACES: usize = 4_096;
const ALL_PLACES: usize = 32_768;
/// Pairs of topic and type of event.
const TYPES: usize = 1_024;
/// Bytes of the name of a type.
const NAME_BYTES: usize = 256;

/// Topic and type; the type is empty where the events name none.
type Name = (Arc<str>, Box<str>);

#[derive(Debug, Default)]
struct Known {
    events: u64,
    shapes: Shapes,
}

/// One schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// Not yet safe to show.
    pub topic: Arc<str>,
    /// The type that the events name; not yet safe to show.
    pub kind: Option<Box<str>>,
    pub events: u64,
    /// JSON Schema 2020-12.
    pub schema: Value,
}

/// All schemas, by topic and type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InferReport {
    pub schemas: Vec<Inferred>,
    /// Values that are no JSON, and were not decoded to it.
    pub other: u64,
    /// Null values; they say nothing.
    pub nulls: u64,
    /// Events of types that there was no room for.
    pub unkept: u64,
    /// Values that are allowed and not described, for want of room.
    pub undescribed: u64,
}

/// The fold.
#[derive(Default)]
pub struct Infer {
    /// What makes JSON of values; without one they are taken as they are.
    reader: Option<Reader>,
    names: Names,
    lanes: Lanes,
    known: BTreeMap<Name, Known>,
    walker: Walker,
    places: usize,
    other: u64,
    nulls: u64,
    unkept: u64,
}

impl Infer {
    /// Learns from what the values decode to.
    pub fn decoded(reader: Reader) -> Self {
        Self {
            reader: Some(reader),
            ..Self::default()
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        let mut reader = self.reader.take();
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            // Dead letters are events of a topic of their own here: they have a schema too.
            if event.is_aborted() || !self.lanes.take(spot) {
                continue;
            }
            match &mut reader {
                None => self.value(&event, event.value),
                Some(reader) => match reader.see(&event).value.data {
                    Decoded::Json(json) => self.value(&event, Some(json.as_str().as_bytes())),
                    Decoded::Null => self.nulls += 1,
                    Decoded::Text(_) | Decoded::Binary(_) => self.other += 1,
                },
            }
        }
        self.reader = reader;
    }

    fn value(&mut self, event: &EventRef<'_>, value: Option<&[u8]>) {
        let member = match top::look(value, &self.names) {
            Look::Json { kind } => kind,
            Look::Other => {
                self.other += 1;
                return;
            }
            Look::Nothing => {
                self.nulls += 1;
                return;
            }
        };
        // As a source of schemas finds the type again: a name with escapes is none.
        let member = member.filter(|text| !text.contains(&b'\\'));
        let kind = self.names.heads(event.headers).kind.or(member);
        let kind = kind.and_then(|kind| str::from_utf8(kind).ok());
        let kind = kind.filter(|kind| kind.len() <= NAME_BYTES);
        let name = (Arc::clone(&event.stream.topic), kind.unwrap_or("").into());
        if self.known.len() >= TYPES && !self.known.contains_key(&name) {
            self.unkept += 1;
            return;
        }
        let known = self.known.entry(name).or_default();
        known.events += 1;
        let before = known.shapes.len();
        let room = PLACES.min(before + ALL_PLACES.saturating_sub(self.places));
        // It is JSON: the look said so.
        let mut laying = self
            .walker
            .lay(&mut known.shapes, value.unwrap_or_default(), room);
        JsonText::walk(value.unwrap_or_default(), &mut laying);
        self.places += known.shapes.len() - before;
    }

    /// Takes over what another fold has learnt.
    pub fn merge(&mut self, other: &Self) {
        for (name, theirs) in &other.known {
            if self.known.len() >= TYPES && !self.known.contains_key(name) {
                self.unkept += theirs.events;
                continue;
            }
            let known = self.known.entry(name.clone()).or_default();
            known.events += theirs.events;
            let before = known.shapes.len();
            let room = PLACES.min(before + ALL_PLACES.saturating_sub(self.places));
            known.shapes.merge(&theirs.shapes, room);
            self.places += known.shapes.len() - before;
        }
        self.other += other.other;
        self.nulls += other.nulls;
        self.unkept += other.unkept;
    }

    pub fn report(&self) -> InferReport {
        let schemas = self.known.iter().map(|((topic, kind), known)| Inferred {
            topic: Arc::clone(topic),
            kind: (!kind.is_empty()).then(|| kind.clone()),
            events: known.events,
            schema: schema::document(topic, kind, known),
        });
        InferReport {
            schemas: schemas.collect(),
            other: self.other,
            nulls: self.nulls,
            unkept: self.unkept,
            undescribed: self.known.values().map(|known| known.shapes.lost()).sum(),
        }
    }
}
