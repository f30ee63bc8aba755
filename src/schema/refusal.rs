//! Why bytes or a schema were not taken.

use std::borrow::Cow;
use std::fmt;

/// Why a decoder did not take bytes. It never holds bytes of the event but through `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub Cow<'static, str>);

impl Refusal {
    pub fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

/// How deep what is decoded may be nested; JSON deeper than this is text (see `query`).
pub const DEEPEST: usize = 128;

/// The values that one event may hold, whatever their size: what is made of tiny ones costs tens of
/// nanoseconds each, 100 ms together. Beyond 10 MB one for every four bytes.
pub(super) const fn most_values(bytes: usize) -> usize {
    const FREE: usize = 2_500_000;
    let in_proportion = bytes / 4;
    if in_proportion > FREE {
        in_proportion
    } else {
        FREE
    }
}
