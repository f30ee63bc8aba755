//! The three rules over random values, and the demo's schemas.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::inspect::tests::{Made, history};
use crate::schema::json::{Bench, Faults, Validator};
use crate::schema::{Language, Source};

/// A fold over values of one topic.
fn learnt(values: &[String]) -> Infer {
    let mut made = Made::new("t", 1);
    for (offset, value) in (0..).zip(values) {
        made.event((0, offset, 0), "k", Some(value), &[]);
    }
    let mut infer = Infer::default();
    infer.batch(&made.batch);
    infer
}

fn only(infer: &Infer) -> Value {
    let report = infer.report();
    assert_eq!(report.schemas.len(), 1);
    let mut schema = report.schemas[0].schema.clone();
    let object = schema.as_object_mut().unwrap();
    for told in ["$schema", "title", "$comment"] {
        object.shift_remove(told).unwrap();
    }
    schema
}

/// Those of the values that the schema does not take.
fn refused(schema: &Value, values: &[String]) -> Vec<String> {
    let source = Source {
        language: Language::Json,
        text: schema.to_string(),
        references: Vec::new(),
    };
    let validator = Validator::compile(&source, true).unwrap();
    let (mut bench, mut faults) = (Bench::default(), Faults::default());
    let takes = |value: &&String| {
        let text = JsonText::parse(value.as_bytes()).unwrap();
        validator.check(text, &mut bench, &mut faults)
    };
    let mut takes = takes;
    values.iter().filter(|v| !takes(v)).cloned().collect()
}

fn infer(values: &[&str]) -> Value {
    let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
    only(&learnt(&values))
}

#[test]
fn the_rules_are_gensons() {
    assert_eq!(
        infer(&[
            r#"{"a":1,"b":"x"}"#,
            r#"{"a":2.5,"c":[1,null]}"#,
            r#"{"a":3,"c":[]}"#
        ]),
        json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "number"},
            "b": {"type": "string"},
            "c": {"type": "array", "items": {"type": ["null", "integer"]}}}})
    );
    assert_eq!(
        infer(&["1", "\"x\"", "{}"]),
        json!({"type": ["integer", "string", "object"]})
    );
    assert_eq!(infer(&["[]"]), json!({"type": "array"}));
    let text = ["\"2024-08-15\"", "\"2024-08-16\""];
    assert_eq!(infer(&text), json!({"type": "string", "format": "date"}));
    assert_eq!(infer(&[text[0], "\"soon\""]), json!({"type": "string"}));
}

