//! What an adapter can and cannot do, as data. Commands and views ask this, never the name.

use crate::event::PositionStyle;

/// What a look at the broker does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LookCost {
    /// Nothing changes on the server.
    Free,
    /// Events are out of others' reach while they are looked at.
    Locks,
    /// Each look raises a delivery counter, and can dead-letter the event.
    CountsDelivery,
    /// Looking removes the event.
    Consumes,
}

impl LookCost {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Locks => "locks",
            Self::CountsDelivery => "counts a delivery",
            Self::Consumes => "consumes",
        }
    }
}

/// One row of `evtap brokers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a table of yes and no is what this is"
)]
pub struct Capabilities {
    pub adapter: &'static str,
    pub look: LookCost,
    /// Past events can be read again; false for queues that show only what comes.
    pub history: bool,
    /// `None` when events have no position that could be read from again.
    pub positions: Option<PositionStyle>,
    pub seek_by_time: bool,
    pub partitions: bool,
    pub groups: bool,
    pub keys: bool,
    pub headers: bool,
    /// A null value is another thing than an empty one.
    pub null_values: bool,
    /// A written event can keep the timestamp that it is given.
    pub keeps_timestamp: bool,
    pub transactions: bool,
    /// Record-batch headers reach the inspectors.
    pub batch_metadata: bool,
    /// Events of all partitions come merged by (timestamp, topic, partition, position).
    pub time_ordered: bool,
    pub follow: bool,
    pub write: bool,
    pub create_topics: bool,
}
