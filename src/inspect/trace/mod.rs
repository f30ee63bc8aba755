//! The way of one id through the topics: its events in causal order, what comes after what, and
//! what usually follows but is missing. Who follows whom is learnt from the other events; nothing
//! is known of a model, and the verdict says so.

mod edges;
mod flow;
mod learn;
mod outcome;
mod sort;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use memchr::memmem;

use super::lanes::{Lanes, Spot};
use super::top::{self, Value};
use super::{At, Heads, Names};
use crate::broker::Group;
use crate::event::{Batch, EventRef, Timestamp};
use crate::text::{JsonText, Visible};
pub use edges::{Edge, Strength, edges};
pub use flow::Flow;
pub use learn::learn;
pub use outcome::{Blocker, Missing, Outcome};

/// How much belongs to one trace at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub hops: usize,
    pub ids: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hops: 2_000,
            ids: 10_000,
        }
    }
}

/// Passes over the events until no new id turns up.
pub const PASSES: usize = 8;
/// Events kept that only mention the text.
const MENTIONS: usize = 200;
/// Bytes of an id or key that are kept.
const ID_BYTES: usize = 256;

/// Why an event belongs to the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// An id of its cause or its own.
    Causation,
    /// The trace id of its `traceparent`.
    Trace,
    Correlation,
    Key,
    /// The text occurs somewhere in it.
    Text,
}

impl Tie {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Causation => "causation id",
            Self::Trace => "traceparent",
            Self::Correlation => "correlation id",
            Self::Key => "key",
            Self::Text => "text",
        }
    }
}

/// Trace id and parent id of a `traceparent`.
pub type TraceIds = (Box<[u8]>, Box<[u8]>);

/// One event of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub at: At,
    pub time: Option<Timestamp>,
    /// The type that the event names; safe to show.
    pub kind: Option<String>,
    /// Safe to show.
    pub producer: Option<String>,
    /// The front of its key, and of its id and its cause's.
    pub key: Option<Box<[u8]>>,
    pub id: Option<Box<[u8]>>,
    pub causation: Option<Box<[u8]>>,
    pub correlation: Option<Box<[u8]>>,
    /// Trace id and parent id of its `traceparent`, hexadecimal digits.
    pub trace: Option<TraceIds>,
    pub tie: Tie,
    /// The hop that caused it, by its causation id.
    pub parent: Option<usize>,
    /// How many causes lie before it.
    pub depth: usize,
    /// Since its cause, or where none is known since the hop before; negative where clocks differ.
    pub gap_ms: Option<i64>,
    /// The hop that has the same id and came before.
    pub copy_of: Option<usize>,
    /// A copy that was put aside.
    pub dead_letter: bool,
    /// Why its value cannot be decoded, where it begins like JSON.
    pub fault: Option<String>,
}

impl Hop {
    /// What it is called: its type, else its topic. Safe to show.
    pub fn name(&self) -> String {
        let topic = || Visible(&self.at.topic).to_string();
        self.kind.clone().unwrap_or_else(topic)
    }
}

/// What is told of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceReport {
    /// Causes before effects, else by time.
    pub hops: Vec<Hop>,
    pub outcome: Outcome,
    /// What usually follows and did not.
    pub missing: Vec<Missing>,
    /// From the first hop to the last.
    pub span_ms: Option<i64>,
    /// Since the last hop.
    pub quiet_ms: Option<i64>,
    /// More events belong to it than there is room for.
    pub truncated: bool,
}

/// Gathers the events of one trace.
#[derive(Debug)]
pub struct Trace {
    seed: Box<[u8]>,
    names: Names,
    limits: Limits,
    lanes: Lanes,
    ids: HashSet<Box<[u8]>>,
    finder: memmem::Finder<'static>,
    hops: HashMap<(u32, crate::event::Position), Hop>,
    mentions: Vec<Hop>,
    truncated: bool,
}

impl Trace {
    /// `seed` is an event's id, a correlation id, a trace id, a whole `traceparent`, a key, or any
    /// text; what only mentions it is told where nothing is tied by it.
    pub fn new(seed: &[u8], limits: Limits, names: Names) -> Self {
        let seed: Box<[u8]> = seed.get(..ID_BYTES).unwrap_or(seed).into();
        let mut parts = seed.split(|b| *b == b'-');
        let trace = parts
            .nth(1)
            .filter(|id| id.len() == 32 && parts.count() == 2);
        let mut ids = HashSet::from([seed.clone()]);
        ids.extend(trace.map(Into::into));
        Self {
            finder: memmem::Finder::new(&seed).into_owned(),
            seed,
            names,
            limits,
            lanes: Lanes::default(),
            ids,
            hops: HashMap::new(),
            mentions: Vec::new(),
            truncated: false,
        }
    }

    /// Gathers all that is tied to the seed in these batches: as often over them as new ids turn
    /// up.
    pub fn gather(&mut self, batches: &[Arc<Batch>]) {
        for _ in 0..PASSES {
            let known = self.ids.len();
            for batch in batches {
                self.batch(batch);
            }
            if self.ids.len() == known {
                return;
            }
        }
        self.cut();
    }

