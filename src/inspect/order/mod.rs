//! Order, per partition and per key: event time that goes back, ids that come twice, offsets,
//! versions and sequence numbers that are left out. One pass, in bounded memory. It runs live:
//! two hash look-ups an event, nothing is allocated for an event that is in order.

mod asked;
mod counting;
mod ids;
mod limits;
mod offsets;
mod producers;
mod recent;
mod report;
mod sequence;
#[cfg(test)]
mod tests;
mod verdicts;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lanes::{Lanes, Spot};
use super::window::{Hashes, Window, scoped};
use super::{Heads, Names};
use crate::event::{Batch, BatchMeta, EventRef, Position, TimestampType};
use counting::{Counting, Step};
use ids::{Ids, Proven};
pub use ids::{Proof, Suspicion};
pub use limits::Limits;
use offsets::{Account, Taken};
pub use offsets::{Gap, GapRun, Log, Offsets};
pub use producers::Sent;
use producers::{Odd, Producers};
use recent::Recent;
pub use report::{Anomaly, Check, Coverage, Kind, LaneReport, OrderReport};
use sequence::Sequences;

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
    /// What is known of the logs beside their batches.
    logs: BTreeMap<(u16, Arc<str>, u32), Log>,
    /// Whether topics are cleaned by key, where no more was told of their logs.
    cleaned: BTreeMap<(u16, Arc<str>), bool>,
    ids: Ids,
    proven: Option<Proven>,
    keys: Recent,
    /// By the key of a partition.
    versions: Window<Counting<Spot>>,
    sequences: Sequences,
    producers: Producers,
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
            logs: BTreeMap::new(),
            cleaned: BTreeMap::new(),
            ids: Ids::new(limits),
            proven: None,
            keys: Recent::new(limits.keys),
            versions: Window::new(limits.versions),
            sequences: Sequences::default(),
            producers: Producers::default(),
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
        self.enter(batch);
        for event in batch.iter() {
            let lane = self.lanes.lane(event.stream_index);
            if let Some(spot) = self.admit(lane, &event) {
                let heads = self.names.heads(event.headers);
                let hashes = Hashes::of(&event, &heads, self.lanes.hash());
                self.event(spot, &event, &heads, hashes);
            }
        }
    }

    /// A batch comes, whose events are fed one by one.
    pub(super) fn enter(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        for number in self.states.len()..self.lanes.len() {
            let account = self.opened(number as u32);
            self.states.push(LaneState {
                account,
                ..LaneState::default()
            });
        }
        self.versioned
            .resize_with(self.lanes.topics(), Versioned::default);
        let kept = batch.len() as u64;
        self.coverage.filtered += batch.scanned.events.saturating_sub(kept);
        for meta in batch.metas() {
            self.record_batch(meta);
        }
    }

    fn record_batch(&mut self, meta: &BatchMeta) {
        let lane = self.lanes.lane(meta.stream);
        let state = &mut self.states[lane as usize];
        let taken = state.account.batch(meta);
        if taken == Taken::Again {
            return;
        }
        let odd = self.producers.batch(lane, meta);
        let dead_letters = self.lanes.get(lane).dead_letters;
        // The cleaner takes whole batches, and what a filter left out was numbered all the same.
        if let Some((sent, odd)) = odd.filter(|_| !state.account.is_cleaned() && !dead_letters) {
            let kind = match odd {
                Odd::Hole { from, to } => Kind::ProducerHole { sent, from, to },
                Odd::Again { .. } => Kind::ProducerAgain { sent },
            };
            let spot = producers::spot(lane, meta);
            self.note(Check::Producers, kind, spot, None, None);
        }
        if let Taken::After(hole) = taken {
            self.gap(lane, hole, None);
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

    /// Takes note that an event came; gives its place when it is one to look at: it was not taken
    /// before, is no dead letter, and its transaction was not aborted.
    pub(super) fn admit(&mut self, lane: u32, event: &EventRef<'_>) -> Option<Spot> {
        let state = &mut self.states[lane as usize];
        if state.last.is_some_and(|last| event.position <= last) {
            self.coverage.again += 1;
            return None;
        }
        state.last = Some(event.position);
        state.first.get_or_insert(event.position);
        let hole = match event.meta {
            Some(_) => None,
            None => state.account.event(event),
        };
        if event.is_aborted() {
            self.coverage.ghosts += 1;
            return None;
        }
        state.events += 1;
        self.coverage.events += 1;
        if self.lanes.get(lane).dead_letters {
            self.coverage.dead_letters += 1;
            return None;
        }
        if let Some(hole) = hole {
            self.gap(lane, hole, Some(event));
        }
        Some(Spot {
            lane,
            position: event.position,
        })
    }

    /// Looks where an event that comes soon will be looked up; what it gives means nothing.
    #[inline]
    pub(super) fn look_ahead(&self, lane: u32, hashes: Hashes) -> u64 {
        let key = hashes.key.map(|key| scoped(key, lane));
        let key = key.map_or(0, |key| self.keys.look_ahead(key));
        let lane = self.lanes.get(lane);
        let id = hashes.id.map_or(0, |id| self.ids.look_ahead(lane, id));
        key ^ id
    }

    /// True when the id of each event is asked for; else its hash will do.
    pub(super) const fn reads_heads(&self) -> bool {
        self.ids.reads_ids()
    }

    /// Takes an event that was admitted. `heads` may lack the id where it has a hash, unless
    /// [`Order::reads_heads`].
    pub(super) fn event(
        &mut self,
        spot: Spot,
        event: &EventRef<'_>,
        heads: &Heads<'_>,
        hashes: Hashes,
    ) {
        self.time_and_version(spot, event, heads, hashes.key);
        if let Some(hash) = hashes.id {
            self.id(spot, heads.id.unwrap_or_default(), hash, event);
        }
        if let Some(number) = heads.sequence {
            let topic = self.lanes.get(spot.lane).topic_number;
            self.sequences.event(topic, spot, number, heads, event);
        }
    }

    pub(super) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Event time within the partition, and version numbers within the key.
    fn time_and_version(
        &mut self,
        spot: Spot,
        event: &EventRef<'_>,
        heads: &Heads<'_>,
        key: Option<u64>,
    ) {
        // A tombstone has no payload whose time could be told.
        let time = event.time().filter(|_| event.value.is_some()).map(|t| t.0);
        let mut key_newest = None;
        let mut version = None;
        if let Some(key) = key {
            let key = scoped(key, spot.lane);
            key_newest = self.keys.meet(key, time.unwrap_or(i64::MIN));
            if let Some(number) = heads.version {
                version = Some((number, self.version_step(key, number, spot)));
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

    fn version_step(&mut self, key: u64, number: u64, spot: Spot) -> Step<Spot> {
        let begin = || Counting::begin(number, spot);
        let (versions, known) = self.versions.entry(key, begin);
        if known {
            versions.step(number, || spot, VERSION_HOLES)
        } else {
            Step::First
        }
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

    fn id(&mut self, spot: Spot, id: &[u8], hash: u64, event: &EventRef<'_>) {
        self.coverage.ids += 1;
        let first = self.ids.meet(&self.lanes, spot, (id, hash), event);
        if let Some(first) = first {
            self.coverage.duplicates += 1;
            let kind = Kind::Duplicate {
                id: cut(id),
                sent: [first.sent, Sent::of(event)],
            };
            self.note(Check::Ids, kind, spot, Some(first.spot), Some(event));
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

/// The front of a key or id that is kept.
fn cut(bytes: &[u8]) -> Box<[u8]> {
    bytes.get(..KEY_BYTES).unwrap_or(bytes).into()
}
