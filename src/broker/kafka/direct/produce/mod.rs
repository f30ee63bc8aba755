//! Transactions by our own protocol code: events are put into record batches here, and the broker
//! stores them as they are. What a transaction stands for, who shares the work and what is done
//! after an error is the exactly-once write's.
//!
//! A step that fails is not mended: the transaction is given up, and the broker itself sees to it
//! that nothing of it comes later, as the next one has a higher epoch.

mod lanes;
mod pipe;
mod press;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode as Code;

use self::lanes::{Lanes, Whole};
use self::pipe::Pipe;
use self::press::{Press, Pressed};
use self::steps::{Epoch, Steps};
use super::super::error::Failure;
use super::super::terms::{Commit, Committer};
use super::super::writer::no_partition;
use super::cluster::Cluster;
use super::wire::checked;
use crate::broker::{Notices, Result, Written};
use crate::event::{ANY_PARTITION, Batch, Compression};

/// What a producer is made for.
pub(in crate::broker::kafka) struct Made {
    /// The transactional id.
    pub(in crate::broker::kafka) id: String,
    /// How long one of its transactions may be open.
    pub(in crate::broker::kafka) longest: Duration,
    pub(in crate::broker::kafka) topic: Arc<str>,
    /// How many the topic has.
    pub(in crate::broker::kafka) partitions: u32,
    pub(in crate::broker::kafka) compression: Compression,
    pub(in crate::broker::kafka) notices: Notices,
}

/// Where its transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    None,
    Open,
    /// A step failed or was given up on: it may still take effect, until a new epoch begins.
    Doubtful,
}

pub(in crate::broker::kafka) struct Producer {
    cluster: Arc<Cluster>,
    made: Made,
    steps: Steps,
    me: Epoch,
    lanes: Lanes,
    /// The broker of each partition; below 0 there is none.
    leaders: Vec<i32>,
    pipes: BTreeMap<i32, Pipe>,
    /// Partitions that belong to the transaction.
    added: Vec<bool>,
    press: Press,
    state: State,
    sent: Written,
    /// Why something was refused.
    refused: Option<Code>,
}

impl Producer {
    /// Ends what an earlier one of the same id left open.
    pub(super) async fn new(cluster: Arc<Cluster>, made: Made) -> Result<Self, Failure> {
        let leaders = leaders(&cluster, &made).await?;
        let mut steps = Steps::new(Arc::clone(&cluster), made.id.clone(), made.notices.clone());
        let me = steps.begin(made.longest).await?;
        Ok(Self {
            lanes: Lanes::new(&made, me),
            added: vec![false; made.partitions as usize],
            cluster,
            made,
            steps,
            me,
            leaders,
            pipes: BTreeMap::new(),
            press: Press::default(),
            state: State::None,
            sent: Written::default(),
            refused: None,
        })
    }

    pub(in crate::broker::kafka) fn topic(&self) -> &str {
        &self.made.topic
    }

    /// Fit to begin or go on with a transaction.
    pub(in crate::broker::kafka) fn is_sound(&self) -> bool {
        self.state != State::Doubtful
    }

    pub(in crate::broker::kafka) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// It was said that the cluster is lost, and not that it is there again.
    pub(in crate::broker::kafka) const fn is_lost(&self) -> bool {
        self.steps.is_lost()
    }

    /// Why something was refused.
    pub(in crate::broker::kafka) const fn refusal(&self) -> Option<Code> {
        self.refused
    }

    /// Returns when the events are taken over, not when they are stored. A batch that names a
    /// partition which the topic does not have is refused before anything of it is taken.
    pub(in crate::broker::kafka) async fn send(&mut self, batch: &Batch) -> Result<()> {
        let Made {
            topic, partitions, ..
        } = &self.made;
        let mut streams = batch.streams().iter().map(|stream| stream.partition);
        let beyond = |p: &u32| *p != ANY_PARTITION && p >= partitions;
        if let Some(partition) = streams.find(beyond) {
            return Err(no_partition(topic, *partitions, partition));
        }
        self.state = State::Doubtful;
        let mut whole = Vec::new();
        for event in batch.iter() {
            self.lanes.push(&event, &mut whole)?;
            self.sent.events += 1;
            self.sent.bytes += event.size() as u64;
        }
        self.ship(whole, false).await.map_err(|failure| {
            self.refused = Some(failure.code);
            failure.into_error(&format!("write to {}", self.made.topic))
        })?;
        self.state = State::Open;
        Ok(())
    }

