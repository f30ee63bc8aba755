//! The broker is killed and started again while the program reads, records and replays: it says
//! so, goes on, and nothing is lost.

use std::fmt::Write as _;
use std::fs;

use crate::own_kafka::Own;
use crate::program::{Running, good, run, text};

const BEFORE: usize = 60_000;
const AFTER: usize = 1_000;
/// Events a second, so that the replay is under way when the broker dies.
const PACE: usize = 12_000;

/// Half a kilobyte that begins with the number and does not compress: else the whole log would be
/// fetched before the broker can be killed.
fn line(number: usize) -> String {
    let mut value = format!("{number} ");
    let mut state = number as u64 + 1;
    while value.len() < 500 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(value, "{state:x}").unwrap();
    }
    format!(
        "{{\"key\":\"k{number}\",\"value\":\"{value}\",\"encoding\":{{\"key\":\"text\",\"value\":\"text\"}}}}\n"
    )
}

fn number(value: &str) -> usize {
    let text = value.split(' ').next().unwrap();
    text.parse().unwrap_or_else(|_| panic!("'{value}'"))
}

/// Every number once, in order.
#[track_caller]
fn in_order(lines: &[&str], count: usize) {
    let numbers: Vec<usize> = lines.iter().map(|line| number(line)).collect();
    let wrong = numbers.iter().enumerate().find(|(i, n)| i != *n);
    assert_eq!((wrong, numbers.len()), (None, count));
}

#[track_caller]
fn says_both(err: &str) {
    let lost = err.find("lost the connection");
    let back = err.find("connected to");
    assert!(lost.is_some() && lost < back, "it said:\n{err}");
}

#[test]
fn a_killed_broker_interrupts_nothing() {
    let Some(server) = Own::start(&[]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (before, after, capture) = (file("before.jsonl"), file("after.jsonl"), file("all.mcap"));
    fs::write(&before, (0..BEFORE).map(line).collect::<String>()).unwrap();
    fs::write(
        &after,
        (BEFORE..BEFORE + AFTER).map(line).collect::<String>(),
    )
    .unwrap();
    let source = format!("kafka://{}/numbers", server.plain());
    let copy = format!("kafka://{}/copy", server.plain());
    let into = ["--yes", "--no-provenance", "--create-topic", "1"];
    good(&[&["replay", text(&before), "--to", &source], &into[..]].concat());
    let all = (BEFORE + AFTER).to_string();

    let only_values = ["-o", "raw", "-n", &all];
    let mut tail =
        Running::start(&[&["tail", &source, "--from", "start"], &only_values[..]].concat());
    let record = ["record", &source, "--from", "start", "--follow", "-n", &all];
    let mut record = Running::start(&[&record[..], &["--out", text(&capture)]].concat());
    let pace = PACE.to_string();
    let replay = ["replay", text(&before), "--to", &copy, "--rate", &pace];
    let mut replay = Running::start(&[&replay[..], &into[..]].concat());
    tail.until("some events", |tail| tail.printed() > 0);
    // Before the target is made, this fails.
    let written = |_: &Running| !run(&["read", &copy, "-n", "1", "-o", "raw"]).out.is_empty();
    replay.until("some events are replayed", written);

    server.kill();
    let lost = |run: &Running| run.err().contains("lost the connection");
    tail.until("tail says that the broker is lost", lost);
    record.until("record says that the broker is lost", lost);
    replay.until("replay says that the broker is lost", lost);
    server.revive();

    let replayed = replay.end().is(0, "verified: good");
    says_both(&replayed.err);
    let read = good(&["read", &copy, "-o", "raw"]).is(0, "complete");
    // At least once is promised; the idempotent producer makes it once while it lives.
    in_order(&read.lines(), BEFORE);

    tail.until("all that was there", |tail| tail.printed() == BEFORE);
    good(&[&["replay", text(&after), "--to", &source], &into[..2]].concat());
    let tailed = tail.end().is(0, "partial: limit");
    says_both(&tailed.err);
    in_order(&tailed.lines(), BEFORE + AFTER);

    let recorded = record.end().is(0, "wrote 61,000 events");
    says_both(&recorded.err);
    let read = good(&["read", text(&capture), "-o", "raw"]).is(0, "complete");
    in_order(&read.lines(), BEFORE + AFTER);
}
