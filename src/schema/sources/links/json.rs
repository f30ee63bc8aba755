//! The documents that a JSON Schema names with `$ref`. Names are given as a validator asks for
//! them: absolute where `$id` makes them so, else relative to the folder of the root document.

use serde_json::Value;

use super::{Gathered, Shelf, parse};
use crate::schema::sources::uri;
use crate::schema::{Reference, SchemaError};

/// Everything that the document names, in turn what that names, and so on. What the shelf does not
/// have is left out: it may be one of the drafts' own, and whoever compiles the schema tells.
pub(in crate::schema::sources) fn references(
    root: &Value,
    root_path: &str,
    shelf: &dyn Shelf,
) -> Result<Vec<Reference>, SchemaError> {
    let mut gathered = Gathered::default();
    gathered.is_new(root_path);
    let own = base_of(root, root_path);
    gathered.is_new(&own);
    let mut waiting = links(root, root_path, root_path);
    while let Some(link) = waiting.pop() {
        if !gathered.is_new(&link.target) {
            continue;
        }
        let Some((path, text)) = look_up(&link, shelf)? else {
            continue;
        };
        let named = |why: SchemaError| SchemaError(format!("{path}: {why}"));
        let document = parse(&text).map_err(named)?;
        waiting.extend(links(&document, &link.target, &path));
        let name = if uri::is_absolute(&link.target) {
            link.target
        } else {
            uri::relative(root_path, &link.target)
        };
        gathered.push(name, text)?;
    }
    Ok(gathered.into_list())
}

/// One `$ref`.
struct Link {
    /// What it means, without the fragment.
    target: String,
    /// The same by the paths of files, whatever `$id` says.
    path: Option<String>,
}

/// By the name that a document has given itself, else by where it lies.
fn look_up(link: &Link, shelf: &dyn Shelf) -> Result<Option<(String, String)>, SchemaError> {
    if let Some(found) = shelf.named(&link.target) {
        return Ok(Some(found));
    }
    for path in link.path.iter().cloned().chain(mirrored(&link.target)) {
        if let Some(text) = shelf.at(&path) {
            return Ok(Some((path, text?)));
        }
    }
    Ok(None)
}

/// Where a mirror of the web keeps a document: `HOST:PORT/PATH`, as `wget -x` writes it, or without
/// the port, where files cannot have a colon; with `.json` added where the path has no such ending.
fn mirrored(uri: &str) -> Vec<String> {
    let after = ["http://", "https://"]
        .iter()
        .find_map(|scheme| uri.strip_prefix(scheme));
    let Some((host, path)) = after.and_then(|after| after.split_once('/')) else {
        return Vec::new();
    };
    // A login is no part of the place, and nothing may lead out of the folder of the host.
    let climbs = |part: &str| matches!(part, "" | "." | "..") || part.contains('\\');
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if climbs(host) || path.split('/').any(climbs) {
        return Vec::new();
    }
    let ending = match path.rsplit_once('.') {
        Some((_, "json")) => "",
        _ => ".json",
    };
    let mut paths = vec![format!("{host}/{path}{ending}")];
    if let Some((name, _)) = host.rsplit_once(':').filter(|(name, _)| !climbs(name)) {
        paths.push(format!("{name}/{path}{ending}"));
    }
    paths
}

/// The URI by which a document calls itself, or that by which it was found.
fn base_of(document: &Value, found_by: &str) -> String {
    match own_id(document, is_draft4(document)) {
        Some(id) => uri::join(found_by, id),
        None => found_by.to_owned(),
    }
}

/// Every URI by which the document or a part of it calls itself.
pub(in crate::schema::sources) fn ids(document: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(
        document,
        path,
        is_draft4(document),
        &mut |value, base, draft4| {
            if own_id(value, draft4).is_some() {
                found.push(base.to_owned());
            }
        },
    );
    found
}

/// True when the document names another one that is not one of the drafts' own.
pub(in crate::schema::sources) fn names_others(document: &Value) -> bool {
    let links = links(document, "root", "root");
    let draft = |link: &Link| link.target.contains("://json-schema.org/");
    links
        .iter()
        .any(|link| link.target != "root" && !draft(link))
}

fn links(document: &Value, found_by: &str, path: &str) -> Vec<Link> {
    let mut found = Vec::new();
    walk(
        document,
        found_by,
        is_draft4(document),
        &mut |value, base, _| {
            for keyword in ["$ref", "$dynamicRef", "$recursiveRef", "$schema"] {
                let Some(reference) = value.get(keyword).and_then(Value::as_str) else {
                    continue;
                };
                let bare = uri::without_fragment(reference);
                if bare.is_empty() {
                    continue;
                }
                found.push(Link {
                    target: uri::join(base, bare),
                    path: (!uri::is_absolute(bare)).then(|| uri::join(path, bare)),
                });
            }
        },
    );
    found
}

fn is_draft4(document: &Value) -> bool {
    let schema = document.get("$schema").and_then(Value::as_str);
    schema.is_some_and(|uri| uri.contains("draft-04") || uri.contains("draft-03"))
}

/// `$id`, in draft 4 `id`; a mere fragment names a place, not a document.
fn own_id(value: &Value, draft4: bool) -> Option<&str> {
    let id = value.get(if draft4 { "id" } else { "$id" })?.as_str()?;
    (!uri::without_fragment(id).is_empty()).then_some(id)
}

