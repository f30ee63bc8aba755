//! Order on made events: what is told of a disorder, what may still come, and what a fold that
//! did not see everything must not say.

use proptest::prelude::*;

use super::*;
use crate::event::Visibility;
use crate::inspect::Verdict;
use crate::inspect::tests::Made;

fn report(made: &Made, ended: bool) -> OrderReport {
    let mut order = Order::default();
    order.batch(&made.batch);
    order.report(ended)
}

fn why(report: &OrderReport, check: Check) -> String {
    report.verdict(check).unwrap().to_string()
}

#[test]
fn a_number_that_may_still_come_is_no_hole() {
    let mut made = Made::new("n", 2);
    let seq = |n: &'static str| [("seq", n), ("producer", "p")];
    made.event((0, 0, 10), "a", None, &seq("1"));
    made.event((1, 0, 11), "b", Some("x"), &seq("2"));
    made.event((0, 1, 12), "a", Some("x"), &seq("4"));
    let waiting = report(&made, false);
    assert!(waiting.anomalies.is_empty());
    assert_eq!(
        why(&waiting, Check::Sequences),
        "INCONCLUSIVE: a missing number may still be on its way"
    );
    // Both partitions have passed the time of the event that jumped.
    made.event((0, 2, 13), "a", Some("x"), &seq("5"));
    made.event((1, 1, 13), "b", Some("x"), &seq("6"));
    for passed in [report(&made, false), report(&made, true)] {
        assert_eq!(why(&passed, Check::Sequences), "VIOLATION");
        assert_eq!(passed.anomalies[0].at.to_string(), "n/0@1");
    }
    made.event((1, 2, 14), "b", Some("x"), &seq("3"));
    assert_eq!(why(&report(&made, true), Check::Sequences), "CLEAN");
}

#[test]
fn numbers_that_count_something_else_accuse_nobody() {
    let mut made = Made::new("n", 1);
    for (offset, number) in ["100", "2000", "30000"].into_iter().enumerate() {
        made.event((0, offset as u64, 0), "k", None, &[("seq", number)]);
    }
    let report = report(&made, true);
    assert!(report.anomalies.is_empty());
    assert!(why(&report, Check::Sequences).contains("do not count"));
}

#[test]
fn versions_that_number_no_events_accuse_nobody() {
    let mut made = Made::new("n", 1);
    for offset in 0..50 {
        made.event((0, offset, 0), "k", None, &[("version", "1")]);
    }
    let told = report(&made, true);
    assert!(told.anomalies.is_empty(), "{:?}", told.anomalies.len());
    assert!(why(&told, Check::Versions).contains("does not count"));
    // One that comes again among many that go on is told.
    let mut made = Made::new("n", 1);
    for (offset, version) in ["1", "2", "3", "3", "4"].into_iter().enumerate() {
        made.event((0, offset as u64, 0), "k", None, &[("version", version)]);
    }
    let told = report(&made, true);
    assert_eq!(told.anomalies[0].at.position.major, 3);
    assert_eq!(why(&told, Check::Versions), "VIOLATION");
}

#[test]
fn a_producer_that_starts_anew_keeps_its_old_hole() {
    let mut made = Made::new("n", 1);
    for (offset, number) in ["1", "2", "4", "5", "1", "2", "3"].into_iter().enumerate() {
        made.event((0, offset as u64, 0), "k", None, &[("seq", number)]);
    }
    let report = report(&made, true);
    assert_eq!(report.anomalies.len(), 1);
    assert_eq!(report.anomalies[0].at.position.major, 2);
}

#[test]
fn without_record_batches_a_gap_is_unknown() {
    let mut made = Made::new("n", 1);
    made.event((0, 0, 0), "a", None, &[]);
    assert_eq!(why(&report(&made, true), Check::Offsets), "CLEAN");
    made.event((0, 3, 0), "a", None, &[]);
    let report = report(&made, true);
    assert!(why(&report, Check::Offsets).contains("nothing of record batches"));
    assert_eq!(report.lanes[0].offsets.unknown, 2);
    assert_eq!(report.anomalies.len(), 1);
}

#[test]
fn a_filter_and_a_jump_are_no_gaps_but_doubts() {
    let mut made = Made::new("n", 1);
    made.event((0, 0, 0), "a", Some("x"), &[("ce_id", "i")]);
    let mut order = Order::default();
    order.batch(&made.batch);
    order.skipped();
    let mut later = Made::new("n", 1);
    later.event((0, 500, 1), "a", Some("x"), &[("ce_id", "j")]);
    order.batch(&later.batch);
    let report = order.report(true);
    assert!(report.anomalies.is_empty());
    assert!(why(&report, Check::Time).contains("jumped"));
    made.batch.scanned.events = 7;
    assert!(why(&self::report(&made, true), Check::Ids).contains("filter"));
}

