//! From the descriptors of the Protobuf crates to the table that decoding works with.

use std::collections::HashMap;

use prost_reflect as reflect;
use reflect::{Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor};

use super::edition::{Features, Presence};
use super::load::Loaded;
use super::table::{Enum, Field, Kind, Label, Lookup, Message, Special, Table};
use crate::text::push_string;

/// Makes the table.
pub(super) fn lower(loaded: &Loaded) -> Table {
    let pool = &loaded.pool;
    let ids = Ids::new(pool);
    let messages = pool.all_messages().map(|m| message(&m, &ids, loaded));
    let mut table = Table {
        messages: messages.collect(),
        enums: pool.all_enums().map(|e| enumeration(&e)).collect(),
        by_name: HashMap::new(),
        roots: Vec::new(),
    };
    for name in &loaded.own {
        let file = pool.get_file_by_name(name);
        let tops = file.iter().flat_map(reflect::FileDescriptor::messages);
        table.roots.extend(tops.filter_map(|m| ids.message(&m)));
    }
    table.by_name = ids.messages;
    check_maps(&mut table);
    table
}

/// Descriptors that no compiler wrote can call anything a map: what is none is a list.
fn check_maps(table: &mut Table) {
    let is_key = |kind| {
        use Kind::{Bytes, Double, Enum, Float, Group, Message};
        !matches!(
            kind,
            Bytes | Double | Enum(_) | Float | Group(_) | Message(_)
        )
    };
    let is_entry = |message: &Message| match &*message.fields {
        [key, value] => {
            let once = !key.is_many() && !value.is_many();
            once && (key.number, value.number) == (1, 2) && is_key(key.kind)
        }
        _ => false,
    };
    let entries: Vec<bool> = table.messages.iter().map(is_entry).collect();
    for field in table.messages.iter_mut().flat_map(|m| &mut m.fields) {
        let entry = field.kind.message().and_then(|id| entries.get(id as usize));
        if field.label == Label::Map && entry != Some(&true) {
            field.label = Label::Repeated;
        }
    }
}

/// The indexes that messages and enums get.
struct Ids {
    messages: HashMap<Box<str>, u32>,
    enums: HashMap<Box<str>, u32>,
}

impl Ids {
    fn new(pool: &DescriptorPool) -> Self {
        let messages = pool.all_messages().map(|m| m.full_name().into());
        let enums = pool.all_enums().map(|e| e.full_name().into());
        Self {
            messages: messages.zip(0..).collect(),
            enums: enums.zip(0..).collect(),
        }
    }

    fn message(&self, message: &MessageDescriptor) -> Option<u32> {
        self.messages.get(message.full_name()).copied()
    }
}

fn message(descriptor: &MessageDescriptor, ids: &Ids, loaded: &Loaded) -> Message {
    let mut oneofs = Vec::new();
    let mut oneof_ids = HashMap::new();
    for oneof in descriptor.oneofs().filter(|o| !o.is_synthetic()) {
        oneof_ids.insert(oneof.full_name().to_owned(), oneofs.len() as u32);
        oneofs.push(oneof.name().into());
    }
    let declared = &descriptor.descriptor_proto().field;
    let mut fields: Vec<Field> = declared
        .iter()
        .filter_map(|f| descriptor.get_field(f.number().cast_unsigned()))
        .filter_map(|f| field(&f, ids, &oneof_ids, loaded.features.get(f.full_name())))
        .collect();
    for extension in descriptor.extensions() {
        let features = loaded.features.get(extension.full_name());
        let name = format!("[{}]", extension.full_name());
        let delimited = extension.is_group() || features.is_some_and(|f| f.delimited);
        if let Some(kind) = kind(&extension.kind(), delimited, ids) {
            let label = match extension.cardinality() {
                Cardinality::Repeated => Label::Repeated,
                Cardinality::Optional | Cardinality::Required => Label::Optional,
            };
            let field = named(extension.number(), &name, kind, label);
            fields.push(Field {
                is_extension: true,
                ..field
            });
        }
    }
    let file = descriptor.parent_file();
    let package = file.package_name();
    let children = descriptor.child_messages();
    Message {
        name: descriptor.full_name().into(),
        local: if package.is_empty() {
            0
        } else {
            package.len() + 1
        },
        lookup: Lookup::new(&fields),
        special: special(file.name(), descriptor.name()),
        children: children.filter_map(|m| ids.message(&m)).collect(),
        is_entry: descriptor.is_map_entry(),
        demands: fields.iter().any(|f| f.label == Label::Required),
        is_own: loaded.own.iter().any(|own| own == file.name()),
        fields,
        oneofs,
    }
}

