//! What follows the history.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Named, Seen, T0, named, open, subscription};
use crate::broker::{Bound, Broker, Range, Settings, Subscription, Target};
use crate::event::{
    Batch, EventRef, Headers, Position, PositionStyle, Stream, Streams, Timestamp, TimestampType,
    Visibility,
};

fn at_rate(rate: f64) -> std::sync::Arc<dyn Broker> {
    open(&Settings {
        rate: Some(rate),
        ..Settings::default()
    })
}

fn following(topics: &str, from: Bound) -> Subscription {
    Subscription {
        follow: true,
        range: Range::Bounds {
            from,
            until: Bound::End,
        },
        ..subscription(topics)
    }
}

async fn take(broker: &dyn Broker, sub: &Subscription, count: usize) -> (Vec<Seen>, Vec<Named>) {
    let mut source = broker.source(sub).await.unwrap();
    let (mut events, mut metas) = (Vec::new(), Vec::new());
    while events.len() < count {
        let batch = source.next_batch().await.unwrap().unwrap();
        events.extend(batch.iter().map(|e| Seen::new(&e)));
        metas.extend(named(&batch));
    }
    (events, metas)
}

#[tokio::test]
async fn the_live_part_goes_on_where_the_history_ends() {
    let broker = at_rate(f64::INFINITY);
    let (events, metas) = take(&*broker, &following("*", Bound::Start), 20_000).await;
    assert_eq!(events[482].timestamp, T0 + 118_750);
    let first = events[483..].iter().find(|e| e.topic == "orders").unwrap();
    assert_eq!(first.header("ce_id"), Some("ord-461"));
    assert_eq!(first.at(), "orders/2@20");
    // Offsets and sequences of all batches go on without a hole.
    let mut next: BTreeMap<&str, u64> = BTreeMap::new();
    let mut sequences: BTreeMap<(&str, i64), i32> = BTreeMap::new();
    for (name, meta) in &metas {
        let expected = next.entry(name).or_default();
        assert_eq!(meta.base_offset, *expected, "{name}");
        *expected = meta.next_offset();
        if !matches!(meta.visibility, Visibility::Control(_)) {
            let next = sequences.entry((name, meta.producer_id)).or_default();
            assert_eq!(meta.base_sequence, *next, "{name}");
            *next += meta.last_offset_delta.cast_signed() + 1;
        }
    }
    assert_eq!(next.len(), 19);
    // The order that was open at the end of the history is shipped five seconds after it came.
    let shipped = events.iter().find(|e| e.header("ce_id") == Some("shp-459"));
    assert_eq!(shipped.unwrap().timestamp, T0 + 122_000);
    assert_eq!(shipped.unwrap().at(), "shipments/0@16");
    // Nobody ships what waits behind the poisoned record.
    assert!(
        !events
            .iter()
            .any(|e| { e.topic == "shipments" && e.partition == 1 && e.timestamp > T0 + 40_000 })
    );
}

#[tokio::test]
async fn faults_come_now_and_then() {
    let broker = at_rate(f64::INFINITY);
    let (events, _) = take(&*broker, &following("*", Bound::End), 10_000).await;
    let orders = events
        .iter()
        .filter(|e| e.topic == "orders" && e.value().contains("OrderPlaced"))
        .count();
    let bad: BTreeSet<&str> = events
        .iter()
        .filter(|e| {
            e.header("producer")
                .is_some_and(|p| p == "checkout-b" || p == "pay-b")
                || e.topic == "payments.dlq"
                || e.header("x-client").is_some()
        })
        .map(Seen::key)
        .collect();
    assert!(bad.len() * 100 > orders, "{} of {orders}", bad.len());
    assert!(bad.len() * 20 < orders, "{} of {orders}", bad.len());
    for letter in events.iter().filter(|e| e.topic == "payments.dlq") {
        let (_, offset) = letter
            .headers
            .iter()
            .find(|(name, _)| name == "kafka_dlt-original-offset")
            .unwrap();
        let offset = u64::from_be_bytes(offset.as_deref().unwrap().try_into().unwrap());
        let origin = events
            .iter()
            .find(|e| e.topic == "payments" && e.key == letter.key)
            .unwrap();
        assert_eq!(origin.offset, offset);
    }
}

#[tokio::test]
async fn two_followers_see_the_same_events_at_the_same_offsets() {
    let broker = at_rate(f64::INFINITY);
    let (all, _) = take(&*broker, &following("*", Bound::End), 30_000).await;
    let (some, _) = take(&*broker, &following("payments", Bound::End), 3000).await;
    let payments: Vec<&Seen> = all.iter().filter(|e| e.topic == "payments").collect();
    for (a, b) in payments.iter().zip(&some) {
        assert_eq!(
            (a.at(), &a.value, &a.headers, a.meta.unwrap().crc),
            (b.at(), &b.value, &b.headers, b.meta.unwrap().crc)
        );
    }
    assert!(payments.len() > 2000 && some.len() >= 3000);
}

