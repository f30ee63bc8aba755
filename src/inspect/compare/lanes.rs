//! The partitions of two streams under common numbers, so that what both have of one partition is
//! compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::event::{Batch, Streams};

/// A partition; the topic only where the sides have several.
pub type Lane = (Option<Arc<str>>, u32);

/// What a partition is called that was not named.
const UNKNOWN: u32 = u32::MAX;

/// Numbers of partitions, and those of the batch at hand.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    topics: bool,
    all: Arc<[Lane]>,
    table: Streams,
    numbers: Vec<u32>,
}

impl Lanes {
    /// For these partitions, of both sides. `topics`: they are told apart by topic.
    pub fn new(all: BTreeSet<Lane>, topics: bool) -> Self {
        Self {
            topics,
            all: all.into_iter().collect(),
            table: Streams::default(),
            numbers: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes in the table of a batch.
    pub fn begin(&mut self, batch: &Batch) {
        if Arc::ptr_eq(&self.table, batch.streams()) {
            return;
        }
        self.table = Arc::clone(batch.streams());
        let number = |topic: &Arc<str>, partition| {
            let lane = (self.topics.then(|| Arc::clone(topic)), partition);
            let found = self.all.binary_search(&lane).ok();
            found.and_then(|n| u32::try_from(n).ok()).unwrap_or(UNKNOWN)
        };
        let streams = self.table.iter();
        self.numbers = streams.map(|s| number(&s.topic, s.partition)).collect();
    }

    /// The number of a partition of the batch at hand.
    #[inline]
    pub fn number(&self, stream_index: u32) -> u32 {
        let number = self.numbers.get(stream_index as usize);
        number.copied().unwrap_or(UNKNOWN)
    }

    /// The number of a partition by its name.
    pub fn find(&self, topic: &Arc<str>, partition: u32) -> Option<u32> {
        let lane = (self.topics.then(|| Arc::clone(topic)), partition);
        u32::try_from(self.all.binary_search(&lane).ok()?).ok()
    }
}
