//! What an adapter is opened with, beside its address.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Client properties, guards and the like; from the config file, the address and the flags.
#[derive(Clone, Default)]
pub struct Settings {
    /// The client library's own names (`security.protocol`), later ones win. Values can be
    /// secrets: `Debug` hides them all.
    pub properties: BTreeMap<String, String>,
    /// No writes at all.
    pub read_only: bool,
    /// When not empty, topics that may be written to: names and globs.
    pub allow_replay_to: Vec<String>,
    /// The context's name, for messages.
    pub context: Option<String>,
    /// Where the client library's own log goes; nowhere when absent, never to the screen.
    pub log: Option<PathBuf>,
    /// For following sources of the embedded broker: events a second; `None` is its own pace,
    /// infinity is as fast as it can.
    pub rate: Option<f64>,
    /// Where what is written to the broker is told of what a person should know: reconnects.
    pub notices: Notices,
    /// The embedded broker: stay at the end of the history when followed.
    pub frozen: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .field("read_only", &self.read_only)
            .field("allow_replay_to", &self.allow_replay_to)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// A way for an adapter to tell a person something while it works. Cheap to clone; called a few
/// times a run, never per event.
#[derive(Clone)]
pub struct Notices {
    tell: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Notices {
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            tell: Arc::new(tell),
        }
    }

    /// Drops them, for tests and quiet runs.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// The text may hold names from the server: whoever prints it passes it through `text`.
    pub fn tell(&self, text: &str) {
        (self.tell)(text);
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self::silent()
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}
