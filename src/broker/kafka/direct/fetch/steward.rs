//! The task that minds the lanes which nobody reads: gives them to their leaders' tasks, says when
//! the cluster is gone and back, and looks for new partitions. What is done about a lane that
//! stopped is `mend`.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant as Tick, interval_at, sleep_until};

use super::super::super::contact::Contact;
use super::super::super::error::Failure;
use super::super::answers::Metadata;
use super::super::cluster::{Cluster, is_final};
use super::gate::Item;
use super::lane::{Lane, Orphan, Why};
use super::leader::Leader;
use super::mend::leader;
use super::shared::Shared;
use crate::broker::{Error, ErrorKind, Notices, Result, TopicSelector};
use crate::event::{PositionStyle, Stream, Streams};

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
    pub(super) contact: Contact,
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
            contact: Contact::new(notices.clone(), false),
            notices,
            follow,
            leaders: HashMap::new(),
            tasks: JoinSet::new(),
            waiting: Vec::new(),
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
                _ = discover.tick(), if self.follow.is_some() && !self.contact.is_lost() => {
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
            if !matches!(orphan.why, Why::New | Why::Nearer(_)) {
                self.shared.disturbed.store(true, Ordering::Release);
            }
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
                self.contact.find(self.cluster.brokers());
                self.assign(lanes, &metadata)
            }
            Err(failure) if is_final(&failure) => {
                let what = format!("read from {}", self.cluster.brokers());
                Err(failure.into_error(&what))
            }
            Err(failure) => {
                tracing::debug!(target: "kafka", "metadata: {}", failure.text);
                self.contact.lose(self.cluster.brokers());
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
