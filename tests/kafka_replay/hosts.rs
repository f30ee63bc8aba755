//! Several hosts on one plan.

use std::thread::sleep;
use std::time::Duration;

use crate::copies::are_equal;
use crate::made::{Dice, produce, shaped};
use crate::program::Desk;
use crate::support::{kafka, with_topic};

const EVENTS: u64 = 100_000;
const PATIENCE: Duration = Duration::from_mins(3);

async fn desk(host: &str, name: &str, rate: &str) -> (Desk, String, String, String) {
    let (_, source) = with_topic(host, name, 12, &[]).await;
    let target = format!("{source}.copy");
    let how = [("linger.ms", "20"), ("compression.type", "lz4")];
    produce(host, &source, &how, (0..EVENTS).map(|n| shaped(n, 12)));
    let desk = Desk::new();
    let more = ["--create-topic", "--timestamps", "keep", "--rate", rate];
    let plan = desk.plan_copy(host, [&source, &target], &more);
    (desk, plan, source, target)
}

/// How many events the last run of this host wrote, by its own word.
fn written(told: &str) -> u64 {
    let line = told.lines().rfind(|line| line.starts_with("replayed "));
    let line = line.unwrap_or_else(|| panic!("no report in:\n{told}"));
    let number = line.split(' ').nth(1).unwrap();
    number.replace(',', "").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_the_work_and_one_may_die_again_and_again() {
    let Some(host) = kafka() else { return };
    let (desk, plan, source, target) = desk(&host, "shared", "6000").await;
    let steady = ["first", "second"].map(|state| desk.start(state, &plan));
    let mut dice = Dice(std::process::id().into());
    for _ in 0..3 {
        let mortal = desk.start("third", &plan);
        sleep(Duration::from_millis(500 + dice.below(1500)));
        assert!(mortal.kill(), "it was not done yet");
    }
    let mortal = desk.start("third", &plan);
    for run in steady.into_iter().chain([mortal]) {
        let ended = run.end(PATIENCE);
        assert_eq!(ended.code, Some(0), "{}", ended.told);
    }
    assert_eq!(are_equal(&host, &source, &target).await as u64, EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_share_of_a_host_that_is_gone_for_good_is_taken_over() {
    let Some(host) = kafka() else { return };
    let (desk, plan, source, target) = desk(&host, "orphaned", "4000").await;
    let survivor = desk.start("first", &plan);
    let gone = desk.start("second", &plan);
    // A busy machine takes seconds until the hosts have shared and committed for the first time.
    sleep(Duration::from_secs(6));
    assert!(gone.kill(), "it was not done yet");
    let ended = survivor.end(PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.told);
    let wrote = written(&ended.told);
    assert!((EVENTS / 2..EVENTS).contains(&wrote), "{wrote}: shared");
    assert_eq!(are_equal(&host, &source, &target).await as u64, EVENTS);
}
