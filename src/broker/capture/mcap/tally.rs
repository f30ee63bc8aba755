//! What each partition of a capture sums up to. The recorder notes it in a metadata record; where
//! that is missing or does not fit the messages, the batch headers are counted.

use std::collections::{BTreeMap, HashMap};
use std::io;

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::layout::{STREAMS, split_position};
use super::spots::SpotWalk;
use super::store::{Spot, Store};
use crate::broker::capture::range::Held;
use crate::event::codec::{BatchHeader, Decoder};
use crate::event::{Marker, Position, PositionStyle, Stream, Timestamp};

/// The sum of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Record batches; says whether the sum fits the file.
    pub(super) batches: u64,
    pub(super) events: u64,
    /// Where the range begins and ends, as the broker writes positions. Absent without batches.
    pub(super) first: Option<String>,
    pub(super) end: Option<String>,
    pub(super) last_time: Option<i64>,
    pub(super) fates: Fates,
}

/// Which batches belong to transactions that were aborted, as brokers keep it: producer, first
/// offset, last offset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Fates {
    aborted: Vec<(i64, u64, u64)>,
}

impl Fates {
    pub(super) fn abort(&mut self, producer: i64, first: u64, last: u64) {
        match self.aborted.last_mut() {
            Some((p, _, end)) if *p == producer && end.saturating_add(1) == first => *end = last,
            _ => self.aborted.push((producer, first, last)),
        }
    }

    pub(super) fn is_aborted(&self, header: &BatchHeader) -> bool {
        header.transactional
            && self.aborted.iter().any(|&(producer, first, last)| {
                producer == header.producer_id
                    && first <= header.base_offset
                    && header.base_offset <= last
            })
    }
}

impl Tally {
    /// Adds a batch. `positions` are those of the first event and the one after the last, when
    /// they are not the batch's offsets.
    pub(super) fn add(
        &mut self,
        style: PositionStyle,
        header: &BatchHeader,
        positions: Option<(Position, Position)>,
    ) {
        self.batches += 1;
        let span = match style {
            PositionStyle::Offset => Some((
                Position::offset(header.base_offset),
                Position::offset(header.next_offset()),
            )),
            PositionStyle::Entry => positions,
        };
        if let Some((first, end)) = span {
            self.cover(style, first, end);
        }
        if header.control {
            return;
        }
        self.events += u64::from(header.records);
        let time = header.max_timestamp.0;
        // -1 is Kafka's "no timestamp".
        if header.records > 0 && time != -1 {
            self.last_time = Some(self.last_time.map_or(time, |last| last.max(time)));
        }
    }

    /// Adds the sum of another part of the same partition.
    pub(super) fn merge(&mut self, other: &Self, style: PositionStyle) {
        self.batches += other.batches;
        self.events += other.events;
        if let (Some(first), Some(end)) = other.span(style) {
            self.cover(style, first, end);
        }
        self.last_time = self.last_time.max(other.last_time);
        self.fates.aborted.extend(&other.fates.aborted);
    }

    fn cover(&mut self, style: PositionStyle, first: Position, end: Position) {
        let (old_first, old_end) = self.span(style);
        if old_first.is_none_or(|old| first < old) {
            self.first = Some(first.display(style).to_string());
        }
        if old_end.is_none_or(|old| end > old) {
            self.end = Some(end.display(style).to_string());
        }
    }

    fn span(&self, style: PositionStyle) -> (Option<Position>, Option<Position>) {
        let parse = |text: &Option<String>| Position::parse(text.as_deref()?, style);
        (parse(&self.first), parse(&self.end))
    }

    pub(super) fn held(&self, stream: &Stream) -> Held {
        let (first, end) = self.span(stream.style);
        Held {
            stream: stream.clone(),
            first: first.unwrap_or_default(),
            end: end.unwrap_or_default(),
            events: self.events,
            last_time: self.last_time.map(Timestamp),
        }
    }
}

/// What the metadata record holds.
pub(super) fn to_metadata(tallies: &[(&Stream, Tally)]) -> BTreeMap<String, String> {
    let rows = tallies.iter().filter_map(|(stream, tally)| {
        // Numbers and short texts: this does not fail.
        Some((row_name(stream), serde_json::to_string(tally).ok()?))
    });
    rows.collect()
}

/// The name of a partition in the metadata record.
fn row_name(stream: &Stream) -> String {
    let style = match stream.style {
        PositionStyle::Offset => "",
        PositionStyle::Entry => " entry",
    };
    format!("{}/{}{style}", stream.topic, stream.partition)
}

