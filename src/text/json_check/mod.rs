//! Is this one JSON text (RFC 8259)? Answered without recursion and without building anything: a
//! parser that recurses or builds can be made to abort the process by one event.

mod grammar;
#[cfg(test)]
mod tests;

use std::fmt;

use super::json;

/// Arrays and objects inside each other; what is nested deeper is treated as text, so that no
/// parser further on can run out of stack.
pub const MAX_DEPTH: usize = 512;

/// Bytes that were found to be one valid JSON text, UTF-8 included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a> {
    text: &'a str,
}

/// Why bytes are no JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct JsonFault {
    pub at: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Value,
    Name,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    Digit,
    Escape,
    Control,
    Unfinished,
    After,
    Depth,
    Utf8,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "expected a value",
            Self::Name => "expected a member name in quotes",
            Self::Colon => "expected ':'",
            Self::CommaOrBrace => "expected ',' or '}'",
            Self::CommaOrBracket => "expected ',' or ']'",
            Self::Digit => "expected a digit",
            Self::Escape => "not an escape sequence",
            Self::Control => "a raw control character in a string",
            Self::Unfinished => "the text ends early",
            Self::After => "something follows the value",
            Self::Depth => "nested deeper than 512 levels",
            Self::Utf8 => "not UTF-8",
        })
    }
}

impl JsonFault {
    /// Whatever was expected at the end, the text being cut is what matters.
    fn at_the_end_of(self, bytes: &[u8]) -> Self {
        let cut = self.at >= bytes.len();
        Self {
            at: self.at.min(bytes.len()),
            what: if cut { What::Unfinished } else { self.what },
        }
    }
}

/// What is shown the parts of a JSON text while it is checked, in their order. The text may still
/// turn out to be none.
pub(crate) trait Visit {
    /// The name of the member that follows, as it is written between its quotes.
    fn name(&mut self, name: &[u8]);
    /// A bracket that opens an array or an object.
    fn open(&mut self, at: usize, object: bool);
    /// The end of what was opened last.
    fn close(&mut self, end: usize);
    /// A string, number or literal.
    fn scalar(&mut self, start: usize, end: usize);
}

/// Nobody looks.
struct Unseen;

impl Visit for Unseen {
    #[inline]
    fn name(&mut self, _: &[u8]) {}
    #[inline]
    fn open(&mut self, _: usize, _: bool) {}
    #[inline]
    fn close(&mut self, _: usize) {}
    #[inline]
    fn scalar(&mut self, _: usize, _: usize) {}
}

impl<'a> JsonText<'a> {
    /// Checks the whole of `bytes` and shows its parts; [`JsonText::parse`] otherwise.
    #[inline]
    pub(crate) fn walk(bytes: &'a [u8], visit: &mut impl Visit) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let mut fault = JsonFault {
            at: 0,
            what: What::Unfinished,
        };
        grammar::document(bytes, &mut fault, visit)?;
        Some(Self { text })
    }

    /// Checks the whole of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        let text = str::from_utf8(bytes).map_err(|error| JsonFault {
            at: error.valid_up_to(),
            what: What::Utf8,
        })?;
        let mut fault = JsonFault {
            at: 0,
            what: What::Unfinished,
        };
        match grammar::document(bytes, &mut fault, &mut Unseen) {
            Some(_) => Ok(Self { text }),
            None => Err(fault.at_the_end_of(bytes)),
        }
    }

    /// True when the bytes can begin a JSON text: a cheap no for most other texts.
    pub fn may_be(bytes: &[u8]) -> bool {
        let first = bytes.iter().find(|b| !is_space(**b));
        first.is_some_and(|b| {
            matches!(
                b,
                b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'
            )
        })
    }

    pub const fn as_bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Appends the text as one line, safe to print; see [`super::push_value`].
    pub fn write(&self, out: &mut Vec<u8>) {
        json::push_text(out, self.text);
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
