//! The fields of a JSON Schema: properties and items, through `$ref`, `allOf`, alternatives and
//! `if`. What it allows beside them is not told here.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Field;
use crate::schema::{SchemaError, Source};

/// Fields of one list, and how deep it goes.
const MOST: usize = 2_000;
const LEVELS: usize = 24;
/// Schemas that are looked at: those that refer to each other multiply.
const MOST_LOOKS: usize = 50_000;
/// Values of an enum that are told.
const VALUES: usize = 8;
/// Bytes of a text that is taken over.
const LONGEST: usize = 512;

pub(super) fn outline(source: &Source) -> Result<Vec<Field>, SchemaError> {
    let parse = |text: &str, of: &str| {
        serde_json::from_str::<Value>(text)
            .map_err(|error| SchemaError(format!("{of}not a JSON Schema: {error}")))
    };
    let root = parse(&source.text, "")?;
    if !matches!(root, Value::Object(_) | Value::Bool(_)) {
        return Err(SchemaError(
            "not a JSON Schema: neither an object nor a boolean".to_owned(),
        ));
    }
    let mut others = HashMap::new();
    for reference in &source.references {
        let value = parse(&reference.text, &format!("{}: ", reference.name))?;
        others.insert(reference.name.as_str(), value);
    }
    let mut list = List {
        others: &others,
        fields: Vec::new(),
        known: HashMap::new(),
        looks: 0,
    };
    let place = Place {
        document: &root,
        around: Vec::new(),
    };
    list.schema(&root, &place, "", "");
    Ok(list.fields)
}

struct List<'a> {
    others: &'a HashMap<&'a str, Value>,
    fields: Vec<Field>,
    /// By path and condition.
    known: HashMap<(String, String), usize>,
    looks: usize,
}

/// Where a schema stands: in which document, and which schemas it is in.
#[derive(Clone)]
struct Place<'a> {
    document: &'a Value,
    around: Vec<*const Value>,
}

impl<'a> List<'a> {
    /// The fields of the values that a schema is for, which stand at `path`.
    fn schema(&mut self, schema: &'a Value, place: &Place<'a>, path: &str, when: &str) {
        self.looks += 1;
        let full = self.fields.len() >= MOST || self.looks > MOST_LOOKS;
        let again = place.around.iter().any(|one| std::ptr::eq(*one, schema));
        let Value::Object(members) = schema else {
            return;
        };
        if full || again || place.around.len() >= LEVELS {
            return;
        }
        let mut place = place.clone();
        place.around.push(schema);
        self.properties(members, &place, path, when);
        self.items(members, &place, path, when);
        if let Some((target, document)) = self.target(members, place.document) {
            let there = Place {
                document,
                around: place.around.clone(),
            };
            self.schema(target, &there, path, when);
        }
        for part in members.get("allOf").into_iter().flat_map(list) {
            self.schema(part, &place, path, when);
        }
        for word in ["anyOf", "oneOf"] {
            let parts: Vec<&Value> = members.get(word).into_iter().flat_map(list).collect();
            for (number, part) in (1..).zip(&parts) {
                let title = part.get("title").and_then(Value::as_str);
                let title = title.map_or_else(|| format!("choice {number}"), cut);
                let when = if parts.len() > 1 {
                    both(when, &title)
                } else {
                    when.to_owned()
                };
                self.schema(part, &place, path, &when);
            }
        }
        self.conditional(members, &place, path, when);
    }

