//! From record batches to the events that are wanted: decompressing, finding, copying. Runs on a
//! worker's thread; whatever is told of a batch beyond its records came with it.

use std::ops::Range;
use std::sync::Arc;

use super::chunk::Chunk;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::codec::{CodecError, Decoder, Record, Records};
use crate::event::{
    ArenaFull, Batch, BatchMeta, BatchPool, EventRef, Position, Scanned, Select, SelectWorker,
    Stream, Streams, Verdict, Visibility,
};

/// Bytes of one batch when decompressed; what it claims of itself is not believed.
const INFLATED: usize = 256 << 20;

/// One worker's part of the selection.
pub(super) struct Sieve<'s> {
    select: &'s dyn Select,
    worker: Box<dyn SelectWorker>,
    keeps_all: bool,
    decoder: Decoder,
    pool: BatchPool,
}

/// Takes the batches that are done; false when nobody wants more.
pub(super) type Give<'g> = &'g mut dyn FnMut(Batch) -> bool;

impl<'s> Sieve<'s> {
    pub(super) fn new(select: &'s dyn Select, pool: BatchPool) -> Self {
        Self {
            select,
            worker: select.worker(),
            keeps_all: select.keeps_all(),
            decoder: Decoder::new(INFLATED),
            pool,
        }
    }

    /// Hands on the events of a chunk that are kept, and how much was looked at.
    pub(super) fn run(&mut self, chunk: &Chunk, streams: &Streams, give: Give<'_>) -> Result<()> {
        let mut out = Out {
            batch: self.pool.batch(Arc::clone(streams)),
            pool: &self.pool,
            streams,
            give,
            wanted: true,
        };
        for piece in &chunk.batches {
            let meta = piece.header.meta(chunk.stream, piece.visibility);
            out.batch.push_meta(meta);
            if piece.visibility != Visibility::Visible {
                continue;
            }
            let part = Part {
                stream: &streams[chunk.stream as usize],
                index: chunk.stream,
                meta,
            };
            let bytes = &chunk.bytes[piece.at..piece.at + piece.len];
            let records = self.decoder.records(&piece.header, bytes);
            let records = records.map_err(|e| part.damaged(&e))?;
            let mut test = Test {
                // False is a proof for the whole batch.
                possible: self.keeps_all || self.select.may_match(records.body()),
                worker: (!self.keeps_all).then_some(&mut *self.worker),
            };
            part.sift(records, chunk.from..chunk.until, &mut test, &mut out)?;
            if !out.wanted {
                return Ok(());
            }
        }
        out.end();
        Ok(())
    }
}

/// The batch that is filled, and where it goes.
struct Out<'o> {
    batch: Batch,
    pool: &'o BatchPool,
    streams: &'o Streams,
    give: Give<'o>,
    wanted: bool,
}

impl Out<'_> {
    fn push(&mut self, event: &EventRef<'_>, meta: &BatchMeta) -> Result<(), ArenaFull> {
        self.batch.push_of_last_meta(event)?;
        if self.batch.is_full() {
            self.turn();
            self.batch.push_meta(*meta);
        }
        Ok(())
    }

    fn turn(&mut self) {
        let fresh = self.pool.batch(Arc::clone(self.streams));
        self.wanted = (self.give)(std::mem::replace(&mut self.batch, fresh));
    }

    fn end(mut self) {
        if !self.batch.metas().is_empty() || self.batch.scanned != Scanned::default() {
            self.turn();
        }
    }
}

/// How events are tested.
struct Test<'t> {
    possible: bool,
    /// `None` keeps everything.
    worker: Option<&'t mut dyn SelectWorker>,
}

impl Test<'_> {
    fn keeps(&mut self, event: &EventRef<'_>, scanned: &mut Scanned) -> Result<bool> {
        if !self.possible {
            return Ok(false);
        }
        let Some(worker) = &mut self.worker else {
            return Ok(true);
        };
        Ok(match worker.test(event)? {
            Verdict::Keep => true,
            Verdict::Drop => false,
            Verdict::Failed => {
                scanned.failed += 1;
                false
            }
        })
    }
}

/// The record batch that is sifted.
struct Part<'a> {
    stream: &'a Stream,
    index: u32,
    meta: BatchMeta,
}

impl Part<'_> {
    fn sift(
        &self,
        records: Records<'_>,
        wanted: Range<u64>,
        test: &mut Test<'_>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        for record in records {
            let record = record.map_err(|e| self.damaged(&e))?;
            if record.offset < wanted.start {
                continue;
            }
            if record.offset >= wanted.end {
                break;
            }
            let event = self.event(&record);
            out.batch.scanned.events += 1;
            out.batch.scanned.bytes += event.size() as u64;
            if !test.keeps(&event, &mut out.batch.scanned)? {
                continue;
            }
            out.push(&event, &self.meta).map_err(|full| {
                Error::new(ErrorKind::Broker, format!("take over an event: {full}"))
            })?;
            if !out.wanted {
                break;
            }
        }
        Ok(())
    }

    fn event<'e>(&'e self, record: &Record<'e>) -> EventRef<'e> {
        EventRef {
            stream: self.stream,
            stream_index: self.index,
            position: Position::offset(record.offset),
            timestamp: record.timestamp,
            timestamp_type: record.timestamp_type,
            key: record.key,
            value: record.value,
            headers: record.headers,
            meta: Some(&self.meta),
        }
    }

    fn damaged(&self, error: &CodecError) -> Error {
        let Stream {
            topic, partition, ..
        } = self.stream;
        let (base, next) = (self.meta.base_offset, self.meta.next_offset());
        Error::new(
            ErrorKind::Broker,
            format!("read {topic}/{partition}: the batch at offset {base}: {error}"),
        )
        .hint(format!("-p {partition} --from {next} begins after it"))
    }
}
