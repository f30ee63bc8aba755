//! Causes and effects, tied by ids: an effect that happened twice, and an effect that by its time
//! came before its cause. Both orders of arrival are expected: partitions have none between them.

use std::collections::BTreeMap;

use super::lanes::{Lanes, Spot};
use super::top::{self, Value};
use super::window::{Keyed, Window};
use super::{At, Heads, Names};
use crate::event::{Batch, EventRef, Timestamp, Visibility};

/// How much is remembered, and which skew is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Ids, and effects, remembered; about 100 bytes each.
    pub ids: usize,
    /// Clocks that differ less are as good as clocks get.
    pub skew_ms: i64,
    /// Findings kept of each kind.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ids: 250_000,
            skew_ms: 100,
            kept: 1_000,
        }
    }
}

/// Effects that wait for one cause.
const WAITING: usize = 4;
/// Types of events that are told apart.
const KINDS: usize = 1_024;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;
/// The scope of ids in the hash, beside those of the types of effects.
const IDS: u32 = u32::MAX;

/// What is known of an id.
#[derive(Debug)]
struct Known {
    /// The event that carries it: where and when.
    event: Option<(Spot, i64)>,
    /// Effects that came before it.
    waiting: Vec<Effect>,
}

#[derive(Debug, Clone)]
struct Effect {
    spot: Spot,
    time: i64,
    key: Option<Box<[u8]>>,
}

/// The first effect of one type that a cause had on one key.
#[derive(Debug, Clone, Copy)]
struct First {
    spot: Spot,
    id: u64,
}

/// How often the causes of one type of effect have one of it, and more than one.
#[derive(Debug, Clone, Copy, Default)]
struct Often {
    once: u64,
    again: u64,
}

/// An effect and what it is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// The effect: the second of two, or the one that is too early.
    pub at: At,
    /// The first effect, or the cause.
    pub other: At,
    /// The front of its key.
    pub key: Option<Box<[u8]>>,
    pub time: Option<Timestamp>,
    /// How much too early it is; 0 for a duplicate effect.
    pub early_ms: i64,
}

#[derive(Debug, Clone)]
struct Found {
    spot: Spot,
    other: Spot,
    key: Option<Box<[u8]>>,
    time: Option<i64>,
    early_ms: i64,
    /// The type of the effect.
    kind: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CausesReport {
    pub duplicates: Vec<Tie>,
    pub skews: Vec<Tie>,
    /// Events that name a cause.
    pub effects: u64,
    /// Ids and effects that were forgotten.
    pub forgotten: u64,
    /// Findings that there was no room for.
    pub unkept: u64,
}

/// The fold.
#[derive(Debug)]
pub struct Causes {
    limits: Limits,
    names: Names,
    lanes: Lanes,
    hash: Keyed,
    ids: Window<Known>,
    firsts: Window<First>,
    kinds: BTreeMap<Box<[u8]>, usize>,
    often: Vec<Often>,
    duplicates: Vec<Found>,
    skews: Vec<Found>,
    effects: u64,
    unkept: u64,
}

impl Default for Causes {
    fn default() -> Self {
        Self::new(Limits::default(), Names::default())
    }
}

impl Causes {
    pub fn new(limits: Limits, names: Names) -> Self {
        Self {
            limits,
            names,
            lanes: Lanes::default(),
            hash: Keyed::default(),
            ids: Window::new(limits.ids),
            firsts: Window::new(limits.ids),
            kinds: BTreeMap::new(),
            often: Vec::new(),
            duplicates: Vec::new(),
            skews: Vec::new(),
            effects: 0,
            unkept: 0,
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            let ghost = event
                .meta
                .is_some_and(|m| m.visibility == Visibility::Aborted);
            if ghost || self.lanes.get(spot.lane).dead_letters || !self.lanes.take(spot) {
                continue;
            }
            let heads = self.names.heads(event.headers);
            let time = event.time().map(|t| t.0);
            if let (Some(id), Some(time)) = (heads.id, time) {
                self.cause(spot, id, time);
            }
            if let Some(cause) = heads.causation {
                self.effect(spot, &event, &heads, cause, time);
            }
        }
    }

    /// An event with an id: its effects may be there already.
    fn cause(&mut self, spot: Spot, id: &[u8], time: i64) {
        let hash = self.hash.hash(IDS, id);
        let (known, _) = self.ids.entry(hash, || Known {
            event: None,
            waiting: Vec::new(),
        });
        if known.event.is_some() {
            // Sent twice: the first is what had effects.
            return;
        }
        known.event = Some((spot, time));
        for effect in std::mem::take(&mut known.waiting) {
            self.compare((spot, time), effect);
        }
    }

    fn effect(
        &mut self,
        spot: Spot,
        event: &EventRef<'_>,
        heads: &Heads<'_>,
        cause: &[u8],
        time: Option<i64>,
    ) {
        self.effects += 1;
        let key = || event.key.map(|k| k.get(..KEY_BYTES).unwrap_or(k).into());
        if let Some(time) = time {
            let hash = self.hash.hash(IDS, cause);
            let (known, _) = self.ids.entry(hash, || Known {
                event: None,
                waiting: Vec::new(),
            });
            let effect = Effect {
                spot,
                time,
                key: key(),
            };
            match known.event {
                Some(cause) => self.compare(cause, effect),
                None if known.waiting.len() < WAITING => known.waiting.push(effect),
                None => {}
            }
        }
        let Some(id) = heads.id else {
            return;
        };
        let Some(kind) = self.kind(spot, event, heads) else {
            return;
        };
        let id = self.hash.hash(IDS, id);
        // The same type of effect on another key is meant: one order, many items.
        let on = self.hash.hash(kind as u32, event.key.unwrap_or_default());
        let hash = on ^ self.hash.hash(kind as u32, cause).rotate_left(1);
        let (first, there) = self.firsts.entry(hash, || First { spot, id });
        let first = *first;
        self.often[kind].once += u64::from(!there);
        if there && first.id != id {
            self.often[kind].again += 1;
            let found = Found {
                spot,
                other: first.spot,
                key: key(),
                time,
                early_ms: 0,
                kind,
            };
            keep(&mut self.duplicates, found, self.limits, &mut self.unkept);
        }
    }

