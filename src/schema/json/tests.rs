//! What is compiled, what is said, and what hostile schemas and events can do: nothing.

use std::fmt::Write as _;
use std::time::Duration;

use cpu_time::ThreadTime;

use super::*;
use crate::schema::{Language, Reference};

fn source(text: &str, references: &[(&str, &str)]) -> Source {
    let reference = |(name, text): &(&str, &str)| Reference {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    };
    Source {
        language: Language::Json,
        text: text.to_owned(),
        references: references.iter().map(reference).collect(),
    }
}

pub(super) fn compile(text: &str) -> Validator {
    Validator::compile(&source(text, &[]), false).unwrap()
}

pub(super) fn refusal(text: &str, references: &[(&str, &str)]) -> String {
    let compiled = Validator::compile(&source(text, references), false);
    compiled.err().expect("a refusal").0
}

fn check(validator: &Validator, text: &str) -> (bool, Faults) {
    let mut faults = Faults::default();
    let text = JsonText::parse(text.as_bytes()).unwrap();
    let valid = validator.check(text, &mut Bench::default(), &mut faults);
    assert_eq!(valid, faults.list().is_empty());
    (valid, faults)
}

/// Judges within the time that one event may take, with room for a slow machine and no
/// optimization.
pub(super) fn in_time(validator: &Validator, text: &str) -> (bool, Faults) {
    let started = ThreadTime::now();
    let result = check(validator, text);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(4), "took {took:?}");
    result
}

const ORDER: &str = r#"{"type":"object","required":["eventId","data"],"properties":{
    "eventId":{"type":"string"},
    "data":{"type":"object","properties":{"totalAmount":{"type":"number"},"a/b~c":{"maximum":3}}}}}"#;

