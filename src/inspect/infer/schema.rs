//! From what was seen to a JSON Schema.

use serde_json::{Map, Value, json};

use super::Known;
use super::shape::{Member, Scalars, Shape, Shapes};

/// The dialect of the schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one topic and type.
pub(super) fn document(topic: &str, kind: &str, known: &Known) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!(DIALECT));
    let title = if kind.is_empty() { topic } else { kind };
    schema.insert("title".to_owned(), json!(title));
    let said = format!("inferred from {} events of {topic}", known.events);
    schema.insert("$comment".to_owned(), json!(said));
    if let Some(root) = known.shapes.get(0) {
        write(&mut schema, &known.shapes, root);
    }
    Value::Object(schema)
}

/// Writes what the values of a place are. Recurses as deep as the tree is, which is bounded.
fn write(schema: &mut Map<String, Value>, shapes: &Shapes, shape: &Shape) {
    if shape.anything {
        return;
    }
    let types = types(shape);
    match types.as_slice() {
        [] => {}
        [one] => _ = schema.insert("type".to_owned(), json!(one)),
        several => _ = schema.insert("type".to_owned(), json!(several)),
    }
    if shape.scalars.has(Scalars::STRING)
        && let Some(format) = shape.formats.name()
    {
        schema.insert("format".to_owned(), json!(format));
    }
    if let Some(items) = shape.items {
        schema.insert("items".to_owned(), of(shapes, items));
    }
    if shape.objects > 0 {
        members(schema, shapes, shape);
    }
}

fn types(shape: &Shape) -> Vec<&'static str> {
    let scalars = shape.scalars;
    let number = scalars.has(Scalars::NUMBER);
    [
        (scalars.has(Scalars::NULL), "null"),
        (scalars.has(Scalars::BOOLEAN), "boolean"),
        (scalars.has(Scalars::INTEGER) && !number, "integer"),
        (number, "number"),
        (scalars.has(Scalars::STRING), "string"),
        (shape.is_array, "array"),
        (shape.objects > 0, "object"),
    ]
    .into_iter()
    .filter_map(|(seen, name)| seen.then_some(name))
    .collect()
}

/// The schema of the values of a place.
fn of(shapes: &Shapes, place: usize) -> Value {
    let mut schema = Map::new();
    if let Some(shape) = shapes.get(place) {
        write(&mut schema, shapes, shape);
    }
    Value::Object(schema)
}

fn members(schema: &mut Map<String, Value>, shapes: &Shapes, shape: &Shape) {
    // Where the names are data, those that few objects have are no fields.
    let is_data = |member: &Member| shape.rest.is_some() && member.count * 2 < shape.objects;
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, member) in shape.members.iter().filter(|(_, m)| !is_data(m)) {
        properties.insert(name.to_string(), of(shapes, member.place));
        if member.count == shape.objects {
            required.push(json!(name));
        }
    }
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    if let Some(rest) = shape.rest {
        let data = shape.members.values().filter(|m| is_data(m));
        let mut all = Shapes::default();
        if let Some(root) = all.root(usize::MAX) {
            let places = data.map(|member| member.place).chain([rest]);
            places.for_each(|place| all.absorb(root, shapes, place, usize::MAX));
            schema.insert("additionalProperties".to_owned(), of(&all, root));
        }
    }
}