/// `None` only when the descriptors contradict themselves.
fn field(
    descriptor: &FieldDescriptor,
    ids: &Ids,
    oneofs: &HashMap<String, u32>,
    features: Option<&Features>,
) -> Option<Field> {
    let delimited = descriptor.is_group() || features.is_some_and(|f| f.delimited);
    let kind = kind(&descriptor.kind(), delimited && !descriptor.is_map(), ids)?;
    let oneof = descriptor.containing_oneof();
    let oneof = oneof.and_then(|o| oneofs.get(o.full_name()).copied());
    let label = if descriptor.is_map() {
        Label::Map
    } else {
        match (descriptor.cardinality(), features.map(|f| f.presence)) {
            (Cardinality::Repeated, _) => Label::Repeated,
            (Cardinality::Required, _) | (_, Some(Presence::Required)) => Label::Required,
            (_, Some(Presence::Implicit)) if oneof.is_none() && kind.message().is_none() => {
                Label::Implicit
            }
            _ if descriptor.supports_presence() => Label::Optional,
            _ => Label::Implicit,
        }
    };
    Some(Field {
        oneof,
        ..named(descriptor.number(), descriptor.name(), kind, label)
    })
}

fn named(number: u32, name: &str, kind: Kind, label: Label) -> Field {
    let mut key = Vec::new();
    push_string(&mut key, name);
    key.push(b':');
    Field {
        number,
        name: name.into(),
        key: key.into(),
        kind,
        label,
        oneof: None,
        is_extension: false,
    }
}

fn kind(kind: &reflect::Kind, delimited: bool, ids: &Ids) -> Option<Kind> {
    Some(match kind {
        reflect::Kind::Double => Kind::Double,
        reflect::Kind::Float => Kind::Float,
        reflect::Kind::Int32 => Kind::Int32,
        reflect::Kind::Int64 => Kind::Int64,
        reflect::Kind::Uint32 => Kind::Uint32,
        reflect::Kind::Uint64 => Kind::Uint64,
        reflect::Kind::Sint32 => Kind::Sint32,
        reflect::Kind::Sint64 => Kind::Sint64,
        reflect::Kind::Fixed32 => Kind::Fixed32,
        reflect::Kind::Fixed64 => Kind::Fixed64,
        reflect::Kind::Sfixed32 => Kind::Sfixed32,
        reflect::Kind::Sfixed64 => Kind::Sfixed64,
        reflect::Kind::Bool => Kind::Bool,
        reflect::Kind::String => Kind::String,
        reflect::Kind::Bytes => Kind::Bytes,
        reflect::Kind::Enum(e) => Kind::Enum(*ids.enums.get(e.full_name())?),
        reflect::Kind::Message(m) if delimited => Kind::Group(ids.message(m)?),
        reflect::Kind::Message(m) => Kind::Message(ids.message(m)?),
    })
}

fn enumeration(descriptor: &EnumDescriptor) -> Enum {
    let mut values: Vec<(i32, Box<[u8]>)> = descriptor
        .enum_descriptor_proto()
        .value
        .iter()
        .map(|value| {
            let mut name = Vec::new();
            push_string(&mut name, value.name());
            (value.number(), name.into())
        })
        .collect();
    let first = values.first().map_or(0, |(number, _)| *number);
    // Stable, so that of several names for one number the first stays.
    values.sort_by_key(|(number, _)| *number);
    values.dedup_by_key(|(number, _)| *number);
    let file = descriptor.parent_file();
    Enum {
        is_null: file.name() == "google/protobuf/struct.proto" && descriptor.name() == "NullValue",
        name: descriptor.full_name().into(),
        values,
        first,
    }
}

/// The well-known types, by their files: whoever else calls a message so is not meant.
fn special(file: &str, name: &str) -> Option<Special> {
    Some(match (file, name) {
        ("google/protobuf/any.proto", "Any") => Special::Any,
        ("google/protobuf/duration.proto", "Duration") => Special::Duration,
        ("google/protobuf/empty.proto", "Empty") => Special::Empty,
        ("google/protobuf/field_mask.proto", "FieldMask") => Special::FieldMask,
        ("google/protobuf/struct.proto", "ListValue") => Special::List,
        ("google/protobuf/struct.proto", "Struct") => Special::Struct,
        ("google/protobuf/struct.proto", "Value") => Special::Value,
        ("google/protobuf/timestamp.proto", "Timestamp") => Special::Timestamp,
        ("google/protobuf/wrappers.proto", _) => Special::Wrapper,
        _ => return None,
    })
}
