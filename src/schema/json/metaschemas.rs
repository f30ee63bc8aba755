//! The schemas that the drafts are described by. The library has them all, but shows a schema only
//! those of its own draft; a schema may refer to the others too.

use jsonschema::{Draft, Registry, uri};
use serde_json::Value;

use super::documents::Documents;
use crate::schema::SchemaError;

/// Names of each draft's, by their beginning and their ends.
const METASCHEMAS: &[(Draft, &str, &[&str])] = &[
    (
        Draft::Draft4,
        "http://json-schema.org/draft-04/",
        &["schema"],
    ),
    (
        Draft::Draft6,
        "http://json-schema.org/draft-06/",
        &["schema"],
    ),
    (
        Draft::Draft7,
        "http://json-schema.org/draft-07/",
        &["schema"],
    ),
    (
        Draft::Draft201909,
        "https://json-schema.org/draft/2019-09/",
        &[
            "schema",
            "meta/applicator",
            "meta/content",
            "meta/core",
            "meta/format",
            "meta/meta-data",
            "meta/validation",
        ],
    ),
    (
        Draft::Draft202012,
        "https://json-schema.org/draft/2020-12/",
        &[
            "schema",
            "meta/applicator",
            "meta/content",
            "meta/core",
            "meta/format-annotation",
            "meta/meta-data",
            "meta/unevaluated",
            "meta/validation",
        ],
    ),
];

/// The metaschemas that the documents refer to and the library would not show them; `None` when
/// there are none.
pub(super) fn referred_to(documents: &Documents) -> Result<Option<Registry<'static>>, SchemaError> {
    let own = Draft::default().detect(documents.root());
    if METASCHEMAS.iter().all(|(draft, ..)| *draft != own) {
        // With a metaschema of its own the library looks for everything itself.
        return Ok(None);
    }
    let mut found = Registry::new().draft(own);
    let mut any = false;
    for (draft, start, ends) in METASCHEMAS {
        if *draft == own || !refers_to(documents, start) {
            continue;
        }
        any = true;
        for end in *ends {
            let name = format!("{start}{end}");
            let Some(schema) = metaschema(*draft, &name) else {
                continue;
            };
            found = found.add(name, schema).map_err(|error| unusable(&error))?;
        }
    }
    if !any {
        return Ok(None);
    }
    found.prepare().map(Some).map_err(|error| unusable(&error))
}

fn unusable(error: &jsonschema::ReferencingError) -> SchemaError {
    SchemaError(format!("a metaschema is of no use: {error}"))
}

/// Whether some `$ref` begins so.
fn refers_to(documents: &Documents, start: &str) -> bool {
    let mut pending: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => {
                let to = members.get("$ref").and_then(Value::as_str);
                if to.is_some_and(|to| to.starts_with(start)) {
                    return true;
                }
                pending.extend(members.values());
            }
            _ => {}
        }
    }
    false
}

fn metaschema(draft: Draft, name: &str) -> Option<Value> {
    // They are there for those who refer to one.
    let referring = draft.create_resource(serde_json::json!({ "$ref": name }));
    let registry = Registry::new()
        .draft(draft)
        .add("json-schema:///", referring);
    let registry = registry.ok()?.prepare().ok()?;
    let resolver = registry.resolver(uri::from_str(name).ok()?);
    let found = resolver.lookup(name).ok()?;
    Some(found.contents().clone())
}
