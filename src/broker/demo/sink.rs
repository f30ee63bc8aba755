//! Writing into the embedded broker: one record batch a partition and call, kept in memory.

use std::sync::Arc;

use super::broker::Shared;
use super::log::{Log, damaged};
use super::resolve::missing;
use crate::broker::{BoxFuture, Error, ErrorKind, Result, Sink, Written, partitioner};
use crate::event::codec::{BatchOptions, Encoder, Record};
use crate::event::{ANY_PARTITION, Batch, EventRef, Timestamp, TimestampType};

pub(super) struct DemoSink {
    shared: Arc<Shared>,
    topic: Arc<str>,
    encoder: Encoder,
    written: Written,
    /// The partition of each event of a batch.
    chosen: Vec<u32>,
    /// Events without a key take turns.
    turn: u32,
    bytes: Vec<u8>,
}

impl DemoSink {
    pub(super) fn new(shared: Arc<Shared>, topic: &str) -> Result<Self> {
        let name = {
            let store = shared.read();
            let found = store.topic(topic).ok_or_else(|| missing(&store, topic))?;
            Arc::clone(&found.name)
        };
        Ok(Self {
            shared,
            topic: name,
            encoder: Encoder::new(),
            written: Written::default(),
            chosen: Vec::new(),
            turn: 0,
            bytes: Vec::new(),
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut store = shared.write();
        let Some(topic) = store.topic_mut(&self.topic) else {
            return Err(missing(&store, &self.topic));
        };
        let partitions = topic.partitions.len() as u32;
        self.choose(batch, partitions)?;
        let now = shared.now();
        for (partition, log) in (0..).zip(&mut topic.partitions) {
            if self.chosen.contains(&partition) {
                self.append(batch, partition, log, now)?;
            }
        }
        drop(store);
        shared.changed.notify_waiters();
        Ok(())
    }

    fn choose(&mut self, batch: &Batch, partitions: u32) -> Result<()> {
        self.chosen.clear();
        for event in batch.iter() {
            let partition = match event.stream.partition {
                ANY_PARTITION => self.by_key(event.key, partitions),
                given if given < partitions => given,
                given => {
                    let topic = &self.topic;
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("the topic '{topic}' of demo: has no partition {given}"),
                    )
                    .hint(format!("it has {partitions}, counted from 0")));
                }
            };
            self.chosen.push(partition);
        }
        Ok(())
    }

    fn by_key(&mut self, key: Option<&[u8]>, partitions: u32) -> u32 {
        if let Some(key) = key {
            return place_of(key, partitions);
        }
        self.turn = self.turn.wrapping_add(1);
        self.turn % partitions
    }

    fn append(
        &mut self,
        batch: &Batch,
        partition: u32,
        log: &mut Log,
        now: Timestamp,
    ) -> Result<()> {
        let base = log.next_write();
        self.encoder.begin(base, &options());
        let mine = batch
            .iter()
            .zip(&self.chosen)
            .filter(|(_, chosen)| **chosen == partition);
        let mut bytes = 0;
        for ((event, _), offset) in mine.zip(base..) {
            bytes += event.size() as u64;
            self.encoder
                .push(&record(&event, offset, now))
                .map_err(damaged)?;
        }
        let events = self.encoder.len() as u64;
        self.bytes.clear();
        self.encoder
            .finish(None, &mut self.bytes)
            .map_err(damaged)?;
        log.append(&self.bytes, None)?;
        self.written.events += events;
        self.written.bytes += bytes;
        Ok(())
    }
}

fn options() -> BatchOptions {
    BatchOptions {
        leader_epoch: 0,
        ..BatchOptions::default()
    }
}

/// Timestamps are kept, whoever set them; where there is none it is the demo's clock.
fn record<'a>(event: &EventRef<'a>, offset: u64, now: Timestamp) -> Record<'a> {
    Record {
        offset,
        timestamp: event.time().unwrap_or(now),
        timestamp_type: TimestampType::Create,
        key: event.key,
        value: event.value,
        headers: event.headers,
    }
}

/// The pipeline's own services put order N into partition N mod 3; other keys go by their hash.
fn place_of(key: &[u8], partitions: u32) -> u32 {
    let order = key
        .strip_prefix(b"order-")
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse::<u64>().ok());
    match order {
        Some(order) => (order % u64::from(partitions)) as u32,
        None => partitioner::by_key(key, partitions),
    }
}

impl Sink for DemoSink {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.write(batch) })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        Box::pin(async move { Ok(self.written) })
    }
}
