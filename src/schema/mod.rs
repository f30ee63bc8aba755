//! Schemas: where they come from, how bytes on topics name them, what the bytes say by them, and
//! whether that is valid. No broker, no screen.

pub mod avro;
mod catalog;
pub mod compat;
mod compiler;
mod decoder;
pub mod formats;
mod in_force;
pub mod json;
pub mod outline;
mod pins;
pub mod protobuf;
mod reader;
mod refusal;
mod schemas;
pub mod sources;
pub use catalog::Catalog;
pub use decoder::{Decoder, TopicNames};
pub use in_force::InForce;
pub use pins::{Pin, Pins, PinsError};
pub use reader::{Explained, Reader, Trail};
use refusal::most_values;
pub use refusal::{DEEPEST, Refusal, SchemaError};
pub use schemas::Schemas;

/// A language that schemas are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    Avro,
    Json,
    Protobuf,
}

impl Language {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avro => "Avro",
            Self::Json => "JSON Schema",
            Self::Protobuf => "Protobuf",
        }
    }
}

/// A schema as text, before it is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub language: Language,
    pub text: String,
    /// Other schemas that the text names, by the name it uses (a file in Protobuf's `import`, a
    /// full name in Avro, a URI in JSON Schema's `$ref`), those that they name included.
    pub references: Vec<Reference>,
}

/// A schema that another one names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub text: String,
}
