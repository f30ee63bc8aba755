//! Tests of both directions together: identity, damage, limits. What a real broker wrote is
//! decoded in `tests/codec.rs`.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::event::{Compression, HeaderBuf, Marker, Timestamp, TimestampType, Visibility};

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

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        // Long enough for several varint bytes, and worth compressing.
        (any::<u8>(), 0..3000usize).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

fn headers() -> impl Strategy<Value = HeaderBuf> {
    vec((bytes(), option::of(bytes())), 0..4).prop_map(|all| {
        let mut headers = HeaderBuf::default();
        for (key, value) in &all {
            headers.push(key, value.as_deref());
        }
        headers
    })
}

fn codec() -> impl Strategy<Value = Compression> {
    (0..CODECS.len()).prop_map(|i| CODECS[i])
}

prop_compose! {
    fn options()(
        compression in codec(),
        append in any::<bool>(),
        transactional in any::<bool>(),
        producer_id in any::<i64>(),
        producer_epoch in any::<i16>(),
        base_sequence in any::<i32>(),
        leader_epoch in any::<i32>(),
    ) -> BatchOptions {
        BatchOptions {
            compression,
            timestamp_type: if append { TimestampType::Append } else { TimestampType::Create },
            transactional,
            producer_id,
            producer_epoch,
            base_sequence,
            leader_epoch,
        }
    }
}

