//! Why lanes stop, and what is done about it: what passes is tried again, what a log has lost is
//! said, and what waiting would not mend ends the read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::super::error::Failure;
use super::super::super::terms::Ask;
use super::super::answers::Metadata;
use super::super::cluster::is_final;
use super::super::offsets::{offsets, passes};
use super::lane::{Lane, Orphan, Why};
use super::steward::Steward;
use crate::broker::{Error, ErrorKind, Result};

/// Answers that make no sense, one after the other, before it is given up.
const NONSENSE: u32 = 8;
/// Failures, one after the other, that a person should know of.
const WORTH_TELLING: u32 = 6;
/// A partition that its cluster does not know may just not be known yet.
const MISSING_FOR: Duration = Duration::from_secs(5);
impl Steward {
    /// Deals with why a lane came here; an error is one that waiting would not mend.
    pub(super) async fn mend(&self, orphan: &mut Orphan) -> Result<()> {
        let what = orphan.lane.reading();
        match &orphan.why {
            Why::New => Ok(()),
            Why::Nearer(node) => {
                orphan.lane.nearer = Some(*node);
                Ok(())
            }
            Why::Lost(failure) if is_final(failure) => {
                let what = format!("read from {}", self.cluster.brokers());
                Err(failure.clone().into_error(&what))
            }
            Why::Lost(failure)
                if matches!(failure.code, Code::BadMessage | Code::Unknown)
                    && orphan.lane.stumbles >= NONSENSE =>
            {
                let at = orphan.lane.next;
                let what = format!("{what}, at {at} for the {NONSENSE}th time");
                Err(failure.clone().into_error(&what).hint(
                    "the log is damaged there, or what answers is no Kafka: \
                     -X evtap.reader=rdkafka reads it otherwise",
                ))
            }
            Why::Lost(failure) if passes(failure) || is_transient(failure) => {
                if orphan.lane.stumbles == WORTH_TELLING && !self.contact.is_lost() {
                    let text = &failure.text;
                    self.notices
                        .tell(&format!("cannot {what}: {text}; trying again"));
                }
                Ok(())
            }
            Why::Lost(failure) => Err(failure.clone().into_error(&what)),
            Why::OutOfRange => self
                .reset(&mut orphan.lane, None)
                .await
                .or_else(unless_lost),
            Why::Diverged(end) => {
                let end = *end;
                let reset = self.reset(&mut orphan.lane, Some(end)).await;
                reset.or_else(unless_lost)
            }
            Why::Short => Err(short(&orphan.lane)),
        }
    }

    /// The next offset is not in the log: retention has taken it, or the log was cut back.
    async fn reset(&self, lane: &mut Lane, diverged: Option<i64>) -> Result<()> {
        let place = [(Arc::clone(&lane.topic), lane.partition)];
        let end = Ask::End {
            committed_only: false,
        };
        let asked = offsets(&self.cluster, &place, &[Ask::First, end]).await?;
        let first = asked[0][0].max(0).cast_unsigned();
        let end = asked[1][0].max(0).cast_unsigned();
        let cut = match diverged {
            Some(at) => Some(at.max(0).cast_unsigned()).filter(|at| *at >= first),
            None => (lane.next > end).then_some(end),
        };
        if let Some(end) = cut {
            return Err(Error::new(
                ErrorKind::Broker,
                format!(
                    "{}: the log ends at {end} now, before {}: it was cut back, or the topic made \
                     anew",
                    lane.reading(),
                    lane.next
                ),
            )
            .hint("begin again to read what is there now"));
        }
        if first > lane.next {
            let lost = lane.end.unwrap_or(first).min(first) - lane.next;
            self.notices.tell(&format!(
                "{}/{}: {lost} positions from {} on are no longer there: retention was faster",
                lane.topic, lane.partition, lane.next
            ));
            lane.advance(first);
        }
        Ok(())
    }
}

/// A cluster that is lost just now is tried again: the leader will say the same once more.
fn unless_lost(error: Error) -> Result<()> {
    match error.kind {
        ErrorKind::Unreachable => Ok(()),
        _ => Err(error),
    }
}

/// Errors of one partition that end by themselves.
fn is_transient(failure: &Failure) -> bool {
    matches!(
        failure.code,
        Code::KafkaStorageError
            | Code::NotEnoughReplicas
            | Code::BrokerNotAvailable
            | Code::NetworkException
            | Code::UnknownTopicId
            | Code::Unknown
            | Code::Resolve
            | Code::SSL
    )
}

/// Who leads the lane now. The outer error is final, the inner one passes.
pub(super) fn leader(lane: &mut Lane, metadata: &Metadata) -> Result<Result<i32, Failure>> {
    let topic = metadata.topics.iter().find(|t| *t.name == *lane.topic);
    let found = topic.and_then(|topic| {
        let mut partitions = topic.partitions.iter();
        let partition = partitions.find(|p| p.partition == lane.partition)?;
        Some((topic, partition))
    });
    let Some((topic, partition)) = found else {
        let error = topic.map_or(Code::UnknownTopicOrPartition, |topic| {
            Failure::from_number(topic.error.into()).code
        });
        if error == Code::TopicAuthorizationFailed {
            return Err(Failure::of(error).into_error(&lane.reading()));
        }
        let since = *lane.missing_since.get_or_insert_with(Instant::now);
        if since.elapsed() < MISSING_FOR {
            return Ok(Err(Failure::of(Code::UnknownTopicOrPartition)));
        }
        return Err(Error::new(
            ErrorKind::MissingTopic,
            format!("{}: the partition is no longer there", lane.reading()),
        )
        .hint("it was deleted while it was read; `evtap topics` lists what is there"));
    };
    lane.missing_since = None;
    let named = lane.topic_id != [0; 16] && topic.id != [0; 16];
    if named && lane.topic_id != topic.id {
        return Err(Error::new(
            ErrorKind::Broker,
            format!(
                "{}: the topic was deleted and made anew: what is there now are other events",
                lane.reading()
            ),
        )
        .hint("begin again to read them"));
    }
    lane.topic_id = topic.id;
    lane.epoch = partition.epoch;
    if let Some(node) = lane.nearer
        && metadata.brokers.iter().any(|(id, _)| *id == node)
    {
        return Ok(Ok(node));
    }
    if partition.leader < 0 {
        return Ok(Err(Failure::of(Code::LeaderNotAvailable)));
    }
    Ok(Ok(partition.leader))
}

fn short(lane: &Lane) -> Error {
    Error::new(
        ErrorKind::Broker,
        format!(
            "{}: nothing more to read at {}, before the end of the range at {}",
            lane.reading(),
            lane.next,
            lane.end.unwrap_or(lane.next)
        ),
    )
    .hint(
        "a transaction may be open there (-X isolation.level=read_uncommitted reads on), or the \
         topic was made anew",
    )
}
