//! The rows of the stream: the events that the filter keeps, merged by time. Order within a
//! partition is kept whatever its timestamps say, as a key of a row is the latest time that its
//! partition had reached. Rows of evicted events are dropped here, too.

use std::cmp::Ordering;

use super::store::{Chunk, EventId, Store};
use crate::event::EventRef;
use crate::text::JsonText;
use crate::tui::theme::Verdict;

/// One row: 32 bytes, ordered by merged time, then partition, then arrival.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The latest timestamp of its partition up to it, in milliseconds.
    pub time: i64,
    stream: u32,
    index: u32,
    chunk: u64,
    /// What is known of its payload; no part of its place, as it may become known later.
    pub verdict: Verdict,
}

impl Ord for Row {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |r: &Self| (r.time, r.stream, r.index, r.chunk);
        place(self).cmp(&place(other))
    }
}

impl PartialOrd for Row {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Row {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Row {}

impl Row {
    pub const fn id(&self) -> EventId {
        EventId {
            chunk: self.chunk,
            index: self.index,
        }
    }
}

/// Without a schema an event can be seen to be broken only where it begins as JSON and is none.
fn judge(event: &EventRef<'_>) -> Verdict {
    let broken = event.value.is_some_and(|value| {
        let first = value.iter().find(|b| !b.is_ascii_whitespace());
        matches!(first, Some(b'{' | b'[')) && JsonText::parse(value).is_err()
    });
    if broken {
        Verdict::Undecodable
    } else {
        Verdict::None
    }
}

/// Notes what became known of rows; what is not known takes nothing away.
pub fn judge_rows<'r>(rows: impl Iterator<Item = &'r mut Row>, verdict: impl Fn(&Row) -> Verdict) {
    for row in rows {
        match verdict(row) {
            Verdict::None => {}
            verdict => row.verdict = verdict,
        }
    }
}

/// Gives rows their place in time.
#[derive(Debug, Default)]
pub struct Clocks {
    /// By stream index: the latest time so far.
    streams: Vec<i64>,
    latest: i64,
}

impl Clocks {
    /// The rows of a chunk, which must come once, in the order of arrival.
    pub fn rows(&mut self, chunk: &Chunk) -> Vec<Row> {
        let mut rows = Vec::with_capacity(chunk.batch.len());
        for (index, event) in chunk.batch.iter().enumerate() {
            let stream = event.stream_index as usize;
            if self.streams.len() <= stream {
                self.streams.resize(stream + 1, i64::MIN);
            }
            // An event without a time stands where it arrived.
            let own = event.time().map_or(self.latest, |t| t.0);
            let time = self.streams[stream].max(own);
            self.streams[stream] = time;
            self.latest = self.latest.max(time);
            rows.push(Row {
                time,
                stream: event.stream_index,
                index: index as u32,
                chunk: chunk.id,
                verdict: match chunk.verdict(index) {
                    Verdict::None => judge(&event),
                    known => known,
                },
            });
        }
        rows
    }
}

/// The list, newest at its end.
#[derive(Debug, Default)]
pub struct Shown {
    rows: Vec<Row>,
    /// Rows before this one are dead.
    head: usize,
    /// How many evictions there had been when all rows were looked at.
    looked_at_evicted: u64,
}

impl Shown {
    pub fn len(&self) -> usize {
        self.rows.len() - self.head
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, at: usize) -> Option<Row> {
        self.rows.get(self.head + at).copied()
    }

    pub fn last(&self) -> Option<Row> {
        self.rows[self.head..].last().copied()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows[self.head..].iter()
    }

    /// The worst verdict of some rows. Of very many, the newest tell.
    pub fn worst(&self, from: usize, to: usize) -> Verdict {
        const MOST: usize = 4096;
        let rows = self
            .rows
            .get(self.head + from.max(to.saturating_sub(MOST))..self.head + to);
        let verdicts = rows.unwrap_or_default().iter().map(|r| r.verdict);
        verdicts.max_by_key(|v| v.weight()).unwrap_or(Verdict::None)
    }

