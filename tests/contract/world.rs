//! One contract's world: a broker, a topic of its own, and the verbs that contracts are written in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evtap::broker::{
    Address, Bound, Broker, Capabilities, Error, ErrorKind, NewTopic, Range, Settings, Source,
    Subscription, Target, TopicSelector, Written, registry,
};
use evtap::event::{Batch, HeaderBuf, PositionStyle, Streams, Timestamp};
use evtap::event::{EventRef, Position, Stream, TimestampType};

use crate::data::{Event, Got};
use crate::fixture::{Fixture, Place};

/// Nothing in this suite may take longer than this.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct World {
    pub(crate) fixture: &'static str,
    properties: &'static [(&'static str, &'static str)],
    pub(crate) grows: bool,
    pub(crate) header_order: bool,
    pub(crate) commit: Option<fn(&Self, &str, usize) -> crate::fixture::Figures>,
    pub(crate) caps: Capabilities,
    /// The server's address, without a topic.
    pub(crate) server: String,
    pub(crate) topic: String,
    pub(crate) broker: Arc<dyn Broker>,
    _dir: tempfile::TempDir,
}

/// Runs one contract against one adapter, or says why not.
pub(crate) fn run<C>(fixture: &Fixture, contract: C)
where
    C: AsyncFnOnce(&World),
{
    let Some(world) = World::open(fixture) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let done = tokio::time::timeout(2 * PATIENCE, contract(&world)).await;
        assert!(
            done.is_ok(),
            "{}: the contract did not come to an end",
            world.fixture
        );
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
}

/// A name that no other test has: several runs share one server.
pub(crate) fn fresh(what: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = Timestamp::wall_clock().0;
    format!("contract-{now}-{}-{number}-{what}", std::process::id())
}

impl World {
    fn open(fixture: &Fixture) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let server = match fixture.place {
            Place::Server(scheme, variable) => server(scheme, variable)?,
            Place::Memory(address) => address.to_owned(),
            Place::File(ending) => {
                let path = dir.path().join(format!("events.{ending}"));
                path.to_str().unwrap().to_owned()
            }
        };
        let broker = open(&server, &with(fixture.properties, Settings::default()));
        Some(Self {
            fixture: fixture.name,
            properties: fixture.properties,
            grows: fixture.grows,
            header_order: fixture.header_order,
            commit: fixture.commit,
            caps: broker.capabilities(),
            server,
            topic: fresh("t"),
            broker,
            _dir: dir,
        })
    }

    /// Another client of the same broker.
    pub(crate) fn again(&self, settings: Settings) -> Arc<dyn Broker> {
        open(&self.server, &with(self.properties, settings))
    }

    /// True when the capability is there; else says that the contract does not apply.
    pub(crate) fn has(&self, capability: bool, what: &str) -> bool {
        if !capability {
            println!("does not apply: {} {what}", self.fixture);
        }
        capability
    }

    pub(crate) fn style(&self) -> PositionStyle {
        self.caps.positions.unwrap_or_default()
    }

    /// How many partitions the topics of this suite have.
    pub(crate) fn partitions(&self) -> u32 {
        if self.caps.partitions { 3 } else { 1 }
    }

    /// Makes the topic, where topics are made.
    pub(crate) async fn create(&self) {
        self.create_named(&self.topic).await;
    }

    pub(crate) async fn create_named(&self, name: &str) {
        if self.caps.create_topics {
            let topic = NewTopic {
                name: name.to_owned(),
                partitions: self.partitions(),
                config: Vec::new(),
            };
            self.broker.create_topic(&topic).await.unwrap();
        }
    }

    /// Makes the topic and writes the events.
    pub(crate) async fn with_events(&self, events: &[Event]) {
        self.create().await;
        let written = self.produce(events).await;
        assert_eq!(written.events, events.len() as u64);
    }

    pub(crate) async fn produce(&self, events: &[Event]) -> Written {
        self.produce_to(&self.topic, events).await
    }

    pub(crate) async fn produce_to(&self, topic: &str, events: &[Event]) -> Written {
        let target = Target {
            topic: topic.into(),
            overwrite: false,
        };
        let mut sink = self.broker.sink(&target).await.unwrap();
        for (i, chunk) in events.chunks(CHUNK).enumerate() {
            let batch = batch(topic, chunk, (i * CHUNK) as u64);
            sink.send(&batch).await.unwrap();
        }
        let written = sink.flush().await.unwrap();
        sink.finish().await.unwrap();
        written
    }

    /// A subscription to the topic, from its start to its end as of now.
    pub(crate) fn sub(&self) -> Subscription {
        Subscription::all_of(TopicSelector::one(&self.topic), 32 << 20)
    }

    pub(crate) fn between(&self, from: Bound, until: Bound) -> Subscription {
        Subscription {
            range: Range::Bounds { from, until },
            ..self.sub()
        }
    }

    pub(crate) async fn source(&self, sub: &Subscription) -> Box<dyn Source> {
        self.broker.source(sub).await.unwrap()
    }

    /// Reads a range to its end.
    pub(crate) async fn read(&self, sub: &Subscription) -> Vec<Got> {
        drain(self.source(sub).await.as_mut()).await
    }

    /// Reads the whole topic.
    pub(crate) async fn read_all(&self) -> Vec<Got> {
        self.read(&self.sub()).await
    }

    /// The error of a call that must fail, with its kind.
    pub(crate) fn refused<T>(&self, result: Result<T, Error>, kind: ErrorKind) -> Error {
        match result {
            Ok(_) => panic!("{}: taken, but should be refused as {kind:?}", self.fixture),
            Err(error) => {
                assert_eq!(error.kind, kind, "{}: {error}", self.fixture);
                error
            }
        }
    }
}

