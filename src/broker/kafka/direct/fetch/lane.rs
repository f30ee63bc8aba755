//! One partition on its way: where it stands, where it ends, who leads it.

use std::sync::Arc;
use std::time::Instant;

/// A partition that is read.
#[derive(Debug)]
pub(super) struct Lane {
    /// Index of the partition in the stream table.
    pub(super) stream: u32,
    pub(super) topic: Arc<str>,
    pub(super) partition: u32,
    /// Zeros where the brokers have no topic ids.
    pub(super) topic_id: [u8; 16],
    /// The epoch of the leader that it is asked of; -1 when unknown.
    pub(super) epoch: i32,
    /// The epoch of the batch that was read last; -1 before the first.
    pub(super) last_epoch: i32,
    /// A follower that its leader would rather have asked; forgotten when it fails.
    pub(super) nearer: Option<i32>,
    /// The next offset to come.
    pub(super) next: u64,
    /// Exclusive; `None` follows for ever.
    pub(super) end: Option<u64>,
    /// Failures since something was read last.
    pub(super) stumbles: u32,
    /// Since when there has been nothing to read before the end of the range.
    pub(super) short_since: Option<Instant>,
    /// Since when the cluster has not known it.
    pub(super) missing_since: Option<Instant>,
}

impl Lane {
    pub(super) const fn new(
        stream: u32,
        topic: Arc<str>,
        partition: u32,
        next: u64,
        end: Option<u64>,
    ) -> Self {
        Self {
            stream,
            topic,
            partition,
            topic_id: [0; 16],
            epoch: -1,
            last_epoch: -1,
            nearer: None,
            next,
            end,
            stumbles: 0,
            short_since: None,
            missing_since: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    /// `read orders/0`
    pub(super) fn reading(&self) -> String {
        format!("read {}/{}", self.topic, self.partition)
    }

    /// Something came: what went wrong before is past.
    pub(super) const fn advance(&mut self, next: u64) {
        self.next = next;
        self.stumbles = 0;
        self.short_since = None;
        self.missing_since = None;
    }
}

/// A partition that its leader's task cannot go on with.
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) lane: Lane,
    pub(super) why: Why,
}

/// Why it cannot.
#[derive(Debug)]
pub(super) enum Why {
    /// It was never read, or its task ended when it came.
    New,
    /// The connection failed, or the leader says that it is not.
    Lost(super::super::super::error::Failure),
    /// Another broker is nearer to us.
    Nearer(i32),
    /// The log does not hold the next offset.
    OutOfRange,
    /// Nothing came for long, though the range goes on.
    Short,
    /// The log was cut back to this offset and goes on otherwise.
    Diverged(i64),
}
