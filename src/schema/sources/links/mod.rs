//! Which other schemas a schema names, and gathering them: bounded in number and size, each once,
//! whatever circles they run in. Where they lie is a [`Shelf`]'s business.

pub(super) mod avro;
pub(super) mod json;
pub(super) mod protobuf;

use std::collections::HashSet;

use crate::schema::{Reference, SchemaError};

/// Schemas that one schema may bring along.
pub(super) const MOST_DOCUMENTS: usize = 200;
/// Bytes of them all.
pub(super) const MOST_BYTES: usize = 10 << 20;

/// A place with schemas that others name.
pub(super) trait Shelf {
    /// The text of the file at that path, relative to the shelf and without `.` or `..`.
    fn at(&self, path: &str) -> Option<Result<String, SchemaError>>;

    /// Path and text of what calls itself so: a URI, or the full name of an Avro type.
    fn named(&self, name: &str) -> Option<(String, String)>;
}

/// The references found so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    list: Vec<Reference>,
    names: HashSet<String>,
    bytes: usize,
}

impl Gathered {
    /// True when the name is new, and is marked from now on.
    pub(super) fn is_new(&mut self, name: &str) -> bool {
        self.names.insert(name.to_owned())
    }

    pub(super) fn push(&mut self, name: String, text: String) -> Result<(), SchemaError> {
        self.bytes += text.len();
        if self.list.len() == MOST_DOCUMENTS || self.bytes > MOST_BYTES {
            return Err(SchemaError(format!(
                "it names more than {MOST_DOCUMENTS} other schemas, or more than {} MiB of them",
                MOST_BYTES >> 20
            )));
        }
        self.list.push(Reference { name, text });
        Ok(())
    }

    pub(super) fn into_list(self) -> Vec<Reference> {
        self.list
    }
}

/// Reads JSON text; nesting is bounded by the parser itself. The error is free of the text.
pub(super) fn parse(text: &str) -> Result<serde_json::Value, SchemaError> {
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| SchemaError(format!("no readable JSON: {error}")))
}