    /// The number of the event's type; the topic stands for it where there is none.
    fn kind(&mut self, spot: Spot, event: &EventRef<'_>, heads: &Heads<'_>) -> Option<usize> {
        let lane = self.lanes.get(spot.lane);
        let name = heads
            .kind
            .or_else(|| match top::look(event.value, &self.names) {
                Value::Json { kind } => kind,
                Value::Nothing | Value::Other => None,
            });
        let name = name.unwrap_or(lane.topic.as_bytes());
        if let Some(&kind) = self.kinds.get(name) {
            return Some(kind);
        }
        if self.kinds.len() >= KINDS || name.len() > KEY_BYTES {
            return None;
        }
        self.kinds.insert(name.into(), self.often.len());
        self.often.push(Often::default());
        Some(self.often.len() - 1)
    }

    fn compare(&mut self, (cause, before): (Spot, i64), effect: Effect) {
        let early_ms = before.saturating_sub(effect.time);
        if early_ms <= self.limits.skew_ms {
            return;
        }
        let found = Found {
            spot: effect.spot,
            other: cause,
            key: effect.key,
            time: Some(effect.time),
            early_ms,
            kind: 0,
        };
        keep(&mut self.skews, found, self.limits, &mut self.unkept);
    }

    pub fn report(&self) -> CausesReport {
        // Where a fifth of the causes have several effects of a type, it is how the type is used.
        let rare = |found: &&Found| {
            let often = self.often[found.kind];
            often.again * 5 <= often.once
        };
        let told = |found: &Found| Tie {
            at: self.lanes.at(found.spot),
            other: self.lanes.at(found.other),
            key: found.key.clone(),
            time: found.time.map(Timestamp),
            early_ms: found.early_ms,
        };
        let sorted = |mut ties: Vec<Tie>| {
            ties.sort_by(|a, b| a.at.rank().cmp(&b.at.rank()));
            ties
        };
        CausesReport {
            duplicates: sorted(self.duplicates.iter().filter(rare).map(told).collect()),
            skews: sorted(self.skews.iter().map(told).collect()),
            effects: self.effects,
            forgotten: self.ids.forgotten() + self.firsts.forgotten(),
            unkept: self.unkept,
        }
    }
}

fn keep(all: &mut Vec<Found>, found: Found, limits: Limits, unkept: &mut u64) {
    if all.len() < limits.kept {
        all.push(found);
    } else {
        *unkept += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::Made;

    fn effect(made: &mut Made, offset: u64, key: &str, id: &str, cause: &str) {
        made.event(
            (0, offset, 10_000),
            key,
            Some("{\"type\":\"Shipped\"}"),
            &[("ce_id", id), ("causation-id", cause)],
        );
    }

    fn report(made: &Made) -> CausesReport {
        let mut causes = Causes::default();
        causes.batch(&made.batch);
        causes.batch(&made.batch);
        causes.report()
    }

    #[test]
    fn an_effect_that_happened_twice_is_told_unless_it_is_meant() {
        let mut made = Made::new("t", 1);
        for n in 0..10u64 {
            effect(&mut made, n, "k", &format!("s{n}"), &format!("p{n}"));
        }
        effect(&mut made, 10, "k", "s3-b", "p3");
        // The same event once more is a duplicate id, not a second effect.
        effect(&mut made, 11, "k", "s4", "p4");
        // Another key: one cause, many things.
        effect(&mut made, 12, "other", "s5-b", "p5");
        let found = report(&made);
        let places: Vec<String> = found.duplicates.iter().map(|t| t.at.to_string()).collect();
        assert_eq!(places, ["t/0@10"]);
        assert_eq!(found.duplicates[0].other.to_string(), "t/0@3");

        let mut meant = Made::new("t", 1);
        for n in 0..20u64 {
            effect(&mut meant, n, "k", &format!("s{n}"), &format!("p{}", n / 2));
        }
        assert!(report(&meant).duplicates.is_empty());
    }

    #[test]
    fn an_effect_before_its_cause_is_told_in_either_order_of_arrival() {
        for order in [[0, 1], [1, 0]] {
            let mut made = Made::new("t", 2);
            for which in order {
                match which {
                    0 => made.event((0, 0, 5_000), "k", None, &[("ce_id", "a")]),
                    _ => made.event(
                        (1, 0, 3_500),
                        "k",
                        None,
                        &[("ce_id", "b"), ("causation-id", "a")],
                    ),
                }
            }
            let skews = report(&made).skews;
            assert_eq!(skews.len(), 1);
            let skew = &skews[0];
            assert_eq!((skew.at.partition, skew.early_ms), (1, 1_500));
            assert_eq!(skew.other.to_string(), "t/0@0");
        }
    }
}
