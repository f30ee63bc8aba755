//! JSON lines, compressed and not.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evtap::broker::{Bound, ErrorKind, Subscription, Target, TopicSelector};
use evtap::event::{Position, PositionStyle, Timestamp, TimestampType};
use tempfile::TempDir;

use crate::mcap::{odd_events, of_stream};
use crate::support::{
    Owned, batch, event, events, open, read, read_as, record, sink, stream, subscription, wait,
};

fn place(name: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    (dir, path)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

/// Headers in an object: one of the name after the other.
fn grouped(mut event: Owned) -> Owned {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for (name, _) in &event.headers {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    event
        .headers
        .sort_by_key(|(name, _)| names.iter().position(|n| n == name));
    event
}

#[test]
fn every_kind_of_event_comes_back_as_it_was() {
    for name in ["a.jsonl", "a.jsonl.zst"] {
        let (_dir, path) = place(name);
        let written: Vec<Owned> = odd_events().into_iter().map(grouped).collect();
        record(&path, &[batch(&written)]);
        let read = events(&path);
        assert_eq!(read, written, "{name}");
        assert_eq!(of_stream(&read, "payments").len(), 3);
    }
}

#[test]
fn lines_by_hand_get_what_they_leave_out() {
    let (_dir, path) = place("by-hand.jsonl");
    write(
        &path,
        "\u{feff}{\"orderId\":1}\r\n\n{\"key\":\"k\",\"value\":{\"a\":1.0}}\n7",
    );
    let read = events(&path);
    let stream = stream("by-hand", 0, PositionStyle::Offset);
    let values: Vec<_> = read
        .iter()
        .map(|e| {
            (
                e.position.major,
                String::from_utf8(e.value.clone().unwrap()).unwrap(),
            )
        })
        .collect();
    let expected = [(0, "{\"orderId\":1}"), (2, "{\"a\":1.0}"), (3, "7")];
    assert_eq!(values, expected.map(|(o, v)| (o, v.to_owned())));
    assert!(read.iter().all(|e| e.stream == stream));
    assert!(read.iter().all(|e| e.timestamp_type == TimestampType::None));
    assert_eq!(read[1].key.as_deref(), Some(&b"k"[..]));
}

#[test]
fn a_line_that_is_no_event_is_told_of_and_the_rest_is_read() {
    let (_dir, path) = place("a.jsonl");
    write(&path, "{\"value\":1}\n{oops\n{\"value\":2}\n{\"value\":");
    let read = read(&path);
    assert_eq!(read.events.len(), 2);
    assert_eq!((read.scanned, read.failed), (4, 2));
    let error = read.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Damaged);
    assert!(error.message.contains("line 2"), "{error}");
    assert!(
        read.notices.iter().any(|n| n.contains("line 4")),
        "{:?}",
        read.notices
    );
}

#[test]
fn a_torn_file_gives_a_prefix() {
    for name in ["a.jsonl", "a.jsonl.zst"] {
        let (dir, path) = place(name);
        let written: Vec<Owned> = (0..200)
            .map(|i: u64| event(i, i.cast_signed(), &format!("{{\"n\":{}}}", i * i * 7919)))
            .collect();
        let mut sink = sink(&path);
        for part in written.chunks(30) {
            wait(sink.send(&batch(part))).unwrap();
            wait(sink.flush()).unwrap();
        }
        wait(sink.finish()).unwrap();
        let bytes = fs::read(&path).unwrap();
        let torn = dir.path().join(format!("torn-{name}"));
        for len in (1..bytes.len()).step_by(97) {
            fs::write(&torn, &bytes[..len]).unwrap();
            let read = read(&torn);
            assert_eq!(
                read.events,
                written[..read.events.len()],
                "{name} cut at {len}"
            );
            if let Some(error) = read.error {
                assert_eq!(error.kind, ErrorKind::Damaged);
            }
        }
        assert_eq!(events(&path), written);
    }
}

#[test]
fn ranges_topics_and_partitions_are_found_in_the_lines() {
    let (_dir, path) = place("a.jsonl");
    let at = |topic: &str, partition, offset, time| Owned {
        stream: stream(topic, partition, PositionStyle::Offset),
        ..event(offset, time, "v")
    };
    let written: Vec<Owned> = (0..20u64)
        .map(|i| {
            at(
                ["a", "b"][(i % 2) as usize],
                (i % 4 / 2) as u32,
                100 + i,
                i.cast_signed(),
            )
        })
        .collect();
    record(&path, &[batch(&written)]);
    let offsets = |sub: Subscription| -> Vec<u64> {
        let read = read_as(&path, sub);
        assert!(read.error.is_none(), "{:?}", read.error);
        read.events.iter().map(|e| e.position.major).collect()
    };
    let bounds = |from, until| offsets(subscription(from, until));
    let time = |t| Bound::Time(Timestamp(t));
    assert_eq!(bounds(Bound::Last(1), Bound::End), [116, 117, 118, 119]);
    assert_eq!(bounds(time(3), time(6)), [103, 104, 105]);
    assert_eq!(
        bounds(Bound::At(Position::offset(117)), Bound::End),
        [117, 118, 119]
    );
    assert!(bounds(Bound::End, Bound::End).is_empty());
    let one = Subscription {
        topics: TopicSelector::one("b"),
        partitions: vec![1],
        ..subscription(Bound::Start, Bound::End)
    };
    assert_eq!(offsets(one.clone()), [103, 107, 111, 115, 119]);
    let missing = Subscription {
        partitions: vec![9],
        ..one
    };
    assert_eq!(
        read_as(&path, missing).error.unwrap().kind,
        ErrorKind::Usage
    );
    let topics = wait(open(&path).topics(&TopicSelector::all())).unwrap();
    let row = &topics[1].partitions[1];
    assert_eq!(
        (row.first.major, row.end.major, row.events),
        (103, 120, Some(5))
    );
    assert_eq!(wait(open(&path).clock()).unwrap(), Some(Timestamp(19)));
}

#[test]
fn a_file_that_grows_is_followed() {
    let (_dir, path) = place("a.jsonl");
    write(&path, "{\"value\":1}\n");
    let sub = Subscription {
        follow: true,
        ..subscription(Bound::End, Bound::End)
    };
    wait(async {
        let mut source = open(&path).source(&sub).await.unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let mut seen = Vec::new();
        for part in ["{\"val", "ue\":2}\n{\"value\":3", "}\n"] {
            file.write_all(part.as_bytes()).unwrap();
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        while seen.len() < 2 {
            let batch = source.next_batch().await.unwrap().unwrap();
            seen.extend(batch.iter().map(|e| Owned::of(&e).value.unwrap()));
        }
        assert_eq!(seen, [b"2".to_vec(), b"3".to_vec()]);
    });
}

#[test]
fn names_say_what_is_written() {
    let (dir, path) = place("a.jsonl");
    write(&path, "precious");
    let target = Target {
        topic: "t".into(),
        overwrite: false,
    };
    let exists = wait(open(&path).sink(&target)).err().unwrap();
    assert!(exists.hint.unwrap().contains("--overwrite"));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let unnamed = wait(open(&dir.path().join("plain")).sink(&target))
        .err()
        .unwrap();
    assert_eq!(unnamed.kind, ErrorKind::Usage);
    // Reading looks at what is inside.
    let packed = dir.path().join("x.jsonl.zst");
    record(&packed, &[batch(&[event(0, 1, "v")])]);
    let capture = dir.path().join("y.mcap");
    record(&capture, &[batch(&[event(0, 1, "v")])]);
    for from in [packed, capture] {
        let to = dir.path().join("copy");
        fs::copy(&from, &to).unwrap();
        assert_eq!(events(&to).len(), 1, "{}", from.display());
    }
}

#[test]
fn noise_is_damage_and_never_a_panic() {
    let (_dir, path) = place("a.jsonl");
    let mut state = 7u64;
    let noise: Vec<u8> = (0..200_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        })
        .collect();
    fs::write(&path, &noise).unwrap();
    assert_eq!(read(&path).error.unwrap().kind, ErrorKind::Damaged);
    let packed = [&[0x28, 0xb5, 0x2f, 0xfd], &noise[..]].concat();
    fs::write(&path, packed).unwrap();
    assert_eq!(read(&path).error.unwrap().kind, ErrorKind::Damaged);
    fs::write(&path, "").unwrap();
    assert!(read(&path).error.is_none(), "no lines are no damage");
}
