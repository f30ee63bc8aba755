//! Bounded reads: order, ranges, selection.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Seen, demo, drain, find, history, read, subscription};
use crate::broker::{Bound, ErrorKind, PartitionRange, Range};
use crate::event::{EventRef, Position, PositionStyle, Select, SelectError, SelectWorker, Verdict};

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
    let mut source = broker.source(&sub).await.unwrap();
    let batch = source.next_batch().await.unwrap().unwrap();
    let kept: Vec<String> = batch.iter().map(|e| Seen::new(&e).at()).collect();
    assert_eq!(
        kept,
        ["orders/0@19", "order-validation/0@18", "shipments/0@15"]
    );
    // orders 20, validations 20, payments 10, shipments 16, and 16 that the cleaner left of 20.
    assert_eq!(batch.scanned.events, 82);
    // order-402: placed, validated, paid, shipped, and the one delta that the cleaner left.
    assert_eq!(batch.scanned.failed, 5);
    assert!(batch.scanned.bytes > 82 * 100);
    assert!(source.next_batch().await.unwrap().is_none());

    sub.partitions.clear();
    sub.topics = crate::broker::TopicSelector::one("orders");
    sub.range = Range::default();
    let mut source = broker.source(&sub).await.unwrap();
    let batch = source.next_batch().await.unwrap().unwrap();
    assert_eq!(
        (batch.len(), batch.scanned.events, batch.scanned.failed),
        (1, 62, 1)
    );

    // A selection that cannot go on ends the read.
    sub.topics = crate::broker::TopicSelector::one("order-events");
    let mut source = broker.source(&sub).await.unwrap();
    let error = source.next_batch().await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Query, "it does not end")
    );
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
