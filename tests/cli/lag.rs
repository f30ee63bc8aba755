//! `evtap lag`: the demo's groups exactly, bounds, and what has no groups.

use serde_json::{Value, json};

use crate::{evtap, out};

fn groups(args: &[&str]) -> Vec<Value> {
    let told: Value = serde_json::from_str(&out(args)).unwrap();
    told["groups"].as_array().unwrap().clone()
}

#[test]
fn the_demos_groups_are_told_exactly() {
    let groups = groups(&["lag", "demo:", "-o", "json"]);
    let of = |name: &str| groups.iter().find(|g| g["group"] == name).unwrap();
    let shipping = of("shipping-svc");
    assert_eq!(shipping["verdict"], "POISON");
    assert_eq!(
        (&shipping["state"], &shipping["type"]),
        (&json!("Stable"), &json!("consumer"))
    );
    assert_eq!(shipping["members"], json!(["m1", "m2"]));
    let keys = [
        "topic",
        "partition",
        "committed",
        "log_start",
        "lso",
        "hw",
        "raw",
        "visible",
        "time_lag_ms",
        "to_loss_ms",
        "member",
        "why",
        "at",
    ];
    let rows = |group: &Value| -> Vec<Value> {
        let rows = group["partitions"].as_array().unwrap();
        let row = |row: &Value| keys.iter().map(|key| row[*key].clone()).collect();
        rows.iter().map(row).collect()
    };
    let kept = 7 * 24 * 3_600_000i64;
    assert_eq!(
        rows(shipping),
        [
            json!([
                "payments", 0, 37, 0, 38, 38, 1, 0, 0, null, "m1", "OK", null
            ]),
            json!([
                "payments",
                1,
                24,
                0,
                42,
                42,
                18,
                9,
                84_300,
                kept - 84_300,
                "m1",
                "POISON",
                "payments/1@24"
            ]),
            json!([
                "payments", 2, 39, 0, 40, 40, 1, 0, 0, null, "m2", "OK", null
            ]),
        ]
    );
    let billing = of("billing-svc");
    assert_eq!(billing["verdict"], "NO_MEMBERS");
    let figures = |key: &str| -> Vec<i64> {
        let rows = billing["partitions"].as_array().unwrap();
        rows.iter().map(|row| row[key].as_i64().unwrap()).collect()
    };
    assert_eq!(figures("visible"), [16, 16, 15]);
    assert_eq!(figures("time_lag_ms").iter().max(), Some(&105_000));
    let fine = groups.iter().filter(|g| g["verdict"] == "OK").count();
    assert_eq!((groups.len(), fine), (6, 4));
}

#[test]
fn the_table_has_the_numbers_and_the_reason() {
    let table = out(&["lag", "demo:payments", "--group", "shipping-svc"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "GROUP shipping-svc  consumer Stable epoch 7/7  members 2  worst payments/1  POISON"
    );
    let cells: Vec<&str> = lines[3].split_whitespace().collect();
    assert_eq!(cells[..6], ["payments/1", "24", "42", "42", "18", "9"]);
    assert!(lines[3].contains("  84.3 s  "), "{table}");
    assert!(lines[3].contains("POISON @24: not JSON"), "{table}");
    assert!(lines[2].ends_with("OK (the tail is transaction markers)"));
}

#[test]
fn bounds_are_an_assertion() {
    let group = ["lag", "demo:", "--group", "billing-svc"];
    let with = |more: &[&str]| evtap(&[&group, more].concat());
    assert_eq!(with(&["--max", "47", "--max-age", "105s"]).code, Some(0));
    let over = with(&["--max", "46"]);
    assert_eq!(over.code, Some(1));
    assert!(
        over.err
            .contains("over: billing-svc has 47 events waiting, more than 46"),
        "{}",
        over.err
    );
    let old = with(&["--max-age", "104s", "-o", "json"]);
    assert_eq!(old.code, Some(1));
    assert!(old.err.contains("orders/2"), "{}", old.err);
    let told: Value = serde_json::from_str(&old.out).unwrap();
    assert_eq!(told["groups"][0]["verdict"], "NO_MEMBERS");
    assert_eq!(with(&["--max", "-1"]).code, Some(2));
}

#[test]
fn watching_ends_with_the_first_look_that_is_over() {
    let args = [
        "lag", "demo:", "--watch", "--every", "10ms", "-o", "json", "--max", "9",
    ];
    let ran = evtap(&args);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 1);
    assert!(!ran.out.contains('\u{1b}'));
    let alone = evtap(&["lag", "demo:", "--every", "1s"]);
    assert_eq!(alone.code, Some(2), "{}", alone.err);
}

#[test]
fn what_is_not_there_is_said() {
    let unknown = evtap(&["lag", "demo:", "--group", "shiping-svc"]);
    assert_eq!(unknown.code, Some(4));
    assert!(
        unknown.err.contains("did you mean 'shipping-svc'?"),
        "{}",
        unknown.err
    );
    let none = evtap(&["lag", "tests/data/none.jsonl"]);
    assert_ne!(none.code, Some(0));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.jsonl");
    std::fs::write(
        &file,
        "{\"topic\":\"t\",\"partition\":0,\"offset\":0,\"value\":1}\n",
    )
    .unwrap();
    let file = evtap(&["lag", file.to_str().unwrap()]);
    assert_ne!(file.code, Some(0));
    assert!(file.err.contains("has no consumer groups"), "{}", file.err);
    // A topic that no group reads has none to tell of.
    let quiet = evtap(&["lag", "demo:notifications"]);
    assert_eq!(quiet.code, Some(0));
    assert!(quiet.err.contains("no consumer groups"), "{}", quiet.err);
}
