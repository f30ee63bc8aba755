//! Plans as files: written, looked at, applied, refused; and what is kept of runs.

use std::path::{Path, PathBuf};

use super::{Ran, support};

/// A folder with a state folder of its own.
pub struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn evtap(&self, args: &[&str]) -> Ran {
        Ran::of(self.command().args(args))
    }

    pub fn command(&self) -> std::process::Command {
        let mut command = support::evtap();
        command.env("EVTAP_STATE", self.path("state"));
        command.current_dir(self.dir.path());
        command
    }

    /// The plan of the demo's orders into `copy.jsonl`.
    fn plan(&self) {
        let ran = self.evtap(&[
            "replay",
            "demo:orders",
            "-w",
            ".value.eventType == \"OrderPlaced\"",
            "--to",
            "./copy.jsonl",
            "--plan-out",
            "plan.toml",
        ]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(ran.out, "");
    }

    /// Five events in `in.jsonl`, and in `p.toml` the plan of all that is there into `copy.jsonl`.
    fn plan_five(&self) {
        for args in [
            &["record", "demo:orders", "-n", "5", "--out", "in.jsonl"][..],
            &[
                "replay",
                "./in.jsonl",
                "--to",
                "./copy.jsonl",
                "--plan-out",
                "p.toml",
            ],
        ] {
            let ran = self.evtap(args);
            assert_eq!(ran.code, Some(0), "{}", ran.err);
        }
    }

    pub fn audit(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.path("state/audit.jsonl")).unwrap();
        let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
        lines.collect()
    }

    pub fn runs(&self) -> Vec<String> {
        let Ok(runs) = std::fs::read_dir(self.path("state/runs")) else {
            return Vec::new();
        };
        let names = runs.map(|run| run.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn a_plan_is_written_and_applied() {
    let desk = Desk::new();
    desk.plan();
    assert!(!desk.path("copy.jsonl").exists());
    assert!(!desk.path("state").exists());
    let dry = desk.evtap(&["apply", "plan.toml", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.err);
    assert!(
        dry.err.contains("preview: 60 of 62 events match"),
        "{}",
        dry.err
    );
    assert!(!desk.path("copy.jsonl").exists());
    assert!(!desk.path("state").exists());
    let ran = desk.evtap(&["apply", "plan.toml", "--yes", "--summary", "sum.json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("verified: good"), "{}", ran.err);
    assert_eq!(lines(&desk.path("copy.jsonl")), 60);
    let summary = std::fs::read_to_string(desk.path("sum.json")).unwrap();
    assert!(summary.contains("\"matched\":60"), "{summary}");
}

#[test]
fn the_plan_decides_what_is_selected_whatever_is_there_now() {
    let desk = Desk::new();
    desk.plan_five();
    let more = ["record", "demo:orders", "--out", "in.jsonl", "--overwrite"];
    assert_eq!(desk.evtap(&more).code, Some(0));
    assert_eq!(lines(&desk.path("in.jsonl")), 62);
    let ran = desk.evtap(&["apply", "p.toml", "--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(lines(&desk.path("copy.jsonl")), 5);
}

#[test]
fn a_source_that_was_cut_is_refused_by_the_guards_name() {
    let desk = Desk::new();
    desk.plan_five();
    let text = std::fs::read_to_string(desk.path("in.jsonl")).unwrap();
    let fewer: Vec<_> = text.lines().take(1).collect();
    std::fs::write(desk.path("in.jsonl"), fewer.join("\n")).unwrap();
    let ran = desk.evtap(&["apply", "p.toml", "--yes"]);
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    assert!(ran.err.contains("guard source"), "{}", ran.err);
    assert!(!desk.path("copy.jsonl").exists());
    std::fs::remove_file(desk.path("in.jsonl")).unwrap();
    assert_eq!(desk.evtap(&["apply", "p.toml", "--yes"]).code, Some(2));
}

#[test]
fn a_plan_that_was_changed_is_refused() {
    let desk = Desk::new();
    desk.plan();
    let path = desk.path("plan.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("end = 21", "end = 20", 1)).unwrap();
    for how in ["--yes", "--dry-run"] {
        let ran = desk.evtap(&["apply", "plan.toml", how]);
        assert_eq!(ran.code, Some(5), "{}", ran.err);
        assert!(ran.err.contains("guard plan hash"), "{}", ran.err);
    }
    std::fs::write(&path, text.replacen("\nlanguage", "\nlangage", 1)).unwrap();
    let ran = desk.evtap(&["apply", "plan.toml", "--yes"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("plan.toml:"), "{}", ran.err);
    assert!(ran.err.contains("`langage`"), "{}", ran.err);
    assert!(!desk.path("copy.jsonl").exists());
}

#[test]
fn what_is_there_is_not_overwritten_unasked() {
    let desk = Desk::new();
    desk.plan();
    let text = std::fs::read(desk.path("plan.toml")).unwrap();
    let again = [
        "replay",
        "demo:orders",
        "--to",
        "./copy.jsonl",
        "--plan-out",
        "plan.toml",
    ];
    let ran = desk.evtap(&again);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert_eq!(std::fs::read(desk.path("plan.toml")).unwrap(), text);
    let ran = desk.evtap(&[&again[..], &["--overwrite"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_ne!(std::fs::read(desk.path("plan.toml")).unwrap(), text);
    // The plan says that its target may be replaced.
    std::fs::write(desk.path("copy.jsonl"), "").unwrap();
    assert_eq!(desk.evtap(&["apply", "plan.toml", "--yes"]).code, Some(0));
    assert_eq!(lines(&desk.path("copy.jsonl")), 62);
    let first = desk.path("first.toml");
    std::fs::write(&first, text).unwrap();
    let ran = desk.evtap(&["apply", "first.toml", "--yes"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("exists already"), "{}", ran.err);
}

#[test]
fn what_makes_no_sense_is_told() {
    let desk = Desk::new();
    desk.plan();
    for (args, code, said) in [
        (&["apply", "plan.toml"][..], 5, "guard confirm"),
        (&["apply", "none.toml", "--yes"], 2, "none.toml"),
        (
            &["apply", "3f2a9c0d17be4e55", "--yes"],
            2,
            "no run 3f2a9c0d17be4e55",
        ),
        (
            &["apply", "plan.toml", "--yes", "--decode", "value=text"],
            2,
            "--decode is the plan's",
        ),
        (
            &["apply", "plan.toml", "--yes", "--dry-run"],
            2,
            "--dry-run",
        ),
        (
            &[
                "replay",
                "demo:orders",
                "--to",
                "./x.jsonl",
                "--plan-out",
                "x",
                "--timeout",
                "1s",
            ],
            2,
            "--timeout",
        ),
        (
            &[
                "replay",
                "demo:orders",
                "--to",
                "./x.jsonl",
                "--plan-out",
                "no/x",
            ],
            2,
            "no/x",
        ),
        (
            &["replay", "-", "--to", "./x.jsonl", "--plan-out", "x"],
            2,
            "standard input",
        ),
    ] {
        let ran = desk.evtap(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    assert!(!desk.path("copy.jsonl").exists());
}

#[test]
fn each_run_is_kept_and_has_one_line_in_the_audit_log() {
    let desk = Desk::new();
    let args = [
        "replay",
        "demo:orders",
        "--to",
        "demo:copy",
        "--create-topic",
        "--yes",
    ];
    assert_eq!(desk.evtap(&args).code, Some(0));
    let runs = desk.runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let again = desk.evtap(&["apply", &runs[0], "--yes"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(desk.runs(), runs);
    let audit = desk.audit();
    assert_eq!(audit.len(), 2);
    for line in &audit {
        assert_eq!(line["run"], *runs[0]);
        assert_eq!(line["result"], "complete");
        assert_eq!(line["exit"], 0);
        assert_eq!(line["verified"], true);
        assert_eq!(line["counts"]["sent"], 62);
        assert_eq!(line["target"]["topic"], "copy");
        assert_eq!(line["sources"][0]["ranges"][0]["end"], "21");
        assert!(line["ended"].as_str() >= line["begun"].as_str());
        assert!(!line.to_string().contains("OrderPlaced"));
    }
}

#[test]
fn what_cannot_be_kept_is_not_run() {
    let desk = Desk::new();
    std::fs::write(desk.path("state"), "a file").unwrap();
    let args = ["replay", "demo:orders", "--to", "./copy.jsonl", "--yes"];
    let ran = desk.evtap(&args);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("EVTAP_STATE"), "{}", ran.err);
    assert!(!desk.path("copy.jsonl").exists());
    // The log can be somewhere else, and must be there as well.
    std::fs::remove_file(desk.path("state")).unwrap();
    let config = desk.path("config.toml");
    std::fs::write(&config, "audit = 'config.toml/audit.jsonl'").unwrap();
    let with = [&args[..], &["--config", config.to_str().unwrap()]].concat();
    let ran = desk.evtap(&with);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("audit log"), "{}", ran.err);
    assert!(!desk.path("copy.jsonl").exists());
    std::fs::write(&config, "audit = 'log/audit.jsonl'").unwrap();
    assert_eq!(desk.evtap(&with).code, Some(0));
    assert_eq!(lines(&desk.path("log/audit.jsonl")), 1);
}
