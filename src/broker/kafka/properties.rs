//! The client's properties: what the user gave, our defaults, and what is not the user's to set.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use super::own::{Own, ReaderChoice, TokenSource};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::Compression;

/// Checked properties of one cluster.
#[derive(Clone)]
pub(super) struct Properties {
    given: BTreeMap<String, String>,
    own: Own,
    brokers: String,
}

/// Defaults of every client; the user's own values win.
const COMMON: &[(&str, &str)] = &[
    ("client.id", "evtap"),
    // A host that swallows packets must not cost half a minute.
    ("socket.connection.setup.timeout.ms", "8000"),
    ("socket.keepalive.enable", "true"),
    // Half of this is how long the second connection is held back: with the default of 100 a
    // first answer takes 60 ms instead of 15.
    ("reconnect.backoff.ms", "20"),
    ("reconnect.backoff.max.ms", "2000"),
    // Connected to before it is needed, a broker answers its first question 5 to 10 ms sooner.
    ("enable.sparse.connections", "false"),
    // The only place where it is said why a connection ended before it began.
    ("log.connection.close", "true"),
];

/// Defaults of clients that look and read.
const READER: &[(&str, &str)] = &[
    ("isolation.level", "read_committed"),
    // The default of a second stalls every reader that is faster than its queue is long.
    ("fetch.queue.backoff.ms", "5"),
    ("fetch.message.max.bytes", "1048576"),
    ("check.crcs", "true"),
];

/// Defaults of clients that write.
const WRITER: &[(&str, &str)] = &[
    ("compression.type", "lz4"),
    ("linger.ms", "5"),
    ("batch.size", "1000000"),
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "16384"),
    // Java's partitioner: librdkafka's own default would send a key elsewhere.
    ("partitioner", "murmur2_random"),
    // The broker decides what is too large, not the client.
    ("message.max.bytes", "104857600"),
];

/// Those that shape what a producer sends, and when it gives up: librdkafka honours them.
const OF_LIBRARY: &[&str] = &[
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.level",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "partitioner",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
];

/// How our own code writes.
pub(super) struct Writing {
    pub(super) compression: Compression,
    /// How long a transaction may be open, where the user says so.
    pub(super) longest: Option<Duration>,
}

/// What makes looking free of side effects, and a read end where it must: never the user's choice.
const READER_FORCED: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("offset.store.method", "none"),
    ("allow.auto.create.topics", "false"),
    ("enable.partition.eof", "true"),
    ("auto.offset.reset", "error"),
];

/// What makes a write safe: never the user's choice.
const WRITER_FORCED: &[(&str, &str)] = &[
    ("enable.idempotence", "true"),
    ("acks", "all"),
    ("allow.auto.create.topics", "false"),
    ("delivery.report.only.error", "true"),
];

/// With a group librdkafka would talk to a coordinator, and membership shows on the broker.
const DROPPED: &[&str] = &[
    "group.id",
    "group.instance.id",
    "bootstrap.servers",
    "metadata.broker.list",
];

