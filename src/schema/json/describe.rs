//! What a schema says, as a flat list: each path that events may have and what stands there.

use serde_json::Value;

use super::documents::Documents;
use super::index::{Index, Scope, address};
use crate::schema::{SchemaError, Source};

/// Paths that are listed at most.
const MOST_PATHS: usize = 2000;
/// Subschemas that are looked at for them.
const MOST_WORK: usize = 50_000;
/// How deep paths are.
const DEEPEST: usize = 32;
/// Values of an `enum` that are named.
const MOST_VALUES: usize = 8;

/// The paths of a schema in its order, each with its type in words, such as `("/data/items/*/qty",
/// "integer")`. `*` is any element or any further member. What is not required is `optional`;
/// what comes again inside itself is `recursive` and not followed. At most 2000.
///
/// Errors: a schema that cannot be read.
pub fn describe(source: &Source) -> Result<Vec<(String, String)>, SchemaError> {
    let documents = Documents::read(source)?;
    let index = Index::new(&documents);
    let mut walk = Walk {
        index: &index,
        rows: Vec::new(),
        above: Vec::new(),
        work: MOST_WORK,
    };
    let (scope, root) = index.root();
    walk.schema(scope, root, "", false);
    Ok(walk.rows.into_iter().map(Row::into_words).collect())
}

/// A path, with all that the schemas which hold there say.
struct Row {
    path: String,
    words: Vec<String>,
    optional: bool,
}

impl Row {
    fn into_words(self) -> (String, String) {
        let mut words = if self.words.is_empty() {
            "anything".to_owned()
        } else {
            self.words.join(" or ")
        };
        if self.optional {
            words.push_str(", optional");
        }
        (self.path, words)
    }
}

struct Walk<'i, 'a> {
    index: &'i Index<'a>,
    rows: Vec<Row>,
    /// The schemas that lead here, by address.
    above: Vec<usize>,
    work: usize,
}

impl<'a> Walk<'_, 'a> {
    fn schema(&mut self, scope: Scope, schema: &'a Value, path: &str, optional: bool) {
        let known = self.rows.iter().position(|row| row.path == path);
        if self.work == 0 || known.is_none() && self.rows.len() >= MOST_PATHS {
            return;
        }
        self.work -= 1;
        let at = known.unwrap_or_else(|| self.place_for(path));
        if known.is_none() {
            let row = Row {
                path: path.to_owned(),
                words: Vec::new(),
                optional,
            };
            self.rows.insert(at, row);
        }
        let recursive = self.above.contains(&address(schema));
        let said = if recursive {
            Some("recursive".to_owned())
        } else {
            words(schema)
        };
        if let (Some(row), Some(said)) = (self.rows.get_mut(at), said) {
            row.optional &= optional;
            if !row.words.contains(&said) {
                row.words.push(said);
            }
        }
        if recursive || self.above.len() >= 2 * DEEPEST || path.matches('/').count() >= DEEPEST {
            return;
        }
        self.above.push(address(schema));
        let scope = self.index.enter(scope, schema);
        self.members(scope, schema, path);
        self.elements(scope, schema, path);
        self.in_place(scope, schema, path, optional);
        self.above.pop();
    }

    /// After all that is below the same path.
    fn place_for(&self, path: &str) -> usize {
        let (above, _) = path.rsplit_once('/').unwrap_or_default();
        let is_below = |row: &Row| {
            let rest = row.path.strip_prefix(above);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.rows
            .iter()
            .rposition(is_below)
            .map_or(0, |last| last + 1)
    }

    /// What holds for the same value.
    fn in_place(&mut self, scope: Scope, schema: &'a Value, path: &str, optional: bool) {
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let reference = schema.get(keyword).and_then(Value::as_str);
            let found = reference.and_then(|reference| self.index.resolve(scope, reference));
            if let Some((scope, schema)) = found {
                self.schema(scope, schema, path, optional);
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let list = schema.get(keyword).and_then(Value::as_array);
            for schema in list.into_iter().flatten() {
                self.schema(scope, schema, path, optional);
            }
        }
        for keyword in ["then", "else"] {
            if let Some(schema) = schema.get(keyword) {
                self.schema(scope, schema, path, optional);
            }
        }
    }

    fn members(&mut self, scope: Scope, schema: &'a Value, path: &str) {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
            self.schema(scope, schema, &path, !is_required(name));
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let further = patterns.into_iter().flat_map(|patterns| patterns.values());
        for schema in further.chain(schema.get("additionalProperties")) {
            if schema.is_object() {
                self.schema(scope, schema, &format!("{path}/*"), true);
            }
        }
    }

    fn elements(&mut self, scope: Scope, schema: &'a Value, path: &str) {
        let items = schema.get("items");
        let list = items.and_then(Value::as_array);
        let list = list.or_else(|| schema.get("prefixItems")?.as_array());
        for (index, schema) in list.into_iter().flatten().enumerate() {
            self.schema(scope, schema, &format!("{path}/{index}"), false);
        }
        for schema in items.into_iter().chain(schema.get("additionalItems")) {
            if schema.is_object() {
                self.schema(scope, schema, &format!("{path}/*"), false);
            }
        }
    }
}

