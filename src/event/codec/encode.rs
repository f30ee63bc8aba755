//! From records to the bytes of a batch. Compression itself is next door.

use super::compress::Deflater;
use super::decode::NO_TIMESTAMP;
use super::{BatchHeader, CodecError, Record};
use crate::event::headers::put_varint;
use crate::event::{Compression, Marker, Timestamp, TimestampType};

/// Kafka keeps sizes and deltas in signed 32 bits.
const MAX: usize = i32::MAX as usize;

/// What a batch says of itself beside its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    pub compression: Compression,
    /// `None` is written as `Create`; the records then have no timestamp.
    pub timestamp_type: TimestampType,
    pub transactional: bool,
    /// -1 when the producer is not idempotent.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    /// -1 when it is not known.
    pub leader_epoch: i32,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            compression: Compression::None,
            timestamp_type: TimestampType::Create,
            transactional: false,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            leader_epoch: -1,
        }
    }
}

/// Builds batches, one after the other: `begin`, `push` each record, `finish`.
pub struct Encoder {
    header: BatchHeader,
    body: Vec<u8>,
    /// One record's fields behind its length, or one header block; recycled.
    fields: Vec<u8>,
    last_offset: Option<u64>,
    deflater: Deflater,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An encoder at an empty batch of base offset 0 with the default options.
    pub fn new() -> Self {
        Self {
            header: blank(0, &BatchOptions::default()),
            body: Vec::new(),
            fields: Vec::new(),
            last_offset: None,
            deflater: Deflater::default(),
        }
    }

    /// Starts a batch; records pushed since the last `finish` are dropped.
    pub fn begin(&mut self, base_offset: u64, options: &BatchOptions) {
        self.header = blank(base_offset, options);
        self.body.clear();
        self.last_offset = None;
    }

    /// Adds a record. Offsets must rise. An appended timestamp is the batch's, so the greatest
    /// one pushed holds for all records; a record without timestamp is written with -1.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), CodecError> {
        let delta = self.delta(record.offset)?;
        let size = record.key.map_or(0, <[u8]>::len)
            + record.value.map_or(0, <[u8]>::len)
            + record.headers.encoded().len();
        // 64 bytes are more than all the varints of a record.
        if self.body.len().saturating_add(size) > MAX - BatchHeader::LEN - 64 {
            return Err(self.unfit("a batch holds at most 2 GiB"));
        }
        let mut walk = record.headers.iter();
        let count = walk.by_ref().count();
        if !walk.rest().is_empty() {
            return Err(self.unfit("its headers are not in the record format"));
        }
        let timestamp = match record.timestamp_type {
            TimestampType::None => NO_TIMESTAMP,
            TimestampType::Create | TimestampType::Append => record.timestamp,
        };
        if self.header.records == 0 {
            self.header.base_timestamp = timestamp;
            self.header.max_timestamp = timestamp;
        }
        self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
        self.put(record, timestamp, delta, count);
        self.header.records += 1;
        self.last_offset = Some(record.offset);
        Ok(())
    }

    /// Records in the batch so far.
    pub const fn len(&self) -> usize {
        self.header.records as usize
    }

    pub const fn is_empty(&self) -> bool {
        self.header.records == 0
    }

    /// Bytes of the records so far, before compression.
    pub const fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Appends the batch to `out` and is ready for the next one, at the offset after this with
    /// the same options. `last_offset` is given when the batch covers offsets beyond its last
    /// record, because the cleaner took out the tail or all of it.
    pub fn finish(
        &mut self,
        last_offset: Option<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let base = self.header.base_offset;
        let last = last_offset.or(self.last_offset).unwrap_or(base);
        if self.last_offset.is_some_and(|pushed| pushed > last) {
            return Err(self.unfit("the batch ends before its last record"));
        }
        self.header.last_offset_delta = delta(base, last)
            .ok_or_else(|| self.unfit("a batch covers at most 2^31 offsets below 2^63"))?;
        let mut header = self.header;
        // No stream at all is shorter than a compressed nothing, and what the broker writes.
        if self.body.is_empty() {
            header.compression = Compression::None;
        }
        append(&header, &self.body, &mut self.deflater, out)?;
        self.body.clear();
        self.last_offset = None;
        self.header = BatchHeader {
            base_offset: header.next_offset(),
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            records: 0,
            ..self.header
        };
        Ok(())
    }

    fn delta(&self, offset: u64) -> Result<u32, CodecError> {
        if self.last_offset.is_some_and(|last| offset <= last) {
            return Err(self.unfit("its offset is not above that of the record before"));
        }
        delta(self.header.base_offset, offset)
            .ok_or_else(|| self.unfit("its offset is outside what a batch can cover"))
    }

    fn put(&mut self, record: &Record<'_>, timestamp: Timestamp, delta: u32, headers: usize) {
        let fields = &mut self.fields;
        fields.clear();
        fields.push(0);
        put_varint(
            fields,
            timestamp.0.wrapping_sub(self.header.base_timestamp.0),
        );
        put_varint(fields, i64::from(delta));
        put_len(fields, record.key);
        let key = record.key.unwrap_or_default();
        let before_key = fields.len();
        put_len(fields, record.value);
        let value = record.value.unwrap_or_default();
        let before_value = fields.len();
        put_varint(fields, headers.cast_signed() as i64);
        let encoded = record.headers.encoded();

        let len = fields.len() + key.len() + value.len() + encoded.len();
        put_varint(&mut self.body, len.cast_signed() as i64);
        self.body.extend_from_slice(&fields[..before_key]);
        self.body.extend_from_slice(key);
        self.body
            .extend_from_slice(&fields[before_key..before_value]);
        self.body.extend_from_slice(value);
        self.body.extend_from_slice(&fields[before_value..]);
        self.body.extend_from_slice(encoded);
    }

    const fn unfit(&self, reason: &'static str) -> CodecError {
        CodecError::Unfit {
            index: self.header.records,
            reason,
        }
    }
}

