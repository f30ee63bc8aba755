//! Several sources as one. Sources that are ordered by time stay so together: a k-way merge by
//! (timestamp, topic, partition, position). Others come as they arrive; order is kept in each.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::broker::{BoxFuture, Error, ErrorKind, Result, Source};
use crate::event::{Batch, BatchPool, EventRef, Scanned, Stream, Streams};

/// Makes one source of many. `time_ordered` says that each of them is, and ends.
pub fn merge(mut sources: Vec<Box<dyn Source>>, time_ordered: bool) -> Box<dyn Source> {
    if sources.len() == 1 {
        return sources.remove(0);
    }
    if time_ordered {
        Box::new(ByTime::new(sources))
    } else {
        Box::new(ByArrival::new(sources))
    }
}

/// The partitions of all sources in one table that only grows.
#[derive(Default)]
struct Union {
    all: Vec<Stream>,
    table: Streams,
    /// Where each partition of the table comes from.
    origins: Arc<[u16]>,
    /// For each source: its own index to the table's.
    maps: Vec<Vec<u32>>,
}

impl Union {
    fn new(sources: usize) -> Self {
        Self {
            maps: vec![Vec::new(); sources],
            ..Self::default()
        }
    }

    /// Takes in what is new in the table of a source's batch.
    fn admit(&mut self, source: usize, batch: &Batch) {
        let map = &mut self.maps[source];
        let streams = batch.streams();
        if map.len() >= streams.len() {
            return;
        }
        let mut origins = self.origins.to_vec();
        for index in map.len()..streams.len() {
            map.push(self.all.len() as u32);
            self.all.push(streams[index].clone());
            origins.push(batch.origin(index as u32));
        }
        self.table = self.all.clone().into();
        self.origins = origins.into();
    }
}

/// What a source said of itself last.
#[derive(Clone, Copy)]
struct Said {
    progress: Option<(u64, u64)>,
    undisturbed: bool,
}

/// One for each source.
type AllSaid = Arc<Vec<Mutex<Said>>>;

/// How many batches of one source may wait; with the batch size it bounds the memory.
const WAITING: usize = 2;

struct ByArrival {
    batches: mpsc::Receiver<(usize, Result<Batch>)>,
    tasks: Vec<JoinHandle<()>>,
    union: Union,
    said: AllSaid,
    failed: Option<Error>,
}

