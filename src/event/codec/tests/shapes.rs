//! Kinds of batches, and header fields and records that cannot be.

use super::*;
use crate::event::{Headers, Marker, Visibility};

#[test]
fn an_empty_batch_keeps_its_offsets() {
    for codec in CODECS {
        let batch = encode(100, &compressed(codec), &[], Some(149));
        assert_eq!(batch.len(), BatchHeader::LEN);
        let header = BatchHeader::parse(&batch).unwrap();
        assert_eq!((header.base_offset, header.next_offset()), (100, 150));
        assert_eq!(decode(&batch).unwrap(), []);
    }
}

#[test]
fn an_empty_batch_that_claims_a_compression_is_read() {
    let mut batch = encode(100, &BatchOptions::default(), &[], None);
    batch[22] |= Compression::Lz4 as u8;
    reseal(&mut batch);
    assert_eq!(decode(&batch).unwrap(), []);
}

#[test]
fn an_encoder_goes_on_at_the_next_offset() {
    let mut encoder = Encoder::new();
    encoder.begin(10, &compressed(Compression::Lz4));
    encoder.push(&plain(10, b"a").borrow()).unwrap();
    let mut out = Vec::new();
    encoder.finish(Some(12), &mut out).unwrap();
    let first = out.len();
    encoder.push(&plain(14, b"b").borrow()).unwrap();
    encoder.finish(None, &mut out).unwrap();
    let header = BatchHeader::parse(&out[first..]).unwrap();
    assert_eq!(header.base_offset, 13);
    assert_eq!(header.compression, Compression::Lz4);
    assert_eq!(decode(&out).unwrap(), [plain(10, b"a")]);
    assert_eq!(decode(&out[first..]).unwrap(), [plain(14, b"b")]);
}

#[test]
fn control_batches_say_what_they_are() {
    for marker in [Marker::Abort, Marker::Commit, Marker::Other(5)] {
        let mut batch = Vec::new();
        control_batch(42, Timestamp(1000), 7, 3, marker, &mut batch);
        let mut decoder = Decoder::new(LIMIT);
        let records = decoder.decode(&batch).unwrap();
        assert_eq!(records.marker(), Some(marker));
        let header = *records.header();
        assert!(header.control && header.transactional);
        assert_eq!((header.producer_id, header.producer_epoch), (7, 3));
        assert_eq!((header.base_offset, header.next_offset()), (42, 43));
        assert_eq!(header.max_timestamp, Timestamp(1000));
        assert_eq!(records.count(), 1);
        let meta = header.meta(2, Visibility::Control(marker));
        assert_eq!((meta.stream, meta.next_offset()), (2, 43));
    }
    let batch = encode(0, &BatchOptions::default(), &[plain(0, b"x")], None);
    assert_eq!(Decoder::new(LIMIT).decode(&batch).unwrap().marker(), None);
}

#[test]
fn a_record_without_timestamp_stays_without() {
    let mut record = plain(0, b"x");
    record.timestamp_type = TimestampType::None;
    record.timestamp = Timestamp(0);
    let options = BatchOptions {
        timestamp_type: TimestampType::None,
        ..BatchOptions::default()
    };
    let batch = encode(0, &options, &[record, plain(1, b"y")], None);
    let decoded = decode(&batch).unwrap();
    assert_eq!(decoded[0].timestamp_type, TimestampType::None);
    assert_eq!(decoded[1], plain(1, b"y"));
}

#[test]
fn an_appended_batch_has_one_timestamp() {
    let mut late = plain(1, b"y");
    late.timestamp = Timestamp(late.timestamp.0 + 5000);
    let options = BatchOptions {
        timestamp_type: TimestampType::Append,
        ..BatchOptions::default()
    };
    let batch = encode(0, &options, &[plain(0, b"x"), late.clone()], None);
    for record in decode(&batch).unwrap() {
        assert_eq!(record.timestamp, late.timestamp);
        assert_eq!(record.timestamp_type, TimestampType::Append);
    }
}

#[test]
fn old_formats_and_strangers_are_told_apart() {
    let mut batch = encode(0, &BatchOptions::default(), &[], None);
    for (magic, error) in [
        (0, CodecError::OldFormat { magic: 0 }),
        (1, CodecError::OldFormat { magic: 1 }),
        (b'{', CodecError::NotABatch { magic: b'{' }),
    ] {
        batch[16] = magic;
        assert_eq!(decode(&batch), Err(error.clone()));
        // An old message may be shorter than the header of a batch.
        assert_eq!(decode(&batch[..34]), Err(error));
    }
}

#[test]
fn impossible_header_fields_are_named() {
    let good = encode(7, &BatchOptions::default(), &[plain(7, b"x")], None);
    for (range, field) in [
        (0..8, "base offset"),
        (8..12, "length"),
        (23..27, "last offset delta"),
        (57..61, "record count"),
    ] {
        let mut batch = good.clone();
        let at = range.start;
        batch[range].fill(0xff);
        let error = decode(&batch).unwrap_err();
        assert_eq!(
            error,
            CodecError::Header {
                field,
                value: -1,
                at
            }
        );
    }
    let mut batch = good.clone();
    batch[0..8].copy_from_slice(&i64::MAX.to_be_bytes());
    assert!(matches!(
        decode(&batch),
        Err(CodecError::Header { at: 0, .. })
    ));
    let mut batch = good;
    batch[22] |= 7;
    assert_eq!(decode(&batch), Err(CodecError::Compression { id: 7 }));
}

