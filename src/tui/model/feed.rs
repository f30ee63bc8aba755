//! The events on their way to the stream: buffer, filter, freeze and the figures of the status
//! strip. Pure: what is to be done outside comes back as a [`Scan`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::shown::{Clocks, Row, Shown, judge_rows};
use super::store::{EventId, Store};
use crate::event::{Batch, Scanned, Select};
use crate::tui::theme::Verdict;

/// A filter in force.
#[derive(Clone)]
pub struct Filter {
    /// As it was typed.
    pub text: String,
    pub query: Arc<dyn Select>,
}

/// Chunks to be searched on another thread.
#[derive(Clone)]
pub struct Scan {
    /// Answers of an older generation are dropped.
    pub generation: u64,
    pub query: Arc<dyn Select>,
    pub chunks: Vec<(u64, Arc<Batch>)>,
}

/// What of a chunk the filter keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedChunk {
    pub chunk: u64,
    /// Indexes, ascending.
    pub kept: Vec<u32>,
    /// Events on which the expression failed.
    pub failed: u64,
}

/// Where the read stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Nothing was asked for yet.
    Idle,
    /// Waiting for the first answer.
    Opening,
    /// Events come, or will.
    Live,
    /// The whole range was read.
    Ended,
    /// The broker gave up; the text says what to try.
    Failed(String),
}

/// Batches that came without an event to keep, and the events that were looked at for them. Each
/// takes an id of the store, so that it is known where they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    pub batches: u64,
    pub events: u64,
}

/// How many events one scan is sent, about.
const SCAN_EVENTS: usize = 50_000;
/// Scans under way at once: one is worked on, one waits.
const SCANS: usize = 2;

/// Everything between the intake and the rows on the screen.
pub struct Feed {
    pub store: Store,
    pub shown: Shown,
    clocks: Clocks,
    /// All rows of the chunks that a scan has not come back for.
    unscanned: VecDeque<(u64, Vec<Row>)>,
    /// Rows that came while the view was frozen.
    held: Vec<Row>,
    pub frozen: bool,
    filter: Option<Filter>,
    pub generation: u64,
    /// The chunks of each scan under way.
    scans: Vec<Vec<u64>>,
    /// Events of the buffer that the filter looked at and on which it failed.
    pub searched: u64,
    pub failed: u64,
    /// All that the source looked at, kept or not.
    pub scanned: Scanned,
    /// Batches of which the source's selection kept nothing.
    pub left_out: LeftOut,
    pub reading: Reading,
    /// A live reading has come to the present.
    pub current: bool,
    /// How far a frozen range is read.
    pub progress: Option<(u64, u64)>,
    rate: Rate,
}

impl Feed {
    pub fn new(limit: usize) -> Self {
        Self {
            store: Store::new(limit),
            shown: Shown::default(),
            clocks: Clocks::default(),
            unscanned: VecDeque::new(),
            held: Vec::new(),
            frozen: false,
            filter: None,
            generation: 0,
            scans: Vec::new(),
            searched: 0,
            failed: 0,
            scanned: Scanned::default(),
            left_out: LeftOut::default(),
            reading: Reading::Idle,
            current: false,
            progress: None,
            rate: Rate::default(),
        }
    }

    /// Another read begins: nothing of the last one is left but the filter.
    pub fn restart(&mut self) {
        self.store.clear();
        self.shown.clear();
        self.clocks = Clocks::default();
        self.unscanned.clear();
        self.held.clear();
        self.frozen = false;
        self.generation += 1;
        self.searched = 0;
        self.failed = 0;
        self.scanned = Scanned::default();
        self.left_out = LeftOut::default();
        self.reading = Reading::Opening;
        self.current = false;
        self.progress = None;
        self.rate = Rate::default();
    }

    /// All that is there was read: the range to its end, or nothing has come for a while.
    pub fn is_at_end(&self) -> bool {
        self.reading == Reading::Ended || (self.reading == Reading::Live && self.current)
    }

    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// Takes a batch in.
    pub fn batch(&mut self, batch: &Batch, now: Duration) {
        self.reading = Reading::Live;
        self.scanned += batch.scanned;
        self.rate.add(now, batch.scanned.events);
        if batch.is_empty() && batch.scanned.events > 0 {
            // However many they are, they push nothing out that was kept.
            self.left_out.batches += 1;
            self.left_out.events += batch.scanned.events;
            self.store.pass();
            return;
        }
        // Record batches that have no event explain gaps.
        if batch.is_empty() && batch.metas().is_empty() {
            return;
        }
        let (chunk, evicted) = self.store.push(batch);
        let rows = self.clocks.rows(&chunk);
        if !rows.is_empty() {
            if self.filter.is_some() {
                self.unscanned.push_back((chunk.id, rows));
            } else {
                self.show(rows);
            }
        }
        if evicted {
            self.forget_evicted();
        }
    }

