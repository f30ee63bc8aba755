//! The task that minds the lanes which nobody reads: finds their leaders, deals with what their
//! logs have lost, says when the cluster is gone and back, and looks for new partitions.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant as Tick, interval_at, sleep_until};

use super::super::super::admin::Ask;
use super::super::super::error::Failure;
use super::super::answers::Metadata;
use super::super::cluster::{Cluster, is_final};
use super::super::offsets::{offsets, passes};
use super::gate::Item;
use super::lane::{Lane, Orphan, Why};
use super::leader::Leader;
use super::shared::Shared;
use crate::broker::{Error, ErrorKind, Notices, Result, TopicSelector};
use crate::event::{PositionStyle, Stream, Streams};

/// Answers that make no sense, one after the other, before it is given up.
const NONSENSE: u32 = 8;
/// Failures, one after the other, that a person should know of.
const WORTH_TELLING: u32 = 6;
/// A partition that its cluster does not know may just not be known yet.
const MISSING_FOR: Duration = Duration::from_secs(5);
/// How often a following source looks for new topics and partitions.
const DISCOVER: Duration = Duration::from_secs(30);
/// Lanes on their way to a leader's task.
const INBOX: usize = 16;

/// What a following source reads when it appears.
pub(super) struct Wanted {
    pub(super) topics: TopicSelector,
    pub(super) partitions: Vec<u32>,
}

pub(super) struct Steward {
    pub(super) cluster: Arc<Cluster>,
    pub(super) shared: Arc<Shared>,
    pub(super) orphans: mpsc::Receiver<Orphan>,
    pub(super) notices: Notices,
    pub(super) follow: Option<Wanted>,
    leaders: HashMap<i32, mpsc::Sender<Vec<Lane>>>,
    /// Ends them all when the steward ends.
    tasks: JoinSet<()>,
    waiting: Vec<(Instant, Orphan)>,
    lost: bool,
}

