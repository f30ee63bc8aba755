//! What the fold of the order is told from outside, beside the events: what brokers say of their
//! logs, and what a second read has proven.

use std::sync::Arc;

use super::{Account, Log, Order, Proof, Suspicion};

impl Order {
    /// What a broker tells of a partition, before its first event is fed.
    pub fn log(&mut self, log: Log) {
        let name = (log.origin, Arc::clone(&log.topic), log.partition);
        self.logs.insert(name, log);
    }

    /// Whether the topic is cleaned by key, where only that is told. What was fed before stays
    /// what it was taken for.
    pub fn cleaned(&mut self, origin: u16, topic: &Arc<str>, cleaned: bool) {
        for (number, lane) in self.lanes.iter() {
            if lane.origin == origin && lane.topic == *topic {
                self.states[number as usize].account.cleaned(cleaned);
            }
        }
        self.cleaned.insert((origin, Arc::clone(topic)), cleaned);
    }

    /// The accounts of a lane that is new, with what was told of it.
    pub(super) fn opened(&self, lane: u32) -> Account {
        let lane = self.lanes.get(lane);
        let mut account = Account::default();
        let (topic, origin) = (Arc::clone(&lane.topic), lane.origin);
        if let Some(cleaned) = self.cleaned.get(&(origin, Arc::clone(&topic))) {
            account.cleaned(*cleaned);
        }
        if let Some(log) = self.logs.get(&(origin, topic, lane.partition)) {
            account.open(log);
        }
        account
    }

    /// Where a log begins by now: what was missing before that was taken while it was read.
    pub fn begins(&mut self, origin: u16, topic: &str, partition: u32, start: u64) {
        for (number, lane) in self.lanes.iter() {
            if lane.origin == origin && lane.partition == partition && &*lane.topic == topic {
                self.states[number as usize].account.trim(start);
            }
        }
    }

    /// True when offsets are missing and nothing explains it.
    pub fn has_gap(&self) -> bool {
        let mut states = self.states.iter();
        states.any(|state| state.account.offsets().unexplained > 0)
    }

    /// What has to be read again, so that the ids that may be there twice can be compared. `None`
    /// when there are none, or what is read cannot be read again. Nothing is fed after this.
    pub fn suspicion(&mut self) -> Option<Suspicion> {
        let suspects = self.ids.suspects_mut()?;
        suspects.suspicion(self.lanes.hash(), &self.names, &self.lanes, &self.states)
    }

    /// The suspects were read again, all of them.
    pub fn proven(&mut self, proof: Proof) {
        let proven = proof.proven(self.limits.anomalies);
        self.coverage.duplicates = proven.number;
        self.coverage.unkept += proven.number - proven.twice.len() as u64;
        self.proven = Some(proven);
    }
}
