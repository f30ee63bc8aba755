//! How a run ends: exit codes, the reason, and the summary as JSON.

use serde_json::Value;

use crate::program::{Ended, run, text};

/// Runs it, and gives what `--summary` wrote.
fn summed_up(args: &[&str]) -> (Ended, Value) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("summary.json");
    let ended = run(&[args, &["--summary", text(&file)]].concat());
    let written = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}", ended.err));
    (ended, serde_json::from_str(&written).unwrap())
}

#[test]
fn a_complete_read_says_so_in_words_and_as_json() {
    let (ended, sum) = summed_up(&["read", "demo:", "-w", ".topic == \"orders\""]);
    let ended = ended.is(0, "scanned 483 · matched 62 · ").is(0, "complete");
    assert_eq!(ended.lines().len(), 62);
    assert_eq!(
        (&sum["scanned"], &sum["matched"]),
        (&483.into(), &62.into())
    );
    assert_eq!(
        (&sum["errors"], &sum["complete"]),
        (&0.into(), &true.into())
    );
    assert!(
        sum["reason"].is_null() && sum["bytes"].as_u64() > Some(0),
        "{sum}"
    );
    assert!(sum["elapsed_ms"].is_u64(), "{sum}");
    assert_eq!(sum.as_object().unwrap().len(), 7);
}

#[test]
fn an_expression_that_fails_on_some_events_is_counted() {
    let (ended, sum) = summed_up(&["read", "demo:order-events", "-w", ".value.status.x"]);
    ended.is(0, "errors ");
    assert!(sum["errors"].as_u64() > Some(100), "{sum}");
}

#[test]
fn nothing_matched_is_a_finding_when_asked_for() {
    run(&["read", "demo:orders", "-w", "false"]).is(0, "matched 0");
    run(&["read", "demo:orders", "-w", "false", "--fail-empty"]).is(1, "matched 0");
    run(&["read", "demo:orders", "--fail-empty"]).is(0, "matched 62");
}

#[test]
fn a_limit_ends_it_well_and_is_the_reason() {
    for (limit, matched) in [("0", 0), ("3", 3)] {
        let (ended, sum) = summed_up(&["read", "demo:orders", "--limit", limit]);
        assert_eq!(ended.is(0, "partial: limit").lines().len(), matched);
        assert_eq!(
            (&sum["complete"], &sum["reason"]),
            (&false.into(), &"limit".into())
        );
        assert_eq!(sum["matched"], matched);
    }
}

#[test]
fn running_out_of_time_is_partial_before_a_frozen_end_only() {
    let slow = ["read", "demo:", "-w", "last(range(20000)) > 0"];
    let (ended, sum) = summed_up(&[&slow[..], &["--timeout", "200ms"]].concat());
    ended.is(3, "partial: timeout");
    assert_eq!(
        (&sum["complete"], &sum["reason"]),
        (&false.into(), &"timeout".into())
    );
    let (ended, sum) = summed_up(&["tail", "demo:", "--timeout", "500ms"]);
    ended.is(0, "partial: timeout");
    assert_eq!(sum["reason"], "timeout");
    run(&["read", "demo:", "--timeout", "60s"]).is(0, "complete");
}

#[cfg(feature = "kafka")]
mod kafka {
    use std::time::Duration;

    use crate::program::{Running, good, run, unique};
    use crate::shared::server;

    #[test]
    fn a_missing_topic_names_the_one_that_was_meant() {
        let Some(host) = server("EVTAP_TEST_KAFKA") else {
            return;
        };
        let topic = unique("meant");
        let target = format!("kafka://{host}/{topic}");
        good(&[
            "replay",
            "demo:orders",
            "--to",
            &target,
            "--create-topic",
            "--yes",
        ]);
        let typed = topic.replace("meant", "maent");
        let meant = format!("did you mean '{topic}'?");
        for command in [&["read"][..], &["tail"], &["record", "--out", "never.mcap"]] {
            let wrong = format!("kafka://{host}/{typed}");
            let ended = run(&[command, &[&wrong]].concat()).is(4, &meant);
            assert!(ended.out.is_empty());
        }
        assert!(!std::path::Path::new("never.mcap").exists());
        // Asking has not made it.
        let listed = good(&["topics", &format!("kafka://{host}")]);
        assert!(listed.lines().iter().all(|line| !line.contains(&typed)));
    }

    #[test]
    fn an_idle_tail_ends_well() {
        let Some(host) = server("EVTAP_TEST_KAFKA") else {
            return;
        };
        let topic = format!("kafka://{host}/{}", unique("idle"));
        good(&[
            "replay",
            "demo:orders",
            "--to",
            &topic,
            "--create-topic",
            "--yes",
        ]);
        run(&["tail", &topic, "--idle", "500ms"]).is(0, "partial: idle");
        let tail = [
            "tail", &topic, "--from", "start", "--idle", "1s", "-o", "raw",
        ];
        assert_eq!(run(&tail).is(0, "partial: idle").lines().len(), 62);
    }

    #[test]
    fn a_broker_that_is_not_there_is_told_within_ten_seconds() {
        // A listener that never answers, and a port where nobody listens.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = silent.local_addr().unwrap();
        let hosts = [
            "127.0.0.1:9",
            &silent.to_string(),
            "no-such-host.invalid:9092",
        ];
        // All at once: most of it is waiting.
        let runs: Vec<_> = hosts
            .iter()
            .flat_map(|host| {
                let broker = format!("kafka://{host}");
                let topic = format!("{broker}/t");
                [["read", &topic], ["topics", &broker], ["lag", &broker]]
                    .map(|args| (args.join(" "), Running::start(&args)))
            })
            .collect();
        for (command, running) in runs {
            let ended = running.end().is(4, "hint: ");
            let took = ended.took;
            assert!(took < Duration::from_secs(10), "{command}: {took:?}");
        }
    }
}
