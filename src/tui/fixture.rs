//! Events for the tests of the screen.

use std::sync::Arc;

use crate::event::{
    Batch, EventRef, Headers, Position, PositionStyle, Stream, Timestamp, TimestampType,
};

/// Events of topic `orders` as (partition, time, value); offsets count from 0 in each batch.
pub fn batch_of(events: &[(u32, i64, &str)]) -> Batch {
    let most = events.iter().map(|e| e.0).max().unwrap_or(0);
    let streams: Arc<[Stream]> = (0..=most.max(3))
        .map(|partition| Stream {
            topic: "orders".into(),
            partition,
            style: PositionStyle::Offset,
        })
        .collect();
    let mut batch = Batch::new(streams.clone());
    for (offset, (partition, time, value)) in events.iter().enumerate() {
        let pushed = batch.push(&EventRef {
            stream: &streams[*partition as usize],
            stream_index: *partition,
            position: Position::offset(offset as u64),
            timestamp: Timestamp(*time),
            timestamp_type: TimestampType::Create,
            key: Some(b"order-1"),
            value: Some(value.as_bytes()),
            headers: Headers::default(),
            meta: None,
        });
        assert!(pushed.is_ok());
    }
    batch.scanned.events = events.len() as u64;
    batch
}
