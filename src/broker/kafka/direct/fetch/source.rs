//! A running read: starts the tasks and threads, and takes their batches in order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::super::cluster::Cluster;
use super::chunk::Buffers;
use super::gate::{Gate, Item};
use super::lane::Lane;
use super::shared::{Shared, Wishes};
use super::steward::{Steward, Wanted};
use super::workers;
use crate::broker::{BoxFuture, Error, ErrorKind, PartitionRange, Result, Source, Subscription};
use crate::event::{Batch, BatchPool, Stream};

/// Bytes of record batches that wait for the workers. More is not faster.
const BUDGET: usize = 4 << 20;
/// The other parts: what workers decompress, and the batches on their way.
const SHARE: usize = 4;
/// Lanes that wait for the steward.
const ORPHANS: usize = 64;

/// A read of Kafka partitions.
pub(in super::super) struct DirectSource {
    items: mpsc::Receiver<Item>,
    /// The chunk whose batches are taken, and the offsets that it covers.
    chunk: Option<(mpsc::Receiver<Result<Batch>>, u64)>,
    progress: Option<(u64, u64)>,
    ended: bool,
    disturbed: Arc<AtomicBool>,
    steward: AbortHandle,
}

/// Begins to read these ranges.
pub(in super::super) fn start(
    cluster: Arc<Cluster>,
    sub: &Subscription,
    ranges: &[PartitionRange],
) -> Result<DirectSource> {
    let streams: Vec<Stream> = ranges.iter().map(stream).collect();
    let lanes: Vec<Lane> = ranges
        .iter()
        .enumerate()
        .filter(|(_, range)| sub.follow || range.start < range.end)
        .map(|(i, range)| lane(i, range, sub.follow))
        .collect();
    let all = lanes
        .iter()
        .filter_map(|lane| lane.end.map(|end| end - lane.next))
        .sum();
    let (gate, items, jobs) = Gate::new();
    let (orphans, adopt) = mpsc::channel(ORPHANS);
    let disturbed = Arc::new(AtomicBool::new(false));
    let shared = Arc::new(Shared {
        wishes: Wishes::of(&cluster.settings),
        gate,
        buffers: Buffers::new((sub.memory / SHARE).min(BUDGET)),
        streams: RwLock::new(streams.into()),
        open: AtomicUsize::new(lanes.len()),
        disturbed: disturbed.clone(),
        orphans,
    });
    workers::start(jobs, &sub.select, sub.raw, &BatchPool::default())?;
    let follow = sub.follow.then(|| Wanted {
        topics: sub.topics.clone(),
        partitions: sub.partitions.clone(),
    });
    let ended = lanes.is_empty() && follow.is_none();
    let steward = Steward::new(cluster, shared, adopt, sub.notices.clone(), follow);
    let steward = tokio::spawn(steward.run(lanes)).abort_handle();
    Ok(DirectSource {
        items,
        chunk: None,
        progress: (!sub.follow).then_some((0, all)),
        ended,
        disturbed,
        steward,
    })
}

fn stream(range: &PartitionRange) -> Stream {
    Stream {
        topic: Arc::clone(&range.topic),
        partition: range.partition,
        style: range.style,
    }
}

fn lane(index: usize, range: &PartitionRange, follow: bool) -> Lane {
    let end = (!follow).then_some(range.end.major);
    let topic = Arc::clone(&range.topic);
    Lane::new(index as u32, topic, range.partition, range.start.major, end)
}

impl DirectSource {
    async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            // Receivers stay in place until they have told: dropping this future loses nothing.
            if let Some((batches, passed)) = &mut self.chunk {
                match batches.recv().await {
                    Some(Ok(batch)) => return Ok(Some(batch)),
                    Some(Err(error)) => {
                        self.ended = true;
                        return Err(error);
                    }
                    None => {
                        if let Some((done, _)) = &mut self.progress {
                            *done += *passed;
                        }
                        self.chunk = None;
                    }
                }
                continue;
            }
            if self.ended {
                return Ok(None);
            }
            match self.items.recv().await {
                Some(Item::Chunk { batches, passed }) => self.chunk = Some((batches, passed)),
                Some(Item::End) => {
                    self.ended = true;
                    self.progress = self.progress.map(|(_, all)| (all, all));
                }
                Some(Item::Failed(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                None => {
                    let message = "the reading tasks ended without a word";
                    return Err(Error::new(ErrorKind::Broker, message));
                }
            }
        }
    }
}

impl Source for DirectSource {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(self.next())
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.progress
    }

    fn undisturbed(&self) -> bool {
        !self.disturbed.load(Ordering::Acquire)
    }
}

/// The tasks end with their steward, the threads with the tasks.
impl Drop for DirectSource {
    fn drop(&mut self) {
        self.steward.abort();
    }
}
