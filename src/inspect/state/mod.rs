//! The state of one key, folded from its events: what it was after each of them, which event set
//! which part of it, and what changed between two. Honest about what was not seen of its past.

mod blame;
mod diff;
mod fold;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::lanes::{Lanes, Spot};
use super::{At, Names};
use crate::event::{Batch, BatchMeta, EventRef, Position, PositionStyle, Timestamp, Visibility};
pub use blame::Blame;
pub use diff::{Change, ChangeKind, diff};
pub use fold::Fold;
use fold::Running;

/// How much of a key's past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events that can be gone back to; older ones are folded into what they left.
    pub steps: usize,
    /// Bytes of them, and of the states that are kept to go back faster.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 10_000,
            bytes: 32 << 20,
        }
    }
}

/// A state in full is kept after each so many steps, so that going back costs no more.
const STRIDE: usize = 64;

/// What one event does to the state.
#[derive(Debug, Clone, PartialEq)]
enum Patch {
    /// A null value: the key is deleted.
    Delete,
    Json(Value),
    /// Text or bytes that are no JSON, with the reason.
    Other {
        text: String,
        why: String,
    },
}

/// One event of the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub at: At,
    pub time: Option<Timestamp>,
    /// The version that the event names.
    pub version: Option<u64>,
    pub producer: Option<Box<[u8]>>,
    /// Why its value did nothing to the state.
    pub fault: Option<String>,
    pub deletes: bool,
    bytes: usize,
    patch: Patch,
}

/// What came before the first event of the key that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// No event of the key was seen.
    Nothing,
    /// Nothing says that anything is missing, and the partition was seen from offset 0 on.
    Whole,
    /// The first event that was seen has this version.
    Version(u64),
    /// The cleaner took events out before the first one.
    Compacted,
    /// The partition was seen from this place on.
    From(At),
}

impl Start {
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// The state after an event.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// `None` is deleted, or never written.
    pub value: Option<Value>,
    /// Which event set which path.
    pub blame: Blame,
}

/// The fold of one key of one topic.
#[derive(Debug)]
pub struct History {
    topic: String,
    key: Vec<u8>,
    fold: Fold,
    limits: Limits,
    names: Names,
    lanes: Lanes,
    /// For each partition, where it was first seen, and whether the cleaner took anything out.
    seen: BTreeMap<u32, Lane>,
    steps: Vec<Step>,
    bytes: usize,
    /// What the steps that are not kept any more left behind.
    base: Running,
    folded: u64,
    start: Start,
    /// The state before each step whose number is a multiple of [`STRIDE`], the first left out.
    frames: Vec<Frame>,
    now: Running,
}

/// The state before a step.
#[derive(Debug)]
struct Frame {
    running: Running,
    bytes: usize,
}

/// What is known of a partition.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    first: Option<Position>,
    /// The first record batch that the cleaner took something out of.
    compacted: Option<u64>,
}

impl Lane {
    fn meta(&mut self, meta: &BatchMeta) {
        self.first.get_or_insert(Position::offset(meta.base_offset));
        let cleaned = u64::from(meta.records) <= u64::from(meta.last_offset_delta);
        if cleaned && meta.visibility == Visibility::Visible {
            self.compacted.get_or_insert(meta.base_offset);
        }
    }
}

