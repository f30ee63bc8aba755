//! Nothing lost and nothing twice: whatever fails, whoever stops, however many hosts there are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fake::{FakeTarget, Step};
use super::*;
use crate::broker::exact::{Job as Part, Progress, Share};
use crate::broker::{
    BoxFuture, Broker, Capabilities, ErrorKind, ExactSink, PartitionRange, Source, Subscription,
    TopicInfo, TopicSelector,
};
use crate::event::Position;
use crate::replay::fake::plan;
use crate::replay::fake_broker::FakeBroker;
use crate::replay::job::tests::{destination, how, reading_of};
use crate::replay::{Guards, How, Pace, Ran, Tally, TimestampPolicy};

/// A broker with one topic, `copy`, which stores progress too.
struct ExactBroker {
    inner: FakeBroker,
    target: FakeTarget,
}

impl Broker for ExactBroker {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        self.inner.topics(which)
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        self.inner.resolve(sub)
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        self.inner.source(sub)
    }

    fn exact_sink<'a>(
        &'a self,
        part: &'a Part,
    ) -> BoxFuture<'a, Result<Option<Box<dyn ExactSink>>>> {
        let sink = self.target.sink(part);
        Box::pin(async { Ok(Some(sink)) })
    }
}

/// All of the demo's orders: 62 events in 3 partitions.
async fn job(target: &FakeTarget, worker: &str, how: How) -> Job {
    let mut to = destination("demo:copy");
    to.broker = Arc::new(ExactBroker {
        inner: FakeBroker::new(&[("copy", 3)]),
        target: target.clone(),
    });
    let job = Job::plan(reading_of("demo:orders", None), to, how).await;
    job.unwrap().named(worker.to_owned())
}

async fn run(target: &FakeTarget, how: How) -> Ran {
    let job = job(target, "one", how).await;
    job.run(&job.control()).await.unwrap().unwrap()
}

#[track_caller]
fn end(ran: &Ran) -> &End {
    &ran.outcome.as_ref().unwrap().end
}

/// Each event is there once, and each partition in its order.
#[track_caller]
fn holds_all(target: &FakeTarget, what: &str) {
    let state = target.state();
    let distinct: BTreeSet<&String> = state.events.iter().collect();
    assert_eq!((state.events.len(), distinct.len()), (62, 62), "{what}");
    for partition in 0..3 {
        let place = format!("demo:/orders/{partition}/");
        let of_it = state.events.iter().filter_map(|e| e.strip_prefix(&place));
        let offsets: Vec<u64> = of_it.map(|offset| offset.parse().unwrap()).collect();
        assert!(offsets.is_sorted(), "{what}: {offsets:?}");
    }
}

