//! Finding the position in a partition at which a time begins, or an event of a given number.

use super::Recording;
use super::layout::{BATCH_LIMIT, nanos, split_position};
use super::spots::SpotWalk;
use super::store::{Spot, Store};
use super::tally::header;
use crate::broker::capture::range::Wanted;
use crate::event::codec::{Decoder, Record};
use crate::event::{Position, PositionStyle, Timestamp, TimestampType};

/// The position of the first event that is wanted. What is damaged is passed over here; reading
/// says so.
pub(super) fn locate(recording: &Recording, stream: usize, wanted: Wanted) -> Option<Position> {
    let mut look = Look {
        recording,
        store: Store::new(recording.index.file.clone()),
        decoder: Decoder::new(BATCH_LIMIT),
        style: recording.index.streams[stream].style,
        body: Vec::new(),
    };
    match wanted {
        Wanted::Time(time) => look.time(stream, time),
        Wanted::Nth(nth) => look.nth(stream, nth),
    }
}

struct Look<'i> {
    recording: &'i Recording,
    store: Store,
    decoder: Decoder,
    style: PositionStyle,
    body: Vec<u8>,
}

impl Look<'_> {
    fn time(&mut self, stream: usize, time: Timestamp) -> Option<Position> {
        let least = nanos(time);
        let mut walk = SpotWalk::new(&self.recording.index, stream);
        while let Some(place) = walk.next(&mut self.store, |chunk| chunk.end_time >= least) {
            let Ok((chunk, spot)) = place else { continue };
            if spot.log_time < least {
                continue;
            }
            let found = self.first(chunk, spot, |record, _| {
                record.timestamp_type != TimestampType::None && record.timestamp >= time
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn nth(&mut self, stream: usize, nth: u64) -> Option<Position> {
        let mut before = 0;
        let mut walk = SpotWalk::new(&self.recording.index, stream);
        while let Some(place) = walk.next(&mut self.store, |_| true) {
            let Ok((chunk, spot)) = place else { continue };
            let index = &self.recording.index;
            let Ok(header) = header(index, &mut self.store, chunk, spot, &mut self.body) else {
                continue;
            };
            if header.control {
                continue;
            }
            let after = before + u64::from(header.records);
            if nth < after {
                return self.first(chunk, spot, |_, number| before + number == nth);
            }
            before = after;
        }
        None
    }

    /// The position of the first record of a batch that is wanted, by itself or its number.
    fn first(
        &mut self,
        chunk: usize,
        spot: Spot,
        wanted: impl Fn(&Record<'_>, u64) -> bool,
    ) -> Option<Position> {
        let chunk = &self.recording.index.chunks[chunk];
        let read = self.store.message(chunk, spot, usize::MAX, &mut self.body);
        read.ok()?;
        let records = self.decoder.decode(&self.body).ok()?;
        if records.header().control {
            return None;
        }
        let mut numbered = (0..).zip(records);
        numbered.find_map(|(number, record)| {
            let record = record.ok()?;
            if !wanted(&record, number) {
                return None;
            }
            match self.style {
                PositionStyle::Offset => Some(Position::offset(record.offset)),
                PositionStyle::Entry => split_position(record.headers).map(|(_, p)| p),
            }
        })
    }
}
