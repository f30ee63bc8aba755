//! Order, per partition and per key: event time that goes back, ids that come twice, offsets,
//! versions and sequence numbers that are left out. One pass, in bounded memory. It runs live:
//! two hash look-ups an event, nothing is allocated for an event that is in order.

mod counting;
mod offsets;
mod report;
mod sequence;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::lanes::{Lanes, Spot};
use super::window::{Keyed, Window};
use super::{Heads, Names};
use crate::event::{Batch, EventRef, Position, TimestampType, Visibility};
use counting::{Counting, Step};
use offsets::Account;
pub use offsets::{Gap, GapRun, Offsets};
pub use report::{Anomaly, Check, Coverage, Kind, LaneReport, OrderReport};
use sequence::Sequences;

/// How much is remembered, and what counts as late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// An event is late when it is this much older than the newest of its partition.
    pub late_ms: i64,
    /// Event ids remembered; about 70 bytes each.
    pub ids: usize,
    /// Keys remembered; about 100 bytes each.
    pub keys: usize,
    /// Anomalies kept with their coordinates; about 200 bytes each.
    pub anomalies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            late_ms: 10_000,
            ids: 500_000,
            keys: 250_000,
            anomalies: 10_000,
        }
    }
}

/// Bytes of a key that are kept with an anomaly.
const KEY_BYTES: usize = 256;
/// Version numbers left out that are remembered for each key.
const VERSION_HOLES: usize = 16;

/// What one partition did so far.
#[derive(Debug, Default)]
struct LaneState {
    account: Account,
    events: u64,
    first: Option<Position>,
    last: Option<Position>,
    /// The newest event.
    newest: Option<(i64, Position)>,
    first_time: Option<i64>,
    append_time: bool,
}

/// What one key of one partition did so far.
#[derive(Debug)]
struct KeyState {
    newest: i64,
    versions: Option<Box<Counting<Spot>>>,
}

/// What the versions of one topic did: where more come again than go on, they number no events
/// (the version of a program, of a schema), and accuse nobody.
#[derive(Debug, Clone, Copy, Default)]
struct Versioned {
    forward: u64,
    again: u64,
    disordered: u64,
}

impl Versioned {
    const fn counts_events(self) -> bool {
        self.again <= self.forward
    }
}

/// An anomaly as it is kept.
#[derive(Debug, Clone)]
struct Found {
    kind: Kind,
    spot: Spot,
    other: Option<Spot>,
    key: Option<Box<[u8]>>,
    time: Option<i64>,
}

/// The fold. Feed it batches, ask for a report at any time.
#[derive(Debug)]
pub struct Order {
    limits: Limits,
    names: Names,
    lanes: Lanes,
    states: Vec<LaneState>,
    hash: Keyed,
    ids: Window<Spot>,
    keys: Window<KeyState>,
    sequences: Sequences,
    /// By the number of the topic.
    versioned: Vec<Versioned>,
    found: Vec<Found>,
    counts: BTreeMap<Check, u64>,
    coverage: Coverage,
}

impl Default for Order {
    fn default() -> Self {
        Self::new(Limits::default(), Names::default())
    }
}

impl Order {
    pub fn new(limits: Limits, names: Names) -> Self {
        Self {
            limits,
            names,
            lanes: Lanes::default(),
            states: Vec::new(),
            hash: Keyed::default(),
            ids: Window::new(limits.ids),
            keys: Window::new(limits.keys),
            sequences: Sequences::default(),
            versioned: Vec::new(),
            found: Vec::new(),
            counts: BTreeMap::new(),
            coverage: Coverage::default(),
        }
    }

