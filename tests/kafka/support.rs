//! Events as plain values, and reads to their end.

use std::time::Duration;

use evtap::broker::{Broker, Error, Source, Subscription};
use evtap::event::{
    Batch, EventRef, Headers, Position, PositionStyle, Stream, Streams, Timestamp, TimestampType,
};
use rdkafka::producer::{BaseRecord, Producer};

pub use crate::common::*;

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

/// Events of another source, for this partition of the target, with these values.
pub fn batch(partition: u32, values: impl IntoIterator<Item: AsRef<str>>) -> Batch {
    let streams: Streams = [Stream {
        topic: "elsewhere".into(),
        partition,
        style: PositionStyle::Offset,
    }]
    .into();
    let mut batch = Batch::new(streams.clone());
    for value in values {
        batch
            .push(&EventRef {
                stream: &streams[0],
                stream_index: 0,
                position: Position::ZERO,
                timestamp: Timestamp(1_700_000_000_000),
                timestamp_type: TimestampType::Create,
                key: None,
                value: Some(value.as_ref().as_bytes()),
                headers: Headers::default(),
                meta: None,
            })
            .unwrap();
    }
    batch
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
