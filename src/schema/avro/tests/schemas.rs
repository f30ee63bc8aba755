//! Texts of schemas: taken, refused, named, described.

use super::super::{describe, fingerprint};
use super::{bundle, compile, json};
use crate::schema::{Language, Source};

fn error(text: &str) -> String {
    bundle(text, &[]).map(|_| text).unwrap_err().to_string()
}

#[test]
fn names_are_found_in_their_namespace_and_without_one() {
    for text in [
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","R"]}]}"#,
        r#"{"type":"record","name":"x.R","fields":[{"name":"a","type":["null","R"]}]}"#,
        r#"{"type":"record","name":"R","namespace":"x","fields":[{"name":"a","type":["null","x.R"]}]}"#,
        // The name's own namespace is stronger than the attribute.
        r#"{"type":"record","name":"y.R","namespace":"x","fields":[{"name":"a","type":["null","y.R"]}]}"#,
        r#"{"type":"record","name":"R","namespace":"","fields":[{"name":"a","type":["null",".R"]}]}"#,
        // Defined behind its use, and in no namespace although used in one.
        r#"[{"type":"record","name":"x.R","fields":[{"name":"a","type":"E"}]},
            {"type":"enum","name":"E","symbols":["A"]}]"#,
        // The inner type inherits the namespace.
        r#"{"type":"record","name":"x.R","fields":[
            {"name":"a","type":{"type":"fixed","name":"F","size":"4"}},{"name":"b","type":"x.F"}]}"#,
        r#"{"type":"error","name":"E","fields":[]}"#,
        r#"{"type":{"type":{"type":"string"}}}"#,
        // Text that follows, as a registry's own test has it.
        r#"{"type":"record","name":"R","fields":[]},{"name":"b","type":"int"}]}"#,
        "// what it is\n{\"type\": /* of */ \"string\"} // end",
    ] {
        compile(text);
    }
    let avro = compile(
        r#"[{"type":"record","name":"x.R","fields":[{"name":"a","type":"E"}]},
        {"type":"enum","name":"E","symbols":["A"]}]"#,
    );
    assert_eq!(json(&avro, &[0, 0]).unwrap(), r#"{"a":"A"}"#);
}

