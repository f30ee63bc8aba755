//! Avro: binary data as JSON text, by a parsed schema. Framing lives in `formats`.
//!
//! How values look: unions plain, without the branch's name; `bytes` and `fixed` as base64 (Avro's
//! own JSON has Latin-1 strings, which other tools take for text); enums as their symbol; numbers
//! that are not finite as strings; logical types as people write them: a decimal is a number with
//! all its digits, dates and times are RFC 3339 (UTC; local ones without `Z`), a uuid is text, a
//! duration is `{"months":…,"days":…,"millis":…}`. A date or time beyond the years 0 to 9999 stays
//! the number that it is, and a decimal of more than 256 bytes base64.

mod canonical;
mod comments;
mod container;
mod cursor;
mod decode;
mod logical;
mod names;
pub(in crate::schema) mod node;
mod parse;
#[cfg(test)]
pub(in crate::schema) mod tests;
mod view;

use crate::schema::{Refusal, SchemaError, Source};
pub use canonical::fingerprint;
pub use container::container;
pub(in crate::schema) use names::quoted;
pub(in crate::schema) use node::Table;
pub use view::{Described, describe};

/// A schema, compiled once: its types in a flat table, every name resolved.
#[derive(Debug)]
pub struct Avro {
    pub(in crate::schema) table: Table,
}

impl Avro {
    /// Compiles a schema with what it refers to; the texts may name each other's types in any
    /// order. Text as Java's parser takes it, comments included, of 4 MiB at most in all and
    /// nested 128 levels at most.
    pub fn compile(source: &Source) -> Result<Self, SchemaError> {
        parse::parse(source).map(|table| Self { table })
    }

    /// Appends the value that `bytes` begin with as JSON text, and says how many bytes it took;
    /// the caller decides about those left. Nothing is appended when it is refused.
    ///
    /// Refused is what no writer writes (a union's branch that there is not, text that is not
    /// UTF-8, a length that reaches beyond the bytes, …), what is nested deeper than
    /// [`DEEPEST`](crate::schema::DEEPEST), JSON text of more than 32 MiB, and more than 65,536
    /// values that take no byte.
    pub fn write_json(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Refusal> {
        decode::decode(&self.table, bytes, out)
    }

    /// The name, with its namespace, of the record (or enum, or fixed) that the schema is.
    pub fn full_name(&self) -> Option<&str> {
        let root = self.table.node(self.table.root);
        root.shape.named().map(|named| named.full.as_str())
    }

    /// What the schema's type itself is documented with.
    pub fn doc(&self) -> Option<&str> {
        let named = self.table.node(self.table.root).shape.named()?;
        named.doc.as_deref()
    }

    /// CRC-64-AVRO of the parsing canonical form: what a single object carries, little end first.
    pub fn fingerprint(&self) -> Result<u64, SchemaError> {
        canonical::of(&self.table)
    }

    /// The fields in the order of the schema, those of inner records behind the field that holds
    /// them, for a schema view. At most 10,000.
    pub fn fields(&self) -> Vec<Described> {
        view::fields(&self.table)
    }
}
