//! What a replay does to events on their way, as a user meets it.

use std::path::Path;

use super::{Ran, evtap};

/// Replays the demo's orders into a file, with these flags.
fn replay(dir: &Path, source: &str, flags: &[&str]) -> (Ran, String) {
    let file = dir.join("copy.jsonl");
    let to = file.to_str().unwrap();
    let rejects = dir.join("rejects.jsonl");
    let mut args = vec!["replay", source, "--to", to, "--yes", "--overwrite"];
    args.extend(["--rejects", rejects.to_str().unwrap()]);
    args.extend(flags);
    (evtap(&args), to.to_owned())
}

fn printed(file: &str, map: &str) -> Vec<String> {
    let shown = evtap(&["read", file, "--map", map]).out;
    shown.lines().map(str::to_owned).collect()
}

#[test]
fn masks_join_and_leave_the_rest_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("mask.key");
    std::fs::write(&key, "a key of more than sixteen bytes\n").unwrap();
    let flags = [
        "-w",
        ".value.data.customerId? // empty",
        "--mask",
        ".value.data.customerId=hash",
        "--mask-key",
        key.to_str().unwrap(),
        "--no-provenance",
    ];
    let (ran, to) = replay(dir.path(), "demo:orders", &flags);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let masked = printed(&to, ".value.data.customerId");
    let plain = evtap(&[
        "read",
        "demo:orders",
        "-w",
        flags[1],
        "--map",
        ".value.data.customerId",
    ]);
    let plain: Vec<String> = plain.out.lines().map(str::to_owned).collect();
    assert_eq!(masked.len(), plain.len());
    for (a, x) in masked.iter().zip(&plain) {
        assert_eq!(a.len(), 34, "{a}");
        for (b, y) in masked.iter().zip(&plain) {
            assert_eq!(a == b, x == y, "{x} {y}");
        }
    }
    let rest = "[.key, .headers, (.value | del(.data.customerId))]";
    let before = evtap(&["read", "demo:orders", "-w", flags[1], "--map", rest]).out;
    assert_eq!(printed(&to, rest).join("\n"), before.trim_end());
    // The same key elsewhere makes the same pseudonyms.
    let (_, to) = replay(dir.path(), "demo:orders", &flags);
    assert_eq!(printed(&to, ".value.data.customerId"), masked);
}

#[test]
fn the_config_masks_too_and_a_mask_without_a_match_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(
        &config,
        "[topics.\"ord*\"]\nmask = [\".value.data.note=fake\"]\n",
    )
    .unwrap();
    let flags = [
        "--config",
        config.to_str().unwrap(),
        "--mask",
        ".value.no.such.place",
        "--max-events",
        "1000",
    ];
    let (ran, to) = replay(dir.path(), "demo:orders", &flags);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for said in [
        "  mask    .value.data.note=fake of ord*: ",
        "  mask    .value.no.such.place=redact matches NOTHING",
        "  key     in the plan",
    ] {
        assert!(ran.err.contains(said), "no '{said}' in:\n{}", ran.err);
    }
    let notes = printed(&to, ".value.data.note? // empty").join("\n");
    assert!(
        !notes.contains("4111111111111111") && !notes.is_empty(),
        "{notes}"
    );
}

#[test]
fn what_cannot_be_masked_is_rejected_and_shown_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let lines = dir.path().join("in.jsonl");
    std::fs::write(
        &lines,
        "{\"key\":\"a\",\"value\":{\"email\":\"x@y.example\"}}\n\
         {\"key\":\"b\",\"value\":\"{\\\"email\\\":\\\"z@y.example\\\"\"}\n",
    )
    .unwrap();
    let flags = ["--mask", ".value.email", "--mask", "header:none=hash"];
    let (ran, to) = replay(dir.path(), lines.to_str().unwrap(), &flags);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err
            .contains("skip    1 rejected: they cannot be masked"),
        "{}",
        ran.err
    );
    assert_eq!(printed(&to, ".value"), [r#"{"email":"***"}"#]);
    let rejects = std::fs::read_to_string(dir.path().join("rejects.jsonl")).unwrap();
    assert_eq!(rejects.lines().count(), 1);
    for text in [&rejects, &ran.err, &std::fs::read_to_string(&to).unwrap()] {
        assert!(!text.contains("y.example"), "{text}");
    }
    let line: serde_json::Value = serde_json::from_str(&rejects).unwrap();
    assert_eq!(line["reject"]["why"], "mask");
}

#[test]
fn a_map_changes_drops_and_rejects() {
    let dir = tempfile::tempdir().unwrap();
    let map = "if .key == \"order-444\" then empty elif .key == \"order-456\" then .value.data.n.n \
               else .headers.mapped = \"yes\" | .value.seen = 1.10 end";
    let flags = [
        "--map",
        map,
        "--set-header",
        "env=test",
        "--drop-header",
        "ce_*",
    ];
    let (ran, to) = replay(dir.path(), "demo:orders", &flags);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("dropped by --map"), "{}", ran.err);
    assert!(
        ran.err.contains("--map made no event of them"),
        "{}",
        ran.err
    );
    let seen = printed(&to, "[.headers.mapped, .headers.env, .value.seen?]");
    assert!(!seen.is_empty());
    for line in &seen {
        assert!(
            line.starts_with("[\"yes\",\"test\",1.10") || line.contains("null"),
            "{line}"
        );
    }
    assert!(
        printed(&to, ".headers | keys[]")
            .iter()
            .all(|name| !name.starts_with("\"ce_"))
    );
    let again = evtap(&[
        "read",
        dir.path().join("rejects.jsonl").to_str().unwrap(),
        "--map",
        ".key",
    ]);
    assert!(again.out.contains("order-456"), "{}", again.out);
}

