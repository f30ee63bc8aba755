//! The embedded broker's log: record batches as a real broker keeps them on disk, transaction
//! markers and the cleaner's holes included. In memory, gone when the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::append::Appender;
use super::history::{CLEANED, Entry, Past, Transaction};
use super::orders::Topic;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::codec::{BatchHeader, CodecError, Decoder};
use crate::event::{BatchMeta, Marker, Timestamp, Visibility};

/// One record batch. `meta.stream` is 0: a source puts its own there.
pub(super) struct Stored {
    pub(super) meta: BatchMeta,
    pub(super) bytes: Box<[u8]>,
}

/// One partition.
#[derive(Default)]
pub(super) struct Log {
    batches: Vec<Stored>,
    end: u64,
    /// Records that a committed reader sees.
    events: u64,
    /// The offset after the last live event that a source has made; writes go behind it.
    reached: AtomicU64,
}

impl Log {
    pub(super) fn batches(&self) -> &[Stored] {
        &self.batches
    }

    /// The offset after the last batch.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// Index of the batch that holds this offset, or of the first one behind it.
    pub(super) fn batch_at(&self, offset: u64) -> usize {
        self.batches
            .partition_point(|b| b.meta.next_offset() <= offset)
    }

    /// The offset that a write gets.
    pub(super) fn next_write(&self) -> u64 {
        self.end.max(self.reached.load(Ordering::Relaxed))
    }

    /// A source made live events up to here. Called under the store's read lock, so that no write
    /// runs meanwhile.
    pub(super) fn reach(&self, end: u64) {
        self.reached.fetch_max(end, Ordering::Relaxed);
    }

    /// Appends one record batch, whole.
    pub(super) fn append(&mut self, bytes: &[u8], marker: Option<Marker>) -> Result<()> {
        let header = BatchHeader::parse(bytes).map_err(damaged)?;
        let visibility = marker.map_or(Visibility::Visible, Visibility::Control);
        let meta = header.meta(0, visibility);
        match marker {
            None => self.events += u64::from(meta.records),
            Some(Marker::Abort) => self.abort(meta.producer_id),
            Some(_) => {}
        }
        self.end = meta.next_offset();
        self.batches.push(Stored {
            meta,
            bytes: bytes.into(),
        });
        Ok(())
    }

    /// What the producer wrote since its last marker was in vain.
    fn abort(&mut self, producer_id: i64) {
        let open = self
            .batches
            .iter_mut()
            .rev()
            .filter(|b| b.meta.producer_id == producer_id)
            .take_while(|b| b.meta.visibility == Visibility::Visible);
        for batch in open {
            batch.meta.visibility = Visibility::Aborted;
            self.events -= u64::from(batch.meta.records);
        }
    }

    /// The first offset whose timestamp is not below `time`, found as Kafka's index does: in the
    /// first batch whose greatest timestamp is not below it.
    pub(super) fn first_at(&self, time: Timestamp) -> Result<Option<u64>> {
        let Some(batch) = self.batches.iter().find(|b| b.meta.max_timestamp >= time) else {
            return Ok(None);
        };
        let mut decoder = Decoder::new(batch.bytes.len());
        for record in decoder.decode(&batch.bytes).map_err(damaged)? {
            let record = record.map_err(damaged)?;
            if record.timestamp >= time {
                return Ok(Some(record.offset));
            }
        }
        Ok(Some(batch.meta.base_offset))
    }
}

/// A failure of the codec on what this broker itself wrote, or was given to write.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(super) fn damaged(error: CodecError) -> Error {
    Error::new(ErrorKind::Broker, format!("demo: {error}"))
}

/// One topic.
pub(super) struct TopicLog {
    pub(super) name: Arc<str>,
    /// `None` for a topic that the pipeline does not know.
    pub(super) topic: Option<Topic>,
    pub(super) partitions: Vec<Log>,
}

/// All topics, ordered by name.
pub(super) struct Store {
    topics: Vec<TopicLog>,
}

impl Store {
    /// The store at the end of the history.
    pub(super) fn new(past: &Past, appender: &mut Appender) -> Result<Self> {
        let mut store = Self {
            topics: Topic::ALL.into_iter().map(empty).collect(),
        };
        for partition in 0..Topic::OrderEvents.partitions() {
            let cleaned: Vec<&Entry> = past
                .entries
                .iter()
                .filter(|e| is_cleaned(e) && e.partition == partition)
                .collect();
            let bytes = appender.cleaned(&survivors(&cleaned), cleaned.len())?;
            store
                .log_mut(Topic::OrderEvents, partition)
                .append(bytes, None)?;
        }
        for entry in past.entries.iter().filter(|e| !is_cleaned(e)) {
            let log = store.log_mut(entry.topic, entry.partition);
            log.append(appender.record(entry)?, None)?;
            let marker = match entry.transaction {
                Transaction::None => continue,
                Transaction::Committed => Marker::Commit,
                Transaction::Aborted => Marker::Abort,
            };
            log.append(appender.marker(entry, marker), Some(marker))?;
        }
        Ok(store)
    }

    pub(super) fn topics(&self) -> &[TopicLog] {
        &self.topics
    }

    pub(super) fn topic(&self, name: &str) -> Option<&TopicLog> {
        let at = self.topics.binary_search_by(|t| (*t.name).cmp(name)).ok()?;
        self.topics.get(at)
    }

    pub(super) fn topic_mut(&mut self, name: &str) -> Option<&mut TopicLog> {
        let at = self.topics.binary_search_by(|t| (*t.name).cmp(name)).ok()?;
        self.topics.get_mut(at)
    }

    pub(super) fn log(&self, name: &str, partition: u32) -> Option<&Log> {
        self.topic(name)?.partitions.get(partition as usize)
    }

    /// A partition of the pipeline.
    pub(super) fn log_of(&self, topic: Topic, partition: u32) -> Option<&Log> {
        self.log(topic.name(), partition)
    }

    /// Adds an empty topic; false when there is one of that name.
    pub(super) fn create(&mut self, name: &str, partitions: u32) -> bool {
        match self.topics.binary_search_by(|t| (*t.name).cmp(name)) {
            Ok(_) => false,
            Err(at) => {
                let topic = TopicLog {
                    name: name.into(),
                    topic: None,
                    partitions: (0..partitions).map(|_| Log::default()).collect(),
                };
                self.topics.insert(at, topic);
                true
            }
        }
    }

    /// While the store is built, its topics are those of the pipeline, in their order.
    fn log_mut(&mut self, topic: Topic, partition: u32) -> &mut Log {
        &mut self.topics[topic as usize].partitions[partition as usize]
    }
}

fn empty(topic: Topic) -> TopicLog {
    TopicLog {
        name: topic.name().into(),
        topic: Some(topic),
        partitions: (0..topic.partitions()).map(|_| Log::default()).collect(),
    }
}

fn is_cleaned(entry: &Entry) -> bool {
    entry.topic == Topic::OrderEvents && entry.offset < CLEANED[entry.partition as usize]
}

/// The last record of each key.
fn survivors<'a>(entries: &[&'a Entry]) -> Vec<&'a Entry> {
    let last = |entry: &Entry| {
        entries
            .iter()
            .rfind(|e| e.event.order == entry.event.order)
            .map(|e| e.offset)
    };
    entries
        .iter()
        .filter(|e| last(e) == Some(e.offset))
        .copied()
        .collect()
}
