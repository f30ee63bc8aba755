//! What a record batch says of itself beside its records. Optional: only sources that see whole
//! batches (captures, the embedded broker, the direct reader) can give it.

use super::{Timestamp, TimestampType};

/// The header of one Kafka record batch (format v2), with what the reader learnt of its fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchMeta {
    /// Index of the partition in the batch's stream table.
    pub stream: u32,
    pub base_offset: u64,
    /// Last offset minus base offset; counts compacted records too.
    pub last_offset_delta: u32,
    pub leader_epoch: i32,
    pub crc: u32,
    pub compression: Compression,
    pub timestamp_type: TimestampType,
    pub transactional: bool,
    pub max_timestamp: Timestamp,
    /// -1 when the producer is not idempotent.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    /// Records that are left in the batch.
    pub records: u32,
    pub visibility: Visibility,
}

impl BatchMeta {
    /// The offset after the batch, whatever the cleaner took out of it.
    pub const fn next_offset(&self) -> u64 {
        self.base_offset + self.last_offset_delta as u64 + 1
    }
}

/// Whether a committed reader sees the records of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    Visible,
    /// Part of a transaction that was aborted.
    Aborted,
    /// A control batch: no event, but it takes an offset.
    Control(Marker),
}

/// The kinds of control records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Abort,
    Commit,
    /// A kind that this version does not know, with its number.
    Other(i16),
}

/// How the records of a batch are compressed; the numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}
