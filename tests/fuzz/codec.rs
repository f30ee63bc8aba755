//! The record batch, below its checksum and above.

use evtap::event::codec::{BatchHeader, BatchOptions, Decoder, Encoder, Record};
use evtap::event::{Compression, HeaderBuf, Timestamp, TimestampType};

use crate::{fuzz, seeds};

const LIMIT: usize = 1024 * 1024;

/// A batch of each compression.
fn batches() -> Vec<Vec<u8>> {
    let mut headers = HeaderBuf::default();
    headers.push(b"trace", Some(b"00-1"));
    headers.push(b"none", None);
    let all = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    let batch = |compression| {
        let mut encoder = Encoder::new();
        let options = BatchOptions {
            compression,
            ..BatchOptions::default()
        };
        encoder.begin(40, &options);
        for (offset, value) in [
            (40, Some(&b"{\"a\":1}"[..])),
            (41, None),
            (45, Some(&[b'x'; 90])),
        ] {
            let record = Record {
                offset,
                timestamp: Timestamp(1_692_100_000_000 + offset.cast_signed()),
                timestamp_type: TimestampType::Create,
                key: Some(b"ord-444"),
                value,
                headers: headers.as_headers(),
            };
            encoder.push(&record).unwrap();
        }
        let mut out = Vec::new();
        encoder.finish(None, &mut out).unwrap();
        out
    };
    all.map(batch).to_vec()
}

#[test]
fn record_batches() {
    let mut decoder = Decoder::new(LIMIT);
    let mut bent = Vec::new();
    fuzz("record batch", 5, &batches(), |bytes, dice| {
        bent.clear();
        bent.extend_from_slice(bytes);
        // Most get a length and a checksum that fit, so that the damage comes further.
        if bent.len() >= BatchHeader::LEN && dice.below(8) > 0 {
            let length = (bent.len() - 12) as u32;
            bent[8..12].copy_from_slice(&length.to_be_bytes());
            let sum = seeds::crc32c(&bent[21..]);
            bent[17..21].copy_from_slice(&sum.to_be_bytes());
        }
        let Ok(records) = decoder.decode(&bent) else {
            return false;
        };
        records.marker();
        let mut whole = true;
        let mut count = 0;
        for record in records {
            count += 1;
            assert!(count <= LIMIT);
            let Ok(record) = record else {
                whole = false;
                break;
            };
            assert!(record.value.map_or(0, <[u8]>::len) <= LIMIT);
            record.headers.count();
        }
        whole
    });
}
