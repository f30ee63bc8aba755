//! Topics that are set up for something else than what is in them: events on a topic whose cleaner
//! keeps only the newest value of a key, and so deletes what the older ones said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::lanes::{Lanes, Spot};
use super::top::{self, Value};
use super::{At, Heads, Names};
use crate::event::EventRef;
use crate::text::{JsonText, Visit};

/// Keys of one topic that are followed; about 40 bytes each.
const KEYS: usize = 1_000;
/// Names of members of one topic that are followed: each has its bit.
const NAMES: usize = u64::BITS as usize;
/// Keys with two values or more that must have been seen before anything is said.
const LEAST: u64 = 5;

/// What is known of one key.
#[derive(Debug, Clone, Copy, Default)]
struct Key {
    values: u32,
    /// A bit for each member that a value had.
    members: u64,
    /// The hash of the type that the first event named.
    kind: Option<u64>,
    /// A value lacked what an earlier one had, or named another type.
    event: bool,
}

#[derive(Debug, Default)]
struct Topic {
    keys: HashMap<u64, Key>,
    /// The bit of each name, by its hash, in the order in which they were met. Of a topic with more
    /// names, one that is missing can go unseen; one that is there is never missed.
    names: HashMap<u64, u32>,
    /// The first event of each partition.
    first: BTreeMap<u32, Spot>,
}

/// A compacted topic that holds events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The first event that is left.
    pub at: At,
    /// Keys that were looked at and have several values, and those of them whose values are parts.
    pub keys: u64,
    pub events: u64,
}

/// The fold.
#[derive(Debug, Default)]
pub struct Lints {
    compacted: HashSet<Arc<str>>,
    hash: RandomState,
    /// By the number of the topic.
    topics: BTreeMap<u32, Topic>,
}

impl Lints {
    /// The cleaner of this topic keeps only the newest value of a key.
    pub(super) fn compacted(&mut self, topic: Arc<str>) {
        self.compacted.insert(topic);
    }

    /// True when some topic is one to look at.
    pub(super) fn is_asked(&self) -> bool {
        !self.compacted.is_empty()
    }

    pub(super) fn event(
        &mut self,
        lanes: &Lanes,
        spot: Spot,
        event: &EventRef<'_>,
        heads: &Heads<'_>,
        names: &Names,
    ) {
        if self.compacted.is_empty() || !self.compacted.contains(&event.stream.topic) {
            return;
        }
        let lane = lanes.get(spot.lane);
        let topic = self.topics.entry(lane.topic_number).or_default();
        topic.first.entry(lane.partition).or_insert(spot);
        let (Some(key), Some(value)) = (event.key, event.value) else {
            return;
        };
        let hash = self.hash.hash_one(key);
        let room = topic.keys.len() < KEYS;
        if !room && !topic.keys.contains_key(&hash) {
            return;
        }
        let mut members = Members {
            hash: &self.hash,
            names: &mut topic.names,
            depth: 0,
            seen: 0,
        };
        if JsonText::walk(value, &mut members).is_none() || members.seen == 0 {
            return;
        }
        let kind = heads.kind.or_else(|| match top::look(Some(value), names) {
            Value::Json { kind } => kind,
            Value::Nothing | Value::Other => None,
        });
        let kind = kind.map(|kind| self.hash.hash_one(kind));
        let known = topic.keys.entry(hash).or_default();
        if known.values == 0 {
            known.kind = kind;
        }
        known.event |= known.members & !members.seen != 0 || known.kind != kind;
        known.members |= members.seen;
        known.values += 1;
    }

    pub(super) fn report(&self, lanes: impl Fn(Spot) -> At) -> Vec<Lint> {
        let lint = |topic: &Topic| {
            let several = topic.keys.values().filter(|key| key.values > 1);
            let keys = several.clone().count() as u64;
            let events = several.filter(|key| key.event).count() as u64;
            let first = topic.first.values().next()?;
            (keys >= LEAST && 2 * events >= keys).then(|| Lint {
                at: lanes(*first),
                keys,
                events,
            })
        };
        self.topics.values().filter_map(lint).collect()
    }
}

/// The names of the members of the outermost object.
struct Members<'h> {
    hash: &'h RandomState,
    names: &'h mut HashMap<u64, u32>,
    depth: usize,
    seen: u64,
}

impl Visit for Members<'_> {
    fn name(&mut self, name: &[u8]) {
        if self.depth != 1 {
            return;
        }
        let (hash, next) = (self.hash.hash_one(name), self.names.len());
        let bit = if next < NAMES {
            Some(*self.names.entry(hash).or_insert(next as u32))
        } else {
            self.names.get(&hash).copied()
        };
        self.seen |= bit.map_or(0, |bit| 1 << bit);
    }

    fn open(&mut self, _: usize, _: bool) {
        self.depth += 1;
    }

    fn close(&mut self, _: usize) {
        self.depth -= 1;
    }

    fn scalar(&mut self, _: usize, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::Made;

    fn lints(compacted: &[&str], values: impl Fn(u64) -> [String; 2]) -> Vec<String> {
        let mut made = Made::new("t", 1);
        for n in 0..20 {
            let [first, second] = values(n);
            let key = format!("k{n}");
            made.event((0, 2 * n, 0), &key, Some(&first), &[]);
            made.event((0, 2 * n + 1, 0), &key, Some(&second), &[]);
        }
        let mut lints = Lints::default();
        for &name in compacted {
            lints.compacted(name.into());
        }
        let mut lanes = Lanes::default();
        lanes.enter(&made.batch);
        for event in made.batch.iter() {
            let spot = Spot {
                lane: lanes.lane(event.stream_index),
                position: event.position,
            };
            lints.event(&lanes, spot, &event, &Heads::default(), &Names::default());
        }
        let report = lints.report(|spot| lanes.at(spot));
        report
            .iter()
            .map(|l| format!("{} {} of {}", l.at, l.events, l.keys))
            .collect()
    }

    #[test]
    fn deltas_on_a_compacted_topic_are_told_and_states_are_not() {
        let delta = |n| [format!("{{\"a\":{n},\"b\":1}}"), format!("{{\"a\":{n}}}")];
        let state = |n| [format!("{{\"a\":{n}}}"), format!("{{\"a\":{n},\"b\":2}}")];
        assert_eq!(lints(&["t"], delta), ["t/0@0 20 of 20"]);
        assert!(lints(&["other"], delta).is_empty());
        assert!(lints(&["t"], state).is_empty());
        // A member that some lost is no pattern.
        let some = |n| if n < 8 { delta(n) } else { state(n) };
        assert!(lints(&["t"], some).is_empty());
    }

    /// Names had bits by a hash once, so that two shared one now and then, and the same events gave
    /// another count in one run of forty.
    #[test]
    fn each_of_64_names_is_told_apart() {
        let names: Vec<String> = (0..64).map(|n| format!("\"m{n}\":1")).collect();
        let without = |left: usize| {
            let mut names = names.clone();
            names.remove(left);
            format!("{{{}}}", names.join(","))
        };
        let values = |n: u64| [format!("{{{}}}", names.join(",")), without(n as usize * 3)];
        assert_eq!(lints(&["t"], values), ["t/0@0 20 of 20"]);
    }
}
