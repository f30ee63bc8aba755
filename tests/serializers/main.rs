//! Events written by the reference serializers of Confluent's Python client, on a real Kafka and
//! with a real registry, read back value by value. Skipped without them.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Value, encoding and verdict by topic and offset.
type Events = BTreeMap<(String, u64), Value>;

fn events(lines: &[u8]) -> Events {
    let text = str::from_utf8(lines).unwrap();
    let events = text.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        let topic = event["topic"].as_str().unwrap().to_owned();
        ((topic, event["offset"].as_u64().unwrap()), event)
    });
    events.collect()
}

#[test]
fn what_the_reference_serializers_write_is_read_as_it_was_meant() {
    let (Some(kafka), Some(registry), Some(python)) = (
        support::server("EVTAP_TEST_KAFKA"),
        support::server("EVTAP_TEST_SCHEMA_REGISTRY"),
        support::server("EVTAP_TEST_PYTHON"),
    ) else {
        return;
    };
    let prefix = format!("written-{}", std::process::id());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serializers/write.py");
    let written = Command::new(python)
        .args([script, &kafka, &registry, &prefix])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&written.stderr);
    assert!(written.status.success(), "the serializers said:\n{said}");
    let meant = events(&written.stdout);
    assert_eq!(meant.len(), 56);

    let source = format!("kafka://{kafka}/{prefix}-avro,{prefix}-json,{prefix}-protobuf");
    let read = |more: &[&str]| {
        let mut evtap = support::evtap();
        evtap.args(["read", &source, "--schemas", &registry, "-o", "jsonl"]);
        let output = evtap.args(more).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "evtap said:\n{said}");
        events(&output.stdout)
    };
    let all = read(&[]);
    assert_eq!(all.len(), meant.len());
    for (place, meant) in &meant {
        let event = &all[place];
        assert_eq!(event["value"], meant["value"], "{place:?}: {event}");
        let (encoding, verdict) = match &meant["value"] {
            Value::Null => ("tombstone", "none"),
            _ if place.0.ends_with("avro") => ("avro", "valid"),
            _ if place.0.ends_with("json") => ("json", "valid"),
            _ => ("protobuf", "valid"),
        };
        assert_eq!(event["encoding"]["value"], encoding, "{place:?}");
        assert_eq!(event["schema"]["verdict"], verdict, "{place:?}: {event}");
    }
    // What is filtered by is what is shown.
    let filtered = read(&["-w", r#".value.currency=="USD" or .value.id==-3"#]);
    assert_eq!(filtered.len(), 10 + 1);
    let grepped = read(&["-g", "2024-08-15T10:30:43.123Z"]);
    assert_eq!(grepped.len(), 20);
}
