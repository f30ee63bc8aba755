//! Logins by token, and by client certificate: the same by both readers, and for writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evtap::broker::{Address, Error, ErrorKind, Settings, Target, TopicSelector, registry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{all_of, open, open_with, produce_at, read, server, values, with_topic};

const READERS: [&str; 2] = ["direct", "rdkafka"];

/// The plain listener, and what reaches the one with logins.
fn listeners() -> Option<(String, String, Settings)> {
    let plain = server("EVTAP_TEST_KAFKA")?;
    let host = server("EVTAP_TEST_KAFKA_SASL_SSL")?;
    let mut settings = Settings::default();
    for (key, value) in [
        ("ssl.ca.location", server("EVTAP_TEST_KAFKA_CA")?),
        ("security.protocol", "sasl_ssl".into()),
        ("sasl.mechanism", "OAUTHBEARER".into()),
    ] {
        settings.properties.insert(key.into(), value);
    }
    Some((plain, format!("kafka://{host}"), settings))
}

fn with(settings: &Settings, pairs: &[(&str, &str)]) -> Settings {
    let mut settings = settings.clone();
    for (key, value) in pairs {
        settings.properties.insert((*key).into(), (*value).into());
    }
    settings
}

/// A token that nobody signed, good from now on for so many seconds.
fn token(seconds: i64) -> String {
    let now = evtap::event::Timestamp::wall_clock().0 / 1000;
    let claims = format!(
        r#"{{"sub":"alice","iat":{},"exp":{}}}"#,
        now.min(now + seconds) - 1,
        now + seconds
    );
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&claims))
}

async fn error_of(url: &str, settings: &Settings) -> Error {
    let started = Instant::now();
    let broker = open_with(url, settings);
    let error = broker.topics(&TopicSelector::all()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{error}");
    assert!(error.hint.is_some(), "{error}");
    error
}

/// An endpoint that gives tokens of so many seconds to those who know the secret, and counts.
async fn endpoint(seconds: i64) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"scope=kafka") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            count.fetch_add(1, Ordering::Relaxed);
            let request = String::from_utf8(request).unwrap();
            // me:hush
            let (status, body) = if request.contains("Basic bWU6aHVzaA==") {
                let token = token(seconds);
                let body = format!(r#"{{"access_token":"{token}","expires_in":{seconds}}}"#);
                ("200 OK", body)
            } else {
                (
                    "401 Unauthorized",
                    r#"{"error":"invalid_client"}"#.to_owned(),
                )
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, asked)
}

fn oidc<'a>(url: &'a str, secret: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("sasl.oauthbearer.method", "oidc"),
        ("sasl.oauthbearer.token.endpoint.url", url),
        ("sasl.oauthbearer.client.id", "me"),
        ("sasl.oauthbearer.client.secret", secret),
        ("sasl.oauthbearer.scope", "kafka"),
    ]
}

#[tokio::test]
async fn a_ready_token_reads_and_an_old_one_is_told_as_such() {
    let Some((plain, url, settings)) = listeners() else {
        return;
    };
    let (_, topic) = with_topic(&plain, "token", 1, &[]).await;
    produce_at(&plain, &topic, &[1, 2]);
    let (good, old) = (token(600), token(-600));
    for reader in READERS {
        let by = |token: &str| {
            let name = "evtap.sasl.oauthbearer.token";
            with(&settings, &[("evtap.reader", reader), (name, token)])
        };
        let broker = open_with(&url, &by(&good));
        assert_eq!(
            values(&read(&*broker, &all_of(&topic)).await),
            ["0", "1"],
            "{reader}"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &good).unwrap();
        let broker = open_with(&url, &by(&format!("@{}", file.path().display())));
        assert_eq!(
            values(&read(&*broker, &all_of(&topic)).await),
            ["0", "1"],
            "{reader}"
        );

        for bad in [&old, "nonsense"] {
            let error = error_of(&url, &by(bad)).await;
            assert_eq!(error.kind, ErrorKind::Authentication, "{reader}: {error}");
            assert!(error.message.contains("token"), "{reader}: {error}");
            assert!(!error.message.contains(bad), "{reader}: {error}");
        }
    }
}

