//! What is particular to Redis: streams that others wrote, logins, TLS, trimming, a server that is
//! killed and started again, and proof that looking leaves no trace. The contract suite has the
//! rest. Each test starts a `redis-server` of its own; without that program they are skipped, and
//! `EVTAP_TEST_REQUIRE=1` makes that a failure.

#![cfg(all(feature = "redis", unix))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says why it was skipped"
)]

mod faults;
mod fields;
mod journal;
#[path = "../kafka_replay/program.rs"]
mod program;
mod restart;
mod server;
#[path = "../support/mod.rs"]
mod shared;
mod traces;
mod trimmed;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use evtap::broker::{
    Address, Bound, Broker, Notices, Range, Settings, Source, Subscription, Target, TopicSelector,
    registry,
};
use evtap::event::{
    Batch, EventRef, Headers, Position, PositionStyle, Stream, Streams, Timestamp, TimestampType,
};

/// Runs a test's asynchronous part; nothing here may take longer than a minute.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { tokio::time::timeout(Duration::from_mins(1), future).await })
        .expect("the test hangs")
}

fn open(address: &str) -> Arc<dyn Broker> {
    registry::open(&Address::parse(address).unwrap(), &Settings::default()).unwrap()
}

fn sub(topic: &str) -> Subscription {
    Subscription::all_of(TopicSelector::parse(topic).unwrap(), 16 << 20)
}

fn following(topic: &str, notices: Notices) -> Subscription {
    Subscription {
        follow: true,
        range: Range::Bounds {
            from: Bound::Start,
            until: Bound::End,
        },
        notices,
        ..sub(topic)
    }
}

/// What a source told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn notices(&self) -> Notices {
        let told = self.0.clone();
        Notices::new(move |text| told.lock().unwrap().push(text.to_owned()))
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Values of all events up to the end of the range.
async fn values(source: &mut dyn Source) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(batch) = source.next_batch().await.unwrap() {
        all.extend(texts(&batch));
    }
    all
}

/// Values of the next `n` events of a source that follows.
async fn take(source: &mut dyn Source, n: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < n {
        all.extend(texts(&source.next_batch().await.unwrap().unwrap()));
    }
    all
}

fn texts(batch: &Batch) -> impl Iterator<Item = String> + '_ {
    batch
        .iter()
        .map(|e| String::from_utf8_lossy(e.value.unwrap_or(b"(null)")).into_owned())
}

fn target(topic: &str) -> Target {
    Target {
        topic: topic.into(),
        overwrite: false,
    }
}

/// Events whose values are these numbers.
fn numbered(range: std::ops::Range<usize>) -> Batch {
    let streams: Streams = [Stream {
        topic: "elsewhere".into(),
        partition: 0,
        style: PositionStyle::Offset,
    }]
    .into();
    let mut batch = Batch::new(streams.clone());
    for n in range {
        let text = n.to_string();
        batch
            .push(&EventRef {
                stream: &streams[0],
                stream_index: 0,
                position: Position::offset(n as u64),
                timestamp: Timestamp(0),
                timestamp_type: TimestampType::None,
                key: None,
                value: Some(text.as_bytes()),
                headers: Headers::default(),
                meta: None,
            })
            .unwrap();
    }
    batch
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}
