//! The closing summary: its line and its JSON, to the letter but for the time.

use super::evtap;

/// Cuts the one thing that differs from run to run.
fn without_time(line: &str) -> String {
    let parts: Vec<&str> = line.trim_end().split(" · ").collect();
    let kept: Vec<&str> = parts
        .iter()
        .filter(|p| !(p.ends_with(" ms") || p.ends_with(" s")))
        .copied()
        .collect();
    assert_eq!(kept.len() + 1, parts.len(), "no time in {line}");
    kept.join(" · ")
}

#[test]
fn the_line_says_what_was_scanned_what_matched_and_how_it_ended() {
    for (args, line) in [
        (
            &["read", "demo:"][..],
            "scanned 483 · matched 483 · complete",
        ),
        (
            &["read", "demo:orders", "-n", "2"],
            "scanned 62 · matched 2 · partial: limit",
        ),
        (
            &[
                "read",
                "demo:orders",
                "-w",
                ".value | ltrimstr(1) | .x.y[0].z | error",
            ],
            "scanned 62 · matched 0 · errors 62 · complete",
        ),
    ] {
        let ran = evtap(args);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(without_time(&ran.err), line, "{args:?}");
    }
    let ascii = evtap(&["read", "demo:", "--ascii"]);
    assert!(ascii.err.starts_with("scanned 483 - matched 483 - "));
}

#[test]
fn quiet_leaves_only_the_data() {
    assert_eq!(evtap(&["read", "demo:", "-q"]).err, "");
}

#[test]
fn the_json_has_the_promised_members_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("summary.json");
    let ran = evtap(&[
        "read",
        "demo:order-events",
        "-k",
        "order-405",
        "--summary",
        file.to_str().unwrap(),
    ]);
    assert_eq!(ran.code, Some(0));
    let json = std::fs::read_to_string(file).unwrap();
    let (head, rest) = json.split_once("\"elapsed_ms\":").unwrap();
    let (elapsed, tail) = rest.split_once(',').unwrap();
    assert!(elapsed.parse::<u64>().is_ok(), "{json}");
    assert!(
        head.starts_with(r#"{"scanned":207,"matched":2,"errors":0,"bytes":"#),
        "{json}"
    );
    assert_eq!(tail, "\"complete\":true,\"reason\":null}\n");
}

#[test]
fn nothing_matched_is_one_only_when_asked() {
    let args = ["read", "demo:", "-k", "no such key"];
    assert_eq!(evtap(&args).code, Some(0));
    assert_eq!(
        evtap(&[&args[..], &["--fail-empty"]].concat()).code,
        Some(1)
    );
}
