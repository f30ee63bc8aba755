//! `evtap lag` on groups that real consumers are members of: what holds them up is told rightly,
//! and the figures are those of other clients.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use evtap::broker::History;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::shared;
use crate::support::{kafka, producer, with_topic};

pub const WAIT: Duration = Duration::from_secs(20);
pub const PROTOCOLS: [&str; 2] = ["classic", "consumer"];

/// A member of a group that commits when it is told to.
pub fn member(host: &str, protocol: &str, group: &str, topic: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", host)
        .set("group.id", group)
        .set("group.protocol", protocol)
        .set("client.id", "lag-test")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

/// Polls until the members have so many events together, and commits what was read.
pub fn take(consumer: &BaseConsumer, events: usize) {
    let begun = Instant::now();
    let mut taken = 0;
    while taken < events {
        assert!(begun.elapsed() < WAIT, "{taken} of {events} events came");
        if let Some(event) = consumer.poll(Duration::from_millis(100)) {
            event.unwrap();
            taken += 1;
        }
    }
    consumer
        .commit_consumer_state(CommitMode::Sync)
        .unwrap_or_default();
}

/// Polls until the member has so many partitions.
pub fn settle(consumer: &BaseConsumer, partitions: usize) {
    let begun = Instant::now();
    while consumer.assignment().unwrap().count() != partitions {
        assert!(begun.elapsed() < WAIT, "no {partitions} partitions came");
        drop(consumer.poll(Duration::from_millis(50)));
    }
}

fn commit(consumer: &BaseConsumer, topic: &str, offsets: &[(i32, i64)]) {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
            .unwrap();
    }
    consumer.commit(&list, CommitMode::Sync).unwrap();
}

pub fn send(producer: &BaseProducer, topic: &str, partition: i32, values: &[&str]) {
    for value in values {
        let record = BaseRecord::<str, str>::to(topic)
            .partition(partition)
            .key("k")
            .payload(*value);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(WAIT).unwrap();
}

/// What the program says of a group.
pub fn lag(host: &str, group: &str, more: &[&str]) -> Value {
    let url = format!("kafka://{host}");
    let output = shared::evtap()
        .args(["lag", &url, "--group", group, "-o", "json"])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    told["groups"][0].clone()
}

pub fn words(group: &Value) -> Vec<&str> {
    let rows = group["partitions"].as_array().unwrap();
    rows.iter()
        .map(|row| row["why"].as_str().unwrap())
        .collect()
}

pub const SOON: [&str; 2] = ["--still", "2s"];

#[tokio::test]
async fn a_transaction_left_open_blocks_and_is_no_poison() {
    let Some(host) = kafka() else { return };
    for protocol in PROTOCOLS {
        let (_, topic) = with_topic(&host, "lag-open", 1, &[]).await;
        let id = format!("{topic}-tx");
        let writer = producer(&host, &[("transactional.id", &id)]);
        writer.init_transactions(WAIT).unwrap();
        writer.begin_transaction().unwrap();
        send(&writer, &topic, 0, &["{}", "{}", "{}"]);
        writer.commit_transaction(WAIT).unwrap();
        let group = format!("{topic}-g");
        let consumer = member(&host, protocol, &group, &topic);
        take(&consumer, 3);
        writer.begin_transaction().unwrap();
        send(&writer, &topic, 0, &["{\"broken\":", "{}"]);
        let told = lag(&host, &group, &SOON);
        assert_eq!(told["type"], protocol, "{told}");
        assert_eq!(told["verdict"], "BLOCKED_BY_TXN", "{told}");
        let row = &told["partitions"][0];
        assert_eq!((&row["lso"], &row["hw"]), (&4.into(), &6.into()), "{told}");
        assert_eq!(row["visible"], 0, "{told}");
        let detail = row["detail"].as_str().unwrap();
        assert!(
            detail.contains(&id) && detail.contains("offset 4"),
            "{detail}"
        );
        // Who is behind it all, and by how much, is the same through librdkafka.
        let other = lag(&host, &group, &["-X", "evtap.reader=rdkafka"]);
        assert_eq!(other["verdict"], "BLOCKED_BY_TXN", "{other}");
        assert!(other["untold"].as_str().unwrap().contains("librdkafka"));
        writer.abort_transaction(WAIT).unwrap();
        let told = lag(&host, &group, &SOON);
        assert_eq!(told["verdict"], "OK", "{told}");
        assert_eq!(told["partitions"][0]["visible"], 0, "{told}");
    }
}

#[tokio::test]
async fn aborted_transactions_are_no_lag() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "lag-aborts", 1, &[]).await;
    let id = format!("{topic}-tx");
    let writer = producer(&host, &[("transactional.id", &id)]);
    writer.init_transactions(WAIT).unwrap();
    let transaction = |keep: bool| {
        writer.begin_transaction().unwrap();
        send(&writer, &topic, 0, &["{}"]);
        if keep {
            writer.commit_transaction(WAIT).unwrap();
        } else {
            writer.abort_transaction(WAIT).unwrap();
        }
    };
    transaction(true);
    let group = format!("{topic}-g");
    let consumer = member(&host, "classic", &group, &topic);
    take(&consumer, 1);
    for _ in 0..100 {
        transaction(false);
    }
    let told = lag(&host, &group, &["--max", "0", "--max-age", "1ms"]);
    let row = &told["partitions"][0];
    assert!(row["raw"].as_u64().unwrap() >= 200, "{told}");
    assert_eq!(
        (&row["visible"], &row["time_lag_ms"]),
        (&0.into(), &0.into())
    );
    assert_eq!((&told["verdict"], &row["at"]), (&"OK".into(), &Value::Null));
    for _ in 0..3 {
        transaction(true);
        transaction(false);
    }
    let told = lag(&host, &group, &[]);
    assert_eq!(told["partitions"][0]["visible"], 3, "{told}");
}

