//! The text of a schema to its table of nodes.
//!
//! Our own walk over the JSON instead of `apache_avro::Schema::parse`, which panics on some valid
//! schemas (a record with an attribute `"size": 1.5` and a default that does not fit), copies
//! every type once for each of its aliases (70 KB of them take ten seconds), and compares
//! strictly where Java is lenient. This one takes time and memory in proportion to the text.
//!
//! As in Java's parser, attributes that are not known and logical types that do not fit are passed
//! over, and so is text that follows the schema. More lenient than it: a type may be named before it is defined, names may hold any
//! character, and defaults are not compared with their types, for the data does not depend on it.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::comments::without_comments;
use super::logical;
use super::names::{full_name, quoted, space_of};
use super::node::{Enum, Field, Fixed, Id, Named, Node, Record, Shape, Symbol, Table};
use crate::schema::{SchemaError, Source};
use crate::text::push_string;

/// Bytes of a schema with all that it refers to. The largest that are published have some 2 MB.
pub(super) const LARGEST: usize = 4 * 1024 * 1024;

type Parsed<T> = Result<T, SchemaError>;

/// Parses the text and what it refers to, and resolves every name.
///
/// The depth of the JSON is bounded by `serde_json`, which stops at 128 levels.
pub(super) fn parse(source: &Source) -> Parsed<Table> {
    let size = source
        .references
        .iter()
        .map(|r| r.text.len())
        .sum::<usize>()
        + source.text.len();
    if size > LARGEST {
        return Err(SchemaError(format!(
            "the schema has {size} bytes with what it refers to; {LARGEST} are taken"
        )));
    }
    let mut parser = Parser::default();
    let mut texts = HashSet::from([source.text.as_str()]);
    for reference in &source.references {
        if texts.insert(&reference.text) {
            parser
                .document(&reference.text)
                .map_err(|error| SchemaError(format!("in {}: {error}", quoted(&reference.name))))?;
        }
    }
    let root = parser.document(&source.text)?;
    parser.finish(root)
}

#[derive(Default)]
struct Parser {
    nodes: Vec<Node>,
    /// By full name; `true` once it is defined.
    named: HashMap<String, (Id, bool)>,
    /// Types without name, fields or logical type are there once.
    plain: [Option<Id>; 8],
}

const PLAIN: [(&str, Shape); 8] = [
    ("null", Shape::Null),
    ("boolean", Shape::Boolean),
    ("int", Shape::Int),
    ("long", Shape::Long),
    ("float", Shape::Float),
    ("double", Shape::Double),
    ("bytes", Shape::Bytes),
    ("string", Shape::String),
];

impl Parser {
    fn document(&mut self, text: &str) -> Parsed<Id> {
        let clean = without_comments(text);
        // Java's parser long ignored what follows, so registries hold schemas with such ends.
        let value = Value::deserialize(&mut serde_json::Deserializer::from_str(&clean))
            .map_err(|error| SchemaError(format!("the schema is not JSON: {error}")))?;
        self.any(&value, "")
    }

    /// A type in any of its forms, in a namespace.
    fn any(&mut self, value: &Value, space: &str) -> Parsed<Id> {
        match value {
            Value::String(name) => Ok(self.by_name(name, space)),
            Value::Array(branches) => self.union(branches, space),
            Value::Object(object) => self.object(object, space),
            _ => Err(SchemaError(
                "a type is a name, an object or an array".to_owned(),
            )),
        }
    }

    fn push(&mut self, node: Node) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    fn by_name(&mut self, name: &str, space: &str) -> Id {
        if let Some(id) = self.primitive(name) {
            return id;
        }
        let full = full_name(name, space);
        if let Some((id, _)) = self.named.get(&full) {
            return *id;
        }
        self.reserve(full, false)
    }

    fn primitive(&mut self, name: &str) -> Option<Id> {
        let at = PLAIN.iter().position(|(word, _)| *word == name)?;
        if let Some(id) = self.plain.get(at).copied().flatten() {
            return Some(id);
        }
        let id = self.push(Node::plain(shape_of(name)?));
        if let Some(place) = self.plain.get_mut(at) {
            *place = Some(id);
        }
        Some(id)
    }

    /// A place for a type that is defined now or later.
    fn reserve(&mut self, full: String, defined: bool) -> Id {
        let id = self.push(Node::plain(Shape::Null));
        self.named.insert(full, (id, defined));
        id
    }

