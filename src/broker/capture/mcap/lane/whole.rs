//! Record batches that are handed on as they stand in the file, for who writes them somewhere else:
//! their checksum is checked, their records are not looked at.

use super::{Bench, Filled, Lane};
use crate::broker::capture::mcap::store::Spot;
use crate::broker::capture::range::Window;
use crate::event::codec::{BatchHeader, CodecError};
use crate::event::{BatchMeta, Position, PositionStyle, Scanned, Timestamp, Visibility};

impl Lane<'_> {
    /// The record batch at hand, if it is handed on as it is.
    pub(in crate::broker::capture::mcap) fn whole(&self) -> Option<(BatchMeta, &[u8])> {
        Some((self.whole?, &self.bytes))
    }

    /// Whether the batch can be handed on as it is: all of it is in the window, and what it says is
    /// all there is to say. Positions in headers and timestamps of a channel of their own are the
    /// recorder's way to write events, not a broker's.
    pub(super) fn is_whole(&self, bench: &Bench<'_>, body: &[u8], spot: Spot) -> bool {
        let offsets = self.style == PositionStyle::Offset;
        bench.raw
            && offsets
            && !bench.index.is_appended(spot.channel)
            && BatchHeader::parse(body).is_ok_and(|header| covers(self.window, &header))
    }

    /// Keeps the batch itself.
    pub(super) fn hold(
        &mut self,
        bench: &mut Bench<'_>,
        body: &mut Vec<u8>,
        spot: Spot,
        scanned: &mut Scanned,
    ) -> Filled {
        let (header, visibility) = match self.check(bench, body) {
            Ok(found) => found,
            Err(error) => return Filled::Damaged(self.damage(Some(spot), &error)),
        };
        body.truncate(header.size());
        let meta = self.noted(&header, visibility, spot);
        self.reached = Some(header.next_offset());
        self.passed = self.part_of_window(&header);
        scanned.events += meta.events();
        scanned.bytes += body.len() as u64;
        std::mem::swap(&mut self.bytes, body);
        self.whole = Some(meta);
        Filled::Events
    }

    /// Only a marker is decoded.
    fn check(
        &self,
        bench: &mut Bench<'_>,
        body: &[u8],
    ) -> Result<(BatchHeader, Visibility), CodecError> {
        let header = BatchHeader::check(body)?;
        let visibility = if header.control {
            self.visibility(&bench.decoder.decode(body)?)
        } else if self.fates.is_aborted(&header) {
            Visibility::Aborted
        } else {
            Visibility::Visible
        };
        Ok((header, visibility))
    }
}

fn covers(window: Window, header: &BatchHeader) -> bool {
    window.start <= Position::offset(header.base_offset)
        && Position::offset(header.next_offset()) <= window.end
}

/// Where in time a record batch stands among others.
pub(super) fn time(meta: &BatchMeta) -> Option<Timestamp> {
    // -1 is Kafka's "no timestamp".
    (meta.max_timestamp.0 != -1).then_some(meta.max_timestamp)
}
