//! A source and a target in memory, and a verification of what stands in them.

use std::sync::Arc;

use super::super::{Comparison, Noted, Sides, compare};
use crate::broker::topic::PartitionInfo;
use crate::broker::{
    BoxFuture, Broker, Capabilities, Error, ErrorKind, Notices, PartitionRange, Range, Result,
    Source, Subscription, TopicInfo, TopicSelector,
};
use crate::event::{
    Batch, EventRef, HeaderBuf, Position, PositionStyle, Scanned, Stream, Streams, Timestamp,
    TimestampType,
};
use crate::pipeline::{Consumer, Input, Limits, Reading, Stop, Unwatched};
use crate::query::{Query, QuerySpec};
use crate::replay::fake::{Memory, Sent, plan};
use crate::replay::fake_broker::FakeBroker;
use crate::replay::{Part, Plan, Runner};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub position: Position,
    pub time: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<String>)>,
}

/// A topic in memory.
#[derive(Clone)]
pub(super) struct Held {
    pub topic: &'static str,
    pub style: PositionStyle,
    pub partitions: Vec<Vec<Stored>>,
    /// Where retention has come to.
    pub first: u64,
    /// Gives up after this many batches.
    pub breaks: Option<usize>,
}

impl Held {
    fn streams(&self) -> Streams {
        (0..self.partitions.len() as u32)
            .map(|partition| Stream {
                topic: self.topic.into(),
                partition,
                style: self.style,
            })
            .collect()
    }

    /// All events in one batch.
    pub(super) fn all(&self) -> Batch {
        let mut all = Batch::new(self.streams());
        for partition in 0..self.partitions.len() {
            let sub = sub(Vec::new());
            for event in self
                .batch(partition, &self.partitions[partition], &sub)
                .iter()
            {
                all.push(&event).unwrap();
            }
        }
        all
    }

    fn end(&self, partition: usize) -> Position {
        let last = self.partitions[partition].iter().map(|e| e.position).max();
        last.map_or(Position::ZERO, |p| p.next(self.style))
    }

    fn batch(&self, partition: usize, events: &[Stored], sub: &Subscription) -> Batch {
        let table = self.streams();
        let mut batch = Batch::new(table.clone());
        let mut worker = sub.select.worker();
        for event in events {
            let mut headers = HeaderBuf::default();
            for (name, value) in &event.headers {
                headers.push(name.as_bytes(), value.as_deref().map(str::as_bytes));
            }
            let event = EventRef {
                stream: &table[partition],
                stream_index: partition as u32,
                position: event.position,
                timestamp: Timestamp(event.time),
                timestamp_type: TimestampType::Create,
                key: event.key.as_deref(),
                value: event.value.as_deref(),
                headers: headers.as_headers(),
                meta: None,
            };
            if let Some(kept) = worker.kept(&event, &mut Scanned::default()).unwrap() {
                batch.push(&kept).unwrap();
            }
        }
        batch.scanned = Scanned {
            events: events.len() as u64,
            ..Scanned::default()
        };
        batch
    }
}

impl Broker for Held {
    fn capabilities(&self) -> Capabilities {
        FakeBroker::new(&[]).can
    }

    fn topics<'a>(&'a self, _: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        let partitions = (0..self.partitions.len()).map(|partition| PartitionInfo {
            partition: partition as u32,
            first: Position::offset(self.first),
            end: self.end(partition),
            events: None,
        });
        let info = TopicInfo {
            name: self.topic.into(),
            internal: false,
            style: self.style,
            partitions: partitions.collect(),
        };
        Box::pin(async { Ok(vec![info]) })
    }

    fn resolve<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(async { Err(Error::new(ErrorKind::Broker, "the ranges are frozen")) })
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        let Range::Frozen(ranges) = &sub.range else {
            panic!("the ranges are frozen")
        };
        let mut batches = Vec::new();
        for range in ranges {
            let inside: Vec<Stored> = self.partitions[range.partition as usize]
                .iter()
                .filter(|e| e.position >= range.start && e.position < range.end)
                .cloned()
                .collect();
            for (turn, events) in inside.chunks(3).enumerate() {
                let batch = self.batch(range.partition as usize, events, sub);
                batches.push((turn, batch));
            }
        }
        // The partitions take turns.
        batches.sort_by_key(|(turn, _)| std::cmp::Reverse(*turn));
        let source = Handed {
            batches: batches.into_iter().map(|(_, batch)| batch).collect(),
            left: self.breaks,
        };
        Box::pin(async { Ok(Box::new(source) as Box<dyn Source>) })
    }
}

struct Handed {
    batches: Vec<Batch>,
    left: Option<usize>,
}

impl Source for Handed {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        let broken = self.left == Some(0);
        self.left = self.left.map(|left| left.saturating_sub(1));
        let next = if broken {
            Err(Error::new(ErrorKind::Broker, "it broke"))
        } else {
            Ok(self.batches.pop())
        };
        Box::pin(async { next })
    }
}

