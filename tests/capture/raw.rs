//! Record batches that are written as they came, and handed on as they stand in a capture: what is
//! read of them is what is read of the events that were written one by one.

use std::fs;
use std::path::Path;

use evtap::broker::{Bound, Range, Sink, Subscription, TopicInfo, TopicSelector};
use evtap::event::codec::{BatchHeader, BatchOptions, Decoder, Encoder, Record, emptied};
use evtap::event::{
    Batch, BatchMeta, Compression, EventRef, Headers, Marker, Position, PositionStyle, Stream,
    Streams, Timestamp, TimestampType, Visibility,
};

use crate::mcap::{odd_events, of_stream, place};
use crate::support::{Owned, Read, batch, event, events, open, read, record, sink};
use crate::support::{push, read_as, stream, subscription, wait};

/// A batch that a broker keeps.
struct Stored {
    bytes: Vec<u8>,
    visibility: Visibility,
}

/// Cuts a broker's log into its batches, and finds their fates.
fn stored(log: &[u8]) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    let mut rest = log;
    while !rest.is_empty() {
        let header = BatchHeader::parse(rest).unwrap();
        let (bytes, after) = rest.split_at(header.size());
        rest = after;
        let marker = Decoder::new(1 << 20).decode(bytes).unwrap().marker();
        if marker == Some(Marker::Abort) {
            for other in all.iter_mut().rev() {
                let of = BatchHeader::parse(&other.bytes).unwrap();
                if of.producer_id == header.producer_id {
                    if of.control {
                        break;
                    }
                    other.visibility = Visibility::Aborted;
                }
            }
        }
        all.push(Stored {
            bytes: bytes.to_vec(),
            visibility: marker.map_or(Visibility::Visible, Visibility::Control),
        });
    }
    all
}

/// The logs of a real broker, each as a topic of its own.
fn logs() -> Vec<(Stream, Vec<Stored>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/batches");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "log") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let of = stream(name, 0, PositionStyle::Offset);
            all.push((of, stored(&fs::read(&path).unwrap())));
        }
    }
    assert!(all.len() > 10);
    all
}

/// As a source hands on whole batches: aborted ones without their records.
fn as_they_came(table: &Streams, index: u32, of: &[Stored]) -> Batch {
    let mut out = Batch::new(table.clone());
    for Stored { bytes, visibility } in of {
        let mut bytes = bytes.clone();
        if *visibility == Visibility::Aborted {
            let mut left = Vec::new();
            emptied(&bytes, &mut left).unwrap();
            bytes = left;
        }
        let header = BatchHeader::parse(&bytes).unwrap();
        out.push_raw(header.meta(index, *visibility), &bytes)
            .unwrap();
    }
    out
}

/// As a source hands on events.
fn one_by_one(table: &Streams, index: u32, of: &[Stored]) -> Batch {
    let mut out = Batch::new(table.clone());
    for Stored { bytes, visibility } in of {
        let mut decoder = Decoder::new(1 << 20);
        let records = decoder.decode(bytes).unwrap();
        let meta = out.push_meta(records.header().meta(index, *visibility));
        if *visibility != Visibility::Visible {
            continue;
        }
        for record in records {
            let record = record.unwrap();
            let event = EventRef {
                stream: &table[index as usize],
                stream_index: index,
                position: Position::offset(record.offset),
                timestamp: record.timestamp,
                timestamp_type: record.timestamp_type,
                key: record.key,
                value: record.value,
                headers: record.headers,
                meta: None,
            };
            out.push_of_meta(&event, Some(meta)).unwrap();
        }
    }
    out
}

fn write(path: &Path, batches: &[Batch]) {
    let mut sink = sink(path);
    wait(async {
        for batch in batches {
            sink.send(batch).await.unwrap();
        }
        let events: u64 = batches.iter().map(Batch::events).sum();
        assert_eq!(sink.flush().await.unwrap().events, events);
        sink.finish().await.unwrap();
    });
}

fn topics(path: &Path) -> Vec<TopicInfo> {
    wait(open(path).topics(&TopicSelector::all())).unwrap()
}

/// What a reader learns of the batches, but for how their bytes are packed.
fn told(read: &Read) -> Vec<BatchMeta> {
    let mut metas = read.metas.clone();
    for meta in &mut metas {
        (meta.crc, meta.compression) = (0, Compression::None);
        if let Visibility::Control(_) = meta.visibility {
            // The recorder writes markers anew from what it is told.
            (meta.leader_epoch, meta.base_sequence) = (-1, -1);
        }
    }
    metas
}

