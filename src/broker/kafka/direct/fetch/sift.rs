//! From record batches to the events that are wanted: decompressing, finding, copying. Runs on a
//! worker's thread; whatever is told of a batch beyond its records came with it.

use std::ops::Range;
use std::sync::Arc;

use super::chunk::Chunk;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::codec::{self, BatchHeader, CodecError, Decoder, Record, Records};
use crate::event::{
    ArenaFull, Batch, BatchMeta, BatchPool, EventRef, Position, Scanned, Select, SelectWorker,
    Stream, Streams, Visibility,
};

/// Bytes of one batch when decompressed; what it claims of itself is not believed.
const INFLATED: usize = 256 << 20;

/// One worker's part of the selection.
pub(super) struct Sieve {
    /// `None` keeps everything.
    worker: Option<Box<dyn SelectWorker>>,
    /// Whole record batches are handed on as they came.
    raw: bool,
    decoder: Decoder,
    pool: BatchPool,
    /// An aborted batch without its records; recycled.
    emptied: Vec<u8>,
}

/// Takes the batches that are done; false when nobody wants more.
pub(super) type Give<'g> = &'g mut dyn FnMut(Batch) -> bool;

impl Sieve {
    pub(super) fn new(select: &dyn Select, raw: bool, pool: BatchPool) -> Self {
        Self {
            worker: (!select.keeps_all()).then(|| select.worker()),
            raw: raw && select.keeps_all(),
            decoder: Decoder::new(INFLATED),
            pool,
            emptied: Vec::new(),
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
        let wanted = chunk.from..chunk.until;
        for piece in &chunk.batches {
            let part = Part {
                stream: &streams[chunk.stream as usize],
                index: chunk.stream,
                meta: piece.header.meta(chunk.stream, piece.visibility),
            };
            let bytes = &chunk.bytes[piece.at..piece.at + piece.len];
            let header = &piece.header;
            let whole = wanted.start <= header.base_offset && header.next_offset() <= wanted.end;
            if self.raw && whole {
                part.copy(header, bytes, &mut self.emptied, &mut out)?;
            } else {
                out.only_events();
                out.batch.push_meta(part.meta);
                if piece.visibility == Visibility::Visible {
                    let records = self.decoder.records(header, bytes);
                    let records = records.map_err(|e| part.damaged(&e))?;
                    part.sift(records, &wanted, self.worker.as_deref_mut(), &mut out)?;
                }
            }
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

    /// A batch holds events or record batches, never both.
    fn only_events(&mut self) {
        if self.batch.is_raw() {
            self.turn();
        }
    }

    fn only_raws(&mut self) {
        if !self.batch.is_raw() && !self.batch.metas().is_empty() {
            self.turn();
        }
    }

    fn end(mut self) {
        if !self.batch.metas().is_empty() || self.batch.scanned != Scanned::default() {
            self.turn();
        }
    }
}

/// The record batch that is sifted.
struct Part<'a> {
    stream: &'a Stream,
    index: u32,
    meta: BatchMeta,
}

impl Part<'_> {
    /// Hands on the events in `wanted` that the worker keeps. Only records with a hit are tested.
    fn sift(
        &self,
        mut records: Records<'_>,
        wanted: &Range<u64>,
        mut worker: Option<&mut (dyn SelectWorker + 'static)>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let body = records.body();
        let mut hit = worker.as_mut().and_then(|worker| {
            worker.begin();
            worker.seek(body, 0)
        });
        loop {
            if worker.is_some() {
                // Proven not to match: they are counted, and not looked at.
                while let Some(passed) = records.pass(hit) {
                    let (offset, size) = passed.map_err(|e| self.damaged(&e))?;
                    if wanted.contains(&offset) {
                        out.batch.scanned.events += 1;
                        out.batch.scanned.bytes += size as u64;
                    }
                }
            }
            let Some(record) = records.next() else { break };
            let record = record.map_err(|e| self.damaged(&e))?;
            hit = worker.as_mut().and_then(|w| w.seek(body, records.at()));
            if !wanted.contains(&record.offset) {
                continue;
            }
            let event = self.event(&record);
            out.batch.scanned.events += 1;
            out.batch.scanned.bytes += event.size() as u64;
            let kept = match &mut worker {
                None => Some(event),
                Some(worker) => worker.kept(&event, &mut out.batch.scanned)?,
            };
            if let Some(kept) = kept {
                out.push(&kept, &self.meta).map_err(too_large)?;
            }
            if !out.wanted {
                break;
            }
        }
        Ok(())
    }

    /// Hands on the record batch itself. Of an aborted one its records are left out, as the
    /// broker's cleaner does it.
    fn copy(
        &self,
        header: &BatchHeader,
        bytes: &[u8],
        emptied: &mut Vec<u8>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        out.only_raws();
        let mut meta = self.meta;
        let mut bytes = bytes;
        if meta.visibility == Visibility::Aborted {
            emptied.clear();
            let header = codec::emptied(bytes, emptied).map_err(|e| self.damaged(&e))?;
            meta = header.meta(self.index, meta.visibility);
            bytes = emptied;
        }
        out.batch.scanned.events += meta.events();
        out.batch.scanned.bytes += (header.size() - BatchHeader::LEN) as u64;
        out.batch.push_raw(meta, bytes).map_err(too_large)?;
        if out.batch.is_full() {
            out.turn();
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

fn too_large(full: ArenaFull) -> Error {
    Error::new(ErrorKind::Broker, format!("take over an event: {full}"))
}
