//! A running read: starts the thread, and takes from it in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::vec;

use tokio::sync::{mpsc, oneshot};

use super::client::Client;
use super::ffi::Queue;
use super::filter::{Filter, Workers};
use super::ingest::{Ingest, Item, Sieve, Wanted};
use super::lanes::Lanes;
use super::resolve::resolve;
use super::terms::Place;
use crate::broker::{BoxFuture, Error, ErrorKind, PartitionRange, Result, Source, Subscription};
use crate::event::{Batch, BatchPool};

/// Items on their way: arrays of up to 256 KiB or so, each with a note of the progress.
const IN_FLIGHT: usize = 16;
/// More filters than this wait for librdkafka's one thread a broker.
const MOST_WORKERS: usize = 4;

/// A read of Kafka partitions.
pub(super) struct KafkaSource {
    items: mpsc::Receiver<Item>,
    /// Batches that were handed over together and are given out one by one.
    ready: vec::IntoIter<Batch>,
    /// A worker's result that is next in order.
    soon: Option<oneshot::Receiver<Result<Vec<Batch>>>>,
    progress: Option<(u64, u64)>,
    ended: bool,
    stop: Arc<AtomicBool>,
    queue: Weak<Queue>,
}

/// Begins to read; blocks for the answers to a few questions.
pub(super) fn start(
    client: Arc<Client>,
    sub: &Subscription,
    committed_only: bool,
    lease: impl Send + 'static,
) -> Result<KafkaSource> {
    let ranges = resolve(&client, sub, committed_only)?;
    let queue = Queue::new(&client)
        .map(Arc::new)
        .ok_or_else(|| Error::new(ErrorKind::Broker, "librdkafka gave no queue"))?;
    let mut lanes = Lanes::new(Arc::clone(&queue));
    let wanted: Vec<(Place, u64, Option<u64>)> =
        ranges.iter().map(|range| lane(range, sub.follow)).collect();
    lanes
        .add(&client, &wanted)
        .map_err(|failure| failure.into_error(&format!("read {}", sub.topics)))?;
    let progress = (!sub.follow).then(|| lanes.progress());
    let (send, items) = mpsc::channel(IN_FLIGHT);
    let stop = Arc::new(AtomicBool::new(false));
    let source = KafkaSource {
        items,
        ready: Vec::new().into_iter(),
        soon: None,
        progress,
        ended: false,
        stop: Arc::clone(&stop),
        queue: Arc::downgrade(&queue),
    };
    let ingest = Ingest {
        client,
        queue,
        lanes,
        sieve: sieve(sub)?,
        items: send,
        stop,
        notices: sub.notices.clone(),
        follow: sub.follow.then(|| Wanted {
            topics: sub.topics.clone(),
            partitions: sub.partitions.clone(),
        }),
    };
    thread::Builder::new()
        .name("kafka-source".into())
        .spawn(move || {
            ingest.run();
            drop(lease);
        })
        .map_err(|e| Error::new(ErrorKind::Broker, format!("start a thread: {e}")))?;
    Ok(source)
}

fn lane(range: &PartitionRange, follow: bool) -> (Place, u64, Option<u64>) {
    let place = (Arc::clone(&range.topic), range.partition);
    let end = (!follow).then_some(range.end.major);
    (place, range.start.major, end)
}

/// Copying everything is done best by the thread that fetches; a test is worth threads of its own
/// where there are cores for them.
fn sieve(sub: &Subscription) -> Result<Sieve> {
    let pool = BatchPool::default();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if sub.select.keeps_all() || cores < 2 {
        return Ok(Sieve::Here(Filter::new(&*sub.select, pool)));
    }
    let workers = Workers::start(cores.min(MOST_WORKERS), &sub.select, &pool)?;
    Ok(Sieve::There(workers))
}

impl KafkaSource {
    async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.ready.next() {
                return Ok(Some(batch));
            }
            // The receiver stays in place until it has told: dropping this future loses nothing.
            if let Some(soon) = &mut self.soon {
                let batches = soon.await.map_err(|_| died())?;
                self.soon = None;
                self.ready = batches?.into_iter();
                continue;
            }
            if self.ended {
                return Ok(None);
            }
            match self.items.recv().await {
                Some(Item::Batches(batches)) => self.ready = batches.into_iter(),
                Some(Item::Soon(soon)) => self.soon = Some(soon),
                Some(Item::Progress(done, all)) => self.progress = Some((done, all)),
                Some(Item::End) => {
                    self.ended = true;
                    self.progress = self.progress.map(|(_, all)| (all, all));
                }
                Some(Item::Failed(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                None => return Err(died()),
            }
        }
    }
}

fn died() -> Error {
    Error::new(ErrorKind::Broker, "a reading thread ended without a word")
}

impl Source for KafkaSource {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(self.next())
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.progress
    }
}

/// The thread ends by itself, and takes the client along when it was the last to use it.
impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.items.close();
        if let Some(queue) = self.queue.upgrade() {
            queue.wake();
        }
    }
}