/// Other names of one property. Set by both, whichever librdkafka meets last would win.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("auto.commit.enable", "enable.auto.commit"),
    ("compression.type", "compression.codec"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("linger.ms", "queue.buffering.max.ms"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("acks", "request.required.acks"),
    ("retries", "message.send.max.retries"),
    ("sasl.mechanism", "sasl.mechanisms"),
];

/// Our librdkafka is built without curl and refuses to know these: tokens are fetched by our own
/// code, and librdkafka is given what came.
pub(super) const TOKEN_ENDPOINT: &[&str] = &[
    "https.ca.location",
    "https.ca.pem",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
];

/// Patience, in milliseconds, for ranges that end.
pub(super) const FROZEN: usize = 10;
/// And for following: nothing is late by it.
pub(super) const FOLLOWING: usize = 100;

/// Bytes that a reader's queue holds at most. More is not faster once the back-off is short, and
/// 16 MiB of queue are 80 MiB of memory by the time that responses have been taken apart.
pub(super) const QUEUE_BYTES: usize = 4 << 20;

impl Properties {
    /// Checks every property against librdkafka's own table. Touches no network.
    pub(super) fn new(brokers: &str, mut given: BTreeMap<String, String>) -> Result<Self> {
        let own = Own::take(&mut given)?;
        if let Some((user, _)) = brokers.rsplit_once('@') {
            let user = user.split_once(':').map_or(user, |(name, _)| name);
            return Err(Error::new(
                ErrorKind::Usage,
                format!("kafka:// takes no login in the address (user '{user}')"),
            )
            .hint(
                "give it as -X sasl.username=… -X sasl.password=… or in a context's properties",
            ));
        }
        for one in brokers.split(',') {
            if !is_broker(one) {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("'{one}' is no HOST:PORT of a broker"),
                )
                .hint("kafka://h1:9092,h2:9092/TOPIC"));
            }
        }
        for (key, path) in given.iter().filter(|(key, _)| key.ends_with(".location")) {
            // librdkafka would say only that OpenSSL failed. `probe` asks it to look for itself.
            if path != "probe" && !Path::new(path).exists() {
                let message = format!("the property '{key}': there is no file {path}");
                return Err(Error::new(ErrorKind::Usage, message).hint("check the path"));
            }
        }
        let properties = Self {
            given,
            own,
            brokers: brokers.to_owned(),
        };
        for config in [properties.reader(QUEUE_BYTES, FROZEN), properties.writer()] {
            config.create_native_config().map_err(|e| refused(&e))?;
        }
        Ok(properties)
    }

    /// `h1:9092,h2:9092`
    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Every property that the user gave, without evtap's own.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Who is to read; `None` leaves it to us.
    pub(super) const fn reader_choice(&self) -> Option<ReaderChoice> {
        self.own.reader
    }

    /// A ready token to log in with.
    pub(super) const fn token(&self) -> Option<&TokenSource> {
        self.own.token.as_ref()
    }

    /// What the user gave for a property.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.given.get(key).map(String::as_str)
    }

    /// Reads see only what was committed; an end is then the last stable offset.
    pub(super) fn committed_only(&self) -> bool {
        self.given
            .get("isolation.level")
            .is_none_or(|level| level != "read_uncommitted")
    }

    /// A client that looks and reads, with at most `memory` bytes waiting in its queue. The broker
    /// holds a fetch back for up to `patience` ms when there is nothing to send: partitions that
    /// begin a moment later, and the end of a range, wait for it.
    pub(super) fn reader(&self, memory: usize, patience: usize) -> ClientConfig {
        let queue = memory.clamp(1 << 20, QUEUE_BYTES);
        let mut config = self.base(READER, READER_FORCED);
        set_default(&mut config, "fetch.wait.max.ms", patience);
        set_default(&mut config, "queued.max.messages.kbytes", queue / 1024);
        // A response is held whole while it is taken apart, on top of the queue.
        set_default(&mut config, "fetch.max.bytes", (queue / 4 * 3).max(1 << 20));
        config
    }

    /// An idempotent producer.
    pub(super) fn writer(&self) -> ClientConfig {
        self.base(WRITER, WRITER_FORCED)
    }

    /// A producer of transactions under this id, each of which is open no longer than that.
    pub(super) fn transactional(&self, id: &str, longest: Duration) -> ClientConfig {
        let mut config = self.writer();
        config.set("transactional.id", id);
        set_default(
            &mut config,
            "transaction.timeout.ms",
            longest.as_millis() as usize,
        );
        config
    }

    /// How our own code writes; `None` where a property asks for what only librdkafka does.
    pub(super) fn writes_directly(&self) -> Option<Writing> {
        if self.given.keys().any(|key| OF_LIBRARY.contains(&&**key)) {
            return None;
        }
        let compression = self
            .get("compression.type")
            .or_else(|| self.get("compression.codec"));
        let longest = self.get("transaction.timeout.ms").map(str::parse);
        Some(Writing {
            compression: match compression {
                None | Some("lz4") => Compression::Lz4,
                Some("none") => Compression::None,
                Some("gzip") => Compression::Gzip,
                Some("snappy") => Compression::Snappy,
                Some("zstd") => Compression::Zstd,
                Some(_) => return None,
            },
            longest: longest.transpose().ok()?.map(Duration::from_millis),
        })
    }

    fn base(&self, defaults: &[(&str, &str)], forced: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        for (key, value) in COMMON.iter().chain(defaults) {
            config.set(real_name(key), *value);
        }
        for (key, value) in &self.given {
            let key = key.as_str();
            if !DROPPED.contains(&key) && !TOKEN_ENDPOINT.contains(&key) {
                config.set(real_name(key), value);
            }
        }
        for (key, value) in forced {
            config.set(real_name(key), *value);
        }
        let level = if self.given.contains_key("debug") {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Info
        };
        config.set_log_level(level);
        config
    }
}

