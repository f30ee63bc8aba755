//! TLS and logins, on a broker started with its secure listeners.

use std::time::{Duration, Instant};

use evtap::broker::{Address, Error, ErrorKind, Settings, TopicSelector, registry};

use crate::support::{all_of, open, produce_at, read, server, values, with_topic};

/// The listener's address and the properties to reach it.
fn secure(variable: &str) -> Option<(String, String)> {
    let host = server(variable)?;
    let ca = server("EVTAP_TEST_KAFKA_CA")?;
    Some((host, format!("ssl.ca.location={ca}")))
}

fn login(mechanism: &str, password: &str) -> Option<String> {
    let user = server("EVTAP_TEST_KAFKA_USER")?;
    Some(format!(
        "security.protocol=SASL_SSL&sasl.mechanism={mechanism}&sasl.username={user}&sasl.password={password}"
    ))
}

async fn error_of(url: &str) -> Error {
    let started = Instant::now();
    let error = open(url).topics(&TopicSelector::all()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{error}");
    assert!(error.hint.is_some(), "{error}");
    error
}

#[tokio::test]
async fn each_login_reads_and_a_wrong_password_is_told_as_such() {
    let Some((host, ca)) = secure("EVTAP_TEST_KAFKA_SASL_SSL") else {
        return;
    };
    let (Some(plain), Some(password)) = (
        server("EVTAP_TEST_KAFKA"),
        server("EVTAP_TEST_KAFKA_PASSWORD"),
    ) else {
        return;
    };
    let (_, topic) = with_topic(&plain, "secure", 1, &[]).await;
    produce_at(&plain, &topic, &[1, 2]);
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let good = login(mechanism, &password).unwrap();
        let broker = open(&format!("kafka://{host}?{ca}&{good}"));
        let got = read(&*broker, &all_of(&topic)).await;
        assert_eq!(values(&got), ["0", "1"], "{mechanism}");

        let wrong = login(mechanism, "guess").unwrap();
        let error = error_of(&format!("kafka://{host}?{ca}&{wrong}")).await;
        assert_eq!(
            error.kind,
            ErrorKind::Authentication,
            "{mechanism}: {error}"
        );
        assert!(!error.message.contains("guess"), "{error}");
    }
    let unknown = login("GSSAPI", &password).unwrap();
    let url = format!("kafka://{host}?{ca}&{unknown}");
    let opened = registry::open(&Address::parse(&url).unwrap(), &Settings::default());
    if let Ok(broker) = opened {
        assert!(broker.topics(&TopicSelector::all()).await.is_err());
    }
}

#[tokio::test]
async fn tls_alone_reads_and_its_mistakes_are_unreachable_with_a_hint() {
    let Some((host, ca)) = secure("EVTAP_TEST_KAFKA_SSL") else {
        return;
    };
    let Some(plain) = server("EVTAP_TEST_KAFKA") else {
        return;
    };
    let (_, topic) = with_topic(&plain, "tls", 1, &[]).await;
    produce_at(&plain, &topic, &[1]);
    let broker = open(&format!("kafka://{host}?{ca}&security.protocol=SSL"));
    assert_eq!(read(&*broker, &all_of(&topic)).await.len(), 1);

    for (url, hint) in [
        // Without TLS against a TLS listener, the reverse, and a CA that nobody knows.
        (format!("kafka://{host}"), "security.protocol=SSL"),
        (
            format!("kafka://{plain}?{ca}&security.protocol=SSL"),
            "does not speak TLS",
        ),
        (
            format!("kafka://{host}?security.protocol=SSL"),
            "ssl.ca.location",
        ),
    ] {
        let error = error_of(&url).await;
        assert_eq!(error.kind, ErrorKind::Unreachable, "{url}: {error}");
        let found = error.hint.unwrap();
        assert!(found.contains(hint), "{url}: {}: {found}", error.message);
    }
}

#[test]
fn a_ca_file_that_is_not_there_is_a_mistake() {
    let url = "kafka://127.0.0.1:1?security.protocol=SSL&ssl.ca.location=/no/such/file";
    let address = Address::parse(url).unwrap();
    let error = registry::open(&address, &Settings::default())
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Usage, "{error}");
    assert!(error.message.contains("/no/such/file"), "{error}");
}
