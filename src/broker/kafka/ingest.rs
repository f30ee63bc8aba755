//! The thread that reads: takes messages off librdkafka's queue, has them filtered, and hands the
//! batches on in order. It minds the ends of the ranges, lost connections and new partitions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::{mpsc, oneshot};

use super::client::Client;
use super::contact::Contact;
use super::ffi::Queue;
use super::filter::{Filter, Workers};
use super::lanes::{Lanes, Trouble};
use super::messages::Messages;
use super::terms::{Ask, Place};
use super::topics;
use crate::broker::{Error, ErrorKind, Notices, Result, TopicSelector};
use crate::event::{BATCH_BYTES, Batch};

/// What the thread hands to the source, in order.
pub(super) enum Item {
    Batches(Vec<Batch>),
    /// A worker is at it.
    Soon(oneshot::Receiver<Result<Vec<Batch>>>),
    /// So much of the range lies behind, once what came before was taken.
    Progress(u64, u64),
    End,
    Failed(Error),
}

/// Where the selection is tested: on this thread, or on several.
pub(super) enum Sieve {
    Here(Filter),
    There(Workers),
}

/// Everything that the thread needs.
pub(super) struct Ingest {
    pub(super) client: Arc<Client>,
    pub(super) queue: Arc<Queue>,
    pub(super) lanes: Lanes,
    pub(super) sieve: Sieve,
    pub(super) items: mpsc::Sender<Item>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) notices: Notices,
    /// What to look for while following; `None` ends with the ranges.
    pub(super) follow: Option<Wanted>,
}

/// What a following source reads when it appears.
pub(super) struct Wanted {
    pub(super) topics: TopicSelector,
    pub(super) partitions: Vec<u32>,
}

/// Why the loop ended early.
enum Halt {
    /// Nobody wants more.
    Stopped,
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Messages of one array at most: about a batch of small events.
const MOST: usize = 1000;
/// How long one wait for a first message lasts; being stopped cuts it short.
const WAIT: Duration = Duration::from_millis(100);
/// How long to wait for an array to fill up: little, for it delays the first of them.
const FILL: Duration = Duration::from_millis(2);
/// How often a lost cluster is asked whether it is there again.
const RETRY: Duration = Duration::from_secs(1);
/// A log may look shorter than it is while a new leader catches up.
const SHORT_FOR: Duration = Duration::from_secs(10);
/// How often a following source looks for new topics and partitions.
const DISCOVER: Duration = Duration::from_secs(30);

impl Ingest {
    /// The thread's body.
    pub(super) fn run(mut self) {
        let last = match self.read() {
            Ok(()) => Item::End,
            Err(Halt::Failed(error)) => Item::Failed(error),
            Err(Halt::Stopped) => return,
        };
        // When the source is gone, nobody asks how it ended.
        drop(self.items.blocking_send(last));
    }

    fn read(&mut self) -> Result<(), Halt> {
        let mut most = MOST;
        let mut connection = Connection::new(self.notices.clone());
        let mut discovered = Instant::now();
        while self.follow.is_some() || !self.lanes.is_done() {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
            let mut messages = Messages::fetch(&self.queue, self.wanted(most), WAIT, FILL);
            let settled = self.lanes.settle(&mut messages);
            self.client.pump();
            for trouble in settled.trouble {
                self.mend(&trouble)?;
            }
            if let Some(failure) = self.client.rejected() {
                let what = format!("read from {}", self.client.brokers());
                return Err(failure.into_error(&what).into());
            }
            connection.watch(self);
            if messages.len() > 0 {
                // So that an array of large events is not much larger than a batch.
                let average = (settled.bytes / messages.len()).max(1);
                most = (BATCH_BYTES / average).clamp(1, MOST);
                self.hand_on(messages)?;
            } else {
                self.check_short()?;
            }
            if discovered.elapsed() > DISCOVER && !connection.contact.is_lost() {
                self.discover()?;
                discovered = Instant::now();
            }
        }
        Ok(())
    }

    /// No more than is left of the ranges: who waits for more than there is waits for nothing.
    fn wanted(&self, most: usize) -> usize {
        if self.follow.is_some() {
            return most;
        }
        let (done, all) = self.lanes.progress();
        let left = usize::try_from(all - done).unwrap_or(usize::MAX);
        most.min(left.max(1))
    }

    /// Filters an array, or has it filtered. Blocks while the source does not ask for more.
    fn hand_on(&mut self, messages: Messages) -> Result<(), Halt> {
        let streams = self.lanes.streams();
        let item = match &mut self.sieve {
            Sieve::Here(filter) => {
                let batches = filter.run(&messages, streams)?;
                // Before the wait: librdkafka's queue is counted without them.
                drop(messages);
                Item::Batches(batches)
            }
            Sieve::There(workers) => Item::Soon(workers.run(messages, streams)),
        };
        self.send(item)?;
        if self.follow.is_none() {
            let (done, all) = self.lanes.progress();
            self.send(Item::Progress(done, all))?;
        }
        Ok(())
    }

    fn send(&self, item: Item) -> Result<(), Halt> {
        self.items.blocking_send(item).map_err(|_| Halt::Stopped)
    }

