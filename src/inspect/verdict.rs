//! The three answers that a detector can give.

use std::borrow::Cow;
use std::fmt;

/// What a detector concludes. One that forgot something, began in the middle or lacks what it
/// needs never says [`Verdict::Clean`]; [`Verdict::Idle`] is one that met nothing to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    Violation,
    /// With the reason.
    Inconclusive(Cow<'static, str>),
    /// There was nothing to work with, and what was missing.
    Idle(Cow<'static, str>),
}

impl Verdict {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Clean => "CLEAN",
            Self::Violation => "VIOLATION",
            Self::Inconclusive(_) | Self::Idle(_) => "INCONCLUSIVE",
        }
    }

    /// A violation where one was found, else idle for the reason given, else the first doubt, else
    /// clean.
    pub(super) fn of(
        violated: bool,
        idle: Option<Cow<'static, str>>,
        doubts: impl IntoIterator<Item = Option<Cow<'static, str>>>,
    ) -> Self {
        if violated {
            return Self::Violation;
        }
        if let Some(why) = idle {
            return Self::Idle(why);
        }
        let doubt = doubts.into_iter().flatten().next();
        doubt.map_or(Self::Clean, Self::Inconclusive)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inconclusive(why) | Self::Idle(why) => write!(f, "INCONCLUSIVE: {why}"),
            other => f.write_str(other.word()),
        }
    }
}
