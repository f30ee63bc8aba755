//! What is kept of redrives: one line a run in the audit log, whatever its end, and nothing where
//! nothing was written.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::plans::Desk;

/// Dead letters that came from `a` and `b`, and one of no origin, with a value that no log may hold.
fn letters(desk: &Desk, count: usize) {
    let lines: Vec<String> = (0..count)
        .map(|n| {
            let origin = ["a", "b"][n % 2];
            let headers = match n {
                2 => json!({}),
                _ => json!({"dead-letter-topic": origin, "dead-letter-reason": "secret-reason"}),
            };
            let event = json!({
                "topic": "some.dlq", "partition": 0, "offset": n, "timestamp": 1_723_717_843_000_u64,
                "key": "secret-key", "headers": headers, "value": "secret-value",
            });
            event.to_string()
        })
        .collect();
    std::fs::write(desk.path("some.dlq.jsonl"), lines.join("\n")).unwrap();
}

const TO: [&str; 5] = [
    "redrive",
    "./some.dlq.jsonl",
    "--to",
    "./back.jsonl",
    "--overwrite",
];

fn is_untouched(desk: &Desk) -> bool {
    !desk.path("state").exists()
}

#[test]
fn each_redrive_has_one_line_in_the_audit_log() {
    let desk = Desk::new();
    letters(&desk, 5);
    let args = [&TO[..], &["--yes", "--parked", "./aside.jsonl"]].concat();
    for _ in 0..2 {
        let ran = desk.evtap(&args);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
    let audit = desk.audit();
    assert_eq!(audit.len(), 2);
    let runs = desk.runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let path = |name: &str| json!(desk.path(name).to_str().unwrap());
    for line in &audit {
        assert_eq!(line["kind"], "redrive");
        assert_eq!(line["run"], *runs[0]);
        assert!(line["plan"].as_str().unwrap().starts_with(&runs[0]));
        assert_eq!(
            (&line["result"], &line["exit"]),
            (&json!("complete"), &json!(0))
        );
        assert_eq!(line["verified"], true);
        assert!(line["ended"].as_str() >= line["begun"].as_str());
        for who in ["user", "host", "worker", "pid", "evtap"] {
            assert!(line.get(who).is_some(), "{who}");
        }
        assert_eq!(line["sources"][0]["address"], path("some.dlq.jsonl"));
        assert_eq!(
            line["sources"][0]["ranges"],
            json!([{"topic": "some.dlq", "partition": 0, "start": "0", "end": "5"}])
        );
        let targets = line["targets"].as_array().unwrap();
        assert_eq!(
            (targets.len(), &targets[0]["address"]),
            (1, &path("back.jsonl"))
        );
        assert_eq!(line["parked"]["address"], path("aside.jsonl"));
        assert_eq!(line.get("target"), None);
        let counts = &line["counts"];
        let told = [
            "read",
            "sent",
            "acknowledged",
            "in_doubt",
            "redriven",
            "parked",
        ];
        let told = told.map(|name| counts[name].as_u64().unwrap());
        assert_eq!(told, [5, 5, 5, 0, 4, 1]);
        assert_eq!(counts["skipped"], json!({}));
        assert!(!line.to_string().contains("secret"), "{line}");
    }
    // The id tells what was asked, and is no plan.
    let asked = std::fs::read_to_string(desk.path("state/runs").join(&runs[0]).join("redrive.txt"));
    let asked = asked.unwrap();
    assert!(asked.contains("range \"some.dlq\" 0 [0, 5)"), "{asked}");
    let applied = desk.evtap(&["apply", &runs[0], "--yes"]);
    assert_eq!(applied.code, Some(2), "{}", applied.err);
    assert!(
        applied.err.contains("is a redrive") && applied.err.contains("hint: "),
        "{}",
        applied.err
    );
}

#[test]
fn topics_that_are_written_to_are_named_one_by_one() {
    let desk = Desk::new();
    let args = [
        "redrive",
        "demo:payments.dlq",
        "--yes",
        "--parked",
        "orders",
    ];
    let ran = desk.evtap(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let line = &desk.audit()[0];
    let told = |side: &Value| (side["address"].clone(), side["topic"].clone());
    assert_eq!(
        told(&line["targets"][0]),
        (json!("demo:payments"), json!("payments"))
    );
    assert_eq!(
        told(&line["parked"]),
        (json!("demo:orders"), json!("orders"))
    );
    assert_eq!(line["counts"]["redriven"], 2);
    assert_eq!(line["counts"]["parked"], 1);
    // What has no place to go is counted by what kept it.
    desk.evtap(&["redrive", "demo:payments.dlq", "--yes"]);
    let line = &desk.audit()[1];
    assert_eq!(line.get("parked"), None);
    assert_eq!(line["counts"]["parked"], 0);
    assert_eq!(line["counts"]["skipped"], json!({"capped": 1}));
}

#[test]
fn what_writes_nothing_leaves_nothing() {
    let desk = Desk::new();
    letters(&desk, 5);
    for (more, code) in [
        (&["--dry-run"][..], 0),
        // Nobody can be asked.
        (&[], 5),
        (&["--yes", "--reason", "another"], 0),
        (&["--yes", "--max-events", "1"], 5),
    ] {
        let ran = desk.evtap(&[&TO[..], more].concat());
        assert_eq!(ran.code, Some(code), "{more:?}: {}", ran.err);
        assert!(is_untouched(&desk), "{more:?}");
    }
}

#[test]
fn what_cannot_be_noted_is_not_run() {
    let desk = Desk::new();
    letters(&desk, 5);
    std::fs::write(desk.path("state"), "a file").unwrap();
    let args = [&TO[..], &["--yes"]].concat();
    let ran = desk.evtap(&args);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("EVTAP_STATE"), "{}", ran.err);
    assert!(!desk.path("back.jsonl").exists());
    std::fs::remove_file(desk.path("state")).unwrap();
    let config = desk.path("config.toml");
    std::fs::write(&config, "audit = 'config.toml/audit.jsonl'").unwrap();
    let with = [&args[..], &["--config", config.to_str().unwrap()]].concat();
    let ran = desk.evtap(&with);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("audit log"), "{}", ran.err);
    assert!(!desk.path("back.jsonl").exists());
}

