//! The state of one key, folded from its events: what it was after each of them, which event set
//! which part of it, and what changed between two. Honest about what was not seen of its past.

mod blame;
mod diff;
mod feed;
mod fold;
mod patch;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::At;
use crate::event::Timestamp;
pub use blame::Blame;
pub use diff::{Change, ChangeKind, diff};
pub use feed::Folding;
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
    /// A program that leaves the state as it is.
    Keep,
    /// What cannot be folded: text or bytes that are no JSON, with the reason.
    Other {
        text: String,
        why: String,
    },
}

impl Patch {
    fn other(why: String) -> Self {
        Self::Other {
            text: String::new(),
            why,
        }
    }
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

/// What the events of one key of one topic did, one after the other; [`Folding`] fills it.
#[derive(Debug)]
pub struct History {
    topic: String,
    fold: Fold,
    limits: Limits,
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

impl History {
    pub fn new(topic: &str, fold: Fold, limits: Limits) -> Self {
        Self {
            topic: topic.to_owned(),
            fold,
            limits,
            steps: Vec::new(),
            bytes: 0,
            base: Running::default(),
            folded: 0,
            start: Start::Nothing,
            frames: Vec::new(),
            now: Running::default(),
        }
    }

    pub fn topic(&self) -> &str {
        &self.topic
    }

    fn push(&mut self, mut step: Step) {
        if !self.steps.is_empty() && self.steps.len().is_multiple_of(STRIDE) {
            let frame = Frame {
                bytes: self.now.size(),
                running: self.now.clone(),
            };
            self.bytes += frame.bytes;
            self.frames.push(frame);
        }
        step.fault = self.now.apply(&step, self.fold).err();
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
            self.base.follow(&step, self.fold);
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
            running.follow(step, self.fold);
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
    /// meant, and not as they came. `None` where an event has no version, or a program made each
    /// state of the one before.
    pub fn by_version(&self, step: usize) -> Option<State> {
        if self.fold == Fold::Program {
            return None;
        }
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
            running.follow(step, self.fold);
        }
        Some(running.state())
    }

    /// True where the order in which the events came leaves another state than their versions do.
    pub fn diverges(&self, step: usize) -> bool {
        let by_version = self.by_version(step).map(|state| state.value);
        by_version.is_some_and(|value| self.at(step).is_none_or(|state| state.value != value))
    }
}
