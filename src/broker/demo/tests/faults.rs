//! The thirteen planted faults, and what must not look like one.

use std::collections::{BTreeMap, BTreeSet};

use super::with_property;
use super::{Named, Seen, T0, demo, drain, find, history, open, places, subscription};
use crate::event::{Marker, Visibility};

async fn history_with_batches() -> (Vec<Seen>, Vec<Named>) {
    let broker = demo();
    let mut source = broker.source(&subscription("*")).await.unwrap();
    drain(source.as_mut()).await
}

#[tokio::test]
async fn the_counts_of_the_history_hold() {
    let (events, metas) = history_with_batches().await;
    let count = |topic: &str| events.iter().filter(|e| e.topic == topic).count();
    assert_eq!(
        [
            "orders",
            "order-validation",
            "payments",
            "shipments",
            "notifications",
            "order-events",
            "payments.dlq"
        ]
        .map(count),
        [62, 60, 59, 45, 47, 207, 3]
    );
    let alive = || events.iter().filter(|e| e.topic != "payments.dlq");
    assert_eq!(alive().count(), 480);
    let ids: Vec<&str> = alive().filter_map(|e| e.header("ce_id")).collect();
    assert_eq!(ids.len(), 273);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 272);

    let with = |visibility: Visibility| {
        metas
            .iter()
            .filter(move |(_, m)| m.visibility == visibility)
    };
    assert_eq!(with(Visibility::Control(Marker::Commit)).count(), 59);
    assert_eq!(with(Visibility::Control(Marker::Abort)).count(), 1);
    let aborted: Vec<&Named> = with(Visibility::Aborted).collect();
    assert_eq!(aborted.len(), 1);
    assert_eq!(
        (aborted[0].0.as_str(), aborted[0].1.base_offset),
        ("payments/0", 24)
    );
    let compacted: u32 = metas
        .iter()
        .map(|(_, m)| m.last_offset_delta + 1 - m.records)
        .sum();
    assert_eq!(compacted, 17);
}

#[tokio::test]
async fn f1_five_orders_of_checkout_b_send_the_amount_as_text() {
    let events = history().await;
    let bad = places(&events, |e| {
        e.topic == "orders" && e.value().contains("Amount\":\"")
    });
    assert_eq!(
        bad,
        [
            "orders/0@15",
            "orders/2@15",
            "orders/2@16",
            "orders/0@18",
            "orders/2@18"
        ]
    );
    assert_eq!(
        places(&events, |e| e.header("producer") == Some("checkout-b")),
        bad
    );
    let first = events
        .iter()
        .filter(|e| e.topic == "orders")
        .position(|e| e.header("producer") == Some("checkout-b"));
    assert_eq!(first, Some(45));
    assert_eq!(find(&events, "orders/2@13").key(), "order-440");
}

#[tokio::test]
async fn f2_versions_of_order_417_are_appended_1_3_2_4() {
    let events = history().await;
    let versions: Vec<(String, &str, i64)> = events
        .iter()
        .filter(|e| e.topic == "order-events" && e.key() == "order-417")
        .map(|e| {
            (
                e.at(),
                e.header("version").unwrap(),
                e.timestamp - T0 - 16_000,
            )
        })
        .collect();
    let expected = [
        (17, "1", 50),
        (18, "3", 750),
        (19, "2", 250),
        (24, "4", 5050),
    ];
    assert_eq!(
        versions,
        expected.map(|(o, v, t)| (format!("order-events/0@{o}"), v, t))
    );
}

