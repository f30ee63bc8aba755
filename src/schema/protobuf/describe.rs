//! The fields of a message as a list of paths, for people to look at.

use super::table::{Field, Label, Message};
use super::{MessageId, Protobuf};

/// Levels of messages in messages; what is declared deeper is seldom what is looked for.
const LEVELS: usize = 8;
/// Paths of one list.
const MOST: usize = 2000;

/// The fields of a message and of those in it, in the order of the schema: a path as filters write
/// it (`.items[].price`, `.labels["…"]`), and the type with its label. A message in itself is
/// listed once; 2,000 paths and 8 levels at most.
pub fn describe(schema: &Protobuf, message: MessageId) -> Vec<(String, String)> {
    let mut list = List {
        schema,
        around: Vec::new(),
        paths: Vec::new(),
    };
    list.message(message.0, "");
    list.paths
}

struct List<'a> {
    schema: &'a Protobuf,
    /// The messages that the present one is in.
    around: Vec<u32>,
    paths: Vec<(String, String)>,
}

impl List<'_> {
    fn message(&mut self, id: u32, path: &str) {
        let schema = self.schema;
        let Some(message) = schema.table.message(id) else {
            return;
        };
        if self.around.len() >= LEVELS || self.around.contains(&id) {
            return;
        }
        self.around.push(id);
        for field in &message.fields {
            self.field(message, field, path);
        }
        self.around.pop();
    }

    fn field(&mut self, message: &Message, field: &Field, path: &str) {
        if self.paths.len() >= MOST {
            return;
        }
        let table = &self.schema.table;
        let name = match &*field.name {
            name if field.is_extension => format!("{path}[\"{name}\"]"),
            name => format!("{path}.{name}"),
        };
        let mut kind = field.kind.name(table).to_owned();
        let mut inner = field.kind.message();
        let mut below = name.clone();
        match field.label {
            Label::Implicit => {}
            Label::Optional => {
                let oneof = field.oneof.and_then(|o| message.oneofs.get(o as usize));
                match oneof {
                    Some(oneof) => kind.extend([", one of ", oneof]),
                    None if inner.is_none() => kind.insert_str(0, "optional "),
                    None => {}
                }
            }
            Label::Required => kind.insert_str(0, "required "),
            Label::Repeated => {
                kind.insert_str(0, "repeated ");
                below += "[]";
            }
            Label::Map => {
                let entry = inner.and_then(|id| table.message(id));
                if let Some([key, value, ..]) = entry.map(|entry| &*entry.fields) {
                    let (key, to) = (key.kind.name(table), value.kind.name(table));
                    kind = format!("map<{key}, {to}>");
                    inner = value.kind.message();
                    below += "[\"…\"]";
                }
            }
        }
        self.paths.push((name, kind));
        let special = inner.and_then(|id| table.message(id)?.special);
        if let (Some(id), None) = (inner, special) {
            self.message(id, &below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::compile;
    use super::*;

    #[test]
    fn fields_are_listed_with_their_paths_and_types() {
        let schema = compile(
            "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";
             message Order {
               string id = 1; optional int32 n = 2; repeated Item items = 3;
               map<string, Item> by = 4; google.protobuf.Timestamp at = 5;
               oneof pay { string card = 6; Item gift = 7; } Order parent = 8; State state = 9;
             }
             message Item { sint64 price = 1; }
             enum State { NEW = 0; }",
        );
        let message = schema.message_at(&[0]).unwrap();
        let listed = describe(&schema, message);
        let listed: Vec<String> = listed.iter().map(|(p, t)| format!("{p} {t}")).collect();
        assert_eq!(
            listed,
            [
                ".id string",
                ".n optional int32",
                ".items repeated Item",
                ".items[].price sint64",
                ".by map<string, Item>",
                ".by[\"…\"].price sint64",
                ".at google.protobuf.Timestamp",
                ".card string, one of pay",
                ".gift Item, one of pay",
                ".gift.price sint64",
                ".parent Order",
                ".state State",
            ]
        );
    }

    #[test]
    fn messages_that_hold_each_other_are_listed_a_bounded_number_of_times() {
        let mut text = "syntax = \"proto3\";".to_owned();
        for i in 0..30 {
            let fields = (0..30).map(|j| format!("M{j} f{j} = {};", j + 1));
            let fields: String = fields.collect();
            text.extend([format!("message M{i} {{ {fields} }}")]);
        }
        let schema = compile(&text);
        let message = schema.message_named("M0").unwrap();
        assert_eq!(describe(&schema, message).len(), MOST);
    }
}
