//! What usually follows what: learnt from the ids by which events name their causes. Effects may
//! be read before their causes.

use std::collections::{BTreeMap, HashMap};

use crate::event::{Batch, EventRef, Timestamp};
use crate::inspect::Names;
use crate::inspect::lanes::Lanes;
use crate::inspect::top::{self, Value};
use crate::inspect::window::{Keyed, Window};
use crate::text::Visible;

/// Ids that are remembered; about 80 bytes each.
const IDS: usize = 250_000;
/// Pairs of topic and type that are told apart.
const STEPS: usize = 4_096;
/// Bytes of a type that are looked at.
const KIND_BYTES: usize = 256;
/// Gaps that are sorted for a median.
const GAPS: usize = 10_000;

/// What is known of one id.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// What its event is, and when.
    event: Option<(u16, Option<i64>)>,
    /// What its first effect is, and when.
    effect: Option<(u16, Option<i64>)>,
}

/// The topic and the type of an event; the type is safe to show.
type Step = (String, Option<String>);

/// The fold that learns.
#[derive(Debug)]
pub struct Flow {
    names: Names,
    lanes: Lanes,
    hash: Keyed,
    nodes: Window<Node>,
    /// For each topic, its steps by the type of event; empty where an event names none.
    steps: Vec<BTreeMap<Box<[u8]>, u16>>,
    shown: Vec<Step>,
}

impl Default for Flow {
    fn default() -> Self {
        Self::new(Names::default())
    }
}

impl Flow {
    pub fn new(names: Names) -> Self {
        Self {
            names,
            lanes: Lanes::default(),
            hash: Keyed::default(),
            nodes: Window::new(IDS),
            steps: Vec::new(),
            shown: Vec::new(),
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        for event in batch.iter() {
            let lane = self.lanes.get(self.lanes.lane(event.stream_index));
            if !event.is_aborted() && !lane.dead_letters {
                self.event(&event);
            }
        }
    }

    fn event(&mut self, event: &EventRef<'_>) {
        let heads = self.names.heads(event.headers);
        if heads.id.is_none() && heads.causation.is_none() {
            return;
        }
        let kind = heads
            .kind
            .or_else(|| match top::look(event.value, &self.names) {
                Value::Json { kind } => kind,
                Value::Nothing | Value::Other => None,
            });
        let kind = kind.map_or(&b""[..], |k| k.get(..KIND_BYTES).unwrap_or(k));
        let Some(step) = self.step(event, kind) else {
            return;
        };
        let time = event.time().map(|t| t.0);
        if let Some(id) = heads.id {
            let hash = self.hash.hash(0, id);
            let (node, _) = self.nodes.entry(hash, Node::default);
            node.event.get_or_insert((step, time));
        }
        if let Some(cause) = heads.causation {
            let hash = self.hash.hash(0, cause);
            let (node, _) = self.nodes.entry(hash, Node::default);
            node.effect.get_or_insert((step, time));
        }
    }

    fn step(&mut self, event: &EventRef<'_>, kind: &[u8]) -> Option<u16> {
        let lane = self.lanes.get(self.lanes.lane(event.stream_index));
        self.steps.resize_with(self.lanes.topics(), BTreeMap::new);
        let of_topic = self.steps.get_mut(lane.topic_number as usize)?;
        if let Some(&step) = of_topic.get(kind) {
            return Some(step);
        }
        if self.shown.len() >= STEPS {
            return None;
        }
        let step = self.shown.len() as u16;
        let shown = || Visible(&String::from_utf8_lossy(kind)).to_string();
        let shown = (!kind.is_empty()).then(shown);
        self.shown.push((event.stream.topic.to_string(), shown));
        of_topic.insert(kind.into(), step);
        Some(step)
    }

    /// What usually follows, for each topic and type. Events that are so young that what follows
    /// them may still come are not counted.
    pub(super) fn usual(&self, now: Timestamp) -> Usual {
        let mut steps = vec![Follows::default(); self.shown.len()];
        for node in self.nodes.values() {
            let (Some((step, Some(time))), Some((_, Some(then)))) = (node.event, node.effect)
            else {
                continue;
            };
            if let Some(follows) = steps.get_mut(step as usize)
                && follows.gaps.len() < GAPS
            {
                follows.gaps.push(then.saturating_sub(time).max(0));
            }
        }
        for follows in &mut steps {
            follows.gaps.sort_unstable();
        }
        for node in self.nodes.values() {
            let Some((step, time)) = node.event else {
                continue;
            };
            let Some(follows) = steps.get_mut(step as usize) else {
                continue;
            };
            if let Some((effect, _)) = node.effect {
                *follows.effects.entry(effect).or_default() += 1;
                follows.events += 1;
            } else if time.is_none_or(|t| now.0.saturating_sub(t) > follows.patience_ms()) {
                follows.events += 1;
            }
        }
        Usual {
            steps,
            names: self.shown.iter().cloned().zip(0..).collect(),
            shown: self.shown.clone(),
        }
    }
}

/// One type of event in one topic, and what followed it.
pub(super) struct Pair<'a> {
    pub(super) topic: &'a str,
    pub(super) kind: &'a str,
    pub(super) events: u64,
    /// The types of the first effects, and how many events had one of each.
    pub(super) effects: BTreeMap<&'a str, u64>,
    pub(super) longest_ms: i64,
}

