//! Properties over random batches: identity, and damage that is an error but never a panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

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

    /// Up to the record with the hit, and what was passed is told as it is read.
    #[test]
    fn records_are_passed_up_to_a_hit(
        (base, options, records, last) in batches(),
        at in any::<prop::sample::Index>(),
    ) {
        let batch = encode(base, &options, &records, Some(last));
        let mut decoder = Decoder::new(LIMIT);
        let mut read = decoder.decode(&batch).unwrap();
        let mut passed = read.clone();
        let hit = Some(at.index(read.body().len() + 1)).filter(|hit| *hit < read.body().len());
        loop {
            let before = read.at();
            let Some(record) = read.next() else { break };
            let record = record.unwrap();
            if hit.is_some_and(|hit| (before..read.at()).contains(&hit)) {
                prop_assert!(passed.pass(hit).is_none());
                prop_assert_eq!(passed.at(), before);
                prop_assert_eq!(passed.next().unwrap().unwrap(), record);
                return Ok(());
            }
            let part = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
            let size = part(record.key) + part(record.value) + record.headers.encoded().len();
            prop_assert_eq!(passed.pass(hit).unwrap().unwrap(), (record.offset, size));
        }
        prop_assert!(hit.is_none());
        prop_assert!(passed.pass(hit).is_none());
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
