//! The words in which either reader asks Kafka and is answered: partitions, offsets, topics. Pure.

use std::sync::Arc;

use crate::broker::topic::PartitionInfo;
use crate::broker::{Error, ErrorKind, TopicInfo};
use crate::event::{Position, PositionStyle};

/// A partition: its topic, and its number.
pub(super) type Place = (Arc<str>, u32);

/// A commit of a group as it is stored: an offset, and a text beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) place: Place,
    pub(super) offset: u64,
    pub(super) text: String,
}

/// As whom a group is committed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committer {
    pub(super) group: String,
    pub(super) member: Option<Membership>,
}

/// A member of a group, and in which of its generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) generation: i32,
    pub(super) id: String,
    pub(super) instance: String,
}

/// Which offset of a partition is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    First,
    /// After the last record; after the last stable one with `committed_only`.
    End {
        committed_only: bool,
    },
    /// The first record at or after this time, in milliseconds.
    Time(i64),
}

/// One row of a partition list.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) offset: i64,
    pub(super) error: i32,
}

/// A topic that was found, with the numbers of its partitions in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: Arc<str>,
    pub(super) internal: bool,
    pub(super) partitions: Vec<u32>,
}

/// The error for a name that no topic has, with the one that was probably meant.
pub(super) fn no_topic<'a>(
    brokers: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Error {
    let error = Error::new(
        ErrorKind::MissingTopic,
        format!("{brokers} has no topic '{name}'"),
    );
    let near = known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 1 + name.len().min(known.len()) / 4)
        .min();
    match near {
        Some((_, known)) => error.hint(format!("did you mean '{known}'?")),
        None => error.hint(format!("`evtap topics kafka://{brokers}` lists the topics")),
    }
}

/// Topics with the first and the end offset of each of their partitions, in order.
pub(super) fn infos(found: Vec<Found>, offsets: &[Vec<i64>]) -> Vec<TopicInfo> {
    let mut offsets = offsets[0].iter().zip(&offsets[1]);
    let infos = found.into_iter().map(|topic| TopicInfo {
        name: topic.name,
        internal: topic.internal,
        style: PositionStyle::Offset,
        partitions: topic
            .partitions
            .into_iter()
            .zip(offsets.by_ref())
            .map(|(partition, (&first, &end))| PartitionInfo {
                partition,
                first: position(first),
                end: position(end),
                // Markers and compaction leave holes, and nobody counts them.
                events: None,
            })
            .collect(),
    });
    infos.collect()
}

/// Every partition of these topics, in order.
pub(super) fn places(found: &[Found]) -> impl Iterator<Item = Place> + '_ {
    found.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(|partition| (Arc::clone(&topic.name), *partition))
    })
}

/// An offset of the broker's; below 0 there is none.
pub(super) fn position(offset: i64) -> Position {
    Position::offset(offset.max(0).cast_unsigned())
}
