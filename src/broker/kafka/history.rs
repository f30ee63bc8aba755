//! Writing a prepared past into an empty cluster: topics, records with their transactions in
//! order, and the commits of groups that nobody is a member of. Blocking.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaType};

use super::admin;
use super::client::Client;
use super::error::Failure;
use super::ffi::Topic;
use super::produce::{Record, produce, unsettled};
use super::properties::Properties;
use super::terms::{Ask, Place};
use super::topics;
use super::transactions::{Fault, STEP, Transactions};
use crate::broker::{Error, ErrorKind, History, HistoryRecord, NewTopic, Result, TopicSelector};

/// One id for all: a second loader fences the first instead of mixing with it.
const TRANSACTIONAL_ID: &str = "evtap-load-history";
/// What is stored must be visible by then, and coordinators must be ready.
const SETTLE: Duration = Duration::from_secs(30);

/// Writes the history. Refused when one of its topics exists and holds records.
pub(super) fn load(looker: &Arc<Client>, properties: &Properties, history: &History) -> Result<()> {
    let missing = prepare(looker, &history.topics)?;
    topics::create(looker, &missing)?;
    let mut plain = Writer::new(&properties.writer(), properties)?;
    let mut marked = None;
    for record in &history.records {
        if let Some(commit) = record.transaction {
            // The plain records of that partition come first.
            if plain.waiting.contains(&place(record)) {
                plain.flush()?;
            }
            let writer = match &mut marked {
                Some(writer) => writer,
                none => none.insert(transactional(properties)?),
            };
            writer.alone(record, commit)?;
        } else {
            plain.write(record)?;
        }
    }
    plain.flush()?;
    settle(looker, history)?;
    commit_groups(looker, history)
}

/// Checks the topics that exist, and returns those that do not.
fn prepare(looker: &Arc<Client>, wanted: &[NewTopic]) -> Result<Vec<NewTopic>> {
    let known = topics::list(looker, &TopicSelector::all())?;
    let mut missing = Vec::new();
    for topic in wanted {
        let Some(existing) = known.iter().find(|info| *info.name == *topic.name) else {
            missing.push(topic.clone());
            continue;
        };
        let refuse = |what: String| {
            Err(Error::new(
                ErrorKind::Refused,
                format!("the topic {} exists {what}", topic.name),
            )
            .hint("delete it, or give another broker"))
        };
        if existing.partitions.iter().any(|p| p.first != p.end) {
            return refuse("and holds records".into());
        }
        if existing.partitions.iter().any(|p| p.end.major != 0) {
            return refuse("and has held records: its offsets do not begin at 0".into());
        }
        if existing.partitions.len() != topic.partitions as usize {
            return refuse(format!(
                "with {} partitions, not {}",
                existing.partitions.len(),
                topic.partitions
            ));
        }
    }
    Ok(missing)
}

fn place(record: &HistoryRecord) -> Place {
    (Arc::clone(&record.topic), record.partition)
}

/// A producer, with the topics that it has written to.
struct Writer {
    client: Arc<Client>,
    topics: HashMap<Arc<str>, Topic>,
    /// Partitions with records that may not be stored yet.
    waiting: HashSet<Place>,
}

fn transactional(properties: &Properties) -> Result<Writer> {
    let writer = Writer::new(
        &properties.transactional(TRANSACTIONAL_ID, SETTLE),
        properties,
    )?;
    Transactions(&writer.client)
        .init(STEP)
        .map_err(|f| f.failure.into_error("begin to write transactions"))?;
    Ok(writer)
}

impl Writer {
    fn new(config: &rdkafka::ClientConfig, properties: &Properties) -> Result<Self> {
        let client = Client::new(config, RDKafkaType::RD_KAFKA_PRODUCER, properties)?;
        Ok(Self {
            client: Arc::new(client),
            topics: HashMap::new(),
            waiting: HashSet::new(),
        })
    }

