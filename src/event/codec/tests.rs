//! Tests of both directions together, and what they share. What a real broker wrote is
//! decoded in `tests/codec.rs`.

mod properties;
mod shapes;
mod streams;

use super::*;
use crate::event::{Compression, HeaderBuf, Timestamp, TimestampType};

const LIMIT: usize = 16 * 1024 * 1024;

const CODECS: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

/// A record that owns its bytes.
#[derive(Debug, Clone, PartialEq)]
struct Owned {
    offset: u64,
    timestamp: Timestamp,
    timestamp_type: TimestampType,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: HeaderBuf,
}

impl Owned {
    fn of(record: &Record<'_>) -> Self {
        let mut headers = HeaderBuf::default();
        for (key, value) in record.headers {
            headers.push(key, value);
        }
        Self {
            offset: record.offset,
            timestamp: record.timestamp,
            timestamp_type: record.timestamp_type,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers,
        }
    }

    fn borrow(&self) -> Record<'_> {
        Record {
            offset: self.offset,
            timestamp: self.timestamp,
            timestamp_type: self.timestamp_type,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.as_headers(),
        }
    }
}

fn encode(base: u64, options: &BatchOptions, records: &[Owned], last: Option<u64>) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.begin(base, options);
    for record in records {
        encoder.push(&record.borrow()).unwrap();
    }
    assert_eq!(encoder.len(), records.len());
    let mut out = b"before".to_vec();
    encoder.finish(last, &mut out).unwrap();
    out.split_off(6)
}

fn decode(batch: &[u8]) -> Result<Vec<Owned>, CodecError> {
    let mut decoder = Decoder::new(LIMIT);
    let records = decoder.decode(batch)?;
    records.map(|r| r.map(|r| Owned::of(&r))).collect()
}

/// Puts the length and the checksum right again.
fn reseal(batch: &mut [u8]) {
    let length = (batch.len() - 12) as u32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

fn plain(offset: u64, value: &[u8]) -> Owned {
    Owned {
        offset,
        timestamp: Timestamp(1_692_100_000_000),
        timestamp_type: TimestampType::Create,
        key: None,
        value: Some(value.to_vec()),
        headers: HeaderBuf::default(),
    }
}

fn compressed(compression: Compression) -> BatchOptions {
    BatchOptions {
        compression,
        ..BatchOptions::default()
    }
}
