//! Runs that are held, paced anew and aborted while somebody watches, on a clock of the test's own.

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::broker::ErrorKind;
use crate::pipeline::{Consumer, Flow};
use crate::replay::fake::{Event, Memory, batch, event, plan, streams};
use crate::replay::{Report, Runner};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

struct Run {
    control: Control,
    memory: Memory,
    task: JoinHandle<(Result<Flow>, Report)>,
}

impl Run {
    fn start(pace: Pace, events: Vec<Event>) -> Self {
        let mut plan = plan();
        plan.pace = pace;
        let memory = Memory::new();
        let control = Control::new(pace);
        let mut runner = Runner::controlled(&plan, Box::new(memory.clone()), &control);
        let mut stop = control.stop();
        let task = tokio::spawn(async move {
            let mut flow = Ok(Flow::More);
            for part in events.chunks(50) {
                let input = batch(&streams(), part);
                tokio::select! {
                    biased;
                    () = stop.stopped() => break,
                    taken = runner.batch(input) => flow = taken,
                }
            }
            (flow, runner.finish().await)
        });
        Self {
            control,
            memory,
            task,
        }
    }

    async fn end(self) -> (Memory, Report) {
        let (flow, report) = self.task.await.unwrap();
        flow.unwrap();
        (self.memory, report)
    }
}

fn events(count: u64) -> Vec<Event> {
    (0..count).map(|offset| event(0, offset)).collect()
}