impl History {
    pub fn new(topic: &str, key: &[u8], fold: Fold, limits: Limits, names: Names) -> Self {
        Self {
            topic: topic.to_owned(),
            key: key.to_vec(),
            fold,
            limits,
            names,
            lanes: Lanes::default(),
            seen: BTreeMap::new(),
            steps: Vec::new(),
            bytes: 0,
            base: Running::default(),
            folded: 0,
            start: Start::Nothing,
            frames: Vec::new(),
            now: Running::default(),
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        let own = |stream: u32| *batch.streams()[stream as usize].topic == *self.topic;
        for meta in batch.metas().iter().filter(|m| own(m.stream)) {
            let lane = self.lanes.lane(meta.stream);
            self.seen.entry(lane).or_default().meta(meta);
        }
        let mut lane_before = None;
        for event in batch.iter() {
            if *event.stream.topic != *self.topic {
                continue;
            }
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            let ghost = |m: &BatchMeta| m.visibility == Visibility::Aborted;
            if !self.lanes.take(spot) || event.meta.is_some_and(ghost) {
                continue;
            }
            if lane_before != Some(spot.lane) {
                let seen = self.seen.entry(spot.lane).or_default();
                seen.first.get_or_insert(spot.position);
                lane_before = Some(spot.lane);
            }
            if event.key == Some(&self.key) {
                self.event(spot, &event);
            }
        }
    }

    fn event(&mut self, spot: Spot, event: &EventRef<'_>) {
        let heads = self.names.heads(event.headers);
        if self.start == Start::Nothing {
            self.start = self.starts(spot, heads.version);
        }
        let patch = patch(event.value);
        let fault = match (&patch, self.fold) {
            (Patch::Other { why, .. }, Fold::Merge) => Some(why.clone()),
            _ => None,
        };
        let step = Step {
            at: self.lanes.at(spot),
            time: event.time(),
            version: heads.version,
            producer: heads.producer.map(Into::into),
            fault,
            deletes: patch == Patch::Delete,
            bytes: event.size(),
            patch,
        };
        self.push(step);
    }

    fn starts(&self, spot: Spot, version: Option<u64>) -> Start {
        let seen = self.seen.get(&spot.lane).copied().unwrap_or_default();
        let lane = self.lanes.get(spot.lane);
        match version {
            Some(version) if version > 1 => return Start::Version(version),
            // It counts its own events from one: nothing came before.
            Some(1) => return Start::Whole,
            _ => {}
        }
        if seen
            .compacted
            .is_some_and(|from| from <= spot.position.major)
        {
            return Start::Compacted;
        }
        match seen.first {
            Some(first) if lane.style == PositionStyle::Offset && first.major == 0 => Start::Whole,
            Some(first) => Start::From(lane.at(first)),
            None => Start::From(self.lanes.at(spot)),
        }
    }

    fn push(&mut self, step: Step) {
        if !self.steps.is_empty() && self.steps.len().is_multiple_of(STRIDE) {
            let frame = Frame {
                bytes: self.now.size(),
                running: self.now.clone(),
            };
            self.bytes += frame.bytes;
            self.frames.push(frame);
        }
        self.now.apply(&step, self.fold);
        self.bytes += step.bytes;
        self.steps.push(step);
        let full = |h: &Self| h.steps.len() > h.limits.steps || h.bytes > h.limits.bytes;
        while self.steps.len() > 1 && full(self) {
            self.forget();
        }
    }

    /// Folds the older half into what it left, so that it costs little each time.
    fn forget(&mut self) {
        let half = self.steps.len() / 2;
        // The frames that stay must stand before the same steps as before.
        let half = match self.frames.len() {
            0 => half,
            _ => (half / STRIDE * STRIDE).max(STRIDE),
        };
        for step in self.steps.drain(..half) {
            self.base.apply(&step, self.fold);
            self.bytes -= step.bytes;
            self.folded += 1;
        }
        let gone = (half / STRIDE).min(self.frames.len());
        for frame in self.frames.drain(..gone) {
            self.bytes -= frame.bytes;
        }
    }

    /// The events of the key that can be gone back to, in the order in which they came.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Events that were folded into the state before the first step.
    pub const fn folded(&self) -> u64 {
        self.folded
    }

    /// What is known of the time before the first event.
    pub const fn start(&self) -> &Start {
        &self.start
    }

    /// The state after everything.
    pub fn now(&self) -> State {
        self.now.state()
    }

    /// The state after the step of this number.
    pub fn at(&self, step: usize) -> Option<State> {
        self.running(step).map(|running| running.state())
    }

    fn running(&self, step: usize) -> Option<Running> {
        let steps = self.steps.get(..=step)?;
        let frame = step / STRIDE;
        let (mut running, done) = match frame.checked_sub(1).and_then(|i| self.frames.get(i)) {
            Some(kept) => (kept.running.clone(), frame * STRIDE),
            None => (self.base.clone(), 0),
        };
        for step in steps.get(done..).unwrap_or_default() {
            running.apply(step, self.fold);
        }
        Some(running)
    }

    /// The number of the last step that does not lie behind this place of its partition.
    pub fn step_at(&self, at: &At) -> Option<usize> {
        let same = |s: &Step| (&s.at.topic, s.at.partition) == (&at.topic, at.partition);
        self.steps
            .iter()
            .rposition(|s| same(s) && s.at.position <= at.position)
    }

    /// The number of the last step whose event is not newer.
    pub fn step_at_time(&self, time: Timestamp) -> Option<usize> {
        self.steps
            .iter()
            .rposition(|s| s.time.is_some_and(|t| t <= time))
    }

    /// The number of the step of this version.
    pub fn step_of_version(&self, version: u64) -> Option<usize> {
        self.steps.iter().position(|s| s.version == Some(version))
    }

    /// What the steps up to this number leave when they are folded by their versions, as they were
    /// meant, and not as they came. `None` where an event has no version.
    pub fn by_version(&self, step: usize) -> Option<State> {
        let mut steps: Vec<&Step> = self.steps.get(..=step)?.iter().collect();
        // A deletion names no version; it stands where it came.
        let versioned = |s: &&Step| s.version.is_some() || s.deletes;
        if !steps.iter().all(versioned) {
            return None;
        }
        for lifetime in steps.split_mut(|s| s.deletes) {
            lifetime.sort_by_key(|s| s.version);
        }
        let mut running = self.base.clone();
        for step in steps {
            running.apply(step, self.fold);
        }
        Some(running.state())
    }

    /// True where the order in which the events came leaves another state than their versions do.
    pub fn diverges(&self, step: usize) -> bool {
        let by_version = self.by_version(step).map(|state| state.value);
        by_version.is_some_and(|value| self.at(step).is_none_or(|state| state.value != value))
    }
}

fn patch(value: Option<&[u8]>) -> Patch {
    let Some(bytes) = value else {
        return Patch::Delete;
    };
    match serde_json::from_slice(bytes) {
        Ok(json) => Patch::Json(json),
        Err(error) => Patch::Other {
            text: String::from_utf8_lossy(bytes).into_owned(),
            why: format!("not JSON: {error}"),
        },
    }
}