/// The two files say the same of everything.
fn assert_same(one: &Path, other: &Path) {
    let (a, b) = (read(one), read(other));
    assert!(a.error.is_none() && b.error.is_none(), "{:?}", a.error);
    assert_eq!((&a.notices, a.scanned), (&b.notices, b.scanned));
    assert!(!a.events.is_empty() && a.events == b.events);
    assert_eq!(told(&a), told(&b));
    assert_eq!(topics(one), topics(other));
    let clock = |path| wait(open(path).clock()).unwrap();
    assert_eq!(clock(one), clock(other));
}

/// The record batches that a reader hands on as they are.
fn raws(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    each(path, &raw(Range::default()), |batch| {
        assert_eq!(batch.len(), 0);
        for (meta, bytes) in batch.raws() {
            let of = &batch.streams()[meta.stream as usize];
            all.push((of.topic.to_string(), bytes.to_vec()));
        }
    });
    all
}

fn raw(range: Range) -> Subscription {
    Subscription {
        range,
        raw: true,
        ..subscription(Bound::Start, Bound::End)
    }
}

fn each(path: &Path, sub: &Subscription, mut look: impl FnMut(&Batch)) {
    wait(async {
        let mut source = open(path).source(sub).await.unwrap();
        while let Some(batch) = source.next_batch().await.unwrap() {
            look(&batch);
        }
        let (done, all) = source.progress().unwrap();
        assert_eq!(done, all);
    });
}

/// Copies what `sub` reads, and gives how many record batches went as they were, how many events
/// one by one, and how many events were counted as looked at.
fn copy(from: &Path, to: &Path, sub: &Subscription) -> (usize, usize, u64) {
    let mut sink: Box<dyn Sink> = sink(to);
    let mut counts = (0, 0, 0);
    wait(async {
        let mut source = open(from).source(sub).await.unwrap();
        while let Some(batch) = source.next_batch().await.unwrap() {
            counts.0 += batch.raws().len();
            counts.1 += batch.len();
            counts.2 += batch.scanned.events;
            sink.send(&batch).await.unwrap();
        }
        sink.finish().await.unwrap();
    });
    counts
}

#[test]
fn batches_of_a_broker_are_written_byte_for_byte() {
    let logs = logs();
    let table: Streams = logs.iter().map(|(stream, _)| stream.clone()).collect();
    let (mut whole, mut single) = (Vec::new(), Vec::new());
    let mut aborted = 0;
    for (index, (_, of)) in (0..).zip(&logs) {
        whole.push(as_they_came(&table, index, of));
        single.push(one_by_one(&table, index, of));
        let is_aborted = |stored: &&Stored| stored.visibility == Visibility::Aborted;
        aborted += of.iter().filter(is_aborted).count();
    }
    assert!(aborted > 0);
    let (_dir, one) = place();
    let (_dir, other) = place();
    write(&one, &whole);
    write(&other, &single);
    assert_same(&one, &other);
    // Without its index the file says the same: the headers are counted.
    let (_dir, torn) = place();
    let file = fs::read(&one).unwrap();
    fs::write(&torn, &file[..file.len() - 20]).unwrap();
    let (whole_file, walked) = (read(&one), read(&torn));
    assert_eq!(walked.events, whole_file.events);
    assert_eq!(walked.metas, whole_file.metas);
    assert_eq!(topics(&torn), topics(&one));
    let found = raws(&one);
    for (batch, (stream, _)) in whole.iter().zip(&logs) {
        let written: Vec<&[u8]> = batch.raws().map(|(_, bytes)| bytes).collect();
        let of = found.iter().filter(|(topic, _)| *topic == *stream.topic);
        assert!(of.map(|(_, bytes)| &bytes[..]).eq(written), "{stream:?}");
    }
    // And once more, from capture to capture.
    let (_dir, copied) = place();
    let (batches, single, scanned) = copy(&one, &copied, &raw(Range::default()));
    assert_eq!((batches, single), (found.len(), 0));
    assert_eq!(scanned, read(&one).scanned);
    assert_eq!(raws(&copied), found);
    assert_same(&copied, &other);
}

#[test]
fn a_capture_of_anything_is_copied_whole() {
    let (_dir, from) = place();
    let mut written = odd_events();
    // Times of the broker, each event its own: such a channel is written event by event.
    written.extend((0..3).map(|n| Owned {
        stream: stream("stamped", 0, PositionStyle::Offset),
        timestamp_type: TimestampType::Append,
        ..event(n, 2000 + n.cast_signed(), "stamped")
    }));
    record(&from, &[batch(&written)]);
    let (_dir, to) = place();
    let (batches, single, scanned) = copy(&from, &to, &raw(Range::default()));
    assert_eq!((single, scanned), (6, written.len() as u64));
    assert!(batches >= 2, "{batches}");
    let copied = events(&to);
    assert_eq!(copied.len(), written.len());
    for topic in ["orders", "payments", "stamped"] {
        assert_eq!(of_stream(&copied, topic), of_stream(&written, topic));
    }
    assert_eq!(topics(&to), topics(&from));
}