/// So slow that it commits several times.
fn slow() -> How {
    how(Pace::Rate(10.0))
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_not_done_again() {
    let target = FakeTarget::default();
    let first = run(&target, slow()).await;
    assert!(matches!(end(&first), End::Complete));
    assert_eq!((first.report.sent, first.report.acknowledged), (62, 62));
    assert!(target.state().commits > 4, "{}", target.state().commits);
    holds_all(&target, "at once");
    assert!(first.source_is_noted(), "{first:?}");
    let second = run(&target, slow()).await;
    assert!(matches!(end(&second), End::Complete));
    let overall = second.report.overall.unwrap();
    assert_eq!((second.report.sent, second.report.tally.read()), (0, 0));
    assert!(!second.source_is_noted(), "it has not seen them");
    assert_eq!((overall.done, overall.partitions), (3, 3));
    assert_eq!((overall.counts.read, overall.counts.copied), (62, 62));
    let lines = second.report.describe();
    let plan = "  plan    3 of 3 partitions done · 62 events by earlier runs or other hosts";
    assert!(lines.contains(&plan.to_owned()), "{lines:?}");
    holds_all(&target, "again");
}

#[test]
fn what_other_hosts_end_meanwhile_is_known() {
    let mut plan = plan();
    let range = plan.sources[0].ranges[0].clone();
    let ranges = (0..4).map(|partition| PartitionRange {
        partition,
        end: Position::offset(10),
        ..range.clone()
    });
    plan.sources[0].ranges = ranges.collect();
    let mut ledger = Ledger::new(&plan);
    let tally = Tally::default();
    let done = || {
        let next = Position::offset(10);
        let note = note::Note::default().encode();
        Some(Progress { next, note })
    };
    let share = |mine: &[usize], done: Vec<Option<Progress>>| Share {
        mine: mine.to_vec(),
        progress: done,
    };
    // One partition was done before; one is this host's.
    let first = share(&[1], vec![done(), None, None, None]);
    ledger.begin(&first, &tally).unwrap();
    assert_eq!(ledger.ended_elsewhere(), []);
    ledger.progress(&tally, true, None);
    ledger.committed();
    // Whether the commit that gives it the third is stored, it is not told.
    let second = share(&[2], vec![done(), done(), None, None]);
    ledger.begin(&second, &tally).unwrap();
    ledger.progress(&tally, true, None);
    ledger
        .begin(&share(&[], vec![done(), done(), done(), done()]), &tally)
        .unwrap();
    let elsewhere: Vec<u32> = ledger
        .ended_elsewhere()
        .iter()
        .map(|p| p.partition)
        .collect();
    assert_eq!(elsewhere, [3]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_any_step_loses_nothing_and_doubles_nothing() {
    for step in [Step::Share, Step::Send, Step::Commit, Step::Answer] {
        for at in 1..7 {
            let what = format!("{step:?} {at}");
            let target = FakeTarget::failing(&[(step, at), (step, at + 2)]);
            let ran = run(&target, slow()).await;
            assert!(matches!(end(&ran), End::Complete), "{what}: {ran:?}");
            holds_all(&target, &what);
            let overall = ran.report.overall.unwrap();
            assert_eq!(overall.counts.copied, 62, "{what}");
            assert_eq!(ran.report.tally.copied(), ran.report.sent, "{what}");
            if step != Step::Answer {
                // What was committed without an answer counts as an earlier run's.
                assert_eq!(ran.report.acknowledged, 62, "{what}");
            }
            // What was taken back was noted anew; what is there without an answer was not.
            assert_eq!(
                ran.source_is_noted(),
                step != Step::Answer,
                "{what}: {ran:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_nothing_mends_ends_the_run_with_what_is_stored() {
    let mut target = FakeTarget::failing(&[(Step::Send, 25)]);
    target.final_kind = Some(ErrorKind::Unreachable);
    let ran = run(&target, slow()).await;
    let End::Failed(error) = end(&ran) else {
        panic!("{ran:?}")
    };
    assert_eq!(error.message, "Send 25 fails");
    let stored = target.state().events.len() as u64;
    assert!((1..62).contains(&stored), "{stored}");
    assert_eq!((ran.report.sent, ran.report.acknowledged), (stored, stored));
    target.final_kind = None;
    let rest = run(&target, slow()).await;
    assert_eq!(rest.report.acknowledged, 62 - stored);
    holds_all(&target, "resumed");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_does_not_end_is_given_up() {
    let always: Vec<_> = (1..100).map(|at| (Step::Commit, at)).collect();
    let target = FakeTarget::failing(&always);
    let ran = run(&target, slow()).await;
    assert!(matches!(end(&ran), End::Failed(_)), "{ran:?}");
    assert_eq!((ran.report.sent, target.state().events.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_at_any_time_goes_on_where_it_stood() {
    for stop_after in (50..6000).step_by(370) {
        let target = FakeTarget::default();
        let job = job(&target, "one", slow()).await;
        let control = job.control();
        let (ran, ()) = tokio::join!(job.run(&control), async {
            sleep(Duration::from_millis(stop_after)).await;
            control.abort();
        });
        let ran = ran.unwrap().unwrap();
        let stored = target.state().events.len() as u64;
        assert!(stored < 62, "after {stop_after} ms");
        assert_eq!(ran.report.acknowledged, stored, "after {stop_after} ms");
        assert_eq!(ran.report.in_doubt, 0);
        let rest = run(&target, slow()).await;
        assert!(matches!(end(&rest), End::Complete));
        assert_eq!(rest.source_is_noted(), stored == 0, "{rest:?}");
        holds_all(&target, &format!("after {stop_after} ms"));
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_share_a_plan_and_all_end_when_it_is_done() {
    let target = FakeTarget::failing(&[(Step::Send, 9), (Step::Commit, 4)]);
    let hosts = ["one", "two", "three"].map(|worker| {
        let target = target.clone();
        async move {
            let job = job(&target, worker, slow()).await;
            job.run(&job.control()).await.unwrap().unwrap()
        }
    });
    let [one, two, three] = hosts;
    let (one, two, three) = tokio::join!(one, two, three);
    holds_all(&target, "three hosts");
    let all = [one, two, three];
    assert!(all.iter().all(|ran| matches!(end(ran), End::Complete)));
    let sent: Vec<u64> = all.iter().map(|ran| ran.report.acknowledged).collect();
    assert_eq!(sent.iter().sum::<u64>(), 62);
    assert!(sent.iter().all(|n| *n > 0), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_left_before_anything_is_stored_is_as_if_it_had_not_begun() {
    let target = FakeTarget::default();
    let (one, two) = (
        job(&target, "one", slow()).await,
        job(&target, "two", slow()).await,
    );
    let (to_one, to_two) = (one.control(), two.control());
    let late = async {
        sleep(Duration::from_millis(450)).await;
        two.run(&to_two).await
    };
    let look = async {
        sleep(Duration::from_millis(900)).await;
        let asked = |step| target.asked(step);
        (asked(Step::Share), asked(Step::Send), asked(Step::Commit))
    };
    let (one, two, (shares, sends, commits)) = tokio::join!(one.run(&to_one), late, look);
    // The hosts shared anew while the first had sent some, and it did not try to store them.
    assert!(shares == 3 && sends > 5, "{shares} {sends}");
    assert_eq!(commits, 0);
    holds_all(&target, "two hosts");
    let [one, two] = [one, two].map(|ran| ran.unwrap().unwrap());
    let sent = [&one, &two].map(|ran| ran.report.acknowledged);
    assert!(sent.iter().all(|sent| *sent > 0), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_over_all_runs_of_a_plan() {
    let target = FakeTarget::default();
    let limited = || async {
        let mut job = job(&target, "one", slow()).await;
        job.limit_to(20);
        job
    };
    let job = limited().await;
    let control = job.control();
    let (_, ()) = tokio::join!(job.run(&control), async {
        sleep(Duration::from_millis(1350)).await;
        control.abort();
    });
    let before = target.state().events.len();
    assert!((1..20).contains(&before), "{before}");
    let job = limited().await;
    let ran = job.run(&job.control()).await.unwrap().unwrap();
    assert!(matches!(end(&ran), End::Complete));
    assert_eq!(target.state().events.len(), 20);
    let job = limited().await;
    let ran = job.run(&job.control()).await.unwrap().unwrap();
    assert_eq!(ran.report.sent, 0);
}

#[tokio::test(start_paused = true)]
async fn the_guard_of_events_counts_all_runs() {
    let target = FakeTarget::failing(&[(Step::Send, 25)]);
    let guarded = How {
        guards: Guards {
            max_events: Some(40),
            ..Guards::default()
        },
        ..slow()
    };
    let ran = run(&target, guarded).await;
    let End::Failed(error) = end(&ran) else {
        panic!("{ran:?}")
    };
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert_eq!(target.state().events.len(), 40);
    assert_eq!(ran.report.acknowledged, 40);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_shifts_timestamps_as_the_first_did() {
    let target = FakeTarget::failing(&[(Step::Send, 25)]);
    let shifted = How {
        timestamps: TimestampPolicy::Shift,
        ..slow()
    };
    run(&target, shifted.clone()).await;
    let shift = |target: &FakeTarget| -> Vec<String> {
        let state = target.state();
        let notes = state.progress.iter().flatten();
        notes
            .filter_map(|p| Some(p.note.split_once(';')?.1.to_owned()))
            .collect()
    };
    let before = shift(&target);
    assert_eq!(before.len(), 3);
    assert!(before.iter().all(|s| *s == before[0]), "{before:?}");
    run(&target, shifted).await;
    assert_eq!(shift(&target), before);
}

#[tokio::test(start_paused = true)]
async fn progress_that_is_not_ours_is_told() {
    let target = FakeTarget::default();
    let job = job(&target, "one", slow()).await;
    target.state().progress = vec![Some(Progress {
        next: Position::offset(3),
        note: "hello".to_owned(),
    })];
    let ran = job.run(&job.control()).await.unwrap().unwrap();
    let End::Failed(error) = end(&ran) else {
        panic!("{ran:?}")
    };
    assert!(error.message.contains("orders/0"), "{error}");
    assert!(target.state().events.is_empty());
}
