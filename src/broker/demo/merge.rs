//! What is stored, merged over the partitions by (timestamp, topic, partition, offset), with the
//! selection applied in place. Order within a partition is the log's, whatever the timestamps say.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cursor::{Cursor, Reader};
use super::live::Live;
use super::log::Store;
use super::orders::Topic;
use crate::broker::{Error, ErrorKind, PartitionRange, Result, Subscription};
use crate::event::{
    ArenaFull, Batch, BatchMeta, BatchPool, EventRef, PositionStyle, SelectWorker, Stream,
    Timestamp,
};

/// A batch closes after so many events looked at, so that a search for something rare shows that
/// it goes on.
const LOOKED_AT: u64 = 16 * 1024;

/// A batch closes after so long in an expression that takes its time: Ctrl-C and time limits are
/// looked at between batches.
const SELECTING: Duration = Duration::from_millis(20);

/// The selection of one source.
pub(super) struct Filter {
    /// `None` keeps everything.
    worker: Option<Box<dyn SelectWorker>>,
    /// When the batch that is being filled was begun.
    begun: Instant,
}

impl Filter {
    /// Time to hand the batch on.
    pub(super) fn is_done(&self, out: &Batch) -> bool {
        let looked_at = out.scanned.events;
        out.is_full()
            || looked_at >= LOOKED_AT
            || (self.worker.is_some() && looked_at > 0 && self.begun.elapsed() >= SELECTING)
    }

    /// Counts the event, and copies it into `out` when the selection keeps it.
    pub(super) fn offer(
        &mut self,
        event: &EventRef<'_>,
        meta: Option<u32>,
        out: &mut Batch,
    ) -> Result<()> {
        out.scanned.events += 1;
        out.scanned.bytes += event.size() as u64;
        let kept = match &mut self.worker {
            None => Some(*event),
            Some(worker) => worker.kept(event, &mut out.scanned)?,
        };
        match kept {
            Some(kept) => out.push_of_meta(&kept, meta).map_err(too_large),
            None => Ok(()),
        }
    }
}

pub(super) fn too_large(error: ArenaFull) -> Error {
    Error::new(ErrorKind::Broker, format!("demo: {error}"))
}

/// The stored part of a source.
pub(super) struct Merge {
    pub(super) reader: Reader,
    pub(super) filter: Filter,
    /// In the order of the table of streams, which is that of the names.
    cursors: Vec<Cursor>,
    /// Cursors that stand before an event, by its time.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Cursors that stand before none, or before one whose turn has not come.
    idle: Vec<usize>,
    /// Record batches that were passed over and not handed on yet.
    passed: Vec<BatchMeta>,
    starts: Vec<u64>,
    total: u64,
}

impl Merge {
    pub(super) fn new(ranges: &[PartitionRange], sub: &Subscription, committed: bool) -> Self {
        let streams = ranges
            .iter()
            .map(|range| Stream {
                topic: Arc::clone(&range.topic),
                partition: range.partition,
                style: PositionStyle::Offset,
            })
            .collect();
        let reader = Reader {
            streams,
            pool: BatchPool::default(),
            committed,
        };
        let cursor = |(stream, range): (usize, &PartitionRange)| {
            let end = if sub.follow {
                u64::MAX
            } else {
                range.end.major
            };
            Cursor::new(stream, (range.start.major, end), &reader)
        };
        Self {
            cursors: ranges.iter().enumerate().map(cursor).collect(),
            heads: BinaryHeap::new(),
            idle: (0..ranges.len()).collect(),
            passed: Vec::new(),
            starts: ranges.iter().map(|r| r.start.major).collect(),
            total: ranges.iter().map(|r| r.end.major - r.start.major).sum(),
            filter: Filter {
                worker: (!sub.select.keeps_all()).then(|| sub.select.worker()),
                begun: Instant::now(),
            },
            reader,
        }
    }

    /// An empty batch on this source's table.
    pub(super) fn batch(&mut self) -> Batch {
        for cursor in &mut self.cursors {
            cursor.forget_note();
        }
        self.filter.begun = Instant::now();
        self.reader.pool.batch(Arc::clone(&self.reader.streams))
    }

    /// Fills the batch until it is done or nothing is left.
    pub(super) fn fill(
        &mut self,
        store: &Store,
        live: Option<&Live>,
        out: &mut Batch,
    ) -> Result<()> {
        for index in std::mem::take(&mut self.idle) {
            self.line_up(index, store, live)?;
        }
        while !self.filter.is_done(out) {
            let Some(Reverse((_, index))) = self.heads.pop() else {
                break;
            };
            self.take(index, out)?;
            self.line_up(index, store, live)?;
        }
        self.hand_on_passed(out);
        Ok(())
    }

    /// Hands on what stands below `before` in a partition: live events come next there.
    pub(super) fn release(
        &mut self,
        stream: usize,
        before: u64,
        store: &Store,
        out: &mut Batch,
    ) -> Result<()> {
        loop {
            self.advance(stream, store)?;
            let head = self.cursors[stream].head();
            if head.is_none_or(|event| event.position.major >= before) {
                self.hand_on_passed(out);
                return Ok(());
            }
            self.take(stream, out)?;
        }
    }

    /// Where the range of a partition begins.
    pub(super) fn start(&self, stream: usize) -> u64 {
        self.starts[stream]
    }

    /// How much lies behind, and how much there is, in positions.
    pub(super) fn progress(&self) -> (u64, u64) {
        let behind = self
            .cursors
            .iter()
            .zip(&self.starts)
            .map(|(cursor, start)| cursor.position().saturating_sub(*start))
            .sum();
        (behind, self.total)
    }

    fn take(&mut self, index: usize, out: &mut Batch) -> Result<()> {
        self.hand_on_passed(out);
        let cursor = &mut self.cursors[index];
        let meta = cursor.note(out);
        if let Some(event) = cursor.head() {
            self.filter.offer(&event, meta, out)?;
        }
        cursor.step();
        Ok(())
    }

    fn advance(&mut self, index: usize, store: &Store) -> Result<()> {
        let cursor = &mut self.cursors[index];
        let stream = &self.reader.streams[index];
        if let Some(log) = store.log(&stream.topic, stream.partition) {
            cursor.advance(log, &self.reader, &mut self.passed)?;
        }
        Ok(())
    }

    fn line_up(&mut self, index: usize, store: &Store, live: Option<&Live>) -> Result<()> {
        self.advance(index, store)?;
        let stream = &self.reader.streams[index];
        match self.cursors[index].head() {
            Some(event) if has_its_turn(stream, event.position.major, live) => {
                self.heads.push(Reverse((event.timestamp, index)));
            }
            _ => self.idle.push(index),
        }
        Ok(())
    }

    fn hand_on_passed(&mut self, out: &mut Batch) {
        for meta in self.passed.drain(..) {
            out.push_meta(meta);
        }
    }
}

/// A record that was written while the pipeline goes on comes after the live events before it.
fn has_its_turn(stream: &Stream, offset: u64, live: Option<&Live>) -> bool {
    let Some(live) = live else { return true };
    match Topic::named(&stream.topic) {
        Some(topic) => offset <= live.end(topic, stream.partition),
        None => true,
    }
}
