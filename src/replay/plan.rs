//! A replay, frozen: what is read, where it goes, and how. Made once, then only looked at.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::alter::Alterations;
use super::holds::Holds;
use super::{Pace, Place};
use crate::broker::PartitionRange;

/// Which partition of the target an event goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionPolicy {
    /// The one with the number that it had.
    Same,
    /// The one that the target's own producers would choose for its key.
    Key,
    /// All into this one.
    Fixed(u32),
}

/// What timestamp an event gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampPolicy {
    /// The moment of writing.
    #[default]
    Now,
    /// The one that it had.
    Keep,
    /// The first event's is now, and the others keep their distance to it.
    Shift,
}

/// One source of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSource {
    pub place: Place,
    /// What provenance calls it; no two sources of a plan share it.
    pub name: String,
    /// Frozen. Empty for a stream that has no range, such as standard input.
    pub ranges: Vec<PartitionRange>,
}

/// Where a plan writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTarget {
    pub place: Place,
    /// `None` for a file, which keeps the topics that the events had.
    pub topic: Option<Arc<str>>,
    /// How many the topic has or will have; `None` for a file.
    pub partitions: Option<u32>,
    /// The topic is missing, and is made when the plan is confirmed.
    pub create: bool,
    /// A file that is there is replaced.
    pub overwrite: bool,
}

/// What a run refuses or skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// Onto the topic that is read.
    pub allow_self: bool,
    /// Events that were replayed this many times are skipped.
    pub max_replays: u32,
    pub max_events: Option<u64>,
    pub max_duration: Option<Duration>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            allow_self: false,
            max_replays: 1,
            max_events: None,
            max_duration: None,
        }
    }
}

/// A frozen replay. [`super::freeze`] makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub sources: Vec<PlanSource>,
    /// The selection as the user wrote it, for people and for the id.
    pub selection: Vec<String>,
    pub target: PlanTarget,
    pub partitions: PartitionPolicy,
    pub timestamps: TimestampPolicy,
    pub provenance: bool,
    pub pace: Pace,
    pub guards: Guards,
    pub holds: Holds,
    pub alterations: Alterations,
}

/// Hex digits of an id: 64 bits, enough to tell the plans of one target apart.
const ID_DIGITS: usize = 16;

impl Plan {
    /// The beginning of the SHA-256 of the canonical form: the same plan has the same id.
    pub fn id(&self) -> String {
        let digest = Sha256::digest(self.canonical().as_bytes());
        let mut id = String::with_capacity(2 * digest.len());
        for byte in digest {
            // Writing into a String does not fail.
            let written = write!(id, "{byte:02x}");
            debug_assert!(written.is_ok());
        }
        id.truncate(ID_DIGITS);
        id
    }

    /// Everything that makes this plan what it is, one fact a line, names quoted.
    pub fn canonical(&self) -> String {
        let mut lines = vec!["evtap replay plan 1".to_owned()];
        for source in &self.sources {
            lines.push(format!("source {:?}", source.name));
            lines.extend(source.ranges.iter().map(|r| {
                format!(
                    "range {:?} {} [{}, {})",
                    r.topic,
                    r.partition,
                    r.start.display(r.style),
                    r.end.display(r.style)
                )
            }));
        }
        lines.extend(self.selection.iter().map(|s| format!("select {s:?}")));
        let target = &self.target;
        lines.push(format!(
            "target {:?} {:?} {:?} create={} overwrite={}",
            target.place.long_name(),
            target.topic,
            target.partitions,
            target.create,
            target.overwrite
        ));
        lines.push(format!("partitions {:?}", self.partitions));
        lines.push(format!("timestamps {:?}", self.timestamps));
        lines.push(format!("provenance {}", self.provenance));
        lines.push(format!("pace {:?}", self.pace));
        lines.push(format!("guards {:?}", self.guards));
        lines.extend(self.holds.canonical());
        lines.extend(self.alterations.canonical());
        lines.push(String::new());
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use crate::replay::fake::plan;

    #[test]
    fn the_same_plan_has_the_same_id_and_another_has_not() {
        let one = plan();
        assert_eq!(one.id(), plan().id());
        assert_eq!(one.id().len(), 16);
        let mut two = plan();
        two.sources[0].ranges[0].end.major += 1;
        assert_ne!(one.id(), two.id());
        let mut three = plan();
        three.selection = vec!["--where \"\n".to_owned()];
        assert_ne!(one.id(), three.id());
        assert_eq!(
            three.canonical().lines().count(),
            one.canonical().lines().count() + 1
        );
    }
}
