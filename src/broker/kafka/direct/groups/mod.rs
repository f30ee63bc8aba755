//! Consumer groups by Kafka's own protocol: who there is, where they stand, and what stands in
//! their way. Only looks.

mod ask;
pub(super) mod classic;
mod commits;
#[cfg(test)]
mod tests;
mod told;
mod transactions;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures_util::future::{join, try_join_all};
use tokio::time::sleep;

use self::ask::Told;
pub(super) use self::commits::commits_with_text;
use super::super::error::Failure;
use super::super::group_rows::{self, Ends};
use super::super::terms::{Ask, Place};
use super::answers::Metadata;
use super::cluster::Cluster;
use super::configs;
use super::coordinator::moved;
use super::offsets::{Glance, glance, leaders, passes};
use crate::broker::{Group, OpenTransaction, Result};

/// How long a coordinator that moves is waited for.
const MOVING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// All groups, by name. Never joins one.
pub(super) async fn list(cluster: &Cluster) -> Result<Vec<Group>> {
    let began = Instant::now();
    let (metadata, told) = loop {
        let metadata = cluster.metadata(None).await?;
        let each = metadata
            .brokers
            .iter()
            .map(|(node, _)| ask::coordinator(cluster, *node));
        match try_join_all(each).await {
            Ok(told) => break (metadata, told.into_iter().flatten().collect::<Vec<Told>>()),
            Err(failure) if (moved(&failure) || passes(&failure)) && began.elapsed() < MOVING => {
                sleep(PAUSE).await;
            }
            Err(failure) => return Err(failure.into_error("list the consumer groups")),
        }
    };
    // A group keeps the commits of topics that were deleted.
    let known: BTreeSet<Place> = metadata
        .topics
        .iter()
        .flat_map(|topic| {
            let name: std::sync::Arc<str> = topic.name.as_str().into();
            let each = topic.partitions.iter();
            each.map(move |p| (name.clone(), p.partition))
        })
        .collect();
    let mut groups: Vec<(Group, String)> = told
        .into_iter()
        .map(|told| {
            let mut group = group_rows::group(told.name, told.kind, told.state, told.members);
            group.epochs = told.epochs;
            group_rows::place(&mut group, &told.commits, &known);
            (group, told.untold.unwrap_or_default())
        })
        .collect();
    groups.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    groups.dedup_by(|a, b| a.0.name == b.0.name);
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(mut group, untold)| {
            group.untold = (!untold.is_empty()).then_some(untold);
            group
        })
        .collect();
    ends(cluster, &mut groups).await?;
    obstacles(cluster, &metadata, &mut groups).await;
    Ok(groups)
}

/// Asks how far the partitions go.
async fn ends(cluster: &Cluster, groups: &mut [Group]) -> Result<()> {
    let places = group_rows::places(groups);
    let end = |committed_only| Ask::End { committed_only };
    let asks = [Ask::First, end(false), end(true)];
    let Glance { offsets, silent } = glance(cluster, &places, &asks).await?;
    let told = places.iter().enumerate();
    let told = told.filter(|(row, _)| !silent.contains_key(row));
    let ends: HashMap<&Place, Ends> = told
        .map(|(i, place)| {
            let ends = Ends {
                first: offsets[0][i],
                end: offsets[1][i],
                stable: Some(offsets[2][i]),
            };
            (place, ends)
        })
        .collect();
    let silent = silent.into_iter().map(|(row, why)| (&places[row], why));
    group_rows::finish(groups, &ends, &silent.collect());
    Ok(())
}

/// Asks what limits those that are behind: how long their events are kept, and which transaction
/// holds them up. Who may not know goes without.
async fn obstacles(cluster: &Cluster, metadata: &Metadata, groups: &mut [Group]) {
    let waiting = groups
        .iter()
        .flat_map(|g| &g.offsets)
        .filter(|o| o.raw_lag.is_some_and(|lag| lag > 0));
    let topics: BTreeSet<&str> = waiting.clone().map(|o| &*o.topic).collect();
    let topics: Vec<&str> = topics.into_iter().collect();
    let held = waiting.filter(|o| o.readable() < o.end && o.committed <= o.stable);
    let leaders = leaders(metadata);
    let held: BTreeSet<(Place, i32)> = held
        .filter_map(|o| {
            let leader = leaders.get(&(&*o.topic, o.partition)).copied()?;
            Some(((o.topic.clone(), o.partition), leader))
        })
        .collect();
    let held: Vec<(Place, i32)> = held.into_iter().collect();
    let nodes: Vec<i32> = metadata.brokers.iter().map(|(node, _)| *node).collect();
    let open = async {
        if held.is_empty() {
            return Ok(HashMap::new());
        }
        transactions::open(cluster, &held, &nodes).await
    };
    let (kept, open) = join(kept(cluster, &nodes, &topics), open).await;
    put(groups, &kept, &open);
}

async fn kept(
    cluster: &Cluster,
    nodes: &[i32],
    topics: &[&str],
) -> std::result::Result<HashMap<String, u64>, Failure> {
    match nodes.first() {
        Some(node) if !topics.is_empty() => {
            let told = configs::of_topics(cluster, *node, topics).await?;
            let deleting = told.into_iter().filter(|t| t.deletes != Some(false));
            Ok(deleting
                .filter_map(|t| Some((t.topic.to_string(), t.retention_ms?)))
                .collect())
        }
        _ => Ok(HashMap::new()),
    }
}

fn put(
    groups: &mut [Group],
    kept: &std::result::Result<HashMap<String, u64>, Failure>,
    open: &std::result::Result<HashMap<Place, OpenTransaction>, Failure>,
) {
    for group in groups {
        let mut refused = None;
        for offset in &mut group.offsets {
            if offset.raw_lag.is_none_or(|lag| lag == 0) {
                continue;
            }
            match kept {
                Ok(kept) => offset.retention_ms = kept.get(&*offset.topic).copied(),
                Err(failure) => refused = Some(("how long events are kept", failure)),
            }
            if offset.readable() < offset.end {
                let place = (offset.topic.clone(), offset.partition);
                match open {
                    Ok(open) => offset.transaction = open.get(&place).cloned(),
                    Err(failure) => refused = Some(("the open transactions", failure)),
                }
            }
        }
        if let Some((what, failure)) = refused {
            let text = format!("{what} were not told: {}", failure.text);
            group.untold.get_or_insert(text);
        }
    }
}
