//! The named types of Avro schemas: those that a schema defines and those that it uses.

use std::collections::HashSet;

use serde_json::Value;

use super::{Gathered, Shelf, parse};
use crate::schema::{Reference, SchemaError};

/// Full names that a schema defines and uses, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::schema::sources) struct Names {
    pub(in crate::schema::sources) defined: Vec<String>,
    pub(in crate::schema::sources) used: Vec<String>,
}

/// The files that define what the schema uses, and what those use: each file once, those that
/// others build on first. What the shelf does not have is left out: whoever compiles tells.
pub(in crate::schema::sources) fn references(
    root: &Value,
    root_path: &str,
    shelf: &dyn Shelf,
) -> Result<Vec<Reference>, SchemaError> {
    let mut gathered = Gathered::default();
    gathered.is_new(root_path);
    let mut known: HashSet<String> = names(root).defined.into_iter().collect();
    // Visited twice: on the way down its own names are looked for, on the way up it is given.
    let mut waiting: Vec<Step> = missing(&names(root), &known);
    while let Some(step) = waiting.pop() {
        match step {
            Step::Give(name, text) => gathered.push(name, text)?,
            Step::Find(name) => {
                if known.contains(&name) {
                    continue;
                }
                let Some((path, text)) = shelf.named(&name) else {
                    continue;
                };
                if !gathered.is_new(&path) {
                    continue;
                }
                let document = parse(&text).map_err(|e| SchemaError(format!("{path}: {e}")))?;
                let found = names(&document);
                known.extend(found.defined.iter().cloned());
                waiting.push(Step::Give(name, text));
                waiting.extend(missing(&found, &known));
            }
        }
        if waiting.len() > super::MOST_BYTES / 64 {
            return Err(SchemaError("it uses too many named types".to_owned()));
        }
    }
    Ok(gathered.into_list())
}

enum Step {
    Find(String),
    Give(String, String),
}

fn missing(names: &Names, known: &HashSet<String>) -> Vec<Step> {
    let unknown = names
        .used
        .iter()
        .rev()
        .filter(|name| !known.contains(*name));
    unknown.cloned().map(Step::Find).collect()
}

/// The named types of a schema.
pub(in crate::schema::sources) fn names(schema: &Value) -> Names {
    let mut names = Names::default();
    visit(schema, "", &mut names);
    for list in [&mut names.defined, &mut names.used] {
        let mut seen = HashSet::new();
        list.retain(|name| seen.insert(name.clone()));
    }
    names
}

const PRIMITIVE: &[&str] = &[
    "null", "boolean", "int", "long", "float", "double", "bytes", "string",
];

/// The depth is the parser's.
fn visit(schema: &Value, namespace: &str, names: &mut Names) {
    match schema {
        Value::String(name) if !PRIMITIVE.contains(&name.as_str()) => {
            names.used.push(full(name, namespace));
        }
        Value::Array(branches) => {
            for branch in branches {
                visit(branch, namespace, names);
            }
        }
        Value::Object(members) => match members.get("type").and_then(Value::as_str) {
            Some(kind @ ("record" | "error" | "enum" | "fixed")) => {
                let own = members.get("namespace").and_then(Value::as_str);
                let name = members.get("name").and_then(Value::as_str).unwrap_or("");
                let name = full(name, own.unwrap_or(namespace));
                let inner = name
                    .rsplit_once('.')
                    .map_or("", |(space, _)| space)
                    .to_owned();
                names.defined.push(name);
                if !matches!(kind, "enum" | "fixed") {
                    let fields = members.get("fields").and_then(Value::as_array);
                    for field in fields.into_iter().flatten() {
                        visit(field.get("type").unwrap_or(&Value::Null), &inner, names);
                    }
                }
            }
            Some("array") => visit(
                members.get("items").unwrap_or(&Value::Null),
                namespace,
                names,
            ),
            Some("map") => visit(
                members.get("values").unwrap_or(&Value::Null),
                namespace,
                names,
            ),
            _ => visit(
                members.get("type").unwrap_or(&Value::Null),
                namespace,
                names,
            ),
        },
        _ => {}
    }
}

/// Names without a dot are in the namespace around them.
fn full(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        name.trim_start_matches('.').to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_full_and_inherit_the_namespace() {
        let schema = json!({"type": "record", "name": "Order", "namespace": "acme", "fields": [
            {"name": "a", "type": ["null", "Address"]},
            {"name": "b", "type": {"type": "array", "items": "other.Line"}},
            {"name": "c", "type": {"type": "map", "values":
                {"type": "enum", "name": "x.Kind", "symbols": ["A"]}}},
            {"name": "d", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "e", "type": "Order"}]});
        assert_eq!(
            names(&schema),
            Names {
                defined: vec!["acme.Order".into(), "x.Kind".into()],
                used: vec![
                    "acme.Address".into(),
                    "other.Line".into(),
                    "acme.Order".into()
                ],
            }
        );
    }

    struct Types;

    impl Shelf for Types {
        fn at(&self, _: &str) -> Option<Result<String, SchemaError>> {
            None
        }

        fn named(&self, name: &str) -> Option<(String, String)> {
            let uses = match name {
                "A" => "B",
                "B" => "C",
                "C" => "A",
                _ => return None,
            };
            let text = json!({"type": "record", "name": name,
                              "fields": [{"name": "x", "type": uses}]});
            Some((format!("{name}.avsc"), text.to_string()))
        }
    }

    #[test]
    fn what_others_build_on_comes_first_and_circles_end() {
        let root = json!({"type": "record", "name": "R", "fields": [
            {"name": "a", "type": "A"}, {"name": "z", "type": "Nowhere"}]});
        let found = references(&root, "r.avsc", &Types).unwrap();
        let names: Vec<_> = found.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["C", "B", "A"]);
    }
}
