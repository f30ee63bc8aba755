//! The fields of a schema of any language as one list, and what differs between two of them. Who
//! lists them for a screen or a command is elsewhere.

mod diff;
mod json;

use super::avro::Avro;
use super::protobuf::{self, Protobuf};
use super::{Language, SchemaError, Source};

pub use diff::{Change, Difference, differences};

/// One field of a schema. All texts are as the schema has them: not yet safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// `.items[].sku`; for Protobuf with the message in front when there are several.
    pub path: String,
    /// For which values, where the schema tells them apart: `.eventType = "OrderPlaced"`.
    pub when: String,
    /// The type in the words of the language.
    pub kind: String,
    /// Whether it must be there; `None` where the language does not say.
    pub required: Option<bool>,
    /// As JSON text.
    pub default: Option<String>,
}

/// The fields of a schema, parents before their children; 2,000 of JSON Schema and of each Protobuf
/// message, 10,000 of Avro at most. A type that holds itself is listed once.
///
/// # Errors
/// The text is no schema.
pub fn outline(source: &Source) -> Result<Vec<Field>, SchemaError> {
    match source.language {
        Language::Avro => Ok(of_avro(&Avro::compile(source)?)),
        Language::Json => json::outline(source),
        Language::Protobuf => Ok(of_protobuf(&Protobuf::compile(source)?)),
    }
}

/// Every field of a record is written; a reader can do without one that has a default.
fn of_avro(avro: &Avro) -> Vec<Field> {
    let fields: Vec<Field> = avro
        .fields()
        .into_iter()
        .map(|field| Field {
            path: field.path,
            when: String::new(),
            kind: field.kind,
            required: Some(field.default.is_none()),
            default: field.default,
        })
        .collect();
    if !fields.is_empty() {
        return fields;
    }
    // No record: the schema is one type.
    let root = super::avro::describe(avro).into_iter();
    root.map(|(path, kind)| Field {
        path,
        when: String::new(),
        kind,
        required: None,
        default: None,
    })
    .collect()
}

fn of_protobuf(schema: &Protobuf) -> Vec<Field> {
    let names: Vec<&str> = schema.messages().collect();
    let mut fields = Vec::new();
    for name in &names {
        let Some(message) = schema.message_named(name) else {
            continue;
        };
        let front = if names.len() > 1 { name } else { "" };
        for (path, kind) in protobuf::describe(schema, message) {
            fields.push(Field {
                path: format!("{front}{path}"),
                when: String::new(),
                required: Some(kind.starts_with("required ")),
                kind,
                default: None,
            });
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(language: Language, text: &str) -> Vec<String> {
        let source = Source {
            language,
            text: text.to_owned(),
            references: Vec::new(),
        };
        let fields = outline(&source).unwrap();
        let one = |f: Field| format!("{} {} {:?} {:?}", f.path, f.kind, f.required, f.default);
        fields.into_iter().map(one).collect()
    }

    #[test]
    fn avro_needs_what_has_no_default() {
        let text = r#"{"type":"record","name":"O","fields":[{"name":"id","type":"string"},
            {"name":"n","type":["null","long"],"default":null}]}"#;
        assert_eq!(
            fields(Language::Avro, text),
            [
                ".id string Some(true) None",
                ".n null | long Some(false) Some(\"null\")"
            ]
        );
        assert_eq!(fields(Language::Avro, "\"int\""), [". int None None"]);
    }

    #[test]
    fn several_messages_stand_beside_each_other() {
        let text = "syntax = \"proto3\"; message A { string x = 1; } message B { int32 y = 1; }";
        assert_eq!(
            fields(Language::Protobuf, text),
            ["A.x string Some(false) None", "B.y int32 Some(false) None"]
        );
    }
}
