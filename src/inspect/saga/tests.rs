//! The monitor: each verdict, which comes first, any order of arrival, and what was not read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::broker::{Group, GroupOffset, demo};
use crate::event::{Position, PositionStyle, Streams, Timestamp};
use crate::inspect::Verdict;
use crate::inspect::tests::{NOW, T0, broker, by_partition, history};

fn model() -> Arc<Model> {
    Arc::new(Model::parse(demo::SAGA, false).unwrap())
}

const TOPICS: [&str; 5] = [
    "orders",
    "order-validation",
    "payments",
    "shipments",
    "notifications",
];

fn whole() -> Reach {
    Reach {
        topics: TOPICS.iter().map(|t| (Arc::from(*t), true)).collect(),
        blind: None,
    }
}

fn counts(report: &SagaReport) -> [u64; 8] {
    let c = &report.counts;
    [
        c.completed,
        c.rejected,
        c.compensated,
        c.lost,
        c.blocked,
        c.poison,
        c.violation,
        c.open,
    ]
}

const PLANTED: [u64; 8] = [42, 2, 2, 3, 7, 1, 1, 2];

async fn groups() -> Vec<Group> {
    broker("read_committed").groups().await.unwrap()
}

fn fed<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Monitor {
    let mut monitor = Monitor::new(model(), Limits::default(), None);
    for batch in batches {
        monitor.batch(batch);
    }
    monitor
}

fn told(monitor: &Monitor, groups: Option<&[Group]>, reach: &Reach, now: Timestamp) -> SagaReport {
    let commits = groups.map(Commits::of_groups);
    monitor.report(World {
        commits: commits.as_ref(),
        reach,
        now,
    })
}

#[tokio::test]
async fn the_demo_stands_as_planned_in_whatever_order_its_partitions_are_read() {
    let history = history().await;
    let groups = groups().await;
    let mut backwards = by_partition(&history, 7);
    backwards.sort_by_key(|b| b.iter().next().map(|e| std::cmp::Reverse(e.stream_index)));
    for batches in [&history, &by_partition(&history, 11), &backwards] {
        let report = told(&fed(batches), Some(&groups), &whole(), NOW);
        assert_eq!(counts(&report), PLANTED);
        assert_eq!(report.verdict, Verdict::Violation);
        let places: Vec<String> = report
            .cases
            .iter()
            .map(|case| format!("{} {}", case.judged.outcome.word(), case.judged.at))
            .collect();
        assert_eq!(
            places,
            [
                "POISON payments/1@24",
                "BLOCKED payments/1@26",
                "BLOCKED payments/1@28",
                "BLOCKED payments/1@30",
                "BLOCKED payments/1@32",
                "BLOCKED payments/1@34",
                "BLOCKED payments/1@36",
                "BLOCKED payments/1@38",
                "LOST payments/2@4",
                "LOST payments/2@22",
                "VIOLATION shipments/0@7",
                "LOST shipments/0@12",
            ]
        );
        let hop = |h: &&HopReport| h.cause == "PaymentSucceeded";
        let hop = report.hops.iter().find(hop).unwrap();
        assert_eq!((hop.number, hop.median_ms), (42, 4_300));
        let outliers: Vec<String> = report
            .hops
            .iter()
            .flat_map(|hop| &hop.outliers)
            .map(|o| format!("{} {} ms", o.at, o.ms))
            .collect();
        assert_eq!(outliers, ["shipments/0@13 19300 ms"]);
    }
}

