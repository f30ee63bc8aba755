//! Whether what is written by one schema can be read by another, with reasons. One file a language.

pub mod avro;
pub mod protobuf;

/// One reason why what is written by one schema cannot be read by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where, as a JSON pointer into the reader's schema; empty for the whole. Names as the schema
    /// has them: not yet safe to show.
    pub path: String,
    /// What does not fit, in plain words; safe to show.
    pub what: String,
}
