//! Protobuf: messages are compared by name, their fields by number, with the rules of Confluent's
//! registry. What the encoding cannot carry over is a reason, and so is what only generated code
//! cannot: a message that is gone, a field that left its oneof. Names of fields and values of
//! enums are free to change.
//! <https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/serdes-protobuf.html>

use std::collections::{BTreeMap, HashSet};

use super::super::protobuf::Protobuf;
use super::super::protobuf::table::{Field, Kind, Label, Message, Table};
use super::super::{SchemaError, Source};
use super::Reason;
use crate::text::Visible;

/// Reasons that are listed.
const MOST_REASONS: usize = 1_000;

/// Why a reader with one schema cannot take what a writer with the other wrote; empty when it can.
/// Paths are messages and a field: `/Order/Item/price`. At most 1,000 reasons are listed.
///
/// # Errors
/// One of the two is no schema.
pub fn reasons(reader: &Source, writer: &Source) -> Result<Vec<Reason>, SchemaError> {
    let (reader, writer) = (Protobuf::compile(reader)?, Protobuf::compile(writer)?);
    Ok(between(&reader, &writer))
}

/// As [`reasons`], for schemas that are compiled.
pub fn between(reader: &Protobuf, writer: &Protobuf) -> Vec<Reason> {
    let mut compare = Compare {
        reader: &reader.table,
        writer: &writer.table,
        seen: HashSet::new(),
        told: HashSet::new(),
        reasons: Vec::new(),
    };
    compare.messages(&writer.table.roots, &reader.table.roots, &HashSet::new());
    compare.reasons
}

/// A comparison of two schemas.
struct Compare<'a> {
    reader: &'a Table,
    writer: &'a Table,
    /// Pairs of messages that were compared, or are being compared.
    seen: HashSet<(u32, u32)>,
    told: HashSet<(String, String)>,
    reasons: Vec<Reason>,
}

/// Both sides of a field.
struct Pair<'a> {
    writer: &'a Field,
    reader: &'a Field,
}

impl<'a> Compare<'a> {
    fn add(&mut self, path: String, what: String) {
        // A message that is used twice is told of once.
        let is_new = self.told.insert((path.clone(), what.clone()));
        if is_new && self.reasons.len() < MOST_REASONS {
            self.reasons.push(Reason { path, what });
        }
    }

    /// Compares messages declared at the same place. Those in `fields` belong to fields, with
    /// which they come and go.
    fn messages(&mut self, written: &[u32], read: &[u32], fields: &HashSet<u32>) {
        let reader = self.reader;
        let read: BTreeMap<&str, u32> = read
            .iter()
            .filter_map(|id| Some((reader.message(*id)?.local_name(), *id)))
            .collect();
        for id in written.iter().filter(|id| !fields.contains(id)) {
            let Some(message) = self.writer.message(*id).filter(|m| !m.is_entry) else {
                continue;
            };
            if let Some(other) = read.get(message.local_name()) {
                self.message(*id, *other);
                continue;
            }
            let name = Visible(message.local_name());
            let what = format!("the message {name} was removed");
            self.add(path(message), what);
        }
    }

    fn message(&mut self, written: u32, read: u32) {
        let sides = self.writer.message(written).zip(self.reader.message(read));
        let Some((writer, reader)) = sides.filter(|_| self.seen.insert((written, read))) else {
            return;
        };
        self.oneofs(writer, reader);
        let oneofs: HashSet<&str> = reader.oneofs.iter().map(|name| &**name).collect();
        let mut numbers: BTreeMap<u32, (Option<&Field>, Option<&Field>)> = BTreeMap::new();
        for field in &writer.fields {
            numbers.entry(field.number).or_default().0 = Some(field);
        }
        for field in &reader.fields {
            numbers.entry(field.number).or_default().1 = Some(field);
        }
        for sides in numbers.into_values() {
            match sides {
                (Some(field), None) => self.removed(writer, &oneofs, field),
                (None, Some(field)) if field.label == Label::Required => {
                    let what = "a required field was added: older data has it not";
                    self.add(at(reader, field), what.to_owned());
                }
                (Some(writer), Some(field)) => {
                    let at = at(reader, field);
                    let pair = Pair {
                        writer,
                        reader: field,
                    };
                    self.field(&pair, &at);
                }
                (None, _) => {}
            }
        }
        let groups = writer.fields.iter().filter_map(|field| match field.kind {
            Kind::Group(id) => Some(id),
            _ => None,
        });
        self.messages(&writer.children, &reader.children, &groups.collect());
    }

    fn oneofs(&mut self, writer: &Message, reader: &Message) {
        // How many members of each were alone before, and how many in a oneof.
        let mut before = vec![(0, 0); reader.oneofs.len()];
        for member in &reader.fields {
            let counts = member
                .oneof
                .and_then(|oneof| before.get_mut(oneof as usize));
            let written = writer.field(member.number);
            match counts.zip(written.map(|field| field.oneof)) {
                Some(((alone, _), None)) => *alone += 1,
                Some(((_, together), Some(_))) => *together += 1,
                None => {}
            }
        }
        for (name, (alone, together)) in reader.oneofs.iter().zip(before) {
            let name = Visible(name);
            let what = if alone > 1 {
                format!("{alone} fields that could be set together are now in the oneof {name}")
            } else if alone == 1 && together > 0 {
                format!("a field was moved into the oneof {name}, which others were in before")
            } else {
                continue;
            };
            self.add(path(reader), what);
        }
    }

