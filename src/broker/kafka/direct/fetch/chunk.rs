//! Record batches of one partition on their way from the connection to a worker, in a buffer that
//! is recycled and counted against a budget.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::event::Visibility;
use crate::event::codec::BatchHeader;

/// A chunk is handed on at this size; a larger batch is a chunk of its own.
pub(super) const CHUNK: usize = 512 << 10;
/// What the budget counts in.
const UNIT: usize = 1024;
/// A buffer that one large batch grew beyond this is not kept.
const KEPT_BYTES: usize = 2 * CHUNK;
/// Free buffers that are kept.
const KEPT: usize = 8;

/// Record batches of one partition, one after the other.
pub(super) struct Chunk {
    /// Index of the partition in the stream table.
    pub(super) stream: u32,
    /// Events outside of these offsets are not wanted.
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) batches: Vec<Piece>,
    /// Offsets that lie behind once this chunk is done.
    pub(super) passed: u64,
    home: Arc<Buffers>,
    _permit: OwnedSemaphorePermit,
}

/// One batch in the chunk. Of an aborted batch only the header is there.
pub(super) struct Piece {
    pub(super) header: BatchHeader,
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) visibility: Visibility,
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let (bytes, batches) = (&mut self.bytes, &mut self.batches);
        self.home
            .put_back(std::mem::take(bytes), std::mem::take(batches));
    }
}

/// The budget, and buffers that wait to be used again.
pub(super) struct Buffers {
    budget: Arc<Semaphore>,
    units: usize,
    free: Mutex<Vec<(Vec<u8>, Vec<Piece>)>>,
}

impl Buffers {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        let units = (bytes / UNIT).max(CHUNK / UNIT);
        Arc::new(Self {
            budget: Arc::new(Semaphore::new(units)),
            units,
            free: Mutex::default(),
        })
    }

    /// An empty chunk with room for `bytes`, once the budget allows it. One that is larger than
    /// the whole budget waits until nothing else is held. `None` when the reader has ended.
    pub(super) async fn chunk(self: &Arc<Self>, bytes: usize) -> Option<Chunk> {
        let units = bytes.max(CHUNK).div_ceil(UNIT).min(self.units) as u32;
        let permit = Arc::clone(&self.budget).acquire_many_owned(units).await;
        let (buffer, batches) = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default();
        Some(Chunk {
            stream: 0,
            from: 0,
            until: u64::MAX,
            bytes: buffer,
            batches,
            passed: 0,
            home: Arc::clone(self),
            _permit: permit.ok()?,
        })
    }

    fn put_back(&self, mut bytes: Vec<u8>, mut batches: Vec<Piece>) {
        if bytes.capacity() > KEPT_BYTES {
            return;
        }
        bytes.clear();
        batches.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push((bytes, batches));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chunk_beyond_the_budget_waits_for_all_others() {
        let buffers = Buffers::new(2 * CHUNK);
        let small = buffers.chunk(1).await.unwrap();
        let more = Arc::clone(&buffers);
        let large = tokio::spawn(async move { more.chunk(100 * CHUNK).await.is_some() });
        tokio::task::yield_now().await;
        assert!(!large.is_finished());
        drop(small);
        assert!(large.await.unwrap());
    }

    #[tokio::test]
    async fn buffers_are_used_again() {
        let buffers = Buffers::new(CHUNK);
        let mut chunk = buffers.chunk(1).await.unwrap();
        chunk.bytes.resize(1000, 1);
        drop(chunk);
        let again = buffers.chunk(1).await.unwrap();
        assert!(again.bytes.is_empty() && again.bytes.capacity() >= 1000);
    }
}
