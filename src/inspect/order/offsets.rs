//! Which offsets of a partition carry no event, and why. What the headers of record batches say
//! explains a gap, and what the broker tells of the log; where there is neither, it stays unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Asked for, but before the start of the log: retention or a deletion took it.
    Trimmed,
    /// Of a transaction that is open: not known yet.
    InFlight,
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
            Self::Trimmed => "before the log's start",
            Self::InFlight => "in an open transaction",
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
    pub trimmed: u64,
    pub in_flight: u64,
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
            + self.trimmed
            + self.in_flight
            + self.unexplained
            + self.unknown
    }

    const fn count(&mut self, class: Gap, number: u64) {
        match class {
            Gap::Marker => self.other_markers += number,
            Gap::Aborted => self.aborted += number,
            Gap::Compacted => self.compacted += number,
            Gap::Trimmed => self.trimmed += number,
            Gap::InFlight => self.in_flight += number,
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
    offsets: Offsets,
    pub(super) runs: Vec<GapRun>,
    pub(super) runs_dropped: u64,
    /// Whether the topic is cleaned by key, where somebody knows.
    compacts: Option<bool>,
    batches: u64,
    /// By producer, emptied batches of its open transaction: whether that was aborted tells why
    /// they are empty. Offsets, and the runs that were kept.
    emptied: BTreeMap<i64, (u64, Vec<usize>)>,
}

/// Producers whose emptied batches are kept apart.
const EMPTIED: usize = 1_000;

/// What a broker tells of the log of one partition, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Which of the sources that are read together.
    pub origin: u16,
    pub topic: Arc<str>,
    pub partition: u32,
    /// The first offset that was asked for by its number.
    pub asked: Option<u64>,
    /// The range that is read: from here, to before there.
    pub from: u64,
    pub until: u64,
    /// The first offset that the log still has.
    pub start: u64,
    /// The end of the log where its end is read, open transactions included.
    pub end: Option<u64>,
    /// Whether the topic is cleaned by key (`cleanup.policy`), where it is known.
    pub compacts: Option<bool>,
}

impl Log {
    /// Offsets that were asked for and are gone.
    pub fn trimmed(&self) -> u64 {
        self.asked
            .map_or(0, |asked| self.start.saturating_sub(asked))
    }

    /// Offsets behind the last that is decided: an open transaction holds them back.
    pub fn in_flight(&self) -> u64 {
        self.end.map_or(0, |end| end.saturating_sub(self.until))
    }
}

/// What a record batch is to the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It runs over from another of our batches, or is read again.
    Again,
    /// It comes next.
    Next,
    /// It comes after a hole that nothing explains.
    After(GapRun),
}

impl Account {
    /// What the broker told of the log, before anything of it was read.
    pub(super) fn open(&mut self, log: &Log) {
        self.compacts = log.compacts;
        if log.compacts.is_some() {
            // Where it is not known whether its cleaner was there, the front may be missing.
            self.next.get_or_insert(log.from);
        }
        if let Some(asked) = log.asked.filter(|_| log.trimmed() > 0) {
            self.hole(asked, log.start, Gap::Trimmed);
        }
        self.hole(log.until, log.until + log.in_flight(), Gap::InFlight);
    }

    /// Whether the topic is cleaned by key; more is not known of the log.
    pub(super) const fn cleaned(&mut self, cleaned: bool) {
        self.compacts = Some(cleaned);
    }

    /// The log begins here by now: what was missing before that was taken while it was read.
    pub(super) fn trim(&mut self, start: u64) {
        for run in &mut self.runs {
            if run.class == Gap::Unexplained && run.to <= start {
                run.class = Gap::Trimmed;
                self.offsets.unexplained -= run.missing;
                self.offsets.trimmed += run.missing;
            }
        }
    }

    /// True when batches of its topic may be missing because its cleaner took them.
    pub(super) fn is_cleaned(&self) -> bool {
        // Where nobody tells, a cleaned topic shows in its other batches.
        self.compacts.unwrap_or(self.offsets.compacted > 0)
    }

    /// What the run that begins there is taken for by now, as far as it was kept.
    pub(super) fn class_of(&self, from: u64) -> Option<Gap> {
        let run = self.runs.iter().find(|run| run.from == from);
        run.map(|run| run.class)
    }

    /// True when it met a record batch.
    pub(super) const fn has_batches(&self) -> bool {
        self.batches > 0
    }

    /// The reader jumped: what lies between was not looked at.
    pub(super) const fn jump(&mut self) {
        self.next = None;
    }

    /// Takes note of a record batch.
    pub(super) fn batch(&mut self, meta: &BatchMeta) -> Taken {
        let end = meta.next_offset();
        let next = self.next.unwrap_or(meta.base_offset);
        if self.next.is_some() && end <= next {
            return Taken::Again;
        }
        self.next = Some(end);
        self.batches += 1;
        let class = if self.is_cleaned() {
            Gap::Compacted
        } else {
            Gap::Unexplained
        };
        let hole = self.hole(next, meta.base_offset, class);
        let width = u64::from(meta.last_offset_delta) + 1;
        let records = u64::from(meta.records).min(width);
        match meta.visibility {
            Visibility::Visible | Visibility::Aborted
                if records == 0 && meta.transactional && self.empty(meta, end, width) => {}
            Visibility::Visible => self.inside(meta, end, width - records, Gap::Compacted),
            Visibility::Aborted => {
                self.inside(meta, end, width - records, Gap::Compacted);
                self.inside(meta, end, records, Gap::Aborted);
            }
            Visibility::Control(marker) => {
                self.ended(meta.producer_id, marker);
                match marker {
                    Marker::Commit => self.offsets.commits += 1,
                    Marker::Abort => self.offsets.aborts += 1,
                    Marker::Other(_) => self.offsets.other_markers += 1,
                }
                self.keep(meta.base_offset, end, width, Gap::Marker);
            }
        }
        match hole {
            Some(hole) if hole.class == Gap::Unexplained => Taken::After(hole),
            _ => Taken::Next,
        }
    }

    /// Puts an emptied batch of a transaction aside until its marker comes; false when there is no
    /// room.
    fn empty(&mut self, meta: &BatchMeta, end: u64, width: u64) -> bool {
        let known = self.emptied.contains_key(&meta.producer_id);
        if !known && self.emptied.len() >= EMPTIED {
            return false;
        }
        let next = self.runs.len();
        self.keep(meta.base_offset, end, width, Gap::Compacted);
        let (offsets, runs) = self.emptied.entry(meta.producer_id).or_default();
        *offsets += width;
        // At most as many as runs are kept.
        runs.extend(next..self.runs.len());
        true
    }

    /// A transaction was ended: its emptied batches were cleaned, or aborted and recorded without
    /// their events.
    fn ended(&mut self, producer: i64, marker: Marker) {
        let Some((offsets, runs)) = self.emptied.remove(&producer) else {
            return;
        };
        if marker != Marker::Abort {
            self.offsets.compacted += offsets;
            return;
        }
        self.offsets.aborted += offsets;
        for index in runs {
            if let Some(run) = self.runs.get_mut(index) {
                run.class = Gap::Aborted;
            }
        }
    }

    /// How many offsets are what.
    pub(super) fn offsets(&self) -> Offsets {
        let open: u64 = self.emptied.values().map(|(offsets, _)| offsets).sum();
        Offsets {
            compacted: self.offsets.compacted + open,
            ..self.offsets
        }
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
