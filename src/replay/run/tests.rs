//! Order, pace, stores and limits of a run, on a clock of the test's own.

use super::*;
use crate::broker::ErrorKind;
use crate::replay::fake::{Event, Memory, batch, event, plan, streams};

fn events(count: u64) -> Vec<Event> {
    (0..count).map(|offset| event(0, offset)).collect()
}

async fn run(
    plan: &Plan,
    memory: &Memory,
    batches: impl IntoIterator<Item = Batch>,
) -> (Result<Flow>, Report) {
    let mut runner = Runner::new(plan, Box::new(memory.clone()));
    let mut last = Ok(Flow::More);
    for batch in batches {
        last = runner.batch(batch).await;
        if last.is_err() {
            break;
        }
    }
    (last, runner.finish().await)
}

#[tokio::test]
async fn order_is_kept_across_batches_and_splits() {
    let big: &'static [u8] = vec![b'x'; 100_000].leak();
    let mut all = events(40);
    for event in &mut all {
        event.value = Some(big);
    }
    let table = streams();
    let batches = [batch(&table, &all[..25]), batch(&table, &all[25..])];
    let memory = Memory::new();
    let (_, report) = run(&plan(), &memory, batches).await;
    let got: Vec<String> = memory
        .all()
        .into_iter()
        .map(|s| s.headers[1].1.clone().unwrap())
        .collect();
    let expected: Vec<_> = (0..40)
        .map(|o| format!("kafka://h:9092/orders/0/{o}"))
        .collect();
    assert_eq!(got, expected);
    assert_eq!(
        (report.sent, report.acknowledged, report.in_doubt),
        (40, 40, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_to_the_millisecond() {
    let mut plan = plan();
    plan.pace = Pace::Rate(200.0);
    let memory = Memory::new();
    let (_, report) = run(&plan, &memory, [batch(&streams(), &events(600))]).await;
    for (i, sent) in (0..).zip(memory.all()) {
        let due = i * 5;
        assert!((due..=due + 2).contains(&sent.at), "{i}: {}", sent.at);
    }
    assert!(report.elapsed >= Duration::from_millis(2995));
    assert!(report.late.unwrap() <= Duration::from_millis(2));
}

#[tokio::test(start_paused = true)]
async fn a_speed_follows_the_recorded_time_and_skips_cost_none() {
    let mut plan = plan();
    plan.pace = Pace::speed(10.0, Some(Duration::from_secs(2)));
    let mut all = events(5);
    for (event, time) in all.iter_mut().zip([0, 1000, 9_000_000, 500, 9_000_100]) {
        event.time = Some(time);
    }
    // It would stretch the line by far, were it not skipped.
    all[2].headers = vec![("evtap-count", Some("1"))];
    let memory = Memory::new();
    let (_, report) = run(&plan, &memory, [batch(&streams(), &all)]).await;
    let at: Vec<u128> = memory.all().iter().map(|s| s.at).collect();
    assert_eq!(at[0], 0);
    assert!(
        (100..=102).contains(&at[1]) && (100..=102).contains(&at[2]),
        "{at:?}"
    );
    assert!((2100..=2102).contains(&at[3]), "{at:?}");
    assert_eq!(report.sent, 4);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_stores_what_was_sent() {
    let mut plan = plan();
    plan.pace = Pace::Rate(1.0);
    let memory = Memory::new();
    let table = streams();
    let input = batch(&table, &events(3));
    let mut runner = Runner::new(&plan, Box::new(memory.clone()));
    let stopped = tokio::time::timeout(Duration::from_millis(1500), runner.batch(input)).await;
    assert!(stopped.is_err());
    assert_eq!(*memory.flushes.lock().unwrap(), 2);
    let report = runner.finish().await;
    assert_eq!(
        (report.sent, report.acknowledged, report.in_doubt),
        (2, 2, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_run_stores_what_was_sent_now_and_then() {
    let mut plan = plan();
    // No wait is long enough for a flush of its own.
    plan.pace = Pace::rate(5.0);
    let memory = Memory::new();
    let batches = [batch(&streams(), &events(100))];
    let (flow, report) = run(&plan, &memory, batches).await;
    assert!(flow.is_ok());
    assert_eq!(report.sent, 100);
    // 20 s, and the end.
    let flushes = *memory.flushes.lock().unwrap();
    assert!((4..=5).contains(&flushes), "{flushes}");
}

#[tokio::test]
async fn the_guards_stop_a_run_after_what_they_allow() {
    let mut limited = plan();
    limited.guards.max_events = Some(3);
    let memory = Memory::new();
    let (end, report) = run(&limited, &memory, [batch(&streams(), &events(5))]).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.starts_with("guard max-events"), "{error}");
    assert_eq!((report.sent, memory.all().len()), (3, 3));
    let (end, _) = run(&limited, &Memory::new(), [batch(&streams(), &events(3))]).await;
    assert!(end.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_end_in_time_is_not_waited_for() {
    let mut plan = plan();
    plan.pace = Pace::Rate(1.0);
    plan.guards.max_duration = Some(Duration::from_secs(2));
    let memory = Memory::new();
    let (end, report) = run(&plan, &memory, [batch(&streams(), &events(60))]).await;
    assert!(end.unwrap_err().message.starts_with("guard max-duration"));
    assert_eq!(report.sent, 3);
    assert!(report.elapsed < Duration::from_secs(3));
}

#[tokio::test]
async fn what_the_target_does_not_take_is_not_counted_as_sent() {
    let memory = Memory::with_room(4);
    let (end, report) = run(&plan(), &memory, [batch(&streams(), &events(9))]).await;
    assert_eq!(end.unwrap_err().kind, ErrorKind::Broker);
    assert_eq!(
        (report.sent, report.in_doubt, report.acknowledged),
        (0, 9, 4)
    );
}

/// A run of these alterations, which keeps what it rejects in this file.
async fn altered(plan: &Plan, memory: &Memory, file: &std::path::Path) -> Report {
    let means = crate::replay::alter::Means::default();
    let alter = Alterer::new(&plan.alterations, &means).unwrap();
    let rejects = Rejects::open(file, &plan.id()).unwrap();
    let runner = Runner::new(plan, Box::new(memory.clone()));
    let mut runner = runner.altering(alter, Some(rejects));
    let mut all = events(20);
    for (i, event) in all.iter_mut().enumerate() {
        event.value = Some(if i % 4 == 0 {
            b"no json"
        } else {
            br#"{"a":1}"#
        });
    }
    for part in all.chunks(7) {
        runner.batch(batch(&streams(), part)).await.unwrap();
    }
    runner.finish().await
}

#[tokio::test]
async fn what_is_rejected_is_kept_counted_and_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rejects.jsonl");
    let mut plan = plan();
    plan.alterations.map = Some(".value.a += 1".to_owned());
    for _ in 0..2 {
        let memory = Memory::new();
        let report = altered(&plan, &memory, &file).await;
        assert_eq!((report.sent, report.tally.read()), (15, 20));
        assert_eq!(report.tally.rejected(), 5);
        assert_eq!(report.rejects.as_deref(), Some(&*file));
        assert!(
            memory
                .all()
                .iter()
                .all(|s| s.value.as_deref() == Some(br#"{"a":2}"#))
        );
        let kept = std::fs::read_to_string(&file).unwrap();
        assert_eq!(kept.lines().count(), 5, "{kept}");
    }
    // Dropped and rejected events do not count against the limit.
    plan.guards.max_events = Some(15);
    let memory = Memory::new();
    let file = dir.path().join("others.jsonl");
    assert_eq!(altered(&plan, &memory, &file).await.sent, 15);
}

#[tokio::test(start_paused = true)]
async fn a_canary_waits_behind_its_last_event_until_it_is_let_go() {
    let mut plan = plan();
    plan.holds.canary = Some(5);
    let memory = Memory::new();
    let control = Control::new(plan.pace);
    let mut runner = Runner::controlled(&plan, Box::new(memory.clone()), &control);
    let input = batch(&streams(), &events(12));
    let watching = async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        let figures = control.figures();
        assert_eq!((figures.canary, figures.state), (true, RunState::Paused));
        assert_eq!((figures.sent, figures.acknowledged), (5, 5));
        control.resume();
    };
    let (done, ()) = tokio::join!(runner.batch(input), watching);
    done.unwrap();
    assert!(!control.figures().canary);
    assert_eq!(runner.finish().await.sent, 12);
}

#[tokio::test(start_paused = true)]
async fn a_lagging_group_holds_the_run_and_a_person_cannot_let_it_go() {
    let plan = plan();
    let memory = Memory::new();
    let control = Control::new(plan.pace);
    let mut runner = Runner::controlled(&plan, Box::new(memory.clone()), &control);
    control.hold_for_lag(true, Some("lag(g) is 9".to_owned()));
    let watching = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        control.resume();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let figures = control.figures();
        assert_eq!((figures.state, figures.sent), (RunState::Paused, 0));
        assert_eq!(figures.lag.as_deref(), Some("lag(g) is 9"));
        control.hold_for_lag(false, None);
    };
    let (done, ()) = tokio::join!(runner.batch(batch(&streams(), &events(3))), watching);
    done.unwrap();
    assert_eq!(runner.finish().await.sent, 3);
}