    fn properties(
        &mut self,
        members: &'a Map<String, Value>,
        place: &Place<'a>,
        path: &str,
        when: &str,
    ) {
        let names = members.get("required").into_iter().flat_map(list);
        let required: Vec<&str> = names.filter_map(Value::as_str).collect();
        let properties = members.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let below = format!("{path}{}", step(name));
            self.add(
                &below,
                when,
                schema,
                place,
                Some(required.contains(&&**name)),
            );
            self.schema(schema, place, &below, when);
        }
        for name in required {
            if properties.is_none_or(|all| !all.contains_key(name)) {
                let below = format!("{path}{}", step(name));
                self.add(&below, when, &Value::Bool(true), place, Some(true));
            }
        }
        let patterns = members.get("patternProperties").and_then(Value::as_object);
        for (pattern, schema) in patterns.into_iter().flatten() {
            let below = format!("{path}./{}/", cut(pattern));
            self.add(&below, when, schema, place, None);
            self.schema(schema, place, &below, when);
        }
        if let Some(schema @ Value::Object(_)) = members.get("additionalProperties") {
            let below = format!("{path}.*");
            self.add(&below, when, schema, place, None);
            self.schema(schema, place, &below, when);
        }
    }

    fn items(
        &mut self,
        members: &'a Map<String, Value>,
        place: &Place<'a>,
        path: &str,
        when: &str,
    ) {
        match members.get("items") {
            Some(Value::Array(each)) => self.tuple(each, place, path, when),
            Some(items) => self.schema(items, place, &format!("{path}[]"), when),
            None => {}
        }
        if let Some(Value::Array(each)) = members.get("prefixItems") {
            self.tuple(each, place, path, when);
        }
    }

    fn tuple(&mut self, each: &'a [Value], place: &Place<'a>, path: &str, when: &str) {
        for (number, schema) in each.iter().enumerate() {
            let below = format!("{path}[{number}]");
            self.add(&below, when, schema, place, None);
            self.schema(schema, place, &below, when);
        }
    }

    fn conditional(
        &mut self,
        members: &'a Map<String, Value>,
        place: &Place<'a>,
        path: &str,
        when: &str,
    ) {
        let Some(condition) = members.get("if") else {
            return;
        };
        let said = condition_words(condition, path);
        if let Some(then) = members.get("then") {
            self.schema(then, place, path, &both(when, &said));
        }
        if let Some(other) = members.get("else") {
            self.schema(other, place, path, &both(when, &format!("not {said}")));
        }
    }

    /// Notes a field; what another part of the schema says of it is put together.
    fn add(
        &mut self,
        path: &str,
        when: &str,
        schema: &Value,
        place: &Place<'_>,
        required: Option<bool>,
    ) {
        let default = schema.get("default").map(|d| cut(&d.to_string()));
        let kind = self.kind(schema, place.document, 0);
        let at = self.known.get(&(path.to_owned(), when.to_owned()));
        if let Some(field) = at.and_then(|at| self.fields.get_mut(*at)) {
            if field.kind == ANY {
                field.kind = kind;
            }
            field.required = field.required.max(required);
            field.default = field.default.take().or(default);
            return;
        }
        // What is said for all values need not be said again for some.
        let general = self.known.get(&(path.to_owned(), String::new()));
        if let Some(field) = general.and_then(|at| self.fields.get(*at))
            && (kind == ANY || kind == field.kind)
            && required.unwrap_or(false) <= field.required.unwrap_or(false)
            && default.is_none()
        {
            return;
        }
        if self.fields.len() >= MOST {
            return;
        }
        let name = (path.to_owned(), when.to_owned());
        self.known.insert(name, self.fields.len());
        self.fields.push(Field {
            path: path.to_owned(),
            when: when.to_owned(),
            kind,
            required,
            default,
        });
    }

    /// What `$ref` leads to, and in which document that is.
    fn target(
        &self,
        members: &Map<String, Value>,
        document: &'a Value,
    ) -> Option<(&'a Value, &'a Value)> {
        let reference = members.get("$ref")?.as_str()?;
        let (name, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let document = match name {
            "" => document,
            name => self.others.get(name)?,
        };
        let target = if pointer.is_empty() || pointer.starts_with('/') {
            document.pointer(pointer)?
        } else {
            let defs = ["$defs", "definitions"];
            let mut defs = defs
                .iter()
                .filter_map(|word| document.get(word)?.as_object());
            defs.find_map(|defs| {
                let named =
                    |one: &&Value| one.get("$anchor").and_then(Value::as_str) == Some(pointer);
                defs.values().find(named)
            })?
        };
        Some((target, document))
    }

    /// The type in words.
    fn kind(&self, schema: &Value, document: &Value, depth: usize) -> String {
        let Value::Object(members) = schema else {
            let never = *schema == Value::Bool(false);
            return if never { "nothing" } else { ANY }.to_owned();
        };
        if let Some(value) = members.get("const") {
            return format!("only {}", cut(&value.to_string()));
        }
        if let Some(values) = members.get("enum").and_then(Value::as_array) {
            return one_of(values);
        }
        let types: Vec<&str> = match members.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if types.is_empty() {
            return self.kind_without_type(members, document, depth);
        }
        let words = types.iter().map(|word| match *word {
            "array" => match members.get("items") {
                Some(items @ Value::Object(_)) if depth < 4 => {
                    format!("array of {}", self.kind(items, document, depth + 1))
                }
                _ => "array".to_owned(),
            },
            "string" => match members.get("format").and_then(Value::as_str) {
                Some(format) => format!("string {}", cut(format)),
                None => "string".to_owned(),
            },
            other => cut(other),
        });
        words.collect::<Vec<_>>().join(" | ")
    }

    fn kind_without_type(
        &self,
        members: &Map<String, Value>,
        document: &Value,
        depth: usize,
    ) -> String {
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit(['/', '#']).find(|part| !part.is_empty());
            return cut(name.unwrap_or(reference));
        }
        for word in ["oneOf", "anyOf"] {
            let parts: Vec<&Value> = members.get(word).into_iter().flat_map(list).collect();
            if !parts.is_empty() && depth < 4 {
                let shown = parts.iter().take(VALUES);
                let mut kinds: Vec<String> = Vec::new();
                for kind in shown.map(|part| self.kind(part, document, depth + 1)) {
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
                return kinds.join(" | ");
            }
        }
        if members.contains_key("properties") {
            return "object".to_owned();
        }
        ANY.to_owned()
    }
}

/// No type is told.
const ANY: &str = "any";

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn one_of(values: &[Value]) -> String {
    let shown = values.iter().take(VALUES).map(|v| cut(&v.to_string()));
    let mut text = shown.collect::<Vec<_>>().join(" | ");
    if values.len() > VALUES {
        let more = (values.len() - VALUES).to_string();
        text += " | ";
        text += &more;
        text += " more";
    }
    text
}

/// What an `if` asks, where it asks what a member is; else that it is a condition.
fn condition_words(condition: &Value, path: &str) -> String {
    let properties = condition.get("properties").and_then(Value::as_object);
    let asked: Vec<String> = properties
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| {
            let is = schema.get("const").map(|value| cut(&value.to_string()));
            let among = schema.get("enum").and_then(Value::as_array);
            let is = is.or_else(|| among.map(|values| one_of(values)))?;
            Some(format!("{path}{} = {is}", step(name)))
        })
        .collect();
    if asked.is_empty() {
        return format!("if {}", cut(&condition.to_string()));
    }
    asked.join(" and ")
}

fn both(outer: &str, inner: &str) -> String {
    if outer.is_empty() {
        inner.to_owned()
    } else {
        format!("{outer} and {inner}")
    }
}

fn step(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        format!(".{name}")
    } else {
        format!(".{}", Value::String(cut(name)))
    }
}

/// The front of a long text.
fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