#[tokio::test]
async fn a_token_that_nobody_signed_is_made_from_its_configuration() {
    let Some((plain, url, settings)) = listeners() else {
        return;
    };
    let (_, topic) = with_topic(&plain, "unsigned", 1, &[]).await;
    produce_at(&plain, &topic, &[1]);
    for reader in READERS {
        let settings = with(
            &settings,
            &[
                ("evtap.reader", reader),
                ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
                (
                    "sasl.oauthbearer.config",
                    "principal=alice extension_traceId=7",
                ),
            ],
        );
        let broker = open_with(&url, &settings);
        assert_eq!(
            values(&read(&*broker, &all_of(&topic)).await),
            ["0"],
            "{reader}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_is_asked_once_for_all_connections() {
    let Some((plain, url, settings)) = listeners() else {
        return;
    };
    let (_, topic) = with_topic(&plain, "oidc", 3, &[]).await;
    produce_at(&plain, &topic, &[1, 2]);
    for reader in READERS {
        let (endpoint, asked) = endpoint(600).await;
        let settings = with(&settings, &[("evtap.reader", reader)]);
        let broker = open_with(&url, &with(&settings, &oidc(&endpoint, "hush")));
        assert_eq!(read(&*broker, &all_of(&topic)).await.len(), 2, "{reader}");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{reader}");

        let error = error_of(&url, &with(&settings, &oidc(&endpoint, "guess"))).await;
        assert_eq!(error.kind, ErrorKind::Authentication, "{reader}: {error}");
        assert!(
            error.message.contains("invalid_client"),
            "{reader}: {error}"
        );
        assert!(!error.message.contains("guess"), "{reader}: {error}");
    }
}

#[tokio::test]
async fn groups_and_writing_log_in_by_the_endpoint_too() {
    let Some((plain, url, settings)) = listeners() else {
        return;
    };
    let (_, topic) = with_topic(&plain, "oidc-write", 1, &[]).await;
    let (endpoint, _) = endpoint(600).await;
    let broker = open_with(&url, &with(&settings, &oidc(&endpoint, "hush")));
    broker.groups().await.unwrap();
    let target = Target {
        topic: topic.as_str().into(),
        overwrite: false,
    };
    broker.sink(&target).await.map(drop).unwrap();
}

/// The broker ends a session with its token; the reader logs in anew, with a new one.
#[tokio::test]
async fn a_read_outlives_its_tokens() {
    let Some((plain, url, settings)) = listeners() else {
        return;
    };
    let (_, topic) = with_topic(&plain, "short", 1, &[]).await;
    let (endpoint, asked) = endpoint(2).await;
    let broker = open_with(&url, &with(&settings, &oidc(&endpoint, "hush")));
    let mut sub = all_of(&topic);
    sub.follow = true;
    let mut source = broker.source(&sub).await.unwrap();
    let (mut seen, mut next) = (0, 1);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(7) || seen < next - 1 {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{seen} of {next} came"
        );
        if started.elapsed() < Duration::from_secs(7) {
            produce_at(&plain, &topic, &[next]);
            next += 1;
        }
        let batch = tokio::time::timeout(Duration::from_millis(300), source.next_batch()).await;
        if let Ok(batch) = batch {
            seen += batch
                .unwrap()
                .map_or(0, |batch| i64::try_from(batch.len()).unwrap());
        }
    }
    assert!(asked.load(Ordering::Relaxed) >= 3);
}

#[tokio::test]
async fn a_client_certificate_opens_the_door_that_is_shut_without() {
    let (Some(plain), Some(host)) = (server("EVTAP_TEST_KAFKA"), server("EVTAP_TEST_KAFKA_MTLS"))
    else {
        return;
    };
    let (Some(ca), Some(cert), Some(key)) = (
        server("EVTAP_TEST_KAFKA_CA"),
        server("EVTAP_TEST_KAFKA_CERT"),
        server("EVTAP_TEST_KAFKA_KEY"),
    ) else {
        return;
    };
    let (_, topic) = with_topic(&plain, "mtls", 1, &[]).await;
    produce_at(&plain, &topic, &[1]);
    let base = format!("kafka://{host}?security.protocol=SSL&ssl.ca.location={ca}");
    let pem = std::fs::read_to_string(&key).unwrap();
    for reader in READERS {
        let url = format!("{base}&evtap.reader={reader}");
        let known = format!("{url}&ssl.certificate.location={cert}");
        let broker = open(&format!("{known}&ssl.key.location={key}"));
        assert_eq!(read(&*broker, &all_of(&topic)).await.len(), 1, "{reader}");
        let by_text = Settings::default();
        let broker = open_with(&known, &with(&by_text, &[("ssl.key.pem", &pem)]));
        assert_eq!(read(&*broker, &all_of(&topic)).await.len(), 1, "{reader}");
    }
    let error = error_of(&base, &Settings::default()).await;
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.hint.unwrap().contains("ssl.certificate.location"));

    let alone = format!("{base}&ssl.certificate.location={cert}");
    let opened = registry::open(&Address::parse(&alone).unwrap(), &Settings::default());
    assert_eq!(opened.err().unwrap().kind, ErrorKind::Usage);
}