impl ByArrival {
    fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let count = sources.len();
        let (sender, batches) = mpsc::channel(WAITING * count);
        let nothing = Said {
            progress: None,
            undisturbed: false,
        };
        let said: AllSaid = Arc::new((0..count).map(|_| Mutex::new(nothing)).collect());
        let tasks = sources
            .into_iter()
            .enumerate()
            .map(|(index, source)| {
                tokio::spawn(forward(index, source, sender.clone(), said.clone()))
            })
            .collect();
        Self {
            batches,
            tasks,
            union: Union::new(count),
            said,
            failed: None,
        }
    }

    fn said(&self) -> impl Iterator<Item = Said> {
        let all = self.said.iter();
        all.map(|one| *one.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn forward(
    index: usize,
    mut source: Box<dyn Source>,
    sender: mpsc::Sender<(usize, Result<Batch>)>,
    said: AllSaid,
) {
    loop {
        let batch = source.next_batch().await;
        *said[index].lock().unwrap_or_else(PoisonError::into_inner) = Said {
            progress: source.progress(),
            undisturbed: source.undisturbed(),
        };
        let (batch, last) = match batch {
            Ok(Some(batch)) => (Ok(batch), false),
            Ok(None) => return,
            Err(error) => (Err(error), true),
        };
        if sender.send((index, batch)).await.is_err() || last {
            return;
        }
    }
}

impl Source for ByArrival {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(async {
            loop {
                match self.batches.recv().await {
                    Some((index, Ok(mut batch))) => {
                        self.union.admit(index, &batch);
                        batch.remap(self.union.table.clone(), &self.union.maps[index]);
                        batch.set_origins(self.union.origins.clone());
                        return Ok(Some(batch));
                    }
                    // A damaged file must not hide what the others hold: it is told at the end.
                    Some((_, Err(error))) if error.kind == ErrorKind::Damaged => {
                        self.failed = Some(error);
                    }
                    Some((_, Err(error))) => return Err(error),
                    None => return self.failed.take().map_or(Ok(None), Err),
                }
            }
        })
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let mut sum = (0, 0);
        for one in self.said() {
            let (done, all) = one.progress?;
            sum = (sum.0 + done, sum.1 + all);
        }
        Some(sum)
    }

    fn undisturbed(&self) -> bool {
        self.said().all(|one| one.undisturbed)
    }
}

impl Drop for ByArrival {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// One source of a merge by time, with the batch that it stands in.
struct Head {
    source: Box<dyn Source>,
    batch: Batch,
    next: usize,
    ended: bool,
}

struct ByTime {
    heads: Vec<Head>,
    union: Union,
    pool: BatchPool,
    failed: Option<Error>,
}

impl ByTime {
    fn new(sources: Vec<Box<dyn Source>>) -> Self {
        Self {
            union: Union::new(sources.len()),
            heads: sources
                .into_iter()
                .map(|source| Head {
                    source,
                    batch: Batch::default(),
                    next: 0,
                    ended: false,
                })
                .collect(),
            pool: BatchPool::default(),
            failed: None,
        }
    }

    /// Gives every source that has not ended an event to compare.
    async fn fill(&mut self, scanned: &mut Scanned) -> Result<()> {
        for (index, head) in self.heads.iter_mut().enumerate() {
            while !head.ended && head.next >= head.batch.len() {
                match head.source.next_batch().await {
                    Ok(Some(batch)) => {
                        *scanned += batch.scanned;
                        debug_assert!(!batch.is_raw(), "record batches cannot be merged");
                        self.union.admit(index, &batch);
                        head.batch = batch;
                        head.next = 0;
                    }
                    Ok(None) => head.ended = true,
                    Err(error) if error.kind == ErrorKind::Damaged => {
                        head.ended = true;
                        self.failed = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn earliest(&self) -> Option<usize> {
        self.heads
            .iter()
            .enumerate()
            .filter(|(_, head)| head.next < head.batch.len())
            .min_by(|(_, a), (_, b)| {
                let (a, b) = (a.batch.get(a.next), b.batch.get(b.next));
                merge_key(&a).cmp(&merge_key(&b))
            })
            .map(|(index, _)| index)
    }
}

fn merge_key<'a>(event: &EventRef<'a>) -> impl Ord + use<'a> {
    (
        event.timestamp,
        event.stream.topic.as_ref(),
        event.stream.partition,
        event.position,
    )
}

impl Source for ByTime {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(async {
            let mut scanned = Scanned::default();
            self.fill(&mut scanned).await?;
            let mut out = self.pool.batch(self.union.table.clone());
            out.set_origins(self.union.origins.clone());
            out.scanned = scanned;
            while !out.is_full() {
                let Some(index) = self.earliest() else { break };
                let head = &mut self.heads[index];
                let mut event = head.batch.get(head.next);
                event.stream_index = self.union.maps[index][event.stream_index as usize];
                out.push(&event)
                    .map_err(|e| Error::new(ErrorKind::Broker, e.to_string()))?;
                head.next += 1;
                if head.next >= head.batch.len() {
                    break;
                }
            }
            if out.is_empty() && out.scanned == Scanned::default() {
                return self.failed.take().map_or(Ok(None), Err);
            }
            Ok(Some(out))
        })
    }

    fn undisturbed(&self) -> bool {
        self.heads.iter().all(|head| head.source.undisturbed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::fake::{Script, stream_table};

    async fn drain(mut source: Box<dyn Source>) -> Vec<(String, u64)> {
        let mut seen = Vec::new();
        while let Some(batch) = source.next_batch().await.unwrap() {
            seen.extend(batch.iter().map(|e| {
                assert_eq!(e.stream, &batch.streams()[e.stream_index as usize]);
                (e.stream.topic.to_string(), e.position.major)
            }));
        }
        seen
    }

    fn two() -> Vec<Box<dyn Source>> {
        let a = Script::new(stream_table(&["a"]))
            .timed(0, &[(0, 10), (1, 5)])
            .timed(0, &[(2, 30)]);
        let b = Script::new(stream_table(&["b"])).timed(0, &[(0, 10), (1, 20)]);
        vec![Box::new(a), Box::new(b)]
    }

    #[tokio::test]
    async fn sources_in_time_order_stay_so_and_keep_their_own_order() {
        let seen = drain(merge(two(), true)).await;
        let names: Vec<String> = seen.iter().map(|(t, o)| format!("{t}{o}")).collect();
        assert_eq!(names, ["a0", "a1", "b0", "b1", "a2"]);
    }

    #[tokio::test]
    async fn sources_as_they_arrive_lose_nothing() {
        let mut seen = drain(merge(two(), false)).await;
        let of_a: Vec<u64> = seen
            .iter()
            .filter(|(t, _)| t == "a")
            .map(|(_, o)| *o)
            .collect();
        assert_eq!(of_a, [0, 1, 2]);
        seen.sort();
        assert_eq!(seen.len(), 5);
    }
}
