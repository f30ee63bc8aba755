//! Targets that differ from what a run writes in one way each; `tampered` in all ways at random.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::broker::topic::PartitionInfo;
use crate::broker::{
    BoxFuture, Broker, Capabilities, Error, ErrorKind, Notices, PartitionRange, Range, Source,
    Subscription, TopicInfo, TopicSelector,
};
use crate::event::{
    Batch, EventRef, HeaderBuf, Position, PositionStyle, Scanned, SelectAll, Stream, Streams,
    Timestamp, TimestampType, Verdict as Selected,
};
use crate::pipeline::{Consumer, Input, Limits, Reading, Stop, Ticker};
use crate::query::{Query, QuerySpec};
use crate::replay::fake::{Memory, Sent, plan};
use crate::replay::fake_broker::FakeBroker;
use crate::replay::{Part, Plan, Runner, TimestampPolicy};

mod tampered;

#[derive(Debug, Clone, PartialEq)]
struct Stored {
    position: Position,
    time: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<String>)>,
}

/// A topic in memory.
#[derive(Clone)]
struct Held {
    topic: &'static str,
    style: PositionStyle,
    partitions: Vec<Vec<Stored>>,
    /// Where retention has come to.
    first: u64,
    /// Gives up after this many batches.
    breaks: Option<usize>,
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
            if worker.test(&event).unwrap() == Selected::Keep {
                batch.push(&event).unwrap();
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

struct Quiet;

impl Ticker for Quiet {
    fn tick(&mut self, _: Scanned, _: u64, _: Option<(u64, u64)>) {}
}

/// Two partitions of some dozen events with holes, and what a run makes of them.
struct Bench {
    plan: Plan,
    source: Held,
    target: Held,
    limit: Option<u64>,
    memory: usize,
    elsewhere: Vec<Part>,
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

fn stored(style: PositionStyle, index: u64) -> Stored {
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
    async fn new(style: PositionStyle, events: u64, change: impl Fn(&mut Plan)) -> Self {
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
        };
        bench.copy().await;
        bench
    }

    /// Runs the plan into the target.
    async fn copy(&mut self) {
        let memory = Memory::new();
        let mut runner = Runner::new(&self.plan, Box::new(memory.clone()));
        let sub = sub(self.plan.sources[0].ranges.clone());
        let mut source = self.source.source(&sub).await.unwrap();
        while let Some(batch) = source.next_batch().await.unwrap() {
            runner.batch(batch).await.unwrap();
        }
        runner.finish().await;
        for sent in memory.all() {
            let target = &mut self.target.partitions[sent.partition as usize];
            target.push(copy_of(&sent, target.len() as u64));
        }
    }

    fn number(&mut self) {
        for partition in &mut self.target.partitions {
            for (offset, event) in (0..).zip(partition) {
                event.position = Position::offset(offset);
            }
        }
    }

    async fn compare(&self) -> Comparison {
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
        let compared = compare(&sides, &|| stop.clone(), &mut Quiet).await;
        compared.unwrap().unwrap()
    }
}

fn sub(ranges: Vec<PartitionRange>) -> Subscription {
    Subscription {
        topics: TopicSelector::all(),
        partitions: Vec::new(),
        range: Range::Frozen(ranges),
        follow: false,
        select: Arc::new(SelectAll),
        memory: 1 << 20,
        raw: false,
        notices: Notices::silent(),
    }
}

fn counts(found: &Comparison) -> [u64; 5] {
    Kind::ALL.map(|kind| found.count(kind))
}

const STYLES: [PositionStyle; 2] = [PositionStyle::Offset, PositionStyle::Entry];

#[tokio::test]
async fn what_other_hosts_did_is_left_to_them() {
    for style in STYLES {
        let mut bench = Bench::new(style, 50, |_| ()).await;
        bench.elsewhere = vec![Part {
            source: 0,
            topic: bench.plan.sources[0].ranges[1].topic.clone(),
            partition: bench.plan.sources[0].ranges[1].partition,
        }];
        // Of that partition nothing is missed, and nothing of it is too much.
        bench.target.partitions[1].truncate(20);
        let again = bench.target.partitions[1][3].clone();
        bench.target.partitions[1].push(again);
        bench.number();
        let found = bench.compare().await;
        assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
        assert_eq!((found.expected, found.copies), (50, 50));
        let said = found.describe().join("\n");
        assert!(said.contains("of 1 of the 2 partitions"), "{said}");
        bench.target.partitions[0].truncate(20);
        let found = bench.compare().await;
        assert_eq!(counts(&found), [30, 0, 0, 0, 0]);
    }
}

#[tokio::test]
async fn what_a_run_wrote_is_what_the_plan_selects() {
    for style in STYLES {
        for timestamps in [TimestampPolicy::Now, TimestampPolicy::Keep] {
            let mut bench = Bench::new(style, 50, |plan| plan.timestamps = timestamps).await;
            let found = bench.compare().await;
            assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
            assert_eq!((found.expected, found.copies), (100, 100));
            // Others write there too.
            bench.target.partitions[0].insert(7, stored(style, 3));
            bench.number();
            assert_eq!(bench.compare().await.verdict(), Verdict::Clean);
        }
    }
}

#[tokio::test]
async fn each_kind_of_difference_is_named_with_its_coordinates() {
    let mut bench = Bench::new(PositionStyle::Offset, 20, |_| {}).await;
    let target = &mut bench.target.partitions[0];
    target[3].value = Some(b"else".to_vec());
    target[4].key = None;
    let again = target[6].clone();
    target.push(again);
    target.swap(10, 11);
    target.remove(8);
    let mut foreign = target[0].clone();
    for (name, value) in &mut foreign.headers {
        if name == "evtap-source" {
            *value = Some("kafka://h:9092/orders/1/2".into());
        }
    }
    target.push(foreign);
    bench.number();
    let found = bench.compare().await;
    assert_eq!(counts(&found), [1, 1, 1, 1, 2]);
    let told: Vec<String> = found.describe().into_iter().skip(1).collect();
    let expected = [
        "  missing     1",
        "    orders/0@12",
        "  extra       1",
        "    orders/1@2 as copy/0@20",
        "  duplicated  1",
        "    orders/0@9 as copy/0@19",
        "  reordered   1",
        "    orders/0@15 as copy/0@10",
        "  changed     2",
        "    orders/0@4 as copy/0@3: value",
        "    orders/0@6 as copy/0@4: key",
    ];
    assert_eq!(told, expected);
    assert_eq!(found.json()["verdict"], "violation");
    assert_eq!(found.json()["counts"]["changed"], 2);
}

#[tokio::test]
async fn a_copy_in_another_partition_or_of_another_time_is_changed() {
    let keep = |plan: &mut Plan| plan.timestamps = TimestampPolicy::Keep;
    let mut bench = Bench::new(PositionStyle::Offset, 20, keep).await;
    let moved = bench.target.partitions[0].pop().unwrap();
    bench.target.partitions[1].push(moved);
    bench.target.partitions[0][5].time += 1;
    let found = bench.compare().await;
    assert_eq!(counts(&found), [0, 0, 0, 0, 2]);
    let told = found.differences.iter().filter_map(|d| d.detail.clone());
    let told: std::collections::BTreeSet<_> = told.collect();
    assert!(told.iter().eq(&["partition", "timestamp"]), "{told:?}");
}

#[tokio::test]
async fn a_side_that_cannot_be_read_to_its_end_is_inconclusive_and_accuses_nobody() {
    let mut bench = Bench::new(PositionStyle::Offset, 40, |_| {}).await;
    bench.target.breaks = Some(4);
    let found = bench.compare().await;
    assert_eq!(found.verdict(), Verdict::Inconclusive);
    assert!(
        found.notes[0].contains("target could not be read"),
        "{found:?}"
    );
    bench.target.breaks = None;
    bench.source.breaks = Some(4);
    let found = bench.compare().await;
    assert_eq!(
        found.verdict(),
        Verdict::Inconclusive,
        "{:?}",
        found.describe()
    );
    assert!(
        found.notes[0].contains("source could not be read"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_retention_took_is_told_and_is_no_difference() {
    let mut bench = Bench::new(PositionStyle::Offset, 40, |_| {}).await;
    bench.source.first = 30;
    for partition in &mut bench.source.partitions {
        partition.retain(|event| event.position.major >= 30);
    }
    let found = bench.compare().await;
    assert_eq!(
        found.verdict(),
        Verdict::Inconclusive,
        "{:?}",
        found.describe()
    );
    assert!(
        found.notes[0].contains("orders/0 begins at 30"),
        "{found:?}"
    );
    let mut bench = Bench::new(PositionStyle::Offset, 40, |_| {}).await;
    bench.target.first = 1;
    let found = bench.compare().await;
    assert!(found.notes[0].contains("part of the target"), "{found:?}");
}

#[tokio::test]
async fn with_a_limit_each_partition_is_looked_at_up_to_its_last_copy() {
    let mut bench = Bench::new(PositionStyle::Offset, 20, |_| {}).await;
    bench.limit = Some(12);
    bench.target.partitions[0].truncate(9);
    bench.target.partitions[1].truncate(3);
    assert_eq!(bench.compare().await.verdict(), Verdict::Clean);
    bench.target.partitions[0].pop();
    assert_eq!(counts(&bench.compare().await), [1, 0, 0, 0, 0]);
    bench.target.partitions[0].remove(2);
    assert_eq!(counts(&bench.compare().await), [2, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_source_that_holds_a_position_twice_is_not_called_clean() {
    let mut bench = Bench::new(PositionStyle::Offset, 20, |_| {}).await;
    let again = bench.source.partitions[0][4].clone();
    bench.source.partitions[0].insert(9, again);
    let found = bench.compare().await;
    assert_eq!(found.verdict(), Verdict::Inconclusive);
}

#[tokio::test]
async fn without_provenance_counts_and_contents_of_keys_are_compared() {
    let bare = |plan: &mut Plan| plan.provenance = false;
    let mut bench = Bench::new(PositionStyle::Offset, 40, bare).await;
    let found = bench.compare().await;
    assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
    assert_eq!(
        (found.means, found.expected, found.copies),
        (Manner::Keys, 80, 80)
    );
    assert!(
        found
            .describe()
            .last()
            .unwrap()
            .contains("order is not compared")
    );
    bench.target.partitions[0].remove(1);
    bench.target.partitions[1][2].value = Some(b"else".to_vec());
    bench.number();
    let found = bench.compare().await;
    assert_eq!(counts(&found), [1, 0, 0, 0, 1]);
    let lost = found.differences.iter().find(|d| d.kind == Kind::Missing);
    assert_eq!(
        lost.unwrap().detail.as_deref(),
        Some("16 selected, 15 in the target")
    );
}
