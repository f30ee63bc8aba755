//! A journal that is torn anywhere, a run that dies at any time, and a target that holds each event
//! once all the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::file::{Journal, State};
use super::intervals::Intervals;
use crate::broker::exact::Progress;
use crate::broker::{Address, Broker, ErrorKind};
use crate::event::{Position, PositionStyle, Timestamp};
use crate::pipeline::{Stop, Unwatched};
use crate::replay::job::tests::{destination, how, reading_of};
use crate::replay::runs::StateFolder;
use crate::replay::{
    Destination, Job, Kind, Pace, PartitionEnd, Plan, Verdict, job::tests::open_broker,
};

fn progress(next: u64) -> Progress {
    Progress {
        next: Position::offset(next),
        note: format!("n;{next}"),
    }
}

fn ends(end: u64) -> Vec<PartitionEnd> {
    vec![PartitionEnd {
        partition: 3,
        style: PositionStyle::Entry,
        end: Position {
            major: end,
            minor: 7,
        },
    }]
}

fn write(folder: &Path, lines: u64) -> Vec<State> {
    let mut journal = Journal::open(folder, "p1", 2).unwrap();
    let mut states = vec![journal.state().clone()];
    for n in 0..lines {
        let moved = [((n % 2) as usize, progress(n))];
        journal.append(&moved, ends(n)).unwrap();
        states.push(journal.state().clone());
    }
    states
}

#[test]
fn a_journal_says_after_a_start_what_it_was_told_before() {
    let dir = tempfile::tempdir().unwrap();
    let states = write(dir.path(), 5);
    let again = Journal::open(dir.path(), "p1", 2).unwrap();
    assert_eq!(again.state(), &states[5]);
    assert_eq!(
        again.state().progress,
        [Some(progress(4)), Some(progress(3))]
    );
    assert_eq!(again.state().ends, Some(ends(4)));
}

#[test]
fn a_journal_that_is_torn_anywhere_holds_up_to_there_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let states = write(dir.path(), 4);
    let path = dir.path().join("journal");
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        let mut torn = whole[..cut].to_vec();
        // A disk can leave anything behind.
        torn.extend_from_slice(b"\0\xff");
        fs::write(&path, &torn).unwrap();
        let lines = memchr::memchr_iter(b'\n', &whole[..cut]).count();
        let mut journal = Journal::open(dir.path(), "p1", 2).unwrap();
        assert_eq!(journal.state(), &states[lines.saturating_sub(1)], "{cut}");
        journal.append(&[(1, progress(99))], ends(99)).unwrap();
        drop(journal);
        let again = Journal::open(dir.path(), "p1", 2).unwrap();
        assert_eq!(again.state().progress[1], Some(progress(99)), "{cut}");
    }
}

#[test]
fn a_journal_stays_small_and_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), "p1", 2).unwrap();
    let taken = Journal::open(dir.path(), "p1", 2).err().unwrap();
    assert_eq!(taken.kind, ErrorKind::Refused);
    let long = Progress {
        next: Position::offset(1),
        note: "x".repeat(60_000),
    };
    for _ in 0..50 {
        journal.append(&[(0, long.clone())], ends(1)).unwrap();
    }
    let size = fs::metadata(dir.path().join("journal")).unwrap().len();
    assert!(size < 1_200_000, "{size}");
    drop(journal);
    let again = Journal::open(dir.path(), "p1", 2).unwrap();
    assert_eq!(again.state().progress, [Some(long), None]);
    drop(again);
    let other = Journal::open(dir.path(), "p2", 2).err().unwrap();
    assert!(other.message.contains("something else"), "{other}");
}

proptest! {
    #[test]
    fn an_interval_set_is_a_set(what in prop::collection::vec(0u64..60, 0..80)) {
        for style in [PositionStyle::Offset, PositionStyle::Entry] {
            let mut set = BTreeSet::new();
            let mut intervals = Intervals::default();
            for at in &what {
                set.insert(*at);
                intervals.insert(Position::offset(*at), style);
            }
            for at in 0..61 {
                prop_assert_eq!(intervals.contains(Position::offset(at)), set.contains(&at));
            }
            let runs = set.iter().filter(|at| **at == 0 || !set.contains(&(**at - 1))).count();
            if style == PositionStyle::Offset {
                prop_assert_eq!(intervals.len(), runs);
            }
        }
    }
}

