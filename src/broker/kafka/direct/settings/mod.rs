//! What the direct reader makes of a client's properties, or why it cannot serve them. Values are
//! read back from librdkafka's own configuration, so that both readers understand the same: case,
//! other names for one thing, limits and defaults.

mod login;
mod table;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::NativeClientConfig;

use super::super::properties::{FROZEN, Properties, QUEUE_BYTES, refused};
use super::sasl::{Login, Tokens};
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
    /// Where we are, for brokers that let us read from a follower nearby.
    pub(super) rack: Option<String>,
    /// Before the second attempt to connect, and at most.
    pub(super) backoff: (Duration, Duration),
    /// While following: new topics and partitions are looked for at least this often.
    pub(super) metadata_age: Duration,
    pub(super) fetch: Fetch,
    pub(super) socket: Socket,
    /// `None` is no TLS.
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    /// `None` is no login.
    pub(super) login: Option<Login>,
}

/// What the user says of fetches; `None` leaves it to the reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fetch {
    pub(super) wait: Option<Duration>,
    /// `fetch.message.max.bytes` or `max.partition.fetch.bytes`.
    pub(super) partition_bytes: Option<u32>,
    pub(super) max_bytes: Option<u32>,
    pub(super) min_bytes: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) family: Family,
    pub(super) keepalive: bool,
    /// Bytes of the kernel's buffers, where the user sets them.
    pub(super) send_buffer: Option<u32>,
    pub(super) receive_buffer: Option<u32>,
}

/// Which addresses of a host are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Family {
    #[default]
    Any,
    V4,
    V6,
}

/// Why librdkafka has to read instead: a property that only it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unable(pub(super) String);

impl Unable {
    fn only_librdkafka(property: &str) -> Self {
        Self(format!("only librdkafka serves the property '{property}'"))
    }

    fn value(property: &str) -> Self {
        Self(format!(
            "only librdkafka serves this value of the property '{property}'"
        ))
    }
}

/// How long an answer may be silent, where the user does not say: librdkafka's own minute is
/// longer than anybody waits.
const PATIENCE: Duration = Duration::from_secs(10);

impl Settings {
    /// Reads the properties. `Err` of the inner result is no error of the user's: another reader
    /// serves them.
    pub(super) fn of(properties: &Properties) -> Result<Result<Self, Unable>> {
        if let Err(unable) = table::check(properties.names()) {
            return Ok(Err(unable));
        }
        let values = Values::of(properties)?;
        if !values.flag("api.version.request")? {
            return Ok(Err(Unable::value("api.version.request")));
        }
        if values.text("client.dns.lookup")? != "use_all_dns_ips" {
            return Ok(Err(Unable::value("client.dns.lookup")));
        }
        let (with_tls, with_login) = match values.text("security.protocol")?.as_str() {
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            _ => (false, false),
        };
        let tls = if with_tls {
            match tls::of_brokers(&values)? {
                Ok(config) => Some(config),
                Err(unable) => return Ok(Err(unable)),
            }
        } else {
            None
        };
        let login = if with_login {
            match login::of(&values)? {
                Ok(login) => Some(login),
                Err(unable) => return Ok(Err(unable)),
            }
        } else {
            None
        };
        Self::gather(&values, tls, login).map(Ok)
    }

    fn gather(
        values: &Values<'_>,
        tls: Option<Arc<rustls::ClientConfig>>,
        login: Option<Login>,
    ) -> Result<Self> {
        let properties = values.properties;
        let asked = |name| match properties.get(name) {
            Some(_) => values.number(name).map(Some),
            None => Ok(None),
        };
        let partition_bytes = match asked("max.partition.fetch.bytes")? {
            None => asked("fetch.message.max.bytes")?,
            some => some,
        };
        Ok(Self {
            bootstrap: properties.brokers().split(',').map(host).collect(),
            client_id: values.text("client.id")?,
            setup_timeout: values.millis("socket.connection.setup.timeout.ms")?,
            patience: asked("socket.timeout.ms")?.map_or(PATIENCE, millis),
            largest_answer: values.number("receive.message.max.bytes")? as usize,
            committed_only: properties.committed_only(),
            rack: Some(values.text("client.rack")?).filter(|rack| !rack.is_empty()),
            backoff: (
                values.millis("reconnect.backoff.ms")?,
                values.millis("reconnect.backoff.max.ms")?,
            ),
            metadata_age: values.millis("metadata.max.age.ms")?,
            fetch: Fetch {
                wait: asked("fetch.wait.max.ms")?.map(millis),
                partition_bytes,
                max_bytes: asked("fetch.max.bytes")?,
                min_bytes: asked("fetch.min.bytes")?,
            },
            socket: Socket {
                family: match values.text("broker.address.family")?.as_str() {
                    "v4" => Family::V4,
                    "v6" => Family::V6,
                    _ => Family::Any,
                },
                keepalive: values.flag("socket.keepalive.enable")?,
                // 0 is the system's own size.
                send_buffer: asked("socket.send.buffer.bytes")?.filter(|&size| size > 0),
                receive_buffer: asked("socket.receive.buffer.bytes")?.filter(|&size| size > 0),
            },
            tls,
            login,
        })
    }
}

/// Where tokens come from that librdkafka has to be given: it makes those that nobody signed
/// itself.
pub(in crate::broker::kafka) fn tokens(properties: &Properties) -> Result<Option<Arc<Tokens>>> {
    let values = Values::of(properties)?;
    let with_login = values.text("security.protocol")?.starts_with("sasl");
    if !with_login || values.flag("enable.sasl.oauthbearer.unsecure.jwt")? {
        return Ok(None);
    }
    // A login that is missing or not served is librdkafka's to tell.
    if values.text("sasl.mechanisms")? != "OAUTHBEARER" {
        return Ok(None);
    }
    match login::of(&values)? {
        Ok(Login::OAuth(tokens)) => Ok(Some(tokens)),
        _ => Ok(None),
    }
}

/// Properties as librdkafka understands them. What it does not know or does not tell (secrets,
/// what our build lacks) comes from the properties as they were given.
struct Values<'a> {
    properties: &'a Properties,
    native: NativeClientConfig,
}

impl<'a> Values<'a> {
    fn of(properties: &'a Properties) -> Result<Self> {
        let native = properties
            .reader(QUEUE_BYTES, FROZEN)
            .create_native_config()
            .map_err(|e| refused(&e))?;
        Ok(Self { properties, native })
    }

    /// As it was given, if it was.
    fn given(&self, name: &str) -> Option<&'a str> {
        self.properties.get(name).filter(|value| !value.is_empty())
    }

    /// Empty where there is none.
    fn text(&self, name: &str) -> Result<String> {
        match self.native.get(name) {
            Ok(value) => Ok(value.trim_end_matches('\0').to_owned()),
            // Unset strings are told like unknown names.
            Err(_) if self.given(name).is_none() => Ok(String::new()),
            Err(error) => Err(refused(&error)),
        }
    }

    fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.text(name)? == "true")
    }

    /// Below 0 counts as 0: librdkafka's -1 is always "none".
    fn number(&self, name: &str) -> Result<u32> {
        let text = self.text(name)?;
        Ok(text
            .parse::<i64>()
            .map_or(0, |n| u32::try_from(n.max(0)).unwrap_or(u32::MAX)))
    }

    fn millis(&self, name: &str) -> Result<Duration> {
        self.number(name).map(millis)
    }
}

fn millis(count: u32) -> Duration {
    Duration::from_millis(count.into())
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

#[cfg(test)]
mod tests;
