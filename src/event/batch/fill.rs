//! Putting events into a batch: their bytes into the arena, and an entry into the index. Nothing is
//! allocated for one event.

use super::{Batch, Entry, NULL, Span};
use crate::event::{BatchMeta, EventRef};

/// The event does not fit: the arena is addressed by 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch holds at most 4 GiB")]
pub struct ArenaFull;

impl Batch {
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

    pub(super) fn room_for(&self, bytes: usize) -> Result<(), ArenaFull> {
        let end = self.arena.len().saturating_add(bytes);
        if end >= NULL as usize {
            return Err(ArenaFull);
        }
        Ok(())
    }

    pub(super) fn store(&mut self, bytes: Option<&[u8]>) -> Span {
        let start = self.arena.len() as u32;
        let len = bytes.map_or(NULL, |b| b.len() as u32);
        self.arena.extend_from_slice(bytes.unwrap_or_default());
        Span { start, len }
    }
}