    fn union(&mut self, branches: &[Value], space: &str) -> Parsed<Id> {
        let mut ids = Vec::with_capacity(branches.len());
        let mut seen = HashSet::new();
        for branch in branches {
            let id = self.any(branch, space)?;
            let shape = self.nodes.get(id.0 as usize).map(|node| &node.shape);
            let kind = match shape {
                Some(Shape::Union(_)) => {
                    return Err(SchemaError("a union holds another union".to_owned()));
                }
                // A name that is not defined yet has the shape of a null; its own id tells it.
                Some(shape) if shape.named().is_none() && !self.is_reserved(id) => Ok(shape.word()),
                _ => Err(id),
            };
            if !seen.insert(kind) {
                let what = kind.map_or_else(|_| name_in(branch), str::to_owned);
                return Err(SchemaError(format!(
                    "a union holds {} twice",
                    quoted(&what)
                )));
            }
            ids.push(id);
        }
        Ok(self.push(Node::plain(Shape::Union(ids))))
    }

    fn is_reserved(&self, id: Id) -> bool {
        let is_null = self
            .nodes
            .get(id.0 as usize)
            .is_some_and(|node| matches!(node.shape, Shape::Null));
        is_null && self.plain.first().copied().flatten() != Some(id)
    }

    fn object(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<Id> {
        let Some(kind) = object.get("type") else {
            return Err(SchemaError(
                "an object without `type` is no type".to_owned(),
            ));
        };
        let Value::String(kind) = kind else {
            return self.any(kind, space);
        };
        match kind.as_str() {
            "record" | "error" => self.record(object, space),
            "enum" => self.symbols(object, space),
            "fixed" => self.fixed(object, space),
            "array" => {
                let id = self.inner(object, "items", "an array", space)?;
                Ok(self.push(Node::plain(Shape::Array(id))))
            }
            "map" => {
                let id = self.inner(object, "values", "a map", space)?;
                Ok(self.push(Node::plain(Shape::Map(id))))
            }
            name => {
                let logical = shape_of(name).and_then(|shape| {
                    let logical = logical::of(object, &shape)?;
                    Some(Node {
                        shape,
                        logical: Some(logical),
                    })
                });
                Ok(match logical {
                    Some(node) => self.push(node),
                    None => self.by_name(name, space),
                })
            }
        }
    }

    fn inner(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        what: &str,
        space: &str,
    ) -> Parsed<Id> {
        let Some(inner) = object.get(key) else {
            return Err(SchemaError(format!("{what} has no `{key}`")));
        };
        self.any(inner, space)
    }

    /// Takes the name of a type that is defined here.
    fn define(
        &mut self,
        object: &Map<String, Value>,
        what: &str,
        space: &str,
    ) -> Parsed<(Id, Named)> {
        let Some(name) = text_of(object, "name").filter(|name| !name.is_empty()) else {
            return Err(SchemaError(format!("{what} has no `name`")));
        };
        let full = full_name(
            &name,
            object
                .get("namespace")
                .and_then(Value::as_str)
                .unwrap_or(space),
        );
        let id = match self.named.get_mut(&full) {
            Some((_, true)) => {
                return Err(SchemaError(format!("{} is defined twice", quoted(&full))));
            }
            Some((id, defined)) => {
                *defined = true;
                *id
            }
            None => self.reserve(full.clone(), true),
        };
        let aliases = texts(object, "aliases");
        let named = Named {
            aliases: aliases
                .iter()
                .map(|alias| full_name(alias, space_of(&full)))
                .collect(),
            doc: text_of(object, "doc"),
            full,
        };
        Ok((id, named))
    }

    fn fill(&mut self, id: Id, node: Node) -> Id {
        if let Some(place) = self.nodes.get_mut(id.0 as usize) {
            *place = node;
        }
        id
    }

    fn record(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<Id> {
        let (id, named) = self.define(object, "a record", space)?;
        let Some(Value::Array(list)) = object.get("fields") else {
            return Err(SchemaError(format!(
                "{} has no `fields`",
                quoted(&named.full)
            )));
        };
        let mut fields = Vec::with_capacity(list.len());
        let mut seen = HashSet::new();
        for field in list {
            let field = self.field(field, &named.full, fields.is_empty())?;
            if !seen.insert(field.name.clone()) {
                let (name, full) = (quoted(&field.name), quoted(&named.full));
                return Err(SchemaError(format!("{full} has the field {name} twice")));
            }
            fields.push(field);
        }
        let record = Record { named, fields };
        Ok(self.fill(id, Node::plain(Shape::Record(record))))
    }

    fn field(&mut self, field: &Value, of: &str, first: bool) -> Parsed<Field> {
        let object = field.as_object();
        let Some((object, name)) = object.and_then(|o| Some((o, text_of(o, "name")?))) else {
            return Err(SchemaError(format!(
                "a field of {} has no `name`",
                quoted(of)
            )));
        };
        let Some(kind) = object.get("type") else {
            let (name, of) = (quoted(&name), quoted(of));
            return Err(SchemaError(format!(
                "the field {name} of {of} has no `type`"
            )));
        };
        let mut lead = vec![if first { b'{' } else { b',' }];
        push_string(&mut lead, &name);
        lead.push(b':');
        Ok(Field {
            lead: lead.into(),
            id: self.any(kind, space_of(of))?,
            aliases: texts(object, "aliases"),
            doc: text_of(object, "doc"),
            default: object.get("default").map(Value::to_string),
            name,
        })
    }

    fn symbols(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<Id> {
        let (id, named) = self.define(object, "an enum", space)?;
        let full = quoted(&named.full);
        let Some(Value::Array(list)) = object.get("symbols") else {
            return Err(SchemaError(format!("{full} has no `symbols`")));
        };
        let mut symbols = Vec::with_capacity(list.len());
        let mut seen = HashSet::new();
        for symbol in list {
            let Value::String(name) = symbol else {
                return Err(SchemaError(format!("a symbol of {full} is no string")));
            };
            if !seen.insert(name) {
                return Err(SchemaError(format!("{full} has {} twice", quoted(name))));
            }
            let mut json = Vec::new();
            push_string(&mut json, name);
            symbols.push(Symbol {
                name: name.clone(),
                json: json.into(),
            });
        }
        let default = text_of(object, "default");
        if let Some(default) = default.as_ref().filter(|default| !seen.contains(default)) {
            let default = quoted(default);
            return Err(SchemaError(format!(
                "{full} has no symbol {default}, its default"
            )));
        }
        let one = Enum {
            named,
            symbols,
            default,
        };
        Ok(self.fill(id, Node::plain(Shape::Enum(one))))
    }

    fn fixed(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<Id> {
        let (id, named) = self.define(object, "a fixed", space)?;
        let size = match object.get("size") {
            Some(Value::Number(size)) => size.as_u64(),
            Some(Value::String(size)) => size.parse().ok(),
            _ => None,
        };
        let size = size.and_then(|size| i32::try_from(size).ok());
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            let full = quoted(&named.full);
            return Err(SchemaError(format!(
                "{full} has no `size` from 0 to 2147483647"
            )));
        };
        let shape = Shape::Fixed(Fixed { named, size });
        let logical = logical::of(object, &shape);
        Ok(self.fill(id, Node { shape, logical }))
    }

    /// Looks up what was named before it was defined. As in Java, a name that its namespace does
    /// not have may be one without a namespace.
    fn finish(mut self, root: Id) -> Parsed<Table> {
        let mut moved = HashMap::new();
        let mut missing: Vec<&String> = Vec::new();
        for (full, (id, defined)) in &self.named {
            if !defined {
                let short = full.rsplit('.').next().unwrap_or(full);
                match self.named.get(short) {
                    Some((instead, true)) => drop(moved.insert(*id, *instead)),
                    _ => missing.push(full),
                }
            }
        }
        if let Some(first) = missing.iter().min() {
            let first = quoted(first);
            return Err(SchemaError(format!(
                "{first} is defined neither in the schema nor in what it refers to"
            )));
        }
        let mut root = root;
        if !moved.is_empty() {
            let place = |id: &mut Id| *id = moved.get(id).copied().unwrap_or(*id);
            place(&mut root);
            for node in &mut self.nodes {
                match &mut node.shape {
                    Shape::Array(id) | Shape::Map(id) => place(id),
                    Shape::Union(ids) => ids.iter_mut().for_each(place),
                    Shape::Record(record) => {
                        record
                            .fields
                            .iter_mut()
                            .for_each(|field| place(&mut field.id));
                    }
                    _ => {}
                }
            }
        }
        Ok(Table {
            nodes: self.nodes,
            root,
        })
    }
}

fn shape_of(name: &str) -> Option<Shape> {
    PLAIN
        .into_iter()
        .find(|(word, _)| *word == name)
        .map(|(_, shape)| shape)
}

fn text_of(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn texts(object: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = object.get(key).and_then(Value::as_array);
    let list = list.into_iter().flatten().filter_map(Value::as_str);
    list.map(str::to_owned).collect()
}

/// What a branch of a union is called.
fn name_in(branch: &Value) -> String {
    let name = branch.as_str().or_else(|| branch.get("name")?.as_str());
    name.unwrap_or("a type").to_owned()
}
