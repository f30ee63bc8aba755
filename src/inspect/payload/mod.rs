//! What is in the bytes of events: values that cannot be decoded while the others of their topic
//! can, text that takes over a terminal, and personal data. Values themselves are never kept.

mod control;
mod iban;
mod personal;
mod secrets;

use std::collections::BTreeMap;

use super::lanes::{Lanes, Spot};
use super::top::{self, Value};
use super::{At, Names};
use crate::event::{Batch, EventRef, Timestamp};
use crate::text::JsonText;
use personal::Hits;
pub use personal::Personal;

/// Events kept of each kind.
const KEPT: usize = 1_000;
/// Events kept of one topic whose values are no JSON, until it is known what the topic holds.
const ODD: usize = 100;
/// A topic is one of JSON when at least so many of its values were seen, and of a hundred so many
/// are JSON.
const LEAST: u64 = 8;
const SHARE: u64 = 90;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;

/// What was found in the bytes of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// No JSON in a topic of JSON: the reason.
    Undecodable(String),
    /// Control sequences or characters that turn the direction of text.
    Control(Place),
    /// So many of them, where, and the first with its parts masked; safe to show.
    Personal(Personal, u32, Place, String),
}

/// A part of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Key,
    Value,
    Header,
}

impl Place {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "the key",
            Self::Value => "the value",
            Self::Header => "a header",
        }
    }
}

impl Odd {
    /// Pieces of personal data.
    pub(super) fn personal(&self) -> u64 {
        match &self.what {
            Oddity::Personal(_, number, ..) => u64::from(*number),
            Oddity::Undecodable(_) | Oddity::Control(_) => 0,
        }
    }
}

/// One of them, with the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    pub what: Oddity,
    pub at: At,
    /// The front of the key.
    pub key: Option<Box<[u8]>>,
    pub time: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Kept {
    what: Oddity,
    spot: Spot,
    key: Option<Box<[u8]>>,
    time: Option<Timestamp>,
}

/// What the values of a topic are.
#[derive(Debug, Default)]
struct Topic {
    json: u64,
    other: u64,
    odd: Vec<Kept>,
}

impl Topic {
    const fn is_json(&self) -> bool {
        let all = self.json + self.other;
        all >= LEAST && self.json * 100 >= all * SHARE
    }
}

/// The fold.
#[derive(Debug, Default)]
pub struct Payloads {
    names: Names,
    lanes: Lanes,
    topics: BTreeMap<u32, Topic>,
    kept: Vec<Kept>,
    /// How many of `kept` are of which kind.
    personal: usize,
    controls: usize,
    /// Those that there was no room for.
    unkept: u64,
}

