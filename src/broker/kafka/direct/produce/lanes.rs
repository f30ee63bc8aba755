//! The record batches that are being built, one a partition of the target. They are compressed
//! elsewhere, and sent by others.

use std::sync::Arc;

use super::super::super::writer::no_partition;
use super::Made;
use super::steps::Epoch;
use crate::broker::{Error, ErrorKind, Result, partitioner};
use crate::event::codec::{BatchOptions, CodecError, Encoder, Record};
use crate::event::{ANY_PARTITION, Compression, EventRef, Timestamp, TimestampType};

/// Bytes of records in a batch before compression: what brokers take unless they are told
/// otherwise is a little more.
const BATCH: usize = 1_000_000;
/// Bytes in all batches that are being built.
const HELD: usize = 8 << 20;

/// A batch that is whole, and not yet compressed.
pub(super) struct Whole {
    pub(super) partition: u32,
    pub(super) encoder: Encoder,
}

pub(super) struct Lanes {
    topic: Arc<str>,
    all: Vec<Lane>,
    me: Epoch,
    compression: Compression,
    held: usize,
    /// Events without a key go anywhere, and stay together until that batch is whole.
    keyless: u32,
    /// Encoders whose batches were compressed, for the next ones.
    idle: Vec<Encoder>,
}

struct Lane {
    encoder: Encoder,
    /// Of the next batch, as the broker counts what this producer wrote.
    sequence: i32,
}

impl Lanes {
    pub(super) fn new(made: &Made, me: Epoch) -> Self {
        let lane = |_| Lane {
            encoder: Encoder::new(),
            sequence: 0,
        };
        Self {
            topic: Arc::clone(&made.topic),
            all: (0..made.partitions).map(lane).collect(),
            me,
            compression: made.compression,
            held: 0,
            keyless: 0,
            idle: Vec::new(),
        }
    }

    /// Adds an event; what became whole by it goes to `whole`.
    pub(super) fn push(&mut self, event: &EventRef<'_>, whole: &mut Vec<Whole>) -> Result<()> {
        let partition = self.place(event);
        let size = event.size();
        if let Some(lane) = self.all.get(partition as usize)
            && !lane.encoder.is_empty()
            && lane.encoder.bytes() + size > BATCH
        {
            self.close(partition, whole);
        }
        let (me, compression) = (self.me, self.compression);
        let Some(lane) = self.all.get_mut(partition as usize) else {
            let count = self.all.len() as u32;
            return Err(no_partition(&self.topic, count, partition));
        };
        if lane.encoder.is_empty() {
            lane.encoder
                .begin(0, &options(me, compression, lane.sequence));
        }
        let before = lane.encoder.bytes();
        let record = Record {
            offset: lane.encoder.len() as u64,
            timestamp: event.time().unwrap_or_else(Timestamp::wall_clock),
            timestamp_type: TimestampType::Create,
            key: event.key,
            value: event.value,
            headers: event.headers,
        };
        lane.encoder.push(&record).map_err(unfit)?;
        self.held += lane.encoder.bytes() - before;
        if self.held > HELD {
            self.close_all(whole);
        }
        Ok(())
    }

    fn place(&self, event: &EventRef<'_>) -> u32 {
        let count = self.all.len().max(1) as u32;
        match (event.stream.partition, event.key) {
            (ANY_PARTITION, Some(key)) => partitioner::by_key(key, count),
            (ANY_PARTITION, None) => self.keyless % count,
            (partition, _) => partition,
        }
    }

    fn close(&mut self, partition: u32, whole: &mut Vec<Whole>) {
        let Some(lane) = self.all.get_mut(partition as usize) else {
            return;
        };
        let (events, size) = (lane.encoder.len(), lane.encoder.bytes());
        if events == 0 {
            return;
        }
        let next = self.idle.pop().unwrap_or_default();
        let encoder = std::mem::replace(&mut lane.encoder, next);
        lane.sequence = lane.sequence.wrapping_add((events as u32).cast_signed()) & i32::MAX;
        self.held = self.held.saturating_sub(size);
        if partition == self.keyless % self.all.len().max(1) as u32 {
            self.keyless = self.keyless.wrapping_add(1);
        }
        whole.push(Whole { partition, encoder });
    }

    /// Takes an encoder back that is not needed any more.
    pub(super) fn give_back(&mut self, encoder: Encoder) {
        if self.idle.len() < self.all.len() {
            self.idle.push(encoder);
        }
    }

    /// All that was added becomes whole.
    pub(super) fn close_all(&mut self, whole: &mut Vec<Whole>) {
        (0..self.all.len() as u32).for_each(|partition| self.close(partition, whole));
    }
}

const fn options(me: Epoch, compression: Compression, sequence: i32) -> BatchOptions {
    BatchOptions {
        compression,
        timestamp_type: TimestampType::Create,
        transactional: true,
        producer_id: me.producer,
        producer_epoch: me.epoch,
        base_sequence: sequence,
        leader_epoch: -1,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "taken by map_err")]
fn unfit(error: CodecError) -> Error {
    Error::new(ErrorKind::Usage, format!("write an event: {error}"))
}
