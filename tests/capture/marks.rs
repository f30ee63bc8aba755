//! Marks with notes: in a capture as it is written, and beside one that is there.

use std::fs;
use std::path::{Path, PathBuf};

use evtap::broker::{Address, ErrorKind, Mark, Settings, Target, registry};
use evtap::event::{Position, PositionStyle, Timestamp};

use crate::mcap::place;
use crate::support::{batch, event, events, open, read, record, sink, wait};

fn mark(offset: u64, note: &str) -> Mark {
    Mark {
        topic: "orders".into(),
        partition: 0,
        style: PositionStyle::Offset,
        position: Position::offset(offset),
        letter: None,
        note: note.to_owned(),
        time: Timestamp(1_723_717_843_000),
    }
}

fn marks(path: &Path) -> Vec<Mark> {
    wait(open(path).marks()).unwrap()
}

fn beside(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.marks.json", path.display()))
}

/// A capture of three events with these marks, each set written when one more event is.
fn marked(path: &Path, sets: &[&[Mark]]) {
    let mut sink = sink(path);
    for (n, set) in (0..).zip(sets) {
        wait(sink.send(&batch(&[event(n, 1000, "v")]))).unwrap();
        wait(sink.flush()).unwrap();
        assert!(sink.mark(set).unwrap());
    }
    wait(sink.finish()).unwrap();
}

#[test]
fn a_capture_is_written_with_its_marks_and_stays_readable() {
    let (_dir, path) = place();
    let hostile = "\u{1b}]0;x\u{7}\r\n\u{202e}\"}]\u{0}";
    marked(
        &path,
        &[&[mark(0, "first")], &[mark(0, hostile), mark(1, "")]],
    );
    assert_eq!(events(&path).len(), 2);
    assert_eq!(marks(&path), [mark(0, hostile), mark(1, "")]);
    assert!(!beside(&path).exists());
    let bytes = fs::read(&path).unwrap();
    let find = |what: &[u8]| bytes.windows(what.len()).any(|w| w == what);
    assert!(find(b"evtap.marks.json") && find(b"application/json"));
}

#[test]
fn a_capture_without_marks_has_none() {
    let (_dir, path) = place();
    record(&path, &[batch(&[event(0, 1, "v")])]);
    assert_eq!(marks(&path), []);
    let demo = Address::parse("demo:").unwrap();
    let demo = registry::open(&demo, &Settings::default()).unwrap();
    assert_eq!(wait(demo.marks()).unwrap(), []);
    let error = wait(demo.set_marks(&[mark(0, "")])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[test]
fn marks_are_found_in_a_torn_capture_as_far_as_it_goes() {
    let (dir, path) = place();
    let sets = [[mark(0, "one")], [mark(1, "two")], [mark(2, "three")]];
    marked(&path, &[&sets[0], &sets[1], &sets[2]]);
    let bytes = fs::read(&path).unwrap();
    let torn = dir.path().join("torn.mcap");
    let mut most = 0;
    for len in (8..=bytes.len()).step_by(13).chain([bytes.len()]) {
        fs::write(&torn, &bytes[..len]).unwrap();
        let found = marks(&torn);
        let at = sets.iter().position(|set| *set == found[..]);
        let now = at.map_or(0, |at| at + 1);
        assert!(found.is_empty() || at.is_some(), "{found:?}");
        assert!(now >= most, "a longer file has no older marks");
        assert!(read(&torn).events.len() >= now);
        most = now;
    }
    assert_eq!(most, 3);
}

#[test]
fn marks_that_are_added_later_do_not_touch_the_capture() {
    let (_dir, path) = place();
    marked(&path, &[&[mark(0, "in it")]]);
    let before = fs::read(&path).unwrap();
    let broker = open(&path);
    wait(broker.set_marks(&[mark(0, "in it"), mark(1, "later")])).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(marks(&path), [mark(0, "in it"), mark(1, "later")]);
    assert_eq!(wait(broker.marks()).unwrap().len(), 2);
    // None is less than what is attached.
    wait(broker.set_marks(&[])).unwrap();
    assert_eq!(marks(&path), []);
    fs::remove_file(beside(&path)).unwrap();
    assert_eq!(marks(&path), [mark(0, "in it")]);
    assert_eq!(events(&path).len(), 1);
}

#[test]
fn a_capture_that_cannot_be_written_to_keeps_marks_beside_it() {
    let (_dir, path) = place();
    marked(&path, &[&[]]);
    let mut rights = fs::metadata(&path).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&path, rights).unwrap();
    wait(open(&path).set_marks(&[mark(0, "x")])).unwrap();
    assert_eq!(marks(&path), [mark(0, "x")]);
}

#[test]
fn marks_that_make_no_sense_leave_the_events_alone() {
    let (_dir, path) = place();
    marked(&path, &[&[mark(0, "in it")]]);
    fs::write(beside(&path), "{\"version\":1,").unwrap();
    let error = wait(open(&path).marks()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Damaged);
    assert!(error.message.contains("a.mcap.marks.json"), "{error}");
    assert_eq!(events(&path).len(), 1);
}

#[test]
fn damage_in_an_attachment_is_never_more_than_that() {
    let (dir, path) = place();
    marked(&path, &[&[mark(0, "some note")]]);
    let good = fs::read(&path).unwrap();
    let broken = dir.path().join("broken.mcap");
    for at in (8..good.len()).step_by(3) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        fs::write(&broken, &bytes).unwrap();
        // Whatever it says, it says it: no panic, no wrong note.
        if let Ok(found) = wait(open(&broken).marks()) {
            assert!(
                found.is_empty() || found == [mark(0, "some note")],
                "byte {at}"
            );
        }
    }
}

#[test]
fn a_new_recording_of_the_name_begins_without_marks() {
    let (_dir, path) = place();
    marked(&path, &[&[]]);
    wait(open(&path).set_marks(&[mark(0, "of the old one")])).unwrap();
    let target = Target {
        topic: "".into(),
        overwrite: true,
    };
    let mut sink = wait(open(&path).sink(&target)).unwrap();
    wait(sink.send(&batch(&[event(9, 1, "new")]))).unwrap();
    wait(sink.finish()).unwrap();
    assert_eq!(marks(&path), []);
    assert_eq!(events(&path).len(), 1);
}
