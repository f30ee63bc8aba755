//! The proof: suspects are read again, and their ids compared as a whole. What comes of it is
//! exact, whatever was only guessed before.

use std::collections::HashMap;
use std::sync::Arc;

use crate::broker::PartitionRange;
use crate::event::{Batch, EventRef, Select, SelectError, SelectWorker, Verdict};
use crate::inspect::lanes::{Lanes, Spot, is_dead_letter};
use crate::inspect::order::cut;
use crate::inspect::order::producers::Sent;
use crate::inspect::window::{HashedSet, Keyed};
use crate::inspect::{At, Names};

/// What an event takes that is kept for the proof, about.
pub(super) const TWICE_BYTES: usize = 300;

/// Which ids are suspected, and where they have to be looked for.
pub struct Suspicion {
    wanted: Arc<Wanted>,
    ranges: Vec<(u16, PartitionRange)>,
    most: usize,
}

/// What the threads of a source share.
struct Wanted {
    names: Names,
    hash: Keyed,
    hashes: HashedSet,
}

impl Wanted {
    fn has(&self, scope: u32, id: &[u8]) -> bool {
        self.hashes.contains(&self.hash.hash(scope, id).max(1))
    }
}

impl Suspicion {
    pub(super) fn new(
        names: Names,
        hash: Keyed,
        hashes: HashedSet,
        ranges: Vec<(u16, PartitionRange)>,
        most: usize,
    ) -> Self {
        Self {
            wanted: Arc::new(Wanted {
                names,
                hash,
                hashes,
            }),
            ranges,
            most,
        }
    }

    /// What has to be read again of a source.
    pub fn ranges(&self, origin: u16) -> Vec<PartitionRange> {
        let own = self.ranges.iter().filter(|(of, _)| *of == origin);
        own.map(|(_, range)| range.clone()).collect()
    }

    /// The selection of the suspects among what `then` selects, so that the threads of the source
    /// leave out all others.
    pub fn select(&self, origin: u16, then: Arc<dyn Select>) -> Arc<dyn Select> {
        Arc::new(KeepSuspects {
            wanted: Arc::clone(&self.wanted),
            origin,
            then,
        })
    }

    /// The fold over what was read again.
    pub fn proof(&self) -> Proof {
        Proof {
            wanted: Arc::clone(&self.wanted),
            lanes: Lanes::default(),
            scopes: HashMap::new(),
            ids: HashMap::new(),
            room: self.most.max(1_000),
            left_out: 0,
        }
    }
}

struct KeepSuspects {
    wanted: Arc<Wanted>,
    origin: u16,
    then: Arc<dyn Select>,
}

impl Select for KeepSuspects {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Worker {
            wanted: Arc::clone(&self.wanted),
            origin: self.origin,
            topic: None,
            then: (!self.then.keeps_all()).then(|| self.then.worker()),
        })
    }
}

struct Worker {
    wanted: Arc<Wanted>,
    origin: u16,
    /// The topic of the last event, and its scope; `None` where it holds dead letters.
    topic: Option<(Arc<str>, Option<u32>)>,
    then: Option<Box<dyn SelectWorker>>,
}

impl SelectWorker for Worker {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        let topic = &event.stream.topic;
        let scope = match &self.topic {
            Some((last, scope)) if Arc::ptr_eq(last, topic) => *scope,
            _ => {
                let scope = self.wanted.hash.scope(self.origin, topic);
                let scope = (!is_dead_letter(topic)).then_some(scope);
                self.topic = Some((Arc::clone(topic), scope));
                scope
            }
        };
        let id = self.wanted.names.heads(event.headers).id;
        let suspected = scope
            .zip(id)
            .is_some_and(|(scope, id)| self.wanted.has(scope, id));
        match &mut self.then {
            _ if !suspected => Ok(Verdict::Drop),
            Some(then) => then.test(event),
            None => Ok(Verdict::Keep),
        }
    }
}

/// An event whose id is suspected.
#[derive(Debug)]
struct Met {
    spot: Spot,
    time: Option<i64>,
    key: Option<Box<[u8]>>,
    sent: Option<Sent>,
}

/// The events of one id.
#[derive(Debug)]
struct Same {
    first: Met,
    more: Vec<Met>,
    /// Further ones, for which there was no room.
    others: u64,
}