#[tokio::test]
async fn a_member_that_does_not_poll_is_stuck_and_all_of_them_are_a_stopped_group() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "lag-stuck", 2, &[]).await;
    let group = format!("{topic}-g");
    let one = member(&host, "consumer", &group, &topic);
    settle(&one, 2);
    let two = member(&host, "consumer", &group, &topic);
    let begun = Instant::now();
    let count = |c: &BaseConsumer| c.assignment().unwrap().count();
    while (count(&one), count(&two)) != (1, 1) {
        assert!(begun.elapsed() < WAIT);
        drop(one.poll(Duration::from_millis(20)));
        drop(two.poll(Duration::from_millis(20)));
    }
    let writer = producer(&host, &[]);
    let own = |c: &BaseConsumer| c.assignment().unwrap().elements()[0].partition();
    for partition in [0, 1] {
        send(&writer, &topic, partition, &["{}"]);
    }
    take(&one, 1);
    take(&two, 1);
    for partition in [0, 1] {
        send(&writer, &topic, partition, &["{}", "{}"]);
    }
    std::thread::sleep(Duration::from_secs(2));
    let told = lag(&host, &group, &SOON);
    assert_eq!(words(&told), ["GROUP_STOPPED", "GROUP_STOPPED"], "{told}");
    take(&one, 2);
    let told = lag(&host, &group, &SOON);
    let mut expected = ["OK", "OK"];
    expected[usize::try_from(own(&two)).unwrap()] = "MEMBER_STUCK";
    assert_eq!(words(&told), expected, "{told}");
    assert_eq!(told["verdict"], "MEMBER_STUCK");
    assert!(told["detail"].as_str().unwrap().contains(" at "), "{told}");
}

#[tokio::test]
async fn an_event_that_a_member_cannot_pass_is_poison() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "lag-poison", 2, &[]).await;
    let writer = producer(&host, &[]);
    send(&writer, &topic, 0, &["{}", "{}"]);
    send(&writer, &topic, 1, &["{}", "{\"order\":\"4", "{}"]);
    let group = format!("{topic}-g");
    let consumer = member(&host, "classic", &group, &topic);
    settle(&consumer, 2);
    commit(&consumer, &topic, &[(0, 2), (1, 1)]);
    std::thread::sleep(Duration::from_secs(2));
    let told = lag(&host, &group, &SOON);
    assert_eq!(words(&told), ["OK", "POISON"], "{told}");
    assert_eq!(told["partitions"][1]["at"], format!("{topic}/1@1"));
    let detail = told["partitions"][1]["detail"].as_str().unwrap();
    assert!(detail.contains("ends early at byte 11"), "{told}");
}

