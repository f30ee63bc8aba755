//! Source and target side by side: what a committed reader finds in both, event by event.

use std::time::Duration;

use evtap::broker::{Bound, Subscription};
use evtap::event::TimestampType;

use crate::support::{all_of, between, open};

/// An event, apart from where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// One that a log holds.
#[derive(Debug, Clone)]
pub struct Logged {
    pub partition: u32,
    pub offset: u64,
    pub event: Event,
}

const PATIENCE: Duration = Duration::from_mins(5);

/// What a committed reader finds, by partition and offset.
pub async fn committed(host: &str, topic: &str) -> Vec<Logged> {
    logged(host, &all_of(topic)).await
}

async fn logged(host: &str, sub: &Subscription) -> Vec<Logged> {
    let broker = open(&format!("kafka://{host}"));
    let read = async {
        let mut source = broker.source(sub).await.unwrap();
        let mut all = Vec::new();
        while let Some(batch) = source.next_batch().await.unwrap() {
            all.extend(batch.iter().map(|event| {
                Logged {
                    partition: event.stream.partition,
                    offset: event.position.major,
                    event: Event {
                        timestamp: (event.timestamp_type != TimestampType::None)
                            .then_some(event.timestamp.0),
                        key: event.key.map(<[u8]>::to_vec),
                        value: event.value.map(<[u8]>::to_vec),
                        headers: event
                            .headers
                            .iter()
                            .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
                            .collect(),
                    },
                }
            }));
        }
        all
    };
    let mut all = tokio::time::timeout(PATIENCE, read).await.expect("an end");
    all.sort_by_key(|logged| (logged.partition, logged.offset));
    all
}

/// How many positions the log of the topic spans: the broker's own count, which no reader's view
/// changes.
pub async fn end_offsets(host: &str, topic: &str) -> Vec<u64> {
    let broker = open(&format!("kafka://{host}"));
    let whole = between(topic, Bound::Start, Bound::End);
    let ranges = broker.resolve(&whole).await.unwrap();
    ranges.iter().map(|range| range.end.major).collect()
}

/// The `evtap-source` of a copy: topic, partition and offset of the original.
fn origin(event: &Event) -> (String, u32, u64) {
    let mut sources = event.headers.iter().filter(|(n, _)| n == b"evtap-source");
    let (_, source) = sources.next().expect("a copy tells where it comes from");
    assert!(sources.next().is_none(), "once");
    let source = String::from_utf8(source.clone().unwrap()).unwrap();
    let mut parts = source.rsplitn(4, '/');
    let offset = parts.next().unwrap().parse().unwrap();
    let partition = parts.next().unwrap().parse().unwrap();
    (parts.next().unwrap().to_owned(), partition, offset)
}

/// Every event of the source stands in the same partition of the target, once, in its order, with
/// its own bytes, headers and timestamp, and with provenance.
#[track_caller]
pub fn same(source: &[Logged], target: &[Logged], topic: &str) {
    let mut rest = target.iter();
    let mut count = 0;
    for original in source {
        let place = format!("{topic}/{}@{}", original.partition, original.offset);
        let Some(copy) = rest.next() else {
            panic!("lost {place} and all after it: {count} of {}", source.len());
        };
        let (of_topic, of_partition, of_offset) = origin(&copy.event);
        assert_eq!(
            (of_topic.as_str(), of_partition, of_offset),
            (topic, original.partition, original.offset),
            "at {}@{} of the target, where {place} should be",
            copy.partition,
            copy.offset
        );
        assert_eq!(copy.partition, original.partition, "{place}");
        let mut bare = copy.event.clone();
        bare.headers
            .retain(|(name, _)| !name.starts_with(b"evtap-"));
        assert_eq!(bare, original.event, "{place}");
        count += 1;
    }
    assert!(rest.next().is_none(), "more than {count} events");
}

pub async fn are_equal(host: &str, source: &str, target: &str) -> usize {
    let originals = committed(host, source).await;
    let copies = committed(host, target).await;
    same(&originals, &copies, source);
    originals.len()
}
