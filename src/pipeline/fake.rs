//! A scripted source for the tests of this room.

use std::collections::VecDeque;

use crate::broker::{BoxFuture, Error, ErrorKind, Result, Source};
use crate::event::codec::{BatchHeader, BatchOptions, Encoder, Record};
use crate::event::{
    Batch, EventRef, Headers, Position, PositionStyle, Scanned, Stream, Streams, Timestamp,
    TimestampType, Visibility,
};

pub(super) struct Script {
    streams: Streams,
    steps: VecDeque<Step>,
}

enum Step {
    Batch(Batch),
    Silence,
    Error,
}

pub(super) fn stream_table(topics: &[&str]) -> Streams {
    topics
        .iter()
        .map(|topic| Stream {
            topic: (*topic).into(),
            partition: 0,
            style: PositionStyle::Offset,
        })
        .collect()
}

impl Script {
    pub(super) fn new(streams: Streams) -> Self {
        Self {
            streams,
            steps: VecDeque::new(),
        }
    }

    /// A batch of one stream whose offsets are also the timestamps.
    pub(super) fn events(self, stream: u32, offsets: &[u64]) -> Self {
        let timed: Vec<(u64, i64)> = offsets.iter().map(|&o| (o, o.cast_signed())).collect();
        self.timed(stream, &timed)
    }

    pub(super) fn timed(mut self, stream: u32, events: &[(u64, i64)]) -> Self {
        let mut batch = Batch::new(self.streams.clone());
        for &(offset, time) in events {
            let event = EventRef {
                stream: &self.streams[stream as usize],
                stream_index: stream,
                position: Position::offset(offset),
                timestamp: Timestamp(time),
                timestamp_type: TimestampType::Create,
                key: None,
                value: Some(b"v"),
                headers: Headers::default(),
                meta: None,
            };
            batch.push(&event).unwrap();
        }
        batch.scanned = Scanned {
            events: events.len() as u64,
            bytes: events.len() as u64,
            failed: 0,
        };
        self.steps.push_back(Step::Batch(batch));
        self
    }

    /// A whole record batch of these offsets, as it came.
    pub(super) fn raw(mut self, stream: u32, offsets: &[u64]) -> Self {
        let mut encoder = Encoder::new();
        encoder.begin(offsets[0], &BatchOptions::default());
        for &offset in offsets {
            let record = Record {
                offset,
                timestamp: Timestamp(offset.cast_signed()),
                timestamp_type: TimestampType::Create,
                key: None,
                value: Some(b"v"),
                headers: Headers::default(),
            };
            encoder.push(&record).unwrap();
        }
        let mut bytes = Vec::new();
        encoder.finish(None, &mut bytes).unwrap();
        let header = BatchHeader::parse(&bytes).unwrap();
        let mut batch = Batch::new(self.streams.clone());
        let meta = header.meta(stream, Visibility::Visible);
        batch.push_raw(meta, &bytes).unwrap();
        batch.scanned.events = offsets.len() as u64;
        self.steps.push_back(Step::Batch(batch));
        self
    }

    pub(super) fn silent(mut self) -> Self {
        self.steps.push_back(Step::Silence);
        self
    }

    pub(super) fn fails(mut self) -> Self {
        self.steps.push_back(Step::Error);
        self
    }
}

impl Source for Script {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(async {
            match self.steps.pop_front() {
                Some(Step::Batch(batch)) => Ok(Some(batch)),
                Some(Step::Silence) => std::future::pending().await,
                Some(Step::Error) => Err(Error::new(ErrorKind::Broker, "scripted failure")),
                None => Ok(None),
            }
        })
    }
}
