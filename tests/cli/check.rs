//! `evtap check` and schemas on the command line: the demo's planted faults, files, the exit
//! codes, and a registry that fails in every way while events are read.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{evtap, out};

fn check(args: &[&str]) -> (Value, Option<i32>) {
    let ran = evtap(&[&["check"], args, &["-o", "json"]].concat());
    let report = serde_json::from_str(&ran.out);
    assert!(report.is_ok(), "{}{}", ran.out, ran.err);
    (report.unwrap(), ran.code)
}

#[test]
fn the_demo_has_the_counts_that_were_planted() {
    let (report, code) = check(&["demo:"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["verdict"], "violation");
    assert_eq!(report["coverage"]["events"], 480);
    assert_eq!(report["coverage"]["complete"], true);
    assert_eq!(
        report["counts"],
        json!({"records":480,"dlq_records":3,"ids":273,"distinct_ids":272,"duplicates":1,
            "duplicate_effects":1,"gaps_unexplained":0,"txn_markers":60,"aborted":1,
            "compacted":17,"out_of_order":3,"late":1,"version_inversions":1,"sequence_holes":1,
            "schema_violations":5,"undecodable":1,"pii":4,"control_sequences":1,
            "groups_not_ok":2,"sagas":{"completed":42,"rejected":2,"compensated":2,"lost":3,
            "blocked":7,"poison":1,"violation":1,"open":2}})
    );
    let findings = report["findings"].as_array().unwrap();
    every_planted_fault_and_no_other(findings);
    let of = |code: &str| -> Vec<&str> {
        let found = findings.iter().filter(|f| f["code"] == code);
        found.map(|f| f["at"].as_str().unwrap()).collect()
    };
    assert_eq!(
        of("schema.violation"),
        [
            "orders/0@15",
            "orders/0@18",
            "orders/2@15",
            "orders/2@16",
            "orders/2@18"
        ]
    );
    assert_eq!(of("payload.undecodable"), ["payments/1@24"]);
    let poison = findings.iter().find(|f| f["code"] == "lag.poison").unwrap();
    assert_eq!(poison["cause"], "payments/1@24");
    assert_eq!(
        of("saga.lost"),
        ["payments/2@4", "payments/2@22", "shipments/0@12"]
    );
    assert_eq!(of("saga.poison"), ["payments/1@24"]);
    assert_eq!(of("saga.violation"), ["shipments/0@7"]);
    assert_eq!(of("latency.outlier"), ["shipments/0@13"]);
    assert_eq!(of("lint.compacted_events"), ["order-events/0@4"]);
    let blocked = [26, 28, 30, 32, 34, 36, 38].map(|n| format!("payments/1@{n}"));
    assert_eq!(of("saga.blocked"), blocked);
    let blocked = findings.iter().filter(|f| f["code"] == "saga.blocked");
    assert!({ blocked }.all(|f| f["cause"] == "payments/1@24"));
    let first = findings.iter().find(|f| f["at"] == "orders/0@15").unwrap();
    assert_eq!(
        first["evidence"]["errors"],
        json!([{"path":"/data/totalAmount","keyword":"type",
            "message":"\"67.98\" is not of type \"number\""}])
    );
    // All five are of one producer, and are found by a filter as well.
    let invalid = out(&[
        "read",
        "demo:",
        "-w",
        r#".schema.verdict=="invalid""#,
        "-o",
        "jsonl",
    ]);
    assert_eq!(invalid.lines().count(), 5);
    assert!(
        invalid
            .lines()
            .all(|line| line.contains(r#""producer":"checkout-b""#))
    );
    let text = out(&["read", "demo:orders", "-k", "order-444"]);
    assert!(text.contains(r#"(invalid: /data/totalAmount "67.98" is not of type "number")"#));
}

/// One finding for each event and code; what was planted to look like a fault is silent.
fn every_planted_fault_and_no_other(findings: &[Value]) {
    let mut told: Vec<String> = findings
        .iter()
        .map(|f| {
            format!(
                "{} {}",
                f["code"].as_str().unwrap(),
                f["at"].as_str().unwrap()
            )
        })
        .collect();
    told.sort_unstable();
    let mut planted = vec![
        "effect.duplicate shipments/1@5",
        "id.duplicate payments/1@12",
        "lag.no_members orders/0@5",
        "lag.poison payments/1@24",
        "latency.outlier shipments/0@13",
        "lint.compacted_events order-events/0@4",
        "order.version order-events/0@19",
        "payload.undecodable payments/1@24",
        "pii.card orders/2@9",
        "pii.email notifications/2@9",
        "pii.email orders/2@9",
        "pii.phone orders/2@9",
        "saga.lost payments/2@22",
        "saga.lost payments/2@4",
        "saga.lost shipments/0@12",
        "saga.poison payments/1@24",
        "saga.violation shipments/0@7",
        "schema.violation orders/0@15",
        "schema.violation orders/0@18",
        "schema.violation orders/2@15",
        "schema.violation orders/2@16",
        "schema.violation orders/2@18",
        "sequence.hole notifications/2@14",
        "text.control orders/0@7",
        "time.disorder order-events/0@19",
        "time.disorder payments/0@10",
        "time.disorder payments/1@12",
        "time.late payments/0@10",
        "time.skew notifications/2@2",
    ];
    let blocked = [26, 28, 30, 32, 34, 36, 38].map(|n| format!("saga.blocked payments/1@{n}"));
    planted.extend(blocked.iter().map(String::as_str));
    planted.sort_unstable();
    assert_eq!(told, planted);
}

#[test]
fn a_capture_of_the_demo_knows_its_groups_and_sagas() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.mcap");
    let file = file.to_str().unwrap();
    out(&["record", "demo:", "--out", file]);
    let (of_capture, code) = check(&[file]);
    let (of_demo, _) = check(&["demo:"]);
    assert_eq!(code, Some(1));
    // Schemas are not recorded.
    let (with_schemas, _) = check(&[file, "--schemas", "demo:"]);
    assert_eq!(with_schemas["counts"], of_demo["counts"]);
    let findings =
        |report: &Value| -> Vec<Value> { report["findings"].as_array().unwrap().clone() };
    assert_eq!(findings(&with_schemas), findings(&of_demo));
    let sagas = |report: &Value| -> Vec<Value> {
        let findings = report["findings"].as_array().unwrap().iter();
        let ours = findings.filter(|f| {
            let code = f["code"].as_str().unwrap();
            code.starts_with("saga.") || code.starts_with("lag.") || code.starts_with("latency.")
        });
        ours.cloned().collect()
    };
    assert_eq!(sagas(&of_capture), sagas(&of_demo));
    let lag = out(&["lag", file, "--group", "shipping-svc"]);
    assert!(lag.contains("POISON @24"), "{lag}");
    // One whose end is missing still knows what was written before its events; as it was not read
    // to its end, nothing is lost.
    let bytes = std::fs::read(file).unwrap();
    let torn = folder.path().join("torn.mcap");
    std::fs::write(&torn, &bytes[..bytes.len() - 50]).unwrap();
    let (of_torn, _) = check(&[torn.to_str().unwrap()]);
    assert_eq!(of_torn["counts"]["groups_not_ok"], 2);
    assert_eq!(of_torn["counts"]["sagas"]["completed"], 42);
    assert_eq!(of_torn["counts"]["sagas"]["lost"], 0);
    // A capture that was recorded without groups has none to tell of.
    let copy = folder.path().join("copy.mcap");
    let copy = copy.to_str().unwrap();
    let lines = folder.path().join("demo.jsonl");
    let lines = lines.to_str().unwrap();
    out(&["record", "demo:", "--out", lines]);
    out(&["record", lines, "--out", copy]);
    let (report, _) = check(&[copy, "--saga", "demo:", "--now", "2024-08-15T10:32:00Z"]);
    assert_eq!(report["counts"]["groups_not_ok"], Value::Null);
    assert_eq!(report["counts"]["sagas"]["lost"], 0);
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("10 are overdue"), "{notes}");
}

#[test]
fn what_was_not_read_to_its_end_is_not_lost() {
    for cut in [
        &["-n", "300"][..],
        &["-n", "470"],
        &["--until", "2024-08-15T10:31:00Z"],
        &["--until", "10"],
        &["-p", "2"],
    ] {
        let (report, _) = check(&[&["demo:"][..], cut].concat());
        assert_eq!(report["counts"]["sagas"]["lost"], 0, "{cut:?}");
    }
    for blind in [&["-w", ".partition==0"][..], &["--last", "9"]] {
        let (report, _) = check(&[&["demo:"][..], blind].concat());
        assert_eq!(report["counts"]["sagas"], Value::Null, "{blind:?}");
    }
    let (report, _) = check(&["demo:orders,payments"]);
    assert_eq!(report["counts"]["sagas"], Value::Null);
    let notes = report["coverage"]["notes"].to_string();
    assert!(
        notes.contains("sagas: the topic order-validation is not read"),
        "{notes}"
    );
}

#[test]
fn a_topic_without_a_fault_is_clean_and_a_cut_read_is_inconclusive() {
    let (report, code) = check(&["demo:order-validation"]);
    assert_eq!((report["verdict"].as_str(), code), (Some("clean"), Some(0)));
    let (report, code) = check(&["demo:order-validation", "-n", "5"]);
    assert_eq!(report["coverage"]["complete"], false);
    assert_eq!(
        (report["verdict"].as_str(), code),
        (Some("inconclusive"), Some(3))
    );
}

#[test]
fn schemas_alone_give_the_same_verdicts() {
    let (report, code) = check(&["demo:", "--only", "schemas"]);
    assert_eq!(code, Some(1));
    let counts = &report["counts"];
    assert_eq!(
        (&counts["records"], &counts["dlq_records"]),
        (&json!(480), &json!(3))
    );
    assert_eq!(counts["schema_violations"], 5);
    assert_eq!(counts["undecodable"], 1);
    assert_eq!(counts["duplicates"], Value::Null);
    assert_eq!(report["findings"].as_array().unwrap().len(), 6);
    let (report, code) = check(&["demo:shipments", "--only", "schemas"]);
    assert_eq!((report["verdict"].as_str(), code), (Some("clean"), Some(0)));
    let filtered = check(&["demo:", "--only", "schemas", "-w", r#".topic=="orders""#]).0;
    assert_eq!(filtered["counts"]["records"], 62);
    assert_eq!(filtered["counts"]["schema_violations"], 5);
    let without = evtap(&["check", "-", "--only", "schemas"]);
    assert_eq!(without.code, Some(2));
    assert!(without.err.contains("--schemas"), "{}", without.err);
}

#[test]
fn junit_names_what_failed_and_what_was_skipped() {
    let ran = evtap(&["check", "demo:", "-o", "junit", "-q"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.starts_with("<?xml version=\"1.0\""));
    assert!(ran.out.contains("name=\"schema.violation\"><failure"));
    assert!(
        ran.out
            .contains("message=\"5 found\">orders/0@15 order-444: ")
    );
    assert!(ran.out.contains("name=\"offsets\"/>"));
    assert!(!ran.out.contains('\u{1b}'));
}

/// A folder with a schema of `orders`, and a file of three events: valid, invalid, no JSON.
fn files(folder: &Path) -> (String, String) {
    let schemas = folder.join("schemas");
    std::fs::create_dir(&schemas).unwrap();
    let schema = r#"{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}"#;
    std::fs::write(schemas.join("orders.json"), schema).unwrap();
    let events = folder.join("events.jsonl");
    let lines = [
        r#"{"topic":"orders","partition":0,"offset":0,"value":{"id":1}}"#,
        r#"{"topic":"orders","partition":0,"offset":1,"value":{"id":"x"}}"#,
        r#"{"topic":"orders","partition":0,"offset":2,"value":"{","encoding":{"value":"text"}}"#,
        r#"{"topic":"other","partition":0,"offset":0,"value":{"id":"x"}}"#,
    ];
    std::fs::write(&events, lines.join("\n")).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    (text(&schemas), text(&events))
}

#[test]
fn files_are_checked_by_a_folder_of_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let (schemas, events) = files(folder.path());
    let (report, code) = check(&[&events, "--schemas", &schemas]);
    assert_eq!(code, Some(1));
    assert_eq!(report["counts"]["schema_violations"], 1);
    assert_eq!(report["counts"]["undecodable"], 1);
    let verdicts = out(&[
        "read",
        &events,
        "--schemas",
        &schemas,
        "--map",
        "[.topic,.offset,.schema.verdict]",
    ]);
    assert_eq!(
        verdicts,
        "[\"orders\",0,\"valid\"]\n[\"orders\",1,\"invalid\"]\n\
         [\"orders\",2,\"undecodable\"]\n[\"other\",0,\"none\"]\n"
    );
    // Without a source of schemas nobody judges.
    let plain = out(&["read", &events, "--map", ".schema"]);
    assert_eq!(plain, "null\n".repeat(4));
    let (report, _) = check(&[&events]);
    assert_eq!(report["counts"]["schema_violations"], Value::Null);
    assert_eq!(report["counts"]["groups_not_ok"], Value::Null);
}

#[test]
fn personal_data_and_secrets_are_told_masked_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.jsonl");
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let lines = [
        json!({"topic": "notes", "key": "ada@example.com", "value": {"n": 1}}),
        json!({"topic": "notes", "value": {"pay": "DE89 3704 0044 0532 0130 00"}}),
        json!({"topic": "notes", "headers": {"authorization": token}, "value": {"n": 2}}),
        json!({"topic": "notes", "value": {"db": "postgres://app:hunter2@db/x"}}),
    ];
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    std::fs::write(&path, text.join("\n")).unwrap();
    let (report, code) = check(&[path.to_str().unwrap()]);
    assert_eq!((code, &report["counts"]["pii"]), (Some(1), &json!(4)));
    let told: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["code"].as_str().unwrap(), f["message"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("pii.secret", "1 secret in a header: ghp_***"),
            ("pii.secret", "1 secret in the value: ://***"),
            ("pii.email", "1 e-mail address in the key: a***@e***.com"),
            (
                "pii.iban",
                "1 bank account number (IBAN) in the value: DE89***0 00"
            ),
        ]
    );
}

#[test]
fn a_replay_can_go_by_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let (schemas, events) = files(folder.path());
    let target = folder.path().join("good.jsonl");
    let target = target.to_str().unwrap();
    let condition = r#".schema.verdict=="valid""#;
    let args = [
        "record",
        &events,
        "--schemas",
        &schemas,
        "-w",
        condition,
        "--out",
        target,
    ];
    out(&args);
    let good = std::fs::read_to_string(target).unwrap();
    assert_eq!(good.lines().count(), 1);
    assert!(good.contains(r#""value":{"id":1}"#));
}

#[test]
fn what_is_pinned_is_decoded_and_what_is_no_place_of_schemas_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.jsonl");
    // {"a":[1,-1]} as MessagePack.
    let line = r#"{"topic":"t","partition":0,"offset":0,"key":{"base64":"AAAAKg=="},"value":{"base64":"gaFhkgH/"},"encoding":{"key":"binary","value":"binary"}}"#;
    std::fs::write(&events, line).unwrap();
    let events = events.to_str().unwrap();
    let pins = "key=int32,value=msgpack";
    let shown = out(&[
        "read",
        events,
        "--decode",
        pins,
        "--map",
        "[.key,.value,.encoding]",
    ]);
    assert_eq!(
        shown,
        "[42,{\"a\":[1,-1]},{\"key\":\"int32\",\"value\":\"msgpack\"}]\n"
    );
    let filtered = out(&[
        "read",
        events,
        "--decode",
        pins,
        "-w",
        ".value.a[1]==-1",
        "--map",
        ".key",
    ]);
    assert_eq!(filtered, "42\n");
    let refused = evtap(&["read", events, "--decode", "value=int32"]);
    assert!(
        refused
            .out
            .contains("(not int32: it has 4 bytes, 6 are here)"),
        "{}",
        refused.out
    );
    let wrong = evtap(&["read", events, "--schemas", "/no/such/folder"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("/no/such/folder"), "{}", wrong.err);
}

/// A registry that says this to everybody, after a while. It ends with the test.
fn registry(answer: &'static [u8], wait: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            // Whatever is asked for, and whether or not anybody waits for it.
            let asked = connection.read(&mut request).unwrap_or(0);
            std::thread::sleep(wait);
            let _ = asked > 0 && connection.write_all(answer).is_ok();
        }
    };
    std::thread::Builder::new().spawn(serve).unwrap();
    url
}

#[test]
fn events_go_on_whatever_the_registry_does() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.jsonl");
    // Confluent's frame, the id 7, and `{}`.
    let line = |n: u32| {
        format!(
            r#"{{"topic":"t","partition":0,"offset":{n},"value":{{"base64":"AAAAAAd7fQ=="}},"encoding":{{"value":"binary"}}}}"#
        )
    };
    let lines: Vec<String> = (0..50).map(line).collect();
    std::fs::write(&events, lines.join("\n")).unwrap();
    let events = events.to_str().unwrap();
    let closed = "http://127.0.0.1:1".to_owned();
    let now = Duration::ZERO;
    let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";
    let login = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let broken = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    let rubbish = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html>\n";
    for (url, word) in [
        (closed, "127.0.0.1:1"),
        (registry(not_found, now), "not known"),
        (registry(login, now), "401"),
        (registry(broken, now), "500"),
        (registry(rubbish, now), "JSON"),
        (registry(b"no http\r\n\r\n", now), "registry"),
        (registry(broken, Duration::from_millis(1_500)), "500"),
    ] {
        let began = Instant::now();
        let shown = out(&["read", events, "--schemas", &url, "-o", "jsonl"]);
        assert!(began.elapsed() < Duration::from_secs(12), "{url}");
        assert_eq!(shown.lines().count(), 50, "{url}");
        for line in shown.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert_eq!(event["schema"]["verdict"], "unknown_id", "{event}");
            assert_eq!(event["schema"]["id"], 7);
            let error = event["error"].as_str().unwrap();
            assert!(
                error.contains("the schema 7") && error.contains(word),
                "{word}: {error}"
            );
        }
    }
}