#[tokio::test]
async fn a_reader_that_stopped_early_finds_nothing_lost() {
    let history = history().await;
    let groups = groups().await;
    let mut cut = Vec::new();
    // All but the last event of a partition of shipments, and all of the other topics.
    for batch in by_partition(&history, 1_000) {
        let mut batch = batch;
        let end = batch.len();
        let of = batch.iter().next().map(|e| e.stream.topic.clone());
        if of.as_deref() == Some("shipments") {
            let mut n = 0;
            batch.retain(|_| {
                n += 1;
                n < end
            });
        }
        cut.push(batch);
    }
    let mut reach = whole();
    reach.topics.insert("shipments".into(), false);
    let report = told(&fed(&cut), Some(&groups), &reach, NOW);
    assert_eq!(report.counts.lost, 0);
    assert!(report.counts.unread > 0);
    assert!(
        report.notes[0].contains("may stand where was not read"),
        "{:?}",
        report.notes
    );
    // Nothing of shipments was read that tells of the time behind the payments.
    for n in 0..history.iter().map(Batch::len).sum() {
        let mut left = n;
        let mut part = Vec::new();
        for batch in &history {
            let mut some = Batch::new(Arc::clone(batch.streams()));
            for event in batch.iter().take(left) {
                some.push(&event).unwrap();
            }
            left -= some.len();
            part.push(some);
        }
        if n % 40 == 0 {
            let mut reach = whole();
            reach.topics.values_mut().for_each(|ended| *ended = false);
            let report = told(&fed(&part), Some(&groups), &reach, NOW);
            assert_eq!(report.counts.lost, 0, "{n}");
        }
    }
}

#[tokio::test]
async fn without_groups_what_is_overdue_is_neither_lost_nor_blocked() {
    let history = history().await;
    let report = told(&fed(&history), None, &whole(), NOW);
    let c = report.counts;
    assert_eq!((c.lost, c.blocked, c.overdue), (0, 0, 10));
    assert_eq!((c.completed, c.open, c.poison), (42, 2, 1));
    let none = told(&fed(&history), Some(&[]), &whole(), NOW);
    assert_eq!(none.counts.overdue, 10);
}

#[tokio::test]
async fn what_cannot_be_told_is_not_told() {
    let history = history().await;
    let monitor = fed(&history);
    let mut reach = whole();
    reach.blind = Some("a filter leaves events out");
    let report = told(&monitor, None, &reach, NOW);
    assert!(matches!(report.verdict, Verdict::Idle(_)) && report.told().is_none());
    let mut reach = whole();
    reach.topics.remove("payments");
    let report = told(&monitor, None, &reach, NOW);
    assert_eq!(
        report.verdict.to_string(),
        "INCONCLUSIVE: the topic payments is not read"
    );
    let report = told(&fed([]), None, &whole(), NOW);
    assert!(matches!(report.verdict, Verdict::Idle(_)));
}

/// Events of one order, each in the only partition of a topic of its own.
struct Story {
    streams: Streams,
    batch: Batch,
    offsets: BTreeMap<&'static str, u64>,
}

const LETTERS: &str = "
saga: s
id: key
start: A
sla: 10s
steps:
  A: {then: [B, R], by: ab}
  B: {then: [P, F], by: bc}
  P: {then: C, by: pc}
  C: {then: D, by: cd, end: true}
  F: {then: U, by: fu, compensation: true}
  U: {then: D, by: cd, end: true}
  R: {end: true, rejected: true}
";

const KINDS: [&str; 8] = ["A", "B", "P", "C", "D", "F", "U", "R"];

impl Story {
    fn new() -> Self {
        let streams: Streams = KINDS
            .iter()
            .map(|kind| crate::event::Stream {
                topic: format!("t{kind}").into(),
                partition: 0,
                style: PositionStyle::Offset,
            })
            .collect();
        Self {
            batch: Batch::new(Arc::clone(&streams)),
            streams,
            offsets: BTreeMap::new(),
        }
    }

    fn event(&mut self, key: &str, kind: &'static str, second: i64) {
        let value = format!("{{\"type\":\"{kind}\"}}");
        self.raw(key, kind, second, &value);
    }

    fn raw(&mut self, key: &str, kind: &'static str, second: i64, value: &str) {
        let index = KINDS.iter().position(|k| *k == kind).unwrap();
        let offset = self.offsets.entry(kind).or_default();
        let event = EventRef {
            stream: &self.streams[index],
            stream_index: index as u32,
            position: Position::offset(*offset),
            timestamp: Timestamp(T0 + second * 1_000),
            timestamp_type: crate::event::TimestampType::Create,
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: crate::event::Headers::default(),
            meta: None,
        };
        *offset += 1;
        self.batch.push(&event).unwrap();
    }

