//! What a schema comes down to for decoding and comparing: flat lists of messages, fields and
//! enums that name each other by index. Immutable; no type of the Protobuf crates is in it.

use std::collections::HashMap;

/// What a compiled schema knows.
#[derive(Debug, Default)]
pub(in crate::schema) struct Table {
    pub(in crate::schema) messages: Vec<Message>,
    pub(in crate::schema) enums: Vec<Enum>,
    /// By full name.
    pub(in crate::schema) by_name: HashMap<Box<str>, u32>,
    /// The top-level messages of the schema itself, not of what it imports, in its order.
    pub(in crate::schema) roots: Vec<u32>,
}

impl Table {
    pub(in crate::schema) fn message(&self, id: u32) -> Option<&Message> {
        self.messages.get(id as usize)
    }
}

#[derive(Debug)]
pub(in crate::schema) struct Message {
    /// With the package and the messages around it.
    pub(in crate::schema) name: Box<str>,
    /// Where the name begins behind the package.
    pub(in crate::schema) local: usize,
    /// In the order of the text; extensions last.
    pub(in crate::schema) fields: Vec<Field>,
    /// Names of the real ones: the `optional` of proto3 makes none.
    pub(in crate::schema) oneofs: Vec<Box<str>>,
    pub(super) lookup: Lookup,
    pub(super) special: Option<Special>,
    /// Messages declared in it, in the order of the text, entries of maps included.
    pub(in crate::schema) children: Vec<u32>,
    /// Stands for one entry of a map field.
    pub(in crate::schema) is_entry: bool,
    /// Has a field that must be there.
    pub(super) demands: bool,
    /// Is of the schema itself, not of what it imports.
    pub(in crate::schema) is_own: bool,
}

impl Message {
    /// The name without the package.
    pub(in crate::schema) fn local_name(&self) -> &str {
        self.name.get(self.local..).unwrap_or(&self.name)
    }

    /// The field with that number.
    pub(in crate::schema) fn field(&self, number: u32) -> Option<&Field> {
        self.fields.get(self.lookup.field(number)? as usize)
    }
}

#[derive(Debug)]
pub(in crate::schema) struct Field {
    pub(in crate::schema) number: u32,
    pub(in crate::schema) name: Box<str>,
    /// The name as a JSON string with its colon.
    pub(super) key: Box<[u8]>,
    pub(in crate::schema) kind: Kind,
    pub(in crate::schema) label: Label,
    /// Index into the oneofs of the message.
    pub(in crate::schema) oneof: Option<u32>,
    pub(in crate::schema) is_extension: bool,
}

impl Field {
    pub(super) const fn is_many(&self) -> bool {
        matches!(self.label, Label::Repeated | Label::Map)
    }
}

/// How often a field is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum Label {
    /// Always: what is not encoded has its default.
    Implicit,
    /// Once or not at all.
    Optional,
    Required,
    Repeated,
    /// Repeated entries; the kind is a message with a key and a value.
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// Index into the enums.
    Enum(u32),
    /// Index into the messages.
    Message(u32),
    /// A message without a length, between two tags.
    Group(u32),
}

impl Kind {
    /// The message, if it is one.
    pub(in crate::schema) const fn message(self) -> Option<u32> {
        match self {
            Self::Message(id) | Self::Group(id) => Some(id),
            _ => None,
        }
    }

    /// What the type is called in a `.proto`; messages and enums by their full names.
    pub(in crate::schema) fn name(self, table: &Table) -> &str {
        match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Enum(id) => table.enums.get(id as usize).map_or("", |e| &e.name),
            Self::Message(id) | Self::Group(id) => table.message(id).map_or("", |m| &m.name),
        }
    }
}

#[derive(Debug)]
pub(in crate::schema) struct Enum {
    pub(super) name: Box<str>,
    /// `google.protobuf.NullValue`, which is JSON's null.
    pub(super) is_null: bool,
    /// By number; the name as a JSON string. Of several names the first.
    pub(super) values: Vec<(i32, Box<[u8]>)>,
    /// The number declared first, which is the default.
    pub(super) first: i32,
}

impl Enum {
    pub(super) fn value(&self, number: i32) -> Option<&[u8]> {
        let at = self.values.binary_search_by_key(&number, |(n, _)| *n);
        self.values.get(at.ok()?).map(|(_, name)| &**name)
    }
}

/// Messages that JSON has a form of its own for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Any,
    Duration,
    /// An object as any other, but in an `Any` a value of its own.
    Empty,
    FieldMask,
    List,
    Struct,
    Timestamp,
    Value,
    /// One of the messages around a single scalar.
    Wrapper,
}

/// Finds fields by number.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// The field, plus one, of each small number; 0 for none.
    dense: Box<[u32]>,
    /// The others, by number.
    sparse: Box<[(u32, u32)]>,
}

/// Numbers below this are looked up without a search.
const DENSE: u32 = 256;

impl Lookup {
    pub(super) fn new(fields: &[Field]) -> Self {
        let numbers = || fields.iter().zip(0u32..).map(|(f, i)| (f.number, i));
        let small = |number: &(u32, u32)| number.0 < DENSE;
        let most = numbers().filter(small).map(|(n, _)| n).max();
        let mut dense = vec![0; most.map_or(0, |n| n as usize + 1)];
        for (number, index) in numbers().filter(small) {
            if let Some(place) = dense.get_mut(number as usize) {
                *place = index + 1;
            }
        }
        let mut sparse: Vec<_> = numbers().filter(|n| !small(n)).collect();
        sparse.sort_unstable();
        Self {
            dense: dense.into(),
            sparse: sparse.into(),
        }
    }

    /// The index of the field with that number.
    #[inline]
    pub(super) fn field(&self, number: u32) -> Option<u32> {
        if let Some(&place) = self.dense.get(number as usize) {
            return place.checked_sub(1);
        }
        let at = self.sparse.binary_search_by_key(&number, |(n, _)| *n);
        self.sparse.get(at.ok()?).map(|(_, index)| *index)
    }
}