#[tokio::test]
async fn f3_and_f4_break_the_order_of_time_and_nothing_else_does() {
    let events = history().await;
    let mut newest: BTreeMap<(&str, u32), i64> = BTreeMap::new();
    let mut regressions = Vec::new();
    let records = events.iter().filter(|e| {
        // The poisoned record and tombstones have no time that could be read.
        e.topic != "payments.dlq" && e.at() != "payments/1@24" && e.value.is_some()
    });
    for event in records {
        let seen = newest
            .entry((&event.topic, event.partition))
            .or_insert(i64::MIN);
        if event.timestamp < *seen {
            regressions.push((event.at(), *seen - event.timestamp));
        }
        *seen = event.timestamp.max(*seen);
    }
    regressions.sort();
    assert_eq!(
        regressions,
        [
            ("order-events/0@19".to_owned(), 500),
            ("payments/0@10".to_owned(), 42_000),
            ("payments/1@12".to_owned(), 6_000),
        ]
    );
    assert_eq!(find(&events, "payments/0@10").key(), "order-420");
}

#[tokio::test]
async fn f4_order_412_is_paid_and_shipped_twice() {
    let events = history().await;
    let (first, again) = (
        find(&events, "payments/1@6"),
        find(&events, "payments/1@12"),
    );
    assert_eq!(
        (first.value(), first.timestamp),
        (again.value(), again.timestamp)
    );
    assert_eq!(first.header("ce_id"), again.header("ce_id"));
    assert_eq!(first.header("producer"), Some("pay-a"));
    assert_eq!(again.header("producer"), Some("pay-b"));
    let (first, again) = (
        find(&events, "shipments/1@3"),
        find(&events, "shipments/1@5"),
    );
    assert_eq!(first.header("causation-id"), again.header("causation-id"));
    assert_eq!(again.header("ce_id"), Some("shp-412-b"));
    assert_eq!(again.timestamp, T0 + 24_000);
}

#[tokio::test]
async fn f5_three_sagas_are_lost() {
    let events = history().await;
    let has =
        |topic: &str, order: &str| events.iter().any(|e| e.topic == topic && e.key() == order);
    assert_eq!(find(&events, "payments/2@22").key(), "order-434");
    assert!(!has("shipments", "order-434"));
    assert_eq!(find(&events, "shipments/0@12").key(), "order-447");
    assert!(!has("notifications", "order-447"));
    assert_eq!(find(&events, "payments/2@4").key(), "order-407");
    let cancelled = places(&events, |e| {
        e.topic == "orders" && e.value().contains("OrderCancelled")
    });
    assert_eq!(cancelled, ["orders/1@5", "orders/0@9"]);
    let mut numbers: Vec<u32> = events
        .iter()
        .filter_map(|e| e.header("seq")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let all_but_41: Vec<u32> = (1..=48).filter(|n| *n != 41).collect();
    assert_eq!(numbers, all_but_41);
    assert_eq!(
        find(&events, "notifications/2@14").header("seq"),
        Some("42")
    );
}

#[tokio::test]
async fn f6_seven_orders_wait_behind_the_poisoned_one() {
    let events = history().await;
    let waiting: Vec<String> = (26..=38)
        .step_by(2)
        .map(|o| format!("payments/1@{o}"))
        .collect();
    for (at, order) in waiting.iter().zip((439..460).step_by(3)) {
        let payment = find(&events, at);
        assert_eq!(payment.key(), format!("order-{order}"));
        assert!(
            !events
                .iter()
                .any(|e| e.topic == "shipments" && e.key() == payment.key())
        );
    }
    assert_eq!(find(&events, "payments/1@40").key(), "order-460");
}

#[tokio::test]
async fn f7_and_f10_and_f11_stand_where_they_were_planted() {
    let events = history().await;
    assert!(
        find(&events, "payments/0@16")
            .value()
            .contains("PaymentFailed")
    );
    assert_eq!(find(&events, "shipments/0@7").key(), "order-429");
    let slow = find(&events, "shipments/0@13");
    assert_eq!((slow.key(), slow.timestamp), ("order-438", T0 + 57_000));
    assert_eq!(find(&events, "notifications/0@15").timestamp, T0 + 58_000);
    let early = find(&events, "notifications/2@2");
    assert_eq!((early.key(), early.timestamp), ("order-410", T0 + 12_500));
    assert!(early.timestamp < find(&events, "shipments/2@2").timestamp);
}

#[tokio::test]
async fn f13_the_cleaner_left_the_last_record_of_each_key() {
    let (events, metas) = history_with_batches().await;
    for (partition, left, delta) in [
        (0, vec![(4, "order-405"), (5, "order-402")], 5),
        (1, vec![(5, "order-406"), (6, "order-403")], 6),
        (
            2,
            vec![(6, "order-401"), (9, "order-407"), (10, "order-404")],
            10,
        ),
    ] {
        let (_, batch) = metas
            .iter()
            .find(|(name, _)| *name == format!("order-events/{partition}"))
            .unwrap();
        assert_eq!((batch.base_offset, batch.last_offset_delta), (0, delta));
        let found: Vec<(u64, &str)> = events
            .iter()
            .filter(|e| e.topic == "order-events" && e.partition == partition)
            .filter(|e| e.offset <= u64::from(delta))
            .map(|e| (e.offset, e.key()))
            .collect();
        assert_eq!(found, left);
        for (offset, _) in left {
            let event = find(&events, &format!("order-events/{partition}@{offset}"));
            assert_eq!(event.meta, Some(*batch));
        }
    }
}

#[tokio::test]
async fn what_is_no_fault_stays_silent() {
    let (events, metas) = history_with_batches().await;
    // The tombstone is a delete.
    assert_eq!(find(&events, "order-events/0@41").value, None);
    assert_eq!(find(&events, "order-events/0@41").key(), "order-405");
    // The retry behind the aborted first try is the only visible one.
    assert_eq!(
        places(&events, |e| e.header("ce_id") == Some("pay-441")),
        ["payments/0@26"]
    );
    // Every offset is accounted for: no gap is left unexplained.
    let mut next: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, meta) in &metas {
        let expected = next.entry(name).or_default();
        assert_eq!(meta.base_offset, *expected, "{name}");
        *expected = meta.next_offset();
    }
    // Producers count without a hole, markers have no number.
    let mut sequences: BTreeMap<(&str, i64), i32> = BTreeMap::new();
    for (name, meta) in &metas {
        if let Visibility::Control(_) = meta.visibility {
            assert_eq!(meta.base_sequence, -1);
            continue;
        }
        let next = sequences.entry((name, meta.producer_id)).or_default();
        assert_eq!(
            (meta.base_sequence, meta.producer_epoch),
            (*next, 0),
            "{name}"
        );
        *next += meta.last_offset_delta.cast_signed() + 1;
    }
}