#[test]
fn a_fault_says_where_by_which_keyword_and_what() {
    let (valid, faults) = check(
        &compile(ORDER),
        r#"{"data":{"totalAmount":"59.98","a/b~c":4}}"#,
    );
    assert!(!valid);
    let said: Vec<_> = faults
        .list()
        .iter()
        .map(|f| (f.path.as_str(), f.keyword.as_str(), f.message.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("", "required", r#""eventId" is a required property"#),
            (
                "/data/totalAmount",
                "type",
                r#""59.98" is not of type "number""#
            ),
            (
                "/data/a~1b~0c",
                "maximum",
                "4 is greater than the maximum of 3"
            ),
        ]
    );
    assert!(!faults.has_more());
}

#[test]
fn long_values_are_cut_and_only_the_first_faults_are_kept() {
    let long = "é".repeat(100_000);
    let event = format!(r#"{{"eventId":["{long}"],"data":{{}}}}"#);
    let (_, faults) = check(&compile(ORDER), &event);
    let message = &faults.list()[0].message;
    assert!(message.starts_with(r#"["ééé"#) && message.ends_with(r#"é… is not of type "string""#));
    assert!(message.chars().count() < 110, "{message}");

    let many = format!("[{}]", vec!["1"; 1000].join(","));
    let (_, faults) = check(&compile(r#"{"items":{"type":"string"}}"#), &many);
    assert_eq!(faults.list().len(), MOST_FAULTS);
    assert!(faults.has_more());
    assert_eq!(faults.list()[15].path, "/15");
}

#[test]
fn what_was_in_the_faults_goes_with_the_next_event() {
    let validator = compile(ORDER);
    let (mut bench, mut faults) = (Bench::default(), Faults::default());
    assert!(bench.read(b"{\"eventId\":1").is_err());
    let text = bench.read(br#"{"eventId":1,"data":{}}"#).unwrap();
    assert!(!validator.check_read(text, &bench, &mut faults));
    assert_eq!(faults.list().len(), 1);
    let text = bench.read(br#"{"eventId":"1","data":{}}"#).unwrap();
    assert!(validator.check_read(text, &bench, &mut faults));
    assert!(faults.list().is_empty());
}

#[test]
fn references_are_found_by_name_uri_and_id() {
    let address =
        r#"{"$id":"https://example.com/types/address.json","type":"object","required":["city"]}"#;
    for (schema, name) in [
        (
            r#"{"properties":{"at":{"$ref":"address.json"}}}"#,
            "address.json",
        ),
        (
            r#"{"$id":"https://example.com/order.json","properties":{"at":{"$ref":"types/address.json"}}}"#,
            "anything",
        ),
        (
            r#"{"$id":"https://example.com/order.json","properties":{"at":{"$ref":"address.json#"}}}"#,
            "address.json",
        ),
        (
            r#"{"properties":{"at":{"$ref":"https://elsewhere.example/v1/address.json"}}}"#,
            "address.json",
        ),
        (
            r#"{"properties":{"at":{"$ref":"urn:example:address"}}}"#,
            "urn:example:address",
        ),
    ] {
        let validator = Validator::compile(&source(schema, &[(name, address)]), false);
        let validator = validator.unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert!(check(&validator, r#"{"at":{"city":"Oslo"}}"#).0, "{schema}");
        assert!(!check(&validator, r#"{"at":{}}"#).0, "{schema}");
    }
    let missing = refusal(
        r#"{"$ref":"https://example.com/nowhere.json#/a"}"#,
        &[("b", "{}")],
    );
    assert!(
        missing.contains("https://example.com/nowhere.json"),
        "{missing}"
    );
    let missing = refusal(r#"{"items":{"$ref":"customer.json"}}"#, &[]);
    assert!(missing.contains("\"customer.json\""), "{missing}");
    let nowhere = refusal(r##"{"items":{"$ref":"#/$defs/nothing"}}"##, &[]);
    assert!(nowhere.contains("/$defs/nothing"), "{nowhere}");
}

#[test]
fn references_may_refer_to_each_other_and_to_metaschemas() {
    let tree = r#"{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"node.json"}}},"additionalProperties":false}"#;
    let node = r#"{"$ref":"tree.json"}"#;
    let validator = Validator::compile(
        &source(
            r#"{"$ref":"tree.json"}"#,
            &[("tree.json", tree), ("node.json", node)],
        ),
        false,
    )
    .unwrap();
    assert!(check(&validator, r#"{"kids":[{"kids":[{}]}]}"#).0);
    assert!(!check(&validator, r#"{"kids":[{"kids":[{"x":1}]}]}"#).0);
    let meta = compile(r#"{"$ref":"http://json-schema.org/draft-07/schema#"}"#);
    assert!(check(&meta, r#"{"type":"object"}"#).0);
    assert!(!check(&meta, r#"{"type":"objekt"}"#).0);
}

#[test]
fn formats_are_annotations_unless_asked_for_in_every_draft() {
    for draft in [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ] {
        let schema = source(&format!(r#"{{"$schema":"{draft}","format":"ipv4"}}"#), &[]);
        let loose = Validator::compile(&schema, false).unwrap();
        let strict = Validator::compile(&schema, true).unwrap();
        assert!(check(&loose, r#""no address""#).0, "{draft}");
        assert!(!check(&strict, r#""no address""#).0, "{draft}");
        assert!(check(&strict, r#""127.0.0.1""#).0, "{draft}");
    }
}

#[test]
fn a_schema_without_a_draft_is_of_2020_12() {
    let validator = compile(r#"{"prefixItems":[{"type":"string"}]}"#);
    assert!(!check(&validator, "[1]").0);
    let unknown = refusal(r#"{"$schema":"https://example.com/own"}"#, &[]);
    assert!(unknown.contains("https://example.com/own"), "{unknown}");
}

#[test]
fn what_is_no_schema_is_refused_in_words() {
    for (text, word) in [
        ("", "is not JSON"),
        ("[", "is not JSON"),
        ("1", "1"),
        (r#"{"type":"objekt"}"#, "objekt"),
        (r#"{"pattern":"("}"#, "regex"),
        (r#"{"$ref":"%"}"#, "%"),
    ] {
        let said = refusal(text, &[]);
        assert!(said.contains(word), "{text}: {said}");
        assert!(said.chars().count() < 500, "{said}");
    }
    for id in [
        "http://[",
        "http://x/#a",
        "#",
        "",
        "::",
        "%zz",
        "http://x/\u{202e}",
    ] {
        // Refused or taken, as long as it is said.
        if let Err(error) = Validator::compile(&source(&format!(r#"{{"$id":"{id}"}}"#), &[]), false)
        {
            assert!(!error.0.is_empty());
        }
    }
}

#[test]
fn numbers_are_compared_exactly_and_one_point_zero_is_an_integer_from_draft_6() {
    let big = compile(r#"{"maximum":12345678901234567890123}"#);
    assert!(check(&big, "12345678901234567890123").0);
    assert!(!check(&big, "12345678901234567890124").0);
    assert!(check(&compile(r#"{"type":"integer"}"#), "1.0").0);
    let old = r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"integer"}"#;
    assert!(!check(&compile(old), "1.0").0);
    let cents = compile(r#"{"multipleOf":0.01}"#);
    assert!(check(&cents, "59.98").0);
    assert!(!check(&cents, "59.985").0);
}

#[test]
fn half_a_surrogate_pair_and_twins_are_judged_as_serde_json_would() {
    let length = compile(r#"{"pattern":"^..$","maxLength":2}"#);
    assert!(check(&length, r#""\ud800\udc00\udc00""#).0);
    let last = compile(r#"{"properties":{"a":{"type":"string"}},"maxProperties":1}"#);
    assert!(check(&last, r#"{"a":1,"\u0061":"x"}"#).0);
    assert!(!check(&last, r#"{"a":"x","a":1}"#).0);
}

#[test]
fn deep_events_and_schemas_are_refused() {
    let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let any = compile(r##"{"items":{"$ref":"#"},"uniqueItems":true}"##);
    assert!(check(&any, &deep(127)).0);
    let (valid, faults) = check(&any, &deep(128));
    assert!(!valid && faults.list()[0].message.contains("nested"));

    let schema = format!(
        "{}{{}}{}",
        r#"{"not":"#.repeat(100_000),
        "}".repeat(100_000)
    );
    assert!(refusal(&schema, &[]).contains("nested"));
    let schema = |levels| {
        let open = r#"{"properties":{"a":"#;
        format!("{}true{}", open.repeat(levels), "}}".repeat(levels))
    };
    assert!(refusal(&schema(200), &[]).contains("recursion limit"));
    compile(&schema(62));
    let not = format!("{}true{}", r#"{"not":"#.repeat(126), "}".repeat(126));
    assert!(check(&compile(&not), &deep(10)).0);
    let (valid, faults) = check(&compile(&not), &deep(100));
    assert!(!valid && faults.list()[0].message.contains("too long"));
}

#[test]
fn a_recursive_schema_follows_an_event_to_the_deepest_level() {
    // On a thread with the stack of the program's own.
    let judge = || {
        // As long a chain of references at each level as is admitted.
        let mut defs = String::new();
        for i in 0..7 {
            let next = i + 1;
            write!(
                defs,
                r##""{i}":{{"allOf":[{{"$ref":"#/$defs/{next}"}}]}},"##
            )
            .unwrap();
        }
        let list = compile(&format!(
            r##"{{"$ref":"#/$defs/0","$defs":{{{defs}
                "7":{{"type":["array","integer"],"items":{{"$ref":"#/$defs/0"}},"uniqueItems":true}}}}}}"##
        ));
        let deep = |inside| format!("{}{inside}{}", "[".repeat(127), "]".repeat(127));
        assert!(check(&list, &deep("1")).0);
        assert!(!check(&list, &deep("\"\"")).0);
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(judge).unwrap().join().unwrap();
}

#[test]
fn circles_of_references_come_to_an_end() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
        r##"{"allOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}"##,
        r##"{"not":{"$ref":"#"}}"##,
    ] {
        if let Ok(validator) = Validator::compile(&source(schema, &[]), false) {
            in_time(&validator, r#"{"a":[{"a":1}]}"#);
        }
    }
    // Each refers to all: the ways through them are more than can be gone.
    let all: Vec<String> = (0..24)
        .map(|i| format!(r##"{{"$ref":"#/$defs/{i}"}}"##))
        .collect();
    let all = all.join(",");
    let defs: Vec<String> = (0..24)
        .map(|i| format!(r#""{i}":{{"allOf":[{all}]}}"#))
        .collect();
    let schema = format!(r##"{{"$ref":"#/$defs/0","$defs":{{{}}}}}"##, defs.join(","));
    assert!(refusal(&schema, &[]).contains("multiply"));
}

#[test]
fn references_that_multiply_are_refused_or_given_up() {
    // Each refers twice to the next: 2 to the power of 40 evaluations of the last.
    let mut defs = String::new();
    for i in 0..40 {
        let next = i + 1;
        write!(
            defs,
            r##""{i}":{{"allOf":[{{"$ref":"#/$defs/{next}"}},{{"$ref":"#/$defs/{next}"}}]}},"##
        )
        .unwrap();
    }
    let bomb = format!(r##"{{"$ref":"#/$defs/0","$defs":{{{defs}"40":{{"type":"string"}}}}}}"##);
    assert!(refusal(&bomb, &[]).contains("multiply"));

    // Twice at every level of the event.
    let tree = compile(
        r##"{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]},"b":{"type":"string"}}}"##,
    );
    let deep = |inside: &str| format!("{}{inside}{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    in_time(&tree, &deep("1"));
    assert!(!in_time(&tree, &deep(r#"{"b":1}"#)).0);
    assert!(!in_time(&tree, &format!(r#"{{"a":{},"b":1}}"#, deep("1"))).0);

    let chain: Vec<String> = (0..5000)
        .map(|i| format!(r##""{i}":{{"$ref":"#/$defs/{}"}}"##, i + 1))
        .collect();
    let chain = format!(
        r##"{{"$ref":"#/$defs/0","$defs":{{{},"5000":true}}}}"##,
        chain.join(",")
    );
    assert!(refusal(&chain, &[]).contains("by way of each other"));
}

#[test]
fn an_event_of_many_faults_costs_little() {
    let many = format!("[{}]", vec!["1"; 100_000].join(","));
    let (_, faults) = in_time(&compile(r#"{"items":{"type":"string"}}"#), &many);
    assert!(!faults.list().is_empty());
    let branches = vec![r#"{"items":{"type":"string"}}"#; 200].join(",");
    let (_, faults) = in_time(&compile(&format!(r#"{{"anyOf":[{branches}]}}"#)), &many);
    assert!(!faults.list().is_empty());
}

#[test]
fn no_pattern_takes_long() {
    let hostile = "a".repeat(10_000);
    let bits: String = (0..10_000u32)
        .map(|i| {
            if i.wrapping_mul(2_654_435_769) >> 31 == 1 {
                '1'
            } else {
                '0'
            }
        })
        .collect();
    for (pattern, text) in [
        (r"^(a+)+$", format!("{hostile}!")),
        (r"^(a|aa)+$", format!("{hostile}!")),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", hostile.clone()),
        (r"(.*a){12}!", hostile.clone()),
        (r"(?=.*b)^(a+)+$", format!("{hostile}!")),
        (r"^((?=a)a+)+$", format!("{hostile}!")),
        (r"^(\\w+\\s?)*(?<!x)$", format!("{}!", "a ".repeat(5000))),
        (r"[01]*1[01]{300}$", bits),
    ] {
        let schema = format!(r#"{{"items":{{"pattern":"{pattern}"}}}}"#);
        let Ok(validator) = Validator::compile(&source(&schema, &[]), false) else {
            continue;
        };
        in_time(&validator, &format!("[\"{text}\"]"));
    }
    // Many short strings, each of which takes many steps back.
    let short = vec![r#""aaaaaaaaaaaaaaaaaaaaaaaa!""#; 360].join(",");
    let distinct: Vec<String> = (0..360)
        .map(|i| format!("\"{}!{i}\"", "a".repeat(20)))
        .collect();
    let validator = compile(r#"{"items":{"pattern":"^((?=a)a+)+$"}}"#);
    for (strings, said) in [
        (short.get(..27).unwrap(), "gave up"),
        (&short, "pattern"),
        (&distinct.join(","), "takes too long"),
    ] {
        let (valid, faults) = in_time(&validator, &format!("[{strings}]"));
        assert!(!valid);
        let message = &faults.list()[0].message;
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn a_pattern_that_needs_to_look_around_works() {
    let validator = compile(r#"{"pattern":"^(?=.*[0-9])(?!.*secret).{8,}$"}"#);
    assert!(check(&validator, r#""letters1""#).0);
    let (valid, faults) = check(&validator, r#""secret123""#);
    assert!(!valid);
    assert!(
        faults.list()[0].message.contains("does not match"),
        "{faults:?}"
    );
    let names = compile(r#"{"pattern":"^[\\p{L} .'-]{1,100}$"}"#);
    assert!(check(&names, r#""Zoë Núñez""#).0);
    assert!(!check(&names, r#""R2D2""#).0);
    let too_large = refusal(r#"{"pattern":"^((\\p{L}{1,500}){1,500}){1,500}$"}"#, &[]);
    assert!(too_large.contains("too much memory"), "{too_large}");
}
