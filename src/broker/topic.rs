//! What brokers tell of topics, and what they are told when written to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{HeaderBuf, Position, PositionStyle, Timestamp};

/// A topic (queue, stream, subject) as `topics` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    pub name: Arc<str>,
    /// The broker's own bookkeeping; left out unless named.
    pub internal: bool,
    pub style: PositionStyle,
    pub partitions: Vec<PartitionInfo>,
}

/// One partition: `[first, end)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    pub partition: u32,
    /// Position of the first event that is still there.
    pub first: Position,
    /// The position that the next event will get, or the one after the last where ids are not
    /// dense.
    pub end: Position,
    /// Events as the broker counts them; `None` where it does not (an offset range with holes).
    pub events: Option<u64>,
}

/// Topics as far as the broker tells of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    /// Without the partitions below.
    pub topics: Vec<TopicInfo>,
    /// By topic, in order of the partitions.
    pub silent: BTreeMap<Arc<str>, Vec<Silent>>,
}

impl Overview {
    /// The partitions of this topic that do not answer.
    pub fn silent(&self, topic: &str) -> &[Silent] {
        self.silent.get(topic).map_or(&[], Vec::as_slice)
    }
}

impl From<Vec<TopicInfo>> for Overview {
    /// All of them answer.
    fn from(topics: Vec<TopicInfo>) -> Self {
        Self {
            topics,
            silent: BTreeMap::new(),
        }
    }
}

/// A partition that is there, of which nobody tells how far it goes: no broker leads it, or the one
/// that does is not answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    pub partition: u32,
    pub why: String,
}

/// How a topic keeps its events. `None` is what the broker did not tell, or sets no bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    pub topic: Arc<str>,
    /// Only the newest event of a key stays.
    pub compacts: Option<bool>,
    /// Events are deleted by age or size.
    pub deletes: Option<bool>,
    /// How long events stay, in milliseconds.
    pub retention_ms: Option<u64>,
    /// Bytes of the largest record batch that is taken.
    pub max_message_bytes: Option<u64>,
    /// Timestamps that are older than this are refused, in milliseconds.
    pub oldest_ms: Option<u64>,
    /// Events get the time at which they are appended, whatever time they bring.
    pub append_time: Option<bool>,
}

impl TopicSettings {
    /// Of which nothing is told.
    pub const fn of(topic: Arc<str>) -> Self {
        Self {
            topic,
            compacts: None,
            deletes: None,
            retention_ms: None,
            max_message_bytes: None,
            oldest_ms: None,
            append_time: None,
        }
    }
}

/// A topic to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub topic: Arc<str>,
    /// For files: replace what is there.
    pub overwrite: bool,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    pub partitions: u32,
    /// The broker's own configuration names, `retention.ms` and the like.
    pub config: Vec<(String, String)>,
}

/// What a sink has stored since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    pub events: u64,
    pub bytes: u64,
}

/// Where the events of a recording come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The addresses, without secrets.
    pub sources: Vec<String>,
    /// The adapters that read them.
    pub adapters: Vec<String>,
    /// The source's own clock at the end of the recording; the wall clock is not noted.
    pub clock: Option<Timestamp>,
}

/// A model of sagas as it was written, in TOML or else in YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaText {
    pub text: String,
    pub toml: bool,
}

/// A prepared past, to be written into an empty broker in this order.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub topics: Vec<NewTopic>,
    pub records: Vec<HistoryRecord>,
    /// Group, topic, partition, committed offset.
    pub commits: Vec<(String, String, u32, u64)>,
}

/// One record of a prepared past.
#[derive(Debug, Clone)]
pub struct HistoryRecord {
    pub topic: Arc<str>,
    pub partition: u32,
    pub timestamp: Timestamp,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: HeaderBuf,
    /// `Some(true)`: alone in a transaction that is committed; `Some(false)`: in one that is
    /// aborted.
    pub transaction: Option<bool>,
}
