//! Duplicate ids within a budget: all that were planted are found, however far apart, and nobody
//! else is accused.

use super::{Made, T0};
use crate::event::{Batch, SelectAll};
use crate::inspect::Names;
use crate::inspect::Verdict;
use crate::inspect::order::{Check, Kind, Limits, Order, OrderReport};

/// Events of a batch.
const BATCH: u64 = 4_000;
const PARTITIONS: u64 = 6;

/// A stream of events with an id each, of which some are there twice.
struct Stream {
    events: u64,
    /// The event that repeats, and the one whose id it has; by the former.
    pairs: Vec<(u64, u64)>,
}

impl Stream {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "distances need not be exact"
    )]
    /// `pairs` of them at distances from 10 to four fifths of all.
    fn new(events: u64, pairs: u64) -> Self {
        let (least, most) = (10f64, events as f64 * 0.8);
        let mut all: Vec<(u64, u64)> = (0..pairs)
            .map(|n| {
                let part = n as f64 / (pairs - 1) as f64;
                let distance = (least * (most / least).powf(part)) as u64;
                // Far pairs begin early; the steps keep them apart.
                let first = (events - distance - 1) * n / pairs / 2 + n;
                (first + distance, first)
            })
            .collect();
        all.sort_unstable();
        Self { events, pairs: all }
    }

    fn batch(&self, from: u64) -> Batch {
        let mut made = Made::new("orders", PARTITIONS as u32);
        for n in from..(from + BATCH).min(self.events) {
            let pair = self.pairs.binary_search_by_key(&n, |(again, _)| *again);
            let id = pair.map_or(n, |at| self.pairs[at].1);
            let place = (
                (n % PARTITIONS) as u32,
                n / PARTITIONS,
                T0 + n.cast_signed(),
            );
            let id = format!("01a0-{id:08}-77");
            made.event(place, "k", Some("{}"), &[("ce_id", &id)]);
        }
        made.batch
    }

    fn batches(&self) -> impl Iterator<Item = Batch> {
        let starts = (0..self.events).step_by(BATCH as usize);
        starts.map(|from| self.batch(from))
    }
}

/// Both reads, as a check does them.
fn check(stream: &Stream, limits: Limits) -> OrderReport {
    let mut order = Order::new(limits, Names::default());
    for batch in stream.batches() {
        order.batch(&batch);
    }
    let suspicion = order.suspicion().unwrap();
    let ranges = suspicion.ranges(0);
    let select = suspicion.select(0, std::sync::Arc::new(SelectAll));
    let mut worker = select.worker();
    let mut proof = suspicion.proof();
    for mut batch in stream.batches() {
        batch.retain(|event| {
            let read = ranges.iter().any(|range| {
                range.partition == event.stream.partition
                    && (range.start..range.end).contains(&event.position)
            });
            read && worker.test(event).unwrap() == crate::event::Verdict::Keep
        });
        proof.batch(&batch);
    }
    order.proven(proof);
    order.report(true)
}

/// Where the planted ones are, and where those are that were found.
fn compare(stream: &Stream, report: &OrderReport) {
    let place = |n: u64| format!("orders/{}@{}", n % PARTITIONS, n / PARTITIONS);
    let pairs = stream.pairs.iter();
    let mut planted: Vec<(String, String)> = pairs.map(|(n, of)| (place(*n), place(*of))).collect();
    let found = report.anomalies.iter().filter_map(|a| {
        let other = a.other.as_ref()?.to_string();
        matches!(a.kind, Kind::Duplicate { .. }).then(|| (a.at.to_string(), other))
    });
    let mut found: Vec<(String, String)> = found.collect();
    planted.sort();
    found.sort();
    assert_eq!(found, planted);
    assert_eq!(report.coverage.duplicates, planted.len() as u64);
    assert_eq!(report.verdict(Check::Ids), Some(&Verdict::Violation));
}

#[test]
fn planted_pairs_are_found_whether_the_table_holds_all_ids_or_not() {
    let stream = Stream::new(40_000, 20);
    for bytes in [4 << 20, 256 << 10] {
        let limits = Limits {
            ids: bytes,
            prove: true,
            ..Limits::default()
        };
        compare(&stream, &check(&stream, limits));
    }
}

#[test]
fn what_was_forgotten_or_not_proven_is_never_clean() {
    let stream = Stream::new(40_000, 2);
    let told = |limits: Limits| {
        let mut order = Order::new(limits, Names::default());
        for batch in stream.batches() {
            order.batch(&batch);
        }
        order.report(true).verdict(Check::Ids).unwrap().to_string()
    };
    let limits = |ids, prove| Limits {
        ids,
        prove,
        ..Limits::default()
    };
    let suspected = told(limits(4 << 20, true));
    assert!(
        suspected.contains("2 ids may be there twice: they were not read again"),
        "{suspected}"
    );
    for prove in [false, true] {
        let forgotten = told(limits(16 << 10, prove));
        assert!(
            forgotten.contains("ids were forgotten") || forgotten == "VIOLATION",
            "{forgotten}"
        );
        assert_ne!(forgotten, "CLEAN");
    }
}

#[test]
fn topics_do_not_share_their_ids() {
    let mut order = Order::new(
        Limits {
            prove: true,
            ..Limits::default()
        },
        Names::default(),
    );
    for topic in ["a", "b", "c.dlq"] {
        let mut made = Made::new(topic, 1);
        made.event((0, 0, T0), "k", Some("{}"), &[("ce_id", "x")]);
        order.batch(&made.batch);
    }
    assert!(order.suspicion().is_none());
    let report = order.report(true);
    assert_eq!(report.verdict(Check::Ids), Some(&Verdict::Clean));
}

/// Bytes that the process has in memory now.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse::<u64>().unwrap() << 10
}

/// The long form: `cargo test --release --lib inspect::tests::ids -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute"]
fn five_million_ids_in_64_mib() {
    let stream = Stream::new(5_000_000, 100);
    // What makes the events is there before.
    drop(stream.batch(0));
    let before = resident();
    let began = std::time::Instant::now();
    // What a check with `--mem 64MiB` gives to the order of events.
    let report = check(&stream, Limits::of((64 << 20) / 8 * 5 / 3 * 2, true));
    let grown = resident() - before;
    println!(
        "100 of 100 in {:.1} s, {:.1} MiB more at the peak",
        began.elapsed().as_secs_f64(),
        f64::from(u32::try_from(grown >> 10).unwrap()) / 1024.0
    );
    compare(&stream, &report);
    assert!(grown < 64 << 20);
}
