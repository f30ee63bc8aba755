//! `evtap verify`: a target that somebody tampered with, and how that is told.

use std::fs;
use std::path::Path;

use super::evtap;

/// `demo:orders` into a file by a plan; the plan's path and the target's.
fn replayed(folder: &Path, target: &str) -> (String, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (plan, target) = (path("plan.toml"), path(target));
    let args = [
        "replay",
        "demo:orders",
        "--to",
        &target,
        "--plan-out",
        &plan,
    ];
    let planned = evtap(&args);
    assert_eq!(planned.code, Some(0), "{}", planned.err);
    let applied = evtap(&["apply", &plan, "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    assert!(
        applied
            .err
            .contains("verified: good (each copy with its original"),
        "{}",
        applied.err
    );
    (plan, target)
}

#[test]
fn what_a_plan_wrote_is_verified_again_whenever_one_likes() {
    let dir = tempfile::tempdir().unwrap();
    for target in ["copy.jsonl", "copy.mcap"] {
        let folder = dir.path().join(target.replace('.', "-"));
        fs::create_dir(&folder).unwrap();
        let (plan, _) = replayed(&folder, target);
        let ran = evtap(&["verify", &plan]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(
            ran.out.contains("62 selected, 62 in the target"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn an_event_that_is_lost_doubled_moved_or_altered_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (plan, target) = replayed(dir.path(), "copy.jsonl");
    let text = fs::read_to_string(&target).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let count = |lines: &[&str], kind: &str| {
        fs::write(&target, lines.join("\n") + "\n").unwrap();
        let ran = evtap(&["verify", &plan, "-o", "json"]);
        assert_eq!(ran.code, Some(1), "{kind}: {}{}", ran.out, ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(report["verdict"], "violation");
        assert_eq!(report["counts"][kind], 1, "{kind}: {report}");
        assert_eq!(
            report["differences"].as_array().unwrap().len(),
            1,
            "{report}"
        );
        report["differences"][0].clone()
    };
    let lost = count(&[&lines[..4], &lines[5..]].concat(), "missing");
    assert!(
        lost["source"].as_str().unwrap().starts_with("orders/"),
        "{lost}"
    );
    count(&[&lines[..], &lines[4..5]].concat(), "duplicated");
    // The next event of the partition stands three lines further.
    let mut moved = lines.clone();
    moved.swap(9, 12);
    count(&moved, "reordered");
    let altered = lines[7].replace("\"value\":{", "\"value\":{\"by\":\"hand\",");
    let mut changed = lines.clone();
    changed[7] = &altered;
    assert_eq!(count(&changed, "changed")["detail"], "value");
}

#[test]
fn a_target_that_is_gone_is_an_error_and_no_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let (plan, target) = replayed(dir.path(), "copy.jsonl");
    fs::remove_file(&target).unwrap();
    let ran = evtap(&["verify", &plan]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    assert!(ran.err.contains("copy.jsonl"), "{}", ran.err);
    assert_eq!(evtap(&["verify", "no-such-plan"]).code, Some(2));
}
