//! Topics: finding those that a selector names, listing them with their offsets, creating them.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::admin;
use super::client::Client;
use super::error::Failure;
use super::terms::{Ask, Found, Place, Row, infos, no_topic, places};
use crate::broker::{Error, ErrorKind, NewTopic, Result, TopicInfo, TopicSelector};

/// A topic that was just made, or whose leader just moved, is there in a moment.
const SETTLE: Duration = Duration::from_secs(5);

/// The topics that the selector takes, by name.
pub(super) fn find(client: &Client, which: &TopicSelector) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if !which.is_literal() {
        found = all(client)?;
        found.retain(|topic| which.takes(&topic.name, topic.internal));
    }
    for name in which.names() {
        if !found.iter().any(|topic| &*topic.name == name) {
            found.push(one(client, name)?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn all(client: &Client) -> Result<Vec<Found>> {
    let metadata = client.metadata(None)?;
    Ok(metadata.topics().iter().map(read).collect())
}

/// The partitions that the selector takes, as far as the cluster tells at once.
pub(super) fn glance(client: &Client, which: &TopicSelector) -> Vec<Place> {
    const SOON: Duration = Duration::from_secs(1);
    let mut found = Vec::new();
    if which.is_literal() {
        for name in which.names() {
            let metadata = client.glance(Some(name), SOON);
            found.extend(metadata.iter().flat_map(Metadata::topics).map(read));
        }
    } else {
        let metadata = client.glance(None, SOON);
        found.extend(metadata.iter().flat_map(Metadata::topics).map(read));
    }
    found.retain(|topic| which.takes(&topic.name, topic.internal));
    places(&found).collect()
}

/// One topic by its name. The client is a consumer's: a producer's would create it.
fn one(client: &Client, name: &str) -> Result<Found> {
    let asked = Instant::now();
    loop {
        let metadata = client.metadata(Some(name))?;
        let Some(topic) = metadata.topics().iter().find(|t| t.name() == name) else {
            return Err(missing(client, name));
        };
        let Some(code) = topic.error().map(Code::from) else {
            return Ok(read(topic));
        };
        match code {
            Code::UnknownTopicOrPartition | Code::UnknownTopic => {
                return Err(missing(client, name));
            }
            Code::LeaderNotAvailable if asked.elapsed() < SETTLE => {
                thread::sleep(Duration::from_millis(100));
            }
            _ => {
                return Err(Failure::of(code).into_error(&format!("look up {name}")));
            }
        }
    }
}

fn read(topic: &MetadataTopic) -> Found {
    let mut partitions: Vec<u32> = topic
        .partitions()
        .iter()
        .map(|p| p.id().cast_unsigned())
        .collect();
    partitions.sort_unstable();
    Found {
        name: topic.name().into(),
        internal: topic.name().starts_with("__"),
        partitions,
    }
}

fn missing(client: &Client, name: &str) -> Error {
    let known = all(client).unwrap_or_default();
    no_topic(
        client.brokers(),
        name,
        known.iter().map(|topic| &*topic.name),
    )
}

/// The offsets of these partitions, in their order. A partition that has no leader (it was just
/// made, or a broker went down) gets some time to have one.
pub(super) fn offsets(
    client: &Arc<Client>,
    places: &[Place],
    asks: &[Ask],
) -> Result<Vec<Vec<i64>>> {
    let begun = Instant::now();
    loop {
        match ask(client, places, asks)? {
            Ok(offsets) => return Ok(offsets),
            Err(missed) if missed.passes() && begun.elapsed() < ELECTION => {
                thread::sleep(PAUSE);
            }
            Err(missed) => return Err(missed.into_error()),
        }
    }
}

/// How long an election is waited for.
const ELECTION: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// A partition whose offset the cluster did not tell.
#[derive(Debug)]
struct Missed {
    place: Place,
    failure: Failure,
}

impl Missed {
    fn passes(&self) -> bool {
        matches!(
            self.failure.code,
            Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::UnknownTopicOrPartition
                | Code::ReplicaNotAvailable
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::OffsetNotAvailable
        )
    }

    fn into_error(self) -> Error {
        let what = format!("ask for the offsets of {}/{}", self.place.0, self.place.1);
        self.failure.into_error(&what)
    }
}

fn ask(
    client: &Arc<Client>,
    places: &[Place],
    asks: &[Ask],
) -> Result<Result<Vec<Vec<i64>>, Missed>> {
    let what = || format!("ask {} for offsets", client.brokers());
    // All requests are under way before the first answer is waited for.
    let calls = asks
        .iter()
        .map(|ask| admin::ask_offsets(client, places, *ask))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|f| f.into_error(&what()))?;
    let mut all = Vec::with_capacity(calls.len());
    for call in calls {
        let rows = admin::offsets(call).map_err(|f| f.into_error(&what()))?;
        match in_order(&rows, places) {
            Ok(offsets) => all.push(offsets),
            Err(missed) => return Ok(Err(missed)),
        }
    }
    Ok(Ok(all))
}

fn in_order(rows: &[Row], places: &[Place]) -> Result<Vec<i64>, Missed> {
    let by_place: std::collections::HashMap<&Place, &Row> =
        rows.iter().map(|row| (&row.place, row)).collect();
    places
        .iter()
        .map(|place| {
            let failure = match by_place.get(place) {
                Some(row) if row.error == 0 => return Ok(row.offset),
                Some(row) => Failure::from_number(row.error),
                None => Failure::of(Code::UnknownPartition),
            };
            Err(Missed {
                place: place.clone(),
                failure,
            })
        })
        .collect()
}

/// What `topics` lists.
pub(super) fn list(client: &Arc<Client>, which: &TopicSelector) -> Result<Vec<TopicInfo>> {
    let found = find(client, which)?;
    let places: Vec<Place> = places(&found).collect();
    let end = Ask::End {
        committed_only: false,
    };
    let asked = offsets(client, &places, &[Ask::First, end])?;
    Ok(infos(found, &asked))
}

/// Creates topics, and waits until they can be written to.
pub(super) fn create(client: &Arc<Client>, topics: &[NewTopic]) -> Result<()> {
    if topics.is_empty() {
        return Ok(());
    }
    // The first contact tells a wrong host or password; the admin call would only time out.
    client.metadata(None)?;
    admin::create(client, topics).map_err(|(name, failure)| {
        let what = format!("create the topic {name} on {}", client.brokers());
        failure.into_error(&what)
    })?;
    let asked = Instant::now();
    for topic in topics {
        while !is_ready(client, topic)? {
            if asked.elapsed() > SETTLE {
                return Err(Error::new(
                    ErrorKind::Broker,
                    format!(
                        "the topic {} was created, but has no leaders yet",
                        topic.name
                    ),
                )
                .hint("try again in a moment"));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

fn is_ready(client: &Client, topic: &NewTopic) -> Result<bool> {
    let metadata = client.metadata(Some(&topic.name))?;
    Ok(metadata.topics().iter().any(|t| {
        t.error().is_none()
            && t.partitions().len() >= topic.partitions as usize
            && t.partitions().iter().all(|p| p.leader() >= 0)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_come_in_the_order_asked_and_errors_name_the_partition() {
        let place = |p| (Arc::from("t"), p);
        let row = |p, offset, error| Row {
            place: place(p),
            offset,
            error,
        };
        let rows = [row(1, 10, 0), row(0, 5, 0)];
        assert_eq!(in_order(&rows, &[place(0), place(1)]).unwrap(), [5, 10]);
        let missed = in_order(&[row(0, 0, 29)], &[place(0)]).unwrap_err();
        assert!(!missed.passes());
        let error = missed.into_error();
        assert_eq!(error.kind, ErrorKind::Authorization);
        assert!(error.message.contains("t/0"), "{error}");
        assert!(in_order(&[], &[place(2)]).is_err());
        let moved = in_order(&[row(0, 0, 6)], &[place(0)]).unwrap_err();
        assert!(
            moved.passes(),
            "a partition whose leader moved is asked for again"
        );
    }
}
