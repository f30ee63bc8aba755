//! Reads that are large enough to be printed by several threads: order, limits, and a reader that
//! leaves in the middle.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::{out, support};

const EVENTS: usize = 60_000;

/// A file of many events, made for one test.
fn many(name: &str) -> PathBuf {
    let mut text = String::new();
    for offset in 0..EVENTS {
        writeln!(
            text,
            r#"{{"topic":"bulk","partition":0,"offset":{offset},"value":{{"n":{offset},"pad":"{offset:0>200}"}}}}"#,
        )
        .unwrap();
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn order_and_limits_hold_on_several_threads() {
    let path = many("bulk-order.jsonl");
    let file = path.to_str().unwrap();
    for limit in [EVENTS, 30_001] {
        let limit_text = limit.to_string();
        for select in [&["-o", "template={offset}"][..], &["--map", ".offset"]] {
            let args = [&["read", "-q", file, "-n", &limit_text], select].concat();
            let printed = out(&args);
            let offsets = printed.lines().map(|l| l.parse::<usize>().unwrap());
            assert!(offsets.eq(0..limit), "{args:?}");
        }
    }
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_in_the_middle_ends_it_quietly() {
    let path = many("bulk-closed.jsonl");
    let mut child = support::evtap()
        .args(["read", path.to_str().unwrap(), "-o", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Far enough that the threads are at work.
    let out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(out.lines().take(EVENTS / 2).count(), EVENTS / 2);
    let began = Instant::now();
    let ended = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    std::fs::remove_file(path).unwrap();
}
