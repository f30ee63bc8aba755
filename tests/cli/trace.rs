//! `evtap trace`: one order of the demo in every format, from any id of it, and what is said where
//! there is nothing.

use serde_json::Value;

use super::{evtap, out};

fn json(args: &[&str]) -> Value {
    let text = out(&[&["trace"], args, &["-o", "json"]].concat());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_lost_order_is_drawn_with_its_missing_step_and_who_passed_it() {
    let text = out(&["trace", "order-434", "demo:"]);
    let row = |name: &str| text.lines().find(|l| l.trim_start().starts_with(name));
    let head = text.lines().next().unwrap();
    let topics = ["orders", "order-validation", "payments"];
    assert!(topics.iter().all(|topic| head.contains(topic)), "{head}");
    assert!(row("OrderPlaced").unwrap().contains("orders/2@11"));
    let paid = row("PaymentSucceeded").unwrap();
    assert!(
        paid.contains("╚═") && paid.contains("+700  payments/2@22"),
        "{paid}"
    );
    let missing = row("ShipmentDispatched").unwrap();
    let said = "╳     LOST in shipping-svc: committed 39 > 22, SLA 30 s passed 56 s ago";
    assert!(missing.trim_end().ends_with(said), "{missing}");
    // The state has no ids: it is tied by the trace alone.
    assert!(row("order-events").unwrap().contains("└──"));
    let ascii = out(&["trace", "order-434", "demo:", "--ascii"]);
    assert!(ascii.is_ascii() && ascii.contains("`=="), "{ascii}");
    let colour = out(&["trace", "order-434", "demo:", "--color", "always"]);
    assert!(colour.contains("\u{1b}[1;31mLOST"));
}

#[test]
fn any_id_of_an_order_finds_all_of_it() {
    for id in [
        "ntf-456",
        "order-456",
        "feed0456beeffeed0456beeffeed0456",
        "00-feed0456beeffeed0456beeffeed0456-fade0456cafe0003-01",
    ] {
        let trace = json(&[id, "demo:"]);
        assert_eq!(trace["verdict"], "COMPLETED", "{id}");
        assert_eq!(trace["hops"].as_array().unwrap().len(), 9, "{id}");
    }
}

#[test]
fn the_verdict_is_the_models_and_says_what_it_rests_on() {
    for (id, verdict) in [
        ("order-407", "LOST"),
        ("order-429", "VIOLATION"),
        ("order-436", "POISON"),
        ("order-439", "BLOCKED"),
        ("order-405", "REJECTED"),
        ("order-415", "COMPENSATED"),
        ("order-412", "COMPLETED"),
        ("order-460", "OPEN"),
    ] {
        assert_eq!(json(&[id, "demo:"])["verdict"], verdict, "{id}");
    }
    let lost = json(&["order-434", "demo:"]);
    assert_eq!(
        lost["missing"][0],
        serde_json::json!({"after":"payments/2@22","next":["ShipmentDispatched"],
            "group":"shipping-svc","committed":"payments/2@39","sla_ms":30000,
            "overdue_ms":56300})
    );
    assert_eq!(
        lost["edges"][1],
        serde_json::json!({"from":0,"to":2,"by":"causation"})
    );
    // What was not read to its end accuses nobody.
    let early = json(&["order-434", "demo:", "--until", "2024-08-15T10:31:00Z"]);
    assert_eq!(early["verdict"], "OPEN");
}

#[test]
fn diagrams_and_spans_hold_every_hop() {
    let diagram = out(&["trace", "order-434", "demo:", "-o", "mermaid"]);
    assert!(diagram.starts_with("flowchart LR\n"));
    assert!(
        diagram.contains("h2 ==> h4") && diagram.contains("h0 --> h1"),
        "{diagram}"
    );
    let otlp = out(&["trace", "order-412", "demo:", "-o", "otlp"]);
    let otlp: Value = serde_json::from_str(&otlp).unwrap();
    let resources = otlp["resourceSpans"].as_array().unwrap();
    let spans: Vec<&Value> = resources
        .iter()
        .flat_map(|r| r["scopeSpans"][0]["spans"].as_array().unwrap())
        .collect();
    assert_eq!(spans.len(), 11);
    let mut ids: Vec<&str> = spans
        .iter()
        .map(|s| s["spanId"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    // Copies have the traceparent of what they are copies of, and ids of their own.
    assert_eq!(ids.len(), 11);
    let number =
        |span: &Value, name: &str| -> u64 { span[name].as_str().unwrap().parse().unwrap() };
    for span in &spans {
        assert_eq!(span["traceId"], "feed0412beeffeed0412beeffeed0412");
        assert!(number(span, "startTimeUnixNano") <= number(span, "endTimeUnixNano"));
        let parent = span.get("parentSpanId").and_then(Value::as_str);
        assert!(parent.is_none_or(|parent| ids.contains(&parent)));
    }
}

#[test]
fn without_a_model_others_tell_and_an_own_model_is_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.jsonl");
    let file = file.to_str().unwrap();
    evtap(&["record", "demo:", "--out", file]);
    let now = ["--now", "2024-08-15T10:32:00Z"];
    let learnt = json(&[&["order-434", file], &now[..]].concat());
    assert_eq!(
        (&learnt["by"], &learnt["verdict"]),
        (&"others".into(), &"LOST?".into())
    );
    // JSON lines hold no groups: lost or blocked cannot be told.
    let overdue = json(&[&["order-434", file, "--saga", "demo:"], &now[..]].concat());
    assert_eq!(overdue["verdict"], "OVERDUE");
    let model = folder.path().join("saga.toml");
    let text = "saga = 'pay'\nid = 'key'\nstart = 'OrderPlaced'\nsla = '1s'\n\
                [steps]\nOrderPlaced = {then = 'OrderValidated', end = true}\n";
    std::fs::write(&model, text).unwrap();
    let model = model.to_str().unwrap();
    let own = json(&[&["order-434", file, "--saga", model], &now[..]].concat());
    assert_eq!(
        (&own["saga"], &own["verdict"]),
        (&"pay".into(), &"COMPLETED".into())
    );
    std::fs::write(model, text.replace("then", "than")).unwrap();
    let ran = evtap(&["trace", "order-434", file, "--saga", model]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("unknown member 'than'"), "{}", ran.err);
    assert!(ran.err.contains("did you mean then?"), "{}", ran.err);
    let missing = evtap(&["check", "demo:", "--saga", "/nowhere.yaml"]);
    assert_eq!(missing.code, Some(2));
}

#[test]
fn nothing_found_is_said_and_fails_when_asked_to() {
    let ran = evtap(&["trace", "order-999", "demo:"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(
        ran.err
            .contains("nothing that was read is tied to 'order-999'")
    );
    let ran = evtap(&["trace", "order-999", "demo:", "--fail-empty"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(evtap(&["trace", "", "demo:"]).code, Some(2));
    assert_eq!(evtap(&["trace", "x", "demo:nothing"]).code, Some(4));
}