/// The fold over the suspects, which tells who is guilty.
pub struct Proof {
    wanted: Arc<Wanted>,
    lanes: Lanes,
    /// By the number of the topic.
    scopes: HashMap<u32, u32>,
    /// By topic and whole id.
    ids: HashMap<(u32, Box<[u8]>), Same>,
    /// Events that still fit.
    room: usize,
    /// Events of ids for which there was no room at all.
    left_out: u64,
}

/// An event whose id was there before.
#[derive(Debug)]
pub(in crate::inspect::order) struct Twice {
    pub(in crate::inspect::order) id: Box<[u8]>,
    pub(in crate::inspect::order) at: At,
    pub(in crate::inspect::order) first: At,
    pub(in crate::inspect::order) key: Option<Box<[u8]>>,
    pub(in crate::inspect::order) time: Option<i64>,
    /// Who sent the first and who sent this one.
    pub(in crate::inspect::order) sent: [Option<Sent>; 2],
}

/// What was proven.
#[derive(Debug, Default)]
pub(in crate::inspect::order) struct Proven {
    pub(in crate::inspect::order) twice: Vec<Twice>,
    /// All events whose id was there before, those that are not listed too.
    pub(in crate::inspect::order) number: u64,
    /// Events that could not be compared.
    pub(in crate::inspect::order) left_out: u64,
}

impl Proof {
    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if self.lanes.counts(spot, &event)
                && let Some(id) = self.wanted.names.heads(event.headers).id
            {
                self.event(spot, id, &event);
            }
        }
    }

    fn event(&mut self, spot: Spot, id: &[u8], event: &EventRef<'_>) {
        let lane = self.lanes.get(spot.lane);
        let hash = &self.wanted.hash;
        let scope = self.scopes.entry(lane.topic_number);
        let scope = *scope.or_insert_with(|| hash.scope(lane.origin, &lane.topic));
        if !self.wanted.has(scope, id) {
            return;
        }
        let met = || Met {
            spot,
            time: event.time().map(|t| t.0),
            key: event.key.map(cut),
            sent: Sent::of(event),
        };
        let name = (lane.topic_number, Box::from(id));
        if let Some(same) = self.ids.get_mut(&name) {
            if self.room == 0 {
                same.others += 1;
            } else {
                self.room -= 1;
                same.more.push(met());
            }
        } else if self.room == 0 {
            self.left_out += 1;
        } else {
            self.room -= 1;
            let same = Same {
                first: met(),
                more: Vec::new(),
                others: 0,
            };
            self.ids.insert(name, same);
        }
    }

    /// What is proven; at most `most` of it listed.
    pub(in crate::inspect::order) fn proven(self, most: usize) -> Proven {
        let mut proven = Proven {
            left_out: self.left_out,
            ..Proven::default()
        };
        let mut ids: Vec<_> = self.ids.into_iter().collect();
        ids.sort_by(|a, b| a.0.cmp(&b.0));
        for ((_, id), same) in ids {
            proven.number += same.more.len() as u64 + same.others;
            let mut all: Vec<Met> = same.more;
            all.push(same.first);
            in_order(&mut all, &self.lanes);
            let mut all = all.into_iter();
            let Some(first) = all.next() else { continue };
            for met in all {
                if proven.twice.len() >= most {
                    break;
                }
                proven.twice.push(Twice {
                    id: cut(&id),
                    at: self.lanes.at(met.spot),
                    first: self.lanes.at(first.spot),
                    key: met.key,
                    time: met.time,
                    sent: [first.sent, met.sent],
                });
            }
        }
        proven
    }
}

/// Puts the events of an id into the order in which they came: that of their partition, and
/// between partitions by time, where the time of an event is the latest of its partition up to it.
fn in_order(all: &mut Vec<Met>, lanes: &Lanes) {
    // All are of one topic.
    all.sort_by_key(|met| (lanes.get(met.spot.lane).partition, met.spot.position));
    let mut lane = None;
    let mut latest = None;
    let mut keyed: Vec<(Option<i64>, Met)> = std::mem::take(all)
        .into_iter()
        .map(|met| {
            if lane.replace(met.spot.lane) != Some(met.spot.lane) {
                latest = None;
            }
            latest = latest.max(met.time);
            (latest, met)
        })
        .collect();
    // Stable, so that the order within a partition stays.
    keyed.sort_by_key(|(time, _)| *time);
    all.extend(keyed.into_iter().map(|(_, met)| met));
}
