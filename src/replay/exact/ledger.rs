//! Which partitions a plan has to do, how far each is, and what is to be committed next. Arithmetic
//! only: who asks and who stores is `outlet`.

use std::sync::Arc;

use super::note::Note;
use crate::broker::exact::{Progress, Share, Unit};
use crate::broker::{Error, ErrorKind, PartitionRange, Result};
use crate::event::Position;
use crate::replay::Plan;
use crate::replay::tally::{Counts, Tally};

/// A partition of a plan's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its place among the plan's sources.
    pub source: usize,
    pub topic: Arc<str>,
    pub partition: u32,
}

/// One partition of a source, as far as it is known.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says another thing of how it came to be done"
)]
struct Line {
    source: usize,
    range: PartitionRange,
    /// As of the share: what all runs and hosts did until then; and what this one stored since.
    next: Position,
    note: Note,
    /// This run's own counts at that time.
    counted: Counts,
    mine: bool,
    /// All that was done of it this run did, and knows that it did.
    alone: bool,
    /// It was done before this run began.
    was_done: bool,
    /// This run brought it to its end, or may have.
    ended_here: bool,
}

impl Line {
    fn is_done(&self) -> bool {
        self.next >= self.range.end
    }

    fn part(&self) -> Part {
        Part {
            source: self.source,
            topic: self.range.topic.clone(),
            partition: self.range.partition,
        }
    }
}

/// The partitions of a plan, in its order.
#[derive(Debug, Default)]
pub(in crate::replay) struct Ledger {
    lines: Vec<Line>,
    /// The line of each row of the tally.
    rows: Vec<Option<usize>>,
    /// What was read next of each row when it was last committed, and since.
    reached: Vec<(Position, Position)>,
    /// What the commit under way stores.
    pending: Vec<Pending>,
    begun: bool,
}

#[derive(Debug)]
struct Pending {
    line: usize,
    next: Position,
    note: Note,
    counted: Counts,
}

/// How far the whole plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overall {
    pub partitions: usize,
    /// Those that are done.
    pub done: usize,
    /// By all runs and hosts.
    pub counts: Counts,
}

impl Ledger {
    pub(in crate::replay) fn new(plan: &Plan) -> Self {
        let sources = plan.sources.iter().enumerate();
        let lines = sources.flat_map(|(source, from)| {
            from.ranges.iter().map(move |range| Line {
                source,
                range: range.clone(),
                next: range.start,
                note: Note::default(),
                counted: Counts::default(),
                mine: false,
                alone: true,
                was_done: false,
                ended_here: false,
            })
        });
        Self {
            lines: lines.collect(),
            ..Self::default()
        }
    }

    /// What the target shares among the hosts. Progress is kept under the partitions' own names
    /// where all sources are the cluster that is written to.
    pub(in crate::replay) fn units(&self, plan: &Plan) -> Vec<Unit> {
        let target = plan.target.place.cluster.as_ref();
        let home = |line: &Line| {
            let cluster = plan.sources.get(line.source)?.place.cluster.as_ref();
            (cluster.is_some() && cluster == target)
                .then(|| (line.range.topic.clone(), line.range.partition))
        };
        let lines = self.lines.iter();
        lines
            .map(|line| Unit {
                home: home(line),
                start: line.range.start,
                end: line.range.end,
            })
            .collect()
    }

    /// Takes over what this host is to do from now on.
    pub(in crate::replay) fn begin(&mut self, share: &Share, tally: &Tally) -> Result<()> {
        for (line, progress) in self.lines.iter_mut().zip(&share.progress) {
            let was_mine = std::mem::take(&mut line.mine);
            let Some(progress) = progress else { continue };
            let next = progress.next.max(line.range.start);
            line.alone &= next == line.next;
            line.next = next;
            // It was this host's commit, perhaps, whose answer did not come.
            line.ended_here |= was_mine && line.is_done();
            line.note = Note::parse(&progress.note).ok_or_else(|| {
                let what = format!(
                    "the progress of {}/{} that the target keeps is not understood: '{}'",
                    line.range.topic, line.range.partition, progress.note
                );
                Error::new(ErrorKind::Broker, what)
                    .hint("another version of evtap may have begun this plan; plan it anew")
            })?;
        }
        if !std::mem::replace(&mut self.begun, true) {
            for line in &mut self.lines {
                line.was_done = line.is_done();
            }
        }
        for &unit in &share.mine {
            if let Some(line) = self.lines.get_mut(unit) {
                line.mine = true;
            }
        }
        self.rows.clear();
        self.reached.clear();
        self.pending.clear();
        self.see(tally);
        for (row, line) in tally.partitions.iter().zip(&self.rows) {
            if let Some(line) = line {
                self.lines[*line].counted = row.counts();
            }
        }
        Ok(())
    }

