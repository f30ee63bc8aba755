//! Offsets of partitions, asked of the brokers that lead them: the first, the end, by time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{ApiKey, BrokerId, ListOffsetsRequest, TopicName};
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::{sleep, timeout};

use super::super::error::Failure;
use super::super::terms::{Ask, Place};
use super::answers::{self, Metadata, OffsetAnswer};
use super::cluster::{Cluster, is_final};
use super::wire::{garbled, text};
use crate::broker::Result;

/// How long an election is waited for.
const ELECTION: Duration = Duration::from_secs(5);
/// The same for who shows what there is: the rest does not wait for the one that is down.
const SOON: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);

/// A partition, by its row, whose offset the cluster did not tell.
struct Missed {
    row: usize,
    failure: Failure,
}

/// What was told of some partitions.
struct Told {
    /// For each question the offsets of all, -1 where one was missed.
    offsets: Vec<Vec<i64>>,
    /// In no order.
    missed: Vec<Missed>,
}

/// The offsets of partitions for each question, -1 where the cluster did not tell, and the rows of
/// those, with the reason.
pub(super) struct Glance {
    pub(super) offsets: Vec<Vec<i64>>,
    pub(super) silent: BTreeMap<usize, String>,
}

/// The offsets of these partitions, in their order, for each question. A partition that has no
/// leader (it was just made, or a broker went down) gets some time to have one.
pub(super) async fn offsets(
    cluster: &Cluster,
    places: &[Place],
    asks: &[Ask],
) -> Result<Vec<Vec<i64>>> {
    if places.is_empty() {
        return Ok(vec![Vec::new(); asks.len()]);
    }
    let mut names: Vec<&str> = places.iter().map(|(topic, _)| &**topic).collect();
    names.dedup();
    let began = Instant::now();
    let mut metadata = cluster.recent_metadata(&names).await?;
    loop {
        let told = ask(cluster, &metadata, places, asks, None).await;
        let lasting = told.missed.iter().find(|m| !passes(&m.failure));
        let Some(missed) = lasting.or(told.missed.first()) else {
            return Ok(told.offsets);
        };
        if lasting.is_some() || began.elapsed() > ELECTION {
            let (topic, partition) = &places[missed.row];
            let what = format!("ask for the offsets of {topic}/{partition}");
            return Err(missed.failure.clone().into_error(&what));
        }
        sleep(PAUSE).await;
        metadata = cluster.metadata(Some(&names)).await?;
    }
}

/// The same of those that answer soon. Of the others it says why not.
pub(super) async fn glance(cluster: &Cluster, places: &[Place], asks: &[Ask]) -> Result<Glance> {
    let mut names: Vec<&str> = places.iter().map(|(topic, _)| &**topic).collect();
    names.dedup();
    let began = Instant::now();
    let mut metadata = if names.is_empty() {
        Arc::default()
    } else {
        cluster.recent_metadata(&names).await?
    };
    loop {
        let Told { offsets, missed } = ask(cluster, &metadata, places, asks, Some(SOON)).await;
        if missed.iter().any(|m| passes(&m.failure)) && began.elapsed() < SOON {
            sleep(PAUSE).await;
            metadata = cluster.metadata(Some(&names)).await?;
            continue;
        }
        let why = |missed: Missed| match missed.failure.code {
            Code::LeaderNotAvailable => (missed.row, "no broker leads it".to_owned()),
            _ => (missed.row, missed.failure.text),
        };
        return Ok(Glance {
            offsets,
            silent: missed.into_iter().map(why).collect(),
        });
    }
}

/// Errors that end by themselves, or by asking another broker.
pub(super) fn passes(failure: &Failure) -> bool {
    !is_final(failure)
        && matches!(
            failure.code,
            Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::ReplicaNotAvailable
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::OffsetNotAvailable
                | Code::BrokerTransportFailure
                | Code::RequestTimedOut
                | Code::OperationTimedOut
                | Code::BadMessage
        )
}