#[tokio::test]
async fn the_pace_is_kept() {
    let broker = at_rate(4000.0);
    let began = Instant::now();
    let (events, _) = take(&*broker, &following("orders", Bound::End), 100).await;
    let elapsed = began.elapsed();
    // Orders are about an eighth of the events.
    assert!(elapsed > Duration::from_millis(150), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    assert!(events.iter().all(|e| e.timestamp >= T0 + 120_000));
    let span = events[99].timestamp - events[0].timestamp;
    assert!((150..300).contains(&span), "{span} ms");
    assert!(broker.clock().await.unwrap().unwrap() >= Timestamp(T0 + 120_150));
}

#[tokio::test]
async fn a_late_follower_begins_at_the_end_as_of_now() {
    let broker = at_rate(20_000.0);
    let (early, _) = take(&*broker, &following("orders", Bound::End), 200).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (late, _) = take(&*broker, &following("orders", Bound::End), 1).await;
    assert!(late[0].timestamp > early[0].timestamp + 50);
    // From the start it gets everything again.
    let (again, _) = take(&*broker, &following("orders", Bound::Start), 262).await;
    assert_eq!(again[62].at(), early[0].at());
    assert_eq!(again[62].value, early[0].value);
}

/// At this rate there is an order in each microsecond or two, so that it cannot be missed when the
/// clock runs before its source has looked at it.
#[tokio::test]
async fn the_first_follower_misses_nothing_of_the_live_part() {
    let broker = at_rate(5e6);
    let (first, _) = take(&*broker, &following("orders", Bound::End), 1).await;
    let (all, _) = take(&*broker, &following("orders", Bound::Start), 63).await;
    assert_eq!(first[0].at(), all[62].at());
}

#[tokio::test]
async fn dropping_the_future_loses_nothing() {
    let broker = at_rate(3000.0);
    let mut source = broker.source(&following("*", Bound::End)).await.unwrap();
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    let mut events = 0;
    while events < 300 {
        let waited = tokio::time::timeout(Duration::from_millis(3), source.next_batch()).await;
        let Ok(batch) = waited else { continue };
        let batch = batch.unwrap().unwrap();
        events += batch.len();
        for (name, meta) in named(&batch) {
            let expected = *next.get(&name).unwrap_or(&meta.base_offset);
            assert_eq!(meta.base_offset, expected, "{name}");
            next.insert(name, meta.next_offset());
        }
    }
}

#[tokio::test]
async fn a_write_takes_its_place_among_the_live_events() {
    let broker = at_rate(f64::INFINITY);
    let sub = following("orders", Bound::End);
    let mut ahead = broker.source(&sub).await.unwrap();
    let mut behind = broker.source(&sub).await.unwrap();
    ahead.next_batch().await.unwrap().unwrap();
    write(&*broker, "orders", 1).await;
    let mut places = Vec::new();
    for source in [&mut ahead, &mut behind] {
        let mut last = None;
        let place = loop {
            let batch = source.next_batch().await.unwrap().unwrap();
            let mut found = None;
            for event in batch.iter().filter(|e| e.stream.partition == 1) {
                let offset = event.position.major;
                assert!(
                    last.is_none_or(|last| offset == last + 1),
                    "{last:?} {offset}"
                );
                last = Some(offset);
                if event.key == Some(b"by hand") {
                    found = Some(offset);
                }
            }
            // The partition goes on behind it without a hole.
            if let Some(offset) = found.filter(|&o| last > Some(o)) {
                break offset;
            }
            assert!(found.is_none(), "nothing came behind it");
        };
        places.push(place);
    }
    assert_eq!(places[0], places[1]);
}

#[tokio::test]
async fn a_follower_of_another_topic_gets_only_what_is_written() {
    let broker = at_rate(f64::INFINITY);
    let topic = crate::broker::NewTopic {
        name: "quiet".into(),
        partitions: 2,
        config: Vec::new(),
    };
    broker.create_topic(&topic).await.unwrap();
    let mut source = broker
        .source(&following("quiet", Bound::Start))
        .await
        .unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(50), source.next_batch()).await;
    assert!(waited.is_err());
    write(&*broker, "quiet", 1).await;
    let batch = source.next_batch().await.unwrap().unwrap();
    assert_eq!(batch.len(), 1);
    assert_eq!(Seen::new(&batch.get(0)).at(), "quiet/1@0");
}

/// Writes one event by hand.
async fn write(broker: &dyn Broker, topic: &str, partition: u32) {
    let target = Target {
        topic: topic.into(),
        overwrite: false,
    };
    let streams: Streams = [Stream {
        topic: topic.into(),
        partition,
        style: PositionStyle::Offset,
    }]
    .into();
    let mut batch = Batch::new(streams.clone());
    batch
        .push(&EventRef {
            stream: &streams[0],
            stream_index: 0,
            position: Position::ZERO,
            timestamp: Timestamp(0),
            timestamp_type: TimestampType::None,
            key: Some(b"by hand"),
            value: None,
            headers: Headers::default(),
            meta: None,
        })
        .unwrap();
    let mut sink = broker.sink(&target).await.unwrap();
    sink.send(&batch).await.unwrap();
}
