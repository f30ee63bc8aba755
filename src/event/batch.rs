//! The unit that travels: events of one source in one byte arena, with an index of plain data. Here
//! is what it holds, how that is looked at, and how it is thinned out; `fill` puts events in, `raws`
//! whole record batches, `pool` has the buffers.

mod fill;
mod pool;
mod raws;

use std::ops::Range;
use std::sync::Arc;

use super::{BatchMeta, EventRef, Headers, Position, Streams, Timestamp, TimestampType};

pub use fill::ArenaFull;
pub use pool::BatchPool;

/// A batch closes at this many bytes of payload; one larger event is a batch of its own.
pub const BATCH_BYTES: usize = 256 * 1024;
/// A batch closes at this many events.
pub const BATCH_EVENTS: usize = 4096;

/// Marks a null key or value in the index: null and empty are different things.
const NULL: u32 = u32::MAX;

/// A slice of the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// One event of a batch: 64 bytes, no pointers.
#[derive(Debug, Clone, Copy)]
struct Entry {
    position: Position,
    timestamp: Timestamp,
    key: Span,
    value: Span,
    headers: Span,
    stream: u32,
    /// Index into `metas`, or `NULL`.
    meta: u32,
    timestamp_type: TimestampType,
}

/// What a source looked at to make a batch, kept or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Events looked at; those that were dropped by the selection count too.
    pub events: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Events on which an expression failed: no match.
    pub failed: u64,
}

impl std::ops::AddAssign for Scanned {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.failed += other.failed;
    }
}

/// Events in the order in which the source hands them on. Order is kept within each partition.
#[derive(Debug, Default)]
pub struct Batch {
    streams: Streams,
    /// Beside `streams`; shorter means 0 for the rest.
    origins: Arc<[u16]>,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    metas: Vec<BatchMeta>,
    /// The bytes of each of `metas`, in a batch that holds no events but record batches.
    raws: Vec<Span>,
    /// What was looked at to make this batch.
    pub scanned: Scanned,
    home: Option<BatchPool>,
}

impl Batch {
    /// An empty batch without a pool, for tests and small work.
    pub fn new(streams: Streams) -> Self {
        Self {
            streams,
            origins: Arc::default(),
            arena: Vec::new(),
            entries: Vec::new(),
            metas: Vec::new(),
            raws: Vec::new(),
            scanned: Scanned::default(),
            home: None,
        }
    }

    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Replaces the table by one that begins with the same partitions: a topic was discovered.
    pub fn set_streams(&mut self, streams: Streams) {
        self.streams = streams;
    }

    /// Which of the sources that are read together a partition of the table belongs to. Two of
    /// them can have partitions of the same name.
    pub fn origin(&self, stream_index: u32) -> u16 {
        let origin = self.origins.get(stream_index as usize);
        origin.copied().unwrap_or_default()
    }

    /// Says where the partitions of the table come from, in its order.
    pub fn set_origins(&mut self, origins: Arc<[u16]>) {
        self.origins = origins;
    }

    pub fn origins(&self) -> &Arc<[u16]> {
        &self.origins
    }

    /// Events that can be looked at; [`Batch::events`] counts those in record batches too.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.raws.is_empty()
    }

    /// Bytes in the arena.
    pub fn bytes(&self) -> usize {
        self.arena.len()
    }

    /// Time to hand it on.
    pub fn is_full(&self) -> bool {
        self.arena.len() >= BATCH_BYTES || self.entries.len().max(self.raws.len()) >= BATCH_EVENTS
    }

    /// The record batches seen while making this batch, in order; those without a kept event too.
    pub fn metas(&self) -> &[BatchMeta] {
        &self.metas
    }

    fn slice(&self, span: Span) -> Option<&[u8]> {
        (span.len != NULL).then(|| &self.arena[span.range()])
    }

    /// The event at `index`; panics beyond the end, as a slice does.
    pub fn get(&self, index: usize) -> EventRef<'_> {
        let entry = &self.entries[index];
        EventRef {
            stream: &self.streams[entry.stream as usize],
            stream_index: entry.stream,
            position: entry.position,
            timestamp: entry.timestamp,
            timestamp_type: entry.timestamp_type,
            key: self.slice(entry.key),
            value: self.slice(entry.value),
            headers: Headers::from_encoded(self.slice(entry.headers).unwrap_or_default()),
            meta: self.metas.get(entry.meta as usize),
        }
    }

    /// The partition of the event at `index` in the batch's table; panics as [`Batch::get`] does.
    #[inline]
    pub fn stream_index(&self, index: usize) -> u32 {
        self.entries[index].stream
    }

    /// The bytes of all events, one after the other; between them nothing is promised.
    pub fn payload(&self) -> &[u8] {
        &self.arena
    }

    /// Where in [`Batch::payload`] the bytes of an event end: its headers come last.
    pub fn end_of(&self, index: usize) -> usize {
        self.entries[index].headers.range().end
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = EventRef<'_>> + '_ {
        (0..self.entries.len()).map(|i| self.get(i))
    }

    /// Puts the batch on another table: its stream `i` is `map[i]` there.
    pub fn remap(&mut self, streams: Streams, map: &[u32]) {
        for entry in &mut self.entries {
            entry.stream = map[entry.stream as usize];
        }
        for meta in &mut self.metas {
            meta.stream = map[meta.stream as usize];
        }
        self.streams = streams;
    }

    /// A copy that takes no more memory than it needs, for who keeps events: the buffers of a batch
    /// on its way are as large as the largest batch was.
    #[must_use]
    pub fn compact(&self) -> Self {
        Self {
            streams: self.streams.clone(),
            origins: self.origins.clone(),
            arena: self.arena.as_slice().into(),
            entries: self.entries.as_slice().into(),
            metas: self.metas.as_slice().into(),
            raws: self.raws.as_slice().into(),
            scanned: self.scanned,
            home: None,
        }
    }

    /// Bytes of memory that a compact batch takes.
    pub fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.arena.len()
            + size_of_val(self.entries.as_slice())
            + size_of_val(self.metas.as_slice())
            + size_of_val(self.raws.as_slice())
    }

    /// Drops the events after the first `len`. Record batches cannot be cut: who counts events out
    /// does not ask for them.
    pub fn truncate(&mut self, len: usize) {
        debug_assert!(!self.is_raw(), "record batches cannot be cut");
        self.entries.truncate(len);
    }

    /// Keeps the events for which `keep` holds, in their order. The arena is left as it is. Who
    /// looks at events does not ask for record batches.
    pub fn retain(&mut self, mut keep: impl FnMut(&EventRef<'_>) -> bool) {
        debug_assert!(!self.is_raw(), "record batches cannot be looked into");
        let mut kept = 0;
        for i in 0..self.entries.len() {
            if keep(&self.get(i)) {
                self.entries[kept] = self.entries[i];
                kept += 1;
            }
        }
        self.entries.truncate(kept);
    }
}

#[cfg(test)]
mod tests;
