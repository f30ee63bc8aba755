//! Why an adapter could not do its work. A bad event is data and never an error.

/// A result of the adapter layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed, on what, and what to try.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: ErrorKind,
    /// What failed on what: a lower-case fragment without a full stop, already free of secrets.
    /// It may hold names and texts from the server: whoever prints it passes it through `text`.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

/// The kinds that a user must be able to tell apart; each has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The address, a property or a range makes no sense here.
    Usage,
    /// A file is missing or cannot be read or written.
    File,
    /// A file is damaged; what could be read was handed on before this.
    Damaged,
    /// Nobody answers there.
    Unreachable,
    /// The server does not know us.
    Authentication,
    /// The server knows us and says no.
    Authorization,
    MissingTopic,
    /// A guard of ours refused a write.
    Refused,
    /// This broker cannot do that.
    Unsupported,
    /// The selection could not go on (an expression that does not end).
    Query,
    /// The broker failed in some other way.
    Broker,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts what was being done in front.
    #[must_use]
    pub fn on(mut self, what: impl std::fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    pub fn unsupported(adapter: &str, what: &str) -> Self {
        Self::new(ErrorKind::Unsupported, format!("{adapter} {what}"))
            .hint("`evtap brokers` shows what each adapter can do")
    }
}

impl From<crate::event::SelectError> for Error {
    fn from(error: crate::event::SelectError) -> Self {
        Self::new(ErrorKind::Query, error.message)
    }
}
