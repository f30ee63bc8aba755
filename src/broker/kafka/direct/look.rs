//! Looking: topics, their offsets, and the frozen ranges of a subscription.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::sleep;

use super::super::bounds::{self, Log};
use super::super::error::Failure;
use super::super::terms::{Ask, Place, Row};
use super::super::terms::{Found, infos, no_topic, places};
use super::answers::TopicMetadata;
use super::cluster::Cluster;
use super::offsets::{Glance, glance, offsets};
use crate::broker::{
    Error, Overview, PartitionRange, Range, Result, Silent, Subscription, TopicInfo, TopicSelector,
};

/// A topic that was just made, or whose leader just moved, is there in a moment.
const SETTLE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// The topics that the selector takes, by name.
pub(super) async fn find(cluster: &Cluster, which: &TopicSelector) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if !which.is_literal() {
        let metadata = cluster.metadata(None).await?;
        found.extend(metadata.topics.iter().map(read));
        found.retain(|topic: &Found| which.takes(&topic.name, topic.internal));
    }
    let names: Vec<&str> = which
        .names()
        .filter(|name| !found.iter().any(|topic| &*topic.name == *name))
        .collect();
    if !names.is_empty() {
        found.extend(by_name(cluster, &names).await?);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Topics by their names. A missing one is an error.
async fn by_name(cluster: &Cluster, names: &[&str]) -> Result<Vec<Found>> {
    let asked = Instant::now();
    loop {
        let metadata = cluster.recent_metadata(names).await?;
        let mut found = Vec::with_capacity(names.len());
        let mut settling = None;
        for name in names {
            let topic = metadata.topics.iter().find(|t| t.name == **name);
            let code = topic.map_or(Code::UnknownTopicOrPartition, |topic| {
                Failure::from_number(topic.error.into()).code
            });
            match (topic, code) {
                (Some(topic), _) if topic.error == 0 => found.push(read(topic)),
                (_, Code::UnknownTopicOrPartition) => return Err(missing(cluster, name).await),
                (_, Code::LeaderNotAvailable) if asked.elapsed() < SETTLE => settling = Some(code),
                _ => return Err(Failure::of(code).into_error(&format!("look up {name}"))),
            }
        }
        if settling.is_none() {
            return Ok(found);
        }
        sleep(PAUSE).await;
        cluster.metadata(Some(names)).await?;
    }
}

async fn missing(cluster: &Cluster, name: &str) -> Error {
    match cluster.metadata(None).await {
        Ok(all) => {
            let known = all.topics.iter().map(|topic| topic.name.as_str());
            no_topic(cluster.brokers(), name, known)
        }
        Err(_) => no_topic(cluster.brokers(), name, std::iter::empty()),
    }
}

fn read(topic: &TopicMetadata) -> Found {
    Found {
        name: topic.name.as_str().into(),
        internal: topic.internal || topic.name.starts_with("__"),
        partitions: topic.partitions.iter().map(|p| p.partition).collect(),
    }
}

/// How many partitions a topic has, once the leader of each tells an offset: in a topic that was
/// just made, the metadata names a leader before it knows that it leads.
pub(super) async fn partitions(cluster: &Cluster, topic: &str) -> Result<u32> {
    let found = find(cluster, &TopicSelector::one(topic)).await?;
    let places: Vec<Place> = places(&found).collect();
    let end = Ask::End {
        committed_only: false,
    };
    offsets(cluster, &places, &[end]).await?;
    Ok(places.len() as u32)
}

/// The topics, and which of their partitions do not tell how far they go.
pub(super) async fn overview(cluster: &Cluster, which: &TopicSelector) -> Result<Overview> {
    let mut found = find(cluster, which).await?;
    let places: Vec<Place> = places(&found).collect();
    let end = Ask::End {
        committed_only: false,
    };
    let Glance { offsets, silent } = glance(cluster, &places, &[Ask::First, end]).await?;
    let told = |asked: &Vec<i64>| -> Vec<i64> {
        let rows = asked.iter().enumerate();
        let told = rows.filter(|(row, _)| !silent.contains_key(row));
        told.map(|(_, offset)| *offset).collect()
    };
    let offsets: Vec<Vec<i64>> = offsets.iter().map(told).collect();
    let mut by_topic: BTreeMap<Arc<str>, Vec<Silent>> = BTreeMap::new();
    for (row, why) in silent {
        let (topic, partition) = places[row].clone();
        let of_topic = by_topic.entry(topic).or_default();
        of_topic.push(Silent { partition, why });
    }
    for topic in &mut found {
        if let Some(silent) = by_topic.get(&topic.name) {
            let tells = |partition: &u32| !silent.iter().any(|s| s.partition == *partition);
            topic.partitions.retain(tells);
        }
    }
    Ok(Overview {
        topics: infos(found, &offsets),
        silent: by_topic,
    })
}

/// What topics there are, where all their partitions tell how far they go.
pub(super) async fn list(cluster: &Cluster, which: &TopicSelector) -> Result<Vec<TopicInfo>> {
    let found = find(cluster, which).await?;
    let places: Vec<Place> = places(&found).collect();
    let end = Ask::End {
        committed_only: false,
    };
    let asked = offsets(cluster, &places, &[Ask::First, end]).await?;
    Ok(infos(found, &asked))
}

/// The ranges of a subscription. The commits of groups are asked for elsewhere: `commits` holds
/// those of each group that the subscription names.
pub(super) async fn resolve(
    cluster: &Cluster,
    sub: &Subscription,
    commits: Vec<(String, Vec<Row>)>,
) -> Result<Vec<PartitionRange>> {
    if let Range::Frozen(ranges) = &sub.range {
        let names: BTreeSet<&Arc<str>> = ranges.iter().map(|r| &r.topic).collect();
        let names: Vec<&str> = names.into_iter().map(|name| &**name).collect();
        if !names.is_empty() {
            by_name(cluster, &names).await?;
        }
        return Ok(ranges.clone());
    }
    let found = find(cluster, &sub.topics).await?;
    let places = bounds::selected(&found, &sub.partitions)?;
    let questions = bounds::questions(sub, cluster.settings.committed_only);
    let offsets = offsets(cluster, &places, &questions).await?;
    let log = Log {
        places,
        offsets,
        commits,
    };
    log.ranges(sub)
}