    /// A field of the writer that the reader has not, which has these oneofs.
    fn removed(&mut self, writer: &Message, oneofs: &HashSet<&str>, field: &Field) {
        let oneof = field
            .oneof
            .and_then(|oneof| writer.oneofs.get(oneof as usize));
        let what = match oneof {
            Some(oneof) if oneofs.contains(&**oneof) => {
                let oneof = Visible(oneof);
                format!("was removed from the oneof {oneof}: what it held looks as if not set")
            }
            _ if field.label == Label::Required => "a required field was removed".to_owned(),
            _ => return,
        };
        self.add(at(writer, field), what);
    }

    fn field(&mut self, pair: &Pair<'a>, at: &str) {
        let Pair { writer, reader } = pair;
        let is_list = |field: &Field| field.label == Label::Repeated;
        let numeric = [writer, reader].iter().any(|field| {
            let class = class(field.kind);
            !matches!(class, Class::Text | Class::Message | Class::Group)
        });
        if is_list(writer) != is_list(reader) && numeric {
            let (was, is) = if is_list(writer) {
                ("repeated", "not repeated")
            } else {
                ("not repeated", "repeated")
            };
            let what = format!("was {was} and is {is}: lists of numbers are packed");
            self.add(at.to_owned(), what);
        }
        if reader.label == Label::Required && writer.label != Label::Required {
            let what = "is required and was not: data may be without it";
            self.add(at.to_owned(), what.to_owned());
        }
        self.kinds(pair, at);
    }

    fn kinds(&mut self, pair: &Pair<'a>, at: &str) {
        let Pair { writer, reader } = pair;
        let (was_map, is_map) = (writer.label == Label::Map, reader.label == Label::Map);
        let sides = writer.kind.message().zip(reader.kind.message());
        if was_map != is_map || class(writer.kind) != class(reader.kind) {
            let was = kind_name(writer, self.writer);
            let is = kind_name(reader, self.reader);
            self.add(at.to_owned(), format!("was {was} and is {is}"));
        } else if let Some((written, read)) = sides.filter(|_| was_map) {
            self.entries(written, read, at);
        } else if let Some((written, read)) = sides {
            let is_group = matches!(writer.kind, Kind::Group(_));
            self.types(written, read, is_group, at);
        }
    }

    /// Compares keys and values of maps.
    fn entries(&mut self, written: u32, read: u32, at: &str) {
        let fields = |table: &'a Table, id| table.message(id).map_or(&[][..], |m| &*m.fields);
        let pairs = fields(self.writer, written)
            .iter()
            .zip(fields(self.reader, read));
        for (writer, reader) in pairs {
            let at = format!("{at}/{}", reader.name);
            self.kinds(&Pair { writer, reader }, &at);
        }
    }

    /// Compares the types of a field that is a message on both sides.
    fn types(&mut self, written: u32, read: u32, is_group: bool, at: &str) {
        let sides = self.writer.message(written).zip(self.reader.message(read));
        let Some((writer, reader)) = sides else {
            return;
        };
        if writer.local_name() != reader.local_name() && !is_group {
            let (was, is) = (Visible(&writer.name), Visible(&reader.name));
            self.add(at.to_owned(), format!("was {was} and is {is}"));
        } else if is_group || !writer.is_own || !reader.is_own {
            // Those that the schemas declare themselves are compared where they stand.
            self.message(written, read);
        }
    }
}

/// Kinds with the same encoding and meaning: within a class a field may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Varint,
    Zigzag,
    Fixed32,
    Fixed64,
    Float,
    Double,
    Text,
    Message,
    Group,
}

const fn class(kind: Kind) -> Class {
    match kind {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => {
            Class::Varint
        }
        Kind::Sint32 | Kind::Sint64 => Class::Zigzag,
        Kind::Fixed32 | Kind::Sfixed32 => Class::Fixed32,
        Kind::Fixed64 | Kind::Sfixed64 => Class::Fixed64,
        Kind::Float => Class::Float,
        Kind::Double => Class::Double,
        Kind::String | Kind::Bytes => Class::Text,
        Kind::Message(_) => Class::Message,
        Kind::Group(_) => Class::Group,
    }
}

/// A field's type in words.
fn kind_name(field: &Field, table: &Table) -> String {
    match field.kind {
        _ if field.label == Label::Map => "a map".to_owned(),
        Kind::Group(_) => "a group".to_owned(),
        kind => Visible(kind.name(table)).to_string(),
    }
}

fn path(message: &Message) -> String {
    format!("/{}", message.local_name().replace('.', "/"))
}

fn at(message: &Message, field: &Field) -> String {
    format!("{}/{}", path(message), field.name)
}

#[cfg(test)]
mod tests;
