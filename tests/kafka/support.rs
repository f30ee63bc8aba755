//! What the tests share: the server's address, topics of their own, and events as plain values.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evtap::broker::{
    Address, Bound, Broker, Error, NewTopic, Notices, Range, Settings, Source, Subscription,
    TopicSelector, registry,
};
use evtap::event::{Batch, SelectAll, TimestampType};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

pub use crate::shared::server;

/// Not every test uses all of this; a constant without a name does.
const _: fn() -> Option<String> = kafka;

pub fn kafka() -> Option<String> {
    server("EVTAP_TEST_KAFKA")
}

/// A name that no other test and no earlier run has.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = evtap::event::Timestamp::wall_clock().0;
    format!("kafka-test-{name}-{now}-{}-{count}", std::process::id())
}

pub fn open(url: &str) -> Arc<dyn Broker> {
    open_with(url, &Settings::default())
}

pub fn open_with(url: &str, settings: &Settings) -> Arc<dyn Broker> {
    registry::open(&Address::parse(url).unwrap(), settings).unwrap()
}

/// Opens the broker and creates a topic in it.
pub async fn with_topic(
    host: &str,
    name: &str,
    partitions: u32,
    config: &[(&str, &str)],
) -> (Arc<dyn Broker>, String) {
    let broker = open(&format!("kafka://{host}"));
    let name = unique(name);
    let topic = NewTopic {
        name: name.clone(),
        partitions,
        config: config
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
    };
    broker.create_topic(&topic).await.unwrap();
    (broker, name)
}

/// Everything of these topics, up to the end as of now.
pub fn all_of(topics: &str) -> Subscription {
    Subscription {
        topics: TopicSelector::parse(topics).unwrap(),
        partitions: Vec::new(),
        range: Range::default(),
        follow: false,
        select: Arc::new(SelectAll),
        memory: 64 << 20,
        raw: false,
        notices: Notices::silent(),
    }
}

pub fn between(topics: &str, from: Bound, until: Bound) -> Subscription {
    Subscription {
        range: Range::Bounds { from, until },
        ..all_of(topics)
    }
}

/// An event that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub partition: u32,
    pub offset: u64,
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

pub fn owned(batch: &Batch) -> impl Iterator<Item = Owned> + '_ {
    batch.iter().map(|event| Owned {
        partition: event.stream.partition,
        offset: event.position.major,
        timestamp: (event.timestamp_type != TimestampType::None).then_some(event.timestamp.0),
        key: event.key.map(<[u8]>::to_vec),
        value: event.value.map(<[u8]>::to_vec),
        headers: event
            .headers
            .iter()
            .map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec)))
            .collect(),
    })
}

/// Reads to the end of the range; a read that hangs fails.
pub async fn drain(source: &mut dyn Source) -> Result<Vec<Owned>, Error> {
    let read = async {
        let mut events = Vec::new();
        while let Some(batch) = source.next_batch().await? {
            events.extend(owned(&batch));
        }
        Ok(events)
    };
    tokio::time::timeout(Duration::from_secs(30), read)
        .await
        .expect("the read ends")
}

/// What the subscription reads, ordered by partition and offset.
pub async fn read(broker: &dyn Broker, sub: &Subscription) -> Vec<Owned> {
    let mut source = broker.source(sub).await.unwrap();
    let mut events = drain(&mut *source).await.unwrap();
    let (done, all) = source.progress().unwrap();
    assert_eq!(done, all, "a range that was read lies behind");
    for pair in events.windows(2) {
        assert!(
            pair[0].partition != pair[1].partition || pair[0].offset < pair[1].offset,
            "order within a partition"
        );
    }
    events.sort_by_key(|e| (e.partition, e.offset));
    events
}

pub fn values(events: &[Owned]) -> Vec<String> {
    events
        .iter()
        .map(|e| String::from_utf8_lossy(e.value.as_deref().unwrap_or(b"null")).into_owned())
        .collect()
}

/// Another producer than the adapter's own.
pub fn producer(host: &str, more: &[(&str, &str)]) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", host);
    config.set("message.max.bytes", "4000000");
    for (key, value) in more {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

/// Produces `0`, `1`, … into partition 0, at these timestamps, and waits until they are stored.
pub fn produce_at(host: &str, topic: &str, timestamps: &[i64]) {
    let producer = producer(host, &[]);
    for (i, timestamp) in timestamps.iter().enumerate() {
        let value = i.to_string();
        let record = BaseRecord::<(), str>::to(topic)
            .partition(0)
            .payload(&value)
            .timestamp(*timestamp);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(Duration::from_secs(10)).unwrap();
}

/// Notices that remember what they were told.
pub fn remembering() -> (Notices, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&told);
    let notices = Notices::new(move |text| into.lock().unwrap().push(text.to_owned()));
    (notices, told)
}
