//! The folds over the embedded demo: each planted fault at its coordinate, and nothing else. Also
//! what the folds' own tests make their events with.

mod demo;
mod findings;
mod ids;
mod speed;

use std::sync::Arc;

use crate::broker::{Address, Broker, Settings, Subscription, TopicSelector, demo as embedded};
use crate::event::{
    Batch, EventRef, HeaderBuf, Position, PositionStyle, Stream, Streams, Timestamp, TimestampType,
};

/// 2024-08-15T10:30:00Z.
pub(super) const T0: i64 = 1_723_717_800_000;
/// The demo's virtual clock.
pub(super) const NOW: Timestamp = Timestamp(T0 + 120_000);

pub(super) fn broker(isolation: &str) -> Arc<dyn Broker> {
    let settings = Settings {
        properties: [("isolation.level".to_owned(), isolation.to_owned())].into(),
        ..Settings::default()
    };
    (embedded::ADAPTER.open)(&Address::parse("demo:").unwrap(), &settings).unwrap()
}

/// The whole frozen history.
pub(super) async fn history_of(isolation: &str) -> Vec<Batch> {
    let sub = Subscription::all_of(TopicSelector::all(), 1 << 20);
    let mut source = broker(isolation).source(&sub).await.unwrap();
    let mut batches = Vec::new();
    while let Some(batch) = source.next_batch().await.unwrap() {
        batches.push(batch);
    }
    batches
}

pub(super) async fn history() -> Vec<Batch> {
    history_of("read_committed").await
}

/// The same events, one partition after the other, `size` of them in a batch.
pub(super) fn by_partition(batches: &[Batch], size: usize) -> Vec<Batch> {
    let streams = batches[0].streams();
    let mut out = Vec::new();
    for index in (0..streams.len() as u32).rev() {
        let mut batch = Batch::new(Arc::clone(streams));
        for whole in batches {
            let mut noted = None;
            let mut metas = whole.metas().iter().filter(|m| m.stream == index);
            for event in whole.iter().filter(|e| e.stream_index == index) {
                if event.meta.copied() != noted {
                    for meta in metas.by_ref() {
                        batch.push_meta(*meta);
                        if Some(meta) == event.meta {
                            break;
                        }
                    }
                    noted = event.meta.copied();
                }
                batch.push_of_last_meta(&event).unwrap();
                if batch.len() == size {
                    out.push(std::mem::replace(
                        &mut batch,
                        Batch::new(Arc::clone(streams)),
                    ));
                    noted = None;
                    if let Some(meta) = event.meta {
                        batch.push_meta(*meta);
                        noted = Some(*meta);
                    }
                }
            }
            for meta in metas {
                batch.push_meta(*meta);
            }
        }
        out.push(batch);
    }
    out
}

/// Makes events of one topic.
pub(super) struct Made {
    pub(super) streams: Streams,
    pub(super) batch: Batch,
}

impl Made {
    pub(super) fn new(topic: &str, partitions: u32) -> Self {
        let streams: Streams = (0..partitions)
            .map(|partition| Stream {
                topic: topic.into(),
                partition,
                style: PositionStyle::Offset,
            })
            .collect();
        Self {
            batch: Batch::new(Arc::clone(&streams)),
            streams,
        }
    }

    /// An event at this partition, offset and time.
    pub(super) fn event(
        &mut self,
        place: (u32, u64, i64),
        key: &str,
        value: Option<&str>,
        headers: &[(&str, &str)],
    ) {
        let (partition, offset, time) = place;
        let mut buf = HeaderBuf::default();
        for (name, value) in headers {
            buf.push(name.as_bytes(), Some(value.as_bytes()));
        }
        let event = EventRef {
            stream: &self.streams[partition as usize],
            stream_index: partition,
            position: Position::offset(offset),
            timestamp: Timestamp(time),
            timestamp_type: TimestampType::Create,
            key: Some(key.as_bytes()),
            value: value.map(str::as_bytes),
            headers: buf.as_headers(),
            meta: None,
        };
        self.batch.push(&event).unwrap();
    }

    /// An event whose value is no text.
    pub(super) fn event_bytes(&mut self, place: (u32, u64, i64), value: Option<&[u8]>) {
        let (partition, offset, time) = place;
        let none = HeaderBuf::default();
        let event = EventRef {
            stream: &self.streams[partition as usize],
            stream_index: partition,
            position: Position::offset(offset),
            timestamp: Timestamp(time),
            timestamp_type: TimestampType::Create,
            key: None,
            value,
            headers: none.as_headers(),
            meta: None,
        };
        self.batch.push(&event).unwrap();
    }
}
