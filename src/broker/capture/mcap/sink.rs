//! Recording: events of any partitions in, record batches out, into one capture.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::group::{Done, Group};
use super::layout::Channel;
use super::tally::Tally;
use super::writer::Recorder;
use crate::broker::capture::marks;
use crate::broker::{
    BoxFuture, Error, ErrorKind, Mark, Origin, Result, SagaText, Sink, Target, Written,
};
use crate::broker::{Group as Commits, TopicSettings};
use crate::event::codec::BatchHeader;
use crate::event::{ANY_PARTITION, Batch, BatchMeta, EventRef, Stream, Streams, Visibility};

/// Bytes that may wait in open batches; beyond it all are written.
const WAITING: usize = 16 * 1024 * 1024;
/// How often it is looked for batches that are old.
const LOOK: Duration = Duration::from_millis(250);

/// A running recording. Ends its file when it is dropped; `finish` also tells whether it could.
pub(super) struct McapSink {
    recorder: Recorder,
    parts: Vec<Part>,
    /// Two sources can have partitions of the same name. They share a channel, and no batch.
    by_stream: HashMap<(u16, Stream), usize>,
    /// For each stream of `table`, its part; of the batch that came last.
    route: Vec<usize>,
    table: Option<(Streams, Arc<[u16]>)>,
    written: Written,
    looked: Instant,
    finished: bool,
}

/// One partition.
struct Part {
    stream: Stream,
    group: Group,
    tally: Tally,
}

impl McapSink {
    pub(super) fn create(path: &Path, target: &Target) -> Result<Self> {
        let recorder = Recorder::create(path, target.overwrite)?;
        marks::forget(path)?;
        Ok(Self {
            recorder,
            parts: Vec::new(),
            by_stream: HashMap::new(),
            route: Vec::new(),
            table: None,
            written: Written::default(),
            looked: Instant::now(),
            finished: false,
        })
    }

    /// Takes over a table of streams.
    fn follow(&mut self, batch: &Batch) {
        let (streams, origins) = (batch.streams(), batch.origins());
        let known = self
            .table
            .as_ref()
            .is_some_and(|(table, of)| Arc::ptr_eq(table, streams) && Arc::ptr_eq(of, origins));
        if known {
            return;
        }
        self.route.clear();
        for (index, stream) in streams.iter().enumerate() {
            let mut stream = stream.clone();
            // A recording of what has no partition yet has one.
            if stream.partition == ANY_PARTITION {
                stream.partition = 0;
            }
            let next = self.parts.len();
            let key = (batch.origin(index as u32), stream.clone());
            let part = *self.by_stream.entry(key).or_insert(next);
            if part == next {
                self.parts.push(Part {
                    group: Group::new(stream.style),
                    stream,
                    tally: Tally::default(),
                });
            }
            self.route.push(part);
        }
        self.table = Some((streams.clone(), origins.clone()));
    }

    fn take(&mut self, batch: &Batch) -> Result<()> {
        self.follow(batch);
        if batch.is_raw() {
            for (meta, bytes) in batch.raws() {
                self.whole(meta, bytes)?;
            }
        } else {
            self.take_events(batch)?;
        }
        if self.waiting() > WAITING {
            self.each(|group, write| group.cut(write))?;
        } else if self.looked.elapsed() >= LOOK {
            let now = Instant::now();
            self.looked = now;
            self.each(|group, write| {
                if group.is_old(now) {
                    group.cut(write)
                } else {
                    Ok(())
                }
            })?;
        }
        Ok(())
    }

    fn take_events(&mut self, batch: &Batch) -> Result<()> {
        let metas = batch.metas();
        let mut told = 0;
        for event in batch.iter() {
            if let Some(meta) = event.meta {
                told = self.tell(metas, told, meta)?;
            }
            self.push(&event)?;
        }
        for meta in &metas[told..] {
            self.source_batch(meta)?;
        }
        Ok(())
    }

