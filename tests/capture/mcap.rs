//! Captures that are whole.

use std::path::PathBuf;

use evtap::broker::{Bound, ErrorKind, Origin, Range, Target, TopicSelector};
use evtap::event::{Batch, EventRef, Headers, Position, PositionStyle, Timestamp, TimestampType};
use tempfile::TempDir;

use crate::support::{
    Owned, batch, event, events, open, read, read_as, record, sink, stream, subscription, wait,
};

pub(crate) fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    (dir, path)
}

/// Everything that an event can be made of.
pub(crate) fn odd_events() -> Vec<Owned> {
    let bytes = |b: &[u8]| Some(b.to_vec());
    let mut all = vec![
        Owned {
            key: None,
            value: None,
            ..event(0, 1000, "")
        },
        Owned {
            key: bytes(b""),
            value: bytes(b""),
            ..event(1, 1000, "")
        },
        Owned {
            key: bytes(&[0, 255, 128]),
            value: bytes(&(0..=255).collect::<Vec<u8>>()),
            ..event(2, 1001, "")
        },
        Owned {
            headers: vec![
                (b"a".to_vec(), bytes(b"1")),
                (b"b".to_vec(), None),
                (b"a".to_vec(), bytes(b"")),
                (b"".to_vec(), bytes(b"\xff")),
            ],
            ..event(3, 1002, "{}")
        },
        // Holes, one of them wider than a batch can cover.
        event(40, 1003, "after a hole"),
        event(5_000_000_000, 1004, "after a large hole"),
        Owned {
            timestamp: -1,
            timestamp_type: TimestampType::None,
            ..event(5_000_000_001, 0, "without a time")
        },
        event(5_000_000_002, -5000, "before 1970"),
    ];
    for (n, time) in [(1u64, 1000), (2, 1000), (3, 1500)] {
        all.push(Owned {
            stream: stream("payments", 3, PositionStyle::Entry),
            position: Position {
                major: 1_692_100_000_000,
                minor: n,
            },
            timestamp_type: TimestampType::Append,
            headers: vec![(b"evtap-position".to_vec(), bytes(b"9-9"))],
            ..event(0, time, "an entry")
        });
    }
    all
}

/// As a reader merges them: by time, topic, partition and position, each partition in its order.
pub(crate) fn of_stream<'e>(events: &'e [Owned], topic: &str) -> Vec<&'e Owned> {
    events
        .iter()
        .filter(|e| &*e.stream.topic == topic)
        .collect()
}

#[test]
fn every_kind_of_event_comes_back_as_it_was() {
    let (_dir, path) = place();
    let written = odd_events();
    record(&path, &[batch(&written)]);
    let read = events(&path);
    assert_eq!(read.len(), written.len());
    for topic in ["orders", "payments"] {
        assert_eq!(of_stream(&read, topic), of_stream(&written, topic));
    }
}

#[test]
fn partitions_merge_by_time_topic_partition_and_position() {
    let (_dir, path) = place();
    let at = |topic: &str, partition, offset, time| Owned {
        stream: stream(topic, partition, PositionStyle::Offset),
        ..event(offset, time, topic)
    };
    let written = [
        at("b", 0, 0, 10),
        at("b", 0, 1, 5),
        at("b", 0, 2, 30),
        at("a", 1, 0, 10),
        at("a", 0, 7, 10),
        at("a", 0, 8, 10),
        at("a", 0, 9, 20),
    ];
    record(&path, &[batch(&written)]);
    let order: Vec<(String, u32, u64)> = events(&path)
        .iter()
        .map(|e| {
            (
                e.stream.topic.to_string(),
                e.stream.partition,
                e.position.major,
            )
        })
        .collect();
    let expected = [
        ("a", 0, 7),
        ("a", 0, 8),
        ("a", 1, 0),
        ("b", 0, 0),
        ("b", 0, 1),
        ("a", 0, 9),
        ("b", 0, 2),
    ];
    let expected: Vec<_> = expected.map(|(t, p, o)| (t.to_owned(), p, o)).into();
    assert_eq!(order, expected);
}

#[test]
fn offsets_that_go_back_are_kept_in_their_order() {
    let (_dir, path) = place();
    let written = [
        event(5, 1, "a"),
        event(6, 2, "b"),
        event(2, 3, "c"),
        event(6, 4, "d"),
    ];
    record(&path, &[batch(&written)]);
    assert_eq!(events(&path), written);
    let topics = wait(open(&path).topics(&TopicSelector::all())).unwrap();
    let part = &topics[0].partitions[0];
    assert_eq!(
        (part.first.major, part.end.major, part.events),
        (2, 7, Some(4))
    );
}

#[test]
fn two_sources_with_the_same_partition_share_no_batch() {
    let (_dir, path) = place();
    let mut both = Batch::new([event(0, 0, "").stream, event(0, 0, "").stream].into());
    both.set_origins([0, 1].into());
    let streams = both.streams().clone();
    for offset in 0..1000 {
        for index in 0..2u32 {
            let event = EventRef {
                stream: &streams[index as usize],
                stream_index: index,
                position: Position::offset(offset),
                timestamp: Timestamp(offset.cast_signed()),
                timestamp_type: TimestampType::Create,
                key: Some(if index == 0 { b"a" } else { b"b" }),
                value: None,
                headers: Headers::default(),
                meta: None,
            };
            both.push(&event).unwrap();
        }
    }
    record(&path, &[both]);
    let read = read(&path);
    assert!(read.error.is_none());
    assert_eq!(read.metas.len(), 2, "one record batch of each");
    for key in [b"a", b"b"] {
        let of_source = read.events.iter().filter(|e| e.key.as_deref() == Some(key));
        assert!(of_source.map(|e| e.position.major).eq(0..1000));
    }
    let topics = wait(open(&path).topics(&TopicSelector::all())).unwrap();
    assert_eq!(topics[0].partitions[0].events, Some(2000));
}