    fn forget_evicted(&mut self) {
        self.shown.forget_evicted(&self.store);
        let store = &self.store;
        while let Some((id, _)) = self.unscanned.front()
            && store.chunk(*id).is_none()
        {
            self.unscanned.pop_front();
        }
        if self.held.len() > store.events() as usize {
            self.held.retain(|r| store.chunk(r.id().chunk).is_some());
        }
    }

    fn show(&mut self, rows: Vec<Row>) {
        if self.frozen {
            self.held.extend(rows);
        } else {
            self.shown.merge(rows);
        }
    }

    /// Takes in what the schemas say of the events of chunks, whose ids ascend. Every row is looked
    /// at: not for each batch.
    pub fn judged(&mut self, found: Vec<(u64, Vec<Verdict>)>) {
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            return;
        };
        let range = first.0..=last.0;
        for (id, verdicts) in found {
            self.store.judge(id, verdicts);
        }
        let store = &self.store;
        let verdict = |row: &Row| {
            let EventId { chunk, index } = row.id();
            if !range.contains(&chunk) {
                return Verdict::None;
            }
            let chunk = store.chunk(chunk);
            chunk.map_or(Verdict::None, |c| c.verdict(index as usize))
        };
        self.shown.judge(verdict);
        judge_rows(self.held.iter_mut(), verdict);
        let unscanned = self.unscanned.iter_mut();
        judge_rows(unscanned.flat_map(|(_, rows)| rows.iter_mut()), verdict);
    }

    /// The same of single events, which are shown.
    pub fn judge(&mut self, found: &[(Row, Verdict)]) {
        for (row, verdict) in found {
            self.store.judge_one(row.id(), *verdict);
            self.shown.judge_one(row, *verdict);
        }
    }

    /// Rows that wait for the end of the freeze.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    pub fn freeze(&mut self) {
        self.frozen = true;
        self.store.pin();
    }

    pub fn thaw(&mut self) {
        self.frozen = false;
        self.store.unpin();
        let mut held = std::mem::take(&mut self.held);
        let store = &self.store;
        held.retain(|r| store.chunk(r.id().chunk).is_some());
        self.shown.merge(held);
    }

    /// Puts another filter in force, or none. A frozen view shows what it held under it, too.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.generation += 1;
        self.filter = filter;
        self.shown.clear();
        self.held.clear();
        self.unscanned.clear();
        self.scans.clear();
        self.searched = 0;
        self.failed = 0;
        // The rows are made anew, as the order of arrival is that of the chunks.
        self.clocks = Clocks::default();
        let frozen = std::mem::take(&mut self.frozen);
        for chunk in self.store.chunks() {
            let rows = self.clocks.rows(chunk);
            if self.filter.is_some() {
                self.unscanned.push_back((chunk.id, rows));
            } else {
                self.shown.merge(rows);
            }
        }
        self.frozen = frozen;
    }

    /// The next chunks to be searched, newest first, if there is room for a scan.
    pub fn next_scan(&mut self) -> Option<Scan> {
        let filter = self.filter.as_ref()?;
        if self.scans.len() >= SCANS {
            return None;
        }
        let mut chunks = Vec::new();
        let mut events = 0;
        for (id, rows) in self.unscanned.iter().rev() {
            if self.scans.iter().any(|ids| ids.binary_search(id).is_ok()) {
                continue;
            }
            if let Some(chunk) = self.store.chunk(*id) {
                chunks.push((*id, chunk.batch.clone()));
                events += rows.len();
            }
            if events >= SCAN_EVENTS {
                break;
            }
        }
        if chunks.is_empty() {
            return None;
        }
        let mut ids: Vec<u64> = chunks.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        self.scans.push(ids);
        Some(Scan {
            generation: self.generation,
            query: filter.query.clone(),
            chunks,
        })
    }

    /// Takes the answer of a scan in.
    pub fn scanned(&mut self, generation: u64, found: &[ScannedChunk]) {
        if generation != self.generation {
            return;
        }
        let first = found.first().map_or(u64::MAX, |one| one.chunk);
        self.scans.retain(|ids| ids.binary_search(&first).is_err());
        let mut kept = Vec::new();
        for one in found {
            let Ok(at) = self.unscanned.binary_search_by_key(&one.chunk, |u| u.0) else {
                continue;
            };
            if let Some((_, rows)) = self.unscanned.remove(at) {
                self.searched += rows.len() as u64;
                self.failed += one.failed;
                kept.extend(one.kept.iter().filter_map(|&i| rows.get(i as usize)));
            }
        }
        self.show(kept);
    }

    /// Events that the filter has still to look at.
    pub fn unsearched(&self) -> u64 {
        self.unscanned
            .iter()
            .map(|(_, rows)| rows.len() as u64)
            .sum()
    }

    /// Events a second that the source looked at lately.
    pub fn rate(&self, now: Duration) -> f64 {
        self.rate.per_second(now)
    }

    pub fn batch_of(&self, id: EventId) -> Option<Arc<Batch>> {
        self.store.chunk(id.chunk).map(|c| c.batch.clone())
    }
}

