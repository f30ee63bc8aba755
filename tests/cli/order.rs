//! `evtap check` and the order of events on captures and streams: what is missing, what is there
//! twice, and what cannot be told.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use evtap::broker::{Address, Settings, Target, registry};
use evtap::event::Batch;
use serde_json::{Value, json};

use super::{evtap, out, raw};

fn check(args: &[&str]) -> (Value, Option<i32>) {
    let ran = evtap(&[&["check"], args, &["-o", "json"]].concat());
    let report = serde_json::from_str(&ran.out);
    assert!(report.is_ok(), "{}{}", ran.out, ran.err);
    (report.unwrap(), ran.code)
}

fn recorded(folder: &Path, source: &str, name: &str) -> String {
    let file = folder.join(name);
    let file = file.to_str().unwrap();
    out(&["record", source, "--out", file]);
    file.to_owned()
}

#[test]
fn the_order_of_a_capture_is_judged_without_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let capture = recorded(folder.path(), "demo:", "demo.mcap");
    let (live, _) = check(&["demo:"]);
    let only = check(&[&capture, "--only", "order"]).0;
    for name in ["pii", "schema_violations", "undecodable", "sagas"] {
        assert_eq!(only["counts"][name], Value::Null, "{name}");
    }
    for name in [
        "duplicates",
        "compacted",
        "txn_markers",
        "aborted",
        "sequence_holes",
    ] {
        assert_eq!(only["counts"][name], live["counts"][name], "{name}");
    }
}

/// Copies a capture batch by batch, without one of them.
fn without(from: &str, to: &str, number: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let open = |path: &str| {
        let address = Address::parse(path).unwrap();
        registry::open(&address, &Settings::default()).unwrap()
    };
    runtime.block_on(async {
        let mut source = open(from).source(&raw()).await.unwrap();
        let target = Target {
            topic: "".into(),
            overwrite: false,
        };
        let mut sink = open(to).sink(&target).await.unwrap();
        let mut passed = 0;
        while let Some(batch) = source.next_batch().await.unwrap() {
            let mut kept = Batch::new(batch.streams().clone());
            for (meta, bytes) in batch.raws() {
                if passed != number {
                    kept.push_raw(*meta, bytes).unwrap();
                }
                passed += 1;
            }
            sink.send(&kept).await.unwrap();
        }
        assert!(passed > number);
        sink.flush().await.unwrap();
        sink.finish().await.unwrap();
    });
}

#[test]
fn one_batch_cut_out_of_a_capture_is_one_unexplained_gap() {
    let folder = tempfile::tempdir().unwrap();
    let capture = recorded(folder.path(), "demo:order-validation", "whole.mcap");
    assert_eq!(check(&[&capture]).1, Some(0));
    let cut = folder.path().join("cut.mcap");
    let cut = cut.to_str().unwrap();
    without(&capture, cut, 30);
    let (report, code) = check(&[cut]);
    assert_eq!(code, Some(1));
    assert_eq!(report["counts"]["gaps_unexplained"], 1);
    assert_eq!(report["counts"]["records"], 59);
    let findings = report["findings"].as_array().unwrap();
    let of = |code: &str| findings.iter().filter(|f| f["code"] == code).count();
    assert_eq!(of("offset.gap"), 1, "{report:#}");
    // The one producer's numbers tell of it as well, at the same place.
    assert_eq!(of("producer.hole"), 1);
    assert_eq!(findings.len(), 2, "{report:#}");
    assert_eq!(findings[0]["at"], findings[1]["at"]);
    assert_eq!(findings[1]["cause"], findings[0]["at"]);
}

fn lines(number: u32, twice: Option<u32>) -> String {
    let line = |offset: u32, id: u32| {
        let headers = json!({ "ce_id": format!("id-{id}") });
        let value = json!({ "n": offset });
        json!({"topic":"t","partition":0,"offset":offset,"headers":headers,"value":value})
    };
    let all = (0..number).map(|n| line(n, twice.filter(|_| n + 1 == number).unwrap_or(n)));
    let all: Vec<String> = all.map(|line| line.to_string()).collect();
    all.join("\n")
}

fn piped(text: &str, more: &[&str]) -> (Value, Option<i32>) {
    let mut command = crate::support::evtap();
    command.args(["check", "-", "-o", "json"]).args(more);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.stderr(Stdio::null()).spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::Builder::new().spawn(move || input.write_all(text.as_bytes()));
    let ran = running.wait_with_output().unwrap();
    writer.unwrap().join().unwrap().unwrap();
    (
        serde_json::from_slice(&ran.stdout).unwrap(),
        ran.status.code(),
    )
}

#[test]
fn a_duplicate_is_found_in_a_file_and_in_what_is_piped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, lines(3_000, Some(7))).unwrap();
    let file = file.to_str().unwrap();
    let found = |(report, code): (Value, Option<i32>)| {
        assert_eq!(code, Some(1), "{report:#}");
        assert_eq!(report["counts"]["duplicates"], 1);
        assert_eq!(report["counts"]["distinct_ids"], 2_999);
        assert_eq!(report["findings"][0]["at"], "t/0@2999");
        assert_eq!(report["findings"][0]["evidence"]["other"], "t/0@7");
    };
    found(check(&[file]));
    found(check(&[file, "--mem", "8MiB"]));
    found(piped(&lines(3_000, Some(7)), &[]));
    // What a filter leaves out is not there the second time either.
    let (report, code) = check(&[file, "-w", ".offset!=7"]);
    assert_eq!(report["counts"]["duplicates"], 0);
    assert_eq!(code, Some(3));
}

#[test]
fn a_stream_that_is_longer_than_memory_is_never_clean() {
    let text = lines(60_000, None);
    let (report, code) = piped(&text, &["--mem", "8MiB"]);
    assert_eq!(
        (report["verdict"].as_str(), code),
        (Some("inconclusive"), Some(3))
    );
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("ids were forgotten"), "{notes}");
    assert!(notes.contains("--mem"), "{notes}");
    let (report, code) = piped(&text, &[]);
    assert_eq!(
        (report["verdict"].as_str(), code),
        (Some("clean"), Some(0)),
        "{report:#}"
    );
}
