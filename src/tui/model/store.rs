//! The events that the screen holds: immutable chunks in the order in which they came, bounded in
//! bytes. What of them is shown, and in which order, is `shown`'s.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::event::{Batch, EventRef, Timestamp};
use crate::tui::theme::Verdict;

/// What a chunk costs beside its batch: the queue's entry, the count of its owners, its rows.
const OVERHEAD: usize = 64;
/// What an event costs beside its bytes: its row in the list that is shown.
const ROW: usize = 32;

/// Names an event of the store for as long as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    pub chunk: u64,
    pub index: u32,
}

/// Events that came together.
#[derive(Debug, Clone)]
pub struct Chunk {
    pub id: u64,
    pub batch: Arc<Batch>,
    bytes: usize,
    /// What the schemas say of its events; empty as long as nobody looked.
    verdicts: Vec<Verdict>,
}

impl Chunk {
    pub fn verdict(&self, index: usize) -> Verdict {
        self.verdicts.get(index).copied().unwrap_or(Verdict::None)
    }
}

/// The bounded buffer of a live view.
#[derive(Debug)]
pub struct Store {
    chunks: VecDeque<Chunk>,
    /// The first id of this read, and the next one.
    first: u64,
    next: u64,
    events: u64,
    bytes: usize,
    limit: usize,
    /// Chunks below this id are kept as long as others can go: a person looks at them.
    pinned: u64,
    pub evicted: u64,
    /// The newest time that was evicted.
    pub evicted_until: Option<Timestamp>,
}

impl Store {
    /// `limit` is the number of bytes to hold; the newest chunk is held whatever it takes.
    pub fn new(limit: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            first: 0,
            next: 0,
            events: 0,
            bytes: 0,
            limit,
            pinned: 0,
            evicted: 0,
            evicted_until: None,
        }
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    pub fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> + ExactSizeIterator {
        self.chunks.iter()
    }

    /// All that is held, for an engine on another thread. Shares the events.
    pub fn snapshot(&self) -> Vec<Arc<Batch>> {
        self.chunks.iter().map(|c| c.batch.clone()).collect()
    }

    /// The id that the first chunk of this read had, or will have.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Leaves an id out, for a batch of which nothing is held.
    pub fn pass(&mut self) {
        self.next += 1;
    }

    /// Forgets everything, evictions too: another read begins. Ids go on.
    pub fn clear(&mut self) {
        self.first = self.next;
        self.chunks.clear();
        self.events = 0;
        self.bytes = 0;
        self.pinned = 0;
        self.evicted = 0;
        self.evicted_until = None;
    }

    /// Holds what is there now in preference to what comes.
    pub fn pin(&mut self) {
        self.pinned = self.next;
    }

    pub fn unpin(&mut self) {
        self.pinned = 0;
    }

    /// Takes a batch in and gives its chunk; `true` when others had to go for it.
    pub fn push(&mut self, batch: &Batch) -> (Chunk, bool) {
        let batch = Arc::new(batch.compact());
        let chunk = Chunk {
            id: self.next,
            bytes: batch.footprint() + OVERHEAD + ROW * batch.len(),
            batch,
            verdicts: Vec::new(),
        };
        self.next += 1;
        self.events += chunk.batch.len() as u64;
        self.bytes += chunk.bytes;
        self.chunks.push_back(chunk.clone());
        let before = self.evicted;
        while self.bytes > self.limit && self.chunks.len() > 1 {
            self.evict();
        }
        (chunk, self.evicted > before)
    }

    /// Drops the oldest chunk that came after the pinned ones, else the oldest of all. The newest
    /// stays.
    fn evict(&mut self) {
        let unpinned = self.chunks.partition_point(|c| c.id < self.pinned);
        let at = if unpinned + 1 < self.chunks.len() {
            unpinned
        } else {
            0
        };
        let Some(gone) = self.chunks.remove(at) else {
            return;
        };
        self.bytes -= gone.bytes;
        let events = gone.batch.len() as u64;
        self.events -= events;
        self.evicted += events;
        let newest = gone.batch.iter().filter_map(|e| e.time()).max();
        self.evicted_until = self.evicted_until.max(newest);
    }

    pub fn chunk(&self, id: u64) -> Option<&Chunk> {
        let at = self.chunks.binary_search_by_key(&id, |c| c.id).ok()?;
        self.chunks.get(at)
    }

    /// Keeps what the schemas say of the events of a chunk.
    pub fn judge(&mut self, id: u64, verdicts: Vec<Verdict>) {
        if let Ok(at) = self.chunks.binary_search_by_key(&id, |c| c.id)
            && let Some(chunk) = self.chunks.get_mut(at)
        {
            chunk.verdicts = verdicts;
        }
    }

    /// The same of one event of a chunk that was looked at.
    pub fn judge_one(&mut self, id: EventId, verdict: Verdict) {
        if let Ok(at) = self.chunks.binary_search_by_key(&id.chunk, |c| c.id)
            && let Some(chunk) = self.chunks.get_mut(at)
            && let Some(known) = chunk.verdicts.get_mut(id.index as usize)
        {
            *known = verdict;
        }
    }

    pub fn get(&self, id: EventId) -> Option<EventRef<'_>> {
        let batch = &self.chunk(id.chunk)?.batch;
        let index = id.index as usize;
        (index < batch.len()).then(|| batch.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::batch_of;

    #[test]
    fn events_are_found_by_their_id_until_they_are_evicted() {
        let mut store = Store::new(3000);
        let (first, _) = store.push(&batch_of(&[(0, 1, "a"), (0, 2, "b")]));
        let id = EventId {
            chunk: first.id,
            index: 1,
        };
        assert_eq!(store.get(id).unwrap().value, Some(&b"b"[..]));
        while store.evicted == 0 {
            store.push(&batch_of(&[(0, 3, "c")]));
        }
        assert!(store.get(id).is_none());
        assert_eq!(store.evicted_until, Some(Timestamp(2)));
        assert!(store.bytes() <= store.limit());
    }

    #[test]
    fn what_a_person_looks_at_stays_while_other_events_can_go() {
        let mut store = Store::new(4000);
        let (seen, _) = store.push(&batch_of(&[(0, 1, "seen")]));
        store.pin();
        for time in 2..100 {
            store.push(&batch_of(&[(0, time, "later")]));
        }
        assert!(store.chunk(seen.id).is_some());
        assert!(store.bytes() <= store.limit());
        assert!(store.evicted > 80);
        store.unpin();
        while store.chunk(seen.id).is_some() {
            store.push(&batch_of(&[(0, 100, "later")]));
        }
    }

    #[test]
    fn one_event_larger_than_the_limit_is_still_held() {
        let mut store = Store::new(100);
        store.push(&batch_of(&[(0, 1, &"x".repeat(1000))]));
        assert_eq!(store.events(), 1);
        store.push(&batch_of(&[(0, 2, "y")]));
        assert_eq!((store.events(), store.evicted), (1, 1));
    }
}
