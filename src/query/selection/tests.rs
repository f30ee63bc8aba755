//! Verdicts of whole selections, what their errors say, and how they are explained.

use super::*;
use crate::query::samples::Sample;
use std::time::Duration;

fn query(expressions: &[&str]) -> Query {
    let spec = QuerySpec {
        where_: expressions.iter().map(|&e| e.to_owned()).collect(),
        ..QuerySpec::default()
    };
    Query::compile(&spec).unwrap()
}

fn verdict(expression: &str, sample: &Sample) -> Verdict {
    let mut worker = query(&[expression]).worker();
    worker.test(&sample.event()).unwrap()
}

#[test]
fn headers_are_asked_for_only_where_they_can_matter() {
    assert!(!query(&[".value.a == 1 and .key == \"k\""]).needs_headers());
    assert!(query(&[".headers.a == \"1\""]).needs_headers());
    assert!(query(&["[.value.a] == [1]"]).needs_headers());
    let spec = QuerySpec {
        grep: vec!["x".to_owned()],
        ..QuerySpec::default()
    };
    assert!(Query::compile(&spec).unwrap().needs_headers());
}

#[test]
fn the_first_output_decides() {
    let sample = Sample::of("{\"a\":1}");
    for (expression, expected) in [
        (".value.a == 1", Verdict::Keep),
        (".value.a", Verdict::Keep),
        (".value.b", Verdict::Drop),
        ("false, true", Verdict::Drop),
        ("true, error", Verdict::Keep),
        ("empty", Verdict::Drop),
        (
            "select(.topic == \"orders\" and .offset == 15)",
            Verdict::Keep,
        ),
        (".key.a", Verdict::Drop),
        (".value.a.b", Verdict::Failed),
        ("error(\"x\")", Verdict::Failed),
    ] {
        assert_eq!(verdict(expression, &sample), expected, "{expression}");
    }
}

#[test]
fn all_expressions_must_hold() {
    let sample = Sample::of("{\"a\":1}");
    for (second, expected) in [(".value.a == 1", Verdict::Keep), (".key", Verdict::Drop)] {
        let mut worker = query(&[".offset == 15", second]).worker();
        assert_eq!(worker.test(&sample.event()).unwrap(), expected);
    }
}

#[test]
fn keys_are_compared_byte_by_byte() {
    let spec = QuerySpec {
        keys: vec![b"a".to_vec(), b"\xff".to_vec()],
        ..QuerySpec::default()
    };
    let query = Query::compile(&spec).unwrap();
    let mut worker = query.worker();
    for (key, expected) in [
        (Some(&b"a"[..]), Verdict::Keep),
        (Some(b"\xff"), Verdict::Keep),
        (Some(b"ab"), Verdict::Drop),
        (Some(b""), Verdict::Drop),
        (None, Verdict::Drop),
    ] {
        let mut sample = Sample::of("a");
        sample.key = key.map(<[u8]>::to_vec);
        assert_eq!(worker.test(&sample.event()).unwrap(), expected, "{key:?}");
    }
    let mut seek = |bytes| {
        worker.begin();
        worker.seek(bytes, 0)
    };
    assert_eq!(seek(b"..a.."), Some(2));
    assert_eq!(seek(b"..b.."), None);
}

#[test]
fn an_expression_without_end_says_where_it_was() {
    let mut expression = Where::compile("--where", "def f: f; f").unwrap();
    expression.program.time = Duration::from_millis(50);
    let compiled = Compiled {
        keys: Vec::new(),
        greps: Vec::new(),
        wheres: vec![expression],
        filters: Vec::new(),
        decoder: Decoder::default(),
    };
    let mut worker = Query(Arc::new(compiled)).worker();
    let error = worker.test(&Sample::of("{}").event()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--where 'def f: f; f' did not end within 0.05 s on orders/0@15"
    );
}

#[test]
fn errors_point_at_the_token_and_say_what_to_try() {
    let error = |expression: &str| {
        let spec = QuerySpec {
            where_: vec![expression.to_owned()],
            ..QuerySpec::default()
        };
        let error = Query::compile(&spec).err().unwrap();
        format!("{error}\n{}", error.hint.as_deref().unwrap_or_default())
    };
    for (expression, drawn) in [
        (
            ".value.a ==",
            "--where: unexpected end: expected term\n  .value.a ==\n             ^\n",
        ),
        (
            ".value.a = 5",
            "--where: `=` assigns, and what that gives is always true\n  .value.a = 5\n           \
             ^\ncompare with ==",
        ),
        (
            ".value.a == 'x'",
            "--where: unexpected '\\''\n  .value.a == 'x'\n              ^\njq's strings stand in \
             double quotes",
        ),
        (
            ".a && .b",
            "--where: unexpected '&'\n  .a && .b\n     ^\njq says `and`",
        ),
        (
            "(.a == 1",
            "--where: closing parenthesis is missing\n  (.a == 1\n  ^\n",
        ),
        (
            ".a | startwith(\"x\")",
            "--where: unknown function startwith/1\n  .a | startwith(\"x\")\n       ^^^^^^^^^\ndid you \
             mean startswith?",
        ),
        (
            "selct(.a)",
            "--where: unknown function selct/1\n  selct(.a)\n  ^^^^^\ndid you mean select?",
        ),
        (
            "Paid",
            "--where: unknown function Paid/0\n  Paid\n  ^^^^\na field is written .Paid, a text \
             \"Paid\"",
        ),
        (
            ".a | test",
            "--where: unknown function test/0\n  .a | test\n       ^^^^\ntest takes 1 or 2 arguments, \
             joined by `;`",
        ),
        (
            ".a == $x",
            "--where: unknown variable $x\n  .a == $x\n        ^^\n",
        ),
        (
            "",
            "--where: unexpected end: expected term\n  \n  ^\nan expression is, for instance, \
             .value.amount > 500",
        ),
    ] {
        assert_eq!(error(expression), drawn);
    }
}

#[test]
fn the_way_of_each_expression_is_explained() {
    let spec = QuerySpec {
        where_: vec![
            ".value.type == \"Paid\" and (.key == \"a\" or .key == \"b\")".to_owned(),
            "any(.value.items[]; .sku == \"x\")".to_owned(),
            ".value.n + 1 > 2".to_owned(),
        ],
        grep: vec!["a.b".to_owned()],
        keys: vec![b"k".to_vec()],
        ..QuerySpec::default()
    };
    let lines = Query::compile(&spec).unwrap().explain();
    assert_eq!(
        lines,
        [
            "key k: exact",
            "grep a.b: over key, value and headers",
            "where .value.type == \"Paid\" and (.key == \"a\" or .key == \"b\"): native; byte \
             prefilter \"Paid\" in the value and (\"a\" in the key or \"b\" in the key)",
            "where any(.value.items[]; .sku == \"x\"): jq, because of the function any; byte \
             prefilter \"x\" in the value",
            "where .value.n + 1 > 2: jq, because of a comparison of other things than a path and \
             a constant; no byte prefilter",
        ]
    );
}

#[test]
fn nothing_asked_keeps_all() {
    let all = Query::compile(&QuerySpec::default()).unwrap();
    assert!(all.keeps_all());
    assert_eq!(all.worker().seek(b"", 0), Some(0));
    assert!(!query(&["true"]).keeps_all());
}
