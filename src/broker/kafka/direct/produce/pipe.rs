//! Requests with batches on the way to one broker, several at a time.

use std::collections::VecDeque;
use std::time::Duration;

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ApiKey, ProduceRequest, TopicName, TransactionalId};

use super::super::super::error::Failure;
use super::super::cluster::Cluster;
use super::super::connection::Connection;
use super::super::wire::{Reader, text};
use super::press::Pressed;

/// Requests that are not answered; more would not be in order when one of them fails.
const UNDER_WAY: usize = 5;
/// How long the broker may take to have a batch on all replicas that are in sync.
const PATIENCE: Duration = Duration::from_secs(30);
/// Those that know transactions and not yet that partitions add themselves.
pub(super) const VERSIONS: (i16, i16) = (3, 9);
/// All replicas that are in sync have it.
const ALL: i16 = -1;

pub(super) struct Pipe {
    connection: Connection,
    version: i16,
    waiting: VecDeque<i32>,
}

impl Pipe {
    pub(super) async fn open(cluster: &Cluster, node: i32) -> Result<Self, Failure> {
        let (_, mut connection) = cluster.connect(node).await?;
        let version = connection.version(ApiKey::Produce, VERSIONS)?;
        connection.set_patience(PATIENCE);
        Ok(Self {
            connection,
            version,
            waiting: VecDeque::new(),
        })
    }

    /// Nothing is under way, and its login ends soon.
    pub(super) fn is_spent(&self) -> bool {
        self.waiting.is_empty() && self.connection.expires_soon()
    }

    pub(super) async fn send(
        &mut self,
        id: TransactionalId,
        topic: &str,
        batches: Vec<Pressed>,
    ) -> Result<(), Failure> {
        while self.waiting.len() >= UNDER_WAY {
            self.receive().await?;
        }
        let data = |batch: Pressed| {
            PartitionProduceData::default()
                .with_index(batch.partition.cast_signed())
                .with_records(Some(batch.bytes))
        };
        let topic = TopicProduceData::default()
            .with_name(TopicName(text(topic)))
            .with_partition_data(batches.into_iter().map(data).collect());
        let request = ProduceRequest::default()
            .with_transactional_id(Some(id))
            .with_acks(ALL)
            .with_timeout_ms(PATIENCE.as_millis() as i32)
            .with_topic_data(vec![topic]);
        let sent = self
            .connection
            .send(ApiKey::Produce, self.version, &request);
        self.waiting.push_back(sent.await?);
        Ok(())
    }

    /// Waits until everything is answered.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            self.receive().await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<(), Failure> {
        let Some(id) = self.waiting.front().copied() else {
            return Ok(());
        };
        let flexible = ApiKey::Produce.response_header_version(self.version) > 0;
        let answer = self.connection.whole(id, flexible).await?;
        self.waiting.pop_front();
        stored(&answer, self.version)
    }
}

/// An error when one of the batches was refused: of the first, as later ones fail for it.
pub(super) fn stored(answer: &[u8], version: i16) -> Result<(), Failure> {
    let mut reader = Reader::new(answer, version >= 9);
    let r = &mut reader;
    let mut first = Ok(());
    for _ in 0..r.count()? {
        r.text()?;
        for _ in 0..r.count()? {
            r.i32()?;
            let error = r.i16()?;
            // The first offset, and the time of the log.
            r.i64()?;
            r.i64()?;
            if version >= 5 {
                r.i64()?;
            }
            let why = if version >= 8 { refusals(r)? } else { None };
            r.tags()?;
            if error != 0 && first.is_ok() {
                let mut failure = Failure::from_number(error.into());
                if let Some(why) = why {
                    failure.text = why;
                }
                first = Err(failure);
            }
        }
        r.tags()?;
    }
    first
}

/// What the broker says of single records, and of the batch: the first words that there are.
fn refusals(r: &mut Reader<'_>) -> Result<Option<String>, Failure> {
    let mut why = None;
    for _ in 0..r.count()? {
        r.i32()?;
        why = why.or(r.string()?);
        r.tags()?;
    }
    let of_all = r.string()?;
    Ok(why.or(of_all).map(str::to_owned))
}