#[test]
fn offsets_that_do_not_rise_are_refused_both_ways() {
    let mut encoder = Encoder::new();
    encoder.begin(10, &BatchOptions::default());
    assert!(encoder.push(&plain(9, b"").borrow()).is_err());
    encoder.push(&plain(10, b"").borrow()).unwrap();
    assert!(encoder.push(&plain(10, b"").borrow()).is_err());
    assert!(encoder.push(&plain(10 + (1 << 31), b"").borrow()).is_err());
    assert!(encoder.finish(Some(9), &mut Vec::new()).is_err());
    let mut out = Vec::new();
    encoder.finish(None, &mut out).unwrap();
    // Twice the same record.
    let record = out[61..].to_vec();
    out.extend_from_slice(&record);
    out[60] = 2;
    reseal(&mut out);
    let error = decode(&out).unwrap_err().to_string();
    assert!(error.contains("record 1"), "{error}");
}

#[test]
fn headers_must_fill_their_record() {
    let mut record = plain(0, b"v");
    record.headers.push(b"k", Some(b"v"));
    let mut batch = encode(0, &BatchOptions::default(), &[record], None);
    // The count of headers is the byte in front of the five bytes of the only one.
    let at = batch.len() - 5;
    for count in [0, 4, 1] {
        batch[at] = count;
        reseal(&mut batch);
        let error = decode(&batch).unwrap_err().to_string();
        assert!(error.contains("headers"), "{error}");
    }
    let mut encoder = Encoder::new();
    let record = plain(0, b"");
    let broken = Record {
        headers: Headers::from_encoded(b"\x04a"),
        ..record.borrow()
    };
    assert!(encoder.push(&broken).is_err());
}

#[test]
fn more_bytes_than_records_are_an_error() {
    let mut batch = encode(0, &BatchOptions::default(), &[plain(0, b"v")], None);
    batch.push(0);
    reseal(&mut batch);
    let mut decoder = Decoder::new(LIMIT);
    let all: Vec<_> = decoder.decode(&batch).unwrap().collect();
    assert_eq!(all.len(), 2);
    assert!(all[0].is_ok() && all[1].is_err());
}

#[test]
fn a_huge_record_count_allocates_nothing() {
    let mut batch = encode(0, &BatchOptions::default(), &[plain(0, b"v")], None);
    batch[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    reseal(&mut batch);
    let mut decoder = Decoder::new(LIMIT);
    let all: Vec<_> = decoder.decode(&batch).unwrap().collect();
    assert_eq!(all.len(), 2);
    assert!(all[1].is_err());
}

#[test]
fn an_emptied_batch_keeps_all_but_its_records() {
    for codec in CODECS {
        for timestamp_type in [TimestampType::Create, TimestampType::Append] {
            let options = BatchOptions {
                compression: codec,
                timestamp_type,
                transactional: true,
                producer_id: 7,
                producer_epoch: 3,
                base_sequence: 12,
                leader_epoch: 5,
            };
            let records = [plain(100, b"a"), plain(104, b"b")];
            let mut batch = encode(100, &options, &records, Some(149));
            let before = BatchHeader::parse(&batch).unwrap();
            batch.extend_from_slice(b"what comes after is not looked at");
            let mut out = b"before".to_vec();
            let header = emptied(&batch, &mut out).unwrap();
            let left = out.split_off(6);
            assert_eq!((&out[..], left.len()), (&b"before"[..], BatchHeader::LEN));
            assert_eq!(BatchHeader::check(&left).unwrap(), header);
            let expected = BatchHeader {
                compression: Compression::None,
                records: 0,
                length: header.length,
                crc: header.crc,
                ..before
            };
            assert_eq!(header, expected);
            assert_eq!(
                (header.next_offset(), header.max_timestamp),
                (150, before.max_timestamp)
            );
            assert_eq!(decode(&left).unwrap(), []);
            let mut again = Vec::new();
            emptied(&left, &mut again).unwrap();
            assert_eq!(again, left);
        }
    }
    let cut = encode(0, &BatchOptions::default(), &[plain(0, b"x")], None);
    let mut out = Vec::new();
    assert!(emptied(&cut[..60], &mut out).is_err() && out.is_empty());
}

#[test]
fn a_check_finds_what_a_decoder_would_but_for_the_records() {
    let batch = encode(0, &compressed(Compression::Lz4), &[plain(0, b"x")], None);
    let header = BatchHeader::check(&batch).unwrap();
    assert_eq!(header, BatchHeader::parse(&batch).unwrap());
    let cut = BatchHeader::check(&batch[..batch.len() - 1]);
    assert!(matches!(cut, Err(CodecError::Truncated { .. })));
    let mut flipped = batch;
    let end = flipped.len() - 1;
    flipped[end] ^= 1;
    let wrong = BatchHeader::check(&flipped);
    assert!(matches!(wrong, Err(CodecError::Checksum { .. })));
}
