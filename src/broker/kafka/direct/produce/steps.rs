//! The steps of a transaction: what its coordinator and the group's are asked, and what they answer.
//! A step that may be asked again is, for as long as a person waits. Events are not sent here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, ApiKey, EndTxnRequest, GroupId,
    InitProducerIdRequest, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::Encodable;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::sleep;

use super::super::super::contact::{Contact, LOST_AFTER};
use super::super::super::error::Failure;
use super::super::super::terms::{Commit, Committer};
use super::super::answers::alone;
use super::super::cluster::Cluster;
use super::super::connection::Connection;
use super::super::coordinator::{self, Of};
use super::super::wire::{Reader, checked, text};
use crate::broker::Notices;

/// How long a step is tried again, and how long an answer to it is waited for.
const STEP: Duration = Duration::from_secs(30);
/// A topic that was made a moment ago is not known to all brokers yet, and a broker that came up a
/// moment ago does not know all topics.
const SPREADING: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// As whom the broker knows the producer. Another process that takes its id gets a higher epoch,
/// and this one is refused from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch {
    pub(super) producer: i64,
    pub(super) epoch: i16,
}

/// Talks to the coordinators of one transactional id.
pub(super) struct Steps {
    cluster: Arc<Cluster>,
    id: String,
    transactions: Option<Connection>,
    group: Option<Connection>,
    contact: Contact,
}

impl Steps {
    pub(super) const fn new(cluster: Arc<Cluster>, id: String, notices: Notices) -> Self {
        Self {
            cluster,
            id,
            transactions: None,
            group: None,
            contact: Contact::new(notices, false),
        }
    }

    /// It was said that the cluster is lost, and not that it is there again.
    pub(super) const fn is_lost(&self) -> bool {
        self.contact.is_lost()
    }

    pub(super) fn id(&self) -> TransactionalId {
        TransactionalId(text(&self.id))
    }

    /// Ends what an earlier producer of the same id left open, and keeps it from going on.
    pub(super) async fn begin(&mut self, longest: Duration) -> Result<Epoch, Failure> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(self.id()))
            .with_transaction_timeout_ms(i32::try_from(longest.as_millis()).unwrap_or(i32::MAX));
        self.step(ApiKey::InitProducerId, (0, 4), &request, None, begun)
            .await
    }

    /// What is written to these partitions belongs to the transaction.
    pub(super) async fn add(
        &mut self,
        me: Epoch,
        topic: &str,
        partitions: &[u32],
    ) -> Result<(), Failure> {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(partitions.iter().map(|p| p.cast_signed()).collect());
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.id())
            .with_v3_and_below_producer_id(ProducerId(me.producer))
            .with_v3_and_below_producer_epoch(me.epoch)
            .with_v3_and_below_topics(vec![topic]);
        self.step(
            ApiKey::AddPartitionsToTxn,
            (0, 3),
            &request,
            None,
            |a, v| by_partition(a, v >= 3),
        )
        .await
    }

    /// Puts commits of a group into the transaction. The group's coordinator refuses them when the
    /// member is not what it was.
    pub(super) async fn commits(
        &mut self,
        me: Epoch,
        commits: &[Commit],
        of: &Committer,
    ) -> Result<(), Failure> {
        let group = GroupId(text(&of.group));
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.id())
            .with_producer_id(ProducerId(me.producer))
            .with_producer_epoch(me.epoch)
            .with_group_id(group.clone());
        self.step(ApiKey::AddOffsetsToTxn, (0, 3), &request, None, |a, v| {
            alone(a, v >= 3)
        })
        .await?;
        let mut request = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.id())
            .with_group_id(group)
            .with_producer_id(ProducerId(me.producer))
            .with_producer_epoch(me.epoch)
            .with_topics(by_topic(commits));
        if let Some(member) = &of.member {
            request = request
                .with_generation_id(member.generation)
                .with_member_id(text(&member.id))
                .with_group_instance_id(Some(text(&member.instance)));
        }
        // From the first version on that says which member it is.
        let group = Some(&*of.group);
        self.step(ApiKey::TxnOffsetCommit, (3, 3), &request, group, |a, v| {
            by_partition(a, v >= 3)
        })
        .await
    }

    pub(super) async fn end(&mut self, me: Epoch, commit: bool) -> Result<(), Failure> {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id())
            .with_producer_id(ProducerId(me.producer))
            .with_producer_epoch(me.epoch)
            .with_committed(commit);
        self.step(ApiKey::EndTxn, (0, 3), &request, None, |a, v| {
            alone(a, v >= 3)
        })
        .await
    }

    /// Asks the coordinator of the transactions, or that of the group. Each of these requests may be
    /// asked twice.
    async fn step<T>(
        &mut self,
        api: ApiKey,
        ours: (i16, i16),
        request: &(impl Encodable + Sync),
        group: Option<&str>,
        read: fn(&[u8], i16) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let mut unknown = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let answered = self.once(api, ours, request, group).await;
            self.tell(&answered, began);
            let read = answered.and_then(|(answer, version)| read(&answer, version));
            let failure = match read {
                Ok(told) => return Ok(told),
                Err(failure) => failure,
            };
            let moved = coordinator::moved(&failure) || is_broken(failure.code);
            if moved {
                *self.place(group) = None;
            }
            let (since, limit) = match failure.code {
                Code::ConcurrentTransactions => (began, STEP),
                Code::UnknownTopicOrPartition => {
                    (*unknown.get_or_insert_with(Instant::now), SPREADING)
                }
                _ if moved => (began, STEP),
                _ => return Err(failure),
            };
            if since.elapsed() + pause > limit {
                return Err(failure);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Says when the cluster is lost, and when it answers again; each once.
    fn tell<T>(&mut self, answered: &Result<T, Failure>, began: Instant) {
        let brokers = self.cluster.brokers();
        match answered {
            Ok(_) => self.contact.find(brokers),
            Err(_) if began.elapsed() >= LOST_AFTER => self.contact.lose(brokers),
            Err(_) => {}
        }
    }

    async fn once(
        &mut self,
        api: ApiKey,
        ours: (i16, i16),
        request: &(impl Encodable + Sync),
        group: Option<&str>,
    ) -> Result<(Vec<u8>, i16), Failure> {
        let expired = |c: &mut Connection| c.expires_soon();
        if self.place(group).as_mut().is_none_or(expired) {
            let of = group.map_or(Of::Transactions(&self.id), Of::Group);
            let mut connection = coordinator::connect(&self.cluster, of).await?;
            connection.set_patience(STEP);
            *self.place(group) = Some(connection);
        }
        let Some(connection) = self.place(group) else {
            return Err(Failure::of(Code::State));
        };
        let version = connection.version(api, ours)?;
        Ok((connection.call(api, version, request).await?, version))
    }

    const fn place(&mut self, group: Option<&str>) -> &mut Option<Connection> {
        match group {
            Some(_) => &mut self.group,
            None => &mut self.transactions,
        }
    }
}

/// The connection is of no use any more.
const fn is_broken(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::BadMessage
    )
}