#[test]
fn a_run_that_fails_is_noted_with_what_failed() {
    let desk = Desk::new();
    letters(&desk, 5);
    let args = [
        "redrive",
        "./some.dlq.jsonl",
        "--yes",
        "--to",
        "./none/back.jsonl",
    ];
    let ran = desk.evtap(&args);
    assert_ne!(ran.code, Some(0), "{}", ran.err);
    let line = &desk.audit()[0];
    assert_eq!(
        (&line["result"], &line["error"]),
        (&json!("failed"), &json!("File"))
    );
    assert_eq!(line["exit"], ran.code.unwrap());
    assert_eq!(line.get("verified"), None);
}

/// A redrive that takes a minute, once it has written something.
#[cfg(unix)]
fn slow(desk: &Desk) -> std::process::Child {
    letters(desk, 60);
    let started = desk
        .command()
        .args(TO)
        .args(["--yes", "--rate", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let lock = || {
        let run = desk.runs().pop()?;
        let lock = desk.path("state/runs").join(run).join("worker-0.lock");
        std::fs::metadata(lock).ok().filter(|lock| lock.len() > 0)
    };
    while lock().is_none() || !desk.path("back.jsonl").exists() {
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "it does not begin"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    started
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_is_noted_by_the_next() {
    let desk = Desk::new();
    let mut run = slow(&desk);
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(desk.audit().is_empty());
    let ran = desk.evtap(&[&TO[..], &["--yes"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let audit = desk.audit();
    let told: Vec<_> = audit.iter().map(|line| &line["result"]).collect();
    assert_eq!(told, ["killed", "complete"]);
    assert!(audit.iter().all(|line| line["kind"] == "redrive"));
    assert_eq!(
        (audit[0].get("ended"), audit[0].get("counts")),
        (None, None)
    );
    assert_eq!(audit[0]["sources"][0]["ranges"][0]["end"], "60");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_is_noted_with_what_it_wrote() {
    let desk = Desk::new();
    let mut run = slow(&desk);
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let line = &desk.audit()[0];
    assert_eq!(
        (&line["result"], &line["exit"]),
        (&json!("interrupted"), &json!(130))
    );
    let counts = &line["counts"];
    assert_eq!(counts["redriven"], counts["sent"]);
    assert!(counts["sent"].as_u64().unwrap() < 59, "{line}");
    assert_eq!(line.get("verified"), None);
}
