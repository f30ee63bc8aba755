//! What schemas may cost, looked at before a parser sees them.

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

/// Counts what was taken.
#[derive(Debug, Default)]
pub(super) struct Budget {
    bytes: usize,
    files: usize,
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