fn at(memory: &Memory) -> Vec<u128> {
    memory.all().iter().map(|sent| sent.at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_the_time_line_and_stores_what_was_sent() {
    let run = Run::start(Pace::Rate(10.0), events(40));
    sleep(ms(1050)).await;
    run.control.pause();
    sleep(ms(10)).await;
    let held = run.control.figures();
    assert_eq!((held.state, held.sent), (RunState::Paused, 11));
    assert_eq!(held.acknowledged, 11);
    assert!(held.rate < 0.001);
    sleep(Duration::from_hours(1)).await;
    assert_eq!(run.control.figures().sent, 11);
    assert_eq!(run.control.figures().elapsed, ms(1050));
    run.control.resume();
    sleep(ms(60)).await;
    // Neither a burst nor another wait: 50 ms of the tenth of a second were over.
    assert_eq!(run.control.figures().sent, 12);
    let (memory, report) = run.end().await;
    let at = at(&memory);
    let gap = at[11] - at[10];
    assert!((3_600_100..3_600_115).contains(&gap), "{gap}");
    for pair in at[11..].windows(2) {
        assert!((98..=102).contains(&(pair[1] - pair[0])), "{at:?}");
    }
    assert_eq!((report.sent, report.acknowledged), (40, 40));
    assert!((ms(3900)..ms(3910)).contains(&report.elapsed));
    assert!(report.paused >= Duration::from_hours(1));
    assert!(report.late.unwrap() <= ms(2), "{:?}", report.late);
}

#[tokio::test(start_paused = true)]
async fn a_run_at_full_speed_pauses_between_batches() {
    let control = Control::new(Pace::Max);
    let memory = Memory::new();
    let mut runner = Runner::controlled(&plan(), Box::new(memory.clone()), &control);
    control.pause();
    let waited = timeout(ms(500), runner.batch(batch(&streams(), &events(3)))).await;
    assert!(waited.is_err());
    assert_eq!(control.figures().state, RunState::Paused);
    assert_eq!(memory.all().len(), 0);
    control.resume();
    runner.batch(batch(&streams(), &events(3))).await.unwrap();
    assert_eq!(control.figures().sent, 3);
    let report = runner.finish().await;
    assert_eq!((report.sent, report.in_doubt), (3, 0));
    assert!(report.elapsed < ms(5), "{:?}", report.elapsed);
    assert!(report.paused >= ms(500));
    assert_eq!(control.figures().state, RunState::Ended);
    sleep(ms(100)).await;
    assert!(control.figures().elapsed < ms(5));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_is_cut_by_another_rate() {
    let run = Run::start(Pace::Rate(0.001), events(101));
    sleep(ms(2000)).await;
    assert_eq!(run.control.figures().sent, 1);
    run.control.set_pace(Pace::Rate(100.0)).unwrap();
    sleep(ms(500)).await;
    let figures = run.control.figures();
    assert_eq!(figures.pace, Pace::Rate(100.0));
    assert!((50..=52).contains(&figures.sent), "{}", figures.sent);
    run.control.set_pace(Pace::Max).unwrap();
    let (memory, report) = run.end().await;
    assert!(*at(&memory).last().unwrap() <= 2510);
    assert_eq!(report.sent, 101);
    assert!(report.late.unwrap() <= ms(2), "{:?}", report.late);
}

#[tokio::test(start_paused = true)]
async fn the_order_is_kept_however_the_pace_changes() {
    let run = Run::start(Pace::speed(1.0, None), events(3000));
    let control = run.control.clone();
    for (factor, wait) in [(2.0, 300), (0.5, 200), (10.0, 50)] {
        control.set_pace(Pace::speed(factor, None)).unwrap();
        sleep(ms(wait)).await;
        control.pause();
        sleep(ms(wait)).await;
        control.resume();
    }
    control.set_pace(Pace::Max).unwrap();
    let (memory, report) = run.end().await;
    let sources: Vec<String> = memory
        .all()
        .into_iter()
        .map(|sent| sent.headers[1].1.clone().unwrap())
        .collect();
    // The plan ends at a thousand.
    let expected: Vec<String> = (0..1000)
        .map(|offset| format!("kafka://h:9092/orders/0/{offset}"))
        .collect();
    assert_eq!(sources, expected);
    assert_eq!(report.sent, 1000);
    assert_eq!(control.figures().skipped, [(Skip::OutsidePlan, 2000)]);
    assert_eq!(control.figures().read, 3000);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_run_is_what_its_limit_counts() {
    let mut plan = plan();
    plan.pace = Pace::Rate(1.0);
    plan.guards.max_duration = Some(Duration::from_secs(5));
    let control = Control::new(plan.pace);
    let memory = Memory::new();
    let mut runner = Runner::controlled(&plan, Box::new(memory.clone()), &control);
    let control_2 = control.clone();
    let holding = tokio::spawn(async move {
        sleep(ms(1500)).await;
        control_2.pause();
        sleep(Duration::from_mins(1)).await;
        control_2.resume();
    });
    let end = runner.batch(batch(&streams(), &events(60))).await;
    holding.await.unwrap();
    assert!(end.unwrap_err().message.starts_with("guard max-duration"));
    assert_eq!(runner.finish().await.sent, 6);
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_a_run_that_waits_and_one_that_is_paused() {
    for paused in [false, true] {
        let run = Run::start(Pace::Rate(1.0), events(1000));
        sleep(ms(2500)).await;
        if paused {
            run.control.pause();
            sleep(ms(10)).await;
        }
        run.control.abort();
        assert!(run.control.is_aborted());
        let control = run.control.clone();
        let (memory, report) = timeout(ms(100), run.end()).await.unwrap();
        assert_eq!(memory.all().len(), 3);
        assert_eq!((report.sent, report.acknowledged), (3, 3));
        assert_eq!(report.in_doubt, 0);
        assert_eq!(control.figures().state, RunState::Ended);
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_what_was_sent_lately() {
    let run = Run::start(Pace::Rate(200.0), events(999));
    assert_eq!(run.control.figures().state, RunState::Ready);
    sleep(ms(1000)).await;
    let first = run.control.figures();
    assert_eq!(first.state, RunState::Running);
    assert!((195.0..205.0).contains(&first.rate), "{}", first.rate);
    run.control.set_pace(Pace::Rate(20.0)).unwrap();
    sleep(ms(2500)).await;
    let second = run.control.figures();
    assert!((18.0..23.0).contains(&second.rate), "{}", second.rate);
    run.control.set_pace(Pace::Rate(0.01)).unwrap();
    sleep(ms(60_000)).await;
    assert!(run.control.figures().rate < 0.1);
}

#[test]
fn a_pace_that_the_run_cannot_keep_is_refused() {
    let control = Control::new(Pace::Rate(5.0));
    let error = control.set_pace(Pace::speed(2.0, None)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = control.set_pace(Pace::Rate(bad)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage, "{bad}");
    }
    assert_eq!(control.figures().pace, Pace::Rate(5.0));
    let control = Control::new(Pace::speed(1.0, None));
    assert!(control.set_pace(Pace::speed(0.0, None)).is_err());
    assert!(control.set_pace(Pace::Max).is_ok());
    assert!(control.set_pace(Pace::speed(2.0, None)).is_ok());
}
