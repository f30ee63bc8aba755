//! Native and library must agree, on schemas and events made at random.

use proptest::prelude::*;
use serde_json::Value;

use super::super::tape::Tape;
use super::super::{Bench, Faults, Validator};
use super::Verdict;
use crate::schema::{Language, Source};
use crate::text::JsonText;

/// Schemas; each is held against [`EVENTS`] events.
const CASES: u32 = 2_500;
const EVENTS: usize = 40;

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "1.0",
    "1.5",
    "2",
    "-3",
    "10",
    "0.1",
    "0.10",
    "0.30000000000000004",
    "3.0000000000000001",
    "9007199254740993",
    "12345678901234567890",
    "100000000000000000000000.5",
    "1e2",
    "1E400",
    "-1e-7",
];
const BOUNDS: &[&str] = &[
    "0",
    "1",
    "1.0",
    "1.5",
    "-3",
    "2",
    "0.1",
    "0.3",
    "9007199254740992",
    "1e2",
];
const TEXTS: &[&str] = &[
    r#""""#,
    r#""a""#,
    r#""b""#,
    r#""ab""#,
    r#""é€""#,
    r#""\u0061""#,
    r#""a\n""#,
    r#""\ud800""#,
    r#""a rather long text of more than sixteen bytes""#,
];
const NAMES: &[&str] = &[
    "a",
    "b",
    "c",
    "kind",
    "kind of a long name",
    "kind of a long nama",
];
const TYPES: &[&str] = &[
    "null", "boolean", "number", "integer", "string", "array", "object",
];

fn one(of: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    proptest::sample::select(of).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = String> + Clone {
    prop_oneof![one(NUMBERS), one(TEXTS), one(&["null", "true", "false"])]
}

fn joined(parts: &[String]) -> String {
    parts.join(",")
}

fn event() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 24, 5, |inner| {
        // Names come twice at times, and escaped.
        let name = prop_oneof![
            12 => one(NAMES).prop_map(|name| format!("\"{name}\"")),
            1 => Just(r#""\u0061""#.to_owned()),
        ];
        let member = (name, inner.clone()).prop_map(|(name, value)| format!("{name}: {value}"));
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", joined(&all))),
            3 => prop::collection::vec(member, 0..6).prop_map(|all| format!("{{{}}}", joined(&all))),
        ]
    })
}

