//! What the tests of the screen begin with: the options of a screen that was started with nothing,
//! the embedded broker and its history, events.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::connect::Connection;
use super::keymap::Keymap;
use super::model::Options;
use super::theme::{Glyphs, Theme};
use crate::broker::{Address, Bound, Broker, Settings, Subscription, TopicSelector, demo};
use crate::event::{
    Batch, EventRef, Headers, Position, PositionStyle, SelectAll, Stream, Timestamp, TimestampType,
};
use crate::query::QuerySpec;

/// A screen that was started with nothing.
pub fn options() -> Options {
    Options {
        theme: Theme::monochrome(),
        themes: Vec::new(),
        glyphs: Glyphs::UNICODE,
        keymap: Keymap::new(&BTreeMap::new()).unwrap(),
        zone: jiff::tz::TimeZone::UTC,
        memory: 64 << 20,
        contexts: Vec::new(),
        welcome: None,
        select: Arc::new(SelectAll),
        spec: QuerySpec::default(),
        selection: crate::replay::PlanSelection::default(),
        state: None,
        from: None,
        until: Bound::End,
        partitions: Vec::new(),
        follow: false,
        now: None,
        saved_filters: None,
        masks: Vec::new(),
        filters: Vec::new(),
    }
}

pub fn connection(broker: Arc<dyn Broker>, address: &str) -> Arc<Connection> {
    Arc::new(Connection {
        address: Address::parse(address).unwrap(),
        shown: address.to_owned(),
        broker,
        settings: Settings::default(),
        env: None,
    })
}

pub fn demo_connection() -> Arc<Connection> {
    let address = Address::parse("demo:").unwrap();
    let broker = (demo::ADAPTER.open)(&address, &Settings::default()).unwrap();
    connection(broker, "demo:")
}

/// The whole frozen history of the demo, as it is read.
pub async fn history() -> Vec<Batch> {
    let sub = Subscription::all_of(TopicSelector::all(), 1 << 20);
    let mut source = demo_connection().broker.source(&sub).await.unwrap();
    let mut batches = Vec::new();
    while let Some(batch) = source.next_batch().await.unwrap() {
        batches.push(batch);
    }
    batches
}

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
