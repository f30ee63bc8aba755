//! What a run wrote, noted while it writes: the source's side of a verification without a second
//! read. It holds for a partition that one run copied from its beginning to its end with nothing
//! going wrong; where it does not, the source is read again.

use super::digest::Digester;
use super::ledger::Ledger;
use crate::event::{Batch, Position, PositionStyle};
use crate::replay::Part;
use crate::replay::plan::Plan;

/// Hashes of the events of a run, by where they come from.
pub(in crate::replay) struct Noted {
    digester: Digester,
    ledger: Ledger,
    /// The lane of each partition of the source's table.
    lanes: Vec<Option<usize>>,
    /// Sent, and taken back when its transaction fails.
    pending: Vec<(usize, Position, u64)>,
    /// More than there is room for, or in an order that was not expected.
    failed: bool,
}

impl Noted {
    /// `None` where it would not help: what cannot be told by provenance or by dense positions is
    /// read again, and so is a partition that two sources read.
    pub(in crate::replay) fn of(plan: &Plan, most_bytes: usize) -> Option<Self> {
        let ledger = Ledger::new(plan, most_bytes);
        let mut ranges = plan.sources.iter().flat_map(|source| &source.ranges);
        let one_each = ranges.clone().count() == ledger.lanes.len();
        let dense = ranges.all(|range| range.style == PositionStyle::Offset);
        (plan.provenance && one_each && dense).then(|| Self {
            digester: Digester::new(plan),
            ledger,
            lanes: Vec::new(),
            pending: Vec::new(),
            failed: false,
        })
    }

    /// Takes in the table of partitions of what is read.
    pub(in crate::replay) fn begin(&mut self, batch: &Batch) {
        self.lanes = self.ledger.lanes_of(batch);
    }

    /// Notes what was sent: copies that have the positions of their originals.
    pub(in crate::replay) fn note(&mut self, copies: &Batch) {
        if self.failed {
            return;
        }
        for event in copies.iter() {
            let lane = self.lanes.get(event.stream_index as usize);
            let Some(Some(lane)) = lane else { continue };
            let hash = self.digester.of(&event);
            self.pending.push((*lane, event.position, hash));
        }
    }

    /// What was noted is stored.
    pub(in crate::replay) fn keep(&mut self) {
        for (lane, position, hash) in self.pending.drain(..) {
            self.ledger.expect(lane, position, hash);
        }
        if self.ledger.is_full() || self.ledger.ambiguous > 0 {
            self.fail();
        }
    }

    /// What was noted and not kept is not there.
    pub(in crate::replay) fn take_back(&mut self) {
        self.pending.clear();
    }

    /// From now on the source must be read again.
    pub(in crate::replay) fn fail(&mut self) {
        self.failed = true;
        self.take_back();
        self.ledger.know(|_| false);
    }

    /// What was noted is all that there is of these parts, `None` for all; of others it is
    /// forgotten. `None` where nothing is left.
    pub(in crate::replay) fn of_parts(mut self, parts: Option<&[Part]>) -> Option<Self> {
        let lane = |part: &Part| self.lane_of(part);
        let known: Option<Vec<usize>> = parts.map(|all| all.iter().filter_map(lane).collect());
        let is_known = |lane| known.as_ref().is_none_or(|known| known.contains(&lane));
        self.ledger.know(|lane| !self.failed && is_known(lane));
        self.ledger
            .lanes
            .iter()
            .any(|lane| lane.known)
            .then_some(self)
    }

    fn lane_of(&self, part: &Part) -> Option<usize> {
        let Part {
            source,
            topic,
            partition,
        } = part;
        self.ledger.lane_of(*source, topic, *partition)
    }

    /// True when nothing but these parts, which others see to, is left to be read.
    pub(in crate::replay) fn is_all(&self, elsewhere: &[Part]) -> bool {
        let is_elsewhere = |lane| elsewhere.iter().any(|p| self.lane_of(p) == Some(lane));
        let mut lanes = self.ledger.lanes.iter().enumerate();
        lanes.all(|(index, lane)| lane.known || is_elsewhere(index))
    }

    /// What is known, to be compared by the same hashes.
    pub(super) fn into_ledger(mut self, most_bytes: usize) -> (Digester, Ledger) {
        self.ledger.widen(most_bytes);
        (self.digester, self.ledger)
    }
}

/// Hashes say nothing to a reader.
impl std::fmt::Debug for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Noted")
            .field("events", &self.ledger.expected)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
