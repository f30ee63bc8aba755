//! Where a read begins and ends: in the middle of batches, by time, from the end, beyond it.

use std::time::Duration;

use evtap::broker::{Bound, Range, Subscription};
use evtap::event::{Position, Timestamp};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::both::{Reader, Taken, agreed};
use crate::made::{numbered, produce};
use crate::support::{all_of, between, kafka, remembering, with_topic};

const AT: fn(u64) -> Bound = |offset| Bound::At(Position::offset(offset));

#[tokio::test]
async fn each_bound_in_the_middle_of_batches() {
    let Some(host) = kafka() else { return };
    for codec in ["lz4", "none"] {
        let (_, topic) = with_topic(&host, "cuts", 3, &[]).await;
        let how = [
            ("compression.type", codec),
            ("linger.ms", "100"),
            ("batch.num.messages", "100"),
        ];
        // The third partition stays empty.
        produce(&host, &topic, &how, (0..2000).map(|n| numbered(n, 2, 50)));
        let time = |n: i64| Bound::Time(Timestamp(1_700_000_000_000 + n));
        for (from, until, count) in [
            (AT(0), AT(1), 2),
            (AT(1), AT(2), 2),
            (AT(57), AT(58), 2),
            (AT(57), AT(457), 800),
            (AT(99), AT(101), 4),
            (AT(100), AT(200), 200),
            (AT(999), Bound::End, 2),
            (AT(1000), Bound::End, 0),
            (AT(5000), AT(6000), 0),
            (AT(300), AT(200), 0),
            (Bound::Start, AT(5000), 2000),
            (Bound::Last(1), Bound::End, 2),
            (Bound::Last(150), Bound::End, 300),
            (Bound::Last(5000), Bound::End, 2000),
            (Bound::Last(0), Bound::End, 0),
            (time(501), Bound::End, 1499),
            (time(501), time(1301), 800),
            (time(-1), time(9999), 2000),
            (time(9999), Bound::End, 0),
        ] {
            let sub = between(&topic, from.clone(), until.clone());
            let seen = agreed(&host, "", &sub).await;
            assert_eq!(seen.events.len(), count, "{from:?} {until:?}");
        }
        let mut one = between(&topic, AT(57), AT(457));
        one.partitions = vec![1];
        assert_eq!(agreed(&host, "", &one).await.events.len(), 400);
    }
}

#[tokio::test]
async fn partitions_at_their_end_do_not_hold_up_the_others_of_their_broker() {
    let Some(host) = kafka() else { return };
    // Most of them are empty: each of their answers may take the whole wait of the broker.
    let (_, topic) = with_topic(&host, "many-ends", 24, &[]).await;
    produce(&host, &topic, &[], (0..600).map(|n| numbered(n, 3, 50)));
    let mut sub = all_of(&topic);
    sub.follow = true;
    let broker = Reader::Direct.open(&host, "fetch.wait.max.ms=1000");
    let mut source = broker.source(&sub).await.unwrap();
    let mut taken = Taken::default();
    let all = taken.until(&mut *source, 600);
    let in_time = tokio::time::timeout(Duration::from_secs(5), all).await;
    assert!(in_time.is_ok(), "only {} of 600 came", taken.events.len());
}

#[tokio::test]
async fn where_a_group_stands() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "group", 3, &[]).await;
    produce(&host, &topic, &[], (0..900).map(|n| numbered(n, 3, 50)));
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &host)
        .set("group.id", &topic)
        .create()
        .unwrap();
    // The third partition has no commit.
    let mut list = TopicPartitionList::new();
    for (partition, offset) in [(0, 100), (1, 300)] {
        list.add_partition_offset(&topic, partition, Offset::Offset(offset))
            .unwrap();
    }
    consumer.commit(&list, CommitMode::Sync).unwrap();
    let group = Bound::Group(topic.clone());
    let rest = between(&topic, group.clone(), Bound::End);
    assert_eq!(agreed(&host, "", &rest).await.events.len(), 500);
    let before = between(&topic, Bound::Start, group);
    assert_eq!(agreed(&host, "", &before).await.events.len(), 400);
}

#[tokio::test]
async fn a_log_whose_beginning_was_deleted() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "trimmed", 2, &[]).await;
    let how = [("linger.ms", "100"), ("batch.num.messages", "100")];
    produce(&host, &topic, &how, (0..1000).map(|n| numbered(n, 2, 50)));
    let before = agreed(&host, "", &all_of(&topic)).await;
    delete_before(&host, &topic, 0, 250).await;
    let seen = agreed(&host, "", &all_of(&topic)).await;
    assert_eq!(seen.events.len(), 750);
    assert_eq!(seen.ranges[0].start, Position::offset(250));
    let part = between(&topic, AT(100), AT(300));
    assert_eq!(agreed(&host, "", &part).await.events.len(), 250);

    // Frozen before it was deleted: both tell what is gone, and read the rest.
    let mut told = Vec::new();
    for reader in crate::both::BOTH {
        let (notices, heard) = remembering();
        let sub = Subscription {
            range: Range::Frozen(before.ranges.clone()),
            notices,
            ..all_of(&topic)
        };
        let seen = crate::both::read(&*reader.open(&host, ""), &sub).await;
        assert_eq!(seen.events.len(), 750, "{reader:?}");
        told.push(heard.lock().unwrap().clone());
    }
    assert!(told[0].concat().contains("250 positions"), "{told:?}");
    assert_eq!(told[0], told[1]);

    // A partition of which nothing is left.
    delete_before(&host, &topic, 0, 500).await;
    let seen = agreed(&host, "", &all_of(&topic)).await;
    assert_eq!(seen.events.len(), 500);
}

pub async fn delete_before(host: &str, topic: &str, partition: i32, offset: i64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", host);
    let admin: AdminClient<_> = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))
        .unwrap();
    let done = admin.delete_records(&list, &AdminOptions::new()).await;
    done.unwrap();
}
