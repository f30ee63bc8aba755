//! Pairs of schemas from the specification's rules, from what Java's `SchemaCompatibility` tests
//! and registries accept and refuse, each read both ways where the answer differs.

use super::*;
use crate::schema::avro::tests::compile;

/// The reasons, each as `path: what`.
fn told(reader: &str, writer: &str) -> Vec<String> {
    let reasons = reasons(&compile(reader), &compile(writer)).unwrap();
    reasons
        .into_iter()
        .map(|reason| format!("{}: {}", reason.path, reason.what))
        .collect()
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

const A_INT: &str = r#"{"name":"a","type":"int"}"#;
const A_LONG: &str = r#"{"name":"a","type":"long"}"#;
const A_DEFAULT: &str = r#"{"name":"a","type":"int","default":0}"#;
const B_DEFAULT: &str = r#"{"name":"b","type":"int","default":0}"#;
const INTS: &str = r#"{"type":"array","items":"int"}"#;
const LONGS: &str = r#"{"type":"array","items":"long"}"#;
const STRINGS: &str = r#"{"type":"array","items":"string"}"#;
const INT_MAP: &str = r#"{"type":"map","values":"int"}"#;
const LONG_MAP: &str = r#"{"type":"map","values":"long"}"#;
const ENUM_AB: &str = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
const ENUM_ABC: &str = r#"{"type":"enum","name":"E","symbols":["A","B","C"]}"#;
const ENUM_BC: &str = r#"{"type":"enum","name":"E","symbols":["B","C"]}"#;
const ENUM_BA: &str = r#"{"type":"enum","name":"E","symbols":["B","A"]}"#;
const ENUM_AB_DEFAULT: &str = r#"{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}"#;
const ENUM2_AB: &str = r#"{"type":"enum","name":"E2","symbols":["A","B"]}"#;
const ENUM2_ALIAS: &str = r#"{"type":"enum","name":"E2","aliases":["E"],"symbols":["A","B"]}"#;
const FIXED_4: &str = r#"{"type":"fixed","name":"F","size":4}"#;
const FIXED_8: &str = r#"{"type":"fixed","name":"F","size":8}"#;
const FIXED_4_OTHER: &str = r#"{"type":"fixed","name":"G","size":4}"#;
const LIST_INT: &str = r#"{"type":"record","name":"List","fields":[
    {"name":"head","type":"int"},{"name":"tail","type":["null","List"]}]}"#;
const LIST_LONG: &str = r#"{"type":"record","name":"List","fields":[
    {"name":"head","type":"long"},{"name":"tail","type":["null","List"]}]}"#;

