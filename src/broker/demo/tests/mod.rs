//! Tests of the embedded broker through what everybody else sees of it. The numbers were computed
//! from the pipeline's rules by another program, not by this one.

mod answers;
mod bytes;
mod faults;
mod live;
mod reading;
mod writing;

use std::sync::Arc;

use crate::broker::{Address, Broker, Settings, Source, Subscription, TopicSelector};
use crate::event::{Batch, BatchMeta, EventRef};

/// 2024-08-15T10:30:00Z.
const T0: i64 = 1_723_717_800_000;

fn open(settings: &Settings) -> Arc<dyn Broker> {
    super::open(&Address::parse("demo:").unwrap(), settings).unwrap()
}

fn demo() -> Arc<dyn Broker> {
    open(&Settings::default())
}

fn with_property(key: &str, value: &str) -> Settings {
    Settings {
        properties: [(key.to_owned(), value.to_owned())].into(),
        ..Settings::default()
    }
}

fn subscription(topics: &str) -> Subscription {
    Subscription::all_of(TopicSelector::parse(topics).unwrap(), 1 << 20)
}

/// An event that outlives its batch.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    topic: String,
    partition: u32,
    offset: u64,
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    meta: Option<BatchMeta>,
}

impl Seen {
    fn new(event: &EventRef<'_>) -> Self {
        Self {
            topic: event.stream.topic.to_string(),
            partition: event.stream.partition,
            offset: event.position.major,
            timestamp: event.timestamp.0,
            key: event.key.map(<[u8]>::to_vec),
            value: event.value.map(<[u8]>::to_vec),
            headers: event
                .headers
                .iter()
                .map(|(k, v)| {
                    let name = String::from_utf8(k.to_vec()).unwrap();
                    (name, v.map(<[u8]>::to_vec))
                })
                .collect(),
            meta: event.meta.copied(),
        }
    }

    fn at(&self) -> String {
        format!("{}/{}@{}", self.topic, self.partition, self.offset)
    }

    fn key(&self) -> &str {
        std::str::from_utf8(self.key.as_deref().unwrap()).unwrap()
    }

    fn value(&self) -> &str {
        std::str::from_utf8(self.value.as_deref().unwrap()).unwrap()
    }

    /// A header's text.
    fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(k, _)| k == name)?;
        Some(std::str::from_utf8(value.as_deref()?).unwrap())
    }
}

/// A record batch, with the name of its topic.
type Named = (String, BatchMeta);

fn named(batch: &Batch) -> Vec<Named> {
    let name = |meta: &BatchMeta| {
        let stream = &batch.streams()[meta.stream as usize];
        (format!("{}/{}", stream.topic, stream.partition), *meta)
    };
    batch.metas().iter().map(name).collect()
}

async fn drain(source: &mut dyn Source) -> (Vec<Seen>, Vec<Named>) {
    let (mut events, mut metas) = (Vec::new(), Vec::new());
    while let Some(batch) = source.next_batch().await.unwrap() {
        events.extend(batch.iter().map(|e| Seen::new(&e)));
        metas.extend(named(&batch));
    }
    (events, metas)
}

async fn read(broker: &dyn Broker, sub: &Subscription) -> Vec<Seen> {
    let mut source = broker.source(sub).await.unwrap();
    drain(source.as_mut()).await.0
}

/// The whole history, in the order of reading.
async fn history() -> Vec<Seen> {
    read(&*demo(), &subscription("*")).await
}

fn find<'a>(events: &'a [Seen], at: &str) -> &'a Seen {
    events
        .iter()
        .find(|e| e.at() == at)
        .unwrap_or_else(|| panic!("no event at {at}"))
}

/// Coordinates of the events for which `test` holds, in the order of reading.
fn places(events: &[Seen], test: impl Fn(&Seen) -> bool) -> Vec<String> {
    events.iter().filter(|e| test(e)).map(Seen::at).collect()
}
