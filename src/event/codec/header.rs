//! The 61 bytes in front of the records of a batch. Nothing here looks at the records.

use super::CodecError;
use crate::event::{BatchMeta, Compression, Timestamp, TimestampType, Visibility};

/// The only format that is read: v2, since Kafka 0.11.
const MAGIC: u8 = 2;
/// Base offset and length, which the length does not count.
const PREFIX: usize = 12;

/// Where the fields stand.
const AT_BASE_OFFSET: usize = 0;
const AT_LENGTH: usize = 8;
const AT_LEADER_EPOCH: usize = 12;
const AT_MAGIC: usize = 16;
const AT_CRC: usize = 17;
/// The CRC covers everything from here on.
const AT_ATTRIBUTES: usize = 21;
const AT_LAST_OFFSET_DELTA: usize = 23;
const AT_BASE_TIMESTAMP: usize = 27;
const AT_MAX_TIMESTAMP: usize = 35;
const AT_PRODUCER_ID: usize = 43;
const AT_PRODUCER_EPOCH: usize = 51;
const AT_BASE_SEQUENCE: usize = 53;
const AT_RECORDS: usize = 57;

/// Bits of the attributes; the lowest three are the compression.
const COMPRESSION: i16 = 0x07;
const APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_HORIZON: i16 = 0x40;

/// The header of one record batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: u64,
    /// As on the wire: without the first twelve bytes. [`BatchHeader::size`] counts them.
    pub length: u32,
    pub leader_epoch: i32,
    pub crc: u32,
    pub compression: Compression,
    pub timestamp_type: TimestampType,
    pub transactional: bool,
    pub control: bool,
    /// The base timestamp is the time at which the cleaner may drop the batch's tombstones.
    pub delete_horizon: bool,
    pub last_offset_delta: u32,
    pub base_timestamp: Timestamp,
    pub max_timestamp: Timestamp,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    /// Records that are left in the batch.
    pub records: u32,
}

impl BatchHeader {
    /// Bytes of a header, and so of the smallest batch.
    pub const LEN: usize = 61;

