//! What a replay says and does before it writes.

use super::evtap;

#[test]
fn a_limit_is_held_before_the_first_event_is_written() {
    let dir = tempfile::tempdir().unwrap();
    for limit in [["--max-events", "3"], ["--max-duration", "1s"]] {
        let file = dir.path().join("copy.jsonl");
        let args = [
            "replay",
            "demo:orders",
            "--to",
            file.to_str().unwrap(),
            "--yes",
            "--speed",
            "1x",
            limit[0],
            limit[1],
        ];
        let ran = evtap(&args);
        assert_eq!(ran.code, Some(5), "{}", ran.err);
        assert!(
            ran.err.contains(&format!("guard {}:", &limit[0][2..])),
            "{}",
            ran.err
        );
        assert!(!file.exists(), "{limit:?} left a file behind");
    }
}

#[test]
fn shifted_timestamps_begin_now_with_yes_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("copy.jsonl");
    let to = file.to_str().unwrap();
    let ran = evtap(&[
        "replay",
        "demo:orders",
        "--to",
        to,
        "--yes",
        "--timestamps",
        "shift",
        "-n",
        "2",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = evtap(&["read", to, "--map", ".timestamp"]).out;
    let times: Vec<i64> = shown.lines().map(|l| l.parse().unwrap()).collect();
    assert_eq!(times.len(), 2);
    assert_eq!(times[1] - times[0], 1000);
    // Not in the time of the demo, which is 2024.
    assert!(times[0] > 1_750_000_000_000, "{times:?}");
}

#[test]
fn the_plan_and_the_preview_are_talk_and_a_dry_run_writes_nothing() {
    let ran = evtap(&[
        "replay",
        "demo:orders",
        "-k",
        "order-456",
        "--to",
        "demo:orders.copy",
        "--create-topic",
        "--dry-run",
    ]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.out, "");
    for line in [
        "  from    demo:\n          orders 0 [0, 21) 1 [0, 21) 2 [0, 20)\n",
        "  to      orders.copy with 3 partitions, to be created, on demo:\n",
        "preview: 1 of 62 events match, 1 would be written (",
        "  first   orders/0@19 2024-08-15T10:30:55.000Z order-456 {",
    ] {
        assert!(ran.err.contains(line), "no '{line}' in:\n{}", ran.err);
    }
    assert!(ran.err.ends_with("dry run: nothing was written\n"));
}

#[test]
fn without_a_terminal_only_yes_is_an_answer() {
    for args in [
        &[
            "replay",
            "demo:orders",
            "--to",
            "demo:copy",
            "--create-topic",
        ][..],
        &["demo", "--to", "demo:"],
    ] {
        let ran = evtap(args);
        assert_eq!(ran.code, Some(5), "{args:?}: {}", ran.err);
        assert!(ran.err.contains("--yes"), "{}", ran.err);
    }
}