impl Payloads {
    pub fn batch(&mut self, batch: &Batch) {
        self.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if self.lanes.counts(spot, &event) {
                let value = top::look(event.value, &self.names);
                self.event(spot, &event, value);
            }
        }
    }

    /// A batch comes, whose events are fed one by one.
    pub(super) fn enter(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
    }

    /// Takes an event whose value was found to be this.
    pub(super) fn event(&mut self, spot: Spot, event: &EventRef<'_>, value: Value<'_>) {
        let topic = self.lanes.get(spot.lane).topic_number;
        let topic = self.topics.entry(topic).or_default();
        match value {
            Value::Json { .. } => topic.json += 1,
            Value::Other => {
                topic.other += 1;
                let why = || JsonText::parse(event.value?).err().map(|f| f.to_string());
                if topic.odd.len() >= ODD {
                    self.unkept += 1;
                } else if let Some(why) = why() {
                    topic.odd.push(kept(Oddity::Undecodable(why), spot, event));
                }
            }
            Value::Nothing => {}
        }
        let json = matches!(value, Value::Json { .. });
        if let Some(place) = control::find(event, json) {
            self.note(Oddity::Control(place), spot, event);
        }
        self.personal(Place::Value, event.value, spot, event);
        self.personal(Place::Key, event.key, spot, event);
        for (_, value) in event.headers {
            self.personal(Place::Header, value, spot, event);
        }
    }

    fn personal(&mut self, place: Place, bytes: Option<&[u8]>, spot: Spot, event: &EventRef<'_>) {
        let bytes = bytes.unwrap_or_default();
        for Hits {
            kind,
            number,
            first,
        } in personal::find(bytes)
        {
            if self.personal >= KEPT {
                self.unkept += 1;
                continue;
            }
            self.personal += 1;
            let masked = personal::masked(kind, bytes.get(first).unwrap_or_default());
            let what = Oddity::Personal(kind, number, place, masked);
            self.kept.push(kept(what, spot, event));
        }
    }

    /// Notes what is no personal data.
    fn note(&mut self, what: Oddity, spot: Spot, event: &EventRef<'_>) {
        if self.controls < KEPT {
            self.controls += 1;
            self.kept.push(kept(what, spot, event));
        } else {
            self.unkept += 1;
        }
    }

    /// What was found, by coordinate; and how much more there was no room for.
    pub fn report(&self) -> (Vec<Odd>, u64) {
        let topics = self.topics.values().filter(|topic| topic.is_json());
        let odd = topics.flat_map(|topic| &topic.odd).chain(&self.kept);
        let mut all: Vec<Odd> = odd
            .map(|kept| Odd {
                what: kept.what.clone(),
                at: self.lanes.at(kept.spot),
                key: kept.key.clone(),
                time: kept.time,
            })
            .collect();
        all.sort_by(|a, b| (a.at.rank(), &a.what).cmp(&(b.at.rank(), &b.what)));
        (all, self.unkept)
    }
}

fn kept(what: Oddity, spot: Spot, event: &EventRef<'_>) -> Kept {
    Kept {
        what,
        spot,
        key: event.key.map(|k| k.get(..KEY_BYTES).unwrap_or(k).into()),
        time: event.time(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::Made;

    fn found(made: &Made) -> Vec<String> {
        let mut payloads = Payloads::default();
        payloads.batch(&made.batch);
        payloads.batch(&made.batch);
        let (odd, unkept) = payloads.report();
        assert_eq!(unkept, 0);
        odd.iter()
            .map(|o| format!("{} {:?}", o.at, o.what))
            .collect()
    }

    #[test]
    fn text_is_undecodable_only_where_the_others_are_json() {
        let mut made = Made::new("t", 1);
        for offset in 0..20 {
            let value = if offset == 7 { "{\"a\":" } else { "{}" };
            made.event((0, offset, 0), "k", Some(value), &[]);
        }
        // A tombstone and an empty value are no broken JSON.
        made.event((0, 20, 0), "k", None, &[]);
        made.event((0, 21, 0), "k", Some(""), &[]);
        assert_eq!(
            found(&made),
            ["t/0@7 Undecodable(\"the text ends early at byte 5\")"]
        );
        let mut text = Made::new("t", 1);
        for offset in 0..20 {
            let value = if offset < 15 { "hello" } else { "{}" };
            text.event((0, offset, 0), "k", Some(value), &[]);
        }
        assert!(found(&text).is_empty());
    }

    #[test]
    fn kinds_of_oddities_do_not_take_each_others_room() {
        let mut made = Made::new("t", 1);
        for offset in 0..1_500 {
            made.event((0, offset, 0), "k", Some("\"ada@example.com\""), &[]);
        }
        made.event((0, 1_500, 0), "k", Some("\"a\\u001b[2J\""), &[]);
        let mut payloads = Payloads::default();
        payloads.batch(&made.batch);
        let (odd, unkept) = payloads.report();
        assert_eq!((odd.len(), unkept), (KEPT + 1, 500));
        assert_eq!(odd[KEPT].what, Oddity::Control(Place::Value));
    }
}
