//! The buffers of batches: recycled from one to the next.

use std::sync::{Arc, Mutex, PoisonError};

use super::{BATCH_BYTES, Batch, Entry, Scanned};
use crate::event::Streams;

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
