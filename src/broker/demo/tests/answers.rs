//! What the broker tells: topics, groups, its clock, and the history that other brokers get.

use super::{T0, demo, history, open, subscription, with_property};
use crate::broker::demo::history as prepared;
use crate::broker::{Bound, ErrorKind, NewTopic, PartitionRange, Range, Settings, TopicSelector};
use crate::event::{Position, PositionStyle, Timestamp};

#[tokio::test]
async fn topics_have_the_documented_ends() {
    let broker = demo();
    let topics = broker.topics(&TopicSelector::all()).await.unwrap();
    let ends: Vec<(String, Vec<u64>, Vec<u64>)> = topics
        .iter()
        .map(|t| {
            assert!(t.partitions.iter().all(|p| p.first == Position::ZERO));
            (
                t.name.to_string(),
                t.partitions.iter().map(|p| p.end.major).collect(),
                t.partitions.iter().map(|p| p.events.unwrap()).collect(),
            )
        })
        .collect();
    let expected = [
        ("notifications", vec![18, 11, 18], vec![18, 11, 18]),
        ("order-events", vec![76, 70, 78], vec![72, 65, 70]),
        ("order-validation", vec![20, 20, 20], vec![20, 20, 20]),
        ("orders", vec![21, 21, 20], vec![21, 21, 20]),
        ("payments", vec![38, 42, 40], vec![18, 21, 20]),
        ("payments.dlq", vec![3], vec![3]),
        ("shipments", vec![16, 11, 18], vec![16, 11, 18]),
    ];
    let expected: Vec<_> = expected.map(|(n, e, v)| (n.to_owned(), e, v)).into();
    assert_eq!(ends, expected);
    let error = broker
        .topics(&TopicSelector::one("oders"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
    assert!(
        error
            .hint
            .unwrap()
            .contains("order-events, order-validation, orders")
    );
}

#[tokio::test]
async fn groups_stand_where_they_are_documented() {
    let groups = demo().groups().await.unwrap();
    let rows: Vec<String> = groups
        .iter()
        .map(|g| {
            let offsets: Vec<String> = g
                .offsets
                .iter()
                .map(|o| {
                    format!(
                        "{}/{}@{}-{} {}",
                        o.topic,
                        o.partition,
                        o.committed.unwrap().major,
                        o.raw_lag.unwrap(),
                        o.member.as_deref().unwrap_or("nobody")
                    )
                })
                .collect();
            assert_eq!(g.kind, "consumer");
            format!(
                "{} {} {:?}: {}",
                g.name,
                g.state,
                g.members.iter().map(|m| &*m.id).collect::<Vec<_>>(),
                offsets.join(", ")
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "billing-svc Empty []: orders/0@5-16 nobody, orders/1@5-16 nobody, orders/2@5-15 nobody",
            "notifier-svc Stable [\"m1\"]: order-validation/0@20-0 m1, order-validation/1@20-0 m1, order-validation/2@20-0 m1, orders/0@21-0 m1, orders/1@21-0 m1, orders/2@20-0 m1, shipments/0@16-0 m1, shipments/1@11-0 m1, shipments/2@18-0 m1",
            "order-svc Stable [\"m1\"]: payments/0@37-1 m1, payments/1@41-1 m1, payments/2@39-1 m1",
            "payment-svc Stable [\"m1\"]: order-validation/0@20-0 m1, order-validation/1@20-0 m1, order-validation/2@20-0 m1",
            "shipping-svc Stable [\"m1\", \"m2\"]: payments/0@37-1 m1, payments/1@24-18 m1, payments/2@39-1 m2",
            "validation-svc Stable [\"m1\"]: orders/0@21-0 m1, orders/1@21-0 m1, orders/2@20-0 m1",
        ]
    );
}

#[tokio::test]
async fn the_clock_stands_two_minutes_after_the_beginning() {
    let now = demo().clock().await.unwrap().unwrap();
    assert_eq!(now.to_string(), "2024-08-15T10:32:00.000Z");
}

#[tokio::test]
async fn bounds_become_offsets() {
    let broker = demo();
    let resolve = async |topics: &str, from: Bound, until: Bound| -> Vec<(u64, u64)> {
        let mut sub = subscription(topics);
        sub.range = Range::Bounds { from, until };
        let ranges = broker.resolve(&sub).await.unwrap();
        ranges
            .iter()
            .map(|r| (r.start.major, r.end.major))
            .collect()
    };
    let at = |n| Bound::At(Position::offset(n));
    let time = |ms: i64| Bound::Time(Timestamp(T0 + ms));
    assert_eq!(
        resolve("payments", Bound::Start, Bound::End).await,
        [(0, 38), (0, 42), (0, 40)]
    );
    assert_eq!(
        resolve("payments", Bound::Last(5), Bound::End).await,
        [(33, 38), (37, 42), (35, 40)]
    );
    assert_eq!(resolve("payments.dlq", at(1), at(2)).await, [(1, 2)]);
    assert_eq!(resolve("payments.dlq", at(9), at(2)).await, [(3, 3)]);
    assert_eq!(
        resolve("payments.dlq", Bound::End, Bound::Start).await,
        [(3, 3)]
    );
    assert_eq!(
        resolve("payments", Bound::Group("shipping-svc".into()), Bound::End).await,
        [(37, 38), (24, 42), (39, 40)]
    );
    // order-444 was placed at +43 s; nothing has the time +1 h.
    assert_eq!(
        resolve("orders", time(43_000), time(3_600_000)).await[0],
        (15, 21)
    );
    // The poisoned payment of +35.7 s, found though pay-412 came again before it with an old time.
    assert_eq!(resolve("payments", time(35_700), Bound::End).await[1].0, 24);
    // Inside a batch that the cleaner left: order-402's last record is of +6.05 s.
    assert_eq!(
        resolve("order-events", time(6_050), Bound::End).await[0].0,
        5
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_hint() {
    let broker = demo();
    let mut sub = subscription("orders");
    sub.partitions = vec![1, 3];
    let error = broker.resolve(&sub).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.message.contains("partition 3"), "{error}");

    let from_group = |name: &str| Range::Bounds {
        from: Bound::Group(name.to_owned()),
        until: Bound::End,
    };
    sub.partitions.clear();
    sub.range = from_group("shiping-svc");
    let error = broker.source(&sub).await.err().unwrap();
    assert!(error.hint.unwrap().contains("shipping-svc"));
    sub.range = from_group("shipping-svc");
    let error = broker.source(&sub).await.err().unwrap();
    assert!(error.message.contains("no commit on orders/0"), "{error}");

    for end in [22, 21] {
        sub.range = Range::Frozen(vec![PartitionRange {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
            start: Position::offset(20),
            end: Position::offset(end),
        }]);
        assert_eq!(broker.resolve(&sub).await.is_ok(), end == 21);
    }

    for (settings, word) in [
        (
            with_property("isolation.level", "serializable"),
            "serializable",
        ),
        (
            Settings {
                rate: Some(f64::NAN),
                ..Settings::default()
            },
            "NaN",
        ),
        (
            Settings {
                rate: Some(0.0),
                ..Settings::default()
            },
            "0",
        ),
    ] {
        let address = crate::broker::Address::parse("demo:").unwrap();
        let error = crate::broker::demo::open(&address, &settings)
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains(word), "{error}");
    }
}

#[tokio::test]
async fn topics_with_bad_names_are_not_created() {
    let broker = open(&Settings::default());
    for (name, partitions) in [
        ("", 1),
        ("..", 1),
        ("a b", 1),
        ("ä", 1),
        ("a", 0),
        ("a", u32::MAX),
        ("orders", 3),
        (&"x".repeat(250), 1),
    ] {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions,
            config: Vec::new(),
        };
        let error = broker.create_topic(&topic).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage, "{name}");
        assert!(error.hint.is_some());
    }
}

#[tokio::test]
async fn the_prepared_history_is_whole() {
    let history_for_others = prepared();
    let topics: Vec<(&str, u32, usize)> = history_for_others
        .topics
        .iter()
        .map(|t| (t.name.as_str(), t.partitions, t.config.len()))
        .collect();
    assert_eq!(
        topics,
        [
            ("notifications", 3, 1),
            ("order-events", 3, 3),
            ("order-validation", 3, 1),
            ("orders", 3, 1),
            ("payments", 3, 1),
            ("payments.dlq", 1, 1),
            ("shipments", 3, 1),
        ]
    );
    let records = &history_for_others.records;
    let with = |t: Option<bool>| records.iter().filter(|r| r.transaction == t).count();
    assert_eq!(with(Some(true)), 59);
    assert_eq!(with(Some(false)), 1);
    // 480 visible ones, what the cleaner took out here, and the dead letters.
    assert_eq!(with(None), 480 + 17 + 3 - 59);
    let payments: Vec<_> = records.iter().filter(|r| r.transaction.is_some()).collect();
    assert!(payments.iter().all(|r| &*r.topic == "payments"));

    // What is visible here is among it, in the same order.
    for (topic, partition) in [("order-events", 2), ("payments", 0), ("orders", 1)] {
        let mut there = records
            .iter()
            .filter(|r| &*r.topic == topic && r.partition == partition);
        let here = history().await;
        for event in here
            .iter()
            .filter(|e| e.topic == topic && e.partition == partition)
        {
            let found = there.any(|r| {
                r.value == event.value
                    && r.key == event.key
                    && r.timestamp.0 == event.timestamp
                    && r.headers.as_headers().count() == event.headers.len()
            });
            assert!(found, "{}", event.at());
        }
    }
    let commits = &history_for_others.commits;
    assert_eq!(commits.len(), 3 + 9 + 3 + 3 + 3 + 3);
    assert!(commits.contains(&("shipping-svc".into(), "payments".into(), 1, 24)));
    assert!(commits.contains(&("billing-svc".into(), "orders".into(), 2, 5)));
}