#[test]
fn what_is_no_schema_is_refused_with_the_reason() {
    for (text, reason) in [
        (
            "",
            "the schema is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        ("7", "a type is a name, an object or an array"),
        ("{}", "an object without `type` is no type"),
        (
            r#""Nope""#,
            "`Nope` is defined neither in the schema nor in what it refers to",
        ),
        (r#"{"type":"array"}"#, "an array has no `items`"),
        (r#"{"type":"map"}"#, "a map has no `values`"),
        (r#"{"type":"record","fields":[]}"#, "a record has no `name`"),
        (r#"{"type":"record","name":"R"}"#, "`R` has no `fields`"),
        (
            r#"{"type":"record","name":"R","fields":[7]}"#,
            "a field of `R` has no `name`",
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#,
            "the field `a` of `R` has no `type`",
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
            "`R` has the field `a` twice",
        ),
        (r#"{"type":"enum","name":"E"}"#, "`E` has no `symbols`"),
        (
            r#"{"type":"enum","name":"E","symbols":["A","A"]}"#,
            "`E` has `A` twice",
        ),
        (
            r#"{"type":"enum","name":"E","symbols":[1]}"#,
            "a symbol of `E` is no string",
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#,
            "`E` has no symbol `B`, its default",
        ),
        (
            r#"{"type":"fixed","name":"F","size":-1}"#,
            "`F` has no `size` from 0 to 2147483647",
        ),
        (
            r#"{"type":"fixed","name":"F","size":1.5}"#,
            "`F` has no `size` from 0 to 2147483647",
        ),
        (r#"["int",["null"]]"#, "a union holds another union"),
        (r#"["int","int"]"#, "a union holds `int` twice"),
        (
            r#"["int",{"type":"int","logicalType":"date"}]"#,
            "a union holds `int` twice",
        ),
        (
            r#"[{"type":"array","items":"int"},{"type":"array","items":"long"}]"#,
            "a union holds `array` twice",
        ),
        (
            r#"[{"type":"fixed","name":"F","size":1},"F"]"#,
            "a union holds `F` twice",
        ),
        (
            r#"[{"type":"fixed","name":"F","size":1},{"type":"enum","name":"F","symbols":[]}]"#,
            "`F` is defined twice",
        ),
    ] {
        assert_eq!(error(text), reason, "{text}");
    }
    let hostile = error("{\"type\":\"a\u{202e}b\"}");
    assert!(hostile.starts_with("`a\\u{202e}b`"), "{hostile}");
}

#[test]
fn texts_name_each_other_in_any_order() {
    let order = r#"{"type":"record","name":"shop.Order","fields":[{"name":"lines","type":{"type":"array","items":"Line"}}]}"#;
    let line = r#"{"type":"record","name":"shop.Line","fields":[{"name":"price","type":"Money"}]}"#;
    let money = r#"{"type":"fixed","name":"shop.Money","size":1}"#;
    for others in [[line, money], [money, line]] {
        let avro = bundle(order, &others).unwrap();
        assert_eq!(
            json(&avro, &[2, 7, 0]).unwrap(),
            r#"{"lines":[{"price":"Bw=="}]}"#
        );
        assert_eq!(avro.full_name(), Some("shop.Order"));
    }
    // The same text twice, and the schema itself among them, as bundles have it.
    assert!(bundle(order, &[line, money, line, order]).is_ok());
    let missing = bundle(order, &[line]).unwrap_err().to_string();
    assert_eq!(
        missing,
        "`shop.Money` is defined neither in the schema nor in what it refers to"
    );
    let broken = bundle(order, &[line, "{"]).unwrap_err().to_string();
    assert!(
        broken.starts_with("in `other`: the schema is not JSON"),
        "{broken}"
    );
}

#[test]
fn logical_types_that_do_not_fit_are_passed_over() {
    for (text, bytes, value) in [
        (
            r#"{"type":"string","logicalType":"date"}"#,
            &[2, b'a'][..],
            r#""a""#,
        ),
        (r#"{"type":"int","logicalType":"unheard-of"}"#, &[2], "1"),
        (r#"{"type":"int","logicalType":7}"#, &[2], "1"),
        (
            r#"{"type":"bytes","logicalType":"decimal"}"#,
            &[2, 1],
            r#""AQ==""#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}"#,
            &[2, 1],
            r#""AQ==""#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":0}"#,
            &[2, 1],
            r#""AQ==""#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":"4"}"#,
            &[2, 1],
            r#""AQ==""#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":"x"}"#,
            &[2, 1],
            r#""AQ==""#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":5000,"scale":5000}"#,
            &[2, 1],
            r#""AQ==""#,
        ),
        // Two bytes have 4 digits at most.
        (
            r#"{"type":"fixed","size":2,"name":"F","logicalType":"decimal","precision":5}"#,
            &[0, 1],
            r#""AAE=""#,
        ),
        (
            r#"{"type":"fixed","size":2,"name":"F","logicalType":"decimal","precision":4}"#,
            &[0, 1],
            "1",
        ),
        (
            r#"{"type":"fixed","size":2,"name":"F","logicalType":"uuid"}"#,
            &[0, 1],
            r#""AAE=""#,
        ),
        (
            r#"{"type":"fixed","size":2,"name":"F","logicalType":"duration"}"#,
            &[0, 1],
            r#""AAE=""#,
        ),
    ] {
        assert_eq!(json(&compile(text), bytes).unwrap(), value, "{text}");
    }
}

#[test]
fn fields_are_described_in_words() {
    let avro = compile(
        r#"{"type":"record","name":"shop.Order","doc":"An order","fields":[
        {"name":"id","type":"string","doc":"Unique"},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"note","type":["null","string"],"default":null},
        {"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","PAID"]}},
        {"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
        {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
            {"name":"sku","type":"string"},{"name":"parts","type":["null",{"type":"map","values":"Line"}]}]}}},
        {"name":"hash","type":{"type":"fixed","name":"Md5","size":16}},
        {"name":"tags","type":{"type":"map","values":["null","int"]}}]}"#,
    );
    assert_eq!(avro.doc(), Some("An order"));
    let fields = avro.fields();
    assert_eq!(fields[0].doc.as_deref(), Some("Unique"));
    assert_eq!(fields[2].default.as_deref(), Some("null"));
    assert_eq!(fields[1].default, None);
    let described = describe(&avro);
    let described: Vec<(&str, &str)> = described
        .iter()
        .map(|(path, kind)| (path.as_str(), kind.as_str()))
        .collect();
    assert_eq!(
        described,
        [
            (".id", "string"),
            (".at", "long timestamp-millis"),
            (".note", "null | string"),
            (".state", "enum shop.State (NEW, PAID)"),
            (".total", "bytes decimal 9,2"),
            (".lines", "array of record shop.Line"),
            (".lines[].sku", "string"),
            (".lines[].parts", "null | map of record shop.Line"),
            (".hash", "fixed shop.Md5 (16 bytes)"),
            (".tags", "map of (null | int)"),
        ]
    );
    assert_eq!(
        describe(&compile(r#""string""#)),
        [(".".to_owned(), "string".to_owned())]
    );
}

#[test]
fn a_fingerprint_does_not_depend_on_what_data_do_not_depend_on() {
    let print = |text: &str| {
        let references = Vec::new();
        let text = text.to_owned();
        fingerprint(&Source {
            language: Language::Avro,
            text,
            references,
        })
        .unwrap()
    };
    let plain = r#"{"name":"R","type":"record","fields":[{"name":"a","type":"bytes"}]}"#;
    let full = r#"{"type":"record","doc":"d","name":"R","size":1.5,"fields":[{"order":"ignore","precision":"x",
        "name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}}]}"#;
    assert_eq!(print(plain), print(full));
    assert_ne!(print(plain), print(&full.replace("\"a\"", "\"b\"")));
}