/// Members of these are schemas under names that the author chose.
const NAMED: &[&str] = &[
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// Visits every object that can be a schema with the base URI in force there. The depth is the
/// parser's.
fn walk(value: &Value, base: &str, draft4: bool, visit: &mut dyn FnMut(&Value, &str, bool)) {
    match value {
        Value::Array(items) => {
            for item in items {
                walk(item, base, draft4, visit);
            }
        }
        Value::Object(members) => {
            let own = own_id(value, draft4).map(|id| uri::join(base, id));
            let base = own.as_deref().unwrap_or(base);
            visit(value, base, draft4);
            for (name, inner) in members {
                match (name.as_str(), inner) {
                    // These hold data, not schemas.
                    ("enum" | "const" | "default" | "examples", _) => {}
                    (name, Value::Object(schemas)) if NAMED.contains(&name) => {
                        for schema in schemas.values() {
                            walk(schema, base, draft4, visit);
                        }
                    }
                    _ => walk(inner, base, draft4, visit),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    struct Files(BTreeMap<&'static str, Value>);

    impl Shelf for Files {
        fn at(&self, path: &str) -> Option<Result<String, SchemaError>> {
            Some(Ok(self.0.get(path)?.to_string()))
        }

        fn named(&self, name: &str) -> Option<(String, String)> {
            let found = self
                .0
                .iter()
                .find(|(path, doc)| ids(doc, path).contains(&name.to_owned()));
            found.map(|(path, doc)| ((*path).to_owned(), doc.to_string()))
        }
    }

    fn names(files: &Files, path: &str) -> Vec<String> {
        let found = references(&files.0[path], path, files).unwrap();
        let mut names: Vec<String> = found.into_iter().map(|r| r.name).collect();
        names.sort();
        names
    }

    #[test]
    fn references_are_followed_by_path_seen_from_the_root() {
        let files = Files(BTreeMap::from([
            (
                "orders/placed.json",
                json!({"properties": {"a": {"$ref": "../common/a.json#/x"}}}),
            ),
            ("common/a.json", json!({"x": {"$ref": "b.json"}})),
            ("common/b.json", json!({"$ref": "a.json#/y"})),
            ("b.json", json!({})),
        ]));
        assert_eq!(
            names(&files, "orders/placed.json"),
            ["../common/a.json", "../common/b.json"]
        );
    }

    #[test]
    fn an_id_makes_references_absolute_and_is_found_by_id_or_by_file() {
        let files = Files(BTreeMap::from([
            (
                "orders.json",
                json!({"$id": "https://acme.example/orders.json",
                       "allOf": [{"$ref": "money.json"}, {"$ref": "part.json"},
                                 {"$ref": "#/definitions/x"},
                                 {"$ref": "http://json-schema.org/draft-07/schema#"}]}),
            ),
            (
                "other/name.json",
                json!({"$id": "https://acme.example/money.json", "$ref": "deep.json"}),
            ),
            ("part.json", json!({})),
            ("other/deep.json", json!({"$ref": "orders.json"})),
        ]));
        assert_eq!(
            names(&files, "orders.json"),
            [
                "https://acme.example/deep.json",
                "https://acme.example/money.json",
                "https://acme.example/part.json"
            ]
        );
    }

    #[test]
    fn what_lies_on_the_web_is_found_in_a_mirror_of_it() {
        let files = Files(BTreeMap::from([
            (
                "orders.json",
                json!({"allOf": [{"$ref": "http://acme.example:8080/a/money.json#/x"},
                                 {"$ref": "https://acme.example/part"},
                                 {"$ref": "http://h/../secret.json"},
                                 {"$ref": "http://../secret.json"},
                                 {"$ref": "http://h//secret.json"}]}),
            ),
            (
                "acme.example:8080/a/money.json",
                json!({"$ref": "unit.json"}),
            ),
            ("acme.example/a/unit.json", json!({"$ref": "/part.json"})),
            ("acme.example/part.json", json!({})),
            ("secret.json", json!({})),
        ]));
        assert_eq!(
            names(&files, "orders.json"),
            [
                "http://acme.example:8080/a/money.json",
                "http://acme.example:8080/a/unit.json",
                "http://acme.example:8080/part.json",
                "https://acme.example/part",
            ]
        );
    }

    #[test]
    fn what_is_data_names_nothing() {
        let files = Files(BTreeMap::from([
            (
                "a.json",
                json!({"const": {"x": {"$ref": "b.json"}}, "enum": [{"$ref": "b.json"}],
                       "properties": {"const": {"not": {"$ref": "c.json"}}}}),
            ),
            ("b.json", json!({})),
            ("c.json", json!({})),
        ]));
        assert_eq!(names(&files, "a.json"), ["c.json"]);
    }

    #[test]
    fn a_chain_without_end_is_refused() {
        struct Endless;
        impl Shelf for Endless {
            fn at(&self, path: &str) -> Option<Result<String, SchemaError>> {
                Some(Ok(json!({"$ref": format!("x{path}")}).to_string()))
            }
            fn named(&self, _: &str) -> Option<(String, String)> {
                None
            }
        }
        let error = references(&json!({"$ref": "a"}), "root", &Endless).unwrap_err();
        assert!(error.0.contains("200"), "{error}");
    }
}
