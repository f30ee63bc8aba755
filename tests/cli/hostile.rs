//! Escape sequences, bells, returns and bidi overrides in values, keys, headers, topics and
//! arguments: none of them comes out raw, whatever the command.

use std::path::Path;

use super::{Ran, evtap};

/// The demo's own planted texts, and a file whose very topic is hostile.
const HOSTILE: &str = concat!(
    r#"{"topic":"a\u001b[31m\u202eb","partition":0,"offset":1,"key":"k\u001b]0;x\u0007","#,
    r#""value":"v\u202e\r\n\u001b[2J","headers":{"h\u001b":"x\u009b\u200b"}}"#,
    "\n",
);

fn assert_safe(args: &[&str], ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let bad = text.contains(['\x1b', '\x07', '\r', '\u{202e}', '\u{9b}', '\u{200b}']);
        assert!(!bad, "{args:?} printed {text:?}");
    }
}

fn file(dir: &Path) -> String {
    let file = dir.join("hostile.jsonl");
    std::fs::write(&file, HOSTILE).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn no_format_lets_it_through() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(dir.path());
    let formats = [
        "text",
        "jsonl",
        "json",
        "csv",
        "template={topic} {key} {value} {headers} {header:h\x1b} {header:x-client}",
    ];
    for source in [&file, "demo:orders"] {
        for format in formats {
            let args = ["read", source, "-o", format];
            let ran = evtap(&args);
            assert_eq!(ran.code, Some(0), "{}", ran.err);
            assert_safe(&args, &ran);
        }
        let args = ["read", source, "--map", ".key, .value, .headers, .topic"];
        assert_safe(&args, &evtap(&args));
    }
}

#[test]
fn no_report_and_no_message_lets_it_through() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(dir.path());
    let missing = format!("{file}\x1b[2J.jsonl");
    let cases: &[&[&str]] = &[
        &["topics", &file],
        &["topics", &file, "--brief"],
        &[
            "read",
            &file,
            "--explain",
            "-w",
            ".key == \"\x1b[2J\"",
            "-g",
            "\x1b\u{202e}",
        ],
        &["read", &missing],
        &["read", "ctx\x1b[2J/topic\u{202e}"],
        &["read", "demo:\x1b[2J"],
        &["read", "demo:", "-w", ".\x1b[2J"],
        &["read", "demo:", "-g", "(\x1b[2J"],
        &["read", "demo:", "-o", "\x1b[2J"],
        &["read", "demo:", "-o", "template={\x1b[2J}"],
        &["read", "demo:", "--map", "\x1b[2J"],
        &["read", "demo:", "--from", "\x1b[2J"],
        &["read", "demo:", "--tz", "\x1b[2J"],
        &["\x1b[2J"],
        &[
            "replay",
            &file,
            "--to",
            "demo:copy",
            "--create-topic",
            "--dry-run",
        ],
        &[
            "replay",
            &file,
            "--to",
            "demo:copy",
            "--create-topic",
            "--yes",
        ],
        &[
            "replay",
            &file,
            "--to",
            "demo:\x1b[2J",
            "--create-topic",
            "--yes",
        ],
        &[
            "replay",
            "demo:orders",
            "--to",
            "demo:copy",
            "--create-topic",
            "--dry-run",
        ],
    ];
    for args in cases {
        let ran = evtap(args);
        assert!(ran.code.is_some_and(|code| code < 6), "{args:?}");
        assert_safe(args, &ran);
    }
}

#[test]
fn a_report_in_json_stays_json() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(dir.path());
    let args = ["topics", &file, "-o", "json"];
    let ran = evtap(&args);
    assert_safe(&args, &ran);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["topics"][0]["topic"], "a\x1b[31m\u{202e}b");
}
