//! Sagas: for each order, payment or whatever a model names, how far it came and what it waits
//! for. A fold over events in any order of arrival between partitions. What ended as it may is
//! counted and forgotten; what is under way is judged when a report is asked for.

mod commits;
mod file;
mod hops;
mod judge;
mod members;
mod model;
mod place;
mod report;
mod scout;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Names;
use super::lanes::{Lanes, Spot};
use super::trace::Hop;
use super::window::{Keyed, Window};
use crate::event::{Batch, EventRef};
use crate::schema::Reader;
pub use commits::Commits;
pub use file::{LARGEST, ModelError};
use hops::{Hops, Slow};
use judge::{Happened, Judge};
pub use judge::{Judged, Lack, Outcome, Reach, World};
use model::Steps;
pub use model::{MOST_STEPS, Model};
pub use report::{Case, Counts, HopReport, Outlier, SagaReport};
pub(super) use scout::{Scout, Sight};
use store::{Id, NO_TIME, POISON, Seen, Store};

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sagas under way; about 200 bytes each.
    pub open: usize,
    /// Sagas that ended, so that an event of one that comes again begins none; about 30 bytes each.
    pub ended: usize,
    /// An event whose time is this much older than the newest of its partition is late: how long
    /// it took cannot be told.
    pub late_ms: i64,
    /// Cases listed in a report.
    pub listed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open: 500_000,
            ended: 500_000,
            late_ms: 10_000,
            listed: 2_000,
        }
    }
}

impl Limits {
    /// As much as so many bytes hold, and not more than by default.
    pub(super) fn of(bytes: usize) -> Self {
        let most = Self::default();
        Self {
            open: (bytes / 4 * 3 / 200).min(most.open),
            ended: (bytes / 4 / 30).min(most.ended),
            ..most
        }
    }
}

/// What one partition did so far.
#[derive(Debug, Clone, Copy, Default)]
struct LaneState {
    first: Option<i64>,
    newest: Option<i64>,
}

/// A saga that ended as it may.
#[derive(Debug, Clone, Copy)]
struct Ended {
    steps: Steps,
    how: Outcome,
}