impl Flow {
    /// All that was seen, of events that name their type.
    pub(super) fn pairs(&self) -> Vec<Pair<'_>> {
        let kind = |step: u16| self.shown.get(usize::from(step))?.1.as_deref();
        let mut pairs: Vec<Option<Pair<'_>>> = Vec::new();
        pairs.extend(self.shown.iter().map(|(topic, kind)| {
            Some(Pair {
                topic,
                kind: kind.as_deref()?,
                events: 0,
                effects: BTreeMap::new(),
                longest_ms: 0,
            })
        }));
        for node in self.nodes.values() {
            let Some((step, time)) = node.event else {
                continue;
            };
            let Some(Some(pair)) = pairs.get_mut(usize::from(step)) else {
                continue;
            };
            pair.events += 1;
            let Some((effect, then)) = node.effect else {
                continue;
            };
            if let Some(effect) = kind(effect) {
                *pair.effects.entry(effect).or_default() += 1;
            }
            if let Some((time, then)) = time.zip(then) {
                pair.longest_ms = pair.longest_ms.max(then.saturating_sub(time));
            }
        }
        pairs.into_iter().flatten().collect()
    }
}

/// What follows one step.
#[derive(Debug, Clone, Default)]
pub(super) struct Follows {
    /// Events old enough that their effect must have come.
    pub(super) events: u64,
    effects: BTreeMap<u16, u64>,
    gaps: Vec<i64>,
}

impl Follows {
    /// Events that had an effect.
    pub(super) fn followed(&self) -> u64 {
        self.effects.values().sum()
    }

    pub(super) fn median_ms(&self) -> Option<i64> {
        self.gaps.get(self.gaps.len() / 2).copied()
    }

    /// How long an effect may take: twice as long as it takes for 19 of 20, a second at least.
    pub(super) fn patience_ms(&self) -> i64 {
        let most = self.gaps.get(self.gaps.len() * 19 / 20);
        most.map_or(0, |ms| ms.saturating_mul(2)).max(1_000)
    }

    fn add(&mut self, other: &Self) {
        self.events += other.events;
        for (step, number) in &other.effects {
            *self.effects.entry(*step).or_default() += number;
        }
        self.gaps.extend(&other.gaps);
    }
}

/// What was learnt.
pub(super) struct Usual {
    steps: Vec<Follows>,
    names: HashMap<Step, u16>,
    shown: Vec<Step>,
}

impl Usual {
    pub(super) fn of(&self, topic: &str, kind: Option<&str>) -> Option<&Follows> {
        let name = (topic.to_owned(), kind.map(str::to_owned));
        self.steps.get(*self.names.get(&name)? as usize)
    }

    /// What follows the events of a topic, whatever they are.
    pub(super) fn of_topic(&self, topic: &str) -> Follows {
        let mut all = Follows::default();
        for ((name, _), step) in &self.names {
            if let Some(follows) = self.steps.get(*step as usize)
                && name == topic
            {
                all.add(follows);
            }
        }
        all.gaps.sort_unstable();
        all
    }

    /// The step that follows most often, with its name and how often.
    pub(super) fn next(&self, follows: &Follows) -> Option<(String, u64)> {
        let most = follows.effects.iter().max_by_key(|(_, number)| **number);
        let (step, number) = most?;
        let (topic, kind) = self.shown.get(*step as usize)?;
        let topic = || Visible(topic).to_string();
        Some((kind.clone().unwrap_or_else(topic), *number))
    }
}