    /// Each topic has been seen with its type, by orders that are fine.
    fn usual(mut self) -> Self {
        for (key, path) in [("u1", "ABPCD"), ("u2", "ABFUD"), ("u3", "AR")] {
            for (second, kind) in (-100..).zip(path.chars()) {
                let kind = KINDS.iter().find(|k| k.starts_with(kind)).unwrap();
                self.event(key, kind, second);
            }
        }
        self
    }

    fn monitor(&self) -> Monitor {
        let model = Arc::new(Model::parse(LETTERS, false).unwrap());
        let mut monitor = Monitor::new(model, Limits::default(), None);
        monitor.batch(&self.batch);
        monitor
    }

    fn judged(&self, commits: &[(&str, &str, u64)], now: i64) -> SagaReport {
        let topics = KINDS.iter().map(|k| (Arc::from(format!("t{k}")), true));
        let reach = Reach {
            topics: topics.collect(),
            blind: None,
        };
        let groups: Vec<Group> = commits.iter().map(group).collect();
        let now = Timestamp(T0 + now * 1_000);
        told(&self.monitor(), Some(&groups), &reach, now)
    }
}

fn group((name, topic, committed): &(&str, &str, u64)) -> Group {
    Group {
        name: (*name).to_owned(),
        offsets: vec![GroupOffset {
            topic: (*topic).into(),
            committed: Some(Position::offset(*committed)),
            end: Position::offset(99),
            ..GroupOffset::default()
        }],
        ..Group::default()
    }
}

/// The steps of one order, a second each, in every order of arrival.
fn one(path: &str, commits: &[(&str, &str, u64)], now: i64) -> (Outcome, Judged) {
    let kinds: Vec<&'static str> = path
        .chars()
        .map(|c| *KINDS.iter().find(|k| k.starts_with(c)).unwrap())
        .collect();
    let mut first: Option<(Outcome, Judged)> = None;
    for turn in 0..kinds.len() {
        for reversed in [false, true] {
            let mut story = Story::new().usual();
            let mut order: Vec<usize> = (0..kinds.len()).collect();
            order.rotate_left(turn);
            if reversed {
                order.reverse();
            }
            for n in order {
                story.event("x", kinds[n], i64::try_from(n).unwrap());
            }
            let report = story.judged(commits, now);
            let case = report.cases.iter().find(|c| &*c.id == b"x");
            let found = case.map(|c| c.judged.clone());
            let Some(judged) = found else {
                panic!("{path}: {:?}", report.counts);
            };
            let outcome = judged.outcome;
            if let Some((before, known)) = &first {
                assert_eq!((*before, &known.at), (outcome, &judged.at), "{path}");
            }
            first.get_or_insert((outcome, judged));
        }
    }
    first.unwrap()
}

#[test]
fn what_is_missing_is_open_then_blocked_or_lost_by_where_the_group_stands() {
    // A payment at tB@2, after those of the usual ones.
    let (outcome, judged) = one("AB", &[("bc", "tB", 3)], 60);
    assert_eq!(outcome, Outcome::Lost);
    assert_eq!(
        judged.to_string(),
        "LOST in bc: committed 3 > 2, SLA 10 s passed 49 s ago"
    );
    let (outcome, judged) = one("AB", &[("bc", "tB", 2)], 60);
    assert_eq!(outcome, Outcome::Blocked);
    assert_eq!(
        judged.to_string(),
        "BLOCKED by bc: committed 2 <= 2, SLA 10 s passed 49 s ago"
    );
    let (outcome, judged) = one("AB", &[("bc", "tX", 2)], 60);
    assert_eq!(outcome, Outcome::Blocked);
    assert!(judged.to_string().contains("never committed"), "{judged}");
    assert_eq!(one("AB", &[("other", "tB", 2)], 60).0, Outcome::Overdue);
    let mut story = Story::new().usual();
    story.event("x", "A", 0);
    story.event("x", "B", 1);
    let open = story.judged(&[("bc", "tB", 0)], 10).counts;
    assert_eq!((open.open, open.bad(), open.completed), (1, 0, 1));
}

