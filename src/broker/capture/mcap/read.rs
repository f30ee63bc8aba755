//! Reading a capture: its partitions merged by (timestamp, topic, partition, position), the order
//! within each partition kept. Runs on the thread of a `Feed`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::Recording;
use super::lane::{Bench, Filled, Lane};
use super::layout::BATCH_LIMIT;
use super::store::Store;
use crate::broker::capture::damage::Damage;
use crate::broker::capture::feed::{Outlet, Sieve, Stop};
use crate::broker::capture::range::Window;
use crate::broker::{Result, Subscription};
use crate::event::codec::Decoder;
use crate::event::{Batch, BatchPool, Position, PositionStyle, Scanned, Streams, Timestamp};

/// Record batches without a kept event before the reader is told how far it is.
const SILENT: usize = 64;

/// The smallest is next. Streams are sorted by topic and partition, so their index ranks them.
type Key = Reverse<(Timestamp, usize, Position)>;

/// Reads the windows of the recording to their ends.
pub(super) fn read(
    recording: &Arc<Recording>,
    sub: &Subscription,
    windows: &[Option<Window>],
    outlet: &Outlet,
) -> Result<(), Stop> {
    let index = &recording.index;
    let streams: Streams = index.streams.clone().into();
    let bench = Bench {
        index,
        store: Store::new(index.file.clone()),
        decoder: Decoder::new(BATCH_LIMIT),
        sieve: Sieve::new(sub),
        raw: sub.raw && sub.select.keeps_all(),
        pool: BatchPool::default(),
        streams: streams.clone(),
        body: Vec::new(),
        sound: HashMap::new(),
        unsound: Vec::new(),
    };
    let mut damage = Damage::new(&recording.path, sub.notices.clone());
    for fault in &index.faults {
        damage.note(fault);
    }
    for remark in &index.remarks {
        sub.notices.tell(remark);
    }
    let mut lanes = Vec::new();
    let mut total = 0;
    for (stream, window) in windows.iter().enumerate() {
        if let Some(window) = window {
            lanes.push(Lane::new(recording, stream, *window, &streams));
            total += recording.length(stream, *window);
        }
    }
    outlet.way.set_total(total);
    let mut merge = Merge {
        out: bench.pool.batch(streams),
        metas: vec![None; lanes.len()],
        bench,
        outlet,
        damage,
        silent: 0,
        done: 0,
    };
    merge.run(&mut lanes)?;
    outlet.way.set_done(total);
    merge.damage.end().map_err(Stop::Failed)
}

struct Merge<'i, 'o> {
    bench: Bench<'i>,
    outlet: &'o Outlet,
    damage: Damage,
    out: Batch,
    /// For each lane, the number of its record batch in `out`, once an event of it is in there.
    metas: Vec<Option<u32>>,
    silent: usize,
    done: u64,
}

impl Merge<'_, '_> {
    fn run(&mut self, lanes: &mut [Lane<'_>]) -> Result<(), Stop> {
        let mut heads: BinaryHeap<(Key, usize)> = BinaryHeap::with_capacity(lanes.len());
        for (i, lane) in lanes.iter_mut().enumerate() {
            if let Some(key) = self.advance(i, lane)? {
                heads.push((key, i));
            }
        }
        while let Some((_, i)) = heads.pop() {
            let limit = heads.peek().map(|(key, _)| *key);
            let lane = &mut lanes[i];
            loop {
                self.push(i, lane)?;
                let Some(key) = self.advance(i, lane)? else {
                    break;
                };
                // Reversed keys: a smaller one is later.
                if limit.is_some_and(|limit| key < limit) {
                    heads.push((key, i));
                    break;
                }
            }
        }
        self.hand_on()
    }

    /// Makes sure that the lane has an event at hand, and gives its place; `None` at the end.
    fn advance(&mut self, i: usize, lane: &mut Lane<'_>) -> Result<Option<Key>, Stop> {
        while lane.is_spent() {
            self.metas[i] = None;
            match lane.fill(&mut self.bench, &mut self.out.scanned)? {
                Filled::End => return Ok(None),
                Filled::Events => {}
                Filled::Nothing(meta) => {
                    if let Some(meta) = meta {
                        self.make_room(false)?;
                        self.out.push_meta(meta);
                    }
                    self.silent += 1;
                }
                Filled::Damaged(what) => self.damage.note(&what),
            }
            self.done += lane.passed;
            for what in self.bench.unsound.drain(..) {
                self.damage.note(&what);
            }
            if self.silent >= SILENT {
                self.hand_on()?;
            }
        }
        let (time, position) = lane.order();
        Ok(Some(Reverse((time, lane.stream, position))))
    }

    fn push(&mut self, i: usize, lane: &mut Lane<'_>) -> Result<(), Stop> {
        self.make_room(lane.whole().is_some())?;
        if let Some((meta, bytes)) = lane.whole() {
            self.out.push_raw(meta, bytes).map_err(super::too_large)?;
            lane.take();
            return Ok(());
        }
        let number = match (self.metas[i], lane.meta) {
            (None, Some(meta)) => {
                let number = self.out.push_meta(meta);
                self.metas[i] = Some(number);
                Some(number)
            }
            (number, _) => number,
        };
        if let Some(event) = lane.head() {
            self.out
                .push_of_meta(&event, number)
                .map_err(super::too_large)?;
        }
        lane.take();
        Ok(())
    }

    /// For an event, or for a whole record batch: they do not travel together.
    fn make_room(&mut self, raw: bool) -> Result<(), Stop> {
        let unused = self.out.is_empty() && self.out.metas().is_empty();
        let other = raw != self.out.is_raw() && !unused;
        if self.out.is_full() || other {
            self.hand_on()?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), Stop> {
        self.silent = 0;
        let empty = self.bench.pool.batch(self.bench.streams.clone());
        let batch = std::mem::replace(&mut self.out, empty);
        self.metas.fill(None);
        if batch.is_empty() && batch.metas().is_empty() && batch.scanned == Scanned::default() {
            return Ok(());
        }
        self.outlet.way.set_done(self.done);
        self.outlet.send(batch)?;
        Ok(())
    }
}

impl Recording {
    /// How long a window is, as `Lane::passed` counts it.
    fn length(&self, stream: usize, window: Window) -> u64 {
        let held = self.held(stream);
        if held.stream.style == PositionStyle::Entry {
            // Each batch is looked into.
            return held.events;
        }
        let end = window.end.min(held.end).major;
        end.saturating_sub(window.start.max(held.first).major)
    }
}
