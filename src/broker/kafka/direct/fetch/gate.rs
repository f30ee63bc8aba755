//! The one order in which chunks are worked on and handed out: the order in which they came. The
//! worker that has the oldest unfinished chunk is never held up by a younger one, so nothing can
//! wait for itself.

use tokio::sync::{Mutex, mpsc};

use super::chunk::Chunk;
use crate::broker::{Error, Result};
use crate::event::{Batch, Streams};

/// What the source takes, in order.
pub(super) enum Item {
    Chunk {
        batches: mpsc::Receiver<Result<Batch>>,
        /// Offsets that lie behind once its batches were taken.
        passed: u64,
    },
    End,
    Failed(Error),
}

/// What a worker does: a chunk, and where its batches go.
pub(super) struct Job {
    pub(super) chunk: Chunk,
    pub(super) streams: Streams,
    pub(super) done: mpsc::Sender<Result<Batch>>,
}

/// Chunks that wait for a worker or for the source: what workers have made of them waits along.
const WAITING: usize = 6;
/// Batches that a worker may be ahead of the source.
const AHEAD: usize = 4;

/// The sending ends of both queues, under one lock: their orders must agree.
pub(super) struct Gate {
    ends: Mutex<(mpsc::Sender<Item>, mpsc::Sender<Job>)>,
}

/// Nobody wants more.
#[derive(Debug)]
pub(super) struct Gone;

impl Gate {
    pub(super) fn new() -> (Self, mpsc::Receiver<Item>, mpsc::Receiver<Job>) {
        let (items, taken) = mpsc::channel(WAITING);
        let (jobs, waiting) = mpsc::channel(WAITING);
        let gate = Self {
            ends: Mutex::new((items, jobs)),
        };
        (gate, taken, waiting)
    }

    /// Hands a chunk to the workers. Waits while too much is under way.
    pub(super) async fn pass(&self, chunk: Chunk, streams: Streams) -> Result<(), Gone> {
        let (done, batches) = mpsc::channel(AHEAD);
        let item = Item::Chunk {
            batches,
            passed: chunk.passed,
        };
        let job = Job {
            chunk,
            streams,
            done,
        };
        let ends = self.ends.lock().await;
        ends.0.send(item).await.map_err(|_| Gone)?;
        ends.1.send(job).await.map_err(|_| Gone)
    }

    /// The last word, after all chunks.
    pub(super) async fn close(&self, last: Item) {
        // When the source is gone, nobody asks how it ended.
        drop(self.ends.lock().await.0.send(last).await);
    }
}
