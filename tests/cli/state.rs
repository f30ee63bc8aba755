//! `evtap state`: the demo's orders exactly, points, differences, folds, and wrong input.

use serde_json::{Value, json};

use super::{Ran, evtap};

fn state(args: &[&str]) -> Ran {
    evtap(&[&["state"], args].concat())
}

fn report(args: &[&str]) -> Value {
    let ran = state(&[args, &["-o", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn the_worked_example_at_an_offset_with_blame() {
    for at in [
        "69",
        "v3",
        "order-events/0@69",
        "-1",
        "2024-08-15T10:30:56Z",
    ] {
        let told = report(&["demo:order-events", "-k", "order-456", "--at", at]);
        let one = &told["states"][0];
        let expected = json!({"status": "PAID", "customerId": "customer-789", "totalAmount": 59.98,
            "currency": "EUR", "paymentId": "payment-456"});
        // Numbers keep their digits, which two ways of reading them may hold differently.
        assert_eq!(one["state"].to_string(), expected.to_string(), "{at}");
        assert_eq!(one["after"]["at"], "order-events/0@69");
        let blame: Vec<(&str, &str)> = one["blame"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| (b["path"].as_str().unwrap(), b["at"].as_str().unwrap()))
            .collect();
        let (paid, placed) = ("order-events/0@69", "order-events/0@67");
        let expected = [
            ("/status", paid),
            ("/customerId", placed),
            ("/totalAmount", placed),
            ("/currency", placed),
            ("/paymentId", paid),
        ];
        assert_eq!(blame, expected);
        assert_eq!(one["complete"], true);
    }
}

#[test]
fn a_compacted_past_a_deletion_and_a_wrong_order_are_told() {
    let cut = report(&["demo:order-events", "-k", "order-402"]);
    assert_eq!(
        cut["states"][0]["state"],
        json!({"status": "SHIPPED", "trackingNo": "TRK-402"})
    );
    assert_eq!(cut["states"][0]["complete"], false);
    let ran = state(&["demo:order-events", "-k", "order-402"]);
    assert!(ran.err.contains("starts at version 4"), "{}", ran.err);

    let deleted = report(&["demo:order-events", "-k", "order-405"]);
    let deleted = &deleted["states"][0];
    assert_eq!(
        (&deleted["deleted"], &deleted["state"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(deleted["blame"][0]["at"], "order-events/0@41");

    let wrong = report(&["demo:order-events", "-k", "order-417", "--at", "19"]);
    let wrong = &wrong["states"][0];
    assert_eq!(wrong["state"]["status"], "VALIDATED");
    assert_eq!(wrong["diverges"], true);
    assert_eq!(wrong["by_version"][0]["after"], "PAID");
}

#[test]
fn what_changed_between_two_points_is_told_path_by_path() {
    let ran = state(&[
        "demo:order-events",
        "-k",
        "order-456",
        "--diff",
        "v1",
        "end",
    ]);
    assert_eq!(
        ran.out,
        "~ /status \"PLACED\" -> \"SHIPPED\"\n+ /paymentId \"payment-456\"\n+ /trackingNo \"TRK-456\"\n"
    );
    let told = report(&[
        "demo:order-events",
        "-k",
        "order-456",
        "--diff",
        "start",
        "v1",
    ]);
    let changes = told["states"][0]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (&changes[0]["path"], &changes[0]["kind"]),
        (&json!(""), &json!("added"))
    );
}

#[test]
fn a_jq_program_folds_what_events_say() {
    let lines = "{\"key\":\"a\",\"value\":{\"add\":5}}\n{\"key\":\"b\",\"value\":{\"add\":1}}\n{\"key\":\"a\",\"value\":{\"add\":7}}\n";
    let program = "{sum: ((.state.sum // 0) + .event.value.add)}";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    std::fs::write(&path, lines).unwrap();
    let ran = state(&[path.to_str().unwrap(), "-k", "a", "--jq", program, "-q"]);
    assert_eq!(
        (ran.out.as_str(), ran.code),
        ("{\n  \"sum\": 12\n}\n", Some(0)),
        "{}",
        ran.err
    );
}

#[test]
fn every_topic_with_the_key_has_a_state() {
    let told = report(&["demo:", "-k", "order-456", "--fold", "last"]);
    let topics: Vec<&str> = told["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["topic"].as_str().unwrap())
        .collect();
    let all = [
        "notifications",
        "order-events",
        "order-validation",
        "orders",
        "payments",
        "shipments",
    ];
    assert_eq!(topics, all);
}

#[test]
fn wrong_input_is_told_apart() {
    for (args, code, says) in [
        (&["demo:orders"][..], 2, "--key"),
        (&["demo:orders", "-k", "a", "-k", "b"], 2, "one --key"),
        (
            &["demo:orders", "-k", "order-456", "--at", "v9"],
            2,
            "version 9",
        ),
        (
            &["demo:orders", "-k", "order-456", "--at", "soon"],
            2,
            "no point",
        ),
        (
            &["demo:orders", "-k", "order-456", "--at", "payments/0@1"],
            2,
            "another topic",
        ),
        (
            &["demo:orders", "-k", "order-456", "--jq", ".a("],
            2,
            "--jq",
        ),
        (
            &["demo:orders", "-k", "order-456", "--jq", "def f: f; f"],
            2,
            "--jq",
        ),
        (
            &["demo:orders", "-k", "order-456", "--last", "5"],
            2,
            "--last",
        ),
        (&["demo:nothing", "-k", "a"], 4, "nothing"),
        (
            &["demo:orders", "-k", "nobody"],
            0,
            "no event has the key 'nobody'",
        ),
        (
            &["demo:orders", "-k", "nobody", "--fail-empty"],
            1,
            "nobody",
        ),
    ] {
        let ran = state(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}
