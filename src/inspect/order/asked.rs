//! What the fold of the order is told from outside, beside the events: what brokers say of their
//! logs, and what a second read has proven.

use std::sync::Arc;

use super::{Log, Order, Proof, Suspicion};

impl Order {
    /// What a broker tells of a partition, before its first event is fed.
    pub fn log(&mut self, log: Log) {
        let name = (log.origin, Arc::clone(&log.topic), log.partition);
        self.logs.insert(name, log);
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