    /// Reads the header at the front of `bytes`, which may hold any more. Checks each field, not
    /// the checksum.
    pub fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        // Before the length: an old message may be shorter than a batch header.
        match bytes.get(AT_MAGIC) {
            Some(&MAGIC) | None => {}
            Some(&magic @ (0 | 1)) => return Err(CodecError::OldFormat { magic }),
            Some(&magic) => return Err(CodecError::NotABatch { magic }),
        }
        let Some(head) = bytes.first_chunk::<{ Self::LEN }>() else {
            return Err(CodecError::Truncated {
                need: Self::LEN,
                have: bytes.len(),
            });
        };
        let attributes = i16::from_be_bytes(field(head, AT_ATTRIBUTES));
        let header = Self {
            base_offset: offset(head)?,
            length: length(head)?,
            leader_epoch: i32::from_be_bytes(field(head, AT_LEADER_EPOCH)),
            crc: u32::from_be_bytes(field(head, AT_CRC)),
            compression: compression(attributes)?,
            timestamp_type: if attributes & APPEND_TIME == 0 {
                TimestampType::Create
            } else {
                TimestampType::Append
            },
            transactional: attributes & TRANSACTIONAL != 0,
            control: attributes & CONTROL != 0,
            delete_horizon: attributes & DELETE_HORIZON != 0,
            last_offset_delta: count(head, "last offset delta", AT_LAST_OFFSET_DELTA)?,
            base_timestamp: Timestamp(i64::from_be_bytes(field(head, AT_BASE_TIMESTAMP))),
            max_timestamp: Timestamp(i64::from_be_bytes(field(head, AT_MAX_TIMESTAMP))),
            producer_id: i64::from_be_bytes(field(head, AT_PRODUCER_ID)),
            producer_epoch: i16::from_be_bytes(field(head, AT_PRODUCER_EPOCH)),
            base_sequence: i32::from_be_bytes(field(head, AT_BASE_SEQUENCE)),
            records: count(head, "record count", AT_RECORDS)?,
        };
        if header.next_offset() > i64::MAX.cast_unsigned() {
            return Err(wrong(
                "base offset",
                header.base_offset.cast_signed(),
                AT_BASE_OFFSET,
            ));
        }
        Ok(header)
    }

    /// Reads the header at the front of `bytes`, and checks that the whole batch is there and that
    /// its checksum is right. The checksum leaves out the base offset and the leader epoch.
    pub fn check(bytes: &[u8]) -> Result<Self, CodecError> {
        let header = Self::parse(bytes)?;
        let Some(batch) = bytes.get(..header.size()) else {
            return Err(CodecError::Truncated {
                need: header.size(),
                have: bytes.len(),
            });
        };
        let computed = crc32c::crc32c(&batch[AT_ATTRIBUTES..]);
        if computed != header.crc {
            return Err(CodecError::Checksum {
                stored: header.crc,
                computed,
            });
        }
        Ok(header)
    }

    /// Bytes of the whole batch, the first twelve included.
    pub const fn size(&self) -> usize {
        PREFIX + self.length as usize
    }

    /// The offset after the batch, whatever the cleaner took out of it.
    pub const fn next_offset(&self) -> u64 {
        self.base_offset + self.last_offset_delta as u64 + 1
    }

    /// What travels with the events of the batch.
    pub const fn meta(&self, stream: u32, visibility: Visibility) -> BatchMeta {
        BatchMeta {
            stream,
            base_offset: self.base_offset,
            last_offset_delta: self.last_offset_delta,
            leader_epoch: self.leader_epoch,
            crc: self.crc,
            compression: self.compression,
            timestamp_type: self.timestamp_type,
            transactional: self.transactional,
            max_timestamp: self.max_timestamp,
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            records: self.records,
            visibility,
        }
    }

    /// Writes the header into the first bytes of `batch`, with the length and the checksum that
    /// fit what follows it there; the `length` and `crc` fields of `self` do not matter.
    pub(super) fn seal(&self, batch: &mut [u8; Self::LEN], body: &[u8]) {
        let length = (Self::LEN - PREFIX + body.len()) as u32;
        put(batch, AT_BASE_OFFSET, self.base_offset.to_be_bytes());
        put(batch, AT_LENGTH, length.to_be_bytes());
        put(batch, AT_LEADER_EPOCH, self.leader_epoch.to_be_bytes());
        batch[AT_MAGIC] = MAGIC;
        put(batch, AT_ATTRIBUTES, self.attributes().to_be_bytes());
        put(
            batch,
            AT_LAST_OFFSET_DELTA,
            self.last_offset_delta.to_be_bytes(),
        );
        put(
            batch,
            AT_BASE_TIMESTAMP,
            self.base_timestamp.0.to_be_bytes(),
        );
        put(batch, AT_MAX_TIMESTAMP, self.max_timestamp.0.to_be_bytes());
        put(batch, AT_PRODUCER_ID, self.producer_id.to_be_bytes());
        put(batch, AT_PRODUCER_EPOCH, self.producer_epoch.to_be_bytes());
        put(batch, AT_BASE_SEQUENCE, self.base_sequence.to_be_bytes());
        put(batch, AT_RECORDS, self.records.to_be_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&batch[AT_ATTRIBUTES..]), body);
        put(batch, AT_CRC, crc.to_be_bytes());
    }

    const fn attributes(&self) -> i16 {
        let mut bits = self.compression as i16;
        if matches!(self.timestamp_type, TimestampType::Append) {
            bits |= APPEND_TIME;
        }
        if self.transactional {
            bits |= TRANSACTIONAL;
        }
        if self.control {
            bits |= CONTROL;
        }
        if self.delete_horizon {
            bits |= DELETE_HORIZON;
        }
        bits
    }
}

fn field<const N: usize>(head: &[u8; BatchHeader::LEN], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&head[at..at + N]);
    bytes
}

fn put<const N: usize>(batch: &mut [u8; BatchHeader::LEN], at: usize, bytes: [u8; N]) {
    batch[at..at + N].copy_from_slice(&bytes);
}

fn offset(head: &[u8; BatchHeader::LEN]) -> Result<u64, CodecError> {
    let value = i64::from_be_bytes(field(head, AT_BASE_OFFSET));
    u64::try_from(value).map_err(|_| wrong("base offset", value, AT_BASE_OFFSET))
}

fn length(head: &[u8; BatchHeader::LEN]) -> Result<u32, CodecError> {
    let value = i32::from_be_bytes(field(head, AT_LENGTH));
    u32::try_from(value)
        .ok()
        .filter(|&length| length as usize >= BatchHeader::LEN - PREFIX)
        .ok_or_else(|| wrong("length", value.into(), AT_LENGTH))
}

fn count(head: &[u8; BatchHeader::LEN], name: &'static str, at: usize) -> Result<u32, CodecError> {
    let value = i32::from_be_bytes(field(head, at));
    u32::try_from(value).map_err(|_| wrong(name, value.into(), at))
}

fn compression(attributes: i16) -> Result<Compression, CodecError> {
    Ok(match attributes & COMPRESSION {
        0 => Compression::None,
        1 => Compression::Gzip,
        2 => Compression::Snappy,
        3 => Compression::Lz4,
        4 => Compression::Zstd,
        id => return Err(CodecError::Compression { id }),
    })
}

const fn wrong(field: &'static str, value: i64, at: usize) -> CodecError {
    CodecError::Header { field, value, at }
}
