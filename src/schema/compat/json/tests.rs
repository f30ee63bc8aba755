//! Pairs of schemas with what the rules say of them, as the documentation of Confluent's registry
//! and its `SchemaDiff` have them, and what must not go on for ever.

use super::*;
use crate::schema::{Language, Reference};

fn source(text: &str) -> Source {
    Source {
        language: Language::Json,
        text: text.to_owned(),
        references: Vec::new(),
    }
}

/// What the writer (old) has, what the reader (new) has, and a piece of each reason as `path what`;
/// none where all can be read.
type Pair = (&'static str, &'static str, &'static [&'static str]);

fn hold(pairs: &[Pair]) {
    for (writer, reader, wanted) in pairs {
        let found = reasons(&source(reader), &source(writer)).unwrap();
        let said: Vec<String> = found
            .iter()
            .map(|r| format!("{} {}", r.path, r.what))
            .collect();
        assert_eq!(said.len(), wanted.len(), "{writer} -> {reader}: {said:#?}");
        for (said, wanted) in said.iter().zip(*wanted) {
            let (path, what) = wanted.split_once(' ').unwrap();
            let right = said.starts_with(&format!("{path} ")) && said.contains(what);
            assert!(right, "{writer} -> {reader}: {said}, not {wanted}");
        }
    }
}