/// A batch: base offset, options, records with holes between them, and a tail without records.
fn batches() -> impl Strategy<Value = (u64, BatchOptions, Vec<Owned>, u64)> {
    let record = (
        1..1000u64,
        any::<i64>(),
        option::of(bytes()),
        option::of(bytes()),
        headers(),
    );
    let base = prop_oneof![0..1000u64, Just(1u64 << 62)];
    (base, options(), vec(record, 0..30), 0..1000u64).prop_map(|(base, options, rows, tail)| {
        let mut offset = base;
        let newest = rows.iter().map(|row| row.1).max().unwrap_or(-1);
        let records: Vec<Owned> = rows
            .into_iter()
            .map(|(hole, timestamp, key, value, headers)| {
                offset += hole;
                // An appended batch has one timestamp, and -1 is none at all.
                let (timestamp, timestamp_type) = match options.timestamp_type {
                    TimestampType::Append => (newest, TimestampType::Append),
                    _ if timestamp == -1 => (-1, TimestampType::None),
                    _ => (timestamp, TimestampType::Create),
                };
                Owned {
                    offset,
                    timestamp: Timestamp(timestamp),
                    timestamp_type,
                    key,
                    value,
                    headers,
                }
            })
            .collect();
        let last = offset + tail;
        (base, options, records, last)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_encoded_is_decoded_again((base, options, records, last) in batches()) {
        let batch = encode(base, &options, &records, Some(last));
        let header = BatchHeader::parse(&batch).unwrap();
        prop_assert_eq!(header.size(), batch.len());
        prop_assert_eq!(header.base_offset, base);
        prop_assert_eq!(header.next_offset(), last + 1);
        prop_assert_eq!(header.records as usize, records.len());
        prop_assert_eq!(header.timestamp_type, options.timestamp_type);
        prop_assert_eq!(header.transactional, options.transactional);
        prop_assert_eq!(header.producer_id, options.producer_id);
        prop_assert_eq!(header.producer_epoch, options.producer_epoch);
        prop_assert_eq!(header.base_sequence, options.base_sequence);
        prop_assert_eq!(header.leader_epoch, options.leader_epoch);
        if !records.is_empty() {
            prop_assert_eq!(header.compression, options.compression);
        }
        prop_assert_eq!(decode(&batch).unwrap(), records);
    }

    #[test]
    fn a_flipped_byte_is_an_error_or_outside_the_checksum(
        (base, options, records, last) in batches(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255u8,
    ) {
        let mut batch = encode(base, &options, &records, Some(last));
        let at = at.index(batch.len());
        batch[at] ^= flip;
        let decoded = decode(&batch);
        match at {
            0..8 => if let Ok(decoded) = decoded {
                prop_assert_eq!(decoded.len(), records.len());
            },
            12..16 => prop_assert_eq!(decoded.unwrap(), records),
            _ => prop_assert!(decoded.is_err(), "byte {} is not missed", at),
        }
    }

    #[test]
    fn a_cut_batch_is_an_error(
        (base, options, records, last) in batches(),
        at in any::<prop::sample::Index>(),
    ) {
        let batch = encode(base, &options, &records, Some(last));
        let cut = at.index(batch.len());
        let truncated = matches!(decode(&batch[..cut]), Err(CodecError::Truncated { .. }));
        prop_assert!(truncated);
    }

    /// The checksum holds here, so the damage reaches the decompressors and the record reader.
    #[test]
    fn damage_below_the_checksum_never_panics(
        (base, options, records, last) in batches(),
        at in any::<prop::sample::Index>(),
        junk in vec(any::<u8>(), 1..20),
    ) {
        let mut batch = encode(base, &options, &records, Some(last));
        let at = BatchHeader::LEN + at.index(batch.len() - BatchHeader::LEN + 1);
        batch.splice(at..(at + junk.len() / 2).min(batch.len()), junk);
        reseal(&mut batch);
        if let Ok(decoded) = decode(&batch) {
            prop_assert!(decoded.len() <= records.len());
        }
    }

    #[test]
    fn any_bytes_behind_a_header_never_panic(
        (base, options, _, last) in batches(),
        codec in codec(),
        count in any::<i32>(),
        junk in vec(any::<u8>(), 0..200),
    ) {
        let mut batch = encode(base, &options, &[], Some(last));
        batch[22] = batch[22] & !7 | codec as u8;
        batch[57..61].copy_from_slice(&count.to_be_bytes());
        batch.extend_from_slice(&junk);
        reseal(&mut batch);
        let mut decoder = Decoder::new(LIMIT);
        if let Ok(records) = decoder.decode(&batch) {
            records.marker();
            prop_assert!(records.take(1000).count() <= junk.len() + 1);
        }
    }
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

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = [plain(0, &vec![0; 8 * 1024 * 1024])];
    for codec in CODECS.into_iter().skip(1) {
        let batch = encode(0, &compressed(codec), &bomb, None);
        assert!(batch.len() < 600_000, "{codec:?}: {}", batch.len());
        let mut decoder = Decoder::new(1024 * 1024);
        let error = decoder.decode(&batch).unwrap_err();
        assert_eq!(
            error,
            CodecError::TooLarge { limit: 1024 * 1024 },
            "{codec:?}"
        );
    }
}

#[test]
fn the_limit_itself_is_not_too_large() {
    let records = [plain(0, &vec![7; 300_000])];
    for codec in CODECS.into_iter().skip(1) {
        let batch = encode(0, &compressed(codec), &records, None);
        let size = Decoder::new(LIMIT).decode(&batch).unwrap().body().len();
        assert!(Decoder::new(size).decode(&batch).is_ok(), "{codec:?}");
        assert_eq!(
            Decoder::new(size - 1).decode(&batch).unwrap_err(),
            CodecError::TooLarge { limit: size - 1 },
            "{codec:?}"
        );
    }
}

#[test]
fn a_decoder_is_reused_across_codecs_and_sizes() {
    let mut decoder = Decoder::new(LIMIT);
    for size in [10, 9_000_000, 100, 70_000, 3] {
        for codec in CODECS {
            let records = [plain(5, &vec![size as u8; size])];
            let batch = encode(5, &compressed(codec), &records, None);
            let decoded = decoder.decode(&batch).unwrap().next().unwrap().unwrap();
            assert_eq!(Owned::of(&decoded), records[0]);
        }
    }
}

#[test]
fn bytes_that_do_not_compress_survive_every_codec() {
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    })
    .take(500_000)
    .collect();
    let records = [plain(0, &noise), plain(1, &noise)];
    for codec in CODECS {
        let batch = encode(0, &compressed(codec), &records, None);
        assert_eq!(decode(&batch).unwrap(), records, "{codec:?}");
    }
}

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
        headers: crate::event::Headers::from_encoded(b"\x04a"),
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

/// `None` puts the bytes behind a header of one record, as they are.
fn hand_made(codec: Compression, stored: &[u8]) -> Vec<u8> {
    let mut batch = encode(0, &BatchOptions::default(), &[plain(0, b"")], None);
    batch.truncate(BatchHeader::LEN);
    batch[22] |= codec as u8;
    batch.extend_from_slice(stored);
    reseal(&mut batch);
    batch
}

/// The body of a batch of one record with this value.
fn body(value: &[u8]) -> Vec<u8> {
    let batch = encode(0, &BatchOptions::default(), &[plain(0, value)], None);
    batch[BatchHeader::LEN..].to_vec()
}

#[test]
fn bare_snappy_as_librdkafka_writes_it_is_read() {
    let bare = snap::raw::Encoder::new()
        .compress_vec(&body(b"bare"))
        .unwrap();
    let batch = hand_made(Compression::Snappy, &bare);
    assert_eq!(decode(&batch).unwrap(), [plain(0, b"bare")]);
}

#[test]
fn joined_snappy_streams_are_one() {
    let whole = encode(
        0,
        &compressed(Compression::Snappy),
        &[plain(0, &[7; 40_000])],
        None,
    );
    let body = body(&[7; 40_000]);
    let mut joined = Vec::new();
    for half in [&body[..9000], &body[9000..]] {
        joined.extend_from_slice(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        let chunk = snap::raw::Encoder::new().compress_vec(half).unwrap();
        joined.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        joined.extend_from_slice(&chunk);
    }
    let batch = hand_made(Compression::Snappy, &joined);
    assert_eq!(decode(&batch).unwrap(), decode(&whole).unwrap());
}

#[test]
fn a_snappy_block_that_claims_gigabytes_is_refused() {
    let batch = hand_made(Compression::Snappy, b"\xff\xff\xff\xff\x0f\x00a");
    let mut decoder = Decoder::new(usize::MAX);
    assert!(matches!(
        decoder.decode(&batch),
        Err(CodecError::Inflate {
            codec: "snappy",
            ..
        })
    ));
}

#[test]
fn lz4_frames_of_every_shape_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let value: Vec<u8> = (0..300_000u32)
        .flat_map(|i| (i / 7).to_le_bytes())
        .collect();
    let body = body(&value);
    for mode in [BlockMode::Independent, BlockMode::Linked] {
        for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max4MB] {
            for checks in [false, true] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_size(size)
                    .block_checksums(checks)
                    .content_checksum(checks)
                    .content_size(checks.then_some(body.len() as u64));
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                std::io::Write::write_all(&mut encoder, &body).unwrap();
                let batch = hand_made(Compression::Lz4, &encoder.finish().unwrap());
                assert_eq!(decode(&batch).unwrap(), [plain(0, &value)]);
            }
        }
    }
}

#[test]
fn a_cut_stream_is_an_error_in_every_codec() {
    let value: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
    for codec in CODECS {
        let whole = encode(0, &compressed(codec), &[plain(0, &value)], None);
        for cut in [1, 4, 5, 100, 10_000] {
            let mut batch = whole[..whole.len() - cut].to_vec();
            reseal(&mut batch);
            assert!(
                decode(&batch).is_err(),
                "{codec:?} without its last {cut} bytes"
            );
        }
    }
}

#[test]
fn joined_gzip_members_are_one() {
    let body = body(&[7; 40_000]);
    let mut joined = Vec::new();
    for half in [&body[..9000], &body[9000..]] {
        let mut encoder = flate2::write::GzEncoder::new(&mut joined, flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, half).unwrap();
        encoder.finish().unwrap();
    }
    let batch = hand_made(Compression::Gzip, &joined);
    assert_eq!(decode(&batch).unwrap(), [plain(0, &[7; 40_000])]);
}
