//! Takes a schema out of an AsyncAPI document, so that it stands alone: what it refers to in its
//! own file is copied to the same place in the new document, other files come as references.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::links;
use super::documents::{Documents, Place, references};
use crate::schema::{Language, SchemaError, Source};

/// Bytes of a document that is made here: every message could otherwise bring all components.
const LARGEST: usize = 10 << 20;

/// The JSON Schema at that place, `$ref` followed, in the draft that the message asks for.
pub(super) fn json(
    documents: &Documents,
    place: &Place<'_>,
    draft: &str,
) -> Result<Source, SchemaError> {
    // A whole file needs nothing copied: its own references hold as they are.
    if place.pointer.is_empty() {
        return finish(documents, place.file, place.value.clone(), draft);
    }
    let needed = needed(documents, place.file, place.value)?;
    let clash = |root: &Value| {
        let taken = |pointer: &String| {
            let first = pointer.split('/').nth(1).unwrap_or_default();
            pointer.is_empty() || root.get(unescape(first)).is_some()
        };
        needed.iter().any(|place| taken(&place.pointer))
    };
    // A reference to itself, or a keyword where a copy has to go: the schema moves below.
    if clash(place.value) {
        let root = json!({"$ref": place.reference(place.file)});
        return assemble(documents, place.file, root, draft);
    }
    assemble(documents, place.file, place.value.clone(), draft)
}

/// A schema that takes what exactly one of several takes.
pub(super) fn one_of(
    documents: &Documents,
    places: &[Place<'_>],
    draft: &str,
) -> Result<Source, SchemaError> {
    let mut references: Vec<String> = Vec::new();
    for place in places {
        let reference = place.reference(&documents.main);
        // The same schema twice would never be the only one.
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    let branches: Vec<Value> = references.iter().map(|r| json!({ "$ref": r })).collect();
    assemble(
        documents,
        &documents.main,
        json!({ "oneOf": branches }),
        draft,
    )
}

fn assemble(
    documents: &Documents,
    file: &str,
    mut root: Value,
    draft: &str,
) -> Result<Source, SchemaError> {
    let mut needed = needed(documents, file, &root)?;
    // What holds another goes first, and brings it along.
    needed.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    for place in needed {
        insert(&mut root, &place.pointer, place.value, documents, file);
    }
    finish(documents, file, root, draft)
}

fn finish(
    documents: &Documents,
    file: &str,
    mut root: Value,
    draft: &str,
) -> Result<Source, SchemaError> {
    if let Value::Object(members) = &mut root
        && !members.contains_key("$schema")
    {
        members.shift_insert(0, "$schema".to_owned(), Value::String(draft.to_owned()));
    }
    let references = links::json::references(&root, file, documents)?;
    let text = root.to_string();
    if text.len() > LARGEST {
        return Err(SchemaError(format!(
            "with all that it refers to it is larger than {} MiB",
            LARGEST >> 20
        )));
    }
    Ok(Source {
        language: Language::Json,
        text,
        references,
    })
}

/// Every place of the same file that the schema refers to, in turn what that refers to.
fn needed<'a>(
    documents: &'a Documents,
    file: &str,
    root: &Value,
) -> Result<Vec<Place<'a>>, SchemaError> {
    let mut found: Vec<Place<'a>> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut waiting = local(root);
    while let Some(reference) = waiting.pop() {
        if !seen.insert(reference.clone()) {
            continue;
        }
        let Some(place) = documents.resolve(file, &reference) else {
            return Err(SchemaError(format!(
                "the reference {reference} leads nowhere"
            )));
        };
        waiting.extend(local(place.value));
        found.push(place);
    }
    Ok(found)
}

/// References to the same file in a value.
fn local(value: &Value) -> Vec<String> {
    let mut found = references(value);
    found.retain(|reference| reference.starts_with("#/") || *reference == "#");
    found.into_iter().map(str::to_owned).collect()
}

/// Puts a value where it was in its own document. A list on the way is copied whole.
fn insert(root: &mut Value, pointer: &str, value: &Value, documents: &Documents, file: &str) {
    let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut at = root;
    let mut path = String::new();
    for (n, token) in tokens.iter().enumerate() {
        path.push('/');
        path.push_str(token);
        let Value::Object(members) = at else {
            // It came with what holds it.
            return;
        };
        let last = n + 1 == tokens.len();
        let name = unescape(token);
        if !members.contains_key(&name) {
            let original = documents.resolve(file, &format!("#{}", path.replace('%', "%25")));
            let whole = original.filter(|place| place.value.is_array());
            let new = match whole {
                Some(place) => place.value.clone(),
                None if last => value.clone(),
                None => Value::Object(Map::new()),
            };
            members.insert(name.clone(), new);
        }
        let Some(next) = members.get_mut(&name) else {
            return;
        };
        at = next;
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
