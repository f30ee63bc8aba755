//! What schemas may cost, looked at before a parser sees them.

use prost_reflect::prost_types as types;
use types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::super::SchemaError;
use super::tokens::{Token, Tokens};
use crate::text::Visible;
use crate::text::human;

/// Bytes of all the texts of a schema together; the largest published ones have some hundred
/// thousand.
const MOST_BYTES: usize = 4 << 20;
/// Files of a schema.
const MOST_FILES: usize = 2000;
/// Levels of brackets of any kind; protoc refuses messages nested deeper than 31.
const DEEPEST: usize = 64;

/// Bytes of all full names together: short texts can make long ones, by a long package or long
/// names around many fields.
const MOST_NAMES: usize = 32 << 20;
/// Messages, fields, enums and their values: some ten microseconds each.
const MOST_ITEMS: usize = 100_000;
/// Parts of a package's name; a type is sought in the scope of each.
const MOST_PARTS: usize = 64;

/// Counts what was taken.
#[derive(Debug, Default)]
pub(super) struct Budget {
    bytes: usize,
    files: usize,
    names: usize,
    items: usize,
}

impl Budget {
    /// Takes one file more.
    pub(super) fn take(&mut self, name: &str, bytes: usize) -> Result<(), SchemaError> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.files += 1;
        let too_much = if self.bytes > MOST_BYTES {
            human::size(MOST_BYTES as u64)
        } else if self.files > MOST_FILES {
            format!("{} files", human::count(MOST_FILES as u64))
        } else {
            return Ok(());
        };
        let name = Visible(name);
        Err(SchemaError(format!(
            "{name}: the schema has more than {too_much}"
        )))
    }
}

impl Budget {
    /// Takes what a file declares, before it is linked and its names are put together.
    pub(super) fn declared(&mut self, file: &FileDescriptorProto) -> Result<(), SchemaError> {
        let scope = file.package().len();
        self.names += fields(&file.extension, scope) + enums(&file.enum_type, scope);
        for inner in &file.message_type {
            self.names = self.names.saturating_add(message(inner, scope));
        }
        self.items += items(&file.message_type, &file.extension, &file.enum_type);
        let parts = file.package().split('.').count();
        let name = Visible(file.name());
        if self.items > MOST_ITEMS {
            return Err(SchemaError(format!(
                "{name}: the schema has more than {} messages, fields and values of enums",
                human::count(MOST_ITEMS as u64)
            )));
        }
        if self.names <= MOST_NAMES && parts <= MOST_PARTS {
            return Ok(());
        }
        Err(SchemaError(format!("{name}: its names are too long")))
    }
}

/// How many messages, fields, enums and values there are.
fn items(
    messages: &[DescriptorProto],
    extensions: &[FieldDescriptorProto],
    enums: &[EnumDescriptorProto],
) -> usize {
    let inner = messages.iter().map(|m| {
        let inner = items(&m.nested_type, &m.extension, &m.enum_type);
        1 + m.field.len() + inner
    });
    let values = enums.iter().map(|e| 1 + e.value.len());
    inner.sum::<usize>() + extensions.len() + values.sum::<usize>()
}

/// The lengths of all full names that begin with those of a message.
fn message(declared: &DescriptorProto, scope: usize) -> usize {
    let scope = scope + 1 + declared.name().len();
    let oneofs = declared.oneof_decl.iter().map(|o| scope + o.name().len());
    let inner = declared.nested_type.iter().map(|m| message(m, scope));
    scope
        + fields(&declared.field, scope)
        + fields(&declared.extension, scope)
        + enums(&declared.enum_type, scope)
        + oneofs.sum::<usize>()
        + inner.sum::<usize>()
}

fn fields(fields: &[FieldDescriptorProto], scope: usize) -> usize {
    fields.iter().map(|f| scope + 1 + f.name().len()).sum()
}

fn enums(enums: &[EnumDescriptorProto], scope: usize) -> usize {
    // Values are named beside their enum, not in it.
    let values = |e: &EnumDescriptorProto| {
        let values = e.value.iter().map(|v| scope + 1 + v.name().len());
        values.sum::<usize>()
    };
    let lengths = enums.iter().map(|e| scope + 1 + e.name().len() + values(e));
    lengths.sum()
}

/// Refuses a text whose brackets are nested too deep for a parser that recurses.
pub(super) fn nesting(name: &str, text: &str) -> Result<(), SchemaError> {
    let mut depth = 0usize;
    for (token, range) in Tokens::new(text) {
        match token {
            Token::Sign(b'{' | b'[' | b'(' | b'<') => depth += 1,
            Token::Sign(b'}' | b']' | b')' | b'>') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(SchemaError(format!(
                "{}: brackets are nested deeper than {DEEPEST} levels at byte {}",
                Visible(name),
                range.start
            )));
        }
    }
    Ok(())
}
