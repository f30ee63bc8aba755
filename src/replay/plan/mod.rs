//! A replay, frozen: what is read, where it goes, and how. Made once, then only looked at. How it
//! stands in a file is `file`'s, what it selects `select`'s, whether it still holds `hold`'s.

mod document;
mod file;
mod hold;
mod schemas;
mod select;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;
use std::time::Duration;

use super::alter::Alterations;
use super::holds::Holds;
use super::{Pace, Place, id};
use crate::broker::{Address, PartitionRange};
use crate::event::{Position, PositionStyle, Timestamp};

pub use file::PlanError;
pub use hold::{Again, same_brokers, still_holds};
pub use schemas::PlanSchema;
pub(super) use schemas::{frozen, same_schemas};
pub use select::PlanSelection;

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
    /// As it was typed, without secrets: a context stays a name, so that whoever applies the plan
    /// brings the secrets.
    pub address: Address,
    /// What that was when the plan was made.
    pub place: Place,
    /// What provenance calls it; no two sources of a plan share it.
    pub name: String,
    /// Frozen. Empty for a stream that has no range, such as standard input.
    pub ranges: Vec<PartitionRange>,
}

/// Where a plan writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTarget {
    /// As [`PlanSource::address`].
    pub address: Address,
    pub place: Place,
    /// `None` for a file, which keeps the topics that the events had.
    pub topic: Option<Arc<str>>,
    /// How many the topic has or will have; `None` for a file.
    pub partitions: Option<u32>,
    /// The topic is missing, and is made when the plan is confirmed.
    pub create: bool,
    /// A file that is there is replaced.
    pub overwrite: bool,
    /// Where the partitions ended when the plan was made: whatever the plan writes stands behind.
    /// Empty for a file, and for a topic that is made.
    pub ends: Vec<PartitionEnd>,
}

/// Where a partition of the target ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionEnd {
    pub partition: u32,
    pub style: PositionStyle,
    pub end: Position,
}

impl PlanTarget {
    /// Where this partition ended when the plan was made. One that the plan does not know began
    /// empty.
    pub fn end_of(&self, partition: u32) -> Position {
        let known = self.ends.iter().find(|e| e.partition == partition);
        known.map_or(Position::ZERO, |e| e.end)
    }
}

/// What a run refuses or skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// Onto the topic that is read.
    pub allow_self: bool,
    /// Events that were replayed this many times are skipped.
    pub max_replays: u32,
    pub max_events: Option<u64>,
    /// To the millisecond.
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
    /// When it was made. Two plans that are alike are two still: who asks for a copy again, after
    /// the first was deleted, does not want to go on with that.
    pub made: Timestamp,
    pub sources: Vec<PlanSource>,
    pub selection: PlanSelection,
    pub target: PlanTarget,
    pub partitions: PartitionPolicy,
    pub timestamps: TimestampPolicy,
    pub provenance: bool,
    pub pace: Pace,
    pub guards: Guards,
    pub holds: Holds,
    pub alterations: Alterations,
    /// By which events are selected, changed or judged whose bytes name no schema.
    pub schemas: Vec<PlanSchema>,
}

impl Plan {
    /// The beginning of [`Plan::long_id`], which names runs and stands in provenance headers.
    pub fn id(&self) -> String {
        id::short(self.long_id())
    }

    /// The SHA-256 of the canonical form, in hex: the same plan has the same id.
    pub fn long_id(&self) -> String {
        id::long(&self.canonical())
    }

    /// Whether the limits of the plan, or its timestamps, need what only a preview finds.
    pub fn needs_preview(&self) -> bool {
        self.guards.max_events.is_some()
            || self.guards.max_duration.is_some()
            || self.timestamps == TimestampPolicy::Shift
    }
}
