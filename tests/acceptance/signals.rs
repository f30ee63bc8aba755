//! Ctrl-C, SIGTERM and readers that go away: the program ends soon, says how far it came, and what
//! it has written is whole.

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use crate::program::{Ended, Running, good, text};
use crate::shared;

/// An expression that takes its time on every event: on the whole demo, seconds.
const SLOW: &str = "last(range(20000)) > 0";

#[track_caller]
fn interrupted(ended: Ended) -> Ended {
    ended.is(130, "scanned ").is(130, "partial: interrupted")
}

#[test]
fn a_read_and_a_tail_say_how_far_they_came() {
    for signal in ["INT", "TERM"] {
        let read = Running::start(&["read", "demo:", "-w", SLOW]);
        std::thread::sleep(Duration::from_millis(700));
        interrupted(read.end_by(signal));

        let mut tail = Running::start(&["tail", "demo:", "--rate", "200", "-o", "jsonl"]);
        tail.until("events", |tail| tail.printed() > 20);
        let tailed = interrupted(tail.end_by(signal));
        assert!(tailed.out.ends_with(b"\n"), "the last line is whole");
        let count = format!("matched {} ", tailed.lines().len());
        assert!(tailed.err.contains(&count), "{count}: {}", tailed.err);
    }
}

/// The count in `wrote 1,234 events`.
fn wrote(err: &str) -> usize {
    let (_, rest) = err.split_once("wrote ").unwrap_or_else(|| panic!("{err}"));
    let number = rest.split(' ').next().unwrap();
    number.replace(',', "").parse().unwrap()
}

#[test]
fn a_recording_that_is_interrupted_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    for (name, signal) in [
        ("a.mcap", "INT"),
        ("b.jsonl.zst", "TERM"),
        ("c.mcap", "TERM"),
    ] {
        let file = dir.path().join(name);
        let args = ["record", "demo:", "--follow", "--from", "start", "--out"];
        let mut record = Running::start(&[&args[..], &[text(&file)]].concat());
        record.until("a file", |_| file.exists());
        // The history is there at once; the live events come twenty a second.
        std::thread::sleep(Duration::from_secs(2));
        let recorded = interrupted(record.end_by(signal));
        let count = wrote(&recorded.err);
        assert!(count > 483, "{}", recorded.err);
        let read = good(&["read", text(&file), "-o", "template=x"]).is(0, "complete");
        assert_eq!(read.lines().len(), count);
    }
}

/// The first count in `replayed 12 of 34 events`.
fn replayed(err: &str) -> usize {
    let (_, rest) = err
        .split_once("\nreplayed ")
        .unwrap_or_else(|| panic!("{err}"));
    rest.split(' ')
        .next()
        .unwrap()
        .replace(',', "")
        .parse()
        .unwrap()
}

#[test]
fn a_paced_replay_that_is_interrupted_leaves_what_it_counted() {
    let dir = tempfile::tempdir().unwrap();
    for signal in ["INT", "TERM"] {
        let file = dir.path().join(format!("{signal}.mcap"));
        let args = ["replay", "demo:orders", "--rate", "50", "--yes", "--to"];
        let mut replay = Running::start(&[&args[..], &[text(&file)]].concat());
        replay.until("a file", |_| file.exists());
        std::thread::sleep(Duration::from_millis(500));
        let ended = interrupted(replay.end_by(signal));
        let count = replayed(&ended.err);
        assert!((1..62).contains(&count), "{}", ended.err);
        let read = good(&["read", text(&file), "-o", "template=x"]).is(0, "complete");
        assert_eq!(read.lines().len(), count);
    }
}

#[test]
fn a_second_signal_ends_at_once_what_the_first_could_not() {
    // Nobody reads what it prints: it stands still in the middle of a line.
    let args = ["read", "demo:", "--follow", "--from", "start", "-o", "json"];
    for signal in ["INT", "TERM"] {
        let stuck = Running::start_unread(&args);
        std::thread::sleep(Duration::from_secs(1));
        stuck.signal(signal);
        std::thread::sleep(Duration::from_millis(500));
        let ended = stuck.end_by(signal).is(130, "");
        assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    }
}

/// Reads a few bytes of what it prints, and no more: `| head -1`.
#[track_caller]
fn is_silent_when_unread(args: &[&str]) {
    let mut child = shared::evtap()
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    let read = child.stdout.take().unwrap().read_exact(&mut first);
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    read.unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"));
    assert_eq!(
        (ended.status.code(), said.as_str()),
        (Some(0), ""),
        "{args:?}"
    );
}

#[test]
fn a_closed_pipe_ends_it_without_a_word() {
    // Each prints more than a pipe takes.
    is_silent_when_unread(&["read", "demo:", "-o", "jsonl"]);
    is_silent_when_unread(&["tail", "demo:", "--rate", "200"]);
    is_silent_when_unread(&["demo"]);
}

/// What is selected runs on threads of the adapter there.
#[cfg(feature = "kafka")]
#[test]
fn a_read_of_kafka_ends_by_a_signal_and_by_a_closed_pipe() {
    use crate::program::unique;

    let Some(host) = shared::server("EVTAP_TEST_KAFKA") else {
        return;
    };
    let topic = format!("kafka://{host}/{}", unique("long"));
    let into = ["--create-topic", "1", "--yes"];
    good(&[&["replay", "demo:", "--to", &topic], &into[..]].concat());
    for signal in ["INT", "TERM"] {
        let read = Running::start(&["read", &topic, "-w", SLOW]);
        std::thread::sleep(Duration::from_millis(700));
        interrupted(read.end_by(signal));
    }
    is_silent_when_unread(&["read", &topic, "-o", "jsonl"]);
}

#[cfg(feature = "kafka")]
#[test]
fn a_replay_into_kafka_that_is_interrupted_has_stored_what_it_counted() {
    use crate::program::{run, unique};

    let Some(host) = shared::server("EVTAP_TEST_KAFKA") else {
        return;
    };
    for signal in ["INT", "TERM"] {
        let topic = format!("kafka://{host}/{}", unique("interrupted"));
        let args = [
            "replay",
            "demo:orders",
            "--rate",
            "50",
            "--yes",
            "--create-topic",
            "--to",
        ];
        let mut replay = Running::start(&[&args[..], &[&topic]].concat());
        let arrived = |_: &Running| !run(&["read", &topic, "-n", "1"]).out.is_empty();
        replay.until("events", arrived);
        let ended = interrupted(replay.end_by(signal));
        let count = replayed(&ended.err);
        assert!((1..62).contains(&count), "{}", ended.err);
        let read = good(&["read", &topic, "-o", "template=x"]).is(0, "complete");
        assert_eq!(read.lines().len(), count);
    }
}
