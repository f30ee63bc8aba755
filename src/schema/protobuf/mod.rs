//! Protobuf: messages as JSON text, by descriptors or as raw fields. Framing lives in `formats`.

mod bundled;
mod describe;
mod edition;
mod fault;
mod guard;
mod indexes;
mod known;
mod load;
mod lower;
mod map;
mod raw;
mod scalar;
mod scratch;
mod strip;
pub(in crate::schema) mod table;
mod time;
mod tokens;
mod walk;
mod wire;

pub use describe::describe;
pub use indexes::{Indexes, read_indexes, read_indexes_plain};
pub use raw::write_raw;
pub use scratch::Scratch;

use super::{Refusal, SchemaError, Source};
use load::Loader;
use table::{Message, Table};
use walk::Walk;

/// A compiled schema: what its messages are, ready to decode by. Immutable, for all threads.
#[derive(Debug)]
pub struct Protobuf {
    pub(in crate::schema) table: Table,
    is_one_file: bool,
}

/// A message of a [`Protobuf`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(u32);

/// What a schema without a name is called where it is refused.
const UNNAMED: &str = "schema.proto";

impl Protobuf {
    /// Compiles the text of a `.proto` of proto2, proto3 or an edition, or a serialized descriptor
    /// in base64 (Confluent's `format=serialized`). The names of its references are what it
    /// imports; well-known and other common types need not be given. Options are not looked at,
    /// so that files which only declare some may be missing.
    ///
    /// # Errors
    /// The text is no schema, is larger than 4 MiB with its references, or names a type that is
    /// not there.
    pub fn compile(source: &Source) -> Result<Self, SchemaError> {
        let mut loader = Loader::default();
        let mut name = UNNAMED.to_owned();
        for reference in &source.references {
            loader.offer(&reference.name, &reference.text)?;
            // The text itself must not take the place of one that it imports.
            while source.references.iter().any(|r| r.name == name) {
                name.insert(0, '_');
            }
        }
        let own = loader.open(&name, &source.text)?;
        Ok(Self::of(&loader.link(own)?))
    }

    /// Compiles a folder of `.proto` files: their paths as they import each other, and their
    /// texts.
    ///
    /// # Errors
    /// As [`Protobuf::compile`], for all the files together.
    pub fn folder(files: &[(String, String)]) -> Result<Self, SchemaError> {
        let mut loader = Loader::default();
        let mut own = Vec::new();
        for (name, text) in files {
            own.extend(loader.open(name, text)?);
        }
        Ok(Self::of(&loader.link(own)?))
    }

    /// Compiles a serialized `FileDescriptorSet`, as protoc writes with `--descriptor_set_out`, or
    /// a single `FileDescriptorProto`.
    ///
    /// # Errors
    /// As [`Protobuf::compile`].
    pub fn descriptors(bytes: &[u8]) -> Result<Self, SchemaError> {
        let mut loader = Loader::default();
        let own = loader.open_bytes(UNNAMED, bytes)?;
        Ok(Self::of(&loader.link(own)?))
    }

    fn of(loaded: &load::Loaded) -> Self {
        Self {
            table: lower::lower(loaded),
            is_one_file: loaded.own.len() == 1,
        }
    }

    /// The message that Confluent's indexes name: a top-level message of the schema's own file,
    /// one declared in it, …. As the registry counts (and clients in Java): entries of maps are no
    /// messages. `None` when there is none, or when the schema is of several files.
    pub fn message_at(&self, indexes: &[u32]) -> Option<MessageId> {
        self.at(indexes, false)
    }

    /// As [`Protobuf::message_at`], but as clients in Python and Go count, for which each map
    /// field that is declared before a nested message takes an index.
    pub fn message_at_with_maps(&self, indexes: &[u32]) -> Option<MessageId> {
        self.at(indexes, true)
    }

    fn at(&self, indexes: &[u32], with_maps: bool) -> Option<MessageId> {
        let mut among = self.is_one_file.then_some(&self.table.roots)?;
        let mut found = None;
        for &index in indexes {
            let counted = |id: &&u32| {
                let message = self.table.message(**id);
                message.is_some_and(|m| with_maps || !m.is_entry)
            };
            let id = *among.iter().filter(counted).nth(index as usize)?;
            among = &self.table.message(id)?.children;
            found = Some(id);
        }
        let message = self.table.message(found?)?;
        (!message.is_entry).then_some(MessageId(found?))
    }

    /// A message by its full name, or, of the schema's own, by the end of it: `Order` or
    /// `Order.Item` for `shop.v1.Order.Item`. `None` when no message or several are called so.
    pub fn message_named(&self, name: &str) -> Option<MessageId> {
        if let Some(&id) = self.table.by_name.get(name) {
            return Some(MessageId(id));
        }
        let ends_so = |full: &str| {
            let before = full.strip_suffix(name);
            before.is_some_and(|before| before.ends_with('.'))
        };
        let mut found = self.own().filter(|(_, m)| ends_so(&m.name));
        let (id, _) = found.next()?;
        found.next().is_none().then_some(MessageId(id))
    }

    /// The full names of the schema's own messages, nested ones included.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.own().map(|(_, message)| &*message.name)
    }

    /// The full name of a message.
    pub fn name(&self, message: MessageId) -> &str {
        let message = self.table.message(message.0);
        message.map_or("", |message| &message.name)
    }

    fn own(&self) -> impl Iterator<Item = (u32, &Message)> {
        let all = (0..).zip(&self.table.messages);
        all.filter(|(_, message)| message.is_own && !message.is_entry)
    }

    /// Appends a message as JSON text.
    ///
    /// Fields have their names of the `.proto` and come in its order, extensions last. A field
    /// without presence is always written, with its default if it is not in the bytes, so that
    /// `.count == 0` finds what a producer left out; one with presence is written when it is
    /// there. 64-bit integers are numbers, bytes base64, enum values names, or numbers that have
    /// none, map keys strings. The well-known types have their JSON forms where their values have
    /// one, and are objects otherwise (a timestamp of the year 20000). Fields that the schema does
    /// not know stand under `"@unknown"` as in [`write_raw`]; so does what an `Any` holds whose
    /// type is not known, as base64, under `"value"`.
    ///
    /// # Errors
    /// The bytes are no such message to their last byte: which field, why, at which byte. A wire
    /// type that does not fit, text that is no UTF-8 and a missing required field are refused too,
    /// and what is nested deeper than 128 levels of JSON, would take too long, or would become
    /// more than 32 MiB and more than 4 times the bytes. `out` is as it was then. What a later value
    /// overwrites (of a scalar, a oneof, a key) is only skipped, not looked into.
    pub fn write_json(
        &self,
        message: MessageId,
        bytes: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        Walk::write(&self.table, message.0, bytes, scratch, out)
    }
}

#[cfg(test)]
mod tests;
