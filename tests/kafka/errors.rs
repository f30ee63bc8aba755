//! What goes wrong is told apart, with a hint, within ten seconds.

use std::time::{Duration, Instant};

use evtap::broker::{Broker, Error, ErrorKind, PartitionRange, Range, Target, TopicSelector};
use evtap::event::{Position, PositionStyle};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::support::{all_of, kafka, open, unique, with_topic};

/// The error of a look, which must come in time.
async fn error_of(broker: &dyn Broker) -> Error {
    let started = Instant::now();
    let error = broker.topics(&TopicSelector::all()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{error}");
    assert!(error.hint.is_some(), "{error}");
    error
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    if kafka().is_none() {
        return;
    }
    // Bound and never accepted: a port that answers nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("kafka://{}", silent.local_addr().unwrap());
    for (url, word) in [
        ("kafka://127.0.0.1:1", "refused"),
        ("kafka://no-such-host.invalid:9092", "resolve"),
        (silent.as_str(), ""),
    ] {
        let error = error_of(&*open(url)).await;
        assert_eq!(error.kind, ErrorKind::Unreachable, "{url}: {error}");
        assert!(error.message.contains(word), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_missing_topic_names_a_near_one_and_is_not_created_by_asking() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "orders", 1, &[]).await;
    let typo = format!("{topic}x");
    let error = broker.source(&all_of(&typo)).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
    assert_eq!(error.hint.unwrap(), format!("did you mean '{topic}'?"));
    let target = Target {
        topic: typo.as_str().into(),
        overwrite: false,
    };
    let error = broker.sink(&target).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
    let error = broker.topics(&TopicSelector::one(&typo)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::MissingTopic);

    tokio::time::sleep(Duration::from_millis(300)).await;
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &host)
        .create()
        .unwrap();
    let metadata = client
        .fetch_metadata(None, Duration::from_secs(10))
        .unwrap();
    assert!(metadata.topics().iter().all(|t| t.name() != typo));
}

#[tokio::test]
async fn names_that_no_topic_can_have_are_mistakes() {
    let Some(host) = kafka() else { return };
    let broker = open(&format!("kafka://{host}"));
    for name in ["a b", "ä", &"x".repeat(300)] {
        let error = broker.source(&all_of(name)).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Usage, "{name}: {error}");
    }
}

#[tokio::test]
async fn a_topic_that_exists_is_not_created_again() {
    let Some(host) = kafka() else { return };
    let (broker, name) = with_topic(&host, "twice", 1, &[]).await;
    let new = |name: &str, config: &[(String, String)]| evtap::broker::NewTopic {
        name: name.to_owned(),
        partitions: 1,
        config: config.to_vec(),
    };
    let error = broker.create_topic(&new(&name, &[])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    let bad = [("no.such.setting".to_owned(), "1".to_owned())];
    let error = broker
        .create_topic(&new(&unique("bad"), &bad))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage, "{error}");
}

#[tokio::test]
async fn a_frozen_range_of_a_topic_that_is_gone_is_told() {
    let Some(host) = kafka() else { return };
    let broker = open(&format!("kafka://{host}"));
    let topic = unique("gone");
    let mut sub = all_of(&topic);
    sub.range = Range::Frozen(vec![PartitionRange {
        topic: topic.as_str().into(),
        partition: 0,
        style: PositionStyle::Offset,
        start: Position::ZERO,
        end: Position::offset(5),
    }]);
    let error = broker.source(&sub).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
    // A wrong address is told as fast as with bounds.
    let error = open("kafka://127.0.0.1:1")
        .source(&sub)
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
}