/// The embedded broker, which in these tests outlives a run, as one that is elsewhere.
fn lasting(broker: &Arc<dyn Broker>) -> Destination {
    Destination {
        address: Address::parse("redis://elsewhere/copy").unwrap(),
        broker: broker.clone(),
        ..destination("demo:copy")
    }
}

fn again(plan: &Plan, broker: &Arc<dyn Broker>) -> Job {
    let ranges = plan.sources.iter().map(|s| s.ranges.clone()).collect();
    let to = lasting(broker);
    let source = "demo:orders,payments";
    Job::again(
        reading_of(source, Some(open_broker(source))),
        to,
        plan.clone(),
        ranges,
    )
}

async fn planned(broker: &Arc<dyn Broker>) -> Plan {
    let to = lasting(broker);
    let reading = reading_of("demo:orders,payments", None);
    let job = Job::plan(reading, to, how(Pace::Rate(2000.0)))
        .await
        .unwrap();
    job.the_plan().clone()
}

/// Cuts some bytes off the journal: what a crash before the last lines leaves.
fn tear(folder: &Path, bytes: u64) {
    for run in fs::read_dir(folder.join("runs")).unwrap().flatten() {
        let path = run.path().join("journal");
        if let Ok(file) = fs::OpenOptions::new().write(true).open(&path) {
            let len = file.metadata().unwrap().len();
            file.set_len(len.saturating_sub(bytes)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_run_that_dies_again_and_again_writes_each_event_once() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateFolder::at(dir.path().to_owned(), None);
    let broker = open_broker("demo:copy");
    let plan = planned(&broker).await;
    let mut died = 0;
    let mut done = false;
    for turn in 0..200u64 {
        let mut job = again(&plan, &broker);
        job.keep(&state, Timestamp(0)).unwrap();
        let control = job.control();
        // Dropped at any point, as a process that is killed is.
        let time = Duration::from_millis(4 + turn * 6);
        match tokio::time::timeout(time, job.run(&control)).await {
            Ok(Ok(ran)) => {
                let ran = ran.unwrap();
                assert!(ran.came_to_an_end(), "{:?}", ran.outcome);
                let promise = ran.report.promise;
                assert!(promise.contains("journal"), "{promise}");
                done = true;
                break;
            }
            // A process that dies does not leave a commit behind that is still under way, with the
            // lock on the journal. It gets the time to end: a refusal gives it none.
            Ok(Err(error)) => {
                assert_eq!(error.kind, ErrorKind::Refused, "{error}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(_) => {}
        }
        died += 1;
        drop(job);
        tear(dir.path(), turn * 31 % 200);
    }
    assert!(done && died > 3, "{died}");
    let job = again(&plan, &broker);
    let (_handle, stop) = Stop::new();
    let compared = job
        .compare(false, &[], &|| stop.clone(), &mut Unwatched)
        .await;
    let compared = compared.unwrap().unwrap();
    assert_eq!(
        compared.verdict(),
        Verdict::Clean,
        "{:#?}",
        compared.describe()
    );
    assert_eq!((compared.expected, compared.copies), (121, 121));
    assert_eq!(compared.count(Kind::Duplicated), 0);
}

#[tokio::test]
async fn a_plan_that_is_done_writes_nothing_when_it_is_applied_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateFolder::at(dir.path().to_owned(), None);
    let broker = open_broker("demo:copy");
    let plan = planned(&broker).await;
    for sent in [121, 0] {
        let mut job = again(&plan, &broker);
        job.keep(&state, Timestamp(0)).unwrap();
        let ran = job.run(&job.control()).await.unwrap().unwrap();
        assert_eq!(ran.report.sent, sent);
    }
}
