//! The place of a source in one partition: which record batch, and which of its records is next.
//! Knows neither the other partitions nor what is selected.

use std::sync::Arc;

use super::log::{Log, Stored, damaged};
use super::merge::too_large;
use crate::broker::Result;
use crate::event::codec::{Decoder, Record};
use crate::event::{Batch, BatchMeta, BatchPool, EventRef, Position, Streams, Visibility};

/// What all cursors of a source have in common.
pub(super) struct Reader {
    pub(super) streams: Streams,
    pub(super) pool: BatchPool,
    /// Aborted records are passed over.
    pub(super) committed: bool,
}

/// Where a source stands in one partition.
pub(super) struct Cursor {
    /// Index in the source's table.
    stream: u32,
    /// The next offset to look at, and the one to stop before.
    next: u64,
    end: u64,
    /// The records of the current record batch that lie in the range; the first `at` are done.
    staged: Batch,
    at: usize,
    meta: Option<BatchMeta>,
    /// Where `meta` stands in the batch that is being filled.
    noted: Option<u32>,
}

impl Cursor {
    /// `range` is half open.
    pub(super) fn new(stream: usize, range: (u64, u64), reader: &Reader) -> Self {
        Self {
            stream: stream as u32,
            next: range.0,
            end: range.1,
            staged: Batch::new(Arc::clone(&reader.streams)),
            at: 0,
            meta: None,
            noted: None,
        }
    }

    /// The offset that it stands before; everything below lies behind.
    pub(super) fn position(&self) -> u64 {
        self.head()
            .map_or(self.next, |event| event.position.major)
            .min(self.end)
    }

    /// The event that it stands before, once [`Cursor::advance`] has found one.
    pub(super) fn head(&self) -> Option<EventRef<'_>> {
        (self.at < self.staged.len()).then(|| EventRef {
            meta: self.meta.as_ref(),
            ..self.staged.get(self.at)
        })
    }

    /// Steps over the head.
    pub(super) const fn step(&mut self) {
        self.at += 1;
    }

    /// A new batch is being filled: what was noted in the one before does not stand in it.
    pub(super) const fn forget_note(&mut self) {
        self.noted = None;
    }

    /// Where the head's record batch stands in `out`, which is told of it when it does not yet.
    pub(super) fn note(&mut self, out: &mut Batch) -> Option<u32> {
        if self.noted.is_none() {
            self.noted = self.meta.map(|meta| out.push_meta(meta));
        }
        self.noted
    }

    /// Goes to the next event of the range that can be seen, when it does not stand before one
    /// already. Record batches without one are added to `passed`.
    pub(super) fn advance(
        &mut self,
        log: &Log,
        reader: &Reader,
        passed: &mut Vec<BatchMeta>,
    ) -> Result<()> {
        while self.at >= self.staged.len() && self.next < self.end {
            let Some(stored) = log.batches().get(log.batch_at(self.next)) else {
                return Ok(());
            };
            if stored.meta.base_offset >= self.end {
                self.next = self.end;
                return Ok(());
            }
            let meta = BatchMeta {
                stream: self.stream,
                ..stored.meta
            };
            let seen = match meta.visibility {
                Visibility::Visible => true,
                Visibility::Aborted => !reader.committed,
                Visibility::Control(_) => false,
            };
            if seen {
                self.stage(stored, reader)?;
            }
            self.next = meta.next_offset();
            if self.at < self.staged.len() {
                self.meta = Some(meta);
                self.noted = None;
            } else {
                passed.push(meta);
            }
        }
        Ok(())
    }

    /// Copies the records of the range out of a record batch.
    fn stage(&mut self, stored: &Stored, reader: &Reader) -> Result<()> {
        self.staged = reader.pool.batch(Arc::clone(&reader.streams));
        self.at = 0;
        let mut decoder = Decoder::new(stored.bytes.len());
        let stream = &reader.streams[self.stream as usize];
        for record in decoder.decode(&stored.bytes).map_err(damaged)? {
            let record: Record<'_> = record.map_err(damaged)?;
            if (self.next..self.end).contains(&record.offset) {
                self.staged
                    .push(&EventRef {
                        stream,
                        stream_index: self.stream,
                        position: Position::offset(record.offset),
                        timestamp: record.timestamp,
                        timestamp_type: record.timestamp_type,
                        key: record.key,
                        value: record.value,
                        headers: record.headers,
                        meta: None,
                    })
                    .map_err(too_large)?;
            }
        }
        Ok(())
    }
}