/// Two partitions of some dozen events with holes, and what a run makes of them.
pub(super) struct Bench {
    pub plan: Plan,
    pub source: Held,
    pub target: Held,
    pub limit: Option<u64>,
    pub memory: usize,
    pub elsewhere: Vec<Part>,
    /// What the run noted.
    pub noted: Option<Noted>,
}

/// Every third position is a hole; entries of Redis stand a second apart.
fn position(style: PositionStyle, index: u64) -> Position {
    match style {
        PositionStyle::Offset => Position::offset(index + index / 2),
        PositionStyle::Entry => Position {
            major: 1_700_000_000_000 + index / 3 * 1000,
            minor: index % 3,
        },
    }
}

pub(super) fn stored(style: PositionStyle, index: u64) -> Stored {
    Stored {
        position: position(style, index),
        time: 1_723_717_843_000 + index.cast_signed(),
        key: (!index.is_multiple_of(5)).then(|| vec![b'k', index as u8 % 4]),
        value: (!index.is_multiple_of(7)).then(|| index.to_string().into_bytes()),
        headers: vec![("a".into(), None), ("a".into(), Some(index.to_string()))],
    }
}

fn copy_of(sent: &Sent, offset: u64) -> Stored {
    Stored {
        position: Position::offset(offset),
        time: sent.time.unwrap_or(1),
        key: sent.key.clone(),
        value: sent.value.clone(),
        headers: sent.headers.clone(),
    }
}

impl Bench {
    pub(super) async fn new(style: PositionStyle, events: u64, change: impl Fn(&mut Plan)) -> Self {
        let mut plan = plan();
        let source = Held {
            topic: "orders",
            style,
            partitions: (0..2)
                .map(|_| (0..events).map(|i| stored(style, i)).collect())
                .collect(),
            first: 0,
            breaks: None,
        };
        for range in &mut plan.sources[0].ranges {
            range.style = style;
            range.end = source.end(range.partition as usize);
        }
        change(&mut plan);
        let mut bench = Self {
            plan,
            source,
            target: Held {
                topic: "copy",
                style: PositionStyle::Offset,
                partitions: vec![Vec::new(); 2],
                first: 0,
                breaks: None,
            },
            limit: None,
            memory: 1 << 20,
            elsewhere: Vec::new(),
            noted: None,
        };
        bench.copy().await;
        bench
    }

    /// Runs the plan into the target.
    async fn copy(&mut self) {
        let memory = Memory::new();
        let runner = Runner::new(&self.plan, Box::new(memory.clone()));
        let mut runner = runner.noting(Noted::of(&self.plan, 1 << 20));
        let sub = sub(self.plan.sources[0].ranges.clone());
        let mut source = self.source.source(&sub).await.unwrap();
        while let Some(batch) = source.next_batch().await.unwrap() {
            runner.batch(batch).await.unwrap();
        }
        self.noted = runner.finish_noted().await.1;
        for sent in memory.all() {
            let target = &mut self.target.partitions[sent.partition as usize];
            target.push(copy_of(&sent, target.len() as u64));
        }
    }

    pub(super) fn number(&mut self) {
        for partition in &mut self.target.partitions {
            for (offset, event) in (0..).zip(partition) {
                event.position = Position::offset(offset);
            }
        }
    }

    pub(super) fn part(&self, partition: usize) -> Part {
        let range = &self.plan.sources[0].ranges[partition];
        Part {
            source: 0,
            topic: range.topic.clone(),
            partition: range.partition,
        }
    }

    pub(super) async fn compare(&self) -> Comparison {
        self.compare_by(None).await
    }

    pub(super) async fn compare_by(&self, noted: Option<Noted>) -> Comparison {
        let ranges = self.plan.sources[0].ranges.clone();
        let reading = Reading {
            query: Arc::new(Query::compile(&QuerySpec::default()).unwrap()),
            inputs: vec![Input {
                address: self.plan.sources[0].place.address.clone(),
                shown: String::new(),
                broker: Arc::new(self.source.clone()),
                sub: sub(ranges),
                origin: 0,
            }],
            limits: Limits {
                events: self.limit,
                ..Limits::default()
            },
            last: None,
            follow: false,
        };
        let target: Arc<dyn Broker> = Arc::new(self.target.clone());
        let sides = Sides {
            plan: &self.plan,
            reading: &reading,
            target: &target,
            means: &crate::replay::alter::Means::default(),
            shown: "copy",
            cut_short: false,
            elsewhere: &self.elsewhere,
            memory: self.memory,
            notices: Notices::silent(),
        };
        let (_handle, stop) = Stop::new();
        let compared = compare(&sides, noted, &|| stop.clone(), &mut Unwatched).await;
        compared.unwrap().unwrap()
    }
}

fn sub(ranges: Vec<PartitionRange>) -> Subscription {
    Subscription {
        range: Range::Frozen(ranges),
        ..Subscription::all_of(TopicSelector::all(), 1 << 20)
    }
}