pub(super) fn by_topic(commits: &[Commit]) -> Vec<TxnOffsetCommitRequestTopic> {
    let mut topics: Vec<TxnOffsetCommitRequestTopic> = Vec::new();
    for commit in commits {
        let (topic, partition) = &commit.place;
        let row = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(partition.cast_signed())
            .with_committed_offset(commit.offset.cast_signed())
            .with_committed_metadata(Some(text(&commit.text)));
        let at = topics.iter().position(|known| *known.name.0 == **topic);
        let at = at.unwrap_or_else(|| {
            let new = TxnOffsetCommitRequestTopic::default().with_name(TopicName(text(topic)));
            topics.push(new);
            topics.len() - 1
        });
        if let Some(known) = topics.get_mut(at) {
            known.partitions.push(row);
        }
    }
    topics
}

pub(super) fn begun(answer: &[u8], version: i16) -> Result<Epoch, Failure> {
    let mut reader = Reader::new(answer, version >= 2);
    reader.i32()?;
    checked(reader.i16()?)?;
    Ok(Epoch {
        producer: reader.i64()?,
        epoch: reader.i16()?,
    })
}

/// What the brokers say of partitions that they did not look at, as another one is wrong.
const NOT_ATTEMPTED: i16 = 55;

/// An answer that says of each partition how it went: the first that went wrong tells why.
pub(super) fn by_partition(answer: &[u8], flexible: bool) -> Result<(), Failure> {
    let mut reader = Reader::new(answer, flexible);
    let r = &mut reader;
    r.i32()?;
    let mut worst = 0;
    for _ in 0..r.count()? {
        r.text()?;
        for _ in 0..r.count()? {
            r.i32()?;
            let error = r.i16()?;
            r.tags()?;
            if worst == 0 || worst == NOT_ATTEMPTED {
                worst = error;
            }
        }
        r.tags()?;
    }
    checked(worst)
}
