//! What a leader is asked: one Fetch request for some partitions, without a session. A session
//! numbers its requests one after the other, which does not go with several on their way.

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::lane::Lane;

/// Versions that are spoken. From 13 on topics are named by their ids.
pub(super) const VERSIONS: (i16, i16) = (4, 16);
const BY_ID: i16 = 13;
const NO_ID: [u8; 16] = [0; 16];

/// How a request is to be answered.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) max_wait_ms: i32,
    pub(super) min_bytes: i32,
    /// Of all partitions together; one batch comes whole in any case.
    pub(super) max_bytes: i32,
    pub(super) partition_max_bytes: i32,
    pub(super) committed_only: bool,
    /// Where we are: the leader may name a follower that is nearer.
    pub(super) rack: Option<StrBytes>,
}

/// The version to ask in: names are used where a topic has no id.
pub(super) fn version(newest: i16, lanes: &[&Lane]) -> i16 {
    if lanes.iter().any(|lane| lane.topic_id == NO_ID) {
        newest.min(BY_ID - 1)
    } else {
        newest
    }
}

/// Lanes of one topic stand together in `lanes`.
pub(super) fn request(version: i16, lanes: &[&Lane], terms: &Terms) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    let mut last: Option<&str> = None;
    for lane in lanes {
        if last != Some(&*lane.topic) {
            last = Some(&lane.topic);
            topics.push(topic(version, lane));
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition(version, lane, terms));
        }
    }
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(terms.max_wait_ms)
        .with_min_bytes(terms.min_bytes)
        .with_max_bytes(terms.max_bytes)
        .with_isolation_level(i8::from(terms.committed_only))
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(topics);
    match &terms.rack {
        Some(rack) if version >= 11 => request.with_rack_id(rack.clone()),
        _ => request,
    }
}

fn topic(version: i16, lane: &Lane) -> FetchTopic {
    let topic = FetchTopic::default();
    if version >= BY_ID {
        topic.with_topic_id(Uuid::from_bytes(lane.topic_id))
    } else {
        let name = Bytes::copy_from_slice(lane.topic.as_bytes());
        topic.with_topic(TopicName(StrBytes::from_utf8(name).unwrap_or_default()))
    }
}

fn partition(version: i16, lane: &Lane, terms: &Terms) -> FetchPartition {
    let partition = FetchPartition::default()
        .with_partition(lane.partition.cast_signed())
        .with_fetch_offset(lane.next.cast_signed())
        .with_partition_max_bytes(terms.partition_max_bytes)
        .with_log_start_offset(-1);
    let partition = if version >= 9 {
        partition.with_current_leader_epoch(lane.epoch)
    } else {
        partition
    };
    if version >= 12 {
        partition.with_last_fetched_epoch(lane.last_epoch)
    } else {
        partition
    }
}
