//! A plan, a batch and a sink for the tests of this room.

use std::sync::{Arc, Mutex};

use super::alter::Alterations;
use super::holds::Holds;
use super::{
    Guards, Pace, PartitionPolicy, Place, Plan, PlanSelection, PlanSource, PlanTarget,
    TimestampPolicy,
};
use crate::broker::{Address, BoxFuture, Error, ErrorKind, PartitionRange, Result, Sink, Written};
use crate::event::{
    Batch, EventRef, HeaderBuf, Position, PositionStyle, Stream, Streams, Timestamp, TimestampType,
};

pub(super) fn place(address: &str) -> Place {
    Place::new(Address::parse(address).unwrap(), None)
}

/// `kafka://h:9092/orders`, two partitions of a thousand, to `kafka://t:9092/copy`.
pub(super) fn plan() -> Plan {
    let place_of_source = place("kafka://h:9092/orders");
    Plan {
        made: Timestamp(1_723_717_920_000),
        sources: vec![PlanSource {
            address: Address::parse("kafka://h:9092/orders").unwrap(),
            name: place_of_source.name(),
            place: place_of_source,
            ranges: (0..2)
                .map(|partition| PartitionRange {
                    topic: "orders".into(),
                    partition,
                    style: PositionStyle::Offset,
                    start: Position::ZERO,
                    end: Position::offset(1000),
                })
                .collect(),
        }],
        selection: PlanSelection::default(),
        target: PlanTarget {
            address: Address::parse("kafka://t:9092/copy").unwrap(),
            place: place("kafka://t:9092/copy"),
            topic: Some("copy".into()),
            partitions: Some(2),
            create: false,
            overwrite: false,
            ends: Vec::new(),
        },
        partitions: PartitionPolicy::Same,
        timestamps: TimestampPolicy::Now,
        provenance: true,
        pace: Pace::Max,
        guards: Guards::default(),
        holds: Holds::default(),
        alterations: Alterations::default(),
        schemas: Vec::new(),
    }
}

pub(super) fn streams() -> Streams {
    (0..2)
        .map(|partition| Stream {
            topic: "orders".into(),
            partition,
            style: PositionStyle::Offset,
        })
        .collect()
}

pub(super) type Header = (&'static str, Option<&'static str>);

/// One event as the tests write it down.
#[derive(Clone)]
pub(super) struct Event {
    pub stream: u32,
    pub offset: u64,
    pub time: Option<i64>,
    pub key: Option<&'static [u8]>,
    pub value: Option<&'static [u8]>,
    pub headers: Vec<Header>,
}

pub(super) fn event(stream: u32, offset: u64) -> Event {
    Event {
        stream,
        offset,
        time: Some(1_723_717_843_000 + offset.cast_signed()),
        key: Some(b"k"),
        value: Some(b"v"),
        headers: Vec::new(),
    }
}

pub(super) fn batch(table: &Streams, events: &[Event]) -> Batch {
    let mut batch = Batch::new(table.clone());
    for event in events {
        let mut headers = HeaderBuf::default();
        for (name, value) in &event.headers {
            headers.push(name.as_bytes(), value.map(str::as_bytes));
        }
        let as_ref = EventRef {
            stream: &table[event.stream as usize],
            stream_index: event.stream,
            position: Position::offset(event.offset),
            timestamp: Timestamp(event.time.unwrap_or_default()),
            timestamp_type: event
                .time
                .map_or(TimestampType::None, |_| TimestampType::Append),
            key: event.key,
            value: event.value,
            headers: headers.as_headers(),
            meta: None,
        };
        batch.push(&as_ref).unwrap();
    }
    batch
}

/// What a sink was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub topic: String,
    pub partition: u32,
    pub time: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<String>)>,
    /// Milliseconds of the test's clock.
    pub at: u128,
}

/// Keeps what it is sent; takes no more than `room` events.
#[derive(Clone)]
pub(super) struct Memory {
    pub sent: Arc<Mutex<Vec<Sent>>>,
    pub flushes: Arc<Mutex<u32>>,
    room: usize,
    born: tokio::time::Instant,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self::with_room(usize::MAX)
    }

    pub(super) fn with_room(room: usize) -> Self {
        Self {
            sent: Arc::default(),
            flushes: Arc::default(),
            room,
            born: tokio::time::Instant::now(),
        }
    }

    pub(super) fn all(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl Sink for Memory {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut sent = self.sent.lock().unwrap();
        for event in batch.iter() {
            if sent.len() >= self.room {
                let full = Error::new(ErrorKind::Broker, "no room");
                return Box::pin(async { Err(full) });
            }
            sent.push(Sent {
                topic: event.stream.topic.to_string(),
                partition: event.stream.partition,
                time: event.time().map(|t| t.0),
                key: event.key.map(<[u8]>::to_vec),
                value: event.value.map(<[u8]>::to_vec),
                headers: event
                    .headers
                    .iter()
                    .map(|(name, value)| (text(name), value.map(text)))
                    .collect(),
                at: self.born.elapsed().as_millis(),
            });
        }
        Box::pin(async { Ok(()) })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        *self.flushes.lock().unwrap() += 1;
        let written = Written {
            events: self.sent.lock().unwrap().len() as u64,
            bytes: 0,
        };
        Box::pin(async move { Ok(written) })
    }
}
