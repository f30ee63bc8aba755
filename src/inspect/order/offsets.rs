//! Which offsets of a partition carry no event, and why. What the headers of record batches say
//! explains a gap; where there are none, a gap stays unknown.

use crate::event::{BatchMeta, EventRef, Marker, PositionStyle, Visibility};

/// Why an offset carries no event that a committed reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// A transaction was committed or aborted here.
    Marker,
    /// An event of an aborted transaction.
    Aborted,
    /// The cleaner took it out of a record batch, or a whole batch of a topic that it cleans.
    Compacted,
    /// Nothing says why.
    Unexplained,
    /// The source tells nothing of record batches.
    Unknown,
}

impl Gap {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Marker => "transaction marker",
            Self::Aborted => "aborted",
            Self::Compacted => "compacted",
            Self::Unexplained => "unexplained",
            Self::Unknown => "unknown",
        }
    }
}

/// How many offsets are what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offsets {
    pub commits: u64,
    pub aborts: u64,
    pub other_markers: u64,
    pub aborted: u64,
    pub compacted: u64,
    pub unexplained: u64,
    pub unknown: u64,
}

impl Offsets {
    /// Offsets without an event, whatever the reason.
    pub const fn missing(&self) -> u64 {
        self.commits
            + self.aborts
            + self.other_markers
            + self.aborted
            + self.compacted
            + self.unexplained
            + self.unknown
    }

    const fn count(&mut self, class: Gap, number: u64) {
        match class {
            Gap::Marker => self.other_markers += number,
            Gap::Aborted => self.aborted += number,
            Gap::Compacted => self.compacted += number,
            Gap::Unexplained => self.unexplained += number,
            Gap::Unknown => self.unknown += number,
        }
    }
}

/// A run of offsets without an event: `from..to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapRun {
    pub from: u64,
    /// Exclusive.
    pub to: u64,
    /// How many of them carry no event; fewer than the run is long inside a compacted batch.
    pub missing: u64,
    pub class: Gap,
}

/// Runs kept for each partition; the counters know of all.
const RUNS: usize = 1_000;

/// The accounts of one partition.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The first offset that is not accounted for; `None` before anything was seen.
    next: Option<u64>,
    pub(super) offsets: Offsets,
    pub(super) runs: Vec<GapRun>,
    pub(super) runs_dropped: u64,
}

impl Account {
    /// The reader jumped: what lies between was not looked at.
    pub(super) const fn jump(&mut self) {
        self.next = None;
    }

    /// Takes note of a record batch. A hole before it is returned when nothing explains it.
    pub(super) fn batch(&mut self, meta: &BatchMeta) -> Option<GapRun> {
        let end = meta.next_offset();
        let next = self.next.unwrap_or(meta.base_offset);
        if self.next.is_some() && end <= next {
            // Its events run over into another of our batches, or it is read again.
            return None;
        }
        self.next = Some(end);
        // A cleaned topic may lose whole batches; nothing but its other batches tells of it.
        let class = match self.offsets.compacted {
            0 => Gap::Unexplained,
            _ => Gap::Compacted,
        };
        let hole = self.hole(next, meta.base_offset, class);
        let width = u64::from(meta.last_offset_delta) + 1;
        let records = u64::from(meta.records).min(width);
        match meta.visibility {
            Visibility::Visible => self.inside(meta, end, width - records, Gap::Compacted),
            Visibility::Aborted => {
                self.inside(meta, end, width - records, Gap::Compacted);
                self.inside(meta, end, records, Gap::Aborted);
            }
            Visibility::Control(marker) => {
                match marker {
                    Marker::Commit => self.offsets.commits += 1,
                    Marker::Abort => self.offsets.aborts += 1,
                    Marker::Other(_) => self.offsets.other_markers += 1,
                }
                self.keep(meta.base_offset, end, width, Gap::Marker);
            }
        }
        hole.filter(|hole| hole.class == Gap::Unexplained)
    }

    fn inside(&mut self, meta: &BatchMeta, end: u64, missing: u64, class: Gap) {
        if missing > 0 {
            self.offsets.count(class, missing);
            self.keep(meta.base_offset, end, missing, class);
        }
    }

    /// Takes note of an event of which no record batch is known; a hole before it is returned.
    pub(super) fn event(&mut self, event: &EventRef<'_>) -> Option<GapRun> {
        if event.stream.style != PositionStyle::Offset {
            // Ids of this style have holes by their nature.
            return None;
        }
        let offset = event.position.major;
        let next = self.next.unwrap_or(offset);
        if offset >= next {
            self.next = Some(offset.saturating_add(1));
        }
        self.hole(next, offset, Gap::Unknown)
    }

    fn hole(&mut self, from: u64, to: u64, class: Gap) -> Option<GapRun> {
        if from >= to {
            return None;
        }
        let missing = to - from;
        self.offsets.count(class, missing);
        self.keep(from, to, missing, class);
        Some(GapRun {
            from,
            to,
            missing,
            class,
        })
    }

    fn keep(&mut self, from: u64, to: u64, missing: u64, class: Gap) {
        if self.runs.len() < RUNS {
            self.runs.push(GapRun {
                from,
                to,
                missing,
                class,
            });
        } else {
            self.runs_dropped += 1;
        }
    }
}
