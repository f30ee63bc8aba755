//! Causes and effects, tied by ids: an effect that happened twice, and an effect that by its time
//! came before its cause. Both orders of arrival are expected: partitions have none between them.

use std::collections::BTreeMap;

use super::lanes::{Lanes, Spot};
use super::top::{self, Value};
use super::window::{Hashes, Keyed, Window};
use super::{At, Heads, Names};
use crate::event::{Batch, EventRef, Timestamp};

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

impl Limits {
    /// As much as so many bytes hold.
    pub(super) fn of(bytes: usize) -> Self {
        Self {
            ids: bytes / 2 / 120,
            ..Self::default()
        }
    }
}

/// Types of events that are told apart.
const KINDS: usize = 1_024;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;

/// An event that carries an id: where and when.
type Known = (Spot, i64);

/// The earliest of the effects that came before their cause, with the hash of its key.
type Waiting = (Spot, i64, u64);

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
    ids: Window<Known>,
    /// By the id of the cause.
    waiting: Window<Waiting>,
    firsts: Window<First>,
    kinds: BTreeMap<Box<[u8]>, usize>,
    often: Vec<Often>,
    duplicates: Vec<Found>,
    skews: Vec<Found>,
    effects: u64,
    /// Ids that were not taken in.
    passed_over: u64,
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
            ids: Window::new(limits.ids),
            waiting: Window::new(limits.ids / 2),
            firsts: Window::new(limits.ids),
            kinds: BTreeMap::new(),
            often: Vec::new(),
            duplicates: Vec::new(),
            skews: Vec::new(),
            effects: 0,
            passed_over: 0,
            unkept: 0,
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if self.lanes.counts(spot, &event) {
                let heads = self.names.heads(event.headers);
                let hash = self.lanes.hash().clone();
                let id = heads.id.map(|id| hash.of(id));
                self.event(spot, &event, &heads, id, &hash);
            }
        }
    }

    /// A batch comes, whose events are fed one by one.
    pub(super) fn enter(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
    }

    /// Looks where an event that comes soon will be looked up; what it gives means nothing.
    #[inline]
    pub(super) fn look_ahead(&self, hashes: Hashes) -> u64 {
        let id = hashes.id.filter(|_| self.remembers());
        u64::from(id.and_then(|id| self.ids.get(id)).is_some())
    }

    /// Until an event names a cause, ids are taken in while there is room, and none is forgotten
    /// for another: perhaps nobody asks for any.
    fn remembers(&self) -> bool {
        self.effects > 0 || !self.ids.turns()
    }

    /// Takes an event. `id` is the hash of its id, `hash` what all are hashed by.
    pub(super) fn event(
        &mut self,
        spot: Spot,
        event: &EventRef<'_>,
        heads: &Heads<'_>,
        id: Option<u64>,
        hash: &Keyed,
    ) {
        let time = event.time().map(|t| t.0);
        if let (Some(id), Some(time)) = (id, time) {
            self.cause(spot, event, id, time, hash);
        }
        if let Some(cause) = heads.causation {
            self.effects += 1;
            let cause = hash.of(cause);
            if let Some(time) = time {
                self.clock(spot, event, cause, time, hash);
            }
            if let Some(id) = id {
                self.effect(spot, event, heads, (id, cause), hash);
            }
        }
    }

    /// An event with an id: an effect of it may be there already.
    fn cause(&mut self, spot: Spot, event: &EventRef<'_>, id: u64, time: i64, hash: &Keyed) {
        if !self.remembers() {
            self.passed_over += 1;
            return;
        }
        let (_, known) = self.ids.entry(id, || (spot, time));
        if known {
            // Sent twice: the first is what had effects.
            return;
        }
        if let Some((effect, then, key)) = self.waiting.take(id)
            && self.is_early(time, then)
        {
            // Cause and effect mostly have one key; another one was not kept.
            let own = event.key.filter(|own| hash.of(own) == key);
            self.early(effect, spot, own, then, time);
        }
    }

    /// An event that names its cause: which of them was first?
    fn clock(&mut self, spot: Spot, event: &EventRef<'_>, cause: u64, time: i64, hash: &Keyed) {
        if let Some(&(at, before)) = self.ids.get(cause) {
            if self.is_early(before, time) {
                self.early(spot, at, event.key, time, before);
            }
            return;
        }
        let key = || hash.of(event.key.unwrap_or_default());
        let (waiting, known) = self.waiting.entry(cause, || (spot, time, key()));
        if known && time < waiting.1 {
            *waiting = (spot, time, key());
        }
    }

    const fn is_early(&self, cause: i64, effect: i64) -> bool {
        cause.saturating_sub(effect) > self.limits.skew_ms
    }

    fn early(&mut self, effect: Spot, cause: Spot, key: Option<&[u8]>, time: i64, before: i64) {
        let found = Found {
            spot: effect,
            other: cause,
            key: key.map(cut),
            time: Some(time),
            early_ms: before.saturating_sub(time),
            kind: 0,
        };
        keep(&mut self.skews, found, self.limits, &mut self.unkept);
    }

    /// An event that names its cause: is it the second one of its type?
    fn effect(
        &mut self,
        spot: Spot,
        event: &EventRef<'_>,
        heads: &Heads<'_>,
        (id, cause): (u64, u64),
        hash: &Keyed,
    ) {
        let Some(kind) = self.kind(spot, event, heads) else {
            return;
        };
        // The same type of effect on another key is meant: one order, many items.
        let on = hash.hash(kind as u32, event.key.unwrap_or_default());
        let both = on ^ cause.rotate_left(1);
        let (first, there) = self.firsts.entry(both, || First { spot, id });
        let first = *first;
        self.often[kind].once += u64::from(!there);
        if there && first.id != id {
            self.often[kind].again += 1;
            let found = Found {
                spot,
                other: first.spot,
                key: event.key.map(cut),
                time: event.time().map(|t| t.0),
                early_ms: 0,
                kind,
            };
            keep(&mut self.duplicates, found, self.limits, &mut self.unkept);
        }
    }

    /// The number of the event's type; the topic stands for it where there is none.
    fn kind(&mut self, spot: Spot, event: &EventRef<'_>, heads: &Heads<'_>) -> Option<usize> {
        let lane = self.lanes.get(spot.lane);
        let look = || match top::look(event.value, &self.names) {
            Value::Json { kind } => kind,
            Value::Nothing | Value::Other => None,
        };
        let name = heads.kind.or_else(look);
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
            forgotten: self.passed_over
                + self.ids.forgotten()
                + self.waiting.forgotten()
                + self.firsts.forgotten(),
            unkept: self.unkept,
        }
    }
}

/// The front of a key that is kept.
fn cut(key: &[u8]) -> Box<[u8]> {
    key.get(..KEY_BYTES).unwrap_or(key).into()
}

fn keep(all: &mut Vec<Found>, found: Found, limits: Limits, unkept: &mut u64) {
    if all.len() < limits.kept {
        all.push(found);
    } else {
        *unkept += 1;
    }
}

#[cfg(test)]
mod tests;
