//! Runs that are killed, and brokers that are.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::copies::are_equal;
use crate::made::{Dice, numbered, produce, shaped};
use crate::own_kafka::Own;
use crate::program::{Desk, asked};
use crate::support::{kafka, with_topic};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_goes_on_where_it_stood() {
    const EVENTS: u64 = 100_000;
    let Some(host) = kafka() else { return };
    let kills = asked("EVTAP_TEST_REPLAY_KILLS", 10);
    let (_, source) = with_topic(&host, "killed", 6, &[]).await;
    let how = [("linger.ms", "20"), ("compression.type", "lz4")];
    produce(&host, &source, &how, (0..EVENTS).map(|n| shaped(n, 6)));
    let seed = std::process::id().into();
    let mut dice = Dice(seed);
    let (mut done, mut round) = (0, 0);
    // As many runs as it takes: the last ends before it is killed.
    while done < kills {
        round += 1;
        let target = format!("{source}.copy{round}");
        let desk = Desk::new();
        let more = ["--create-topic", "--timestamps", "keep", "--rate", "40000"];
        let plan = desk.plan_copy(&host, [&source, &target], &more);
        while done < kills {
            let run = desk.start("state", &plan);
            sleep(Duration::from_millis(30 + dice.below(900)));
            if !run.kill() {
                break;
            }
            done += 1;
        }
        desk.apply(&plan);
        let count = are_equal(&host, &source, &target).await;
        assert_eq!(count as u64, EVENTS, "seed {seed}, after {done} kills");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_die_and_come_back_lose_and_double_nothing() {
    const EVENTS: u64 = 60_000;
    let Some(server) = Own::start(&["--brokers", "3"]) else {
        return;
    };
    let kills = asked("EVTAP_TEST_REPLAY_BROKER_KILLS", 3);
    let hosts = server.plain();
    let (_, source) = with_topic(&hosts, "replicated", 6, &[]).await;
    let target = format!("{source}.copy");
    let how = [("linger.ms", "20"), ("acks", "all")];
    produce(
        &hosts,
        &source,
        &how,
        (0..EVENTS).map(|n| numbered(n, 6, 300)),
    );
    let desk = Desk::new();
    let more = ["--create-topic", "--timestamps", "keep", "--rate", "4000"];
    let plan = desk.plan_copy(&hosts, [&source, &target], &more);
    let mut run = desk.start("state", &plan);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut dice = Dice(std::process::id().into());
            for _ in 0..kills {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                sleep(Duration::from_millis(500 + dice.below(2500)));
                let node = 1 + dice.below(3) as u32;
                server.kill_node(node);
                sleep(Duration::from_millis(200 + dice.below(2500)));
                server.revive_node(node);
                // The others hold all that is needed again only when it has caught up.
                sleep(Duration::from_secs(5));
            }
        });
        while !run.is_over() {
            sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
    });
    let ended = run.end(Duration::from_secs(1));
    // It may have given up; then it says how to go on, and does.
    assert!(matches!(ended.code, Some(0 | 6)), "{}", ended.told);
    desk.apply(&plan);
    let count = are_equal(&hosts, &source, &target).await;
    assert_eq!(count as u64, EVENTS);
}