#[tokio::test]
async fn a_group_that_is_being_rebalanced_says_for_whom_it_waits() {
    let Some(host) = kafka() else { return };
    for protocol in PROTOCOLS {
        let (_, topic) = with_topic(&host, "lag-rebalance", 2, &[]).await;
        let group = format!("{topic}-g");
        let one = member(&host, protocol, &group, &topic);
        settle(&one, 2);
        commit(&one, &topic, &[(0, 0), (1, 0)]);
        send(&producer(&host, &[]), &topic, 0, &["{}"]);
        // The first does not answer; the second asks for its share.
        let two = member(&host, protocol, &group, &topic);
        let begun = Instant::now();
        let told = loop {
            drop(two.poll(Duration::from_millis(100)));
            let told = lag(&host, &group, &["--still", "1h"]);
            if told["verdict"] != "OK" || begun.elapsed() > WAIT {
                break told;
            }
        };
        let expected = match protocol {
            "classic" => "REBALANCING",
            _ => "RECONCILING",
        };
        assert_eq!(told["verdict"], expected, "{told}");
        if protocol == "consumer" {
            let detail = told["detail"].as_str().unwrap();
            let holder = told["partitions"][0]["member"].as_str().unwrap();
            assert!(detail.contains("has not given up 1 partition"), "{detail}");
            assert!(detail.contains(holder), "{detail}");
        }
    }
}

#[tokio::test]
async fn records_that_were_deleted_below_the_commit_are_lost() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "lag-lost", 1, &[("retention.ms", "3600000")]).await;
    send(&producer(&host, &[]), &topic, 0, &["{}"; 10]);
    let group = format!("{topic}-g");
    let commits = History {
        commits: vec![(group.clone(), topic.clone(), 0, 2)],
        ..History::default()
    };
    broker.load_history(&commits).await.unwrap();
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &host)
        .create()
        .unwrap();
    let mut before = TopicPartitionList::new();
    before
        .add_partition_offset(&topic, 0, Offset::Offset(7))
        .unwrap();
    admin
        .delete_records(&before, &AdminOptions::new())
        .await
        .unwrap();
    let told = lag(&host, &group, &[]);
    let row = &told["partitions"][0];
    assert_eq!(told["verdict"], "OFFSET_LOST", "{told}");
    assert_eq!((&row["log_start"], &row["visible"]), (&7.into(), &3.into()));
    assert!(row["detail"].as_str().unwrap().starts_with("5 positions"));
    assert!(row["to_loss_ms"].as_i64().unwrap() > 0, "{told}");
}

/// A thousand pairs of a group and a partition, against what librdkafka's consumer is told.
#[tokio::test]
async fn lag_at_rest_is_that_of_other_clients() {
    const PARTITIONS: u32 = 100;
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "lag-rest", PARTITIONS, &[]).await;
    let writer = producer(&host, &[]);
    for n in 0..3_000u64 {
        let partition = (n * n % u64::from(PARTITIONS)) as i32;
        let record = BaseRecord::<str, str>::to(&topic)
            .partition(partition)
            .payload("{}");
        writer.send(record).map_err(|(e, _)| e).unwrap();
    }
    writer.flush(WAIT).unwrap();
    let groups: Vec<String> = (0..10).map(|n| format!("{topic}-g{n}")).collect();
    let each = groups.iter().enumerate().flat_map(|(n, group)| {
        let commit = move |p: u32| u64::from(p) * n as u64 % 7;
        let topic = topic.clone();
        (0..PARTITIONS).map(move |p| (group.clone(), topic.clone(), p, commit(p)))
    });
    let commits = History {
        commits: each.collect(),
        ..History::default()
    };
    broker.load_history(&commits).await.unwrap();
    let told = broker.groups().await.unwrap();
    let mut compared = 0;
    for group in &groups {
        let other = member(&host, "classic", group, &topic);
        let mut asked = TopicPartitionList::new();
        for p in 0..PARTITIONS.cast_signed() {
            asked.add_partition(&topic, p);
        }
        let committed = other.committed_offsets(asked, WAIT).unwrap();
        let ours: BTreeMap<u32, u64> = told
            .iter()
            .filter(|g| g.name == *group)
            .flat_map(|g| &g.offsets)
            .map(|o| (o.partition, o.raw_lag.unwrap()))
            .collect();
        for element in committed.elements() {
            let Offset::Offset(commit) = element.offset() else {
                panic!("{element:?}")
            };
            let p = element.partition();
            let (_, end) = other.fetch_watermarks(&topic, p, WAIT).unwrap();
            let theirs = (end - commit).max(0).unsigned_abs();
            assert_eq!(ours[&p.unsigned_abs()], theirs, "{group} {p}");
            compared += 1;
        }
    }
    assert_eq!(compared, 1_000);
}