fn open(address: &str, settings: &Settings) -> Arc<dyn Broker> {
    registry::open(&Address::parse(address).unwrap(), settings).unwrap()
}

/// The settings, with the client properties of a fixture.
fn with(properties: &[(&str, &str)], mut settings: Settings) -> Settings {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    settings.properties.extend(properties.iter().map(owned));
    settings
}

/// Some scripts give the bare host and port.
fn server(scheme: &str, variable: &str) -> Option<String> {
    crate::support::server(variable).map(|place| {
        if place.contains("://") {
            place
        } else {
            format!("{scheme}://{place}")
        }
    })
}

/// Everything up to the end of the frozen range.
pub(crate) async fn drain(source: &mut dyn Source) -> Vec<Got> {
    let mut all = Vec::new();
    while let Some(batch) = next(source).await {
        all.extend(batch.iter().map(|event| Got::of(&event)));
    }
    all
}

/// Reads until `n` events have come.
pub(crate) async fn take(source: &mut dyn Source, n: usize) -> Vec<Got> {
    let mut all = Vec::new();
    while all.len() < n {
        let batch = next(source)
            .await
            .expect("a source that follows does not end");
        all.extend(batch.iter().map(|event| Got::of(&event)));
    }
    all
}

pub(crate) async fn next(source: &mut dyn Source) -> Option<Batch> {
    tokio::time::timeout(PATIENCE, source.next_batch())
        .await
        .expect("the source hangs")
        .unwrap()
}

/// Events in a batch on its way to a sink.
const CHUNK: usize = 1000;

/// The events as a sink takes them. A recording keeps the topic and the positions that they come
/// with.
fn batch(topic: &str, events: &[Event], first: u64) -> Batch {
    let mut partitions: Vec<u32> = events.iter().map(|e| e.partition).collect();
    partitions.sort_unstable();
    partitions.dedup();
    let streams: Streams = partitions
        .iter()
        .map(|&partition| Stream {
            topic: topic.into(),
            partition,
            style: PositionStyle::Offset,
        })
        .collect();
    let mut batch = Batch::new(streams.clone());
    for (i, event) in events.iter().enumerate() {
        let index = partitions.binary_search(&event.partition).unwrap();
        let mut headers = HeaderBuf::default();
        for (name, content) in &event.headers {
            headers.push(name, content.as_deref());
        }
        batch
            .push(&EventRef {
                stream: &streams[index],
                stream_index: index as u32,
                position: Position::offset(first + i as u64),
                timestamp: Timestamp(event.timestamp),
                timestamp_type: TimestampType::Create,
                key: event.key.as_deref(),
                value: event.value.as_deref(),
                headers: headers.as_headers(),
                meta: None,
            })
            .unwrap();
    }
    batch
}