    /// Writes a record batch of the source as it came.
    fn whole(&mut self, meta: &BatchMeta, bytes: &[u8]) -> Result<()> {
        let Part {
            stream,
            group,
            tally,
        } = &mut self.parts[self.route[meta.stream as usize]];
        let recorder = &mut self.recorder;
        group.whole(meta, bytes, &mut |done| {
            record(recorder, stream, tally, &done)
        })?;
        self.written.events += meta.events();
        self.written.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Tells of the source batches up to that of the event at hand; those before `told` are known.
    fn tell(&mut self, metas: &[BatchMeta], told: usize, meta: &BatchMeta) -> Result<usize> {
        let Some(end) = number(metas, meta).map(|number| number + 1) else {
            return Ok(told);
        };
        for meta in metas.get(told..end).unwrap_or_default() {
            self.source_batch(meta)?;
        }
        Ok(told.max(end))
    }

    fn source_batch(&mut self, meta: &BatchMeta) -> Result<()> {
        let Some(&part) = self.route.get(meta.stream as usize) else {
            return Ok(());
        };
        let Part {
            stream,
            group,
            tally,
        } = &mut self.parts[part];
        let recorder = &mut self.recorder;
        group.source_batch(meta, &mut |done| record(recorder, stream, tally, &done))
    }

    fn push(&mut self, event: &EventRef<'_>) -> Result<()> {
        let part = self.route[event.stream_index as usize];
        let Part {
            stream,
            group,
            tally,
        } = &mut self.parts[part];
        let recorder = &mut self.recorder;
        group.push(event, &mut |done| record(recorder, stream, tally, &done))?;
        self.written.events += 1;
        self.written.bytes += event.size() as u64;
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.parts.iter().map(|part| part.group.waiting()).sum()
    }

    fn each(
        &mut self,
        mut work: impl FnMut(&mut Group, super::group::Write<'_>) -> Result<()>,
    ) -> Result<()> {
        for part in &mut self.parts {
            let Part {
                stream,
                group,
                tally,
            } = part;
            let recorder = &mut self.recorder;
            work(group, &mut |done| record(recorder, stream, tally, &done))?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if self.finished {
            return Ok(());
        }
        self.finished = true;
        // The index is written even when the last batches were refused: what is there counts.
        let ended = self.each(|group, write| group.end(write));
        let mut rows: Vec<(&Stream, Tally)> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match rows.iter_mut().find(|(stream, _)| **stream == part.stream) {
                Some((stream, sum)) => sum.merge(&part.tally, stream.style),
                None => rows.push((&part.stream, part.tally.clone())),
            }
        }
        let indexed = self.recorder.finish(&rows);
        ended.and(indexed)
    }
}

/// Which of `metas` this one is, by where it stands: events point into that slice.
fn number(metas: &[BatchMeta], meta: &BatchMeta) -> Option<usize> {
    let start = metas.as_ptr().addr();
    let ahead = std::ptr::from_ref(meta).addr().checked_sub(start)?;
    let number = ahead / size_of::<BatchMeta>();
    (number < metas.len()).then_some(number)
}

/// Writes a record batch and counts it.
fn record(
    recorder: &mut Recorder,
    stream: &Stream,
    tally: &mut Tally,
    done: &Done<'_>,
) -> Result<()> {
    let header = BatchHeader::parse(done.bytes)
        .map_err(|error| Error::new(ErrorKind::File, error.to_string()))?;
    let time = match done.meta {
        Some(meta) if header.records == 0 => meta.max_timestamp,
        _ => header.max_timestamp,
    };
    let channel = recorder.channel(Channel::of(stream, done.appended))?;
    recorder.batch(channel, &header, time, done.bytes)?;
    tally.add(stream.style, &header, done.positions);
    if let Some(meta) = done.meta
        && meta.visibility == Visibility::Aborted
    {
        let last = header.next_offset().saturating_sub(1);
        tally
            .fates
            .abort(meta.producer_id, header.base_offset, last);
    }
    Ok(())
}

impl Sink for McapSink {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { self.take(batch) })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        Box::pin(async {
            self.each(|group, write| group.cut(write))?;
            self.recorder.sync()?;
            Ok(self.written)
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.close() })
    }

    fn describe(&mut self, origin: &Origin) -> Result<()> {
        self.recorder.describe(origin)
    }

    fn groups(&mut self, groups: &[Commits]) -> Result<bool> {
        self.recorder.attach_groups(groups)?;
        Ok(true)
    }

    fn topic_settings(&mut self, topics: &[TopicSettings]) -> Result<bool> {
        self.recorder.attach_topics(topics)?;
        Ok(true)
    }

    fn saga(&mut self, model: &SagaText) -> Result<bool> {
        self.recorder.attach_saga(model)?;
        Ok(true)
    }

    fn mark(&mut self, marks: &[Mark]) -> Result<bool> {
        self.recorder.attach_marks(marks)?;
        Ok(true)
    }
}

impl Drop for McapSink {
    fn drop(&mut self) {
        // Who wants to know whether this works calls `finish`.
        drop(self.close());
    }
}