fn keyword(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let members = prop::collection::vec((one(NAMES), inner.clone()), 0..4).prop_map(|members| {
        let members = members
            .iter()
            .map(|(name, schema)| format!("\"{name}\":{schema}"));
        members.collect::<Vec<_>>().join(",")
    });
    let names = prop::collection::hash_set(one(NAMES), 0..3).prop_map(|names| {
        names
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
    });
    let values = prop::collection::vec(scalar(), 1..4);
    let list = prop::collection::vec(inner.clone(), 1..4);
    let size = 0..4u8;
    prop_oneof![
        4 => one(TYPES).prop_map(|name| format!(r#""type":"{name}""#)),
        1 => prop::collection::hash_set(one(TYPES), 1..4).prop_map(|names| {
            let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
            format!(r#""type":[{}]"#, names.join(","))
        }),
        6 => members.prop_map(|members| format!(r#""properties":{{{members}}}"#)),
        3 => names.prop_map(|names| format!(r#""required":[{}]"#, names.join(","))),
        2 => prop_oneof![one(&["true", "false"]), inner.clone()]
            .prop_map(|schema| format!(r#""additionalProperties":{schema}"#)),
        2 => inner.clone().prop_map(|schema| format!(r#""items":{schema}"#)),
        1 => scalar().prop_map(|value| format!(r#""const":{value}"#)),
        1 => values.prop_map(|values| format!(r#""enum":[{}]"#, joined(&values))),
        3 => (
            one(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]),
            one(BOUNDS)
        )
            .prop_map(|(keyword, bound)| format!(r#""{keyword}":{bound}"#)),
        2 => (one(&["minLength", "maxLength", "minItems", "maxItems"]), size)
            .prop_map(|(keyword, size)| format!(r#""{keyword}":{size}"#)),
        2 => (one(&["allOf", "anyOf", "oneOf"]), list)
            .prop_map(|(keyword, list)| format!(r#""{keyword}":[{}]"#, joined(&list))),
        1 => inner.clone().prop_map(|schema| format!(r#""not":{schema}"#)),
        2 => (inner.clone(), inner.clone(), inner)
            .prop_map(|(a, b, c)| format!(r#""if":{a},"then":{b},"else":{c}"#)),
        3 => (one(NAMES), scalar(), any::<bool>(), one(NAMES)).prop_map(|(name, value, must, then)| {
            let required = if must { format!(r#","required":["{name}"]"#) } else { String::new() };
            format!(
                r#""allOf":[{{"if":{{"properties":{{"{name}":{{"const":{value}}}}}{required}}},"then":{{"required":["{then}"]}}}}]"#
            )
        }),
        1 => one(&["#/$defs/a", "#/$defs/b"]).prop_map(|to| format!(r#""$ref":"{to}""#)),
        1 => Just(r#""title":"t","examples":[1],"x-own":{"type":"null"}"#.to_owned()),
    ]
    .boxed()
}

fn subschema(depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return prop_oneof![
            one(&["true", "false", "{}"]),
            one(TYPES).prop_map(|name| format!(r#"{{"type":"{name}"}}"#)),
            scalar().prop_map(|value| format!(r#"{{"const":{value}}}"#)),
        ]
        .boxed();
    }
    prop::collection::vec(keyword(subschema(depth - 1)), 0..4)
        .prop_map(|keywords| {
            // Of a keyword that comes twice the last counts.
            format!("{{{}}}", joined(&keywords))
        })
        .boxed()
}

fn schema() -> impl Strategy<Value = String> {
    let draft = one(&[
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ]);
    let keywords = prop::collection::vec(keyword(subschema(2)), 1..5);
    (draft, keywords, subschema(1), subschema(1)).prop_map(|(draft, keywords, a, b)| {
        let keywords = joined(&keywords);
        format!(r#"{{"$schema":"{draft}",{keywords},"$defs":{{"a":{a},"b":{b}}}}}"#)
    })
}

/// What `serde_json` and the library say; half a surrogate pair is no character to them.
fn by_library(library: &jsonschema::Validator, event: &str) -> bool {
    let event = event.replace(r"\ud800", "\u{fffd}");
    let event: Value = serde_json::from_str(&event).unwrap();
    library.is_valid(&event)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn native_and_library_agree(
        schema in schema(),
        events in prop::collection::vec(event(), EVENTS),
    ) {
        let source = Source { language: Language::Json, text: schema.clone(), references: vec![] };
        let document: Value = serde_json::from_str(&schema.replace(r"\ud800", "\u{fffd}")).unwrap();
        let Ok(library) = jsonschema::validator_for(&document) else {
            return Ok(());
        };
        let Ok(validator) = Validator::compile(&source, false) else {
            return Ok(());
        };
        let (mut bench, mut faults, mut tape) = (Bench::default(), Faults::default(), Tape::default());
        for event in &events {
            let text = JsonText::parse(event.as_bytes()).unwrap();
            let expected = by_library(&library, event);
            let found = validator.check(text, &mut bench, &mut faults);
            prop_assert_eq!(found, expected, "{} on {}", event, schema);
            prop_assert_eq!(found, faults.list().is_empty());
            prop_assert!(tape.read(event.as_bytes()).is_some());
            let native = validator.native.as_ref().map(|native| native.judge(text.as_str(), &tape));
            match native {
                Some(Verdict::Valid) => prop_assert!(expected, "{} on {}", event, schema),
                Some(Verdict::Invalid) if !expected => {}
                Some(Verdict::Invalid) => {
                    let has_twin = event.contains(r#""\u0061":"#)
                        || super::super::settle::has_twins(event, tape.parts());
                    prop_assert!(has_twin, "{} on {}", event, schema);
                }
                Some(Verdict::Unsure) | None => {}
            }
        }
    }
}

/// The test above would hold if nothing were judged natively.
#[test]
fn most_random_schemas_and_events_are_judged_natively() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut schemas, mut native, mut sure, mut valid, mut events) = (0, 0, 0, 0, 0);
    let mut tape = Tape::default();
    for _ in 0..300 {
        let text = schema().new_tree(&mut runner).unwrap().current();
        let source = Source {
            language: Language::Json,
            text,
            references: vec![],
        };
        let Ok(validator) = Validator::compile(&source, false) else {
            continue;
        };
        schemas += 1;
        let Some(program) = &validator.native else {
            continue;
        };
        native += 1;
        for _ in 0..20 {
            let event = event().new_tree(&mut runner).unwrap().current();
            tape.read(event.as_bytes()).unwrap();
            let verdict = program.judge(&event, &tape);
            events += 1;
            sure += u32::from(verdict != Verdict::Unsure);
            valid += u32::from(verdict == Verdict::Valid);
        }
    }
    assert!(schemas > 150, "{schemas} schemas are good");
    assert!(
        native * 10 > schemas * 6,
        "{native} of {schemas} schemas are native"
    );
    assert!(sure * 10 > events * 7, "sure of {sure} of {events}");
    assert!(
        valid * 20 > events && valid * 2 < events * 2,
        "{valid} of {events} are valid"
    );
}