/// `host`, `host:port` or `[v6]:port`. librdkafka would take a port modulo 65536.
fn is_broker(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    !bare.is_empty()
        && !host.contains(char::is_whitespace)
        && (!host.contains(':') || host.starts_with('['))
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn real_name(key: &str) -> &str {
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == key);
    other.map_or(key, |(_, real)| real)
}

fn set_default(config: &mut ClientConfig, key: &str, value: usize) {
    if config.get(key).is_none() {
        config.set(key, value.to_string());
    }
}

/// A property that librdkafka does not take. Its value may be a secret, and is not shown.
pub(super) fn refused(error: &KafkaError) -> Error {
    let message = match error {
        KafkaError::ClientConfig(_, text, key, value) => {
            let text = if value.is_empty() {
                text.clone()
            } else {
                text.replace(value.as_str(), "…")
            };
            format!("the property '{key}': {text}")
        }
        KafkaError::ClientCreation(text) => text.clone(),
        KafkaError::Nul(_) => "a property holds a NUL byte".to_owned(),
        other => other.to_string(),
    };
    Error::new(ErrorKind::Usage, message).hint(
        "properties are librdkafka's: \
         https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Properties> {
        let given = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Properties::new("h:9092", given)
    }

    #[test]
    fn an_unknown_property_is_named_and_its_value_is_not_shown() {
        let error = with(&[("sasl.pasword", "hush")]).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains("'sasl.pasword'"), "{error}");
        assert!(!error.message.contains("hush"), "{error}");
        let error = with(&[("security.protocol", "SASL-hush")]).err().unwrap();
        assert!(!error.message.contains("hush"), "{error}");
    }

    #[test]
    fn what_is_no_broker_is_refused() {
        for good in ["h", "h:9092", "h1:9092,h2:1", "[::1]:9092", "[::1]"] {
            assert!(Properties::new(good, BTreeMap::new()).is_ok(), "{good}");
        }
        for bad in [
            "h:99999",
            "h:0",
            ":9092",
            ":",
            "h:x",
            "h1:1,,h2:1",
            "::1:9092",
            "a b:1",
        ] {
            let error = Properties::new(bad, BTreeMap::new()).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Usage, "{bad}");
        }
    }

    #[test]
    fn what_would_leave_a_trace_on_the_broker_cannot_be_set() {
        let given = with(&[
            ("group.id", "theirs"),
            ("enable.auto.commit", "true"),
            ("allow.auto.create.topics", "true"),
        ])
        .unwrap();
        let config = given.reader(QUEUE_BYTES, FROZEN);
        assert_eq!(config.get("group.id"), None);
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(config.get("allow.auto.create.topics"), Some("false"));
        assert_eq!(
            given.writer().get("allow.auto.create.topics"),
            Some("false")
        );
    }

    #[test]
    fn another_name_of_a_property_does_not_get_past_a_default_or_a_ban() {
        let given = with(&[
            ("max.partition.fetch.bytes", "70000"),
            ("auto.commit.enable", "true"),
            ("request.required.acks", "1"),
        ])
        .unwrap();
        for (config, key, value) in [
            (
                given.reader(QUEUE_BYTES, FROZEN),
                "fetch.message.max.bytes",
                "70000",
            ),
            (
                given.reader(QUEUE_BYTES, FROZEN),
                "enable.auto.commit",
                "false",
            ),
            (given.writer(), "request.required.acks", "-1"),
        ] {
            let native = config.create_native_config().unwrap();
            assert_eq!(native.get(key).unwrap(), value, "{key}");
        }
    }

    #[test]
    fn the_queue_keeps_to_the_memory_that_it_is_given() {
        let config = with(&[]).unwrap().reader(2 << 20, FROZEN);
        assert_eq!(config.get("queued.max.messages.kbytes"), Some("2048"));
        let config = with(&[("queued.max.messages.kbytes", "512")]).unwrap();
        assert_eq!(
            config
                .reader(2 << 20, FROZEN)
                .get("queued.max.messages.kbytes"),
            Some("512")
        );
    }

    #[test]
    fn the_isolation_level_is_the_users() {
        assert!(with(&[]).unwrap().committed_only());
        let dirty = with(&[("isolation.level", "read_uncommitted")]).unwrap();
        assert!(!dirty.committed_only());
        assert_eq!(
            dirty.reader(QUEUE_BYTES, FROZEN).get("isolation.level"),
            Some("read_uncommitted")
        );
    }
}