#[test]
fn topics_and_clock_are_known_without_reading() {
    let (_dir, path) = place();
    record(&path, &[batch(&odd_events())]);
    let broker = open(&path);
    let topics = wait(broker.topics(&TopicSelector::all())).unwrap();
    assert_eq!(topics.len(), 2);
    let orders = &topics[0].partitions[0];
    assert_eq!(orders.first, Position::offset(0));
    assert_eq!(orders.end, Position::offset(5_000_000_003));
    assert_eq!(orders.events, Some(8));
    let payments = &topics[1];
    assert_eq!(payments.style, PositionStyle::Entry);
    assert_eq!(payments.partitions[0].partition, 3);
    assert_eq!(payments.partitions[0].first.minor, 1);
    assert_eq!(payments.partitions[0].end.minor, 4);
    assert_eq!(payments.partitions[0].events, Some(3));
    assert_eq!(wait(broker.clock()).unwrap(), Some(Timestamp(1500)));
    let missing = wait(broker.topics(&TopicSelector::one("nothing"))).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::MissingTopic);
}

#[test]
fn the_recorder_says_where_the_events_come_from() {
    let (_dir, path) = place();
    let mut sink = sink(&path);
    let origin = Origin {
        sources: vec!["demo:".into()],
        adapters: vec!["demo".into()],
        clock: Some(Timestamp(123_456)),
    };
    sink.describe(&origin).unwrap();
    wait(sink.send(&batch(&[event(0, 5, "x")]))).unwrap();
    wait(sink.finish()).unwrap();
    assert_eq!(wait(open(&path).clock()).unwrap(), Some(Timestamp(123_456)));
}

#[test]
fn a_file_is_only_replaced_when_asked_to() {
    let (_dir, path) = place();
    record(&path, &[batch(&[event(0, 5, "x")])]);
    let mut target = Target {
        topic: "t".into(),
        overwrite: false,
    };
    let error = wait(open(&path).sink(&target)).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.hint.unwrap().contains("--overwrite"));
    assert_eq!(events(&path).len(), 1);
    target.overwrite = true;
    drop(wait(open(&path).sink(&target)).unwrap());
    assert!(events(&path).is_empty(), "a recording of nothing is whole");
}

fn range(path: &std::path::Path, from: Bound, until: Bound) -> Vec<u64> {
    let sub = subscription(from, until);
    let direct = read_as(path, sub.clone());
    assert!(direct.error.is_none(), "{:?}", direct.error);
    // Frozen first, the same must come out.
    let rows = wait(open(path).resolve(&sub)).unwrap();
    let frozen = read_as(
        path,
        evtap::broker::Subscription {
            range: Range::Frozen(rows),
            ..sub
        },
    );
    assert_eq!(direct.events, frozen.events);
    direct.events.iter().map(|e| e.position.major).collect()
}

#[test]
fn ranges_are_cut_to_the_event() {
    let (_dir, path) = place();
    // Ten events a batch: offsets 0, 2, 4, …, times 1000, 1010, …
    let mut sink = sink(&path);
    for part in 0..10u64 {
        let events: Vec<Owned> = (part * 10..part * 10 + 10)
            .map(|i| event(i * 2, 1000 + 10 * i.cast_signed(), "v"))
            .collect();
        wait(sink.send(&batch(&events))).unwrap();
        wait(sink.flush()).unwrap();
    }
    wait(sink.finish()).unwrap();
    let at = |offset| Bound::At(Position::offset(offset));
    let time = |ms| Bound::Time(Timestamp(ms));
    assert_eq!(range(&path, Bound::Start, Bound::End).len(), 100);
    assert_eq!(range(&path, at(33), at(41)), [34, 36, 38, 40]);
    assert_eq!(range(&path, Bound::Last(3), Bound::End), [194, 196, 198]);
    assert_eq!(range(&path, Bound::Last(1000), Bound::End).len(), 100);
    assert_eq!(range(&path, time(1405), time(1431)), [82, 84, 86]);
    assert_eq!(range(&path, time(0), time(1020)), [0, 2]);
    assert!(range(&path, time(5000), Bound::End).is_empty());
    assert!(range(&path, Bound::End, Bound::End).is_empty());
    let group = read_as(&path, subscription(Bound::Group("g".into()), Bound::End));
    assert_eq!(group.error.unwrap().kind, ErrorKind::Unsupported);
}

#[test]
fn a_hundred_thousand_events_of_many_partitions_come_back() {
    let (_dir, path) = place();
    let mut sink = sink(&path);
    let mut offsets = [0u64; 16];
    let mut i = 0u64;
    while i < 100_000 {
        let events: Vec<Owned> = (i..i + 1000)
            .map(|i| {
                let partition = (i * 7 % 16) as u32;
                let offset = &mut offsets[partition as usize];
                *offset += 1;
                Owned {
                    stream: stream("orders", partition, PositionStyle::Offset),
                    ..event(*offset, i.cast_signed(), &format!("{{\"i\":{i}}}"))
                }
            })
            .collect();
        wait(sink.send(&batch(&events))).unwrap();
        i += 1000;
    }
    wait(sink.finish()).unwrap();
    let read = read(&path);
    assert!(read.error.is_none());
    assert_eq!(read.scanned, 100_000);
    let values = read.events.iter().map(|e| e.timestamp);
    assert!(values.eq(0..100_000), "merged by time");
}
