//! `evtap diff`: a recording and what it was made of, edits that are found, and what cannot be
//! compared.

use std::path::Path;

use serde_json::Value;

use super::{Ran, evtap, out};

fn diff(args: &[&str]) -> (Value, Ran) {
    let ran = evtap(&[&["diff"], args, &["-o", "json"]].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
    (report, ran)
}

/// The demo's orders as JSON lines, edited.
fn edited(folder: &Path, edit: impl FnOnce(&mut Vec<Value>)) -> String {
    let lines = out(&["read", "demo:orders", "-o", "jsonl", "-q"]);
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let mut events: Vec<Value> = lines.collect();
    edit(&mut events);
    let text: Vec<String> = events.iter().map(|event| format!("{event}\n")).collect();
    let path = folder.join("edited.jsonl");
    std::fs::write(&path, text.concat()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn at(events: &[Value], partition: u64, offset: u64) -> usize {
    let mut all = events.iter();
    all.position(|e| e["partition"] == partition && e["offset"] == offset)
        .unwrap()
}

#[test]
fn a_recording_is_the_same_as_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.mcap");
    let file = file.to_str().unwrap();
    out(&["record", "demo:", "--out", file, "-q"]);
    let (report, ran) = diff(&["demo:", file]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(report["verdict"], "same");
    assert_eq!(report["order_compared"], true);
    assert_eq!(report["events"]["left"], 483);
    assert_eq!(report["differences"], serde_json::json!([]));
    let told = evtap(&[
        "diff",
        "demo:payments",
        file,
        "-w",
        ".topic == \"payments\"",
    ]);
    assert_eq!((&*told.out, told.code), ("", Some(0)), "{}", told.err);
    assert!(
        told.err.contains("A 59 events, B 59 events: the same"),
        "{}",
        told.err
    );
}

#[test]
fn what_was_edited_is_told_with_its_place_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = edited(folder.path(), |events| {
        let n = at(events, 0, 5);
        events[n]["value"]["data"]["totalAmount"] = serde_json::json!(1.5);
        let mut new = events[n].clone();
        new["headers"]["ce_id"] = "ord-new".into();
        new["offset"] = 21.into();
        events.push(new);
        let gone = at(events, 1, 3);
        events.remove(gone);
    });
    let (report, ran) = diff(&["demo:orders", &file]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(report["verdict"], "different");
    let counts = serde_json::json!(
        {"only_left": 1, "only_right": 1, "changed": 1, "reordered": 0}
    );
    assert_eq!(report["counts"], counts);
    let all = report["differences"].as_array().unwrap();
    let of = |what: &str| all.iter().find(|one| one["what"] == what).unwrap();
    assert_eq!(of("only_left")["left"], "orders/1@3");
    assert_eq!(of("only_left")["left_event"]["offset"], 3);
    assert_eq!(of("only_right")["right"], "orders/0@21");
    let changes = &of("changed")["changes"];
    assert_eq!(changes[0]["path"], "/value/data/totalAmount");
    assert_eq!(
        (&changes[0]["after"], &changes[1]),
        (&serde_json::json!(1.5), &Value::Null)
    );

    let told = evtap(&["diff", "demo:orders", &file]);
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", told.out);
    assert!(
        lines[0].starts_with("~ orders/0@5  orders/0@5  ~ /value/data/totalAmount "),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("+ orders/0@21  {"), "{}", lines[1]);
    assert!(lines[2].starts_with("- orders/1@3  {"), "{}", lines[2]);
    assert!(
        told.err.contains("1 only in A, 1 only in B, 1 changed"),
        "{}",
        told.err
    );
    let (report, ran) = diff(&["demo:orders", &file, "--ignore", ".value.data.totalAmount"]);
    assert_eq!(
        (&report["counts"]["changed"], ran.code),
        (&0.into(), Some(1))
    );
}

#[test]
fn ids_and_times_that_were_made_anew_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = edited(folder.path(), |events| {
        for (n, event) in events.iter_mut().enumerate() {
            let id = format!("again-{n}");
            event["headers"]["ce_id"] = id.clone().into();
            event["headers"]["evtap-count"] = "1".into();
            event["value"]["eventId"] = id.into();
            event["timestamp"] = (1_800_000_000_000_u64 + n as u64).into();
        }
    });
    let (report, ran) = diff(&[
        "demo:orders",
        &file,
        "--by-key",
        "--ignore",
        "/value/eventId",
    ]);
    assert_eq!(
        (&report["verdict"], ran.code),
        (&"same".into(), Some(0)),
        "{}",
        ran.err
    );
    let (report, ran) = diff(&["demo:orders", &file]);
    assert_eq!(
        (&report["counts"]["only_left"], ran.code),
        (&62.into(), Some(1))
    );
    let args = [
        "demo:orders",
        &*file,
        "--by-key",
        "--ignore",
        ".value.eventId",
        "--timestamps",
    ];
    let (report, _) = diff(&args);
    assert_eq!(report["counts"]["changed"], 62);
    assert_eq!(report["differences"][0]["changes"][0]["path"], "/timestamp");
}

#[test]
fn events_that_changed_places_are_moved() {
    let folder = tempfile::tempdir().unwrap();
    let file = edited(folder.path(), |events| {
        // The only key with two orders' events: an order and its cancellation.
        let key = Value::from("order-415");
        let mut of_key = (0..events.len()).filter(|n| events[*n]["key"] == key);
        let (one, two) = (of_key.next().unwrap(), of_key.next().unwrap());
        let (first, second) = (events[one]["offset"].clone(), events[two]["offset"].clone());
        events.swap(one, two);
        events[one]["offset"] = first;
        events[two]["offset"] = second;
    });
    let (report, ran) = diff(&["demo:orders", &file]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(report["counts"]["reordered"], 1, "{report}");
    assert_eq!(report["differences"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_compared_is_refused_before_it_is_opened() {
    for (args, told) in [
        (&["-", "demo:orders"][..], "standard input comes only once"),
        (
            &["demo:orders", "demo:orders", "--last", "3"],
            "different places",
        ),
        (
            &["demo:orders", "demo:orders", "--ignore", "eventId"],
            ".value.eventId",
        ),
        (
            &["demo:orders", "demo:orders", "--ignore", ".key"],
            ".headers.NAME",
        ),
        (&["demo:orders", "missing.mcap"], "missing.mcap"),
    ] {
        let (report, ran) = diff(args);
        assert_eq!(
            (report, ran.code),
            (Value::Null, Some(2)),
            "{args:?} {}",
            ran.err
        );
        assert!(ran.err.contains(told), "{args:?} {}", ran.err);
    }
    let (_, ran) = diff(&["demo:orders", "demo:nothing"]);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
}
