//! The unit that travels: events of one source in one byte arena, with an index of plain data.
//! Building one allocates nothing per event, and its buffers go back to a pool.

mod raws;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::{BatchMeta, Headers, Position, Stream, Streams, Timestamp, TimestampType, Visibility};

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

/// The event does not fit: the arena is addressed by 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch holds at most 4 GiB")]
pub struct ArenaFull;

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

    /// Copies an event in. `event.stream_index` must be an index of this batch's table;
    /// `event.meta` is not copied: [`Batch::push_of_last_meta`] ties an event to its record batch.
    pub fn push(&mut self, event: &EventRef<'_>) -> Result<(), ArenaFull> {
        self.push_entry(event, NULL)
    }

    /// Copies in an event that came in the record batch pushed last.
    pub fn push_of_last_meta(&mut self, event: &EventRef<'_>) -> Result<(), ArenaFull> {
        let meta = self.metas.len().checked_sub(1).map_or(NULL, |i| i as u32);
        self.push_entry(event, meta)
    }

    /// Copies in an event that came in the record batch at `meta`, as [`Batch::push_meta`] gave
    /// it: for a source that merges partitions.
    pub fn push_of_meta(
        &mut self,
        event: &EventRef<'_>,
        meta: Option<u32>,
    ) -> Result<(), ArenaFull> {
        self.push_entry(event, meta.unwrap_or(NULL))
    }

    /// Notes a record batch, whether events of it follow or not, and tells its index. One whose
    /// events run over into the next batch is noted there again.
    pub fn push_meta(&mut self, meta: BatchMeta) -> u32 {
        debug_assert!(!self.is_raw(), "a batch holds events or record batches");
        self.metas.push(meta);
        self.metas.len() as u32 - 1
    }

    /// The record batches seen while making this batch, in order; those without a kept event too.
    pub fn metas(&self) -> &[BatchMeta] {
        &self.metas
    }

    fn push_entry(&mut self, event: &EventRef<'_>, meta: u32) -> Result<(), ArenaFull> {
        debug_assert!(!self.is_raw(), "a batch holds events or record batches");
        self.room_for(event.size())?;
        let key = self.store(event.key);
        let value = self.store(event.value);
        let headers = self.store(Some(event.headers.encoded()));
        self.entries.push(Entry {
            position: event.position,
            timestamp: event.timestamp,
            key,
            value,
            headers,
            stream: event.stream_index,
            meta,
            timestamp_type: event.timestamp_type,
        });
        Ok(())
    }

    fn room_for(&self, bytes: usize) -> Result<(), ArenaFull> {
        let end = self.arena.len().saturating_add(bytes);
        if end >= NULL as usize {
            return Err(ArenaFull);
        }
        Ok(())
    }

    fn store(&mut self, bytes: Option<&[u8]>) -> Span {
        let start = self.arena.len() as u32;
        let len = bytes.map_or(NULL, |b| b.len() as u32);
        self.arena.extend_from_slice(bytes.unwrap_or_default());
        Span { start, len }
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

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(pool) = self.home.take() {
            pool.put_back(
                std::mem::take(&mut self.arena),
                std::mem::take(&mut self.entries),
            );
        }
    }
}

/// Buffers that come back when a batch is dropped. Without it the allocator's per-thread arenas
/// can double the memory of a long scan. One lock a batch, none an event.
#[derive(Debug, Clone, Default)]
pub struct BatchPool {
    free: Arc<Mutex<Vec<Buffers>>>,
}

type Buffers = (Vec<u8>, Vec<Entry>);

/// Free buffers kept; more are given back to the allocator.
const POOLED: usize = 32;
/// A buffer grown beyond this by one huge event is not kept.
const POOLED_BYTES: usize = 4 * BATCH_BYTES;

impl BatchPool {
    /// An empty batch, on recycled buffers where there are any.
    pub fn batch(&self, streams: Streams) -> Batch {
        let (arena, entries) = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default();
        Batch {
            streams,
            origins: Arc::default(),
            arena,
            entries,
            metas: Vec::new(),
            raws: Vec::new(),
            scanned: Scanned::default(),
            home: Some(self.clone()),
        }
    }

    fn put_back(&self, mut arena: Vec<u8>, mut entries: Vec<Entry>) {
        if arena.capacity() > POOLED_BYTES {
            return;
        }
        arena.clear();
        entries.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < POOLED {
            free.push((arena, entries));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{HeaderBuf, PositionStyle};

    fn streams() -> Streams {
        [Stream {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
        }]
        .into()
    }

    fn event<'a>(
        stream: &'a Stream,
        offset: u64,
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
        headers: Headers<'a>,
    ) -> EventRef<'a> {
        EventRef {
            stream,
            stream_index: 0,
            position: Position::offset(offset),
            timestamp: Timestamp(7),
            timestamp_type: TimestampType::Create,
            key,
            value,
            headers,
            meta: None,
        }
    }

    #[test]
    fn an_entry_is_plain_data_of_64_bytes() {
        assert_eq!(size_of::<Entry>(), 64);
    }

    #[test]
    fn null_and_empty_are_kept_apart() {
        let table = streams();
        let mut headers = HeaderBuf::default();
        headers.push(b"h", None);
        let mut batch = Batch::new(table.clone());
        batch
            .push(&event(&table[0], 0, None, Some(b""), headers.as_headers()))
            .unwrap();
        batch
            .push(&event(&table[0], 1, Some(b""), None, Headers::default()))
            .unwrap();
        let first = batch.get(0);
        assert_eq!((first.key, first.value), (None, Some(&b""[..])));
        assert_eq!(first.headers, headers.as_headers());
        let second = batch.get(1);
        assert_eq!((second.key, second.value), (Some(&b""[..]), None));
        assert!(second.headers.is_empty());
    }

    #[test]
    fn buffers_are_recycled_but_not_the_events() {
        let table = streams();
        let pool = BatchPool::default();
        let mut batch = pool.batch(table.clone());
        batch
            .push(&event(
                &table[0],
                0,
                None,
                Some(&[1; 1000]),
                Headers::default(),
            ))
            .unwrap();
        drop(batch);
        let again = pool.batch(table);
        assert!(again.is_empty() && again.bytes() == 0);
        assert!(again.arena.capacity() >= 1000);
    }

    #[test]
    fn retain_keeps_order() {
        let table = streams();
        let mut batch = Batch::new(table.clone());
        for offset in 0..6 {
            batch
                .push(&event(&table[0], offset, None, None, Headers::default()))
                .unwrap();
        }
        batch.retain(|e| e.position.major % 2 == 1);
        let left: Vec<u64> = batch.iter().map(|e| e.position.major).collect();
        assert_eq!(left, [1, 3, 5]);
    }
}
