//! `evtap redrive`: the demo's dead letters, what each framework leaves, reasons, what is parked,
//! and what is refused.

use std::path::Path;

use serde_json::{Value, json};

use super::{Ran, evtap, out};

fn redrive(args: &[&str]) -> (Value, Ran) {
    let ran = evtap(&[&["redrive"], args, &["-o", "json"]].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
    (report, ran)
}

/// Found, redriven, parked, left.
fn counts(report: &Value) -> [u64; 4] {
    ["found", "redriven", "parked", "left"].map(|name| report[name].as_u64().unwrap())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn events(file: &str) -> Vec<Value> {
    let lines = out(&["read", file, "-o", "jsonl", "-q"]);
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Dead letters in a file: headers and value of each.
fn letters(folder: &Path, all: &[(Value, Value)]) -> String {
    let lines = all.iter().enumerate().map(|(offset, (headers, value))| {
        let event = json!({
            "topic": "some.dlq", "partition": 0, "offset": offset, "timestamp": 1_723_717_843_000_u64,
            "key": format!("k{offset}"), "headers": headers, "value": value,
        });
        format!("{event}\n")
    });
    let file = path(folder, "some.dlq.jsonl");
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    file
}

#[test]
fn of_the_demos_dead_letters_two_go_back_and_one_is_parked() {
    let (report, ran) = redrive(&["demo:payments.dlq", "--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(counts(&report), [3, 2, 1, 0]);
    assert_eq!(report["fates"], json!({"redriven": 2, "capped": 1}));
    assert_eq!(
        (&report["written"], &report["problems"]),
        (&json!(true), &json!([]))
    );
    let group = &report["groups"][0];
    assert_eq!(
        group["reason"],
        "java.net.SocketTimeoutException: ledger: read timed out"
    );
    assert_eq!(group["sample"], "payments.dlq/0@0 from payments/1@4");
    assert_eq!(group["first"], "2024-08-15T10:30:11.000Z");
    let told = evtap(&["redrive", "demo:payments.dlq", "--yes"]);
    assert_eq!((&*told.out, told.code), ("", Some(0)));
    assert!(
        told.err.contains("\n3 found, 2 redriven, 1 parked\n"),
        "{}",
        told.err
    );
    assert!(told.err.contains("verified: good"), "{}", told.err);
    let (report, ran) = redrive(&["demo:payments.dlq", "--dry-run"]);
    assert_eq!((&report["written"], ran.code), (&json!(false), Some(0)));
    assert_eq!(counts(&report), [3, 2, 1, 0]);
    assert!(
        ran.err
            .contains("3 found, 2 to redrive, 1 to park: dry run"),
        "{}",
        ran.err
    );
    let (report, _) = redrive(&["demo:payments.dlq", "--yes", "--max-redrives", "2"]);
    assert_eq!(counts(&report), [3, 3, 0, 0]);
}

#[test]
fn copies_are_what_the_events_were_and_parked_ones_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let (back, parked) = (
        path(folder.path(), "back.mcap"),
        path(folder.path(), "parked.jsonl"),
    );
    let args = [
        "demo:payments.dlq",
        "--yes",
        "--to",
        &back,
        "--parked",
        &parked,
    ];
    let (report, ran) = redrive(&args);
    assert_eq!(
        (counts(&report), ran.code),
        ([3, 2, 1, 0], Some(0)),
        "{}",
        ran.err
    );
    let copies = events(&back);
    let of_demo = events("demo:payments");
    assert_eq!(copies.len(), 2);
    for (copy, (offset, key)) in copies.iter().zip([(4, "order-409"), (14, "order-421")]) {
        assert_eq!(copy["topic"], "payments");
        assert_eq!((&copy["partition"], &copy["key"]), (&json!(1), &json!(key)));
        let original = of_demo
            .iter()
            .find(|e| e["partition"] == 1 && e["offset"] == offset);
        let original = original.unwrap();
        assert_eq!(copy["value"], original["value"]);
        let mut headers = copy["headers"].as_object().unwrap().clone();
        assert_eq!(headers.remove("evtap-count"), Some(json!("1")));
        let source = headers.remove("evtap-source").unwrap();
        assert!(
            source
                .as_str()
                .unwrap()
                .starts_with("demo:/payments.dlq/0/"),
            "{source}"
        );
        headers.retain(|name, _| !name.starts_with("evtap-"));
        assert_eq!(Value::Object(headers), original["headers"]);
    }
    let parked = events(&parked);
    assert_eq!(parked.len(), 1);
    assert_eq!(
        (&parked[0]["topic"], &parked[0]["offset"]),
        (&json!("payments.dlq"), &json!(2))
    );
    let headers = &parked[0]["headers"];
    assert_eq!(headers["evtap-parked"], "capped");
    assert_eq!(headers["evtap-count"], "1");
    assert_eq!(headers["kafka_dlt-original-topic"], "payments");
    let (_, again) = redrive(&args);
    assert_eq!(again.code, Some(2), "{}", again.err);
    let kept = path(folder.path(), "kept.jsonl");
    redrive(&[
        "demo:payments.dlq",
        "--yes",
        "--to",
        &kept,
        "--keep-headers",
    ]);
    assert_eq!(
        events(&kept)[0]["headers"]["kafka_dlt-original-topic"],
        "payments"
    );
}

#[test]
fn each_framework_says_in_its_way_where_an_event_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let binary = |bytes: &str| json!({ "base64": bytes });
    let file = letters(
        folder.path(),
        &[
            (
                json!({"h": "1", "kafka_dlt-original-topic": "a", "kafka_dlt-original-partition": binary("AAAAAg==")}),
                json!(0),
            ),
            (
                json!({"h": "1", "__connect.errors.topic": "b", "__connect.errors.partition": "1"}),
                json!(1),
            ),
            (
                json!({"h": "1", "x-death": "[{\"queue\":\"c\",\"reason\":\"rejected\"}]"}),
                json!(2),
            ),
            (
                json!({"h": "1", "DeadLetterQueueSourceArn": "arn:aws:sqs:eu:1:d"}),
                json!(3),
            ),
            (
                json!({"h": "1", "DeadLetterSource": "e", "DeadLetterReason": "R"}),
                json!(4),
            ),
            (json!({"h": "1"}), json!(5)),
            (
                json!({"h": "1", "kafka_dlt-original-topic": "some.dlq"}),
                json!(6),
            ),
        ],
    );
    let to = path(folder.path(), "to.jsonl");
    let (report, ran) = redrive(&[&file, "--yes", "--to", &to]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // A file is no broker: there the name of the dead letters is a topic like others.
    assert_eq!(counts(&report), [7, 6, 1, 0]);
    assert_eq!(report["fates"]["no_origin"], 1);
    let copies = events(&to);
    let places: Vec<String> = copies
        .iter()
        .map(|e| {
            format!(
                "{}/{}:{}",
                e["topic"].as_str().unwrap(),
                e["partition"],
                e["value"]
            )
        })
        .collect();
    assert_eq!(
        places,
        ["a/2:0", "b/1:1", "c/0:2", "d/0:3", "e/0:4", "some.dlq/0:6"]
    );
    for copy in &copies {
        let names = copy["headers"].as_object().unwrap().keys();
        assert!(
            names
                .clone()
                .all(|name| name == "h" || name.starts_with("evtap-")),
            "{copy}"
        );
    }
}

#[test]
fn dead_letters_are_grouped_and_picked_by_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let letter = |n: u64, class: &str, message: &str| {
        let headers = json!({"__connect.errors.topic": "t",
            "__connect.errors.exception.class.name": class,
            "__connect.errors.exception.message": message});
        (headers, json!(n))
    };
    let mut all: Vec<_> = (0..5)
        .map(|n| {
            letter(
                n,
                "x.NotFound",
                &format!("order-{n} after {n}0 ms\nat line 1"),
            )
        })
        .collect();
    all.push(letter(5, "x.Bad\u{1b}[2J", "no"));
    let file = letters(folder.path(), &all);
    let to = path(folder.path(), "to.jsonl");
    let (report, ran) = redrive(&[&file, "--dry-run", "--to", &to]);
    assert_eq!(report["groups"].as_array().unwrap().len(), 2);
    assert_eq!(
        report["groups"][0]["reason"],
        "x.NotFound: order-# after # ms"
    );
    assert_eq!(report["groups"][0]["count"], 5);
    assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'));
    for (pick, expected) in [
        ("notfound", [6, 5, 0, 1]),
        ("x.Bad*", [6, 1, 0, 5]),
        ("order-3", [6, 1, 0, 5]),
        ("order-#", [6, 5, 0, 1]),
        ("none", [6, 0, 0, 6]),
    ] {
        let (report, ran) = redrive(&[&file, "--dry-run", "--to", &to, "--reason", pick]);
        assert_eq!(
            (counts(&report), ran.code),
            (expected, Some(0)),
            "{pick} {}",
            ran.err
        );
    }
    let (report, _) = redrive(&[&file, "--dry-run", "--to", &to, "-w", ".value > 3"]);
    assert_eq!(counts(&report), [2, 2, 0, 0]);
    assert!(!Path::new(&to).exists());
}

#[test]
fn an_origin_that_no_framework_tells_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = letters(
        folder.path(),
        &[
            (json!({"from": "a"}), json!({"topic": "b", "p": 2})),
            (json!({}), json!({"topic": "b", "p": 1})),
        ],
    );
    let to = |name: &str, args: &[&str]| {
        let to = path(folder.path(), name);
        let (report, ran) = redrive(&[&[&*file, "--yes", "--to", &to], args].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let events = events(&to);
        let places: Vec<String> = events
            .iter()
            .map(|e| format!("{}/{}", e["topic"].as_str().unwrap(), e["partition"]))
            .collect();
        (counts(&report), places.join(" "))
    };
    assert_eq!(
        to("1.jsonl", &["--origin-header", "from"]),
        ([2, 1, 1, 0], "a/0".to_owned())
    );
    let jq = "{topic: .value.topic, partition: .value.p}";
    assert_eq!(
        to("2.jsonl", &["--origin", jq]),
        ([2, 2, 0, 0], "b/2 b/1".to_owned())
    );
    assert_eq!(
        to("3.jsonl", &["--origin", ".headers.from"]),
        ([2, 1, 1, 0], "a/0".to_owned())
    );
    let wrong = evtap(&[
        "redrive",
        &file,
        "--dry-run",
        "--to",
        "x.jsonl",
        "--origin",
        ".[",
    ]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
}

#[test]
fn what_does_not_fit_the_schema_of_its_topic_is_parked() {
    let folder = tempfile::tempdir().unwrap();
    let good = events("demo:orders")[0]["value"].clone();
    let file = letters(
        folder.path(),
        &[
            (
                json!({"dead-letter-topic": "orders", "schema-version": "1"}),
                good,
            ),
            (
                json!({"dead-letter-topic": "orders", "schema-version": "1"}),
                json!({"eventType": "OrderPlaced"}),
            ),
            (json!({"dead-letter-topic": "gone"}), json!({})),
        ],
    );
    let (report, ran) = redrive(&[&file, "--yes", "--to", "demo:"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(counts(&report), [3, 1, 2, 0]);
    assert_eq!(
        report["fates"],
        json!({"redriven": 1, "missing_topic": 1, "invalid": 1})
    );
}

#[test]
fn what_must_not_be_written_is_refused_with_its_guard() {
    let folder = tempfile::tempdir().unwrap();
    let config = path(folder.path(), "config.toml");
    let contexts = "[contexts.some]\nurl = \"demo:\"\nallow_replay_to = [\"*.replay\"]\n\
         [contexts.kept]\nurl = \"demo:\"\nread_only = true\n\
         [contexts.prod]\nurl = \"demo:\"\nenv = \"prod\"\n";
    std::fs::write(&config, contexts).unwrap();
    for (args, told) in [
        (&["demo:payments.dlq"][..], "guard confirm"),
        (
            &["demo:payments.dlq", "--yes", "--read-only"],
            "guard read-only",
        ),
        (&["kept/payments.dlq", "--yes"], "guard read-only"),
        (
            &["some/payments.dlq", "--yes"],
            "guard allow_replay_to: a write to some/payments is",
        ),
        (
            &["demo:payments.dlq", "--yes", "--to", "some/payments"],
            "guard allow_replay_to",
        ),
        (
            &["demo:payments.dlq", "--yes", "--to", "demo:payments.dlq"],
            "guard same topic",
        ),
        (
            &["demo:payments.*", "--yes", "--to", "demo:payments.dlq"],
            "guard same topic",
        ),
        (
            &["demo:payments.dlq", "--yes", "--parked", "payments.dlq"],
            "guard same topic",
        ),
        (
            &["demo:payments.dlq", "--yes", "--max-events", "1"],
            "guard max-events",
        ),
        (&["prod/payments.dlq"], "guard confirm"),
    ] {
        let ran = evtap(&[&["redrive", "--config", &config], args].concat());
        assert_eq!(ran.code, Some(5), "{args:?} {}", ran.err);
        assert!(ran.err.contains(told), "{args:?} {}", ran.err);
        assert!(
            ran.err.contains("hint: ") && !ran.err.contains("--allow-self"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn wrong_words_are_told_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = letters(folder.path(), &[(json!({}), json!(1))]);
    for (args, code, told) in [
        (&[&*file, "--yes"][..], 2, "a broker that it does not name"),
        (&["-", "--yes", "--to", "demo:"], 2, "only once"),
        (
            &["demo:payments.dlq", "--yes", "--to", "demo:a,b"],
            2,
            "several topics",
        ),
        (
            &["demo:payments.dlq", "--yes", "--to", "demo:nothing"],
            4,
            "nothing",
        ),
        (
            &["demo:payments.dlq", "--yes", "--parked", "nothing"],
            4,
            "nothing",
        ),
        (&["demo:nothing.dlq", "--yes"], 4, "nothing.dlq"),
        (&[&*file, "--yes", "--to", &file], 2, "exists already"),
    ] {
        let ran = evtap(&[&["redrive"], args].concat());
        assert_eq!(ran.code, Some(code), "{args:?} {}", ran.err);
        assert!(
            ran.err.contains(told) && ran.err.contains("hint: "),
            "{args:?} {}",
            ran.err
        );
    }
    let none = evtap(&[
        "redrive",
        &file,
        "--dry-run",
        "--to",
        "x.jsonl",
        "-k",
        "none",
        "--fail-empty",
    ]);
    assert_eq!(none.code, Some(1), "{}", none.err);
}