    fn write(&mut self, record: &HistoryRecord) -> Result<()> {
        let fail = |failure: Failure| failure.into_error(&format!("write to {}", record.topic));
        if !self.topics.contains_key(&record.topic) {
            let topic = Topic::new(&self.client, &record.topic).map_err(fail)?;
            self.client.metadata(Some(&record.topic))?;
            self.topics.insert(Arc::clone(&record.topic), topic);
        }
        let topic = &self.topics[&record.topic];
        let wire = Record {
            partition: Some(record.partition),
            timestamp: record.timestamp.0,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: record.headers.as_headers(),
        };
        loop {
            match produce(topic, &wire) {
                Ok(()) => break,
                Err(failure) if failure.code == Code::QueueFull => {
                    self.client.pump();
                    thread::sleep(Duration::from_millis(1));
                }
                Err(failure) => return Err(fail(failure)),
            }
        }
        self.waiting.insert(place(record));
        Ok(())
    }

    /// Waits until all is stored.
    fn flush(&mut self) -> Result<()> {
        loop {
            self.client.pump();
            let (lost, why) = self.client.undelivered();
            if lost > 0 {
                let failure = why.unwrap_or_else(|| Failure::of(Code::Fail));
                return Err(failure.into_error("write the history"));
            }
            if unsettled(&self.client) == 0 {
                self.waiting.clear();
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Writes one record in a transaction of its own.
    fn alone(&mut self, record: &HistoryRecord, commit: bool) -> Result<()> {
        let fail = |fault: Fault| {
            let what = format!("write a transaction to {}", record.topic);
            fault.failure.into_error(&what)
        };
        let client = Arc::clone(&self.client);
        let transactions = Transactions(&client);
        transactions.begin().map_err(fail)?;
        self.write(record)?;
        // Unflushed, an aborted record would be taken back out of the producer's queue, and the
        // log would not hold it.
        self.flush()?;
        let ended = if commit {
            transactions.commit(STEP)
        } else {
            transactions.abort(STEP)
        };
        self.client.pump();
        ended.map_err(fail)
    }
}

/// The coordinator writes the last markers after it has said yes: waits until every partition can
/// be read to its end.
fn settle(looker: &Arc<Client>, history: &History) -> Result<()> {
    let places: HashSet<Place> = history.records.iter().map(place).collect();
    let places: Vec<Place> = places.into_iter().collect();
    let end = |committed_only| Ask::End { committed_only };
    let started = Instant::now();
    loop {
        let ends = topics::offsets(looker, &places, &[end(true), end(false)])?;
        if ends[0] == ends[1] {
            return Ok(());
        }
        if started.elapsed() > SETTLE {
            return Err(Error::new(
                ErrorKind::Broker,
                "the history was written, but its last transactions are not finished",
            ));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn commit_groups(looker: &Arc<Client>, history: &History) -> Result<()> {
    let mut groups: Vec<&String> = history.commits.iter().map(|(group, ..)| group).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let commits: Vec<(Place, u64)> = history
            .commits
            .iter()
            .filter(|(name, ..)| name == group)
            .map(|(_, topic, partition, offset)| ((topic.as_str().into(), *partition), *offset))
            .collect();
        commit_patiently(looker, group, &commits)
            .map_err(|f| f.into_error(&format!("commit for the group {group}")))?;
    }
    Ok(())
}

/// The first group of a fresh cluster makes it choose and load coordinators: until that is done,
/// they send each other away.
fn commit_patiently(
    looker: &Arc<Client>,
    group: &str,
    commits: &[(Place, u64)],
) -> Result<(), Failure> {
    let started = Instant::now();
    loop {
        match admin::commit_for(looker, group, commits) {
            Err(failure) if is_passing(failure.code) && started.elapsed() < SETTLE => {
                thread::sleep(Duration::from_millis(100));
            }
            ended => return ended,
        }
    }
}

fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::NotCoordinator | Code::CoordinatorNotAvailable | Code::CoordinatorLoadInProgress
    )
}