    /// The reader jumped ahead on purpose: what it left out is no gap, and no verdict is clean.
    pub fn skipped(&mut self) {
        self.coverage.skipped = true;
        for state in &mut self.states {
            state.account.jump();
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        self.states
            .resize_with(self.lanes.len(), LaneState::default);
        self.versioned
            .resize_with(self.lanes.topics(), Versioned::default);
        let kept = batch.len() as u64;
        self.coverage.filtered += batch.scanned.events.saturating_sub(kept);
        for meta in batch.metas() {
            let lane = self.lanes.lane(meta.stream);
            let Some(hole) = self.states[lane as usize].account.batch(meta) else {
                continue;
            };
            self.gap(lane, hole, None);
        }
        for event in batch.iter() {
            self.event(&event);
        }
    }

    fn gap(&mut self, lane: u32, hole: GapRun, event: Option<&EventRef<'_>>) {
        if self.lanes.get(lane).dead_letters {
            return;
        }
        let spot = Spot {
            lane,
            position: Position::offset(hole.to),
        };
        let kind = Kind::Gap {
            from: hole.from,
            to: hole.to,
            class: hole.class,
        };
        self.note(Check::Offsets, kind, spot, None, event);
    }

    fn event(&mut self, event: &EventRef<'_>) {
        let lane = self.lanes.lane(event.stream_index);
        let state = &mut self.states[lane as usize];
        if state.last.is_some_and(|last| event.position <= last) {
            self.coverage.again += 1;
            return;
        }
        state.last = Some(event.position);
        state.first.get_or_insert(event.position);
        let hole = match event.meta {
            Some(_) => None,
            None => state.account.event(event),
        };
        if event
            .meta
            .is_some_and(|m| m.visibility == Visibility::Aborted)
        {
            self.coverage.ghosts += 1;
            return;
        }
        state.events += 1;
        self.coverage.events += 1;
        if self.lanes.get(lane).dead_letters {
            self.coverage.dead_letters += 1;
            return;
        }
        if let Some(hole) = hole {
            self.gap(lane, hole, Some(event));
        }
        let spot = Spot {
            lane,
            position: event.position,
        };
        let heads = self.names.heads(event.headers);
        self.time_and_version(spot, event, &heads);
        if let Some(id) = heads.id {
            self.id(spot, id, event);
        }
        if let Some(number) = heads.sequence {
            let topic = self.lanes.get(lane).topic_number;
            self.sequences.event(topic, spot, number, &heads, event);
        }
    }

    /// Event time within the partition, and version numbers within the key.
    fn time_and_version(&mut self, spot: Spot, event: &EventRef<'_>, heads: &Heads<'_>) {
        // A tombstone has no payload whose time could be told.
        let time = event.time().filter(|_| event.value.is_some()).map(|t| t.0);
        let mut key_newest = None;
        let mut version = None;
        if let Some(key) = event.key {
            let hash = self.hash.hash(spot.lane, key);
            let (state, _) = self.keys.entry(hash, || KeyState {
                newest: i64::MIN,
                versions: None,
            });
            key_newest = Some(state.newest);
            state.newest = state.newest.max(time.unwrap_or(i64::MIN));
            if let Some(number) = heads.version {
                version = Some((number, version_step(state, number, spot)));
            }
        }
        if let Some(time) = time {
            self.time(spot, event, time, key_newest);
        }
        if let Some((number, step)) = version {
            self.version(spot, event, number, step);
        }
    }

    fn time(&mut self, spot: Spot, event: &EventRef<'_>, time: i64, key_newest: Option<i64>) {
        self.coverage.timed += 1;
        let state = &mut self.states[spot.lane as usize];
        state.append_time |= event.timestamp_type == TimestampType::Append;
        state.first_time.get_or_insert(time);
        let (newest, place) = *state.newest.get_or_insert((time, spot.position));
        if time >= newest {
            state.newest = Some((time, spot.position));
            return;
        }
        let behind_ms = newest.saturating_sub(time);
        let kind = Kind::Disorder {
            behind_ms,
            late: behind_ms > self.limits.late_ms,
            same_key: key_newest.is_some_and(|newest| time < newest),
        };
        let other = Spot {
            lane: spot.lane,
            position: place,
        };
        self.note(Check::Time, kind, spot, Some(other), Some(event));
    }

    fn version(&mut self, spot: Spot, event: &EventRef<'_>, version: u64, step: Step<Spot>) {
        self.coverage.versioned += 1;
        let topic = self.lanes.get(spot.lane).topic_number;
        let versioned = &mut self.versioned[topic as usize];
        let (kind, other) = match step {
            Step::First => {
                self.coverage.left_censored += u64::from(version > 1);
                return;
            }
            Step::Next | Step::Jumped => {
                versioned.forward += 1;
                return;
            }
            Step::Healed(after) | Step::Before(after) => {
                versioned.forward += 1;
                versioned.disordered += 1;
                (Kind::Version { version }, Some(after))
            }
            Step::Again => {
                versioned.again += 1;
                versioned.disordered += 1;
                (Kind::VersionAgain { version }, None)
            }
        };
        if versioned.counts_events() {
            self.note(Check::Versions, kind, spot, other, Some(event));
        }
    }

    fn id(&mut self, spot: Spot, id: &[u8], event: &EventRef<'_>) {
        self.coverage.ids += 1;
        // A copy in another topic is forwarded, not sent twice.
        let topic = self.lanes.get(spot.lane).topic_number;
        let hash = self.hash.hash(topic, id);
        let (first, there) = self.ids.entry(hash, || spot);
        if there && *first != spot {
            let first = *first;
            let kind = Kind::Duplicate { id: cut(id) };
            self.note(Check::Ids, kind, spot, Some(first), Some(event));
        }
    }

    fn note(
        &mut self,
        check: Check,
        kind: Kind,
        spot: Spot,
        other: Option<Spot>,
        event: Option<&EventRef<'_>>,
    ) {
        *self.counts.entry(check).or_default() += 1;
        if self.found.len() >= self.limits.anomalies {
            self.coverage.unkept += 1;
            return;
        }
        self.found.push(Found {
            kind,
            spot,
            other,
            key: event.and_then(|e| e.key).map(cut),
            time: event.and_then(|e| e.time().map(|t| t.0)),
        });
    }

    /// What was found so far. `ended`: every partition was read to its end, so that a number that
    /// is missing now is not under way.
    pub fn report(&self, ended: bool) -> OrderReport {
        report::build(self, ended)
    }
}

fn version_step(state: &mut KeyState, number: u64, spot: Spot) -> Step<Spot> {
    match &mut state.versions {
        Some(versions) => versions.step(number, spot, VERSION_HOLES),
        none => {
            *none = Some(Box::new(Counting::begin(number, spot)));
            Step::First
        }
    }
}

/// The front of a key or id that is kept.
fn cut(bytes: &[u8]) -> Box<[u8]> {
    bytes.get(..KEY_BYTES).unwrap_or(bytes).into()
}
