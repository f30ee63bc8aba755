//! The codec against batches that a real Kafka wrote (`tests/data/batches/README.md`): records as
//! librdkafka reads them, headers as Kafka's own tool prints them, and our bytes equal to its.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evtap::event::codec::{
    BatchHeader, BatchOptions, CodecError, Decoder, Encoder, Record, control_batch,
};
use evtap::event::{Compression, Marker, Timestamp, TimestampType};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LIMIT: usize = 1024 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/batches")
}

/// The names of all fixtures, from the folder itself: none is forgotten.
fn fixtures() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 13, "{names:?}");
    names
}

fn text(name: &str, extension: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.{extension}"))).unwrap()
}

/// The batches of a log, each in its own slice.
fn batches(log: &[u8]) -> Vec<&[u8]> {
    let mut rest = log;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(BatchHeader::parse(rest).unwrap().size());
        all.push(batch);
        rest = after;
    }
    all
}

fn log(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.log"))).unwrap()
}

fn bytes(data: Option<&[u8]>) -> Value {
    match data {
        None => Value::Null,
        Some(data) if data.len() > 1000 => {
            let mut hex = String::new();
            for byte in Sha256::digest(data) {
                write!(hex, "{byte:02x}").unwrap();
            }
            json!({ "len": data.len(), "sha256": hex })
        }
        Some(data) => json!(STANDARD.encode(data)),
    }
}

fn row(record: &Record<'_>) -> Value {
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|(key, value)| json!([bytes(Some(key)), bytes(value)]))
        .collect();
    json!({
        "offset": record.offset,
        "timestamp": record.timestamp.0,
        "timestamp_type": record.timestamp_type.name(),
        "key": bytes(record.key),
        "value": bytes(record.value),
        "headers": headers,
    })
}