    /// Takes in rows that are new in the tally.
    fn see(&mut self, tally: &Tally) {
        for row in tally.partitions.iter().skip(self.rows.len()) {
            let line = self.lines.iter().position(|line| {
                line.source == row.source
                    && line.range.partition == row.partition
                    && line.range.topic == row.topic
            });
            let next = line.map_or(Position::ZERO, |line| self.lines[line].next);
            self.rows.push(line);
            self.reached.push((next, next));
        }
    }

    /// The event of this row is dealt with: sent, or not to be.
    pub(in crate::replay) fn pass(&mut self, row: usize, at: Position, tally: &Tally) {
        if row >= self.reached.len() {
            self.see(tally);
        }
        let Some((_, reached)) = self.reached.get_mut(row) else {
            return;
        };
        if let Some(line) = self.rows[row] {
            *reached = at.next(self.lines[line].range.style);
        }
    }

    /// What is to be committed: lines that moved, or all of this host's as done.
    pub(in crate::replay) fn progress(
        &mut self,
        tally: &Tally,
        done: bool,
        shift: Option<i64>,
    ) -> Vec<(usize, Progress)> {
        self.see(tally);
        self.pending.clear();
        for (index, line) in self.lines.iter().enumerate() {
            if !line.mine {
                continue;
            }
            let row = self.rows.iter().position(|row| *row == Some(index));
            let counted = row.map_or(line.counted, |row| tally.partitions[row].counts());
            let next = match row.map(|row| self.reached[row]) {
                _ if done => line.range.end,
                Some((was, now)) if now > was => now,
                _ => continue,
            };
            let counts = line.note.counts.plus(counted.since(line.counted));
            let shift = shift.or(line.note.shift);
            self.pending.push(Pending {
                line: index,
                next,
                note: Note { counts, shift },
                counted,
            });
        }
        let progress = self.pending.iter().map(|pending| {
            let note = pending.note.encode();
            (
                pending.line,
                Progress {
                    next: pending.next,
                    note,
                },
            )
        });
        progress.collect()
    }

    /// What was to be committed is.
    pub(in crate::replay) fn committed(&mut self) {
        for (was, now) in &mut self.reached {
            *was = *now;
        }
        for pending in self.pending.drain(..) {
            let line = &mut self.lines[pending.line];
            line.next = pending.next;
            line.note = pending.note;
            line.ended_here |= line.is_done();
            line.counted = pending.counted;
        }
    }

    /// What this run copied from its beginning to its end, with nobody else in between.
    pub(in crate::replay) fn copied_alone(&self) -> Vec<Part> {
        let lines = self.lines.iter();
        let whole = lines.filter(|line| line.alone && line.is_done() && !line.was_done);
        whole.map(Line::part).collect()
    }

    /// What is left of this host's share, by source.
    pub(in crate::replay) fn left(&self, sources: usize) -> Vec<Vec<PartitionRange>> {
        let mut left = vec![Vec::new(); sources];
        for line in self.lines.iter().filter(|line| line.mine) {
            if let Some(ranges) = left.get_mut(line.source) {
                let range = PartitionRange {
                    start: line.next,
                    ..line.range.clone()
                };
                ranges.push(range);
            }
        }
        left
    }

    /// As of the share, or of the last commit since.
    pub(in crate::replay) fn overall(&self) -> Overall {
        let counts = self.lines.iter().map(|line| line.note.counts);
        Overall {
            partitions: self.lines.len(),
            done: self.lines.iter().filter(|line| line.is_done()).count(),
            counts: counts.fold(Counts::default(), Counts::plus),
        }
    }

    /// What other hosts brought to its end while this one worked, once all is done. Empty when this
    /// one ended nothing itself.
    pub(in crate::replay) fn ended_elsewhere(&self) -> Vec<Part> {
        if !self.lines.iter().any(|line| line.ended_here) {
            return Vec::new();
        }
        let elsewhere = |line: &&Line| !line.was_done && !line.ended_here;
        let lines = self.lines.iter();
        lines.filter(elsewhere).map(Line::part).collect()
    }

    /// By how much runs of this plan shift timestamps, if one has said so.
    pub(in crate::replay) fn shift(&self) -> Option<i64> {
        self.lines.iter().find_map(|line| line.note.shift)
    }
}