#[test]
fn a_range_cuts_the_batches_at_its_ends_only() {
    let (_dir, from) = place();
    let mut sink = sink(&from);
    for part in 0..10u64 {
        let ten: Vec<Owned> = (part * 10..part * 10 + 10)
            .map(|i| event(i, 1000 + i.cast_signed(), "v"))
            .collect();
        wait(sink.send(&batch(&ten))).unwrap();
        wait(sink.flush()).unwrap();
    }
    wait(sink.finish()).unwrap();
    let range = |from, until| {
        let at = |offset| Bound::At(Position::offset(offset));
        Range::Bounds {
            from: at(from),
            until: at(until),
        }
    };
    for (first, end, batches, single) in [
        (0, 100, 10, 0),
        (5, 83, 7, 8),
        (20, 40, 2, 0),
        (31, 39, 0, 8),
        (35, 45, 0, 10),
        (40, 40, 0, 0),
    ] {
        let (_dir, to) = place();
        let counts = copy(&from, &to, &raw(range(first, end)));
        assert_eq!(counts, (batches, single, end - first), "{first}..{end}");
        let copied = events(&to);
        let offsets = copied.iter().map(|e| e.position.major);
        assert!(offsets.eq(first..end), "{first}..{end}");
        let sub = Subscription {
            range: range(first, end),
            ..subscription(Bound::Start, Bound::End)
        };
        assert_eq!(copied, read_as(&from, sub).events);
    }
}

#[test]
fn events_that_wait_come_before_a_batch_as_it_came() {
    let (_dir, path) = place();
    let mut early = batch(&[event(0, 1, "a"), event(1, 2, "b")]);
    let number = early.push_meta(meta(2, 9));
    push(&mut early, &event(4, 3, "c"), Some(number));
    let streams = early.streams().clone();
    let mut whole = Batch::new(streams.clone());
    let bytes = encoded(12, &[10, 11]);
    let header = BatchHeader::parse(&bytes).unwrap();
    whole
        .push_raw(header.meta(0, Visibility::Visible), &bytes)
        .unwrap();
    let late = batch(&[event(14, 12, "d")]);
    write(&path, &[early, whole, late]);
    let read = read(&path);
    assert!(read.error.is_none(), "{:?}", read.error);
    let offsets: Vec<u64> = read.events.iter().map(|e| e.position.major).collect();
    assert_eq!(offsets, [0, 1, 4, 12, 13, 14]);
    let spans: Vec<(u64, u64)> = read
        .metas
        .iter()
        .map(|m| (m.base_offset, m.next_offset()))
        .collect();
    assert_eq!(spans, [(0, 2), (2, 12), (12, 14), (14, 15)]);
}

#[test]
fn a_batch_that_is_damaged_is_not_copied() {
    let (_dir, path) = place();
    let mut whole = Batch::new([event(0, 0, "").stream].into());
    for base in [0, 2, 4] {
        let bytes = encoded(base, &[10, 11]);
        let header = BatchHeader::parse(&bytes).unwrap();
        whole
            .push_raw(header.meta(0, Visibility::Visible), &bytes)
            .unwrap();
    }
    let (_, second) = whole.raws().nth(1).unwrap();
    let second = second.to_vec();
    write(&path, &[whole]);
    let mut file = fs::read(&path).unwrap();
    let at = file
        .windows(second.len())
        .position(|bytes| bytes == second)
        .unwrap();
    file[at + second.len() - 1] ^= 1;
    fs::write(&path, file).unwrap();
    let read = read_as(&path, raw(Range::default()));
    assert!(read.error.is_some());
    let bases: Vec<u64> = read.metas.iter().map(|m| m.base_offset).collect();
    assert_eq!(bases, [0, 4]);
}

fn meta(base: u64, delta: u32) -> BatchMeta {
    let header = BatchHeader::parse(&encoded(base, &[3])).unwrap();
    BatchMeta {
        last_offset_delta: delta,
        ..header.meta(0, Visibility::Visible)
    }
}

/// A batch of one record for each of the times.
fn encoded(base: u64, times: &[i64]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.begin(base, &BatchOptions::default());
    for (offset, time) in (base..).zip(times) {
        let record = Record {
            offset,
            timestamp: Timestamp(*time),
            timestamp_type: TimestampType::Create,
            key: None,
            value: Some(b"as it came"),
            headers: Headers::default(),
        };
        encoder.push(&record).unwrap();
    }
    let mut bytes = Vec::new();
    encoder.finish(None, &mut bytes).unwrap();
    bytes
}