    /// Deals with what a partition reports in place of messages.
    fn mend(&mut self, trouble: &Trouble) -> Result<(), Halt> {
        let place = self.lanes.place(trouble.lane);
        let what = format!("read {}/{}", place.0, place.1);
        match trouble.failure.code {
            Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation => {
                self.reset(trouble.lane, &place)
            }
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
                // It may be the cluster that is not quite up again: ask before giving up.
                let found = topics::find(&self.client, &TopicSelector::one(&place.0))?;
                if found.iter().any(|t| t.partitions.contains(&place.1)) {
                    return self.again(trouble.lane, self.lanes.get(trouble.lane).next);
                }
                Err(Error::new(
                    ErrorKind::MissingTopic,
                    format!("{what}: the partition is no longer there"),
                )
                .into())
            }
            Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::ReplicaNotAvailable
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::NetworkException => {
                // librdkafka goes on by itself.
                tracing::debug!(target: "librdkafka", "{what}: {}", trouble.failure.text);
                Ok(())
            }
            _ => Err(trouble.failure.clone().into_error(&what).into()),
        }
    }

    fn again(&mut self, lane: usize, next: u64) -> Result<(), Halt> {
        let place = self.lanes.place(lane);
        self.lanes.restart(lane, next).map_err(|failure| {
            Halt::Failed(failure.into_error(&format!("read {}/{}", place.0, place.1)))
        })
    }

    /// The next offset is not in the log: retention has taken it, or the log was cut back.
    fn reset(&mut self, lane: usize, place: &Place) -> Result<(), Halt> {
        let end = Ask::End {
            committed_only: false,
        };
        let asked = topics::offsets(
            &self.client,
            std::slice::from_ref(place),
            &[Ask::First, end],
        )?;
        let (first, end) = (
            asked[0][0].max(0).cast_unsigned(),
            asked[1][0].max(0).cast_unsigned(),
        );
        let next = self.lanes.get(lane).next;
        if next > end {
            return Err(Error::new(
                ErrorKind::Broker,
                format!(
                    "read {}/{}: the log ends at {end} now, before {next}: it was cut back, or \
                     the topic made anew",
                    place.0, place.1
                ),
            )
            .into());
        }
        if first > next {
            let lost = self.lanes.get(lane).end.unwrap_or(first).min(first) - next;
            self.notices.tell(&format!(
                "{}/{}: {lost} positions from {next} on are no longer there: retention was faster",
                place.0, place.1
            ));
        }
        self.again(lane, first.max(next))
    }

    /// A log that stays shorter than its range would be waited for without end.
    fn check_short(&self) -> Result<(), Halt> {
        for (index, since) in self.lanes.short() {
            if since.elapsed() < SHORT_FOR || self.client.is_down() {
                continue;
            }
            let lane = self.lanes.get(index);
            let (topic, partition) = self.lanes.place(index);
            return Err(Error::new(
                ErrorKind::Broker,
                format!(
                    "read {topic}/{partition}: nothing more to read at {}, before the end of the \
                     range at {}",
                    lane.next,
                    lane.end.unwrap_or(lane.next)
                ),
            )
            .hint(
                "a transaction may be open there (-X isolation.level=read_uncommitted reads on), \
                 or the topic was made anew",
            )
            .into());
        }
        Ok(())
    }

    /// While following: reads topics and partitions that have appeared, from their start.
    fn discover(&mut self) -> Result<(), Halt> {
        let Some(wanted) = &self.follow else {
            return Ok(());
        };
        let wants =
            |place: &Place| wanted.partitions.is_empty() || wanted.partitions.contains(&place.1);
        let new: Vec<_> = topics::glance(&self.client, &wanted.topics)
            .into_iter()
            .filter(|place| wants(place) && !self.lanes.has(place))
            .map(|place| (place, 0, None))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        for ((topic, partition), ..) in &new {
            self.notices.tell(&format!("new: {topic}/{partition}"));
        }
        self.lanes
            .add(&self.client, &new)
            .map_err(|failure| Halt::Failed(failure.into_error("read new partitions")))
    }
}

/// Says when the cluster is lost, and when it is there again; each once.
struct Connection {
    contact: Contact,
    asked: Option<Instant>,
}

impl Connection {
    const fn new(notices: Notices) -> Self {
        Self {
            contact: Contact::new(notices, false),
            asked: None,
        }
    }

    /// What is heard proves nothing: it may have waited in the queue since before. So the cluster
    /// is asked, both before it is called lost (another broker may have taken over meanwhile) and
    /// before it is called back (a topic can be silent).
    fn watch(&mut self, ingest: &Ingest) {
        let client = &ingest.client;
        if !client.is_down() || self.asked.is_some_and(|at| at.elapsed() < RETRY) {
            return;
        }
        self.asked = Some(Instant::now());
        let known = ingest.lanes.streams().first();
        let answer = client.glance(known.map(|stream| &*stream.topic), RETRY / 2);
        // Errors from before the answer are past with it.
        client.pump();
        if answer.is_some() {
            client.revive();
        }
        match answer {
            Some(_) => self.contact.find(client.brokers()),
            None => self.contact.lose(client.brokers()),
        }
    }
}
