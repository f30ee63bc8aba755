//! Consumer groups as brokers tell of them: members, commits, and what stands in their way. What
//! it means is judged elsewhere.

use std::sync::Arc;

use crate::event::{Position, PositionStyle, Timestamp};

/// A consumer group and its commits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    pub name: String,
    /// The broker's word: `Stable`, `Empty`, …
    pub state: String,
    /// The broker's word for the protocol: `classic`, `consumer`, `stream`.
    pub kind: String,
    pub members: Vec<Member>,
    /// Where the broker hands out the partitions (KIP-848).
    pub epochs: Option<Epochs>,
    /// By topic and partition.
    pub offsets: Vec<GroupOffset>,
    /// What could not be asked, and why, in a few words.
    pub untold: Option<String>,
}

/// How far a group is with what its coordinator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    /// Goes up with each change of members or subscriptions.
    pub group: i32,
    /// The group's epoch that the partitions were last shared out for.
    pub assignment: i32,
}

/// A topic and the number of a partition.
pub type Place = (Arc<str>, u32);

/// Who reads for a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Unique in the group.
    pub id: String,
    /// The name that the program gave itself; empty where it is not told.
    pub client: String,
    /// Where it runs, as the broker sees it; empty where it is not told.
    pub host: String,
    /// The epoch that it has reached (KIP-848).
    pub epoch: Option<i32>,
    /// The topics that it reads, where they are told by name.
    pub topics: Vec<Arc<str>>,
    /// It reads all topics that match an expression, so that `topics` is not all.
    pub by_pattern: bool,
    /// What it has.
    pub owned: Vec<Place>,
    /// What it is to have, where the broker tells (KIP-848).
    pub target: Option<Vec<Place>>,
}

impl Member {
    /// A member of which nothing is known but its name.
    pub fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..Self::default()
        }
    }
}

/// Where a group stands in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupOffset {
    pub topic: Arc<str>,
    pub partition: u32,
    pub style: PositionStyle,
    /// The next position that the group will read; `None` when it never committed.
    pub committed: Option<Position>,
    pub first: Position,
    /// Up to here a reader of committed events is served: where the first open transaction begins.
    /// Never beyond `end`; `None` where the broker does not tell, or has no transactions.
    pub stable: Option<Position>,
    pub end: Position,
    /// Why nobody tells how far the partition goes: no broker leads it, or the one that does is not
    /// answering. Then `first`, `stable` and `end` say nothing.
    pub silent: Option<String>,
    /// Positions between the commit and the end, the broker's own figure where it has one.
    /// Transaction markers count; never negative. `None` when nobody knows.
    pub raw_lag: Option<u64>,
    /// Delivered and not acknowledged, where the broker keeps such a list.
    pub pending: Option<u64>,
    /// The member that has the partition.
    pub member: Option<String>,
    /// How long the broker keeps events by their age, in milliseconds; `None` where it keeps them
    /// for ever, removes them by other rules only, or was not asked because nothing waits.
    pub retention_ms: Option<u64>,
    /// The transaction at which `stable` stands, where it was asked for.
    pub transaction: Option<OpenTransaction>,
}

impl GroupOffset {
    /// Up to here events can be read now.
    pub fn readable(&self) -> Position {
        self.stable.map_or(self.end, |stable| stable.min(self.end))
    }
}

/// A transaction that was begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTransaction {
    pub producer: i64,
    /// The name that the producer chose, where it may be asked for.
    pub id: Option<String>,
    /// Where it begins in this partition.
    pub first: Position,
    /// When it began; the time of its last write where the broker does not tell.
    pub since: Option<Timestamp>,
}
