//! An event as it was understood: key and value decoded, and what its schema says of it. Who
//! understands (plain bytes here, schemas in `schema`) is not known to who prints.

use super::EventRef;
use super::decode::{Content, Decoding};

/// What was made of one event; it borrows from the event, or from who decoded it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub key: Content<'a>,
    pub value: Content<'a>,
    /// `None` where there is no source of schemas, or nobody asked.
    pub schema: Option<Checked<'a>>,
}

/// What a schema says of one event.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    pub verdict: SchemaVerdict,
    pub id: Option<SchemaId<'a>>,
    /// What is wrong with an invalid value, or why it was not understood.
    pub faults: &'a [SchemaFault],
}

/// The five answers to "does it fit its schema?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SchemaVerdict {
    Valid,
    Invalid,
    /// There is a schema, and the bytes are not even of its format.
    Undecodable,
    /// There is no schema for it; a tombstone has none.
    None,
    /// The bytes name a schema that is not known, or not now.
    UnknownId,
}

impl SchemaVerdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Undecodable => "undecodable",
            Self::None => "none",
            Self::UnknownId => "unknown_id",
        }
    }
}

/// By what the bytes name their schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaId<'a> {
    Number(u64),
    Text(&'a str),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaFault {
    /// Where in the value, as a JSON pointer.
    pub path: String,
    /// The keyword of the schema that is not fulfilled; empty when the bytes could not be decoded.
    pub keyword: String,
    pub message: String,
}

impl Decoding {
    /// The event as these formats understand it.
    #[inline]
    pub fn see<'a>(&self, event: &EventRef<'a>) -> Seen<'a> {
        Seen {
            key: self.key(event.key),
            value: self.value(event.value),
            schema: None,
        }
    }
}
