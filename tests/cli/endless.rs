//! A stream without end: what a check remembers of it has one.

use std::io::{BufWriter, Write};
use std::process::Stdio;

use crate::support;

/// The most memory that a process has had, in KiB.
fn peak(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// Events of which each has another id, key, cause and saga.
fn write(to: &mut impl Write, numbers: std::ops::Range<u64>) {
    for n in numbers {
        writeln!(
            to,
            r#"{{"topic":"orders","partition":0,"offset":{n},"timestamp":{},"key":"order-{n}","headers":{{"ce_id":"id-{n}","causation-id":"cause-{n}","ce_type":"OrderPlaced","correlation-id":"order-{n}"}},"value":{{"orderId":"order-{n}"}}}}"#,
            1_700_000_000_000 + n,
        )
        .unwrap();
    }
    to.flush().unwrap();
}

#[test]
fn memory_is_flat_however_long_the_stream() {
    let mut child = support::evtap()
        .args([
            "check", "-", "--mem", "8MiB", "--saga", "demo:", "-o", "json",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = BufWriter::new(child.stdin.take().unwrap());
    // Far more than there is room for, so that everything has turned over once.
    write(&mut input, 0..40_000);
    let before = peak(child.id());
    write(&mut input, 40_000..120_000);
    let after = peak(child.id());
    drop(input);
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["counts"]["records"], 120_000);
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("ids were forgotten"), "{notes}");
    assert!(after < before + 4 * 1024, "{before} KiB, then {after} KiB");
}
