//! An event that is looked at where its bytes stand. Who holds the bytes is another's.

use super::{BatchMeta, Headers, Position, Stream, Timestamp, TimestampType, Visibility};

/// An event as it is looked at: borrowed from a batch, or from a broker's own buffer before
/// anything is copied.
#[derive(Debug, Clone, Copy)]
pub struct EventRef<'a> {
    pub stream: &'a Stream,
    /// Index of `stream` in its batch's table.
    pub stream_index: u32,
    pub position: Position,
    pub timestamp: Timestamp,
    pub timestamp_type: TimestampType,
    /// `None` is a null key, which differs from an empty one.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone, which differs from an empty value.
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
    /// The record batch that it came in, where the source knows.
    pub meta: Option<&'a BatchMeta>,
}

impl EventRef<'_> {
    /// Payload bytes: key, value and headers.
    pub fn size(&self) -> usize {
        self.key.map_or(0, <[u8]>::len)
            + self.value.map_or(0, <[u8]>::len)
            + self.headers.encoded().len()
    }

    /// The timestamp, where there is one.
    pub fn time(&self) -> Option<Timestamp> {
        (self.timestamp_type != TimestampType::None).then_some(self.timestamp)
    }

    /// True for an event whose transaction was aborted: it never happened.
    #[inline]
    pub fn is_aborted(&self) -> bool {
        let aborted = |meta: &BatchMeta| meta.visibility == Visibility::Aborted;
        self.meta.is_some_and(aborted)
    }
}