#[test]
fn the_same_events_once_more_are_passed_over() {
    let mut made = Made::new("n", 1);
    made.event((0, 0, 5), "a", Some("x"), &[("ce_id", "i")]);
    made.event((0, 1, 4), "a", Some("x"), &[("ce_id", "j")]);
    let mut order = Order::default();
    order.batch(&made.batch);
    let once = order.report(true);
    order.batch(&made.batch);
    let twice = order.report(true);
    assert_eq!(once.anomalies, twice.anomalies);
    assert_eq!(twice.coverage.again, 2);
}

#[test]
fn an_empty_stream_is_not_clean() {
    let report = Order::default().report(true);
    for (check, verdict) in &report.checks {
        assert!(
            matches!(verdict, Verdict::Inconclusive(_) | Verdict::Idle(_)),
            "{}",
            check.name()
        );
    }
}

proptest! {
    #[test]
    fn disorder_is_what_a_slow_count_says(times in prop::collection::vec((0u32..3, 0i64..40), 0..120)) {
        let mut made = Made::new("n", 3);
        let mut next = [0u64; 3];
        let mut newest = [i64::MIN; 3];
        let mut expected = Vec::new();
        for (partition, time) in times {
            let lane = partition as usize;
            made.event((partition, next[lane], time * 1000), "k", Some("x"), &[]);
            if time < newest[lane] {
                let behind = (newest[lane] - time) * 1000;
                expected.push((partition, next[lane], behind, behind > 10_000));
            }
            newest[lane] = newest[lane].max(time);
            next[lane] += 1;
        }
        expected.sort_unstable();
        let report = report(&made, true);
        let found: Vec<_> = report.anomalies.iter().filter_map(|a| match a.kind {
            Kind::Disorder { behind_ms, late, .. } => {
                Some((a.at.partition, a.at.position.major, behind_ms, late))
            }
            _ => None,
        }).collect();
        prop_assert_eq!(found, expected);
        let of_lanes: usize = report.lanes.iter().map(|l| report.of_lane(l).len()).sum();
        prop_assert_eq!(of_lanes, report.anomalies.len());
    }
}

/// What a broker tells of the partition that [`Made`] makes.
fn log(from: u64, until: u64, compacts: Option<bool>) -> Log {
    Log {
        origin: 0,
        topic: "n".into(),
        partition: 0,
        asked: None,
        from,
        until,
        start: from,
        end: Some(until),
        compacts,
    }
}

/// A record batch of so many records, sent by producer 7.
fn sent(made: &mut Made, offset: u64, sequence: i32, records: u32) {
    made.batch.push_meta(BatchMeta {
        stream: 0,
        base_offset: offset,
        last_offset_delta: records - 1,
        leader_epoch: 0,
        crc: 0,
        compression: crate::event::Compression::None,
        timestamp_type: TimestampType::Create,
        transactional: false,
        max_timestamp: crate::event::Timestamp(0),
        producer_id: 7,
        producer_epoch: 0,
        base_sequence: sequence,
        records,
        visibility: Visibility::Visible,
    });
    let event = EventRef {
        stream: &made.streams[0],
        stream_index: 0,
        position: Position::offset(offset),
        timestamp: crate::event::Timestamp(0),
        timestamp_type: TimestampType::Create,
        key: None,
        value: Some(b"{}"),
        headers: crate::event::Headers::default(),
        meta: None,
    };
    made.batch.push_of_last_meta(&event).unwrap();
}

/// Batches 0..2, 5..6 and 6..9: offsets and numbers 2 to 4 are missing.
fn with_hole(log: Option<Log>) -> Order {
    let mut made = Made::new("n", 1);
    sent(&mut made, 0, 0, 2);
    sent(&mut made, 5, 5, 1);
    sent(&mut made, 6, 6, 3);
    let mut order = Order::default();
    if let Some(log) = log {
        order.log(log);
    }
    order.batch(&made.batch);
    order
}

fn kinds(report: &OrderReport) -> Vec<&'static str> {
    let name = |anomaly: &Anomaly| match anomaly.kind {
        Kind::Gap { .. } => "gap",
        Kind::ProducerHole { from: 2, to: 4, .. } => "producer",
        _ => "other",
    };
    report.anomalies.iter().map(name).collect()
}

