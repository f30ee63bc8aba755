//! Where schemas come from: a registry over HTTP, a folder of files, an `AsyncAPI` document. What
//! they give is text with its references; compiling it is done elsewhere.

pub mod asyncapi;
pub mod folder;
mod links;
mod open;
pub mod registry;
mod settings;
mod subjects;
mod uri;
mod yaml;

use std::fmt;
use std::sync::Arc;

use super::{Language, Source};

pub use open::Sources;
pub use registry::RegistryState;
pub use settings::{Settings, cache_folder};
pub use subjects::{SubjectStrategy, subjects_for};
pub use yaml::yaml;

/// A schema, by whom it is told and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub source: Arc<Source>,
    pub id: Option<SchemaId>,
    /// `None` also where several subjects have this schema.
    pub subject: Option<String>,
    pub version: Option<u32>,
    /// The file or URL, without secrets.
    pub origin: String,
}

/// A schema's number or name in bytes, headers or content types.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SchemaId {
    /// Confluent's id; Apicurio's content id has the same form.
    Number(u32),
    /// Apicurio's global id.
    Long(u64),
    /// Confluent's GUID or Glue's schema version.
    Guid([u8; 16]),
    /// Azure's id.
    Name(String),
    /// CRC-64-AVRO of the canonical form, as Avro's single objects have it.
    Fingerprint(u64),
}

/// As people write it: UUIDs with dashes, fingerprints as 16 hexadecimal digits.
impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(id) => write!(f, "{id}"),
            Self::Long(id) => write!(f, "{id}"),
            Self::Guid(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    if matches!(at, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
            Self::Name(name) => f.write_str(name),
            Self::Fingerprint(crc) => write!(f, "{crc:016x}"),
        }
    }
}

/// What a source says when it is asked. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Found(Arc<Known>),
    /// The source says that there is none.
    Missing,
    /// Nobody can tell, and why; free of secrets. A source that can recover is asked again by
    /// itself: ask once a batch.
    Unavailable(Arc<str>),
    /// It is being asked.
    Pending,
}

impl Answer {
    pub(crate) fn unavailable(why: impl Into<Arc<str>>) -> Self {
        Self::Unavailable(why.into())
    }
}

/// The two places of an event that have schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    Key,
    Value,
}

impl Side {
    /// As subjects and files end: `key` or `value`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
        }
    }
}

/// What is known of an event whose bytes name no schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    pub topic: &'a str,
    pub side: Side,
    /// `type` of a CloudEvents event, or what stands for it.
    pub event_type: Option<&'a str>,
    /// Full name of the record or message, where the bytes tell it.
    pub record_name: Option<&'a str>,
    /// The language that the bytes or their content type ask for.
    pub language: Option<Language>,
}

impl<'a> Wanted<'a> {
    /// Nothing but the topic.
    pub const fn of(topic: &'a str, side: Side) -> Self {
        Self {
            topic,
            side,
            event_type: None,
            record_name: None,
            language: None,
        }
    }
}

/// One of a topic's schemas, with the part of the events that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub side: Side,
    pub event_type: Option<String>,
    pub answer: Answer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_people_write_them() {
        let bytes: [u8; 16] = std::array::from_fn(|at| at as u8 * 17);
        for (id, text) in [
            (SchemaId::Number(7), "7"),
            (SchemaId::Long(1 << 40), "1099511627776"),
            (
                SchemaId::Guid(bytes),
                "00112233-4455-6677-8899-aabbccddeeff",
            ),
            (SchemaId::Name("a1b2".into()), "a1b2"),
            (SchemaId::Fingerprint(0xbeef), "000000000000beef"),
        ] {
            assert_eq!(id.to_string(), text);
        }
    }
}
