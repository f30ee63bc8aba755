//! From an entry of the pipeline to the record batch that its producer sends: one record a batch,
//! with the producer's id and sequence, and the marker that ends a transaction.

use super::history::{Entry, Transaction};
use super::log::damaged;
use super::orders::{PARTITIONS, Producer, Topic};
use super::wire::Wire;
use crate::broker::Result;
use crate::event::codec::{BatchOptions, Encoder, Record, control_batch};
use crate::event::{Marker, TimestampType};

/// The next sequence of each producer in each partition.
#[derive(Debug, Clone, Default)]
struct Sequences {
    next: [[[i32; PARTITIONS as usize]; Topic::ALL.len()]; Producer::COUNT],
}

impl Sequences {
    fn take(&mut self, entry: &Entry, records: usize) -> i32 {
        let producer = entry.event.producer as usize;
        let next = &mut self.next[producer][entry.topic as usize][entry.partition as usize];
        let first = *next;
        // As Kafka does: after the greatest number comes 0.
        for _ in 0..records {
            *next = next.checked_add(1).unwrap_or(0);
        }
        first
    }
}

/// All producers together. Its buffers are reused.
#[derive(Default)]
pub(super) struct Appender {
    encoder: Encoder,
    sequences: Sequences,
    wire: Wire,
    bytes: Vec<u8>,
}

impl Appender {
    /// Another one that goes on with the same sequences.
    pub(super) fn successor(&self) -> Self {
        Self {
            sequences: self.sequences.clone(),
            ..Self::default()
        }
    }

    /// The key, value and headers of the entry that was encoded last.
    pub(super) const fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The record batch of one entry.
    pub(super) fn record(&mut self, entry: &Entry) -> Result<&[u8]> {
        let sequence = self.sequences.take(entry, 1);
        self.encoder.begin(entry.offset, &options(entry, sequence));
        self.push(entry)?;
        self.finish(None)
    }

    /// Counts an entry that nobody reads.
    pub(super) fn pass(&mut self, entry: &Entry) {
        self.sequences.take(entry, 1);
    }

    /// The batch that the cleaner leaves of `count` records from offset 0 on.
    pub(super) fn cleaned(&mut self, left: &[&Entry], count: usize) -> Result<&[u8]> {
        if let Some(first) = left.first() {
            let sequence = self.sequences.take(first, count);
            self.encoder.begin(0, &options(first, sequence));
        }
        for entry in left {
            self.push(entry)?;
        }
        self.finish((count as u64).checked_sub(1))
    }

    /// The marker behind an entry. Its timestamp is the record's: the time of appending is kept
    /// nowhere.
    pub(super) fn marker(&mut self, entry: &Entry, marker: Marker) -> &[u8] {
        self.bytes.clear();
        control_batch(
            entry.offset + 1,
            entry.timestamp,
            entry.event.producer.id(),
            0,
            marker,
            &mut self.bytes,
        );
        &self.bytes
    }

    fn push(&mut self, entry: &Entry) -> Result<()> {
        entry.write(&mut self.wire);
        let record = Record {
            offset: entry.offset,
            timestamp: entry.timestamp,
            timestamp_type: TimestampType::Create,
            key: Some(self.wire.key()),
            value: self.wire.value(),
            headers: self.wire.headers(),
        };
        self.encoder.push(&record).map_err(damaged)
    }

    fn finish(&mut self, last_offset: Option<u64>) -> Result<&[u8]> {
        self.bytes.clear();
        self.encoder
            .finish(last_offset, &mut self.bytes)
            .map_err(damaged)?;
        Ok(&self.bytes)
    }
}

fn options(entry: &Entry, base_sequence: i32) -> BatchOptions {
    BatchOptions {
        transactional: entry.transaction != Transaction::None,
        producer_id: entry.event.producer.id(),
        producer_epoch: 0,
        base_sequence,
        leader_epoch: 0,
        ..BatchOptions::default()
    }
}
