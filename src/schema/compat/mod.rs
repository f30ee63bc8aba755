//! Whether what is written by one schema can be read by another, with reasons. One file a language.

pub mod avro;
pub mod json;
mod level;
pub mod protobuf;

use super::avro::Avro;
use super::{Language, SchemaError, Source};

pub use level::{Compared, Direction, Level, judge};

/// One reason why what is written by one schema cannot be read by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where, as a JSON pointer into the reader's schema; empty for the whole. Names as the schema
    /// has them: not yet safe to show.
    pub path: String,
    /// What does not fit, in plain words; safe to show.
    pub what: String,
}

/// Why data that is written by one schema cannot be read by the other; empty when all of it can.
///
/// # Errors
/// One of them is no schema, they are of different languages, or too large to compare.
pub fn reasons(reader: &Source, writer: &Source) -> Result<Vec<Reason>, SchemaError> {
    if reader.language != writer.language {
        return Err(SchemaError(format!(
            "{} cannot be compared with {}",
            reader.language.name(),
            writer.language.name()
        )));
    }
    match reader.language {
        Language::Avro => avro::reasons(&Avro::compile(reader)?, &Avro::compile(writer)?),
        Language::Json => json::reasons(reader, writer),
        Language::Protobuf => protobuf::reasons(reader, writer),
    }
}