    /// Commits what was sent together with these commits, and tells how much was sent.
    pub(in crate::broker::kafka) async fn commit(
        &mut self,
        commits: &[Commit],
        of: &Committer,
    ) -> Result<Written, Failure> {
        self.state = State::Doubtful;
        let ended = self.try_commit(commits, of).await;
        if let Err(failure) = &ended {
            self.refused = Some(failure.code);
        }
        ended?;
        self.state = State::None;
        self.added.fill(false);
        Ok(std::mem::take(&mut self.sent))
    }

    async fn try_commit(&mut self, commits: &[Commit], of: &Committer) -> Result<(), Failure> {
        let mut whole = Vec::new();
        self.lanes.close_all(&mut whole);
        self.ship(whole, true).await?;
        self.settle().await?;
        self.steps.commits(self.me, commits, of).await?;
        self.steps.end(self.me, true).await
    }

    /// Takes back what was sent.
    pub(in crate::broker::kafka) async fn abort(&mut self) -> Result<(), Failure> {
        if self.state != State::None {
            self.state = State::Doubtful;
            // What is on the way may still come: a new epoch ends the transaction and keeps that out.
            self.pipes.clear();
            self.me = self.steps.begin(self.made.longest).await?;
            self.lanes = Lanes::new(&self.made, self.me);
        }
        self.state = State::None;
        self.refused = None;
        self.sent = Written::default();
        self.press.clear();
        self.added.fill(false);
        Ok(())
    }

    /// Has these batches compressed, and sends those that are, or with `all` all, each to the broker
    /// of its partition.
    async fn ship(&mut self, whole: Vec<Whole>, all: bool) -> Result<(), Failure> {
        for whole in whole {
            self.press.add(whole);
        }
        let mut new: Vec<u32> = Vec::new();
        let mut by_leader: BTreeMap<i32, Vec<Pressed>> = BTreeMap::new();
        while let Some((batch, encoder)) = self.press.next(all).await? {
            self.lanes.give_back(encoder);
            let at = batch.partition as usize;
            let leader = self.leaders.get(at).copied().filter(|leader| *leader >= 0);
            let leader = leader.ok_or_else(|| Failure::of(Code::LeaderNotAvailable))?;
            if let Some(added) = self.added.get_mut(at)
                && !std::mem::replace(added, true)
            {
                new.push(batch.partition);
            }
            by_leader.entry(leader).or_default().push(batch);
        }
        if !new.is_empty() {
            self.steps.add(self.me, &self.made.topic, &new).await?;
        }
        for (leader, batches) in by_leader {
            self.send_to(leader, batches).await?;
        }
        Ok(())
    }

    async fn send_to(&mut self, leader: i32, batches: Vec<Pressed>) -> Result<(), Failure> {
        self.pipes.retain(|_, pipe| !pipe.is_spent());
        let pipe = match self.pipes.entry(leader) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(Pipe::open(&self.cluster, leader).await?),
        };
        let (id, topic) = (self.steps.id(), &*self.made.topic);
        let mut request: Vec<Pressed> = Vec::new();
        for batch in batches {
            // A request has one batch of a partition.
            if request.iter().any(|b| b.partition == batch.partition) {
                let full = std::mem::take(&mut request);
                pipe.send(id.clone(), topic, full).await?;
            }
            request.push(batch);
        }
        pipe.send(id, topic, request).await
    }

    /// Waits until all that was sent is stored.
    async fn settle(&mut self) -> Result<(), Failure> {
        for pipe in self.pipes.values_mut() {
            pipe.settle().await?;
        }
        Ok(())
    }
}

/// Who leads the partitions, asked anew.
async fn leaders(cluster: &Cluster, made: &Made) -> Result<Vec<i32>, Failure> {
    let metadata = cluster.ask_metadata(Some(&[&made.topic])).await?;
    let unknown = || Failure::of(Code::UnknownTopicOrPartition);
    let topic = metadata.topics.iter().find(|t| t.name == *made.topic);
    let topic = topic.ok_or_else(unknown)?;
    checked(topic.error)?;
    let mut leaders = vec![-1; made.partitions as usize];
    for partition in &topic.partitions {
        if let Some(leader) = leaders.get_mut(partition.partition as usize) {
            *leader = partition.leader;
        }
    }
    Ok(leaders)
}