#[test]
fn a_missing_batch_is_a_fault_unless_the_topic_is_cleaned() {
    for policy in [None, Some(log(0, 9, None)), Some(log(0, 9, Some(false)))] {
        let report = with_hole(policy).report(true);
        assert_eq!(kinds(&report), ["producer", "gap"]);
        assert_eq!(why(&report, Check::Offsets), "VIOLATION");
        assert_eq!(why(&report, Check::Producers), "VIOLATION");
        assert_eq!(report.lanes[0].offsets.unexplained, 3);
    }
    let cleaned = with_hole(Some(log(0, 9, Some(true)))).report(true);
    assert!(cleaned.anomalies.is_empty());
    assert_eq!(cleaned.lanes[0].offsets.compacted, 3);
    assert_eq!(why(&cleaned, Check::Offsets), "CLEAN");
    assert_eq!(why(&cleaned, Check::Producers), "CLEAN");
}

#[test]
fn a_policy_that_is_told_without_the_log_counts_from_then_on() {
    let mut made = Made::new("n", 1);
    sent(&mut made, 0, 0, 2);
    sent(&mut made, 5, 5, 1);
    let mut more = Made::new("n", 1);
    sent(&mut more, 9, 9, 1);
    let of = |told: usize| {
        let mut order = Order::default();
        for (number, made) in [&made, &more].into_iter().enumerate() {
            if number == told {
                order.cleaned(0, &"n".into(), true);
            }
            order.batch(&made.batch);
        }
        let offsets = order.report(true).lanes[0].offsets;
        (offsets.unexplained, offsets.compacted)
    };
    assert_eq!((of(0), of(1), of(2)), ((0, 6), (3, 3), (6, 0)));
}

#[test]
fn what_is_missing_in_front_counts_where_the_policy_is_known() {
    let front = |compacts| {
        let mut made = Made::new("n", 1);
        sent(&mut made, 4, 4, 1);
        let mut order = Order::default();
        order.log(log(1, 5, compacts));
        order.batch(&made.batch);
        order.report(true).lanes[0].offsets
    };
    assert_eq!(front(None).missing(), 0);
    assert_eq!(front(Some(false)).unexplained, 3);
    assert_eq!(front(Some(true)).compacted, 3);
}

#[test]
fn what_retention_took_meanwhile_is_no_gap() {
    let mut order = with_hole(Some(log(0, 9, Some(false))));
    assert!(order.has_gap());
    order.begins(0, "n", 0, 4);
    assert!(order.has_gap(), "the log still has offset 4");
    order.begins(0, "n", 0, 5);
    assert!(!order.has_gap());
    let report = order.report(true);
    assert_eq!(kinds(&report), ["producer"]);
    assert!(why(&report, Check::Offsets).contains("before the log's start"));
}

#[test]
fn offsets_beyond_the_log_are_told_and_nothing_is_clean() {
    let mut made = Made::new("n", 1);
    sent(&mut made, 3, 0, 2);
    let of = |log: Log| {
        let mut order = Order::default();
        order.log(log);
        order.batch(&made.batch);
        order.report(true)
    };
    let trimmed = of(Log {
        asked: Some(1),
        ..log(3, 5, Some(false))
    });
    assert_eq!(trimmed.lanes[0].offsets.trimmed, 2);
    assert!(why(&trimmed, Check::Offsets).contains("2 offsets are gone"));
    let open = of(Log {
        end: Some(9),
        ..log(3, 5, Some(false))
    });
    assert_eq!(open.lanes[0].offsets.in_flight, 4);
    assert!(why(&open, Check::Offsets).contains("4 offsets are of a transaction that is open"));
    assert_eq!(why(&of(log(3, 5, Some(false))), Check::Offsets), "CLEAN");
}

#[test]
fn emptied_batches_are_what_their_transaction_became() {
    use crate::event::Marker;
    let mut made = Made::new("n", 1);
    sent(&mut made, 0, 0, 1);
    let meta = made.batch.metas()[0];
    let mut batch = Batch::new(made.streams.clone());
    let mut push = |offset, producer_id, visibility, records| {
        batch.push_meta(BatchMeta {
            base_offset: offset,
            producer_id,
            transactional: true,
            visibility,
            records,
            ..meta
        });
    };
    for (offset, producer, fate) in [(0, 7, Marker::Abort), (2, 8, Marker::Commit)] {
        push(offset, producer, Visibility::Visible, 0);
        push(offset + 1, producer, Visibility::Control(fate), 1);
    }
    push(4, 9, Visibility::Visible, 0);
    let mut order = Order::default();
    order.batch(&batch);
    let mut last = Made::new("n", 1);
    last.event((0, 5, 0), "k", None, &[]);
    order.batch(&last.batch);
    let offsets = order.report(true).lanes[0].offsets;
    assert_eq!((offsets.aborted, offsets.compacted), (1, 2));
    assert_eq!((offsets.aborts, offsets.commits), (1, 1));
}
