//! Offsets of partitions, asked of the brokers that lead them: the first, the end, by time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{ApiKey, BrokerId, ListOffsetsRequest, TopicName};
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::{sleep, timeout};

use super::super::error::Failure;
use super::super::terms::{Ask, Place};
use super::answers::{self, Metadata, OffsetAnswer};
use super::cluster::{Cluster, is_final};
use super::wire::{garbled, text};
use crate::broker::{Error, Result};

/// How long an election is waited for.
const ELECTION: Duration = Duration::from_secs(5);
/// The same for who shows what there is: how long the rest is tried again and waited for, once one
/// broker has answered. The first one may take as long as any.
const SOON: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);

/// A partition, by its row, whose offset the cluster did not tell.
struct Missed {
    row: usize,
    failure: Failure,
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
    let mut offsets = vec![vec![-1; places.len()]; asks.len()];
    if places.is_empty() {
        return Ok(offsets);
    }
    let names = names(places);
    let began = Instant::now();
    let mut metadata = cluster.recent_metadata(&names).await?;
    let mut rows: Vec<usize> = (0..places.len()).collect();
    loop {
        let asked = Asked { places, rows, asks };
        let missed = ask(cluster, &metadata, &asked, None, &mut offsets).await;
        let lasting = missed.iter().find(|m| !passes(&m.failure));
        let Some(first) = lasting.or(missed.first()) else {
            return Ok(offsets);
        };
        if lasting.is_some() || began.elapsed() > ELECTION {
            let error = first.error(places);
            if places.len() > 1 && passes(&first.failure) {
                // During an outage the partitions that answer are wanted all the more.
                return Err(error
                    .hint("`evtap topics` shows which partitions answer; -p N reads one of them"));
            }
            return Err(error);
        }
        sleep(PAUSE).await;
        metadata = cluster.metadata(Some(&names)).await?;
        rows = rows_of(&missed);
    }
}

/// The same of those that answer soon. Of the others it says why not. An error where nobody answers,
/// and where asking again would not help.
pub(super) async fn glance(cluster: &Cluster, places: &[Place], asks: &[Ask]) -> Result<Glance> {
    let mut offsets = vec![vec![-1; places.len()]; asks.len()];
    let names = names(places);
    let began = Instant::now();
    let mut missed = Vec::new();
    if !places.is_empty() {
        let mut metadata = cluster.recent_metadata(&names).await?;
        let mut rows: Vec<usize> = (0..places.len()).collect();
        loop {
            let told = rows.len() < places.len();
            let asked = Asked { places, rows, asks };
            missed = ask(cluster, &metadata, &asked, Some(told), &mut offsets).await;
            if !missed.iter().any(|m| passes(&m.failure)) || began.elapsed() >= SOON {
                break;
            }
            sleep(PAUSE).await;
            // What is known already will do.
            if let Ok(Ok(newer)) = timeout(SOON, cluster.ask_metadata(Some(&names))).await {
                metadata = newer;
            }
            rows = rows_of(&missed);
        }
    }
    let hopeless = missed.iter().find(|m| is_final(&m.failure));
    let nobody = rows_of(&missed).len() == places.len();
    let leaderless = |m: &&Missed| m.failure.code == Code::LeaderNotAvailable;
    let down = missed.iter().find(|m| nobody && !leaderless(m));
    if let Some(missed) = hopeless.or(down) {
        return Err(missed.error(places));
    }
    let why = |missed: Missed| match missed.failure.code {
        Code::LeaderNotAvailable => (missed.row, "no broker leads it".to_owned()),
        _ => (missed.row, missed.failure.text),
    };
    Ok(Glance {
        offsets,
        silent: missed.into_iter().map(why).collect(),
    })
}

fn names(places: &[Place]) -> Vec<&str> {
    let mut names: Vec<&str> = places.iter().map(|(topic, _)| &**topic).collect();
    names.dedup();
    names
}

/// Each once, in order.
fn rows_of(missed: &[Missed]) -> Vec<usize> {
    let rows: BTreeSet<usize> = missed.iter().map(|m| m.row).collect();
    rows.into_iter().collect()
}

impl Missed {
    fn error(&self, places: &[Place]) -> Error {
        let (topic, partition) = &places[self.row];
        let what = format!("ask for the offsets of {topic}/{partition}");
        self.failure.clone().into_error(&what)
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

/// What is asked in one try.
struct Asked<'a> {
    places: &'a [Place],
    rows: Vec<usize>,
    asks: &'a [Ask],
}

/// One try: puts what is told where its partitions stand, and gives the rest. With `told`, which
/// says whether any broker has answered before, those that do not answer soon after one did are
/// left out.
async fn ask(
    cluster: &Cluster,
    metadata: &Metadata,
    asked: &Asked<'_>,
    told: Option<bool>,
    offsets: &mut [Vec<i64>],
) -> Vec<Missed> {
    let Asked { places, rows, asks } = asked;
    let leaders = leaders(metadata);
    let mut missed = Vec::new();
    let mut by_leader: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for &row in rows {
        let (topic, partition) = &places[row];
        let leader = leaders.get(&(&**topic, *partition)).copied().unwrap_or(-1);
        if leader < 0 {
            let failure = Failure::of(Code::LeaderNotAvailable);
            missed.push(Missed { row, failure });
            continue;
        }
        by_leader.entry(leader).or_default().push(row);
    }
    let mut each: FuturesUnordered<_> = by_leader
        .iter()
        .map(|(&leader, rows)| async move {
            let told = ask_leader(cluster, leader, places, rows, asks).await;
            (leader, told)
        })
        .collect();
    let mut silent: BTreeSet<i32> = by_leader.keys().copied().collect();
    let mut limited = told == Some(true);
    loop {
        let next = if limited {
            timeout(SOON, each.next()).await.ok().flatten()
        } else {
            each.next().await
        };
        let Some((leader, told_now)) = next else {
            break;
        };
        silent.remove(&leader);
        limited |= told.is_some() && told_now.is_ok();
        let rows = &by_leader[&leader];
        match told_now {
            Ok(answers) => {
                for ((answer, ask), offsets) in answers.iter().zip(*asks).zip(&mut *offsets) {
                    missed.extend(fill(answer, *ask, places, rows, offsets));
                }
            }
            Err(failure) => missed.extend(all_of(rows, &failure)),
        }
    }
    for leader in silent {
        let failure = Failure::of(Code::OperationTimedOut);
        missed.extend(all_of(&by_leader[&leader], &failure));
    }
    missed
}

fn all_of(rows: &[usize], failure: &Failure) -> impl Iterator<Item = Missed> {
    rows.iter().map(|&row| Missed {
        row,
        failure: failure.clone(),
    })
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
    offsets: &mut [i64],
) -> Vec<Missed> {
    let mut missed = Vec::new();
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
                offsets[row] = answer.offset;
                continue;
            }
            Some(answer) => Failure::from_number(answer.error.into()),
            None => Failure::of(Code::UnknownPartition),
        };
        missed.push(Missed { row, failure });
    }
    missed
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
