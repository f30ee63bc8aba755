//! Captures whose recording was killed, and files that are broken in other ways.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use evtap::broker::{Bound, ErrorKind, TopicSelector};
use evtap::event::{PositionStyle, Stream};
use tempfile::TempDir;

use crate::support::{
    Owned, batch, event, open, read, read_as, record, sink, stream, subscription, wait,
};

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    (dir, path)
}

/// A few partitions, a few chunks' worth of small batches.
fn some_events() -> Vec<Owned> {
    (0..300u64)
        .map(|i| Owned {
            stream: stream("orders", (i % 3) as u32, PositionStyle::Offset),
            ..event(
                i / 3,
                1000 + i.cast_signed(),
                &format!("{{\"n\":{i},\"x\":\"{}\"}}", i * i),
            )
        })
        .collect()
}

fn recorded(path: &Path) -> Vec<Owned> {
    let written = some_events();
    let mut sink = sink(path);
    for part in written.chunks(20) {
        wait(sink.send(&batch(part))).unwrap();
        wait(sink.flush()).unwrap();
    }
    wait(sink.finish()).unwrap();
    written
}

fn by_stream(events: &[Owned]) -> HashMap<Stream, Vec<Owned>> {
    let mut map: HashMap<Stream, Vec<Owned>> = HashMap::new();
    for event in events {
        map.entry(event.stream.clone())
            .or_default()
            .push(event.clone());
    }
    map
}

#[test]
fn a_torn_file_gives_a_prefix_of_every_partition() {
    let (dir, path) = place();
    let written = by_stream(&recorded(&path));
    let bytes = fs::read(&path).unwrap();
    let torn = dir.path().join("torn.mcap");
    let mut most = 0;
    for len in (0..bytes.len()).step_by(97) {
        fs::write(&torn, &bytes[..len]).unwrap();
        let read = read(&torn);
        let error = read.error.expect("a torn file is damaged");
        assert_eq!(error.kind, ErrorKind::Damaged, "{error}");
        assert!(!read.notices.is_empty());
        for (stream, events) in by_stream(&read.events) {
            assert_eq!(events, written[&stream][..events.len()], "cut at {len}");
        }
        assert!(read.events.len() >= most, "a longer file gives no less");
        most = read.events.len();
        let topics = wait(open(&torn).topics(&TopicSelector::all())).unwrap();
        let counted: u64 = topics
            .iter()
            .flat_map(|t| &t.partitions)
            .filter_map(|p| p.events)
            .sum();
        assert_eq!(counted, read.events.len() as u64);
        assert_eq!(
            fs::read(&torn).unwrap(),
            &bytes[..len],
            "the file is not changed"
        );
    }
    assert_eq!(most, 300, "only the index is lost at the very end");
}

#[test]
fn a_recording_that_was_killed_gives_all_that_was_flushed() {
    let (dir, path) = place();
    let written = some_events();
    let mut sink = sink(&path);
    for part in written.chunks(50) {
        wait(sink.send(&batch(part))).unwrap();
    }
    wait(sink.flush()).unwrap();
    // As the file is now, nothing closed.
    let killed = dir.path().join("killed.mcap");
    fs::copy(&path, &killed).unwrap();
    let read = read(&killed);
    assert_eq!(read.error.unwrap().kind, ErrorKind::Damaged);
    assert_eq!(read.events.len(), 300);
    let last = read_as(&killed, subscription(Bound::Last(2), Bound::End));
    let offsets: Vec<u64> = last.events.iter().map(|e| e.position.major).collect();
    assert_eq!(offsets, [98, 98, 98, 99, 99, 99]);
}

#[test]
fn a_flipped_byte_never_gives_a_wrong_event() {
    let (dir, path) = place();
    let written = by_stream(&recorded(&path));
    let bytes = fs::read(&path).unwrap();
    let broken = dir.path().join("broken.mcap");
    for at in (8..bytes.len()).step_by(61) {
        let mut copy = bytes.clone();
        copy[at] ^= 0x55;
        fs::write(&broken, &copy).unwrap();
        let read = read(&broken);
        if let Some(error) = &read.error {
            assert!(
                matches!(error.kind, ErrorKind::Damaged | ErrorKind::File),
                "{error}"
            );
        }
        for (stream, events) in by_stream(&read.events) {
            // A name may be hit; an event never is.
            let Some(written) = written.get(&stream) else {
                continue;
            };
            assert!(events.iter().all(|e| written.contains(e)), "byte {at}");
        }
        if read.error.is_none() {
            assert_eq!(read.events.len(), 300, "byte {at}: silent loss");
        }
    }
}

#[test]
fn what_is_no_capture_is_refused() {
    let (dir, path) = place();
    let mut state = 1u64;
    let mut random = |n: usize| -> Vec<u8> {
        (0..n)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33) as u8
            })
            .collect()
    };
    for len in [1, 8, 100, 100_000] {
        fs::write(&path, random(len)).unwrap();
        let error = read(&path).error.unwrap();
        assert_eq!(error.kind, ErrorKind::File, "{error}");
        assert!(error.hint.is_some());
    }
    // The magic, and then noise.
    for len in [1, 9, 100, 100_000] {
        let mut bytes = b"\x89MCAP0\r\n".to_vec();
        bytes.extend(random(len));
        fs::write(&path, bytes).unwrap();
        assert_eq!(read(&path).error.unwrap().kind, ErrorKind::Damaged);
    }
    fs::write(&path, b"").unwrap();
    assert_eq!(read(&path).error.unwrap().kind, ErrorKind::Damaged);
    let missing = read(&dir.path().join("missing.mcap")).error.unwrap();
    assert_eq!(missing.kind, ErrorKind::File);
    assert!(missing.message.contains("missing.mcap"));
    let folder = dir.path().join("folder.mcap");
    fs::create_dir(&folder).unwrap();
    assert_eq!(read(&folder).error.unwrap().kind, ErrorKind::File);
    record(&dir.path().join("empty.mcap"), &[]);
    assert!(read(&dir.path().join("empty.mcap")).error.is_none());
}
