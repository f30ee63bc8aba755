//! `evtap schema`: what is shown, inferred, found to have changed, and compared; on the demo, on
//! files, and with a registry.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use super::{Ran, evtap, out};

fn schema(args: &[&str]) -> Ran {
    evtap(&[&["schema"], args].concat())
}

fn report(args: &[&str]) -> (Value, Option<i32>) {
    let ran = schema(&[args, &["-o", "json"]].concat());
    let report = serde_json::from_str(&ran.out);
    assert!(report.is_ok(), "{}{}", ran.out, ran.err);
    (report.unwrap(), ran.code)
}

/// Writes files, and gives their paths.
fn files<const N: usize>(folder: &Path, files: [(&str, &str); N]) -> [String; N] {
    files.map(|(name, text)| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

fn paths(fields: &Value) -> Vec<&str> {
    let fields = fields.as_array().unwrap().iter();
    fields
        .map(|field| field["path"].as_str().unwrap())
        .collect()
}

#[test]
fn the_demo_shows_two_versions_of_orders_and_what_differs() {
    let (shown, code) = report(&["show", "demo:orders"]);
    assert_eq!(
        (code, shown["topics"][0]["topic"].as_str()),
        (Some(0), Some("orders"))
    );
    let schemas = shown["topics"][0]["schemas"].as_array().unwrap();
    let versions: Vec<_> = schemas.iter().map(|s| &s["version"]).collect();
    assert_eq!(versions, [1, 2]);
    assert_eq!(schemas[1]["subject"], "orders-value");
    assert_eq!(schemas[1]["language"], "JSON Schema");
    assert!(paths(&schemas[1]["fields"]).contains(&".data.currency"));
    assert!(!paths(&schemas[0]["fields"]).contains(&".data.currency"));

    let text = schema(&["show", "demo:orders"]).out;
    assert!(text.contains("orders-value, version 2\nFIELD "), "{text}");
    let ran = schema(&["show", "demo:orders", "--diff"]);
    assert_eq!(
        ran.out,
        "orders-value: version 1 to 2\n  + .data.currency (when .eventType = \"OrderPlaced\") is \
         new: string, required\n"
    );
    let (diff, _) = report(&["show", "demo:orders", "--diff", "2", "1"]);
    assert_eq!(
        diff["diffs"][0]["differences"],
        json!([{"path":".data.currency","when":".eventType = \"OrderPlaced\"","change":"removed",
            "from":"string","to":null,"required":true,
            "message":"is gone: it was string, required"}])
    );
    let raw = out(&["schema", "show", "demo:orders", "--raw", "--version", "1"]);
    let raw: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(raw["title"], "orders, version 1");
    let all = schema(&["show"]).out;
    for topic in ["notifications", "order-events", "payments.dlq", "shipments"] {
        assert!(all.contains(&format!("{topic}\nVERSION ")), "{topic}");
    }
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    for (args, code, said) in [
        (&["show", "demo:nope"][..], 4, "there is no topic 'nope'"),
        (
            &["show", "demo:orders", "--version", "9"],
            2,
            "orders-value has versions 1, 2",
        ),
        (
            &["show", "demo:orders", "--diff", "1", "9"],
            2,
            "there is no version 9",
        ),
        (
            &["show", "demo:orders", "--diff", "1"],
            2,
            "two versions, or none",
        ),
        (&["show", "demo:payments", "--diff"], 2, "no two versions"),
        (
            &["show", "kafka://127.0.0.1:1/t"],
            2,
            "no source of schemas",
        ),
        (
            &["show", "demo:orders", "--schemas", "http://127.0.0.1:1"],
            4,
            "127.0.0.1:1",
        ),
        (&["infer", "/no/such.jsonl"], 2, "/no/such.jsonl"),
        (&["drift", "demo:nope"], 4, "nope"),
        (&["drift", "demo:orders", "-w", ".["], 2, ""),
        (
            &["compat", "/no/such.avsc", "/no/such.avsc"],
            2,
            "/no/such.avsc",
        ),
        (&["compat", "x.txt", "y.txt"], 2, "--language"),
        (&["compat", "x.avsc"], 2, "<OLD>"),
    ] {
        let ran = schema(args);
        assert_eq!(ran.code, Some(code), "{args:?} {}", ran.err);
        assert!(ran.err.contains(said), "{args:?} {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn the_demos_drift_is_the_two_changes_that_were_planted() {
    let (drift, code) = report(&["drift", "demo:"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        (&drift["verdict"], &drift["breaking"]),
        (&json!("violation"), &json!(1))
    );
    let drifts = drift["drifts"].as_array().unwrap();
    assert_eq!(drifts.len(), 2, "{drift}");
    let told = |one: &Value| {
        json!([
            one["topic"],
            one["type"],
            one["path"],
            one["change"],
            one["breaking"],
            one["at"],
            one["time"],
            one["key"],
            one["version"],
            one["count"],
            one["of"],
            one["events"],
            one["by"]
        ])
    };
    assert_eq!(
        told(&drifts[0]),
        json!(["orders","OrderPlaced",".data.currency","new",false,"orders/2@13",
            "2024-08-15T10:30:39.000Z","order-440","2",21,21,60,
            [{"producer":"checkout-a","count":16,"of":55},
             {"producer":"checkout-b","count":5,"of":5}]])
    );
    assert_eq!(
        told(&drifts[1]),
        json!(["orders","OrderPlaced",".data.totalAmount","type",true,"orders/0@15",
            "2024-08-15T10:30:43.000Z","order-444","2",5,60,60,
            [{"producer":"checkout-b","count":5,"of":5},
             {"producer":"checkout-a","count":0,"of":55}]])
    );
    assert_eq!(
        (&drifts[1]["from"], &drifts[1]["to"]),
        (&json!("number"), &json!("string"))
    );
    let text = schema(&["drift", "demo:orders"]).out;
    assert!(
        text.contains("BREAKS  orders/0@15  2024-08-15T10:30:43.000Z"),
        "{text}"
    );
    assert!(
        text.ends_with("2 changes, 1 breaks readers, in 62 events\n"),
        "{text}"
    );
    // Before the type changes there is only what is compatible.
    let ran = schema(&["drift", "demo:orders", "--until", "2024-08-15T10:30:43Z"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    let (fields, code) = report(&["drift", "demo:order-validation", "--fields"]);
    assert_eq!((code, &fields["verdict"]), (Some(0), &json!("clean")));
    let valid = &fields["profiles"][1];
    assert_eq!(
        (&valid["type"], &valid["events"]),
        (&json!("OrderValidated"), &json!(58))
    );
    assert_eq!(paths(&valid["fields"])[..2], [".data", ".data.orderId"]);
    assert_eq!(valid["fields"][0]["coverage"], 1.0);
}

#[test]
fn drift_tells_what_is_gone_and_is_safe_to_print() {
    let folder = tempfile::tempdir().unwrap();
    let line = |n: u32, value: &str| {
        format!(
            "{{\"topic\":\"t\",\"partition\":0,\"offset\":{n},\"timestamp\":{n},\"value\":{value}}}\n"
        )
    };
    let before = (0..20).map(|n| line(n, "{\"a\":1,\"b\\u001b[2J\":2}"));
    let after = (20..40).map(|n| line(n, "{\"a\":1}"));
    let events: String = before.chain(after).collect();
    let [events] = files(folder.path(), [("events.jsonl", &events)]);
    let ran = schema(&["drift", &events]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("gone from the 20 events after it"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains('\u{1b}'));
    let (drift, _) = report(&["drift", &events]);
    assert_eq!(drift["drifts"][0]["at"], "t/0@19");
}

#[test]
fn what_is_inferred_takes_every_event_and_is_a_folder_of_schemas() {
    let (schemas, code) = report(&["infer", "demo:orders"]);
    assert_eq!(code, Some(0));
    let placed = &schemas["orders/OrderPlaced"];
    assert_eq!(
        placed["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let data = &placed["properties"]["data"];
    assert_eq!(
        data["properties"]["totalAmount"]["type"],
        json!(["number", "string"])
    );
    assert_eq!(
        data["required"],
        json!(["customerId", "items", "orderId", "totalAmount"])
    );
    // The text is the same JSON on many lines.
    let text = out(&["schema", "infer", "demo:orders"]);
    assert!(text.lines().count() > 50);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), schemas);

    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("schemas");
    let place = place.to_str().unwrap();
    let args = ["schema", "infer", "demo:", "--out", place];
    out(&args);
    assert!(Path::new(place).join("orders/OrderPlaced.json").exists());
    assert!(Path::new(place).join("order-events.json").exists());
    let verdicts = out(&[
        "read",
        "demo:",
        "--schemas",
        place,
        "--map",
        "[.topic,.schema.verdict]|join(\" \")",
        "-o",
        "raw",
    ]);
    let odd: Vec<&str> = verdicts
        .lines()
        .filter(|v| !v.ends_with(" valid"))
        .collect();
    // The tombstone, and the value that was cut, of a type that nobody can tell.
    assert_eq!(odd, ["order-events none", "payments none"]);
    let again = evtap(&args);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("is there already"), "{}", again.err);
    out(&[&args[..], &["--overwrite"]].concat());
}

#[test]
fn names_of_events_write_no_file_outside_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let lines = ["../../evil", "a/b", "c\\u001b", "good"].map(|name| {
        format!(
            "{{\"topic\":\"t\",\"partition\":0,\"offset\":0,\"value\":{{\"type\":\"{name}\"}}}}\n"
        )
    });
    let each = |n: usize| lines[n].replace("\"offset\":0", &format!("\"offset\":{n}"));
    let events: String = (0..lines.len()).map(each).collect();
    let [events] = files(folder.path(), [("events.jsonl", &events)]);
    let place = folder.path().join("deep/er");
    let ran = schema(&["infer", &events, "--out", place.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("left out"), "{}", ran.err);
    let mut names: Vec<String> = std::fs::read_dir(place.join("t"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a%2Fb.json", "good.json"]);
}

const OLD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
const NEW: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},
    {"name":"b","type":"string"}]}"#;
const GOOD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},
    {"name":"b","type":"string","default":""}]}"#;

#[test]
fn files_are_compared_by_the_level_with_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, good, proto, other] = files(
        folder.path(),
        [
            ("old.avsc", OLD),
            ("new.avsc", NEW),
            ("good.avsc", GOOD),
            (
                "a.proto",
                "syntax = \"proto3\"; message A { string x = 1; }",
            ),
            ("b.proto", "syntax = \"proto3\"; message A { int32 x = 1; }"),
        ],
    );
    let compat = |args: &[&str]| schema(&[&["compat"], args].concat());
    let ran = compat(&[&new, &old]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("/fields/b: "), "{}", ran.out);
    assert!(
        ran.out.ends_with("NOT compatible (backward)\n"),
        "{}",
        ran.out
    );
    assert_eq!(compat(&[&good, &old]).code, Some(0));
    // The last of the old ones counts, unless it is transitive.
    assert_eq!(compat(&[&new, &old, &good]).code, Some(0));
    let transitive = ["--level", "backward-transitive"];
    assert_eq!(
        compat(&[&[&*new, &old, &good][..], &transitive].concat()).code,
        Some(1)
    );
    assert_eq!(compat(&[&new, &old, "--level", "NONE"]).code, Some(0));
    let (full, code) = report(&["compat", &good, &old, "--level", "full"]);
    assert_eq!((code, &full["compatible"]), (Some(1), &json!(false)));
    let directions: Vec<_> = full["compared"].as_array().unwrap().iter().collect();
    assert_eq!(directions[0]["compatible"], true);
    assert_eq!(directions[1]["direction"], "forward");
    assert_eq!(directions[1]["reasons"][0]["path"], "/fields/a");

    let ran = compat(&[&other, &proto]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("/A/x: was string and is int32"),
        "{}",
        ran.out
    );
    let ran = compat(&[&proto, &old]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("cannot be compared"), "{}", ran.err);
    let [plain] = files(folder.path(), [("schema.txt", GOOD)]);
    assert_eq!(compat(&[&plain, &old, "--language", "avro"]).code, Some(0));
    let [broken] = files(folder.path(), [("broken.avsc", "{\"type\":")]);
    let ran = compat(&[&broken, &old]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
}

#[test]
fn json_schemas_are_compared_with_the_demos_too() {
    let folder = tempfile::tempdir().unwrap();
    let old = r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#;
    let new = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#;
    let [old, new] = files(folder.path(), [("old.json", old), ("new.json", new)]);
    let (report, code) = report(&["compat", &new, &old]);
    assert_eq!(
        (code, &report["language"]),
        (Some(1), &json!("JSON Schema"))
    );
    let reasons = report["compared"][0]["reasons"].as_array().unwrap();
    assert!(
        reasons
            .iter()
            .any(|r| r["path"].as_str().unwrap().contains("/a")),
        "{report}"
    );
    assert_eq!(
        schema(&["compat", &old, &old, "--level", "full"]).code,
        Some(0)
    );
    // The second version of orders wants a currency, which the first did not write.
    let second = out(&["schema", "show", "demo:orders", "--raw"]);
    let first = out(&["schema", "show", "demo:orders", "--raw", "--version", "1"]);
    let [first, second] = files(folder.path(), [("1.json", &first), ("2.json", &second)]);
    let ran = schema(&["compat", &second, &first]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("  #"), "{}", ran.out);
    let ran = schema(&["compat", &second, "--subject-of", "demo:orders"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
}

/// A registry with the subject `orders-value` in two versions. It ends with the test.
fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let version = |number: u32, text: &str| json!({"subject":"orders-value","version":number,"id":number + 6,"schema":text});
    let answers = [
        (
            "/subjects",
            json!(["orders-value", "orders-x-value", "other-value"]),
        ),
        ("/subjects/orders-value/versions", json!([1, 2])),
        ("/subjects/orders-value/versions/1", version(1, OLD)),
        ("/subjects/orders-value/versions/2", version(2, GOOD)),
    ];
    let serve = move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let asked = connection.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..asked]);
            let path = request.split_whitespace().nth(1).unwrap_or("");
            let path = path.split('?').next().unwrap_or("");
            let answer = answers.iter().find(|(known, _)| *known == path);
            let (status, body) = match answer {
                Some((_, body)) => ("200 OK", body.to_string()),
                None => ("404 Not Found", "{}".to_owned()),
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _ = asked > 0 && connection.write_all(answer.as_bytes()).is_ok();
        }
    };
    std::thread::Builder::new().spawn(serve).unwrap();
    url
}

