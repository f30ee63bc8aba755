//! What is in the bytes of events: values that cannot be decoded while the others of their topic
//! can, text that takes over a terminal, and personal data. Values themselves are never kept.

mod control;
mod iban;
mod personal;
mod secrets;

use std::collections::BTreeMap;

use super::At;
use super::lanes::{Lanes, Spot};
use crate::event::{Batch, EventRef, Timestamp};
use crate::text::JsonText;
use personal::Hits;
pub use personal::{Personal, hide_personal};

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
    /// A value that is no JSON; tells how many there was no room for.
    fn odd(&mut self, spot: Spot, event: &EventRef<'_>) -> u64 {
        self.other += 1;
        if self.odd.len() >= ODD {
            return 1;
        }
        let fault = event.value.and_then(|value| JsonText::parse(value).err());
        if let Some(why) = fault {
            let what = Oddity::Undecodable(why.to_string());
            self.odd.push(kept(what, spot, event));
        }
        0
    }

    const fn is_json(&self) -> bool {
        let all = self.json + self.other;
        all >= LEAST && self.json * 100 >= all * SHARE
    }
}

/// The fold.
#[derive(Debug, Default)]
pub struct Payloads {
    lanes: Lanes,
    topics: BTreeMap<u32, Topic>,
    kept: Vec<Kept>,
    /// How many of `kept` are of which kind.
    personal: usize,
    controls: usize,
    /// Those that there was no room for.
    unkept: u64,
    totals: Totals,
}

/// How many there are, those that there was no room for too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Values that are no JSON in topics of JSON.
    pub undecodable: u64,
    /// Events with control sequences.
    pub controls: u64,
    /// Pieces of personal data.
    pub personal: u64,
}

impl Payloads {
    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if self.lanes.counts(spot, &event) {
                self.event(spot, &event);
            }
        }
    }

    fn event(&mut self, spot: Spot, event: &EventRef<'_>) {
        let topic = self.lanes.get(spot.lane).topic_number;
        let value = event.value.unwrap_or_default();
        let json = JsonText::may_be(value) && JsonText::parse(value).is_ok();
        // An empty value is nothing that could be broken.
        if !value.is_empty() {
            let topic = self.topics.entry(topic).or_default();
            if json {
                topic.json += 1;
            } else {
                self.unkept += topic.odd(spot, event);
            }
        }
        if let Some(place) = control::find(event, json) {
            self.note(Oddity::Control(place), spot, event);
        }
        self.personal(Place::Value, event.value, spot, event);
        self.personal(Place::Key, event.key, spot, event);
        for (_, value) in event.headers {
            self.personal(Place::Header, value, spot, event);
        }
    }

    /// Takes over what another one found in other events.
    pub(super) fn merge(&mut self, other: Self) {
        let lanes = self.lanes.adopt(&other.lanes);
        let here = |kept: Kept| Kept {
            spot: Spot {
                lane: lanes.get(kept.spot.lane as usize).copied().unwrap_or(0),
                ..kept.spot
            },
            ..kept
        };
        let mut topics = BTreeMap::new();
        for ((_, lane), number) in other.lanes.iter().zip(&lanes) {
            topics.insert(lane.topic_number, self.lanes.get(*number).topic_number);
        }
        for (number, topic) in other.topics {
            let Some(number) = topics.get(&number) else {
                continue;
            };
            let own = self.topics.entry(*number).or_default();
            own.json += topic.json;
            own.other += topic.other;
            own.odd.extend(topic.odd.into_iter().map(here));
            self.unkept += first(&mut own.odd, ODD, &self.lanes);
        }
        let (personal, mut controls): (Vec<Kept>, Vec<Kept>) = std::mem::take(&mut self.kept)
            .into_iter()
            .chain(other.kept.into_iter().map(here))
            .partition(|kept| matches!(kept.what, Oddity::Personal(..)));
        self.kept = personal;
        self.unkept += first(&mut self.kept, KEPT, &self.lanes);
        self.unkept += first(&mut controls, KEPT, &self.lanes);
        (self.personal, self.controls) = (self.kept.len(), controls.len());
        self.kept.append(&mut controls);
        self.unkept += other.unkept;
        self.totals.controls += other.totals.controls;
        self.totals.personal += other.totals.personal;
    }

    /// How many of each kind there are.
    pub fn totals(&self) -> Totals {
        let topics = self.topics.values().filter(|topic| topic.is_json());
        Totals {
            undecodable: topics.map(|topic| topic.other).sum(),
            ..self.totals
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
            self.totals.personal += u64::from(number);
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
        self.totals.controls += 1;
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

/// Keeps so many of them, the first ones by their coordinates; tells how many went.
fn first(all: &mut Vec<Kept>, most: usize, lanes: &Lanes) -> u64 {
    if all.len() <= most {
        return 0;
    }
    let rank = |kept: &Kept| {
        let lane = lanes.get(kept.spot.lane);
        (lane.topic.clone(), lane.partition, kept.spot.position)
    };
    all.sort_by_cached_key(rank);
    let more = all.len() - most;
    all.truncate(most);
    more as u64
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