#[test]
fn a_name_is_what_it_means_and_counts_once_in_an_object() {
    assert_eq!(
        infer(&[r#"{"\u0061\n\ud83d\ude00":1}"#, "{\"a\\n\u{1f600}\":2}"]),
        json!({"type": "object", "required": ["a\n\u{1f600}"],
            "properties": {"a\n\u{1f600}": {"type": "integer"}}})
    );
    let twice = infer(&[r#"{"a":1,"a":2}"#, "{}"]);
    assert_eq!(twice.get("required"), None);
    assert_eq!(walk::unescaped(r"\ud800x\\u0041\/"), "\u{fffd}x\\u0041/");
}

#[test]
fn names_that_are_data_share_one_schema() {
    let values: Vec<String> = (0..900)
        .map(|n| format!("{{\"id\":{n},\"stock\":{{\"sku-{n}\":{n},\"total\":1}}}}"))
        .collect();
    let schema = only(&learnt(&values));
    assert_eq!(
        schema["properties"]["stock"],
        json!({"type": "object", "properties": {"total": {"type": "integer"}},
            "required": ["total"], "additionalProperties": {"type": "integer"}})
    );
    assert_eq!(refused(&schema, &values), [""; 0]);
}

#[test]
fn what_is_beyond_the_bounds_is_allowed() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let wide: Vec<String> = (0..5_000)
        .map(|n| format!("\"{}{n}\":{{\"a\":{{\"b{n}\":1}}}}", "n".repeat(n / 16)))
        .collect();
    let values = [
        deep,
        format!("{{{}}}", wide.join(",")),
        "{\"x\":1}".to_owned(),
        format!("{{\"x\":1,\"{}\":\"y\"}}", "m".repeat(300)),
    ];
    let infer = learnt(&values);
    assert!(infer.places <= PLACES);
    let schema = only(&infer);
    assert_eq!(refused(&schema, &values), [""; 0]);
    let types: Vec<String> = (0..TYPES + 5)
        .map(|n| format!("{{\"type\":\"t{n}\"}}"))
        .collect();
    let report = learnt(&types).report();
    assert_eq!((report.schemas.len(), report.unkept), (TYPES, 5));
}

#[tokio::test]
async fn the_demos_events_have_one_schema_for_each_type() {
    let mut infer = Infer::default();
    for batch in &history().await {
        infer.batch(batch);
        infer.batch(batch);
    }
    let report = infer.report();
    let names: Vec<String> = report
        .schemas
        .iter()
        .map(|s| {
            format!(
                "{}/{} {}",
                s.topic,
                s.kind.as_deref().unwrap_or("-"),
                s.events
            )
        })
        .collect();
    assert!(
        names.contains(&"orders/OrderPlaced 60".to_owned()),
        "{names:?}"
    );
    assert!(
        names.contains(&"payments.dlq/PaymentSucceeded 3".to_owned()),
        "{names:?}"
    );
    // The value that was cut, and the tombstone.
    assert_eq!((report.other, report.nulls), (1, 1));
    let placed = report
        .schemas
        .iter()
        .find(|s| s.kind.as_deref() == Some("OrderPlaced"));
    let schema = &placed.unwrap().schema;
    assert_eq!(
        schema["properties"]["timestamp"],
        json!({"type": "string", "format": "date-time"})
    );
    let data = &schema["properties"]["data"];
    assert_eq!(
        data["required"],
        json!(["customerId", "items", "orderId", "totalAmount"])
    );
    assert_eq!(
        data["properties"]["totalAmount"],
        json!({"type": ["number", "string"]})
    );
    assert_eq!(
        data["properties"]["items"]["items"]["required"],
        json!(["price", "quantity", "sku"])
    );
}

/// JSON texts of all kinds, names and strings with escapes and twins among them.
fn json_text() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "\"[a-c\u{e9}\u{1f600}]{0,3}\"",
        Just(r#""\ud800""#.to_owned()),
        "\"20[0-9]{2}-[01][0-9]-[0-3][0-9]\"",
        "\"20[0-9]{2}-0[1-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-5][0-9])\"",
        "\"[a-z0-9._+-]{1,5}@[a-z0-9-]{1,4}(\\.[a-z0-9-]{1,4}){0,2}\"",
        "\"[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\"",
        "\"[0-9a-f]{8}-[0-9a-f]{4}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{12}\"",
    ];
    let name = prop_oneof![
        "[a-d]",
        Just(r"\u0061".to_owned()),
        Just(r"\ud800".to_owned()),
        Just("\u{fffd}".to_owned()),
        "[a-z]{2}",
    ];
    scalar.prop_recursive(4, 40, 6, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            members.prop_map(|all| {
                let all: Vec<String> = all.iter().map(|(n, v)| format!("\"{n}\":{v}")).collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_input_is_valid_and_merging_keeps_it_so(
        ours in prop::collection::vec(json_text(), 1..12),
        theirs in prop::collection::vec(json_text(), 1..12),
    ) {
        let mut infer = learnt(&ours);
        prop_assert_eq!(refused(&only(&infer), &ours), [""; 0]);
        infer.merge(&learnt(&theirs));
        let merged = only(&infer);
        let all = [ours, theirs].concat();
        prop_assert_eq!(refused(&merged, &all), [""; 0]);
        // As strict as learning from both: with so few values nothing is left out.
        prop_assert_eq!(merged, only(&learnt(&all)));
    }

    #[test]
    fn without_room_every_input_is_valid_too(
        ours in prop::collection::vec(json_text(), 1..12),
        theirs in prop::collection::vec(json_text(), 1..12),
        room in 1usize..12,
    ) {
        let lay = |values: &[String], room: usize| {
            let mut known = Known::default();
            let mut walker = Walker::default();
            for value in values {
                known.events += 1;
                let mut laying = walker.lay(&mut known.shapes, value.as_bytes(), room);
                JsonText::walk(value.as_bytes(), &mut laying).unwrap();
            }
            known
        };
        let mut known = lay(&ours, room);
        prop_assert_eq!(refused(&schema::document("t", "", &known), &ours), [""; 0]);
        known.shapes.merge(&lay(&theirs, 12 - room).shapes, room);
        let all = [ours, theirs].concat();
        prop_assert_eq!(refused(&schema::document("t", "", &known), &all), [""; 0]);
    }
}
