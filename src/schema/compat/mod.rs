//! Whether what is written by one schema can be read by another, with reasons. One file a language.

pub mod json;

/// Why something that the writer may write cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub path: String,
    pub what: String,
}
