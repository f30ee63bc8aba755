//! The demo on a real broker: the same events, the groups' commits, and no second time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::own_kafka::Own;
use crate::program::{good, run, unique};

/// Events that the demo's cleaner has taken away, and that a real broker cannot be made to.
const COMPACTED: usize = 17;

/// The events; without what the schemas say, which only the embedded broker has.
fn events(source: &str) -> BTreeSet<String> {
    let read = good(&["read", source, "--map", "del(.schema, .error)"]).is(0, "complete");
    let lines: BTreeSet<String> = read.lines().into_iter().map(str::to_owned).collect();
    assert_eq!(lines.len(), read.lines().len(), "an event came twice");
    lines
}

/// Commits by group, topic and partition.
fn commits(broker: &str) -> BTreeMap<(String, String, u64), u64> {
    let lag: Value = serde_json::from_slice(&good(&["lag", broker, "-o", "json"]).out).unwrap();
    let mut all = BTreeMap::new();
    for group in lag["groups"].as_array().unwrap() {
        for row in group["partitions"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let place = (
                text(&group["group"]),
                text(&row["topic"]),
                row["partition"].as_u64().unwrap(),
            );
            all.insert(place, row["committed"].as_u64().unwrap());
        }
    }
    all
}

#[test]
fn the_demo_is_the_same_on_a_real_broker() {
    let Some(server) = Own::start(&[]) else {
        return;
    };
    let broker = format!("kafka://{}", server.plain());
    // On a broker that has just started, its coordinators are not there yet.
    run(&["demo", "--to", &broker, "--yes"]).is(0, "7 topics");

    let (real, embedded) = (events(&broker), events("demo:"));
    let missing: Vec<_> = embedded.difference(&real).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let more: Vec<&String> = real.difference(&embedded).collect();
    assert_eq!(more.len(), COMPACTED);
    assert!(
        more.iter().all(|e| e.contains(r#""topic":"order-events""#)),
        "{more:?}"
    );

    let committed = commits(&broker);
    assert!(committed.len() > 20, "{committed:?}");
    assert_eq!(committed, commits("demo:"));

    let refused = run(&["demo", "--to", &broker, "--yes"]).is(5, "exists and holds records");
    assert!(refused.err.contains("hint: "), "{}", refused.err);
    assert_eq!(events(&broker), real);
    assert_eq!(commits(&broker), committed);

    dead_letters_go_back_once(&broker, &real);

    // Asked for before it is made, and again right after.
    let made = format!("{broker}/{}", unique("made"));
    good(&[
        "replay",
        "demo:orders",
        "--to",
        &made,
        "--create-topic",
        "--yes",
    ]);
    assert_eq!(events(&made).len(), events("demo:orders").len());
}

/// Of the demo's three dead letters two go back, one is parked; a second time none goes. `before`
/// is all that is there.
fn dead_letters_go_back_once(broker: &str, before: &BTreeSet<String>) {
    let letters = format!("{broker}/payments.dlq");
    for refused in [
        &["redrive", &*letters][..],
        &["redrive", &letters, "--yes", "--read-only"],
        &["redrive", &letters, "--yes", "--to", &letters],
        &["redrive", &letters, "--yes", "--max-events", "1"],
    ] {
        run(refused).is(5, "guard ");
    }
    run(&["redrive", &letters, "--dry-run"]).is(0, "3 found, 2 to redrive, 1 to park");
    assert_eq!(&events(broker), before);

    run(&["redrive", &letters, "--yes"]).is(0, "3 found, 2 redriven, 1 parked");
    let after = events(broker);
    let new: Vec<Value> = after
        .difference(before)
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    assert_eq!((new.len(), after.len()), (2, before.len() + 2));
    for event in &new {
        assert_eq!(
            (&event["topic"], event["partition"].as_u64()),
            (&"payments".into(), Some(1))
        );
        assert_eq!(event["headers"]["evtap-count"], "1");
        let headers = event["headers"].as_object().unwrap();
        assert!(
            headers.keys().all(|name| !name.starts_with("kafka_dlt")),
            "{event}"
        );
    }

    run(&["redrive", &letters, "--yes"]).is(0, "3 found, 0 redriven, 1 parked, 2 left");
    assert_eq!(events(broker), after);
}
