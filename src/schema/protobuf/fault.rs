//! Where in a message its bytes stop making sense: gathered on the way out of the recursion, so
//! that bytes that are right cost nothing.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::super::Refusal;
use crate::text::Visible;

/// Why a message was refused, with the path of the field. Small, since it is in every result.
#[derive(Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    what: Cow<'static, str>,
    /// Byte of the message's encoding.
    at: usize,
    /// Innermost first.
    path: Vec<String>,
}

/// What the functions of the walk return.
pub(super) type Walked<T = ()> = Result<T, Fault>;

impl Fault {
    #[cold]
    pub(super) fn new(what: impl Into<Cow<'static, str>>, at: usize) -> Self {
        Self(Box::new(Inner {
            what: what.into(),
            at,
            path: Vec::new(),
        }))
    }

    /// Adds the field in which it happened.
    #[cold]
    pub(super) fn inside(mut self, name: &str) -> Self {
        self.0.path.push(name.to_owned());
        self
    }

    /// The whole in words.
    #[cold]
    pub(super) fn refusal(&self) -> Refusal {
        let mut text = String::new();
        for name in self.0.path.iter().rev() {
            let is_first = text.is_empty() || name.starts_with('[');
            let dot = if is_first { "" } else { "." };
            // Writing to a string cannot fail.
            write!(text, "{dot}{}", Visible(name)).ok();
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        write!(text, "{} at byte {}", self.0.what, self.0.at).ok();
        Refusal::new(text)
    }
}
