//! What the direct reader makes of a client's properties, or why it cannot serve them.

use std::fmt;
use std::time::Duration;

use super::super::properties::Properties;
use crate::broker::Result;

/// A broker as it is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// Everything that a connection needs to know.
#[derive(Clone)]
pub(super) struct Settings {
    /// As they were typed; the first that answers tells of the others.
    pub(super) bootstrap: Vec<Host>,
    pub(super) client_id: String,
    /// For TCP, TLS, versions and login together.
    pub(super) setup_timeout: Duration,
    /// How long an answer may be silent.
    pub(super) patience: Duration,
    /// Bytes of one answer.
    pub(super) largest_answer: usize,
    pub(super) committed_only: bool,
}

/// Why librdkafka has to read instead: a property that only it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unable(pub(super) String);

impl Settings {
    /// Reads the properties. `Err` of the inner result is no error of the user's: another reader
    /// serves them.
    pub(super) fn of(properties: &Properties) -> Result<Result<Self, Unable>> {
        if properties
            .get("security.protocol")
            .is_some_and(|p| !p.eq_ignore_ascii_case("plaintext"))
        {
            return Ok(Err(Unable("security.protocol".to_owned())));
        }
        let bootstrap = properties.brokers().split(',').map(host).collect();
        Ok(Ok(Self {
            bootstrap,
            client_id: properties.get("client.id").unwrap_or("evtap").to_owned(),
            setup_timeout: Duration::from_secs(8),
            patience: Duration::from_secs(10),
            largest_answer: 100_000_000,
            committed_only: properties.committed_only(),
        }))
    }
}

/// `host`, `host:port` or `[v6]:port`, checked before.
fn host(text: &str) -> Host {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().unwrap_or(9092)),
        _ => (text, 9092),
    };
    Host {
        name: name.trim_matches(['[', ']']).to_owned(),
        port,
    }
}
