//! What tests of the Kafka adapter share: the server's address, topics of their own, subscriptions,
//! another producer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use evtap::broker::{
    Address, Bound, Broker, NewTopic, Notices, Range, Settings, Subscription, TopicSelector,
    registry,
};
use rdkafka::ClientConfig;
use rdkafka::producer::BaseProducer;

pub use crate::shared::server;

/// Not every test uses all of this; constants without a name do.
const _: fn() -> Option<String> = kafka;
const _: fn() -> Remembering = remembering;
const _: [(&str, &str); 4] = COMPACTED;

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

/// The settings of a topic that is compacted as soon as that is possible.
pub const COMPACTED: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("segment.ms", "100"),
    ("min.cleanable.dirty.ratio", "0.01"),
    ("max.compaction.lag.ms", "100"),
];

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
    Subscription::all_of(TopicSelector::parse(topics).unwrap(), 64 << 20)
}

pub fn between(topics: &str, from: Bound, until: Bound) -> Subscription {
    Subscription {
        range: Range::Bounds { from, until },
        ..all_of(topics)
    }
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

/// Notices, and what they were told.
pub type Remembering = (Notices, Arc<Mutex<Vec<String>>>);

/// Notices that remember what they were told.
pub fn remembering() -> Remembering {
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&told);
    let notices = Notices::new(move |text| into.lock().unwrap().push(text.to_owned()));
    (notices, told)
}
