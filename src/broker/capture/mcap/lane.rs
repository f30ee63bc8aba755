//! One partition of a capture while it is read: the events of one record batch at a time, those
//! that the range and the selection keep. How partitions are merged is not known here.

mod whole;

use std::collections::HashMap;
use std::io;

use super::Recording;
use super::index::Index;
use super::layout::{from_nanos, split_position};
use super::spots::SpotWalk;
use super::store::{Spot, Store};
use super::tally::{Fates, header};
use crate::broker::Result;
use crate::broker::capture::feed::Sieve;
use crate::broker::capture::range::Window;
use crate::event::codec::{BatchHeader, Decoder, Record, Records};
use crate::event::{
    Batch, BatchMeta, BatchPool, EventRef, Position, PositionStyle, Scanned, Streams, Timestamp,
    TimestampType, Visibility,
};

/// What all lanes of a reader share.
pub(super) struct Bench<'i> {
    pub(super) index: &'i Index,
    pub(super) store: Store,
    pub(super) decoder: Decoder,
    pub(super) sieve: Sieve,
    /// Record batches that lie in the range as a whole are handed on as they are.
    pub(super) raw: bool,
    pub(super) pool: BatchPool,
    pub(super) streams: Streams,
    /// The bytes of the record batch at hand; recycled.
    pub(super) body: Vec<u8>,
    /// For each chunk that was looked at, whether its checksum is right.
    pub(super) sound: HashMap<usize, bool>,
    /// Chunks that turned out damaged and are not told of yet.
    pub(super) unsound: Vec<String>,
}

impl Bench<'_> {
    /// Checks a chunk when it is first read from. What a record batch's own checksum leaves out
    /// (its offset above all) is in that of the chunk only.
    fn is_sound(&mut self, chunk: usize) -> bool {
        if let Some(sound) = self.sound.get(&chunk) {
            return *sound;
        }
        let place = &self.index.chunks[chunk];
        let sound = self.store.is_sound(place).unwrap_or(false);
        if !sound {
            let at = place.record.unwrap_or(place.data);
            self.unsound
                .push(format!("the checksum of the chunk at byte {at} is wrong"));
        }
        self.sound.insert(chunk, sound);
        sound
    }
}

/// One partition.
pub(super) struct Lane<'i> {
    walk: SpotWalk<'i>,
    /// Index of the stream.
    pub(super) stream: usize,
    name: String,
    style: PositionStyle,
    pub(super) window: Window,
    fates: &'i Fates,
    /// What the partition holds in all.
    span: Window,
    /// The kept events of the record batch at hand.
    events: Batch,
    next: usize,
    /// The record batch at hand, where it is handed on as it is; its bytes are in `bytes`.
    whole: Option<BatchMeta>,
    bytes: Vec<u8>,
    pub(super) meta: Option<BatchMeta>,
    /// How much of the window the record batch read last was: positions, or events where
    /// positions are no offsets.
    pub(super) passed: u64,
    /// The offset after the batch before.
    reached: Option<u64>,
    /// For events without a timestamp: they follow the event before.
    clock: Timestamp,
}

/// What became of one record batch.
pub(super) enum Filled {
    /// Its kept events are in the lane, or all of it.
    Events,
    /// It is behind us, with nothing kept: where it reached to.
    Nothing(Option<BatchMeta>),
    /// It cannot be read.
    Damaged(String),
    /// The lane is at its end.
    End,
}

impl<'i> Lane<'i> {
    pub(super) fn new(
        recording: &'i Recording,
        stream: usize,
        window: Window,
        streams: &Streams,
    ) -> Self {
        let index = &recording.index;
        let held = recording.held(stream);
        let of = &index.streams[stream];
        Self {
            walk: SpotWalk::new(index, stream),
            stream,
            name: format!("{}/{}", of.topic, of.partition),
            style: of.style,
            window,
            fates: &recording.tallies[stream].fates,
            span: Window {
                start: held.first,
                end: held.end,
            },
            events: Batch::new(streams.clone()),
            next: 0,
            whole: None,
            bytes: Vec::new(),
            meta: None,
            passed: 0,
            reached: None,
            clock: Timestamp(i64::MIN),
        }
    }