/// The sums of all streams of the index, in their order.
pub(super) fn tally(index: &Index, store: &mut Store) -> Vec<Tally> {
    noted(index).unwrap_or_else(|| counted(index, store))
}

/// As the recorder noted them, when they fit the number of messages.
fn noted(index: &Index) -> Option<Vec<Tally>> {
    let counts = index.counts.as_ref()?;
    let about = index.about(STREAMS)?;
    let mut tallies = Vec::with_capacity(index.streams.len());
    for (i, stream) in index.streams.iter().enumerate() {
        let messages: u64 = index
            .channels
            .iter()
            .filter(|(_, lane)| lane.stream == i)
            .map(|(id, _)| counts.get(id).copied().unwrap_or(0))
            .sum();
        let tally = match about.get(&row_name(stream)) {
            Some(row) => serde_json::from_str(row).ok()?,
            None => Tally::default(),
        };
        if tally.batches != messages {
            return None;
        }
        tallies.push(tally);
    }
    Some(tallies)
}

/// From the batch headers. What cannot be read is left out here; reading says so.
fn counted(index: &Index, store: &mut Store) -> Vec<Tally> {
    let streams = index.streams.iter().enumerate();
    streams
        .map(|(i, stream)| count(index, store, i, stream.style))
        .collect()
}

fn count(index: &Index, store: &mut Store, stream: usize, style: PositionStyle) -> Tally {
    let mut tally = Tally::default();
    let mut open: HashMap<i64, u64> = HashMap::new();
    let mut walk = SpotWalk::new(index, stream);
    let mut last_with_events = None;
    let mut body = Vec::new();
    while let Some(next) = walk.next(store, |_| true) {
        let Ok((chunk, spot)) = next else { continue };
        let Ok(header) = header(index, store, chunk, spot, &mut body) else {
            continue;
        };
        let mut span = None;
        if style == PositionStyle::Entry && header.records > 0 {
            if tally.first.is_none() {
                span = positions(index, store, chunk, spot);
            }
            last_with_events = Some((chunk, spot));
        }
        follow(&header, &mut open, &mut tally.fates, || {
            marker(index, store, chunk, spot)
        });
        tally.add(style, &header, span);
    }
    if let Some((first, end)) = last_with_events.and_then(|(c, s)| positions(index, store, c, s)) {
        tally.cover(style, first, end);
    }
    tally
}

/// Follows the transactions of a partition to their ends.
fn follow(
    header: &BatchHeader,
    open: &mut HashMap<i64, u64>,
    fates: &mut Fates,
    marker: impl FnOnce() -> Option<Marker>,
) {
    let producer = header.producer_id;
    if header.control {
        let first = open.remove(&producer);
        if let (Some(first), Some(Marker::Abort)) = (first, marker()) {
            fates.abort(producer, first, header.base_offset);
        }
    } else if header.transactional {
        open.entry(producer).or_insert(header.base_offset);
    }
}

/// The header of the batch at that spot.
pub(super) fn header(
    index: &Index,
    store: &mut Store,
    chunk: usize,
    spot: Spot,
    body: &mut Vec<u8>,
) -> io::Result<BatchHeader> {
    store.message(&index.chunks[chunk], spot, BatchHeader::LEN, body)?;
    BatchHeader::parse(body).map_err(|e| super::store::invalid(e.to_string()))
}

fn whole(index: &Index, store: &mut Store, chunk: usize, spot: Spot) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    store
        .message(&index.chunks[chunk], spot, usize::MAX, &mut body)
        .ok()?;
    Some(body)
}

fn marker(index: &Index, store: &mut Store, chunk: usize, spot: Spot) -> Option<Marker> {
    let body = whole(index, store, chunk, spot)?;
    Decoder::new(1 << 20).decode(&body).ok()?.marker()
}

/// The positions of the first event of a batch, and after its last one, from its headers.
fn positions(
    index: &Index,
    store: &mut Store,
    chunk: usize,
    spot: Spot,
) -> Option<(Position, Position)> {
    let body = whole(index, store, chunk, spot)?;
    let mut decoder = Decoder::new(super::layout::BATCH_LIMIT);
    let mut span = None;
    for record in decoder.decode(&body).ok()? {
        let (_, position) = split_position(record.ok()?.headers)?;
        let (first, _) = span.unwrap_or((position, position));
        span = Some((first, position.next(PositionStyle::Entry)));
    }
    span
}