#[test]
fn records_are_those_that_librdkafka_reads() {
    for name in fixtures() {
        let log = log(&name);
        let mut decoder = Decoder::new(LIMIT);
        let mut found = Vec::new();
        for batch in batches(&log) {
            let records = decoder.decode(batch).unwrap();
            let control = records.header().control;
            for record in records {
                let record = record.unwrap();
                if !control {
                    found.push(row(&record));
                }
            }
        }
        let expected: Vec<Value> = text(&name, "jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(!expected.is_empty(), "{name}");
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_record_that_is_passed_tells_as_much_of_itself_as_one_that_is_read() {
    for name in fixtures() {
        let log = log(&name);
        let mut decoder = Decoder::new(LIMIT);
        for batch in batches(&log) {
            let mut read = decoder.decode(batch).unwrap();
            let mut passed = read.clone();
            loop {
                let next = read.next();
                let told = passed.pass(None).transpose().unwrap();
                let Some(record) = next.transpose().unwrap() else {
                    assert_eq!(told, None, "{name}");
                    break;
                };
                let part = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
                let size = part(record.key) + part(record.value) + record.headers.encoded().len();
                assert_eq!(told, Some((record.offset, size)), "{name}");
                assert_eq!(passed.at(), read.at(), "{name}");
            }
        }
    }
}

/// A header in the words of `DumpLogSegments`.
fn dump(header: &BatchHeader) -> BTreeMap<String, String> {
    let last_sequence = match header.base_sequence {
        -1 => -1,
        first => first + header.last_offset_delta.cast_signed(),
    };
    let horizon = if header.delete_horizon {
        format!("OptionalLong[{}]", header.base_timestamp.0)
    } else {
        "OptionalLong.empty".to_owned()
    };
    let time = match header.timestamp_type {
        TimestampType::Append => "LogAppendTime",
        _ => "CreateTime",
    };
    let codec = format!("{:?}", header.compression).to_lowercase();
    [
        ("baseOffset", header.base_offset.to_string()),
        ("lastOffset", (header.next_offset() - 1).to_string()),
        ("count", header.records.to_string()),
        ("baseSequence", header.base_sequence.to_string()),
        ("lastSequence", last_sequence.to_string()),
        ("producerId", header.producer_id.to_string()),
        ("producerEpoch", header.producer_epoch.to_string()),
        ("partitionLeaderEpoch", header.leader_epoch.to_string()),
        ("isTransactional", header.transactional.to_string()),
        ("isControl", header.control.to_string()),
        ("deleteHorizonMs", horizon),
        (time, header.max_timestamp.0.to_string()),
        ("size", header.size().to_string()),
        ("magic", "2".to_owned()),
        ("compresscodec", codec),
        ("crc", header.crc.to_string()),
        ("isvalid", "true".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

#[test]
fn batch_headers_are_those_that_kafka_prints() {
    for name in fixtures() {
        let log = log(&name);
        let batches = batches(&log);
        let dumped = text(&name, "batches");
        assert_eq!(batches.len(), dumped.lines().count(), "{name}");
        for (batch, line) in batches.into_iter().zip(dumped.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let expected: BTreeMap<String, String> = words
                .chunks(2)
                .map(|pair| (pair[0].trim_end_matches(':').to_owned(), pair[1].to_owned()))
                .collect();
            assert_eq!(
                dump(&BatchHeader::parse(batch).unwrap()),
                expected,
                "{name}"
            );
        }
    }
}

#[test]
fn the_fixtures_hold_what_their_names_say() {
    let headers = |name: &str| -> Vec<BatchHeader> {
        let log = log(name);
        let parse = |batch: &&[u8]| BatchHeader::parse(batch).unwrap();
        batches(&log).iter().map(parse).collect()
    };
    let codecs: Vec<_> = headers("kcat")
        .iter()
        .map(|h| h.compression as u8)
        .collect();
    assert_eq!(codecs, [0, 1, 2, 3, 4]);
    // Java's chunks, and the bare block of librdkafka.
    assert!(log("broker-snappy")[BatchHeader::LEN..].starts_with(b"\x82SNAPPY\0"));
    assert!(!log("client-snappy")[BatchHeader::LEN..].starts_with(b"\x82SNAPPY\0"));

    let compacted = headers("compacted");
    assert!(compacted.iter().any(|h| h.delete_horizon));
    assert!(
        compacted
            .iter()
            .any(|h| h.records == 0 && h.producer_id >= 0)
    );
    let hole = |h: &BatchHeader| h.records > 0 && h.records <= h.last_offset_delta;
    assert!(compacted.iter().any(hole));
    // Without a gap from batch to batch: every offset is accounted for.
    for pair in compacted.windows(2) {
        assert_eq!(pair[0].next_offset(), pair[1].base_offset);
    }
    assert_eq!(
        headers("append-time")[0].timestamp_type,
        TimestampType::Append
    );
}

#[test]
fn transactions_end_in_markers() {
    let log = log("transactions");
    let mut decoder = Decoder::new(LIMIT);
    let markers: Vec<Marker> = batches(&log)
        .into_iter()
        .filter_map(|batch| decoder.decode(batch).unwrap().marker())
        .collect();
    assert_eq!(markers, [Marker::Commit, Marker::Abort, Marker::Commit]);
}

/// Takes a batch apart and builds it again; `None` where the cleaner left something that a
/// producer does not make.
fn rebuilt(batch: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(LIMIT);
    let records = decoder.decode(batch).unwrap();
    let header = *records.header();
    let mut out = Vec::new();
    if let Some(marker) = records.marker() {
        control_batch(
            header.base_offset,
            header.max_timestamp,
            header.producer_id,
            header.producer_epoch,
            marker,
            &mut out,
        );
        out[12..16].copy_from_slice(&header.leader_epoch.to_be_bytes());
        return Some(out);
    }
    let mut encoder = Encoder::new();
    encoder.begin(
        header.base_offset,
        &BatchOptions {
            compression: header.compression,
            timestamp_type: header.timestamp_type,
            transactional: header.transactional,
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
            leader_epoch: header.leader_epoch,
        },
    );
    let mut first = None;
    for record in records {
        let record = record.unwrap();
        first.get_or_insert(record.timestamp);
        encoder.push(&record).unwrap();
    }
    encoder
        .finish(Some(header.next_offset() - 1), &mut out)
        .unwrap();
    let plain = first == Some(header.base_timestamp) && !header.delete_horizon;
    plain.then_some(out)
}

#[test]
fn what_is_taken_apart_is_built_again_byte_for_byte() {
    let mut equal = 0;
    for name in fixtures() {
        for batch in batches(&log(&name)) {
            let Some(again) = rebuilt(batch) else {
                continue;
            };
            if BatchHeader::parse(batch).unwrap().compression == Compression::None {
                assert_eq!(again, batch, "{name}");
                equal += 1;
                continue;
            }
            // Another library compresses to other bytes; the records are the same.
            let (mut ours, mut theirs) = (Decoder::new(LIMIT), Decoder::new(LIMIT));
            let (ours, theirs) = (ours.decode(&again).unwrap(), theirs.decode(batch).unwrap());
            assert_eq!(ours.body(), theirs.body(), "{name}");
        }
    }
    assert!(equal >= 15, "only {equal} uncompressed batches");
}

#[test]
fn every_damaged_byte_of_a_log_is_noticed() {
    for name in ["kcat", "transactions", "compacted", "append-time"] {
        for batch in batches(&log(name)) {
            let mut decoder = Decoder::new(LIMIT);
            // The checksum does not cover base offset and leader epoch.
            for at in (8..12).chain(16..batch.len()) {
                let mut bad = batch.to_vec();
                bad[at] ^= 0x10;
                assert!(decoder.decode(&bad).is_err(), "{name}, byte {at}");
            }
            for len in 0..batch.len() {
                let error = decoder.decode(&batch[..len]).unwrap_err();
                assert!(
                    matches!(error, CodecError::Truncated { .. }),
                    "{name}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_timestamp_is_the_producers_or_the_brokers() {
    let log = log("client-none");
    let mut decoder = Decoder::new(LIMIT);
    let first = decoder.decode(&log).unwrap().next().unwrap().unwrap();
    assert_eq!(first.timestamp, Timestamp(1_723_717_843_000));
    assert_eq!(first.timestamp_type, TimestampType::Create);
}