    /// The first event that was not taken yet, without its record batch.
    pub(super) fn head(&self) -> Option<EventRef<'_>> {
        (self.next < self.events.len()).then(|| self.events.get(self.next))
    }

    /// Nothing is at hand: neither an event nor a whole record batch.
    pub(super) fn is_spent(&self) -> bool {
        self.whole.is_none() && self.next >= self.events.len()
    }

    /// The place in the merge of what is at hand.
    pub(super) fn order(&mut self) -> (Timestamp, Position) {
        let (time, position) = match (&self.whole, self.head()) {
            (Some(meta), _) => (whole::time(meta), Position::offset(meta.base_offset)),
            (None, Some(event)) => (event.time(), event.position),
            (None, None) => (None, Position::ZERO),
        };
        if let Some(time) = time {
            self.clock = time;
        }
        (self.clock, position)
    }

    pub(super) const fn take(&mut self) {
        if self.whole.take().is_none() {
            self.next += 1;
        }
    }

    /// Reads the next record batch, and counts what it looks at.
    pub(super) fn fill(&mut self, bench: &mut Bench<'_>, scanned: &mut Scanned) -> Result<Filled> {
        // The buffers go back to the pool before others are taken.
        self.events = Batch::new(bench.streams.clone());
        self.next = 0;
        self.whole = None;
        self.meta = None;
        self.passed = 0;
        let (chunk, spot) = match self.walk.next(&mut bench.store, |_| true) {
            None => return Ok(Filled::End),
            Some(Err(error)) => return Ok(Filled::Damaged(self.damage(None, &error))),
            Some(Ok(place)) => place,
        };
        match self.is_outside(bench, chunk, spot) {
            Ok(true) => return Ok(Filled::Nothing(None)),
            Ok(false) => {}
            Err(error) => return Ok(Filled::Damaged(self.damage(Some(spot), &error))),
        }
        let sound = bench.is_sound(chunk);
        let mut body = std::mem::take(&mut bench.body);
        let place = &bench.index.chunks[chunk];
        let read = bench.store.message(place, spot, usize::MAX, &mut body);
        let filled = match read {
            Ok(sequence) if !sound && !self.is_likely(&body, sequence) => Ok(Filled::Damaged(
                self.damage(Some(spot), &"its offset cannot be trusted"),
            )),
            Ok(_) if self.is_whole(bench, &body, spot) => {
                Ok(self.hold(bench, &mut body, spot, scanned))
            }
            Ok(_) => self.decode(bench, &body, spot, scanned),
            Err(error) => Ok(Filled::Damaged(self.damage(Some(spot), &error))),
        };
        bench.body = body;
        filled
    }

    /// In a damaged chunk: whether the offset of a batch, which its checksum leaves out, agrees
    /// with the message's sequence, is within what the recorder noted of the partition, and is near
    /// that of the batch before.
    fn is_likely(&self, body: &[u8], sequence: u32) -> bool {
        let Ok(header) = BatchHeader::parse(body) else {
            return false;
        };
        let near = self
            .reached
            .is_none_or(|before| u32::try_from(header.base_offset.abs_diff(before)).is_ok());
        let base = Position::offset(header.base_offset);
        let noted = self.style == PositionStyle::Entry || self.span.holds(base);
        near && noted && header.base_offset as u32 == sequence
    }

    /// By the batch header alone, so that a range deep in the file does not read all before it.
    fn is_outside(&self, bench: &mut Bench<'_>, chunk: usize, spot: Spot) -> io::Result<bool> {
        if self.style == PositionStyle::Entry || self.window == Window::ALL {
            return Ok(false);
        }
        let mut body = std::mem::take(&mut bench.body);
        let header = header(bench.index, &mut bench.store, chunk, spot, &mut body);
        bench.body = body;
        let header = header?;
        Ok(Position::offset(header.next_offset()) <= self.window.start
            || Position::offset(header.base_offset) >= self.window.end)
    }

    fn decode(
        &mut self,
        bench: &mut Bench<'_>,
        body: &[u8],
        spot: Spot,
        scanned: &mut Scanned,
    ) -> Result<Filled> {
        let mut decoder = std::mem::replace(&mut bench.decoder, Decoder::new(0));
        let filled = match decoder.decode(body) {
            Ok(records) => self.sift(bench, records, spot, scanned),
            Err(error) => Ok(Filled::Damaged(self.damage(Some(spot), &error))),
        };
        bench.decoder = decoder;
        filled
    }

    fn sift(
        &mut self,
        bench: &mut Bench<'_>,
        records: Records<'_>,
        spot: Spot,
        scanned: &mut Scanned,
    ) -> Result<Filled> {
        let header = *records.header();
        self.reached = Some(header.next_offset());
        self.passed = self.part_of_window(&header);
        let meta = self.noted(&header, self.visibility(&records), spot);
        let appended = bench.index.is_appended(spot.channel);
        // The running numbers of other positions are no offsets of the source, and a batch of times
        // that differ is the recorder's own: none of a source says them.
        let of_source = self.style == PositionStyle::Offset && !appended;
        let meta = of_source.then_some(meta);
        if header.control {
            return Ok(Filled::Nothing(meta));
        }
        if let Some(broken) = self.keep(bench, records, appended, scanned)? {
            return Ok(self.broken(&header, spot, &broken));
        }
        if self.events.is_empty() {
            return Ok(Filled::Nothing(meta));
        }
        self.meta = meta;
        Ok(Filled::Events)
    }

    /// What is known of the record batch.
    fn noted(&self, header: &BatchHeader, visibility: Visibility, spot: Spot) -> BatchMeta {
        let mut meta = header.meta(self.stream as u32, visibility);
        if header.records == 0 {
            // The batch has no time of its own any more; its message has it.
            meta.max_timestamp = from_nanos(spot.log_time);
        }
        meta
    }

    /// Takes the events that are kept out of a record batch, and counts all of the window. Only
    /// those are tested that stand where the search through the whole batch has a hit. Returns what
    /// is wrong with a record.
    fn keep(
        &mut self,
        bench: &mut Bench<'_>,
        mut records: Records<'_>,
        appended: bool,
        scanned: &mut Scanned,
    ) -> Result<Option<String>> {
        let streams = bench.streams.clone();
        self.events = bench.pool.batch(streams.clone());
        let body = records.body();
        bench.sieve.begin();
        let mut hit = bench.sieve.seek(body, 0);
        while let Some(record) = records.next() {
            let record = match record {
                Ok(record) => record,
                Err(error) => return Ok(Some(error.to_string())),
            };
            let Some(event) = self.event(&streams, &record, appended) else {
                return Ok(Some("an event without its position".to_owned()));
            };
            let is_hit = hit.is_some_and(|hit| hit < records.at());
            if is_hit {
                hit = bench.sieve.seek(body, records.at());
            }
            if !self.window.holds(event.position) {
                continue;
            }
            if !is_hit {
                scanned.events += 1;
                scanned.bytes += event.size() as u64;
            } else if let Some(kept) = bench.sieve.kept(&event, scanned)? {
                self.events.push(&kept).map_err(super::too_large)?;
            }
        }
        Ok(None)
    }

    fn part_of_window(&self, header: &BatchHeader) -> u64 {
        if self.style == PositionStyle::Entry {
            return u64::from(header.records);
        }
        let end = Position::offset(header.next_offset()).min(self.window.end);
        let start = Position::offset(header.base_offset).max(self.window.start);
        end.major.saturating_sub(start.major)
    }

    fn visibility(&self, records: &Records<'_>) -> Visibility {
        match records.marker() {
            Some(marker) => Visibility::Control(marker),
            None if self.fates.is_aborted(records.header()) => Visibility::Aborted,
            None => Visibility::Visible,
        }
    }

    fn event<'a>(
        &self,
        streams: &'a Streams,
        record: &Record<'a>,
        appended: bool,
    ) -> Option<EventRef<'a>> {
        let (headers, position) = match self.style {
            PositionStyle::Offset => (record.headers, Position::offset(record.offset)),
            PositionStyle::Entry => split_position(record.headers)?,
        };
        let timestamp_type = match record.timestamp_type {
            TimestampType::Create if appended => TimestampType::Append,
            other => other,
        };
        Some(EventRef {
            stream: &streams[self.stream],
            stream_index: self.stream as u32,
            position,
            timestamp: record.timestamp,
            timestamp_type,
            key: record.key,
            value: record.value,
            headers,
            meta: None,
        })
    }

    /// The checksum was right, and yet a record is wrong: nothing of the batch is handed on.
    fn broken(&mut self, header: &BatchHeader, spot: Spot, error: &str) -> Filled {
        self.events.truncate(0);
        let offset = header.base_offset;
        Filled::Damaged(format!(
            "{} (offset {offset})",
            self.damage(Some(spot), &error)
        ))
    }

    fn damage(&self, spot: Option<Spot>, error: &dyn std::fmt::Display) -> String {
        let what = if spot.is_some() {
            "a record batch"
        } else {
            "a chunk"
        };
        format!("{what} of {} cannot be read: {error}", self.name)
    }
}
