//! From properties to settings, and which properties librdkafka has to serve.

use std::collections::BTreeMap;

use super::*;
use crate::broker::{Error, ErrorKind};

fn of(pairs: &[(&str, &str)]) -> Result<Result<Settings, Unable>> {
    let given: BTreeMap<_, _> = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Settings::of(&Properties::new("h1:9092,[::1]:1,h2", given)?)
}

fn served(pairs: &[(&str, &str)]) -> Settings {
    match of(pairs) {
        Ok(Ok(settings)) => settings,
        Ok(Err(unable)) => panic!("{pairs:?}: {}", unable.0),
        Err(error) => panic!("{pairs:?}: {error}"),
    }
}

fn mistake(pairs: &[(&str, &str)]) -> Error {
    let error = of(pairs)
        .err()
        .unwrap_or_else(|| panic!("{pairs:?} is taken"));
    assert_eq!(error.kind, ErrorKind::Usage, "{error}");
    assert!(error.hint.is_some(), "{error}");
    assert!(!error.message.contains("hush"), "{error}");
    error
}

const SASL: (&str, &str) = ("security.protocol", "SASL_PLAINTEXT");
const OAUTH: (&str, &str) = ("sasl.mechanism", "OAUTHBEARER");

#[test]
fn defaults_are_ours() {
    let settings = served(&[]);
    let hosts: Vec<String> = settings.bootstrap.iter().map(Host::to_string).collect();
    assert_eq!(hosts, ["h1:9092", "[::1]:1", "h2:9092"]);
    assert_eq!(settings.client_id, "evtap");
    assert_eq!(settings.setup_timeout, Duration::from_secs(8));
    assert_eq!(settings.patience, PATIENCE);
    assert_eq!(settings.largest_answer, 100_000_000);
    assert!(settings.committed_only);
    assert_eq!(settings.rack, None);
    assert_eq!(settings.backoff.0, Duration::from_millis(20));
    assert_eq!(settings.fetch, Fetch::default());
    assert_eq!(
        settings.socket,
        Socket {
            keepalive: true,
            ..Socket::default()
        }
    );
    assert!(settings.tls.is_none() && settings.login.is_none());
}

#[test]
fn values_are_understood_as_librdkafka_understands_them() {
    let settings = served(&[
        ("client.id", "me"),
        ("socket.timeout.ms", "2500"),
        ("socket.connection.setup.timeout.ms", "0x7d0"),
        ("receive.message.max.bytes", "60000000"),
        ("max.partition.fetch.bytes", "70000"),
        ("fetch.max.bytes", "50000000"),
        ("fetch.min.bytes", "3"),
        ("fetch.wait.max.ms", "40"),
        ("isolation.level", "read_uncommitted"),
        ("client.rack", "r1"),
        ("broker.address.family", "v6"),
        ("socket.keepalive.enable", "f"),
        ("socket.receive.buffer.bytes", "65536"),
        ("reconnect.backoff.max.ms", "9000"),
        ("metadata.max.age.ms", "1000"),
    ]);
    assert_eq!(settings.client_id, "me");
    assert_eq!(settings.patience, Duration::from_millis(2500));
    assert_eq!(settings.setup_timeout, Duration::from_secs(2));
    assert_eq!(settings.largest_answer, 60_000_000);
    let fetch = Fetch {
        wait: Some(Duration::from_millis(40)),
        partition_bytes: Some(70_000),
        max_bytes: Some(50_000_000),
        min_bytes: Some(3),
    };
    assert_eq!(settings.fetch, fetch);
    assert!(!settings.committed_only);
    assert_eq!(settings.rack.as_deref(), Some("r1"));
    let socket = Socket {
        family: Family::V6,
        keepalive: false,
        send_buffer: None,
        receive_buffer: Some(65_536),
    };
    assert_eq!(settings.socket, socket);
    assert_eq!(settings.backoff.1, Duration::from_secs(9));
    assert_eq!(settings.metadata_age, Duration::from_secs(1));
    let other_name = served(&[("fetch.message.max.bytes", "4444")]);
    assert_eq!(other_name.fetch.partition_bytes, Some(4444));
}

#[test]
fn the_protocol_is_read_in_any_case() {
    for (protocol, tls) in [("SSL", true), ("Plaintext", false), ("ssl", true)] {
        let settings = served(&[("security.protocol", protocol)]);
        assert_eq!(settings.tls.is_some(), tls, "{protocol}");
        assert!(settings.login.is_none());
    }
    for (protocol, tls) in [("sasl_ssl", true), ("Sasl_Plaintext", false)] {
        let settings = served(&[
            ("security.protocol", protocol),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "u"),
            ("sasl.password", "p"),
        ]);
        assert_eq!(settings.tls.is_some(), tls, "{protocol}");
        assert!(matches!(settings.login, Some(Login::Plain(_))));
    }
    // A login that is configured and not asked for by the protocol is none.
    let quiet = served(&[("sasl.username", "u"), ("sasl.mechanism", "PLAIN")]);
    assert!(quiet.login.is_none());
}

