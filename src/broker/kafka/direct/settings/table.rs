//! Which of librdkafka's properties the direct reader serves, which do not matter to it, and which
//! only librdkafka can honour. A property that stands nowhere here is one of the last kind.

use super::Unable;

/// Read by `settings`.
pub(super) const SERVED: &[&str] = &[
    "api.version.request",
    "bootstrap.servers",
    "broker.address.family",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "enable.ssl.certificate.verification",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.wait.max.ms",
    "https.ca.location",
    "https.ca.pem",
    "isolation.level",
    "max.partition.fetch.bytes",
    "metadata.broker.list",
    "metadata.max.age.ms",
    "receive.message.max.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.pem",
];

/// About writing, groups, librdkafka's own threads and queues, and what it reports. Checksums are
/// checked in any case.
const IRRELEVANT: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "api.version.fallback.ms",
    "api.version.request.timeout.ms",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "batch.num.messages",
    "batch.size",
    "broker.address.ttl",
    "broker.version.fallback",
    "builtin.features",
    "check.crcs",
    "compression.codec",
    "compression.level",
    "compression.type",
    "connections.max.idle.ms",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "debug",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.metrics.push",
    "enable.partition.eof",
    "enable.random.seed",
    "enable.sparse.connections",
    "enabled_events",
    "fetch.error.backoff.ms",
    "fetch.queue.backoff.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "internal.termination.signal",
    "linger.ms",
    "log.connection.close",
    "log.queue",
    "log.thread.name",
    "log_level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "max.poll.interval.ms",
    "message.copy.max.bytes",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partition.assignment.strategy",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "queuing.strategy",
    "reconnect.backoff.jitter.ms",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "session.timeout.ms",
    "socket.blocking.max.ms",
    "socket.max.fails",
    "socket.nagle.disable",
    "statistics.interval.ms",
    "sticky.partitioning.linger.ms",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.cnt",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.interval.ms",
    "topic.metadata.refresh.sparse",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Honoured by librdkafka alone. The test holds this list against librdkafka's own; reading needs
/// only the other two.
#[cfg(test)]
const UNABLE: &[&str] = &[
    "plugin.library.paths",
    "sasl.kerberos.keytab",
    "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.min.time.before.relogin",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.oauthbearer.assertion.algorithm",
    "sasl.oauthbearer.assertion.claim.aud",
    "sasl.oauthbearer.assertion.claim.exp.seconds",
    "sasl.oauthbearer.assertion.claim.iss",
    "sasl.oauthbearer.assertion.claim.jti.include",
    "sasl.oauthbearer.assertion.claim.nbf.seconds",
    "sasl.oauthbearer.assertion.claim.sub",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.jwt.template.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.grant.type",
    "sasl.oauthbearer.metadata.authentication.type",
    "ssl.ca.certificate.stores",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.engine.id",
    "ssl.engine.location",
    "ssl.key.password",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.providers",
    "ssl.sigalgs.list",
    "topic.blacklist",
];

/// Refuses the first property that only librdkafka knows to honour.
pub(super) fn check<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<(), Unable> {
    match names.find(|name| !SERVED.contains(name) && !IRRELEVANT.contains(name)) {
        Some(name) => Err(Unable::only_librdkafka(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::kafka::properties::TOKEN_ENDPOINT;

    /// Set by a call and never by a text.
    const CALLS: &[&str] = &[
        "default_topic_conf",
        "interceptors",
        "msg_order_cmp",
        "opaque",
        "ssl_ca",
        "ssl_certificate",
        "ssl_engine_callback_data",
        "ssl_key",
    ];

    fn is_listed(name: &str) -> bool {
        [SERVED, IRRELEVANT, UNABLE]
            .iter()
            .any(|list| list.contains(&name))
    }

    /// librdkafka's own table, where its source is at hand.
    fn documented() -> Option<String> {
        let home = std::env::var_os("CARGO_HOME").map_or_else(
            || Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".cargo")),
            |home| Some(home.into()),
        )?;
        for index in std::fs::read_dir(home.join("registry/src")).ok()?.flatten() {
            for package in std::fs::read_dir(index.path()).ok()?.flatten() {
                if package
                    .file_name()
                    .to_string_lossy()
                    .starts_with("rdkafka-sys-")
                {
                    let table = package.path().join("librdkafka/CONFIGURATION.md");
                    return std::fs::read_to_string(table).ok();
                }
            }
        }
        None
    }

    #[test]
    fn every_property_of_librdkafka_is_listed() {
        let Some(table) = documented() else { return };
        let mut seen = 0;
        for line in table.lines() {
            let mut cells = line.split('|').map(str::trim);
            let (Some(name), Some("C" | "P" | "*")) = (cells.next(), cells.next()) else {
                continue;
            };
            seen += 1;
            let call = name.ends_with("_cb") || CALLS.contains(&name);
            assert!(call || is_listed(name), "{name} is in no list");
        }
        assert!(seen > 150, "{seen} rows are no table");
    }

    #[test]
    fn what_is_listed_is_librdkafkas() {
        for name in SERVED.iter().chain(IRRELEVANT).chain(UNABLE) {
            let set = rdkafka::ClientConfig::new()
                .set(*name, "\u{1}")
                .create_native_config();
            let said = set.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(!said.contains("No such configuration"), "{name}: {said}");
        }
    }

    #[test]
    fn a_property_stands_in_one_list_only() {
        for name in SERVED {
            assert!(
                !IRRELEVANT.contains(name) && !UNABLE.contains(name),
                "{name}"
            );
        }
        for name in IRRELEVANT {
            assert!(!UNABLE.contains(name), "{name}");
        }
        for name in TOKEN_ENDPOINT {
            assert!(
                SERVED.contains(name),
                "{name} is kept from librdkafka, and not served"
            );
        }
    }

    #[test]
    fn what_nobody_listed_is_left_to_librdkafka() {
        assert!(check(["client.id", "linger.ms"].into_iter()).is_ok());
        for name in UNABLE.iter().chain(&["brand.new"]) {
            let unable = check([*name].into_iter()).unwrap_err();
            assert!(unable.0.contains(name), "{}", unable.0);
        }
    }
}