/// Counts of the last seconds.
#[derive(Debug, Default)]
struct Rate {
    /// When, and how many; a slot a quarter of a second.
    slots: VecDeque<(u128, u64)>,
}

const SLOT: Duration = Duration::from_millis(250);
/// Slots that the figure is taken over.
const SLOTS: u128 = 8;

impl Rate {
    fn add(&mut self, now: Duration, events: u64) {
        let slot = now.as_millis() / SLOT.as_millis();
        match self.slots.back_mut() {
            Some((last, count)) if *last == slot => *count += events,
            _ => self.slots.push_back((slot, events)),
        }
        while self.slots.front().is_some_and(|(s, _)| *s + SLOTS < slot) {
            self.slots.pop_front();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    fn per_second(&self, now: Duration) -> f64 {
        let slot = now.as_millis() / SLOT.as_millis();
        let recent = |(s, _): &&(u128, u64)| *s + SLOTS >= slot;
        let events: u64 = self.slots.iter().filter(recent).map(|(_, n)| n).sum();
        let first = self.slots.iter().find(recent).map_or(slot, |(s, _)| *s);
        let slots = (slot - first + 1).max(2) as f64;
        events as f64 / (slots * SLOT.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Query, QuerySpec};
    use crate::tui::fixture::batch_of;

    fn filter(expression: &str) -> Filter {
        let spec = QuerySpec {
            where_: vec![expression.to_owned()],
            ..QuerySpec::default()
        };
        Filter {
            text: expression.to_owned(),
            query: Arc::new(Query::compile(&spec).unwrap()),
        }
    }

    /// Does what the scanning thread does.
    fn answer(feed: &mut Feed) -> usize {
        let mut scans = 0;
        while let Some(scan) = feed.next_scan() {
            scans += 1;
            let found = crate::tui::effects::scan::search(&scan).unwrap();
            feed.scanned(scan.generation, &found);
        }
        scans
    }

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_frozen_view_stands_still_while_the_intake_goes_on() {
        let mut feed = Feed::new(1 << 20);
        feed.batch(&batch_of(&[(0, 1, "1")]), second(0));
        feed.freeze();
        feed.batch(&batch_of(&[(0, 2, "2"), (0, 3, "3")]), second(1));
        assert_eq!((feed.shown.len(), feed.held()), (1, 2));
        assert_eq!(feed.scanned.events, 3);
        feed.thaw();
        assert_eq!((feed.shown.len(), feed.held()), (3, 0));
    }

    #[test]
    fn a_filter_works_while_frozen_and_on_what_comes() {
        let mut feed = Feed::new(1 << 20);
        feed.batch(&batch_of(&[(0, 1, "1"), (0, 2, "2")]), second(0));
        feed.freeze();
        feed.set_filter(Some(filter(".value > 1")));
        assert_eq!((feed.shown.len(), feed.unsearched()), (0, 2));
        answer(&mut feed);
        // What was asked for while frozen is shown when it is thawed at the latest.
        feed.thaw();
        assert_eq!(
            (feed.shown.len(), feed.unsearched(), feed.searched),
            (1, 0, 2)
        );
        feed.batch(&batch_of(&[(0, 3, "3"), (0, 4, "\"x\"")]), second(1));
        answer(&mut feed);
        assert_eq!(feed.shown.len(), 3);
        feed.set_filter(None);
        assert_eq!(feed.shown.len(), 4);
    }

    #[test]
    fn an_answer_to_an_old_filter_is_dropped() {
        let mut feed = Feed::new(1 << 20);
        feed.batch(&batch_of(&[(0, 1, "1"), (0, 2, "2")]), second(0));
        feed.set_filter(Some(filter(".value > 0")));
        let scan = feed.next_scan().unwrap();
        feed.set_filter(Some(filter(".value > 1")));
        let found = crate::tui::effects::scan::search(&scan).unwrap();
        feed.scanned(scan.generation, &found);
        assert_eq!(feed.shown.len(), 0);
        answer(&mut feed);
        assert_eq!(feed.shown.len(), 1);
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        for quarter in 0..40 {
            rate.add(SLOT * quarter, 25);
        }
        assert!((rate.per_second(SLOT * 39) - 100.0).abs() < 1.0);
        assert!(rate.per_second(SLOT * 60).abs() < 0.01);
    }
}
