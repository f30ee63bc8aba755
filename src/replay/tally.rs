//! What was counted while copying: in all, by partition, and what was skipped and why.

use std::sync::Arc;

/// Why an event of the selection is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// It stands outside the frozen range.
    OutsidePlan,
    /// It was replayed often enough.
    MaxReplays,
    /// This very plan made it.
    ThisPlan,
    /// It is a copy of an event of the target.
    FromTarget,
}

impl Skip {
    pub const ALL: [Self; 4] = [
        Self::OutsidePlan,
        Self::MaxReplays,
        Self::ThisPlan,
        Self::FromTarget,
    ];

    pub const fn reason(self) -> &'static str {
        match self {
            Self::OutsidePlan => "outside the frozen range",
            Self::MaxReplays => "replayed before (--max-replays)",
            Self::ThisPlan => "made by this plan",
            Self::FromTarget => "copies of the target's own events",
        }
    }
}

/// How many reasons there are.
pub(super) const SKIPS: usize = Skip::ALL.len();

/// The counts of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Events that the selection kept.
    pub read: u64,
    /// Those that are copied, and their bytes as they are written.
    pub copied: u64,
    pub bytes: u64,
    /// By reason, in the order of [`Skip::ALL`].
    pub skipped: [u64; SKIPS],
}

impl Counts {
    /// These and those.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// What was counted since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        self.zip(before, u64::saturating_sub)
    }

    fn zip(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        let mut skipped = self.skipped;
        for (one, two) in skipped.iter_mut().zip(other.skipped) {
            *one = of(*one, two);
        }
        Self {
            read: of(self.read, other.read),
            copied: of(self.copied, other.copied),
            bytes: of(self.bytes, other.bytes),
            skipped,
        }
    }
}

/// One partition of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionTally {
    /// Index in the plan's sources.
    pub source: usize,
    pub topic: Arc<str>,
    pub partition: u32,
    /// Events that the selection kept.
    pub read: u64,
    /// Those that are copied, and their bytes as they are written.
    pub copied: u64,
    pub bytes: u64,
    /// By reason, in the order of [`Skip::ALL`].
    pub skipped: [u64; SKIPS],
}

impl PartitionTally {
    pub fn counts(&self) -> Counts {
        Counts {
            read: self.read,
            copied: self.copied,
            bytes: self.bytes,
            skipped: self.skipped,
        }
    }
}

/// All counts of a preview or run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub partitions: Vec<PartitionTally>,
}

impl Tally {
    /// The row of a partition; made when there is none.
    pub(super) fn row(&mut self, source: usize, topic: &Arc<str>, partition: u32) -> usize {
        let same = |row: &PartitionTally| {
            row.source == source && row.partition == partition && row.topic == *topic
        };
        if let Some(row) = self.partitions.iter().position(same) {
            return row;
        }
        self.partitions.push(PartitionTally {
            source,
            topic: topic.clone(),
            partition,
            read: 0,
            copied: 0,
            bytes: 0,
            skipped: [0; SKIPS],
        });
        self.partitions.len() - 1
    }

    pub(super) fn skip(&mut self, row: usize, why: Skip) {
        self.partitions[row].skipped[why as usize] += 1;
    }

    /// The counts are again what they were. Rows that came since stay, empty: others know them by
    /// their number.
    pub(super) fn go_back(&mut self, before: &Self) {
        for (i, row) in self.partitions.iter_mut().enumerate() {
            let was = before.partitions.get(i).map(PartitionTally::counts);
            let was = was.unwrap_or_default();
            (row.read, row.copied, row.bytes) = (was.read, was.copied, was.bytes);
            row.skipped = was.skipped;
        }
    }

    pub fn read(&self) -> u64 {
        self.partitions.iter().map(|p| p.read).sum()
    }

    pub fn copied(&self) -> u64 {
        self.partitions.iter().map(|p| p.copied).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.partitions.iter().map(|p| p.bytes).sum()
    }

    /// The reasons that occurred, with how often.
    pub fn skipped(&self) -> impl Iterator<Item = (Skip, u64)> + '_ {
        Skip::ALL
            .into_iter()
            .map(|why| {
                let counts = self.partitions.iter().map(|p| p.skipped[why as usize]);
                (why, counts.sum())
            })
            .filter(|(_, count)| *count > 0)
    }
}
