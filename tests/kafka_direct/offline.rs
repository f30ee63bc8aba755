//! Partitions that no broker leads: what there is of the rest is shown, and they are named.

use std::sync::Arc;
use std::time::Instant;

use evtap::broker::{Broker, TopicSelector};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::both::Reader;
use crate::made::{WAIT, numbered, produce};
use crate::support::{all_of, unique};

const PARTITIONS: u32 = 3;

/// A topic whose partitions are each on one broker only.
pub struct Single {
    hosts: String,
    topic: String,
    group: String,
}

impl Single {
    /// With ten events in each partition, of which a group has taken four.
    pub async fn new(hosts: &str) -> Self {
        let (topic, group) = (unique("single"), unique("readers"));
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", hosts);
        let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
        let new = NewTopic::new(&topic, PARTITIONS.cast_signed(), TopicReplication::Fixed(1));
        let made = admin.create_topics([&new], &AdminOptions::new()).await;
        assert!(made.unwrap()[0].is_ok());
        let count = u64::from(PARTITIONS) * 10;
        let events = (0..count).map(|n| numbered(n, PARTITIONS.into(), 10));
        produce(hosts, &topic, &[], events);
        let consumer: BaseConsumer = config.set("group.id", &group).create().unwrap();
        let mut commits = TopicPartitionList::new();
        for partition in 0..PARTITIONS.cast_signed() {
            let added = commits.add_partition_offset(&topic, partition, Offset::Offset(4));
            added.unwrap();
        }
        consumer.commit(&commits, CommitMode::Sync).unwrap();
        Self {
            hosts: hosts.to_owned(),
            topic,
            group,
        }
    }

    fn led_by(&self, node: u32) -> Vec<u32> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.hosts)
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(&self.topic), WAIT).unwrap();
        let partitions = metadata.topics()[0].partitions().iter();
        partitions
            .filter(|p| p.leader().cast_unsigned() == node)
            .map(|p| p.id().cast_unsigned())
            .collect()
    }

    /// Kills the broker, and looks.
    pub async fn is_shown_without(&self, dead: u32, kill: impl FnOnce()) {
        let lost = self.led_by(dead);
        assert!((1..PARTITIONS as usize).contains(&lost.len()), "{lost:?}");
        kill();
        let broker = Reader::Direct.open(&self.hosts, "");
        // At once, while the cluster still names the dead one, and when it knows.
        self.tells_of_the_rest(&broker, &lost).await;
        self.lag_is_told(&broker, &lost).await;
        self.tells_of_the_rest(&broker, &lost).await;
        let error = broker.resolve(&all_of(&self.topic)).await.unwrap_err();
        assert!(error.hint.as_ref().unwrap().contains("-p N"), "{error}");
        let mut rest = all_of(&self.topic);
        rest.partitions = (0..PARTITIONS).filter(|p| !lost.contains(p)).collect();
        assert_eq!(
            broker.resolve(&rest).await.unwrap().len(),
            rest.partitions.len()
        );
    }

    async fn tells_of_the_rest(&self, broker: &Arc<dyn Broker>, lost: &[u32]) {
        let found = broker.overview(&TopicSelector::one(&self.topic)).await;
        let found = found.unwrap();
        let silent = found.silent(&self.topic);
        assert!(silent.iter().all(|s| !s.why.is_empty()));
        let silent: Vec<u32> = silent.iter().map(|s| s.partition).collect();
        assert_eq!(silent, lost);
        let told = &found.topics[0].partitions;
        assert_eq!(told.len() + lost.len(), PARTITIONS as usize);
        for partition in told {
            assert!(!lost.contains(&partition.partition));
            assert_eq!((partition.first.major, partition.end.major), (0, 10));
        }
    }

    async fn lag_is_told(&self, broker: &Arc<dyn Broker>, lost: &[u32]) {
        let started = Instant::now();
        // The group may move to another coordinator first.
        let groups = loop {
            match broker.groups().await {
                Ok(groups) => break groups,
                Err(error) => assert!(started.elapsed() < WAIT, "{error}"),
            }
        };
        let group = groups.iter().find(|g| g.name == self.group).unwrap();
        let of_topic = group.offsets.iter().filter(|o| *o.topic == *self.topic);
        let mut rows = 0;
        for offset in of_topic {
            rows += 1;
            let expected = (!lost.contains(&offset.partition)).then_some(6);
            assert_eq!(offset.raw_lag, expected, "{offset:?}");
            assert_eq!(offset.silent.is_none(), expected.is_some(), "{offset:?}");
        }
        assert_eq!(rows, PARTITIONS);
    }

    /// The broker is back.
    pub async fn is_shown_whole(&self) {
        let broker = Reader::Direct.open(&self.hosts, "");
        let started = Instant::now();
        loop {
            let found = broker.overview(&TopicSelector::one(&self.topic)).await;
            if found.unwrap().silent.is_empty() {
                return;
            }
            assert!(started.elapsed() < WAIT);
        }
    }
}
