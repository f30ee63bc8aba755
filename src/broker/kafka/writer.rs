//! Handing batches to a producer without blocking the runtime: partitions checked, a full queue
//! waited for, what was refused told. Which producer, and when all counts as stored, is the sink's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::sleep;

use super::client::Client;
use super::contact::{Contact, LOST_AFTER};
use super::error::Failure;
use super::ffi::Topic;
use super::produce::{Record, produce, unsettled};
use crate::broker::{Error, ErrorKind, Notices, Result, Written};
use crate::event::{ANY_PARTITION, Batch, EventRef};

/// How long to leave a full queue alone, and how often to look whether all is stored.
const PAUSE: Duration = Duration::from_millis(1);
/// Events are handed over in runs of this many, each followed by a look at what came back.
const RUN: usize = 256;

/// A producer for one topic.
pub(super) struct Writer {
    topic: Topic,
    name: Arc<str>,
    partitions: u32,
    sent: Written,
    /// Events whose timestamp was 0, which librdkafka takes for "now".
    undated: u64,
    connection: Connection,
    notices: Notices,
}

impl Writer {
    /// `partitions` is how many the topic has. Blocks until the producer knows their leaders.
    pub(super) fn new(
        client: &Arc<Client>,
        topic: &str,
        partitions: u32,
        notices: Notices,
    ) -> Result<Self> {
        let handle = Topic::new(client, topic)
            .map_err(|failure| failure.into_error(&format!("write to {topic}")))?;
        // Knowing the leaders beforehand saves the first events a wait.
        client.metadata(Some(topic))?;
        Ok(Self {
            topic: handle,
            name: topic.into(),
            partitions,
            sent: Written::default(),
            undated: 0,
            connection: Connection {
                contact: Contact::new(notices.clone(), false),
                stuck: None,
            },
            notices,
        })
    }

    pub(super) const fn client(&self) -> &Arc<Client> {
        self.topic.client()
    }

    /// Hands one event over; `false` when the queue is full.
    fn offer(&mut self, event: &EventRef<'_>) -> Result<bool> {
        let partition = event.stream.partition;
        if partition != ANY_PARTITION && partition >= self.partitions {
            return Err(no_partition(&self.name, self.partitions, partition));
        }
        let time = event.time().map(|time| time.0);
        let record = Record {
            partition: (partition != ANY_PARTITION).then_some(partition),
            timestamp: time.unwrap_or(0),
            key: event.key,
            value: event.value,
            headers: event.headers,
        };
        match produce(&self.topic, &record) {
            Ok(()) => {
                self.sent.events += 1;
                self.sent.bytes += event.size() as u64;
                self.undated += u64::from(time == Some(0));
                Ok(true)
            }
            Err(failure) if failure.code == Code::QueueFull => Ok(false),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Takes the producer's reports: an event that was refused ends the write.
    pub(super) fn check(&mut self) -> Result<()> {
        self.client().pump();
        let (lost, why) = self.client().undelivered();
        if lost > 0 {
            let failure = why.unwrap_or_else(|| Failure::of(Code::Fail));
            return Err(self.failed(failure));
        }
        if let Some(failure) = self.client().rejected() {
            return Err(self.failed(failure));
        }
        let client = Arc::clone(self.client());
        self.connection.watch(&client);
        Ok(())
    }

    fn failed(&self, failure: Failure) -> Error {
        failure.into_error(&format!("write to {}", self.name))
    }

    /// Returns when the events are taken over, not when they are stored.
    pub(super) async fn send(&mut self, batch: &Batch) -> Result<()> {
        for (i, event) in batch.iter().enumerate() {
            if i % RUN == 0 {
                self.check()?;
            }
            while !self.offer(&event)? {
                sleep(PAUSE).await;
                self.check()?;
            }
        }
        Ok(())
    }

    /// Waits until all that was sent is stored, and tells how much that is.
    pub(super) async fn settle(&mut self) -> Result<Written> {
        loop {
            self.check()?;
            if unsettled(self.client()) == 0 {
                break;
            }
            sleep(PAUSE).await;
        }
        // What was reported between the check and the count.
        self.check()?;
        self.tell_undated();
        Ok(self.sent)
    }

    /// Takes the producer's reports while something else is waited for.
    pub(super) fn look(&mut self) {
        let client = Arc::clone(self.client());
        client.pump();
        self.connection.watch(&client);
    }

    /// The cluster answered: what was heard of a lost connection is past.
    pub(super) fn found(&mut self) {
        let client = Arc::clone(self.client());
        client.pump();
        client.revive();
        self.connection.stuck = None;
        self.connection.contact.find(client.brokers());
    }

    /// The cluster was lost, and has not been seen since.
    pub(super) const fn is_lost(&self) -> bool {
        self.connection.contact.is_lost()
    }

    /// How much was sent since the writer was made, or since this was asked before.
    pub(super) fn take_sent(&mut self) -> Written {
        std::mem::take(&mut self.sent)
    }

    /// Says which events were stored otherwise than they were sent.
    pub(super) fn tell_undated(&mut self) {
        if self.undated > 0 {
            self.notices.tell(&format!(
                "{} events with the timestamp 0 were written with the time of now: \
                 the client library cannot do otherwise",
                self.undated
            ));
            self.undated = 0;
        }
    }
}

/// The error for an event that is for a partition which the topic does not have.
pub(super) fn no_partition(topic: &str, partitions: u32, partition: u32) -> Error {
    let message = format!(
        "write to {topic}: it has {partitions} partitions, and an event is for partition {partition}"
    );
    Error::new(ErrorKind::Usage, message).hint("--partitions key lets the target choose by key")
}

/// Says when the cluster is lost, and when it takes events again; each once.
struct Connection {
    contact: Contact,
    /// Since when nothing was settled while every broker was down, and what waited then.
    stuck: Option<(Instant, u64)>,
}

impl Connection {
    fn watch(&mut self, client: &Client) {
        if !client.is_down() {
            return;
        }
        let waiting = unsettled(client);
        if waiting == 0 && self.stuck.is_none() {
            return;
        }
        let (since, before) = *self.stuck.get_or_insert_with(|| (Instant::now(), waiting));
        if waiting < before {
            // Errors from before are past.
            client.pump();
            client.revive();
            self.stuck = None;
            self.contact.find(client.brokers());
        } else if !self.contact.is_lost() && since.elapsed() >= LOST_AFTER {
            let meanwhile = format!("{waiting} events wait, ");
            self.contact.lose_while(client.brokers(), &meanwhile);
        } else if waiting > before {
            self.stuck = Some((since, waiting));
        }
    }
}