/// The fold.
pub struct Monitor {
    model: Arc<Model>,
    limits: Limits,
    names: Names,
    lanes: Lanes,
    states: Vec<LaneState>,
    hash: Keyed,
    store: Store,
    ended: Window<Ended>,
    counts: Counts,
    hops: Hops,
    /// For each step, the numbers of the topics that it was seen in.
    topics: Vec<Vec<u32>>,
    /// Steps that were seen at all.
    met: Steps,
    /// Events of a step without an id.
    nameless: u64,
    scout: Scout,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor")
            .field("model", &self.model.name)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Monitor {
    /// `reader` decodes what is no JSON: without one, the type of such an event is known from its
    /// headers only.
    pub fn new(model: Arc<Model>, limits: Limits, reader: Option<Reader>) -> Self {
        let hash = Keyed::default();
        Self {
            hops: Hops::new(&model),
            topics: vec![Vec::new(); model.steps.len()],
            scout: Scout::new(Arc::clone(&model), hash.clone(), reader),
            model,
            limits,
            names: Names::default(),
            lanes: Lanes::default(),
            states: Vec::new(),
            hash,
            store: Store::new(limits.open),
            ended: Window::new(limits.ended),
            counts: Counts::default(),
            met: Steps::default(),
            nameless: 0,
        }
    }

    pub fn model(&self) -> &Arc<Model> {
        &self.model
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
                let sight = self.scout.look(&event, &heads);
                self.event(spot, &event, sight);
            }
        }
    }

    /// A batch comes, whose events are fed one by one.
    pub(super) fn enter(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        self.states
            .resize_with(self.lanes.len(), LaneState::default);
    }

    /// Who tells what events are to this monitor, on another thread.
    pub(super) fn scout(&self, reader: Option<Reader>) -> Scout {
        Scout::new(Arc::clone(&self.model), self.hash.clone(), reader)
    }

    /// Who tells it on this thread.
    pub(super) const fn own_scout(&mut self) -> &mut Scout {
        &mut self.scout
    }

    /// Looks where a saga that comes soon will be looked up; what it gives means nothing.
    #[inline]
    pub(super) fn look_ahead(&self, sight: Sight) -> u64 {
        match sight {
            Sight::Step(_, hash) => {
                u64::from(self.ended.get(hash).is_some()) ^ self.store.look_ahead(hash)
            }
            Sight::Nothing | Sight::Nameless => 0,
        }
    }

    /// Takes an event, which was found to be this.
    #[inline]
    pub(super) fn event(&mut self, spot: Spot, event: &EventRef<'_>, sight: Sight) {
        let late = self.pass(spot.lane, event.time().map(|t| t.0));
        match sight {
            Sight::Nothing => {}
            Sight::Nameless => self.nameless += 1,
            Sight::Step(step, hash) => {
                let seen = Seen {
                    time: event.time().map_or(NO_TIME, |t| t.0),
                    position: spot.position,
                    lane: spot.lane,
                    step,
                    late,
                };
                self.happened(hash, event, seen);
            }
        }
    }

    /// The clock of a partition goes on; true for an event that is late.
    fn pass(&mut self, lane: u32, time: Option<i64>) -> bool {
        let (Some(time), Some(state)) = (time, self.states.get_mut(lane as usize)) else {
            return false;
        };
        state.first.get_or_insert(time);
        let newest = *state.newest.get_or_insert(time);
        state.newest = Some(newest.max(time));
        newest.saturating_sub(time) > self.limits.late_ms
    }

    fn happened(&mut self, hash: u64, event: &EventRef<'_>, seen: Seen) {
        if seen.step != POISON {
            self.met.add(seen.step);
            let topic = self.lanes.get(seen.lane).topic_number;
            let known = &mut self.topics[usize::from(seen.step)];
            if known.last() != Some(&topic) && !known.contains(&topic) {
                known.push(topic);
            }
        }
        if self.goes_on(hash, event, seen) {
            return;
        }
        let id = || Id::new(self.model.id(event).unwrap_or_default());
        let open = *self.store.entry(hash, id);
        if seen.step != POISON && open.steps.has(seen.step) {
            // It came again: the first is what had effects.
            return;
        }
        self.measure(&open, seen);
        let open = self.store.add(hash, seen).unwrap_or(open);
        if !open.poisoned && self.model.is_whole(open.steps) {
            let how = self.model.ended(open.steps);
            self.counts.add(how, 1);
            self.store.remove(hash);
            let steps = open.steps;
            self.ended.entry(hash, || Ended { steps, how });
        }
    }

    /// An event of a saga that has ended; true when that changes nothing. What must not follow
    /// opens it again.
    fn goes_on(&mut self, hash: u64, event: &EventRef<'_>, seen: Seen) -> bool {
        let none = || Ended {
            steps: Steps::default(),
            how: Outcome::Open,
        };
        let Some(ended) = self.ended.get(hash) else {
            return false;
        };
        if seen.step != POISON && ended.steps.has(seen.step) {
            return true;
        }
        let (ended, _) = self.ended.entry(hash, none);
        let before = std::mem::replace(ended, none());
        if before.steps.is_empty() {
            return false;
        }
        self.counts.remove(before.how);
        // Where its steps stand is not known any more; that they were is.
        let id = || Id::new(self.model.id(event).unwrap_or_default());
        self.store.entry(hash, id).steps = before.steps;
        false
    }

    /// How long it took from the causes of this step, and up to its effects.
    fn measure(&mut self, open: &store::Open, seen: Seen) {
        if seen.step == POISON || seen.late || seen.time == NO_TIME {
            return;
        }
        let known = |s: &Seen| s.step != POISON && !s.late && s.time != NO_TIME;
        for other in self.store.seen(open).filter(known) {
            let (own, its) = (self.model.get(seen.step), self.model.get(other.step));
            let (cause, effect) = if own.then.has(other.step) {
                (seen, other)
            } else if its.then.has(seen.step) {
                (other, seen)
            } else {
                continue;
            };
            let slow = Slow {
                ms: effect.time.saturating_sub(cause.time),
                cause: cause.spot(),
                effect: effect.spot(),
                time: effect.time,
                id: open.id,
            };
            self.hops.add(cause.step, effect.step, slow);
        }
    }

    /// What is known of the topics, for judging sagas.
    fn judge<'a>(&'a self, world: World<'a>) -> Judge<'a> {
        let mut numbers: BTreeMap<u32, Arc<str>> = BTreeMap::new();
        let mut read_up_to: BTreeMap<Arc<str>, i64> = BTreeMap::new();
        let mut begins: BTreeMap<Arc<str>, i64> = BTreeMap::new();
        for (number, lane) in self.lanes.iter() {
            numbers.insert(lane.topic_number, Arc::clone(&lane.topic));
            let state = self
                .states
                .get(number as usize)
                .copied()
                .unwrap_or_default();
            let up_to = state.newest.unwrap_or(i64::MIN);
            let least = read_up_to.entry(Arc::clone(&lane.topic)).or_insert(up_to);
            *least = up_to.min(*least);
            if let Some(first) = state.first {
                let least = begins.entry(Arc::clone(&lane.topic)).or_insert(first);
                *least = first.min(*least);
            }
        }
        for (topic, ended) in &world.reach.topics {
            let up_to = if *ended { world.now.0 } else { i64::MIN };
            let known = read_up_to.entry(Arc::clone(topic)).or_insert(up_to);
            if *ended {
                *known = world.now.0;
            }
        }
        let of_step = |(step, seen): (&model::Step, &Vec<u32>)| -> Vec<Arc<str>> {
            let named = step.topics.iter().map(|t| Arc::from(&**t));
            if step.topics.is_empty() {
                seen.iter()
                    .filter_map(|n| numbers.get(n).cloned())
                    .collect()
            } else {
                named.collect()
            }
        };
        Judge {
            topics: self
                .model
                .steps
                .iter()
                .zip(&self.topics)
                .map(of_step)
                .collect(),
            model: &self.model,
            world,
            read_up_to,
            begins,
        }
    }

    /// How the saga stands that these hops of a trace are; `None` where they are none.
    pub fn judge_hops(&self, hops: &[Hop], world: World<'_>) -> Option<Judged> {
        if self.nothing_to_tell(&world).is_some() {
            return None;
        }
        let mut steps = Steps::default();
        let mut happened = Vec::new();
        for hop in hops.iter().filter(|h| !h.dead_letter) {
            let named = hop.kind.as_deref();
            let step = named.and_then(|kind| self.model.step(kind.as_bytes()));
            let broken = hop.fault.is_some();
            // A step that came again had its effects the first time.
            let again = step.is_some_and(|step| steps.has(step));
            if again || (step.is_none() && !broken) {
                continue;
            }
            let step = step.filter(|_| !broken);
            if let Some(step) = step {
                steps.add(step);
            }
            happened.push(Happened {
                step,
                at: hop.at.clone(),
                time: hop.time.map(|t| t.0),
            });
        }
        self.judge(world).judge(steps, &happened)
    }

    /// The steps of an open saga, where they stand.
    fn happened_of(&self, open: &store::Open) -> Vec<Happened> {
        let of = |seen: Seen| Happened {
            step: (seen.step != POISON).then_some(seen.step),
            at: self.lanes.at(seen.spot()),
            time: (seen.time != NO_TIME).then_some(seen.time),
        };
        self.store.seen(open).map(of).collect()
    }
}