#[test]
fn types_may_become_wider() {
    hold(&[
        ("{}", "{}", &[]),
        (r#"{"type":"string"}"#, r#"{"type":"string"}"#, &[]),
        (r#"{"type":"string"}"#, "{}", &[]),
        (r#"{"type":"string"}"#, "true", &[]),
        (
            "{}",
            r#"{"type":"string"}"#,
            &["# wants string, the writer may write any type"],
        ),
        (r#"{"type":"integer"}"#, r#"{"type":"number"}"#, &[]),
        (
            r#"{"type":"number"}"#,
            r#"{"type":"integer"}"#,
            &["# the reader wants integer, the writer may write number"],
        ),
        (
            r#"{"type":"string"}"#,
            r#"{"type":"integer"}"#,
            &["# wants integer"],
        ),
        (r#"{"type":"string"}"#, r#"{"type":["string","null"]}"#, &[]),
        (
            r#"{"type":["string","null"]}"#,
            r#"{"type":"string"}"#,
            &["# the reader wants string, the writer may write null or string"],
        ),
        (
            r#"{"type":["integer","null"]}"#,
            r#"{"type":["null","number"]}"#,
            &[],
        ),
        (
            r#"{"type":"string"}"#,
            "false",
            &["# the reader allows nothing"],
        ),
        ("false", r#"{"type":"string"}"#, &[]),
        (
            r#"{"title":"a","description":"b"}"#,
            r#"{"title":"c","default":1}"#,
            &[],
        ),
    ]);
}

#[test]
fn values_may_become_more() {
    hold(&[
        (r#"{"enum":["a","b"]}"#, r#"{"enum":["a","b","c"]}"#, &[]),
        (
            r#"{"enum":["a","b"]}"#,
            r#"{"enum":["b"]}"#,
            &[r#"# may write "a""#],
        ),
        (
            r#"{"enum":["a","b"]}"#,
            r#"{"enum":["c"]}"#,
            &[r#"# may write "a""#, r#"# may write "b""#],
        ),
        (r#"{"enum":["a"]}"#, r#"{"type":"string"}"#, &[]),
        (
            r#"{"type":"string"}"#,
            r#"{"type":"string","enum":["a"]}"#,
            &["# listed values only"],
        ),
        (r#"{"const":1}"#, r#"{"enum":[1.0,2]}"#, &[]),
        (r#"{"const":1}"#, r#"{"const":2}"#, &["# may write 1"]),
        (
            r#"{"enum":["a",null]}"#,
            r#"{"type":"string"}"#,
            &["# wants string"],
        ),
    ]);
}

#[test]
fn bounds_may_become_looser() {
    hold(&[
        (r#"{"maximum":5}"#, r#"{"maximum":6}"#, &[]),
        (r#"{"maximum":5}"#, "{}", &[]),
        (
            r#"{"maximum":5}"#,
            r#"{"maximum":4}"#,
            &["# maximum is 4, the writer's 5"],
        ),
        (
            r#"{"type":"number"}"#,
            r#"{"type":"number","maximum":4}"#,
            &["# maximum of 4, the writer none"],
        ),
        (r#"{"minimum":5}"#, r#"{"minimum":4}"#, &[]),
        (r#"{"minimum":5}"#, r#"{"minimum":6}"#, &["# minimum is 6"]),
        (
            r#"{"minimum":5}"#,
            r#"{"exclusiveMinimum":5}"#,
            &["# minimum is 5"],
        ),
        (r#"{"exclusiveMinimum":5}"#, r#"{"minimum":5}"#, &[]),
        (
            r#"{"exclusiveMaximum":5}"#,
            r#"{"exclusiveMaximum":4}"#,
            &["# maximum is 4"],
        ),
        (
            r#"{"minimum":5}"#,
            r#"{"minimum":5,"exclusiveMinimum":true}"#,
            &["# minimum is 5"],
        ),
        (r#"{"multipleOf":10}"#, r#"{"multipleOf":5}"#, &[]),
        (
            r#"{"multipleOf":5}"#,
            r#"{"multipleOf":10}"#,
            &["# multiples of 10"],
        ),
        (
            r#"{"type":"integer"}"#,
            r#"{"type":"integer","multipleOf":2}"#,
            &["# multiples of 2"],
        ),
        (r#"{"maxLength":5}"#, r#"{"maxLength":6}"#, &[]),
        (
            r#"{"maxLength":5}"#,
            r#"{"maxLength":4}"#,
            &["# maxLength is 4"],
        ),
        (
            r#"{"minLength":1}"#,
            r#"{"minLength":2}"#,
            &["# minLength is 2"],
        ),
        (r#"{"minLength":1}"#, "{}", &[]),
        (
            r#"{"type":"string"}"#,
            r#"{"type":"string","minLength":0}"#,
            &[],
        ),
        // Bounds of strings do not matter to numbers.
        (r#"{"type":"integer"}"#, r#"{"maxLength":4}"#, &[]),
        (r#"{"pattern":"^a"}"#, r#"{"pattern":"^a"}"#, &[]),
        (r#"{"pattern":"^a"}"#, "{}", &[]),
        (
            r#"{"pattern":"^a"}"#,
            r#"{"pattern":"^b"}"#,
            &["# pattern is"],
        ),
        (
            r#"{"type":"string"}"#,
            r#"{"type":"string","pattern":"^b"}"#,
            &["# the writer none"],
        ),
        (
            r#"{"type":"string"}"#,
            r#"{"type":"string","format":"date"}"#,
            &[],
        ),
    ]);
}

#[test]
fn members_are_added_and_removed_by_the_rules_of_open_and_closed_objects() {
    hold(&[
        // Open: what is removed is still allowed, what is added may have been anything.
        (
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
            r#"{"type":"object"}"#,
            &[],
        ),
        (
            r#"{"type":"object"}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
            &["#/properties/a may put anything there"],
        ),
        (
            r#"{"type":"object"}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
            &[],
        ),
        (
            r#"{"type":"object"}"#,
            r#"{"type":"object","properties":{"a":true}}"#,
            &[],
        ),
        // Closed: the other way round.
        (
            r#"{"additionalProperties":false,"properties":{"b":{}}}"#,
            r#"{"additionalProperties":false,"properties":{"a":{"type":"string"},"b":{}}}"#,
            &[],
        ),
        (
            r#"{"additionalProperties":false,"properties":{"a":{"type":"string"}}}"#,
            r#"{"additionalProperties":false}"#,
            &["#/properties/a does not allow it"],
        ),
        (
            r#"{"additionalProperties":false,"properties":{"a":false}}"#,
            r#"{"additionalProperties":false}"#,
            &[],
        ),
        (
            r#"{"additionalProperties":false}"#,
            r#"{"additionalProperties":false,"required":["a"],"properties":{"a":{"type":"string"}}}"#,
            &["#/properties/a requires it"],
        ),
        (
            r#"{"additionalProperties":false}"#,
            r#"{"additionalProperties":false,"required":["a"],"properties":{"a":{"type":"string","default":""}}}"#,
            &[],
        ),
        // Partly open: what is in the place of the member decides.
        (
            r#"{"additionalProperties":{"type":"string"}}"#,
            r#"{"additionalProperties":{"type":"string"},"properties":{"a":{"type":["string","null"]}}}"#,
            &[],
        ),
        (
            r#"{"additionalProperties":{"type":"string"}}"#,
            r#"{"additionalProperties":{"type":"string"},"properties":{"a":{"type":"integer"}}}"#,
            &["#/properties/a wants integer"],
        ),
        (
            r#"{"additionalProperties":{"type":"string"},"properties":{"a":{"type":"integer"}}}"#,
            r#"{"additionalProperties":{"type":"string"}}"#,
            &["#/properties/a wants string"],
        ),
        (
            r#"{"additionalProperties":false,"patternProperties":{"^a":{"type":"integer"}}}"#,
            r#"{"additionalProperties":false,"patternProperties":{"^a":{"type":"integer"}},"properties":{"ab":{"type":"string"}}}"#,
            &["#/properties/ab wants string"],
        ),
        // The object itself is opened or closed.
        (
            r#"{"additionalProperties":false}"#,
            r#"{"type":"object"}"#,
            &["# wants object"],
        ),
        (
            r#"{"type":"object","additionalProperties":false}"#,
            r#"{"type":"object"}"#,
            &[],
        ),
        (
            r#"{"type":"object"}"#,
            r#"{"type":"object","additionalProperties":false}"#,
            &["#/additionalProperties allows no others"],
        ),
        (
            r#"{"type":"object"}"#,
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            &["#/additionalProperties allows anything"],
        ),
        (
            r#"{"additionalProperties":{"type":"integer"}}"#,
            r#"{"additionalProperties":{"type":"number"}}"#,
            &[],
        ),
        (
            r#"{"additionalProperties":{"type":"number"}}"#,
            r#"{"additionalProperties":{"type":"integer"}}"#,
            &["#/additionalProperties wants integer"],
        ),
    ]);
}

#[test]
fn members_that_both_have_are_compared_and_may_become_optional() {
    hold(&[
        (
            r#"{"properties":{"a":{"type":"integer"}}}"#,
            r#"{"properties":{"a":{"type":"number"}}}"#,
            &[],
        ),
        (
            r#"{"properties":{"a":{"properties":{"b/c":{"type":"number"}}}}}"#,
            r#"{"properties":{"a":{"properties":{"b/c":{"type":"integer"}}}}}"#,
            &["#/properties/a/properties/b~1c wants integer"],
        ),
        (
            r#"{"required":["a"],"properties":{"a":{}}}"#,
            r#"{"properties":{"a":{}}}"#,
            &[],
        ),
        (
            r#"{"properties":{"a":{"type":"string"}}}"#,
            r#"{"required":["a"],"properties":{"a":{"type":"string"}}}"#,
            &["#/properties/a requires it"],
        ),
        (
            r#"{"properties":{"a":{"type":"string"}}}"#,
            r#"{"required":["a"],"properties":{"a":{"type":"string","default":"x"}}}"#,
            &[],
        ),
        (
            r#"{"minProperties":1}"#,
            r#"{"minProperties":2}"#,
            &["# minProperties is 2"],
        ),
        (r#"{"maxProperties":1}"#, r#"{"maxProperties":2}"#, &[]),
        (
            r#"{"dependentRequired":{"a":["b"]}}"#,
            r#"{"dependentRequired":{"a":["b","c"]}}"#,
            &[r#"#/dependentRequired/a wants "c" with it"#],
        ),
        (
            r#"{"dependencies":{"a":["b"]}}"#,
            r#"{"dependencies":{"a":[]}}"#,
            &[],
        ),
        (
            "{}",
            r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#,
            &["#/dependentSchemas/a only the reader"],
        ),
    ]);
}

#[test]
fn elements_follow_the_same_rules() {
    hold(&[
        (
            r#"{"items":{"type":"integer"}}"#,
            r#"{"items":{"type":"number"}}"#,
            &[],
        ),
        (
            r#"{"items":{"type":"number"}}"#,
            r#"{"items":{"type":"integer"}}"#,
            &["#/items wants integer"],
        ),
        (
            r#"{"type":"array"}"#,
            r#"{"type":"array","items":{"type":"string"}}"#,
            &["#/items allows anything"],
        ),
        (r#"{"items":{"type":"string"}}"#, "{}", &[]),
        (
            r#"{"maxItems":5}"#,
            r#"{"maxItems":4}"#,
            &["# maxItems is 4"],
        ),
        (r#"{"minItems":1}"#, r#"{"minItems":0}"#, &[]),
        (r#"{"uniqueItems":true}"#, r#"{"uniqueItems":false}"#, &[]),
        (
            r#"{"type":"array"}"#,
            r#"{"uniqueItems":true}"#,
            &["# elements that differ"],
        ),
        (
            r#"{"prefixItems":[{"type":"string"}],"items":false}"#,
            r#"{"prefixItems":[{"type":"string"},{"type":"string"}],"items":false}"#,
            &[],
        ),
        (
            r#"{"prefixItems":[{"type":"string"}]}"#,
            r#"{"prefixItems":[{"type":"string"},{"type":"string"}]}"#,
            &["#/items/1 may put anything there"],
        ),
        (
            r#"{"items":[{"type":"string"},{"type":"string"}],"additionalItems":false}"#,
            r#"{"items":[{"type":"string"}],"additionalItems":false}"#,
            &["#/items/1 does not allow it"],
        ),
        (
            r#"{"items":[{"type":"string"}],"additionalItems":{"type":"integer"}}"#,
            r#"{"items":[{"type":"string"},{"type":"integer"}],"additionalItems":{"type":"integer"}}"#,
            &[],
        ),
    ]);
}

#[test]
fn alternatives_may_be_added_and_demands_removed() {
    hold(&[
        (
            r#"{"oneOf":[{"type":"string"}]}"#,
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            &[],
        ),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            r#"{"oneOf":[{"type":"string"}]}"#,
            &["# none of the reader's alternatives"],
        ),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            r#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#,
            &[],
        ),
        (
            r#"{"type":"string"}"#,
            r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
            &[],
        ),
        (
            r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
            r#"{"type":["null","string"]}"#,
            &[],
        ),
        (
            r#"{"type":["null","string"]}"#,
            r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
            &[],
        ),
        (
            r#"{"type":["null","string","integer"]}"#,
            r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
            &["# none of the reader's alternatives"],
        ),
        (
            r#"{"allOf":[{"required":["a"]},{"required":["b"]}]}"#,
            r#"{"allOf":[{"required":["a"]}]}"#,
            &[],
        ),
        (
            r#"{"allOf":[{"required":["a"]}]}"#,
            r#"{"allOf":[{"required":["a"]},{"required":["b"]}]}"#,
            &["#/properties/b requires it"],
        ),
        (
            r#"{"allOf":[{"type":"string"},{"maxLength":3}]}"#,
            r#"{"type":"string","maxLength":3}"#,
            &[],
        ),
        (
            r#"{"not":{"type":"number"}}"#,
            r#"{"not":{"type":"integer"}}"#,
            &[],
        ),
        (
            r#"{"not":{"type":"integer"}}"#,
            r#"{"not":{"type":"number"}}"#,
            &["# refuses (not)"],
        ),
        (
            r#"{"type":"string"}"#,
            r#"{"not":{"const":"a"}}"#,
            &["# refuses (not)"],
        ),
        (
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            &[],
        ),
        (
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            "{}",
            &[],
        ),
        (
            "{}",
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            &[r#"# has no "if""#, r#"# has no "then""#],
        ),
    ]);
}

#[test]
fn references_are_followed_and_circles_end() {
    let list = |item: &str, name: &str| {
        format!(
            r##"{{"$ref":"#/$defs/{name}","$defs":{{"{name}":{{"type":"object","additionalProperties":false,
            "properties":{{"value":{item},"next":{{"$ref":"#/$defs/{name}"}}}}}}}}}}"##
        )
    };
    let compare = |reader: &str, writer: &str| reasons(&source(reader), &source(writer)).unwrap();
    let narrow = list(r#"{"type":"integer"}"#, "list");
    let wide = list(r#"{"type":"number"}"#, "node");
    assert_eq!(compare(&wide, &narrow), []);
    let found = compare(&narrow, &wide);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "#/properties/value");

    let mut reader = source(r#"{"properties":{"a":{"$ref":"types.json"}}}"#);
    reader.references.push(Reference {
        name: "types.json".to_owned(),
        text: r#"{"type":"integer"}"#.to_owned(),
    });
    let writer = source(r#"{"properties":{"a":{"type":"number"}}}"#);
    assert_eq!(reasons(&reader, &writer).unwrap().len(), 1);
    assert_eq!(reasons(&writer, &reader).unwrap(), []);
}

#[test]
fn hostile_schemas_end_in_time() {
    let started = std::time::Instant::now();
    // Each of many refers to all, in every way.
    let branches: Vec<String> = (0..20)
        .map(|i| format!(r##"{{"$ref":"#/$defs/{i}"}}"##))
        .collect();
    let branches = branches.join(",");
    for keyword in ["anyOf", "allOf"] {
        let defs: Vec<String> = (0..20)
            .map(|i| format!(r#""{i}":{{"{keyword}":[{branches}],"not":{{"properties":{{"p{i}":{{"{keyword}":[{branches}]}}}}}}}}"#))
            .collect();
        let text = format!(r##"{{"$ref":"#/$defs/0","$defs":{{{}}}}}"##, defs.join(","));
        // An answer or a refusal.
        if let Err(error) = reasons(&source(&text), &source(&text)) {
            assert!(error.0.contains("too large"), "{error}");
        }
    }
    let deep = format!("{}true{}", r#"{"items":"#.repeat(120), "}".repeat(120));
    assert_eq!(reasons(&source(&deep), &source(&deep)).unwrap(), []);
    assert!(reasons(&source("{"), &source("{}")).is_err());
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
