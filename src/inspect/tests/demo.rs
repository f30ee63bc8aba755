//! Order and its neighbours over the frozen history of the demo.

use super::{by_partition, history, history_of};
use crate::event::Batch;
use crate::inspect::Names;
use crate::inspect::Verdict;
use crate::inspect::order::{Anomaly, Check, Kind, Limits, Order, OrderReport};

fn order(batches: &[Batch]) -> OrderReport {
    let mut order = Order::default();
    for batch in batches {
        order.batch(batch);
    }
    order.report(true)
}

fn told(anomaly: &Anomaly) -> String {
    let what = match &anomaly.kind {
        Kind::Disorder {
            behind_ms,
            late,
            same_key,
        } => format!("disorder {behind_ms} late={late} same_key={same_key}"),
        Kind::Duplicate { id, .. } => format!("duplicate {}", String::from_utf8_lossy(id)),
        Kind::Gap { from, to, class } => format!("gap {from}..{to} {class:?}"),
        Kind::Version { version } => format!("version {version}"),
        Kind::VersionAgain { version } => format!("version again {version}"),
        Kind::ProducerHole { sent, .. } | Kind::ProducerAgain { sent } => sent.to_string(),
        Kind::SequenceHole { producer, from, to } => {
            format!("hole {} {from}..={to}", String::from_utf8_lossy(producer))
        }
    };
    let key = String::from_utf8_lossy(anomaly.key.as_deref().unwrap_or_default());
    let other = anomaly.other.as_ref().map(ToString::to_string);
    format!("{} {key} {what} {}", anomaly.at, other.unwrap_or_default())
}

const PLANTED: [&str; 6] = [
    "notifications/2@14 order-449 hole notifier-1 41..=41 ",
    "order-events/0@19 order-417 disorder 500 late=false same_key=true order-events/0@18",
    "order-events/0@19 order-417 version 2 order-events/0@18",
    "payments/0@10 order-420 disorder 42000 late=true same_key=false payments/0@8",
    "payments/1@12 order-412 disorder 6000 late=false same_key=false payments/1@10",
    "payments/1@12 order-412 duplicate pay-412 payments/1@6",
];

#[tokio::test]
async fn order_finds_what_was_planted_and_nothing_else() {
    let history = history().await;
    for batches in [&history, &by_partition(&history, 7)] {
        let report = order(batches);
        let found: Vec<String> = report.anomalies.iter().map(told).collect();
        assert_eq!(found, PLANTED);
        for (check, verdict) in &report.checks {
            let expected = match check {
                Check::Offsets | Check::Producers => Verdict::Clean,
                _ => Verdict::Violation,
            };
            assert_eq!(*verdict, expected, "{}", check.name());
        }
        let coverage = report.coverage;
        assert_eq!(coverage.events, 483);
        assert_eq!((coverage.dead_letters, coverage.ids), (3, 273));
        assert_eq!((coverage.left_censored, coverage.unkept), (7, 0));
    }
}

#[tokio::test]
async fn every_offset_without_an_event_is_explained() {
    let history = history().await;
    for batches in [&history, &by_partition(&history, 5)] {
        let report = order(batches);
        let of = |topic: &'static str| {
            let lanes = report.lanes.iter();
            lanes.filter(move |lane| &*lane.first.topic == topic)
        };
        let sum = |topic: &'static str, count: fn(&crate::inspect::order::Offsets) -> u64| -> u64 {
            of(topic).map(|lane| count(&lane.offsets)).sum()
        };
        assert_eq!(sum("payments", |o| o.commits), 59);
        assert_eq!(sum("payments", |o| o.aborts), 1);
        assert_eq!(sum("payments", |o| o.aborted), 1);
        let compacted: Vec<u64> = of("order-events").map(|l| l.offsets.compacted).collect();
        assert_eq!(compacted, [4, 5, 8]);
        let all: u64 = report.lanes.iter().map(|l| l.offsets.missing()).sum();
        assert_eq!(all, 61 + 17);
    }
}

#[tokio::test]
async fn a_careless_reader_sees_a_ghost_but_no_duplicate() {
    let report = order(&history_of("read_uncommitted").await);
    let found: Vec<String> = report.anomalies.iter().map(told).collect();
    assert_eq!(found, PLANTED);
    assert_eq!(report.coverage.ghosts, 1);
}

#[tokio::test]
async fn one_record_batch_cut_out_is_one_unexplained_gap() {
    let mut order = Order::default();
    for batch in history().await {
        let mut cut = Batch::new(batch.streams().clone());
        let gone = |stream: u32, offset: u64| {
            let stream = &batch.streams()[stream as usize];
            (&*stream.topic, stream.partition, offset) == ("shipments", 0, 5)
        };
        for meta in batch.metas() {
            if !gone(meta.stream, meta.base_offset) {
                cut.push_meta(*meta);
            }
        }
        for event in batch.iter() {
            if !gone(event.stream_index, event.position.major) {
                let meta = event.meta.unwrap();
                let at = cut.metas().iter().position(|m| m == meta).unwrap();
                cut.push_of_meta(&event, Some(at as u32)).unwrap();
            }
        }
        order.batch(&cut);
    }
    let report = order.report(true);
    assert_eq!(report.verdict(Check::Offsets), Some(&Verdict::Violation));
    let gaps: Vec<String> = report
        .anomalies
        .iter()
        .filter(|a| matches!(a.kind, Kind::Gap { .. }))
        .map(told)
        .collect();
    assert_eq!(gaps, ["shipments/0@6  gap 5..6 Unexplained "]);
}

#[tokio::test]
async fn a_fold_that_forgot_does_not_say_clean() {
    let history = history().await;
    let limits = Limits {
        ids: 480,
        keys: 4,
        ..Limits::default()
    };
    let mut order = Order::new(limits, Names::default());
    for batch in &history {
        order.batch(batch);
    }
    let report = order.report(true);
    let verdict = report.verdict(Check::Ids).unwrap().to_string();
    assert!(verdict.contains("ids were forgotten"), "{verdict}");
    // What it did find stays true.
    let versions = report.verdict(Check::Versions);
    assert_eq!(versions, Some(&Verdict::Violation));
}
