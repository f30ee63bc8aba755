//! Where a read begins and ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evtap::broker::{Bound, ErrorKind, Range};
use evtap::event::{EventRef, Position, Select, SelectError, SelectWorker, Timestamp, Verdict};

use crate::support::{
    all_of, between, drain, kafka, owned, produce_at, read, remembering, values, with_topic,
};

const AT: fn(u64) -> Bound = |offset| Bound::At(Position::offset(offset));

#[tokio::test]
async fn each_bound_begins_and_ends_where_it_says() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "bounds", 2, &[]).await;
    produce_at(&host, &topic, &[1000, 2000, 3000, 4000, 5000, 6000]);
    let time = |ms| Bound::Time(Timestamp(ms));
    for (from, until, expected) in [
        (Bound::Start, Bound::End, "012345"),
        (AT(2), Bound::End, "2345"),
        (AT(2), AT(4), "23"),
        (AT(2), AT(999), "2345"),
        (AT(999), Bound::End, ""),
        (AT(u64::MAX), AT(u64::MAX), ""),
        (AT(4), AT(2), ""),
        (Bound::Last(2), Bound::End, "45"),
        (Bound::Last(99), Bound::End, "012345"),
        (Bound::Last(0), Bound::End, ""),
        (Bound::End, Bound::End, ""),
        (time(3000), Bound::End, "2345"),
        (time(3001), Bound::End, "345"),
        (time(-5), time(2500), "01"),
        (time(9000), Bound::End, ""),
        (Bound::Start, time(9000), "012345"),
    ] {
        let sub = between(&topic, from.clone(), until.clone());
        let got = values(&read(&*broker, &sub).await).concat();
        assert_eq!(got, expected, "{from:?} {until:?}");
        let ranges = broker.resolve(&sub).await.unwrap();
        assert_eq!(ranges.len(), 2);
        let frozen = evtap::broker::Subscription {
            range: Range::Frozen(ranges),
            ..sub
        };
        assert_eq!(values(&read(&*broker, &frozen).await).concat(), expected);
    }
}

#[tokio::test]
async fn the_end_is_frozen_when_the_read_begins() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "frozen", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3]);
    let mut source = broker.source(&all_of(&topic)).await.unwrap();
    produce_at(&host, &topic, &[4, 5]);
    assert_eq!(drain(&mut *source).await.unwrap().len(), 3);
    assert!(
        source.next_batch().await.unwrap().is_none(),
        "and stays ended"
    );
}

#[tokio::test]
async fn partitions_can_be_chosen() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "parts", 2, &[]).await;
    produce_at(&host, &topic, &[1]);
    let mut sub = all_of(&topic);
    sub.partitions = vec![1];
    assert_eq!(read(&*broker, &sub).await, []);
    sub.partitions = vec![0];
    assert_eq!(read(&*broker, &sub).await.len(), 1);
    sub.partitions = vec![0, 7];
    let error = broker.source(&sub).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.message.contains("partition 7"), "{error}");
}

#[tokio::test]
async fn following_waits_for_what_comes_and_a_drop_ends_it_at_once() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "follow", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2]);
    let mut sub = between(&topic, Bound::Last(1), Bound::End);
    sub.follow = true;
    let mut source = broker.source(&sub).await.unwrap();
    assert_eq!(source.progress(), None);
    let mut got = Vec::new();
    for round in 0..3 {
        let wanted = round + 1;
        while got.len() < wanted {
            let next = tokio::time::timeout(Duration::from_secs(10), source.next_batch());
            let batch = next.await.expect("an event").unwrap().expect("no end");
            got.extend(owned(&batch));
        }
        // A call that is given up loses nothing.
        let none = tokio::time::timeout(Duration::from_millis(50), source.next_batch()).await;
        assert!(none.is_err() || none.unwrap().unwrap().unwrap().is_empty());
        produce_at(&host, &topic, &[9]);
    }
    assert_eq!(values(&got), ["1", "0", "0"]);
    let started = Instant::now();
    drop(source);
    drop(broker);
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn positions_that_are_gone_are_told() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "trimmed", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3, 4]);
    delete_before(&host, &topic, 3).await;
    let (notices, told) = remembering();
    let mut sub = between(&topic, AT(1), Bound::End);
    sub.notices = notices;
    assert_eq!(values(&read(&*broker, &sub).await), ["3"]);
    let told = told.lock().unwrap();
    assert!(
        told.iter().any(|t| t.starts_with("2 positions")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_frozen_start_that_retention_has_passed_is_told_and_the_rest_is_read() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "passed", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3, 4]);
    let mut sub = all_of(&topic);
    sub.range = Range::Frozen(broker.resolve(&sub).await.unwrap());
    delete_before(&host, &topic, 3).await;
    let (notices, told) = remembering();
    sub.notices = notices;
    assert_eq!(values(&read(&*broker, &sub).await), ["3"]);
    let told = told.lock().unwrap().concat();
    assert!(told.contains("3 positions from 0"), "{told}");
}

/// Takes what is before this offset, as an operator may.
pub async fn delete_before(host: &str, topic: &str, offset: i64) {
    use rdkafka::admin::{AdminClient, AdminOptions};
    use rdkafka::{ClientConfig, Offset, TopicPartitionList};
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", host);
    let admin: AdminClient<_> = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    admin
        .delete_records(&list, &AdminOptions::new())
        .await
        .unwrap();
}

/// Keeps values that end in 7; slow enough to be worth several threads.
struct Sevens {
    headers: bool,
}

impl Select for Sevens {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Self {
            headers: self.headers,
        })
    }

    fn needs_headers(&self) -> bool {
        self.headers
    }
}

impl SelectWorker for Sevens {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        assert!(self.headers || event.headers.is_empty());
        match event.value {
            Some(value) if value.ends_with(b"7") => Ok(Verdict::Keep),
            Some(b"13") => Ok(Verdict::Failed),
            Some(b"never") => Err(SelectError {
                message: "it does not end".into(),
            }),
            _ => Ok(Verdict::Drop),
        }
    }
}

#[tokio::test]
async fn a_selection_runs_in_the_source_and_its_counts_are_told() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "select", 1, &[]).await;
    let times: Vec<i64> = (1..=5000).collect();
    produce_at(&host, &topic, &times);
    for headers in [true, false] {
        let mut sub = all_of(&topic);
        sub.select = Arc::new(Sevens { headers });
        let mut source = broker.source(&sub).await.unwrap();
        let mut scanned = evtap::event::Scanned::default();
        let mut kept = Vec::new();
        while let Some(batch) = source.next_batch().await.unwrap() {
            scanned += batch.scanned;
            kept.extend(owned(&batch));
        }
        assert_eq!((scanned.events, scanned.failed), (5000, 1));
        let expected: Vec<String> = (0..5000)
            .filter(|i| i % 10 == 7)
            .map(|i| i.to_string())
            .collect();
        assert_eq!(values(&kept), expected);
    }
}