#[test]
fn a_commit_of_long_ago_blocks_nobody() {
    let mut story = Story::new().usual();
    story.event("x", "A", 0);
    story.event("x", "B", 1);
    let topics = KINDS.iter().map(|k| (Arc::from(format!("t{k}")), true));
    let reach = Reach {
        topics: topics.collect(),
        blind: None,
    };
    let at = |second: i64| Timestamp(T0 + second * 1_000);
    let (monitor, now) = (story.monitor(), at(60));
    for (committed, as_of, outcome) in [
        (2, 10, None),
        (2, 11, Some("BLOCKED")),
        (3, 10, Some("LOST")),
    ] {
        let commits = Commits::of_groups(&[group(&("bc", "tB", committed))]).as_of(at(as_of));
        let commits = Some(&commits);
        let report = monitor.report(World {
            commits,
            reach: &reach,
            now,
        });
        let found = report.cases.first().map(|case| case.judged.outcome.word());
        assert_eq!(found, outcome, "{committed} {as_of}");
    }
}

#[test]
fn a_step_that_cannot_have_happened_is_a_violation_before_all_else() {
    // Shipped although the payment failed; the compensation is missing, too.
    let (outcome, judged) = one("ABFCD", &[("fu", "tF", 9)], 60);
    assert_eq!(outcome, Outcome::Violation);
    assert_eq!(judged.to_string(), "VIOLATION, C after F");
    // Rejected, and yet it went on: the step in between may be one that was not read.
    let (outcome, judged) = one("ARCD", &[], 60);
    assert_eq!(outcome, Outcome::Violation);
    assert_eq!(judged.to_string(), "VIOLATION, C after R");
    // All was read from before it began: the payment was left out.
    let (outcome, judged) = one("ACD", &[], 60);
    assert_eq!(outcome, Outcome::Violation);
    assert_eq!(judged.to_string(), "VIOLATION, C without P");
}

#[test]
fn a_step_that_cannot_be_decoded_is_poison_before_what_it_lacks() {
    let mut story = Story::new().usual();
    story.event("x", "A", 0);
    story.raw("x", "B", 1, "{\"type\":\"B");
    let report = story.judged(&[("ab", "tA", 9), ("bc", "tB", 9)], 60);
    assert_eq!(report.counts.poison, 1);
    assert_eq!(report.cases[0].judged.at.to_string(), "tB/0@2");
    assert_eq!(report.counts.lost, 0);
}

#[test]
fn what_began_before_and_what_has_no_id_are_counted_apart() {
    let mut story = Story::new().usual();
    story.event("x", "C", 0);
    story.event("", "C", 1);
    let report = story.judged(&[], 60);
    assert_eq!((report.counts.headless, report.counts.bad()), (1, 0));
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    assert!(matches!(report.verdict, Verdict::Inconclusive(_)));
}

#[test]
fn what_ended_stays_ended_when_an_event_comes_again() {
    let mut story = Story::new().usual();
    for kind in ["A", "B", "P", "C", "D", "B", "A", "D"] {
        story.event("x", kind, 0);
    }
    let report = story.judged(&[], 60);
    assert_eq!(counts(&report), [2, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(report.verdict, Verdict::Clean);
}

#[test]
fn memory_has_an_end_and_what_was_forgotten_is_told() {
    let model = Arc::new(Model::parse(LETTERS, false).unwrap());
    let limits = Limits {
        open: 100,
        ended: 100,
        listed: 5,
        ..Limits::default()
    };
    let mut monitor = Monitor::new(model, limits, None);
    let mut story = Story::new().usual();
    for n in 0..1_000 {
        story.event(&format!("x{n}"), "A", 0);
    }
    monitor.batch(&story.batch);
    assert!(monitor.store.iter().count() <= 100);
    let reach = Reach {
        topics: KINDS
            .iter()
            .map(|k| (Arc::from(format!("t{k}")), true))
            .collect(),
        blind: None,
    };
    let groups = [group(&("ab", "tA", 2_000))];
    let now = Timestamp(T0 + 60_000);
    let report = told(&monitor, Some(&groups), &reach, now);
    assert_eq!(report.forgotten + report.counts.lost, 1_000);
    assert_eq!(
        (report.cases.len(), report.unkept + 5),
        (5, report.counts.lost)
    );
    let early = told(&monitor, Some(&groups), &reach, Timestamp(T0));
    assert!(
        early
            .verdict
            .to_string()
            .ends_with("were forgotten while they were under way"),
        "{}",
        early.verdict
    );
}
