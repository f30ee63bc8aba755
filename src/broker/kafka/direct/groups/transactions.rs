//! Which transaction holds a partition's stable offset back: who has begun it, and when. Three
//! questions, asked only where readers are held up: the producers of the partition, their
//! transactions, and since when those are open.

use std::collections::HashMap;

use futures_util::future::join_all;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{
    ApiKey, DescribeProducersRequest, DescribeTransactionsRequest, ListTransactionsRequest,
    ProducerId, TopicName, TransactionalId,
};

use super::super::super::error::Failure;
use super::super::super::terms::Place;
use super::super::cluster::Cluster;
use super::super::wire::{Reader, checked, text};
use super::told::partition;
use crate::broker::OpenTransaction;
use crate::event::{Position, Timestamp};

/// The first version, and the only one that is needed.
const FIRST: (i16, i16) = (0, 0);

/// A transaction as its coordinator tells of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Began {
    producer: i64,
    id: String,
    since: Option<Timestamp>,
}

/// The oldest open transaction of each of these partitions. `leaders` has who leads each of them.
pub(super) async fn open(
    cluster: &Cluster,
    places: &[(Place, i32)],
    nodes: &[i32],
) -> Result<HashMap<Place, OpenTransaction>, Failure> {
    let mut found = HashMap::new();
    let mut leaders: Vec<i32> = places.iter().map(|(_, leader)| *leader).collect();
    leaders.sort_unstable();
    leaders.dedup();
    for leader in leaders {
        let of: Vec<&Place> = places
            .iter()
            .filter(|(_, of)| *of == leader)
            .map(|(place, _)| place)
            .collect();
        found.extend(producers(cluster, leader, &of).await?);
    }
    // Who may see the producers need not be allowed to see their transactions.
    let pids: Vec<i64> = found.values().map(|open| open.producer).collect();
    if pids.is_empty() {
        return Ok(found);
    }
    let told = join_all(nodes.iter().map(|node| names(cluster, *node, &pids))).await;
    for began in told.into_iter().flatten().flatten() {
        let own = found.values_mut().filter(|o| o.producer == began.producer);
        for open in own {
            open.id = Some(began.id.clone());
            open.since = began.since.or(open.since);
        }
    }
    Ok(found)
}

async fn producers(
    cluster: &Cluster,
    leader: i32,
    places: &[&Place],
) -> Result<Vec<(Place, OpenTransaction)>, Failure> {
    let (host, mut connection) = cluster.connect(leader).await?;
    let version = connection.version(ApiKey::DescribeProducers, FIRST)?;
    let mut topics: Vec<TopicRequest> = Vec::new();
    for (topic, partition) in places {
        let partition = partition.cast_signed();
        match topics.last_mut() {
            Some(last) if last.name.as_str() == &**topic => last.partition_indexes.push(partition),
            _ => topics.push(
                TopicRequest::default()
                    .with_name(TopicName(text(topic)))
                    .with_partition_indexes(vec![partition]),
            ),
        }
    }
    let request = DescribeProducersRequest::default().with_topics(topics);
    let answer = connection
        .call(ApiKey::DescribeProducers, version, &request)
        .await?;
    cluster.keep(host, connection);
    read_producers(&answer)
}

pub(super) fn read_producers(answer: &[u8]) -> Result<Vec<(Place, OpenTransaction)>, Failure> {
    let mut reader = Reader::new(answer, true);
    let r = &mut reader;
    r.i32()?;
    let mut found = Vec::new();
    for _ in 0..r.count()? {
        let topic: std::sync::Arc<str> = r.text()?.into();
        for _ in 0..r.count()? {
            let partition = partition(r)?;
            checked(r.i16()?)?;
            r.string()?;
            let mut oldest: Option<OpenTransaction> = None;
            for _ in 0..r.count()? {
                if let Some(open) = producer(r)?
                    && oldest.as_ref().is_none_or(|o| open.first < o.first)
                {
                    oldest = Some(open);
                }
            }
            r.tags()?;
            found.extend(oldest.map(|open| ((topic.clone(), partition), open)));
        }
        r.tags()?;
    }
    Ok(found)
}

/// A producer; `None` when it has no transaction open here.
fn producer(r: &mut Reader<'_>) -> Result<Option<OpenTransaction>, Failure> {
    let producer = r.i64()?;
    r.i32()?;
    r.i32()?;
    let last = r.i64()?;
    r.i32()?;
    let first = r.i64()?;
    r.tags()?;
    let open = |first| OpenTransaction {
        producer,
        id: None,
        first: Position::offset(first),
        since: (last >= 0).then_some(Timestamp(last)),
    };
    Ok(u64::try_from(first).ok().map(open))
}

/// The names of these producers' transactions that this broker coordinates, and when they began.
async fn names(cluster: &Cluster, node: i32, pids: &[i64]) -> Result<Vec<Began>, Failure> {
    let (host, mut connection) = cluster.connect(node).await?;
    let version = connection.version(ApiKey::ListTransactions, FIRST)?;
    let ids = pids.iter().copied().map(ProducerId).collect();
    let request = ListTransactionsRequest::default().with_producer_id_filters(ids);
    let answer = connection
        .call(ApiKey::ListTransactions, version, &request)
        .await?;
    let listed = read_names(&answer)?;
    let mut began = Vec::new();
    if !listed.is_empty() {
        let version = connection.version(ApiKey::DescribeTransactions, FIRST)?;
        let id = |id: &String| TransactionalId(text(id));
        let request = DescribeTransactionsRequest::default()
            .with_transactional_ids(listed.iter().map(id).collect());
        let answer = connection
            .call(ApiKey::DescribeTransactions, version, &request)
            .await?;
        began = read_transactions(&answer)?;
    }
    cluster.keep(host, connection);
    Ok(began)
}

pub(super) fn read_names(answer: &[u8]) -> Result<Vec<String>, Failure> {
    let mut reader = Reader::new(answer, true);
    let r = &mut reader;
    r.i32()?;
    checked(r.i16()?)?;
    for _ in 0..r.count()? {
        r.text()?;
    }
    let mut names = Vec::new();
    for _ in 0..r.count()? {
        names.push(r.text()?.to_owned());
        r.i64()?;
        r.text()?;
        r.tags()?;
    }
    Ok(names)
}

pub(super) fn read_transactions(answer: &[u8]) -> Result<Vec<Began>, Failure> {
    let mut reader = Reader::new(answer, true);
    let r = &mut reader;
    r.i32()?;
    let mut found = Vec::new();
    for _ in 0..r.count()? {
        let error = r.i16()?;
        let id = r.text()?.to_owned();
        r.text()?;
        r.i32()?;
        let began = r.i64()?;
        let producer = r.i64()?;
        r.i16()?;
        for _ in 0..r.count()? {
            r.text()?;
            for _ in 0..r.count()? {
                r.i32()?;
            }
            r.tags()?;
        }
        r.tags()?;
        if error == 0 {
            let since = (began >= 0).then_some(Timestamp(began));
            found.push(Began {
                producer,
                id,
                since,
            });
        }
    }
    Ok(found)
}