    /// Notes what became known of rows.
    pub fn judge(&mut self, verdict: impl Fn(&Row) -> Verdict) {
        judge_rows(self.rows.iter_mut().skip(self.head), verdict);
    }

    /// The same of one row, if it is there.
    pub fn judge_one(&mut self, row: &Row, verdict: Verdict) {
        let at = self.head + self.place(row);
        let found = self.rows.get_mut(at).filter(|r| *r == row);
        judge_rows(found.into_iter(), |_| verdict);
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The place of a row, or of the first one after it when it is gone.
    pub fn place(&self, row: &Row) -> usize {
        self.rows[self.head..].partition_point(|r| r < row)
    }

    /// The first row at or after a time.
    pub fn at_time(&self, time: i64) -> usize {
        self.rows[self.head..].partition_point(|r| r.time < time)
    }

    /// Takes rows in. What comes late is sorted in: the cost is that of the rows after its place.
    pub fn merge(&mut self, mut new: Vec<Row>) {
        if !new.is_sorted() {
            new.sort_unstable();
        }
        let Some(first) = new.first() else {
            return;
        };
        let at = self.head + self.place(first);
        if at == self.rows.len() {
            self.rows.append(&mut new);
            return;
        }
        // Two sorted runs: the sort finds and merges them.
        self.rows.append(&mut new);
        self.rows[at..].sort();
    }

    /// Drops the rows whose events the store has dropped: at once at the old end, where mostly all
    /// of them are, and elsewhere once in a while, since that takes a look at every row. A row
    /// whose event is gone is drawn as such meanwhile.
    pub fn forget_evicted(&mut self, store: &Store) {
        while let Some(row) = self.rows.get(self.head)
            && store.chunk(row.chunk).is_none()
        {
            self.head += 1;
        }
        if store.evicted - self.looked_at_evicted > (self.len() as u64 / 16).max(1024) {
            self.looked_at_evicted = store.evicted;
            self.rows.drain(..self.head);
            self.head = 0;
            let mut known = (u64::MAX, false);
            self.rows.retain(|r| {
                if known.0 != r.chunk {
                    known = (r.chunk, store.chunk(r.chunk).is_some());
                }
                known.1
            });
        } else if self.head > self.rows.len() / 2 {
            self.rows.drain(..self.head);
            self.head = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::batch_of;

    fn values(shown: &Shown, store: &Store) -> Vec<String> {
        let value = |r: &Row| store.get(r.id()).unwrap().value.unwrap().to_vec();
        shown
            .iter()
            .map(|r| String::from_utf8(value(r)).unwrap())
            .collect()
    }

    #[test]
    fn partitions_are_merged_by_time_and_each_keeps_its_order() {
        let (mut store, mut clocks) = (Store::new(1 << 20), Clocks::default());
        let mut shown = Shown::default();
        for batch in [
            batch_of(&[(0, 10, "a10"), (0, 5, "a5"), (0, 30, "a30")]),
            batch_of(&[(1, 1, "b1"), (1, 11, "b11"), (1, 40, "b40")]),
        ] {
            let (chunk, _) = store.push(&batch);
            shown.merge(clocks.rows(&chunk));
        }
        assert_eq!(
            values(&shown, &store),
            ["b1", "a10", "a5", "b11", "a30", "b40"]
        );
        assert_eq!(shown.at_time(11), 3);
    }

    #[test]
    fn rows_of_evicted_events_are_forgotten() {
        let (mut store, mut clocks) = (Store::new(3000), Clocks::default());
        let mut shown = Shown::default();
        for time in 0..4000u32 {
            let (chunk, evicted) = store.push(&batch_of(&[(time % 3, i64::from(time), "v")]));
            shown.merge(clocks.rows(&chunk));
            if evicted {
                shown.forget_evicted(&store);
            }
            if time == 100 {
                store.pin();
            }
        }
        let dead = shown.iter().filter(|r| store.get(r.id()).is_none()).count();
        assert!(dead <= 1024, "{dead} dead rows");
        assert_eq!((shown.len() - dead) as u64, store.events());
        assert!(shown.iter().is_sorted());
    }
}