/// Reader, writer.
fn readable() -> Vec<(String, String)> {
    let primitives = [
        "null", "boolean", "int", "long", "float", "double", "bytes", "string",
    ];
    let mut pairs: Vec<(String, String)> = primitives.map(|p| (quote(p), quote(p))).into();
    for (reader, writer) in [
        ("long", "int"),
        ("float", "int"),
        ("float", "long"),
        ("double", "int"),
        ("double", "long"),
        ("double", "float"),
        ("bytes", "string"),
        ("string", "bytes"),
    ] {
        pairs.push((quote(reader), quote(writer)));
    }
    for (reader, writer) in [
        (INTS, INTS),
        (LONGS, INTS),
        (INT_MAP, INT_MAP),
        (LONG_MAP, INT_MAP),
        (ENUM_AB, ENUM_AB),
        (ENUM_ABC, ENUM_AB),
        (ENUM_AB, ENUM_BA),
        (ENUM_AB_DEFAULT, ENUM_ABC),
        (ENUM2_ALIAS, ENUM_AB),
        (FIXED_4, FIXED_4),
        // A namespace is not compared, and logical types are what they are on the wire.
        (r#"{"type":"fixed","name":"x.F","size":4}"#, FIXED_4),
        (
            r#"{"type":"long","logicalType":"timestamp-millis"}"#,
            r#""long""#,
        ),
        (
            r#"{"type":"int","logicalType":"date"}"#,
            r#"{"type":"int","logicalType":"time-millis"}"#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}"#,
            r#"{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}"#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}"#,
            r#""bytes""#,
        ),
        (ENUM_BC, r#"{"type":"enum","name":"E","symbols":["C"]}"#),
        // Unions.
        ("[]", "[]"),
        (r#"["float"]"#, "[]"),
        (r#"["double"]"#, r#"["int","float"]"#),
        (r#"["null","int","boolean"]"#, r#""boolean""#),
        // Names in a union are compared without their namespaces too.
        (
            r#"["null",{"type":"array","items":{"type":"record","name":"ns1.In","fields":[]}}]"#,
            r#"["null",{"type":"array","items":{"type":"record","name":"ns2.In","fields":[]}}]"#,
        ),
        (r#"["int"]"#, r#""int""#),
        (r#""int""#, r#"["int"]"#),
        (r#""long""#, r#"["int","long"]"#),
        (r#"["int","string"]"#, r#"["string","int"]"#),
        (r#"["null","int","string"]"#, r#"["null","int"]"#),
        (r#"["null","long"]"#, r#"["null","int"]"#),
        (r#"["float","string"]"#, r#"["int","long"]"#),
        (r#"["bytes"]"#, r#""string""#),
        (r#""double""#, r#"["int","long","float"]"#),
        (r#""int""#, "[]"),
        (LIST_INT, LIST_INT),
        (LIST_LONG, LIST_INT),
    ] {
        pairs.push((reader.to_owned(), writer.to_owned()));
    }
    for (reader, writer) in [
        (A_INT, A_INT),
        (A_LONG, A_INT),
        ("", A_INT),
        (A_DEFAULT, ""),
        (&[A_INT, ",", B_DEFAULT].concat(), A_INT),
        (B_DEFAULT, A_INT),
        // A null is a default too.
        (r#"{"name":"n","type":["null","int"],"default":null}"#, ""),
        // A field that was renamed, and one that became optional.
        (r#"{"name":"b","type":"int","aliases":["a"]}"#, A_INT),
        (r#"{"name":"a","type":["null","int"]}"#, A_INT),
    ] {
        pairs.push((record(reader), record(writer)));
    }
    pairs.push((
        r#"{"type":"record","name":"New","aliases":["old.R"],"fields":[]}"#.to_owned(),
        r#"{"type":"record","name":"old.R","fields":[]}"#.to_owned(),
    ));
    pairs
}

fn quote(word: &str) -> String {
    format!("\"{word}\"")
}

#[test]
fn what_can_be_read_has_no_reasons() {
    let pairs = readable();
    assert!(pairs.len() >= 50);
    for (reader, writer) in pairs {
        assert_eq!(told(&reader, &writer), [""; 0], "{reader} reads {writer}");
    }
}

#[test]
fn no_primitive_is_read_as_another_but_by_promotion() {
    let readable = readable();
    let primitives = [
        "null", "boolean", "int", "long", "float", "double", "bytes", "string",
    ];
    let others = [INTS, INT_MAP, ENUM_AB, FIXED_4, LIST_INT];
    let mut all: Vec<String> = primitives.map(quote).into();
    all.extend(others.map(str::to_owned));
    for reader in &all {
        for writer in &all {
            let pair = (reader.clone(), writer.clone());
            assert_eq!(
                told(reader, writer).is_empty(),
                readable.contains(&pair),
                "{pair:?}"
            );
        }
    }
}

/// Reader, writer, reasons.
const BROKEN: &[(&str, &str, &[&str])] = &[
    (
        r#""int""#,
        r#""long""#,
        &[": the writer writes `long`, the reader wants `int`"],
    ),
    (
        r#""float""#,
        r#""double""#,
        &[": the writer writes `double`, the reader wants `float`"],
    ),
    (
        r#""int""#,
        r#""null""#,
        &[": the writer writes `null`, the reader wants `int`"],
    ),
    (
        INTS,
        LONGS,
        &["/items: the writer writes `long`, the reader wants `int`"],
    ),
    (
        INTS,
        STRINGS,
        &["/items: the writer writes `string`, the reader wants `int`"],
    ),
    (
        INT_MAP,
        LONG_MAP,
        &["/values: the writer writes `long`, the reader wants `int`"],
    ),
    (
        INTS,
        INT_MAP,
        &[": the writer writes `map`, the reader wants `array`"],
    ),
    (
        ENUM_AB,
        ENUM_ABC,
        &[
            ": the writer may write `C`, which the reader's enum does not have, and it has no default",
        ],
    ),
    (
        ENUM2_AB,
        ENUM_AB,
        &[": the writer's enum is `E`, the reader's is `E2` and has no such alias"],
    ),
    // An alias of the writer is none of the reader.
    (
        ENUM_AB,
        ENUM2_ALIAS,
        &[": the writer's enum is `E2`, the reader's is `E` and has no such alias"],
    ),
    (
        FIXED_4,
        FIXED_8,
        &[": the writer's `F` has 8 bytes, the reader's 4"],
    ),
    (
        FIXED_4,
        FIXED_4_OTHER,
        &[": the writer's fixed is `G`, the reader's is `F` and has no such alias"],
    ),
    (
        r#""bytes""#,
        FIXED_4,
        &[": the writer writes the fixed `F`, the reader wants `bytes`"],
    ),
    (
        r#"{"type":"bytes","logicalType":"decimal","precision":12,"scale":4}"#,
        r#"{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}"#,
        &[
            ": the writer's decimal has the scale 2, the reader's 4: it would read every number wrong (registries do not look at this)",
        ],
    ),
    // Unions: every branch of the writer must be taken.
    (
        r#""int""#,
        r#"["null","int"]"#,
        &[": the writer writes `null`, the reader wants `int`"],
    ),
    (
        r#"["null","int"]"#,
        r#"["null","int","string"]"#,
        &[
            ": the writer may write `string`, for which the reader's union (`null`, `int`) has no branch",
        ],
    ),
    (
        r#"["int"]"#,
        r#"["int","long"]"#,
        &[": the writer may write `long`, for which the reader's union (`int`) has no branch"],
    ),
    (
        r#"["int","string"]"#,
        r#"["null","boolean"]"#,
        &[
            ": the writer may write `null`, for which the reader's union (`int`, `string`) has no branch",
            ": the writer may write `boolean`, for which the reader's union (`int`, `string`) has no branch",
        ],
    ),
    (
        "[]",
        r#""int""#,
        &[": the writer may write `int`, for which the reader's union () has no branch"],
    ),
    // Inside of the branch that is meant.
    (
        r#"["null",{"type":"array","items":"int"}]"#,
        r#"["null",{"type":"array","items":"string"}]"#,
        &["/items: the writer writes `string`, the reader wants `int`"],
    ),
    (
        LIST_INT,
        LIST_LONG,
        &["/fields/head: the writer writes `long`, the reader wants `int`"],
    ),
];

#[test]
fn what_cannot_be_read_has_the_reason() {
    for (reader, writer, reasons) in BROKEN {
        assert_eq!(told(reader, writer), *reasons, "{reader} reads {writer}");
    }
}

#[test]
fn fields_have_reasons_of_their_own() {
    let nested = |inner: &str| {
        format!(
            r#"{{"name":"lines","type":{{"type":"array","items":{{"type":"record","name":"Line","fields":[{inner}]}}}}}}"#
        )
    };
    for (reader, writer, reasons) in [
        (
            r#"{"name":"currency","type":"string"}"#.to_owned(),
            A_INT.to_owned(),
            vec![
                "/fields/currency: the reader wants `currency`, which the writer does not write, and it has no default",
            ],
        ),
        // A type that may be null is no default.
        (
            r#"{"name":"n","type":["null","int"]}"#.to_owned(),
            String::new(),
            vec![
                "/fields/n: the reader wants `n`, which the writer does not write, and it has no default",
            ],
        ),
        // Nor is an enum's.
        (
            format!(r#"{{"name":"e","type":{ENUM_AB_DEFAULT}}}"#),
            String::new(),
            vec![
                "/fields/e: the reader wants `e`, which the writer does not write, and it has no default",
            ],
        ),
        // An alias of the writer's field is none of the reader's.
        (
            A_INT.to_owned(),
            r#"{"name":"b","type":"int","aliases":["a"]}"#.to_owned(),
            vec![
                "/fields/a: the reader wants `a`, which the writer does not write, and it has no default",
            ],
        ),
        // What is missing and what does not fit, told at once.
        (
            [A_INT, r#",{"name":"b","type":"int"}"#].concat(),
            r#"{"name":"a","type":"string"}"#.to_owned(),
            vec![
                "/fields/b: the reader wants `b`, which the writer does not write, and it has no default",
                "/fields/a: the writer writes `string`, the reader wants `int`",
            ],
        ),
        (
            nested(A_INT),
            nested(r#"{"name":"a","type":["null","int"]}"#),
            vec!["/fields/lines/items/fields/a: the writer writes `null`, the reader wants `int`"],
        ),
    ] {
        assert_eq!(
            told(&record(&reader), &record(&writer)),
            reasons,
            "{reader} reads {writer}"
        );
    }
}

#[test]
fn a_branch_that_breaks_deep_inside_breaks_the_union() {
    let with = |head: &str| {
        format!(
            r#"["null",{{"type":"record","name":"A","fields":[{{"name":"b","type":
            {{"type":"record","name":"B","fields":[{{"name":"a","type":["null","A"]}},{{"name":"x","type":"{head}"}}]}}}}]}}]"#
        )
    };
    assert_eq!(told(&with("long"), &with("int")), [""; 0]);
    assert_eq!(
        told(&with("int"), &with("long")),
        ["/fields/b/fields/x: the writer writes `long`, the reader wants `int`"]
    );
}

#[test]
fn records_of_a_union_are_told_apart_by_name() {
    let of = |name: &str, kind: &str| {
        format!(r#"{{"type":"record","name":"{name}","fields":[{{"name":"a","type":"{kind}"}}]}}"#)
    };
    let reader = format!("[{},{}]", of("X", "int"), of("Y", "string"));
    assert_eq!(told(&reader, &of("X", "int")), [""; 0]);
    assert_eq!(
        told(&reader, &of("Y", "int")),
        ["/fields/a: the writer writes `int`, the reader wants `string`"]
    );
    assert_eq!(
        told(&reader, &of("Z", "int")),
        [
            ": the writer may write the record `Z`, for which the reader's union (the record `X`, the record `Y`) has no branch"
        ]
    );
}

#[test]
fn reasons_are_safe_to_show() {
    let field = |name: &str| record(&format!(r#"{{"name":"{name}","type":"int"}}"#));
    let told = told(&field("a/~\\u202e"), &record(""));
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("/fields/a~1~0\u{202e}: the reader wants `a/~\\u{202e}`"),
        "{told:?}"
    );
}

#[test]
fn schemas_that_are_too_large_to_compare_are_an_error() {
    let types = |from: usize| {
        let names =
            (from..from + 600).map(|at| format!(r#"{{"type":"fixed","name":"F{at}","size":1}}"#));
        compile(&format!("[{}]", names.collect::<Vec<_>>().join(",")))
    };
    let error = reasons(&types(0), &types(600)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the schemas have more than 300000 pairs of types to compare"
    );
}