    /// The passes ended while new ids still turned up: events of it may be missing.
    pub const fn cut(&mut self) {
        self.truncated = true;
    }

    /// Takes one batch; true when it brought new ids, to which events may be tied that went by.
    /// The same batch may come again.
    pub fn batch(&mut self, batch: &Batch) -> bool {
        self.lanes.enter(batch);
        let known = self.ids.len();
        for event in batch.iter() {
            if !event.is_aborted() {
                self.event(&event);
            }
        }
        self.ids.len() > known
    }

    fn event(&mut self, event: &EventRef<'_>) {
        let heads = self.names.heads(event.headers);
        let spot = Spot {
            lane: self.lanes.lane(event.stream_index),
            position: event.position,
        };
        let Some(tie) = self.tie(event, &heads) else {
            self.mention(spot, event, &heads);
            return;
        };
        for id in [heads.id, heads.correlation, heads.causation, heads.trace()]
            .into_iter()
            .flatten()
        {
            if self.ids.contains(id) {
                continue;
            }
            if self.ids.len() >= self.limits.ids || id.len() > ID_BYTES {
                self.truncated = true;
                continue;
            }
            self.ids.insert(id.into());
        }
        let place = (spot.lane, spot.position);
        if self.hops.contains_key(&place) {
            return;
        }
        if self.hops.len() >= self.limits.hops {
            self.truncated = true;
            return;
        }
        let hop = self.hop(spot, event, &heads, tie);
        self.hops.insert(place, hop);
    }

    fn tie(&self, event: &EventRef<'_>, heads: &Heads<'_>) -> Option<Tie> {
        let known = |id: Option<&[u8]>| id.is_some_and(|id| self.ids.contains(id));
        if known(heads.id) || known(heads.causation) {
            Some(Tie::Causation)
        } else if known(heads.trace()) {
            Some(Tie::Trace)
        } else if known(heads.correlation) {
            Some(Tie::Correlation)
        } else if event.key == Some(&*self.seed) {
            Some(Tie::Key)
        } else {
            None
        }
    }

    /// An event that is not tied, but may have the text in it.
    fn mention(&mut self, spot: Spot, event: &EventRef<'_>, heads: &Heads<'_>) {
        if !self.hops.is_empty() || self.mentions.len() >= MENTIONS || self.seed.is_empty() {
            return;
        }
        let has = |bytes: &[u8]| self.finder.find(bytes).is_some();
        let found = event.value.is_some_and(has)
            || event.key.is_some_and(has)
            || has(event.headers.encoded());
        let at = self.lanes.at(spot);
        if found && !self.mentions.iter().any(|hop| hop.at == at) {
            let hop = self.hop(spot, event, heads, Tie::Text);
            self.mentions.push(hop);
        }
    }

    fn hop(&self, spot: Spot, event: &EventRef<'_>, heads: &Heads<'_>, tie: Tie) -> Hop {
        let looked = top::look(event.value, &self.names);
        let kind = match looked {
            Value::Json { kind } => heads.kind.or(kind),
            Value::Other | Value::Nothing => heads.kind,
        };
        let like_json = |v: &[u8]| matches!(v.first(), Some(b'{' | b'['));
        let broken = event
            .value
            .filter(|v| looked == Value::Other && like_json(v));
        let fault = broken.and_then(|value| JsonText::parse(value).err());
        let safe = |bytes: &[u8]| Visible(&String::from_utf8_lossy(bytes)).to_string();
        let cut = |bytes: &[u8]| bytes.get(..ID_BYTES).unwrap_or(bytes).into();
        Hop {
            at: self.lanes.at(spot),
            time: event.time(),
            kind: kind.map(safe),
            producer: heads.producer.map(safe),
            key: event.key.map(cut),
            id: heads.id.map(cut),
            causation: heads.causation.map(cut),
            correlation: heads.correlation.map(cut),
            trace: self
                .names
                .traceparent(event.headers)
                .map(|(trace, span)| (trace.into(), span.into())),
            tie,
            parent: None,
            depth: 0,
            gap_ms: None,
            copy_of: None,
            dead_letter: self.lanes.get(spot.lane).dead_letters,
            fault: fault.map(|fault| format!("not JSON: {fault}")),
        }
    }

    /// What is known now. `flow` is what was learnt from all events, `groups` are where the
    /// consumers stand; empty where nobody knows.
    pub fn report(&self, flow: &Flow, groups: &[Group], now: Timestamp) -> TraceReport {
        let tied: Vec<Hop> = if self.hops.is_empty() {
            self.mentions.clone()
        } else {
            self.hops.values().cloned().collect()
        };
        let hops = sort::sorted(tied);
        let times = || {
            hops.iter()
                .filter(|h| !h.dead_letter)
                .filter_map(|h| h.time)
        };
        let (first, last) = (times().min(), times().max());
        let (outcome, missing) = outcome::judge(&hops, flow, groups, now);
        TraceReport {
            outcome,
            missing,
            span_ms: first.zip(last).map(|(a, b)| b.0.saturating_sub(a.0)),
            quiet_ms: last.map(|t| now.0.saturating_sub(t.0)),
            truncated: self.truncated,
            hops,
        }
    }
}
