//! The terms of a filter text, compiled: texts and patterns over an event, and what its topic, key
//! and partition must be. How they are written is `filter_text`'s business.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::grep::Grep;
use super::sweep::Texts;
use crate::event::EventRef;

/// One thing that must hold of an event, or must not.
pub(super) struct Term {
    /// As typed, for people.
    pub text: String,
    /// What fulfils it is left out.
    pub not: bool,
    pub of: Of,
}

/// What a term looks at.
pub(super) enum Of {
    Anywhere {
        grep: Grep,
        /// What kind of pattern, for people.
        kind: &'static str,
    },
    Topic(Name),
    Key(Name),
    Partition(u32),
}

/// A whole name or key.
pub(super) enum Name {
    Exact(Box<Finder<'static>>),
    Glob(Regex),
}

impl Name {
    pub(super) fn exact(text: &str) -> Self {
        Self::Exact(Box::new(Finder::new(text.as_bytes()).into_owned()))
    }

    /// With `*` for any run of characters and `?` for any one; `None` when it is too long.
    pub(super) fn glob(text: &str) -> Option<Self> {
        if !text.contains(['*', '?']) {
            return Some(Self::exact(text));
        }
        let mut pattern = String::from("^");
        for c in text.chars() {
            match c {
                // A key need not be text.
                '*' => pattern.push_str("(?s-u:.*)"),
                '?' => pattern.push_str("(?s:.)"),
                c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        pattern.push('$');
        RegexBuilder::new(&pattern).build().ok().map(Self::Glob)
    }

    fn takes(&self, name: &[u8]) -> bool {
        match self {
            Self::Exact(text) => text.needle() == name,
            Self::Glob(regex) => regex.is_match(name),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Glob(_) => "glob",
        }
    }
}

impl Term {
    pub(super) fn allows(&self, event: &EventRef<'_>) -> bool {
        let holds = match &self.of {
            Of::Anywhere { grep, .. } => grep.matches(event),
            Of::Topic(name) => name.takes(event.stream.topic.as_bytes()),
            Of::Key(name) => event.key.is_some_and(|key| name.takes(key)),
            Of::Partition(partition) => event.stream.partition == *partition,
        };
        holds != self.not
    }

    pub(super) const fn looks_at_headers(&self) -> bool {
        matches!(self.of, Of::Anywhere { .. })
    }

    /// What to seek in the bytes of many events, framing and all.
    pub(super) fn texts(&self) -> Texts<'_> {
        match &self.of {
            _ if self.not => Texts::Free,
            Of::Anywhere { grep, .. } => grep.texts(),
            Of::Key(Name::Exact(key)) => Texts::One(key),
            // Topic and partition do not stand in the bytes of an event.
            Of::Topic(_) | Of::Key(Name::Glob(_)) | Of::Partition(_) => Texts::Free,
        }
    }

    pub(super) fn explain(&self) -> String {
        let how = match &self.of {
            Of::Anywhere { kind, .. } => format!("{kind} over key, value and headers"),
            Of::Topic(name) | Of::Key(name) => name.kind().to_owned(),
            Of::Partition(_) => "exact".to_owned(),
        };
        let effect = if self.not { ", left out" } else { "" };
        format!("filter {}: {how}{effect}", self.text)
    }
}
