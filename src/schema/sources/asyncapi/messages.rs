//! What a document says of one message: its names, its formats, where its schemas are.

use serde_json::{Map, Value};

use super::Hints;
use super::documents::{Documents, Place};
use crate::schema::Language;

/// A message of a channel.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// What an event's type is compared with; the first is what it is called.
    pub(super) names: Vec<String>,
    pub(super) payload: Option<Result<Payload<'a>, String>>,
    pub(super) key: Option<Result<Payload<'a>, String>>,
    pub(super) hints: Hints,
}

/// A schema in the document.
#[derive(Debug, Clone)]
pub(super) struct Payload<'a> {
    pub(super) place: Place<'a>,
    pub(super) language: Language,
    /// The draft of JSON Schema, where the schema itself names none.
    pub(super) draft: &'static str,
}

const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";

/// Reads the message at a place, which may be a reference.
pub(super) fn read<'a>(
    documents: &'a Documents,
    key: &str,
    place: Place<'a>,
    default_content_type: Option<&str>,
    version: u8,
) -> Result<Message<'a>, String> {
    let place = documents.follow(place)?;
    let traits = traits(documents, &place)?;
    let merged = merge(&place, &traits, version);
    let text = |name: &str| merged.get(name).and_then(Value::as_str);
    let component = place.name();
    let mut names: Vec<String> = [
        text("name"),
        (!key.is_empty()).then_some(key),
        text("messageId"),
        Some(component.as_str()).filter(|_| key.is_empty()),
        text("title"),
    ]
    .into_iter()
    .flatten()
    .map(str::to_owned)
    .collect();
    names.extend(extensions(&merged));
    names.push(component);
    let payload = place.member("payload").map(|payload| {
        let format = text("schemaFormat");
        schema(documents, payload, format)
    });
    names.extend(constant_types(documents, &place, payload.as_ref()));
    names.dedup();
    // Members of the message itself go before those of its traits.
    let bindings: Vec<Place<'a>> = [&place]
        .into_iter()
        .chain(&traits)
        .filter_map(|place| kafka(documents, place))
        .collect();
    let binding = |name: &str| {
        bindings
            .iter()
            .find_map(|b| b.text(name))
            .map(str::to_owned)
    };
    let key = bindings.iter().find_map(|b| b.member("key"));
    Ok(Message {
        names,
        payload,
        key: key.map(|key| schema(documents, key, None)),
        hints: Hints {
            content_type: text("contentType")
                .or(default_content_type)
                .map(str::to_owned),
            schema_id_location: binding("schemaIdLocation"),
            schema_id_payload_encoding: binding("schemaIdPayloadEncoding"),
            schema_lookup_strategy: binding("schemaLookupStrategy"),
        },
    })
}

fn kafka<'a>(documents: &'a Documents, place: &Place<'a>) -> Option<Place<'a>> {
    let bindings = documents.follow(place.member("bindings")?).ok()?;
    documents.follow(bindings.member("kafka")?).ok()
}

fn traits<'a>(documents: &'a Documents, message: &Place<'a>) -> Result<Vec<Place<'a>>, String> {
    let Some(list) = message.member("traits") else {
        return Ok(Vec::new());
    };
    list.members()
        .into_iter()
        .map(|(_, one)| documents.follow(one))
        .collect()
}

/// The message with its traits, by JSON Merge Patch (RFC 7396), without what only schemas are.
/// In version 2 the last trait wins, since version 3 the message itself does.
fn merge(message: &Place<'_>, traits: &[Place<'_>], version: u8) -> Value {
    let own = without_schemas(message.value);
    let mut merged = Value::Object(Map::new());
    if version < 3 {
        patch(&mut merged, &own);
    }
    for one in traits {
        patch(&mut merged, &without_schemas(one.value));
    }
    if version >= 3 {
        patch(&mut merged, &own);
    }
    merged
}

