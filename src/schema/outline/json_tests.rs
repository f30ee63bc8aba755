//! Fields of JSON Schemas.

use super::*;
use crate::schema::outline::differences;
use crate::schema::{Language, Reference};

fn source(text: &str) -> Source {
    Source {
        language: Language::Json,
        text: text.to_owned(),
        references: Vec::new(),
    }
}

fn fields(text: &str) -> Vec<String> {
    let fields = outline(&source(text)).unwrap();
    let one = |f: Field| {
        let required = match f.required {
            Some(true) => " required",
            _ => "",
        };
        let when = match &*f.when {
            "" => String::new(),
            when => format!(" when {when}"),
        };
        let default = f.default.map(|d| format!(" default {d}"));
        format!(
            "{} {}{required}{}{when}",
            f.path,
            f.kind,
            default.unwrap_or_default()
        )
    };
    fields.into_iter().map(one).collect()
}

#[test]
fn properties_items_and_conditions_are_listed() {
    let text = r##"{"required":["id","type"],"properties":{
        "id":{"type":"string","format":"uuid"},
        "type":{"enum":["A","B"]},
        "tags":{"type":"array","items":{"type":"string"}},
        "lines":{"type":"array","items":{"$ref":"#/$defs/line"}},
        "n":{"type":["integer","null"],"default":null},
        "odd name":{"const":1}},
        "additionalProperties":{"type":"number"},
        "$defs":{"line":{"required":["sku"],"properties":{"sku":{"type":"string"},
            "parent":{"$ref":"#/$defs/line"}}}},
        "if":{"properties":{"type":{"const":"A"}}},
        "then":{"required":["a"],"properties":{"a":{"type":"boolean"},"id":{"type":"string","format":"uuid"}}},
        "else":{"properties":{"b":true}}}"##;
    assert_eq!(
        fields(text),
        [
            ".id string uuid required",
            ".type \"A\" | \"B\" required",
            ".tags array of string",
            ".lines array of line",
            ".lines[].sku string required",
            ".lines[].parent line",
            ".n integer | null default null",
            ".\"odd name\" only 1",
            ".* number",
            ".a boolean required when .type = \"A\"",
            ".b any when not .type = \"A\"",
        ]
    );
}

#[test]
fn parts_of_all_of_and_other_documents_are_put_together() {
    let mut source = source(
        r#"{"allOf":[{"properties":{"a":{"type":"string"}}},{"required":["a"]},
            {"$ref":"base.json#/$defs/b"}]}"#,
    );
    source.references.push(Reference {
        name: "base.json".to_owned(),
        text: r##"{"$defs":{"b":{"properties":{"b":{"$ref":"#/$defs/c"}}},"c":{"type":"null"}}}"##
            .to_owned(),
    });
    let fields = outline(&source).unwrap();
    let paths: Vec<_> = fields
        .iter()
        .map(|f| (&*f.path, &*f.kind, f.required))
        .collect();
    assert_eq!(
        paths,
        [(".a", "string", Some(true)), (".b", "c", Some(false))]
    );
}

#[test]
fn the_demos_second_version_of_orders_adds_a_required_currency() {
    let of = |text: &str| outline(&source(text)).unwrap();
    let old = of(include_str!("../../broker/demo/schemas/orders-1.json"));
    let new = of(include_str!("../../broker/demo/schemas/orders-2.json"));
    let said: Vec<String> = differences(&old, &new)
        .iter()
        .map(|d| format!("{} ({}) {}", d.path, d.when, d.change))
        .collect();
    assert_eq!(
        said,
        [".data.currency (.eventType = \"OrderPlaced\") is new: string, required"]
    );
}

#[test]
fn schemas_that_hold_each_other_end() {
    let mut defs = Vec::new();
    for i in 0..30 {
        let fields = (0..30).map(|j| format!("\"f{j}\":{{\"$ref\":\"#/$defs/m{j}\"}}"));
        let fields = fields.collect::<Vec<_>>().join(",");
        defs.push(format!("\"m{i}\":{{\"properties\":{{{fields}}}}}"));
    }
    let text = format!(
        "{{\"$ref\":\"#/$defs/m0\",\"$defs\":{{{}}}}}",
        defs.join(",")
    );
    assert_eq!(outline(&source(&text)).unwrap().len(), MOST);
    let circle = r##"{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}"##;
    assert_eq!(outline(&source(circle)).unwrap(), []);
}

#[test]
fn what_is_no_schema_is_said() {
    for text in ["", "7", "[]", "{\"a\":"] {
        let error = outline(&source(text)).unwrap_err();
        assert!(error.to_string().contains("not a JSON Schema"), "{error}");
    }
    assert_eq!(outline(&source("true")).unwrap(), []);
}