#[tokio::test]
async fn each_payment_is_followed_by_its_marker() {
    let (events, metas) = history_with_batches().await;
    for event in &events {
        let meta = event.meta.unwrap();
        assert_eq!(meta.transactional, event.topic == "payments");
        let producer = match event.header("producer").unwrap() {
            "checkout-a" => 1001,
            "checkout-b" => 1002,
            "validator-1" => 1003,
            "pay-a" => 1004,
            "pay-b" => 1005,
            "shipper-1" => 1006,
            "notifier-1" => 1007,
            "order-1" => 1008,
            other => panic!("{other}"),
        };
        assert_eq!(meta.producer_id, producer);
    }
    for pair in ["payments/0", "payments/1", "payments/2"] {
        let of: Vec<_> = metas
            .iter()
            .filter(|(n, _)| n == pair)
            .map(|(_, m)| m)
            .collect();
        for both in of.chunks(2) {
            assert!(matches!(both[1].visibility, Visibility::Control(_)));
            assert_eq!(both[0].producer_id, both[1].producer_id);
        }
    }
}

#[tokio::test]
async fn read_uncommitted_shows_the_aborted_try() {
    let broker = open(&with_property("isolation.level", "read_uncommitted"));
    let mut source = broker.source(&subscription("*")).await.unwrap();
    let (events, _) = drain(source.as_mut()).await;
    assert_eq!(events.len(), 484);
    let aborted = find(&events, "payments/0@24");
    assert_eq!(aborted.header("ce_id"), Some("pay-441"));
    assert_eq!(aborted.timestamp, T0 + 40_600);
    assert_eq!(aborted.meta.unwrap().visibility, Visibility::Aborted);
}