/// Appends the batch of one transaction marker to `out`.
pub fn control_batch(
    offset: u64,
    timestamp: Timestamp,
    producer_id: i64,
    producer_epoch: i16,
    marker: Marker,
    out: &mut Vec<u8>,
) {
    let kind: i16 = match marker {
        Marker::Abort => 0,
        Marker::Commit => 1,
        Marker::Other(kind) => kind,
    };
    // Version 0 of the key, then the type; version 0 of the value, then the coordinator's epoch.
    let mut key = [0; 4];
    key[2..].copy_from_slice(&kind.to_be_bytes());
    let mut encoder = Encoder::new();
    encoder.header = BatchHeader {
        transactional: true,
        control: true,
        producer_id,
        producer_epoch,
        base_timestamp: timestamp,
        max_timestamp: timestamp,
        records: 1,
        ..encoder.header
    };
    let record = Record {
        offset,
        timestamp,
        timestamp_type: TimestampType::Create,
        key: Some(&key),
        value: Some(&[0; 6]),
        headers: crate::event::Headers::default(),
    };
    encoder.header.base_offset = offset;
    encoder.put(&record, timestamp, 0, 0);
    let start = out.len();
    out.resize(start + BatchHeader::LEN, 0);
    out.extend_from_slice(&encoder.body);
    seal(&encoder.header, start, out);
}

/// Appends what is left of a batch when all its records are taken out, as the broker's own cleaner
/// leaves it: the same offsets, times, producer, sequence and part in a transaction. `batch` begins
/// with the batch; its records are not looked at. Gives the header of what was appended.
pub fn emptied(batch: &[u8], out: &mut Vec<u8>) -> Result<BatchHeader, CodecError> {
    let mut head = [0; BatchHeader::LEN];
    BatchHeader {
        compression: Compression::None,
        records: 0,
        ..BatchHeader::parse(batch)?
    }
    .seal(&mut head, &[]);
    out.extend_from_slice(&head);
    BatchHeader::parse(&head)
}

/// A header without records.
const fn blank(base_offset: u64, options: &BatchOptions) -> BatchHeader {
    BatchHeader {
        base_offset,
        length: 0,
        leader_epoch: options.leader_epoch,
        crc: 0,
        compression: options.compression,
        timestamp_type: options.timestamp_type,
        transactional: options.transactional,
        control: false,
        delete_horizon: false,
        last_offset_delta: 0,
        base_timestamp: NO_TIMESTAMP,
        max_timestamp: NO_TIMESTAMP,
        producer_id: options.producer_id,
        producer_epoch: options.producer_epoch,
        base_sequence: options.base_sequence,
        records: 0,
    }
}

/// `None` when a batch of that base cannot cover the offset.
fn delta(base: u64, offset: u64) -> Option<u32> {
    let delta = offset.checked_sub(base)?;
    (offset < i64::MAX.cast_unsigned() && delta <= MAX as u64).then_some(delta as u32)
}

fn put_len(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_varint(
        out,
        bytes.map_or(-1, |bytes| bytes.len().cast_signed() as i64),
    );
}

/// Appends the batch of these records; on an error `out` is as before.
fn append(
    header: &BatchHeader,
    body: &[u8],
    deflater: &mut Deflater,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let start = out.len();
    out.resize(start + BatchHeader::LEN, 0);
    let done = deflater.deflate(header.compression, body, out);
    let fits = out.len() - start <= MAX;
    if done.is_ok() && fits {
        seal(header, start, out);
        return Ok(());
    }
    out.truncate(start);
    done.and(Err(CodecError::Unfit {
        index: header.records,
        reason: "a batch holds at most 2 GiB",
    }))
}

/// Fills in the header at `start`, in front of the body.
fn seal(header: &BatchHeader, start: usize, out: &mut [u8]) {
    if let Some((head, body)) = out[start..].split_first_chunk_mut() {
        header.seal(head, body);
    }
}
