//! Brokers that die and come back while both readers read.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use evtap::broker::{Bound, Source};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::both::{BOTH, Reader, Taken, equal, read, same_events};
use crate::made::{WAIT, numbered, produce};
use crate::offline::Single;
use crate::own_kafka::Own;
use crate::support::{all_of, between, remembering, with_topic};

struct Follower {
    reader: Reader,
    source: Box<dyn Source>,
    taken: Taken,
    told: std::sync::Arc<Mutex<Vec<String>>>,
}

impl Follower {
    async fn start(reader: Reader, host: &str, topic: &str) -> Self {
        let (notices, told) = remembering();
        let mut sub = between(topic, Bound::Start, Bound::End);
        sub.follow = true;
        sub.notices = notices;
        Self {
            reader,
            source: reader.open(host, "").source(&sub).await.unwrap(),
            taken: Taken::default(),
            told,
        }
    }

    async fn until(&mut self, count: usize) {
        self.taken.until(&mut *self.source, count).await;
    }

    async fn hears(&self, word: &str) {
        let started = Instant::now();
        loop {
            let told = self.told.lock().unwrap().clone();
            if told.iter().any(|text| text.contains(word)) {
                return;
            }
            let reader = self.reader;
            assert!(started.elapsed() < WAIT, "{reader:?}: '{word}' in {told:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_following_read_survives_a_restart() {
    const STEP: u64 = 500;
    let Some(server) = Own::start(&[]) else {
        return;
    };
    let host = server.plain();
    let (_, topic) = with_topic(&host, "followed", 2, &[]).await;
    let more = |from: u64| {
        let events = (from..from + STEP).map(|n| numbered(n, 2, 100));
        produce(&host, &topic, &[], events);
    };
    more(0);
    let mut followers = Vec::new();
    for reader in BOTH {
        followers.push(Follower::start(reader, &host, &topic).await);
    }
    for follower in &mut followers {
        follower.until(STEP as usize).await;
    }
    server.kill();
    for follower in &followers {
        follower.hears("lost the connection").await;
    }
    server.revive();
    more(STEP);
    let wanted = read(&*Reader::Rdkafka.open(&host, ""), &all_of(&topic)).await;
    assert_eq!(wanted.events.len() as u64, 2 * STEP);
    for follower in &mut followers {
        follower.until(wanted.events.len()).await;
        follower.hears("connected to").await;
        assert_eq!(follower.told.lock().unwrap().len(), 2, "once each");
        // Nothing comes twice.
        let quiet = follower.until(wanted.events.len() + 1);
        assert!(
            tokio::time::timeout(Duration::from_millis(500), quiet)
                .await
                .is_err()
        );
        same_events(&follower.taken.ordered(), &wanted.events);
    }
}

/// The broker that leads the partition.
fn leader(hosts: &str, topic: &str) -> u32 {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", hosts)
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), WAIT).unwrap();
    metadata.topics()[0].partitions()[0]
        .leader()
        .cast_unsigned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replicated_log_is_read_though_its_leader_dies() {
    const EVENTS: u64 = 40_000;
    let Some(server) = Own::start(&["--brokers", "3"]) else {
        return;
    };
    let hosts = server.plain();
    let (_, topic) = with_topic(&hosts, "replicated", 3, &[]).await;
    let how = [
        ("linger.ms", "20"),
        ("batch.size", "100000"),
        ("acks", "all"),
    ];
    produce(
        &hosts,
        &topic,
        &how,
        (0..EVENTS).map(|n| numbered(n, 3, 1000)),
    );
    let mut sub = all_of(&topic);
    let wanted = read(&*Reader::Rdkafka.open(&hosts, ""), &sub).await;
    assert_eq!(wanted.events.len() as u64, EVENTS);

    // So little that most of each partition is still on its broker.
    sub.memory = 4 << 20;
    let mut reads = Vec::new();
    for reader in BOTH {
        let mut source = reader.open(&hosts, "").source(&sub).await.unwrap();
        let mut taken = Taken::default();
        taken.until(&mut *source, 100).await;
        reads.push((reader, source, taken));
    }
    let single = Single::new(&hosts).await;
    let dead = leader(&hosts, &topic);
    server.kill_node(dead);
    for (reader, source, taken) in &mut reads {
        taken.until(&mut **source, usize::MAX).await;
        assert_eq!(taken.scanned, wanted.scanned, "{reader:?}");
        same_events(&taken.ordered(), &wanted.events);
    }
    // One that begins while a broker is dead, and one when it is back.
    let direct = Reader::Direct.open(&hosts, "");
    equal(&read(&*direct, &sub).await, &wanted);
    server.revive_node(dead);
    equal(&read(&*direct, &sub).await, &wanted);

    // What is not replicated is gone as long as its broker is.
    single.is_shown_whole().await;
    single
        .is_shown_without(dead, || server.kill_node(dead))
        .await;
}