#[test]
fn a_registrys_versions_are_shown_and_compared() {
    let url = registry();
    let source = "demo:orders";
    let args = ["show", source, "--schemas", &url];
    let (shown, code) = report(&args);
    assert_eq!(code, Some(0), "{shown}");
    let schemas = shown["topics"][0]["schemas"].as_array().unwrap();
    let told: Vec<_> = schemas.iter().map(|s| (&s["version"], &s["id"])).collect();
    assert_eq!(told, [(&json!(1), &json!("7")), (&json!(2), &json!("8"))]);
    assert_eq!(
        schemas[1]["fields"][1],
        json!({"path":".b","type":"string","required":false,
        "default":"","when":null})
    );
    let diff = schema(&[&args[..], &["--diff"]].concat());
    assert_eq!(
        diff.out,
        "orders-value: version 1 to 2\n  ~ .a is long now: it was int\n  + .b is new: string, \
         optional, default \"\"\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let [new] = files(folder.path(), [("new.avsc", NEW)]);
    let args = ["compat", &new, "--subject-of", source, "--schemas", &url];
    let ran = schema(&args);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("what orders-value version 2 wrote"),
        "{}",
        ran.out
    );
    let ran = schema(&[&args[..], &["--level", "full-transitive"]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.out
            .contains("cannot read all of what orders-value version 1 wrote")
    );
    let ran = schema(&["show", "demo:x", "--schemas", &url]);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
}