impl Steward {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        shared: Arc<Shared>,
        orphans: mpsc::Receiver<Orphan>,
        notices: Notices,
        follow: Option<Wanted>,
    ) -> Self {
        Self {
            cluster,
            shared,
            orphans,
            notices,
            follow,
            leaders: HashMap::new(),
            tasks: JoinSet::new(),
            waiting: Vec::new(),
            lost: false,
        }
    }

    /// The task's body: ends with the source, or with an error that waiting would not mend.
    pub(super) async fn run(mut self, lanes: Vec<Lane>) {
        for lane in lanes {
            self.adopt(Orphan {
                lane,
                why: Why::New,
            });
        }
        if let Err(error) = self.mind().await {
            // The chunks that were taken before come first.
            self.tasks.shutdown().await;
            self.shared.gate.close(Item::Failed(error)).await;
        }
    }

    async fn mind(&mut self) -> Result<()> {
        let often = DISCOVER.min(self.cluster.settings.metadata_age);
        let mut discover = interval_at(Tick::now() + often, often);
        loop {
            self.settle().await?;
            let due = self.waiting.iter().map(|(due, _)| *due).min();
            let wake = due.unwrap_or_else(|| Instant::now() + DISCOVER);
            tokio::select! {
                orphan = self.orphans.recv() => match orphan {
                    Some(orphan) => self.adopt(orphan),
                    None => return Ok(()),
                },
                () = sleep_until(wake.into()) => {}
                _ = discover.tick(), if self.follow.is_some() && !self.lost => {
                    self.discover().await;
                }
                Some(ended) = self.tasks.join_next() => {
                    if ended.is_err() {
                        let message = "a reading task ended without a word";
                        return Err(Error::new(ErrorKind::Broker, message));
                    }
                }
            }
            while let Ok(orphan) = self.orphans.try_recv() {
                self.adopt(orphan);
            }
        }
    }

    fn adopt(&mut self, orphan: Orphan) {
        let wait = match orphan.lane.stumbles {
            0 => Duration::ZERO,
            n => {
                let (first, longest) = self.cluster.settings.backoff;
                (first * 2u32.pow(n.min(10) - 1)).min(longest)
            }
        };
        self.waiting.push((Instant::now() + wait, orphan));
    }

    /// Gives the lanes that are due to their leaders.
    async fn settle(&mut self) -> Result<()> {
        let now = Instant::now();
        let waiting = std::mem::take(&mut self.waiting);
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(at, _)| *at <= now);
        self.waiting = later;
        if due.is_empty() {
            return Ok(());
        }
        let mut lanes = Vec::with_capacity(due.len());
        let mut fresh = true;
        for (_, mut orphan) in due {
            if !matches!(orphan.why, Why::New) {
                orphan.lane.nearer = None;
            }
            fresh &= matches!(orphan.why, Why::New);
            self.mend(&mut orphan).await?;
            lanes.push(orphan.lane);
        }
        let mut names: Vec<&str> = lanes.iter().map(|lane| &*lane.topic).collect();
        names.sort_unstable();
        names.dedup();
        let told = if fresh {
            // It was asked while the ranges were made.
            self.cluster.recent_metadata(&names).await.ok()
        } else {
            None
        };
        let told = match told {
            Some(told) => Ok(told),
            None => self.cluster.ask_metadata(Some(&names)).await,
        };
        match told {
            Ok(metadata) => {
                self.connected(true);
                self.assign(lanes, &metadata)
            }
            Err(failure) if is_final(&failure) => {
                let what = format!("read from {}", self.cluster.brokers());
                Err(failure.into_error(&what))
            }
            Err(failure) => {
                tracing::debug!(target: "kafka", "metadata: {}", failure.text);
                self.connected(false);
                for lane in lanes {
                    self.again(lane, failure.clone());
                }
                Ok(())
            }
        }
    }

    fn again(&mut self, mut lane: Lane, failure: Failure) {
        lane.stumbles += 1;
        let why = Why::Lost(failure);
        self.adopt(Orphan { lane, why });
    }

    /// Says when the cluster is lost, and when it is there again; each once.
    fn connected(&mut self, connected: bool) {
        if connected != self.lost {
            return;
        }
        self.lost = !connected;
        let brokers = self.cluster.brokers();
        self.notices.tell(&if self.lost {
            format!("lost the connection to {brokers}; trying again")
        } else {
            format!("connected to {brokers} again")
        });
    }

    /// Deals with why a lane came here; an error is one that waiting would not mend.
    async fn mend(&self, orphan: &mut Orphan) -> Result<()> {
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
                if orphan.lane.stumbles == WORTH_TELLING && !self.lost {
                    let text = &failure.text;
                    self.notices
                        .tell(&format!("cannot {what}: {text}; trying again"));
                }
                Ok(())
            }
            Why::Lost(failure) => Err(failure.clone().into_error(&what)),
            Why::OutOfRange => self.reset(&mut orphan.lane, None).await,
            Why::Diverged(end) => {
                let end = *end;
                self.reset(&mut orphan.lane, Some(end)).await
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

    fn assign(&mut self, lanes: Vec<Lane>, metadata: &Metadata) -> Result<()> {
        let mut by_leader: BTreeMap<i32, Vec<Lane>> = BTreeMap::new();
        for mut lane in lanes {
            if lane.is_done() {
                let shared = Arc::clone(&self.shared);
                self.tasks.spawn(async move { shared.done().await });
                continue;
            }
            match leader(&mut lane, metadata)? {
                Ok(leader) => by_leader.entry(leader).or_default().push(lane),
                Err(failure) => self.again(lane, failure),
            }
        }
        for (node, lanes) in by_leader {
            self.give(node, lanes);
        }
        Ok(())
    }

    fn give(&mut self, node: i32, mut lanes: Vec<Lane>) {
        if let Some(inbox) = self.leaders.get(&node) {
            match inbox.try_send(lanes) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(back)) => {
                    // Its task is waiting for something; soon it takes them in.
                    for lane in back {
                        self.again(lane, Failure::of(Code::LeaderNotAvailable));
                    }
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(back)) => lanes = back,
            }
        }
        let (inbox, receive) = mpsc::channel(INBOX);
        // A fresh channel has room.
        drop(inbox.try_send(lanes));
        self.leaders.insert(node, inbox);
        let leader = Leader::new(Arc::clone(&self.shared), node, receive);
        self.tasks.spawn(leader.run(Arc::clone(&self.cluster)));
    }

    /// While following: reads topics and partitions that have appeared, from their start.
    async fn discover(&mut self) {
        let Some(wanted) = &self.follow else { return };
        let names: Vec<&str> = wanted.topics.names().collect();
        let literal = wanted.topics.is_literal();
        let asked = self
            .cluster
            .ask_metadata(literal.then_some(&names[..]))
            .await;
        let Ok(metadata) = asked else { return };
        let mut streams = self.shared.streams().to_vec();
        let known = streams.len();
        for topic in metadata.topics.iter().filter(|topic| topic.error == 0) {
            let internal = topic.internal || topic.name.starts_with("__");
            if !wanted.topics.takes(&topic.name, internal) {
                continue;
            }
            for partition in topic.partitions.iter().map(|p| p.partition) {
                let chosen = wanted.partitions.is_empty() || wanted.partitions.contains(&partition);
                let is = |s: &Stream| s.partition == partition && *s.topic == *topic.name;
                if chosen && !streams.iter().any(is) {
                    streams.push(Stream {
                        topic: topic.name.as_str().into(),
                        partition,
                        style: PositionStyle::Offset,
                    });
                }
            }
        }
        let streams: Streams = streams.into();
        *self
            .shared
            .streams
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&streams);
        for (i, stream) in streams.iter().enumerate().skip(known) {
            let (topic, partition) = (&stream.topic, stream.partition);
            self.notices.tell(&format!("new: {topic}/{partition}"));
            self.shared.open.fetch_add(1, Ordering::AcqRel);
            let lane = Lane::new(i as u32, Arc::clone(topic), partition, 0, None);
            let why = Why::New;
            self.adopt(Orphan { lane, why });
        }
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
fn leader(lane: &mut Lane, metadata: &Metadata) -> Result<Result<i32, Failure>> {
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