/// Schemas for the data and the whole of events, and for the rows of a table.
fn schemas_of_events(schemas: &Path) {
    let id = r#"{"required":["id"],"properties":{"id":{"type":"integer"}}}"#;
    for (name, text) in [
        ("ids/order.json", id),
        ("orders/placed.json", r#"{"required":["data"]}"#),
        (
            "rows/c.json",
            r#"{"properties":{"before":{"type":"null"}}}"#,
        ),
        (
            "bare.avsc",
            r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#,
        ),
    ] {
        let path = schemas.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Events of every mode as JSON lines; `change` is what Debezium captured.
fn events_of_every_mode(change: &Value) -> String {
    let event = |topic: &str, headers: &Value, value: &Value| {
        json!({"topic":topic,"headers":headers,"value":value}).to_string()
    };
    let whole = |more: Value| {
        let mut event = json!({"specversion":"1.0","type":"placed","source":"/s","id":"1"});
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event
    };
    let kind = json!({"content-type":"application/cloudevents+json"});
    let binary = json!({"ce_specversion":"1.0","ce_type":"placed","ce_id":"1","ce_source":"/s",
        "content-type":"application/avro"});
    let lines = [
        // {"id":"x"}, judged by the schema that the event names.
        event(
            "orders",
            &kind,
            &whole(json!({"dataschema":"https://e.com/order.json",
            "data_base64":"eyJpZCI6IngifQ=="})),
        ),
        event("orders", &json!({}), &whole(json!({}))),
        event("orders", &kind, &whole(json!({"data":7}))),
        json!({"topic":"bare","headers":binary,"value":{"base64":"Ag=="},
            "encoding":{"value":"binary"}})
        .to_string(),
        event(
            "rows",
            &json!({}),
            &json!({"schema":{"type":"struct"},"payload":change}),
        ),
    ];
    lines.join("\n")
}

#[test]
fn cloud_events_and_captured_changes_are_decoded_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("schemas");
    schemas_of_events(&schemas);
    let change = json!({"before":{},"after":{"id":1},"source":{"db":"x"},"op":"c"});
    let events = folder.path().join("events.jsonl");
    std::fs::write(&events, events_of_every_mode(&change)).unwrap();
    let (events, schemas) = (events.to_str().unwrap(), schemas.to_str().unwrap());
    let shown = out(&["read", events, "--schemas", schemas, "-o", "jsonl"]);
    let shown: Vec<Value> = shown
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let told: Vec<Value> = shown
        .iter()
        .map(|event| {
            let path = &event["schema"]["errors"][0]["path"];
            json!([event["encoding"]["value"], event["schema"]["verdict"], path])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["cloudevents", "invalid", "/data/id"]),
            json!(["cloudevents", "invalid", ""]),
            json!(["cloudevents", "valid", null]),
            json!(["avro", "valid", null]),
            json!(["connect", "invalid", "/before"]),
        ]
    );
    assert_eq!(shown[0]["value"]["data"], json!({"id":"x"}));
    assert_eq!(shown[3]["value"], json!({"id":1}));
    assert_eq!(shown[4]["value"], change);
    // jq sees what is shown, and an event in JSON can be written again.
    let found = out(&[
        "read",
        events,
        "--schemas",
        schemas,
        "-w",
        ".value.data.id == \"x\"",
        "-o",
        "jsonl",
    ]);
    assert_eq!(found.lines().count(), 1);
    let again = folder.path().join("again.jsonl");
    std::fs::write(&again, found).unwrap();
    let again = out(&["read", again.to_str().unwrap(), "-o", "jsonl"]);
    assert!(again.contains("\"data\":{\"id\":\"x\"}"), "{again}");
    let (report, code) = check(&[events, "--schemas", schemas]);
    assert_eq!(
        (code, &report["counts"]["schema_violations"]),
        (Some(1), &json!(3))
    );
}
