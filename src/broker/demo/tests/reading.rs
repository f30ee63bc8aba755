//! Bounded reads: order, ranges, selection.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Seen, demo, drain, find, history, read, subscription};
use crate::broker::{Bound, Broker, ErrorKind, PartitionRange, Range, Result, Subscription};
use crate::event::{
    EventRef, Position, PositionStyle, Scanned, Select, SelectError, SelectWorker, Verdict,
};

#[tokio::test]
async fn partitions_are_merged_by_time_and_keep_their_order() {
    let events = history().await;
    let mut rest: BTreeMap<(String, u32), Vec<&Seen>> = BTreeMap::new();
    for event in events.iter().rev() {
        rest.entry((event.topic.clone(), event.partition))
            .or_default()
            .push(event);
    }
    for partition in rest.values() {
        assert!(partition.windows(2).all(|w| w[0].offset > w[1].offset));
    }
    // Of the partitions' first events that are left, the next one is always the least.
    for event in &events {
        let (least, _) = rest
            .iter()
            .filter_map(|(name, left)| Some((name, left.last()?)))
            .min_by_key(|(name, head)| (head.timestamp, (*name).clone()))
            .unwrap();
        let least = least.clone();
        let head = rest.get_mut(&least).unwrap().pop().unwrap();
        assert_eq!(head.at(), event.at());
    }
}

#[tokio::test]
async fn a_range_is_read_to_its_frozen_end_and_no_further() {
    let mut sub = subscription("payments,order-events");
    let frozen = |topic: &str, partition, start, end| PartitionRange {
        topic: topic.into(),
        partition,
        style: PositionStyle::Offset,
        start: Position::offset(start),
        end: Position::offset(end),
    };
    sub.range = Range::Frozen(vec![
        frozen("payments", 0, 24, 27),
        frozen("payments", 2, 39, 40),
        frozen("order-events", 2, 7, 10),
    ]);
    let broker = demo();
    let mut source = broker.source(&sub).await.unwrap();
    assert_eq!(source.progress(), Some((0, 7)));
    let (events, metas) = drain(source.as_mut()).await;
    let at: Vec<String> = events.iter().map(Seen::at).collect();
    assert_eq!(at, ["order-events/2@9", "payments/0@26"]);
    // The aborted try, its marker, the retry; the last marker alone; the cleaner's batch.
    assert_eq!(metas.len(), 5);
    assert_eq!(source.progress(), Some((7, 7)));
    assert!(source.next_batch().await.unwrap().is_none());
}

#[tokio::test]
async fn partitions_and_bounds_leave_the_rest_out() {
    let mut sub = subscription("orders");
    sub.partitions = vec![2];
    sub.range = Range::Bounds {
        from: Bound::At(Position::offset(3)),
        until: Bound::At(Position::offset(6)),
    };
    let at: Vec<String> = read(&*demo(), &sub).await.iter().map(Seen::at).collect();
    assert_eq!(at, ["orders/2@3", "orders/2@4", "orders/2@5"]);
    sub.topics = crate::broker::TopicSelector::parse("orders,nothing").unwrap();
    let error = demo().source(&sub).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
}

/// Keeps one key, fails on another, cannot go on at a third.
struct ByKey;

impl Select for ByKey {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Self)
    }
}

impl SelectWorker for ByKey {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        match event.key.unwrap() {
            b"order-456" => Ok(Verdict::Keep),
            b"order-402" => Ok(Verdict::Failed),
            b"order-405" if event.value.is_none() => Err(SelectError {
                message: "it does not end".into(),
            }),
            _ => Ok(Verdict::Drop),
        }
    }
}

#[tokio::test]
async fn the_selection_is_applied_in_place_and_counted() {
    let mut sub = subscription("order*,payments,shipments");
    sub.select = Arc::new(ByKey);
    sub.partitions = vec![0];
    sub.range = Range::Bounds {
        from: Bound::Start,
        until: Bound::At(Position::offset(20)),
    };
    let broker = demo();
    let (kept, scanned, end) = all(&*broker, &sub).await;
    assert_eq!(
        kept,
        ["orders/0@19", "order-validation/0@18", "shipments/0@15"]
    );
    // orders 20, validations 20, payments 10, shipments 16, and 16 that the cleaner left of 20.
    assert_eq!(scanned.events, 82);
    // order-402: placed, validated, paid, shipped, and the one delta that the cleaner left.
    assert_eq!(scanned.failed, 5);
    assert!(scanned.bytes > 82 * 100);
    assert!(end.is_ok());

    sub.partitions.clear();
    sub.topics = crate::broker::TopicSelector::one("orders");
    sub.range = Range::default();
    let (kept, scanned, _) = all(&*broker, &sub).await;
    assert_eq!((kept.len(), scanned.events, scanned.failed), (1, 62, 1));

    // A selection that cannot go on ends the read.
    sub.topics = crate::broker::TopicSelector::one("order-events");
    let error = all(&*broker, &sub).await.2.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Query, "it does not end")
    );
}

/// What was kept, of how many, and how it ended: in one batch or, where time ran, in several.
async fn all(broker: &dyn Broker, sub: &Subscription) -> (Vec<String>, Scanned, Result<()>) {
    let mut source = broker.source(sub).await.unwrap();
    let (mut kept, mut scanned) = (Vec::new(), Scanned::default());
    loop {
        match source.next_batch().await {
            Ok(Some(batch)) => {
                kept.extend(batch.iter().map(|e| Seen::new(&e).at()));
                scanned.events += batch.scanned.events;
                scanned.failed += batch.scanned.failed;
                scanned.bytes += batch.scanned.bytes;
            }
            Ok(None) => return (kept, scanned, Ok(())),
            Err(error) => return (kept, scanned, Err(error)),
        }
    }
}

#[tokio::test]
async fn an_event_knows_its_record_batch() {
    for event in history().await {
        let meta = event.meta.unwrap();
        assert!((meta.base_offset..meta.next_offset()).contains(&event.offset));
        assert!(meta.max_timestamp.0 >= event.timestamp);
        assert_ne!(meta.crc, 0);
    }
    let events = history().await;
    let (a, b) = (find(&events, "payments/0@0"), find(&events, "payments/0@2"));
    assert_ne!(a.meta.unwrap().crc, b.meta.unwrap().crc);
}