/// One try. Who leads a partition is waited for as long as `limit`.
async fn ask(
    cluster: &Cluster,
    metadata: &Metadata,
    places: &[Place],
    asks: &[Ask],
    limit: Option<Duration>,
) -> Told {
    let leaders = leaders(metadata);
    let mut told = Told {
        offsets: vec![vec![-1; places.len()]; asks.len()],
        missed: Vec::new(),
    };
    let mut by_leader: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (i, (topic, partition)) in places.iter().enumerate() {
        let leader = leaders.get(&(&**topic, *partition)).copied().unwrap_or(-1);
        if leader < 0 {
            let failure = Failure::of(Code::LeaderNotAvailable);
            told.missed.push(Missed { row: i, failure });
            continue;
        }
        by_leader.entry(leader).or_default().push(i);
    }
    let each = by_leader.iter().map(|(&leader, rows)| async move {
        let asked = ask_leader(cluster, leader, places, rows, asks);
        match limit {
            Some(limit) => timeout(limit, asked)
                .await
                .unwrap_or_else(|_| Err(Failure::of(Code::OperationTimedOut))),
            None => asked.await,
        }
    });
    for (answers, rows) in join_all(each).await.into_iter().zip(by_leader.values()) {
        match answers {
            Ok(answers) => {
                for (i, (answer, ask)) in answers.iter().zip(asks).enumerate() {
                    fill(answer, *ask, places, rows, (i, &mut told));
                }
            }
            Err(failure) => told.missed.extend(rows.iter().map(|&row| Missed {
                row,
                failure: failure.clone(),
            })),
        }
    }
    told
}

pub(super) fn leaders(metadata: &Metadata) -> HashMap<(&str, u32), i32> {
    let each = metadata.topics.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(|p| ((topic.name.as_str(), p.partition), p.leader))
    });
    each.collect()
}

/// Puts one leader's answer to a question where its partitions stand.
fn fill(
    answer: &[OffsetAnswer],
    ask: Ask,
    places: &[Place],
    rows: &[usize],
    (question, into): (usize, &mut Told),
) {
    let told: HashMap<(&str, u32), &OffsetAnswer> = answer
        .iter()
        .map(|a| ((a.topic.as_str(), a.partition), a))
        .collect();
    for &row in rows {
        let place = &places[row];
        let failure = match told.get(&(&*place.0, place.1)) {
            // Below 0 is "none", and every log has a first offset and an end.
            Some(answer)
                if answer.error == 0 && answer.offset < 0 && !matches!(ask, Ask::Time(_)) =>
            {
                garbled("an offset below 0")
            }
            Some(answer) if answer.error == 0 => {
                into.offsets[question][row] = answer.offset;
                continue;
            }
            Some(answer) => Failure::from_number(answer.error.into()),
            None => Failure::of(Code::UnknownPartition),
        };
        into.missed.push(Missed { row, failure });
    }
}

/// All questions go out before the first answer is waited for.
async fn ask_leader(
    cluster: &Cluster,
    leader: i32,
    places: &[Place],
    rows: &[usize],
    asks: &[Ask],
) -> Result<Vec<Vec<OffsetAnswer>>, Failure> {
    let (host, mut connection) = cluster.connect(leader).await?;
    let version = connection.version(ApiKey::ListOffsets, answers::LIST_OFFSETS)?;
    let mut sent = Vec::with_capacity(asks.len());
    for ask in asks {
        let request = request(places, rows, *ask);
        sent.push(
            connection
                .send(ApiKey::ListOffsets, version, &request)
                .await?,
        );
    }
    let flexible = ApiKey::ListOffsets.response_header_version(version) > 0;
    let mut told = Vec::with_capacity(sent.len());
    for id in sent {
        let answer = connection.whole(id, flexible).await?;
        told.push(answers::offsets(&answer, version)?);
    }
    cluster.keep(host, connection);
    Ok(told)
}

fn request(places: &[Place], rows: &[usize], ask: Ask) -> ListOffsetsRequest {
    let (time, isolation) = match ask {
        Ask::First => (-2, 0),
        Ask::End { committed_only } => (-1, i8::from(committed_only)),
        // Numbers below 0 ask for other things; no event is that old.
        Ask::Time(time) => (time.max(0), 0),
    };
    let mut topics: Vec<ListOffsetsTopic> = Vec::new();
    for &row in rows {
        let (topic, partition) = &places[row];
        let asked = ListOffsetsPartition::default()
            .with_partition_index(partition.cast_signed())
            .with_current_leader_epoch(-1)
            .with_timestamp(time);
        match topics.last_mut() {
            Some(last) if last.name.as_str() == &**topic => last.partitions.push(asked),
            _ => {
                let name = TopicName(text(topic));
                topics.push(
                    ListOffsetsTopic::default()
                        .with_name(name)
                        .with_partitions(vec![asked]),
                );
            }
        }
    }
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(isolation)
        .with_topics(topics)
}