/// What the keywords of one schema say of the value; nothing when they do not.
fn words(schema: &Value) -> Option<String> {
    if *schema == Value::Bool(false) {
        return Some("nothing".to_owned());
    }
    if let Some(value) = schema.get("const") {
        return Some(value.to_string());
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let named = values.iter().take(MOST_VALUES).map(Value::to_string);
        let more = (values.len() > MOST_VALUES).then(|| "…".to_owned());
        let named: Vec<String> = named.chain(more).collect();
        return Some(named.join(" | "));
    }
    let mut words = match schema.get("type")? {
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        name => name.as_str()?.to_owned(),
    };
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        words = format!("{words} ({format})");
    }
    for (keyword, sign) in [
        ("minimum", "≥"),
        ("exclusiveMinimum", ">"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "<"),
        ("minLength", "length ≥"),
        ("maxLength", "length ≤"),
        ("minItems", "items ≥"),
        ("maxItems", "items ≤"),
    ] {
        if let Some(bound) = schema.get(keyword).filter(|bound| bound.is_number()) {
            words = format!("{words} {sign} {bound}");
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Language;

    fn rows(text: &str) -> Vec<(String, String)> {
        let source = Source {
            language: Language::Json,
            text: text.to_owned(),
            references: Vec::new(),
        };
        describe(&source).unwrap()
    }

    #[test]
    fn paths_come_in_order_with_types_bounds_and_what_is_optional() {
        let rows = rows(
            r##"{"type":"object","required":["id","data"],"properties":{
                "id":{"type":"string","format":"uuid"},
                "kind":{"enum":["a","b"]},
                "data":{"$ref":"#/$defs/data"}},
              "allOf":[{"if":{"properties":{"kind":{"const":"a"}}},
                "then":{"properties":{"data":{"properties":{"extra":{"type":["integer","null"]}}}}}}],
              "$defs":{"data":{"type":"object","required":["items"],"properties":{
                "items":{"type":"array","minItems":1,"items":{"type":"number","exclusiveMinimum":0}},
                "a/b":{}},"additionalProperties":{"type":"string"}}}}"##,
        );
        let rows: Vec<_> = rows
            .iter()
            .map(|(path, what)| (path.as_str(), what.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                ("", "object"),
                ("/id", "string (uuid)"),
                ("/kind", "\"a\" | \"b\", optional"),
                ("/data", "object"),
                ("/data/items", "array items ≥ 1"),
                ("/data/items/*", "number > 0"),
                ("/data/a~1b", "anything, optional"),
                ("/data/*", "string, optional"),
                ("/data/extra", "integer or null, optional"),
            ]
        );
    }

    #[test]
    fn what_is_inside_itself_is_named_once() {
        let rows = rows(
            r##"{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}}}"##,
        );
        let last = rows.last().unwrap();
        assert_eq!((last.0.as_str(), last.1.as_str()), ("/kids/*", "recursive"));
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn hostile_schemas_are_described_in_part() {
        let all: Vec<String> = (0..30)
            .map(|i| format!(r##""p{i}":{{"$ref":"#/$defs/d{i}"}}"##))
            .collect();
        let all = all.join(",");
        let defs: Vec<String> = (0..30)
            .map(|i| format!(r#""d{i}":{{"properties":{{{all}}}}}"#))
            .collect();
        let text = format!(
            r##"{{"$ref":"#/$defs/d0","$defs":{{{}}}}}"##,
            defs.join(",")
        );
        assert_eq!(rows(&text).len(), MOST_PATHS);
    }
}