#[test]
fn what_only_librdkafka_serves_is_named_without_its_value() {
    for (name, pairs) in [
        ("sasl.mechanism", &[SASL, ("sasl.mechanism", "GSSAPI")][..]),
        (
            "sasl.mechanism",
            &[SASL, ("sasl.mechanisms", "AWS_MSK_IAM")],
        ),
        ("ssl.cipher.suites", &[("ssl.cipher.suites", "HIGH")]),
        ("ssl.key.password", &[("ssl.key.password", "hush")]),
        (
            "client.dns.lookup",
            &[(
                "client.dns.lookup",
                "resolve_canonical_bootstrap_servers_only",
            )],
        ),
        ("api.version.request", &[("api.version.request", "false")]),
        ("topic.blacklist", &[("topic.blacklist", "hush")]),
    ] {
        let unable = of(pairs)
            .unwrap()
            .err()
            .unwrap_or_else(|| panic!("{name} is served"));
        assert!(unable.0.contains(name), "{}", unable.0);
        for (_, value) in pairs {
            assert!(!unable.0.contains(value), "{}", unable.0);
        }
    }
}

#[test]
fn a_login_without_what_it_needs_is_a_mistake() {
    for (missing, pairs) in [
        ("sasl.mechanism", &[SASL][..]),
        (
            "sasl.username",
            &[SASL, ("sasl.mechanism", "PLAIN"), ("sasl.password", "hush")],
        ),
        (
            "sasl.password",
            &[
                SASL,
                ("sasl.mechanism", "SCRAM-SHA-512"),
                ("sasl.username", "u"),
            ],
        ),
        ("token", &[SASL, OAUTH]),
        (
            "sasl.oauthbearer.config",
            &[
                SASL,
                OAUTH,
                ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
            ],
        ),
        (
            "sasl.oauthbearer.token.endpoint.url",
            &[SASL, OAUTH, ("sasl.oauthbearer.method", "oidc")],
        ),
        (
            "sasl.oauthbearer.extensions",
            &[
                SASL,
                OAUTH,
                ("evtap.sasl.oauthbearer.token", "a"),
                ("sasl.oauthbearer.extensions", "a1=hush"),
            ],
        ),
    ] {
        let error = mistake(pairs);
        assert!(error.message.contains(missing), "{missing}: {error}");
    }
}

#[test]
fn a_token_endpoint_is_a_url_of_http() {
    let with = |url| {
        [
            SASL,
            OAUTH,
            ("sasl.oauthbearer.method", "OIDC"),
            ("sasl.oauthbearer.client.id", "me"),
            ("sasl.oauthbearer.client.credentials.client.secret", "hush"),
            ("sasl.oauthbearer.token.endpoint.url", url),
        ]
    };
    for good in ["http://h/token?a=b", "https://[::1]:1/", "https://h"] {
        assert!(served(&with(good)).login.is_some());
    }
    for bad in [
        "h",
        "/hush",
        "ftp://h/hush",
        "https://u:hush@h/",
        "http://h:99999/",
        "http://",
    ] {
        let error = mistake(&with(bad));
        assert!(
            error.message.contains("token.endpoint.url"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn certificates_and_keys_that_are_none_are_mistakes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no PEM, hush").unwrap();
    let path = file.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let ssl = ("security.protocol", "ssl");
    for pairs in [
        &[ssl, ("ssl.ca.location", path)][..],
        &[ssl, ("ssl.ca.location", folder)],
        &[ssl, ("ssl.ca.pem", "hush")],
        &[ssl, ("ssl.certificate.location", path)],
        &[ssl, ("ssl.key.location", path)],
        &[
            ssl,
            ("ssl.certificate.location", path),
            ("ssl.key.location", path),
        ],
        &[
            ssl,
            ("ssl.certificate.pem", "hush"),
            ("ssl.key.pem", "hush"),
        ],
        &[
            ssl,
            ("ssl.certificate.pem", "-----BEGIN CERTIFICATE-----\nhush"),
            ("ssl.key.pem", "hush"),
        ],
    ] {
        mistake(pairs);
    }
    // Without TLS they are not looked at.
    served(&[("ssl.ca.location", path)]);
}