#[test]
fn what_does_not_fit_the_targets_schema_is_rejected_in_full() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--schemas", "demo:", "--validate", "always"];
    let (ran, to) = replay(dir.path(), "demo:orders", &flags);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let invalid = evtap(&["check", "demo:orders", "--only", "schemas", "-o", "json"]).out;
    let invalid: serde_json::Value = serde_json::from_str(&invalid).unwrap();
    let counts = &invalid["counts"];
    let bad =
        counts["schema_violations"].as_u64().unwrap() + counts["undecodable"].as_u64().unwrap();
    let said = format!("replayed {} of 62 events", 62 - bad);
    assert!(bad > 0 && ran.err.contains(&said), "{}", ran.err);
    let rejects = std::fs::read_to_string(dir.path().join("rejects.jsonl")).unwrap();
    assert_eq!(rejects.lines().count() as u64, bad);
    assert_eq!(printed(&to, ".offset").len() as u64, 62 - bad);
    // The values stand in it as they were.
    let file = dir.path().join("rejects.jsonl");
    let shown = evtap(&["read", file.to_str().unwrap(), "-o", "raw"]).out;
    let first: serde_json::Value = serde_json::from_str(rejects.lines().next().unwrap()).unwrap();
    let offset = first["offset"].to_string();
    let partition = first["partition"].to_string();
    let original = evtap(&[
        "read",
        "demo:orders",
        "-p",
        &partition,
        "--from",
        &offset,
        "-n",
        "1",
        "-o",
        "raw",
    ]);
    assert!(
        shown.starts_with(&original.out),
        "{shown}\n{}",
        original.out
    );
    // A file takes what comes unless it is asked for.
    let (ran, _) = replay(dir.path(), "demo:orders", &["--schemas", "demo:"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn a_canary_without_a_terminal_stops_there() {
    let dir = tempfile::tempdir().unwrap();
    let (ran, to) = replay(dir.path(), "demo:orders", &["--canary", "5"]);
    assert_eq!(ran.code, Some(6), "{}", ran.err);
    assert!(
        ran.err.contains("canary: 5 events are written and stored"),
        "{}",
        ran.err
    );
    assert_eq!(printed(&to, ".offset").len(), 5);
    // Nothing follows: nobody is asked.
    let (ran, _) = replay(dir.path(), "demo:orders", &["--canary", "62"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn wrong_flags_are_told_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for (flags, said) in [
        (&["--mask", "email"][..], "no place in an event"),
        (&["--mask", ".value.a=shred"], "none of hash, redact, fake"),
        (&["--map", ".a ==", "-n", "1"], "--map: unexpected end"),
        (&["--set-header", "evtap-count=0"], "written by evtap"),
        (&["--pause-if", "lag(a)"], "lag(GROUP)>N"),
        (&["--canary", "0"], "--canary"),
        (
            &["--mask", "key=hash", "--mask-key", "/no/such/file"],
            "urandom",
        ),
        (
            &["--validate", "always"],
            "no schemas are known of the target",
        ),
        (&["--pause-if", "lag(g)>1"], "consumer groups"),
    ] {
        let (ran, to) = replay(dir.path(), "demo:orders", flags);
        assert_eq!(ran.code, Some(2), "{flags:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{flags:?}: {}", ran.err);
        assert!(!Path::new(&to).exists(), "{flags:?} left a file");
    }
}

#[test]
fn a_preview_shows_events_as_they_will_be_and_hides_what_is_personal() {
    let args = [
        "replay",
        "demo:orders",
        "-w",
        ".value.data.note? // \"\" | contains(\"4111\")",
    ];
    let to = ["--to", "demo:copy", "--create-topic", "--dry-run"];
    let ran = evtap(&[&args[..], &to, &["--map", ".value.data.extra = 1"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let first = ran.err.lines().find(|l| l.starts_with("  first")).unwrap();
    assert!(first.contains("orders/2@9"), "{first}");
    assert!(!ran.err.contains("4111111111111111"), "{}", ran.err);
}