fn without_schemas(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    let small = members.filter(|(name, _)| {
        !matches!(
            name.as_str(),
            "payload" | "examples" | "traits" | "headers" | "bindings"
        )
    });
    Value::Object(small.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// RFC 7396, section 2. The depth is the parser's.
fn patch(target: &mut Value, by: &Value) {
    let Value::Object(changes) = by else {
        by.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(members) = target {
        for (name, change) in changes {
            if change.is_null() {
                members.shift_remove(name);
            } else {
                patch(members.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

fn extensions(message: &Value) -> impl Iterator<Item = String> {
    let members = message.as_object().into_iter().flatten();
    let own = members.filter(|(name, _)| name.starts_with("x-"));
    own.filter_map(|(_, value)| value.as_str().map(str::to_owned))
}

/// Types that the schemas of headers or payload fix: CloudEvents' and those that people call so.
fn constant_types(
    documents: &Documents,
    message: &Place<'_>,
    payload: Option<&Result<Payload<'_>, String>>,
) -> Vec<String> {
    let headers = message
        .member("headers")
        .and_then(|h| documents.follow(h).ok());
    let payload = payload
        .and_then(|p| p.as_ref().ok())
        .map(|p| p.place.clone());
    let mut found = Vec::new();
    for schema in [headers, payload].into_iter().flatten() {
        for name in ["ce_type", "ce-type", "type", "eventType", "event_type"] {
            let property = schema.member("properties").and_then(|p| p.member(name));
            let Some(property) = property.and_then(|p| documents.follow(p).ok()) else {
                continue;
            };
            let only = match property.value.get("enum").and_then(Value::as_array) {
                Some(list) if list.len() == 1 => list.first(),
                _ => property.value.get("const"),
            };
            found.extend(only.and_then(Value::as_str).map(str::to_owned));
        }
    }
    found
}

/// A schema, or version 3's object of format and schema.
fn schema<'a>(
    documents: &'a Documents,
    place: Place<'a>,
    format: Option<&str>,
) -> Result<Payload<'a>, String> {
    let mut place = documents.follow(place)?;
    let mut format = format;
    if let (Some(own), Some(inner)) = (place.text("schemaFormat"), place.member("schema")) {
        format = Some(own);
        place = documents.follow(inner)?;
    }
    let (language, draft) = language(format.unwrap_or_default())?;
    Ok(Payload {
        place,
        language,
        draft,
    })
}

/// What a `schemaFormat` means; nothing is AsyncAPI's own, a superset of draft 7.
fn language(format: &str) -> Result<(Language, &'static str), String> {
    let lower = format.to_ascii_lowercase();
    let draft = [
        ("draft-04", "http://json-schema.org/draft-04/schema#"),
        ("draft-06", "http://json-schema.org/draft-06/schema#"),
        ("2019-09", "https://json-schema.org/draft/2019-09/schema"),
        ("2020-12", "https://json-schema.org/draft/2020-12/schema"),
        (
            "vnd.oai.openapi;version=3.1",
            "https://json-schema.org/draft/2020-12/schema",
        ),
        (
            "vnd.oai.openapi+json;version=3.1",
            "https://json-schema.org/draft/2020-12/schema",
        ),
        (
            "vnd.oai.openapi+yaml;version=3.1",
            "https://json-schema.org/draft/2020-12/schema",
        ),
    ];
    if let Some((_, draft)) = draft.iter().find(|(name, _)| lower.contains(name)) {
        return Ok((Language::Json, draft));
    }
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if lower.is_empty() || any(&["asyncapi", "schema+json", "schema+yaml"]) {
        Ok((Language::Json, DRAFT_7))
    } else if any(&["avro"]) {
        Ok((Language::Avro, DRAFT_7))
    } else if any(&["protobuf"]) {
        Ok((Language::Protobuf, DRAFT_7))
    } else {
        let format: String = format.chars().take(80).collect();
        Err(format!("schemas of the format {format} are not read"))
    }
}
