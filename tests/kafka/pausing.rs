//! A replay that waits for a consumer group of its target.

use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use evtap::broker::{Broker, History, TopicSelector};

use crate::shared::evtap;
use crate::support::{kafka, produce_at, with_topic};

async fn commit(broker: &dyn Broker, group: &str, topic: &str, offset: u64) {
    let commits = History {
        commits: vec![(group.to_owned(), topic.to_owned(), 0, offset)],
        ..History::default()
    };
    broker.load_history(&commits).await.unwrap();
}

async fn written(broker: &dyn Broker, topic: &str) -> u64 {
    let topics = broker.topics(&TopicSelector::one(topic)).await.unwrap();
    topics
        .iter()
        .flat_map(|t| &t.partitions)
        .map(|p| p.end.major)
        .sum()
}

/// Waits until it has ended, and gives its exit code and what it said.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_mins(1) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut said = String::new();
    let stderr = child.stderr.take();
    stderr.unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_a_group_and_goes_on_when_it_has_caught_up() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "pausing", 1, &[]).await;
    let (_, target) = with_topic(&host, "pausing-target", 3, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let group = format!("{topic}-g");
    commit(&*broker, &group, &topic, 0).await;
    let run = |condition: &str| {
        let to = format!("kafka://{host}/{target}");
        let mut command = evtap();
        command.args([
            "replay",
            "demo:orders",
            "--to",
            &to,
            "--yes",
            "--pause-if",
            condition,
        ]);
        command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .stdin(Stdio::null());
        command.spawn().unwrap()
    };

    let child = run(&format!("lag({group})>4"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        written(&*broker, &target).await,
        0,
        "it waits from the start"
    );
    // Below what is allowed, but not yet at half of it.
    commit(&*broker, &group, &topic, 7).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(written(&*broker, &target).await, 0, "it goes on at half");
    commit(&*broker, &group, &topic, 8).await;
    let (code, said) = ended(child);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!("paused: lag({group}) is 10, and 4 are allowed")),
        "{said}"
    );
    assert!(said.contains("going on"), "{said}");
    assert!(written(&*broker, &target).await >= 62);

    let (code, said) = ended(run("lag(nobody-at-all)>4"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no group nobody-at-all"), "{said}");
}
