//! What went wrong, as a user meets it: a message, a hint, an exit code.

use std::fmt;

use crate::broker::{self, ErrorKind};

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, clean; also when the reader of our output went away.
    Done = 0,
    /// Nothing matched with `--fail-empty`, or a verification failed.
    Finding = 1,
    /// Usage, config, file or query error.
    Usage = 2,
    /// Inconclusive or partial.
    Partial = 3,
    /// Broker, network or authentication.
    Broker = 4,
    /// A guard refused a write.
    Refused = 5,
    /// A replay is incomplete and can be resumed.
    Incomplete = 6,
    Interrupted = 130,
}

/// An error on its way to the terminal. The texts may hold hostile names: they are printed
/// through `text` only.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
    pub hint: Option<String>,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts what was being done in front.
    #[must_use]
    pub fn on(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

/// The exit code of an adapter's error.
pub fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::Usage | ErrorKind::File | ErrorKind::Query | ErrorKind::Unsupported => {
            Exit::Usage
        }
        ErrorKind::Damaged => Exit::Partial,
        ErrorKind::Unreachable
        | ErrorKind::Authentication
        | ErrorKind::Authorization
        | ErrorKind::MissingTopic
        | ErrorKind::Broker => Exit::Broker,
        ErrorKind::Refused => Exit::Refused,
    }
}

impl From<broker::Error> for Failure {
    fn from(error: broker::Error) -> Self {
        Self {
            exit: exit_of(error.kind),
            message: error.message,
            hint: error.hint,
        }
    }
}
