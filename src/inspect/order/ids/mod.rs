//! Which event ids were there before, in bounded memory. Two ways: a window over the latest ids,
//! for a stream that cannot be read again; and suspicion, for a range that can. Suspicion keeps
//! hashes only, in a table while they fit and in a filter from then on; `prove` reads what is
//! suspected again, and compares whole ids.

mod prove;
mod table;

use super::producers::Sent;
use super::{LaneState, Limits, Spot};
use crate::broker::PartitionRange;
use crate::event::{EventRef, Position};
use crate::inspect::lanes::{Lane, Lanes};
use crate::inspect::window::{HashedSet, Keyed, Window, scoped};
pub use prove::{Proof, Suspicion};
pub(super) use prove::{Proven, Twice};
use table::{Filter, Put, Table};

/// What an id takes in the window, about.
const WINDOW_BYTES: usize = 120;

/// The first event of an id, as the window remembers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    pub(super) spot: Spot,
    pub(super) sent: Option<Sent>,
    /// Half of a hash with another secret: ids whose hashes are the same by chance are told apart by it.
    second: u32,
}

#[derive(Debug)]
pub(super) enum Ids {
    Window(Window<First>),
    Suspects(Box<Suspects>),
}

impl Ids {
    pub(super) fn new(limits: Limits) -> Self {
        if limits.prove {
            Self::Suspects(Box::new(Suspects::new(limits.ids)))
        } else {
            Self::Window(Window::new(limits.ids / WINDOW_BYTES))
        }
    }

    /// Looks where an id that comes soon will be looked up.
    #[inline]
    pub(super) fn look_ahead(&self, lane: &Lane, hash: u64) -> u64 {
        match self {
            Self::Suspects(suspects) => suspects.look_ahead(scoped(hash, lane.scope)),
            Self::Window(window) => {
                u64::from(window.get(scoped(hash, lane.topic_number)).is_some())
            }
        }
    }

    /// True when whole ids are looked at, and not only their hashes.
    pub(super) const fn reads_ids(&self) -> bool {
        matches!(self, Self::Window(_))
    }

    /// Takes the id of an event, with its hash; gives the first event with it, where it is known
    /// already.
    #[inline]
    pub(super) fn meet(
        &mut self,
        lanes: &Lanes,
        spot: Spot,
        (id, hash): (&[u8], u64),
        event: &EventRef<'_>,
    ) -> Option<First> {
        let lane = lanes.get(spot.lane);
        match self {
            Self::Suspects(suspects) => {
                suspects.meet(scoped(hash, lane.scope), spot);
                None
            }
            Self::Window(window) => {
                let second = lanes.second().of(id) as u32;
                let make = || First {
                    spot,
                    sent: Sent::of(event),
                    second,
                };
                // A copy in another topic is forwarded, not sent twice.
                let (first, there) = window.entry(scoped(hash, lane.topic_number), make);
                (there && first.second == second && first.spot != spot).then_some(*first)
            }
        }
    }

    /// Ids that were forgotten.
    pub(super) fn forgotten(&self) -> u64 {
        match self {
            Self::Window(window) => window.forgotten(),
            Self::Suspects(suspects) => suspects.filter.as_ref().map_or(0, |f| f.forgotten),
        }
    }

    pub(super) fn suspects_mut(&mut self) -> Option<&mut Suspects> {
        match self {
            Self::Window(_) => None,
            Self::Suspects(suspects) => Some(suspects),
        }
    }

    pub(super) fn suspects(&self) -> Option<&Suspects> {
        match self {
            Self::Window(_) => None,
            Self::Suspects(suspects) => Some(suspects),
        }
    }
}

/// Of the memory for ids, the table has a quarter, the filter a half, the suspects an eighth. What
/// is compared later takes the place of table and filter.
const TABLE: usize = 4;
const FILTER: usize = 2;
const SUSPECTS: usize = 8;
const PROOF: usize = 2;
/// What a suspect takes: its place in two sets of hashes.
const SUSPECT_BYTES: usize = 40;
/// A place that does not fit into 64 bits.
const SOMEWHERE: u64 = u64::MAX;

/// Ids that may be there twice.
#[derive(Debug)]
pub(super) struct Suspects {
    table: Table,
    /// From when the table was full.
    filter: Option<Filter>,
    bytes: usize,
    hashes: HashedSet,
    /// How many were given away to be compared.
    given: u64,
    /// Those that there was no room for.
    pub(super) dropped: u64,
    /// For each lane, the first and the last place of a suspect.
    hulls: Vec<Option<(u64, u64)>>,
    /// The first event of some suspect may be anywhere before it.
    anywhere: bool,
}

impl Suspects {
    fn new(bytes: usize) -> Self {
        Self {
            table: Table::new(bytes / TABLE),
            filter: None,
            bytes,
            hashes: HashedSet::default(),
            given: 0,
            dropped: 0,
            hulls: Vec::new(),
            anywhere: false,
        }
    }

    #[inline]
    fn look_ahead(&self, hash: u64) -> u64 {
        match &self.filter {
            Some(filter) => filter.look_ahead(hash),
            None => self.table.look_ahead(hash),
        }
    }

    #[inline]
    fn meet(&mut self, hash: u64, spot: Spot) {
        let hash = hash.max(1);
        if let Some(filter) = &mut self.filter {
            if filter.put(hash) {
                self.suspect(hash, SOMEWHERE, spot);
            }
            return;
        }
        match self.table.put(hash, packed(spot)) {
            Put::New => {}
            Put::There(place) => self.suspect(hash, place, spot),
            Put::Full => {
                let mut filter = Filter::new(self.bytes / FILTER);
                for known in self.table.drain() {
                    filter.put(known);
                }
                if filter.put(hash) {
                    self.suspect(hash, SOMEWHERE, spot);
                }
                self.filter = Some(filter);
            }
        }
    }

    #[cold]
    fn suspect(&mut self, hash: u64, first: u64, again: Spot) {
        let room = self.bytes / SUSPECTS / SUSPECT_BYTES;
        if self.hashes.len() >= room && !self.hashes.contains(&hash) {
            self.dropped += 1;
            return;
        }
        self.hashes.insert(hash);
        for place in [first, packed(again)] {
            if place == SOMEWHERE {
                self.anywhere = true;
                continue;
            }
            let (lane, offset) = ((place >> 48) as usize, place & OFFSETS);
            if self.hulls.len() <= lane {
                self.hulls.resize(lane + 1, None);
            }
            if let Some(hull) = self.hulls.get_mut(lane) {
                let (from, to) = hull.unwrap_or((offset, offset));
                *hull = Some((from.min(offset), to.max(offset)));
            }
        }
    }

    /// What has to be read again, and which ids are to be compared there; `None` when nothing is
    /// suspected. Ends the looking out: what was remembered is forgotten, to make room.
    pub(super) fn suspicion(
        &mut self,
        hash: &Keyed,
        names: &crate::inspect::Names,
        lanes: &Lanes,
        states: &[LaneState],
    ) -> Option<Suspicion> {
        if self.hashes.is_empty() {
            return None;
        }
        let ranges = lanes.iter().filter_map(|(number, lane)| {
            let state = states.get(number as usize)?;
            let (first, last) = (state.first?, state.last?);
            let (start, end) = if self.anywhere {
                (first, last.next(lane.style))
            } else {
                let (from, to) = (*self.hulls.get(number as usize)?)?;
                let start = Position::offset(from);
                let end = Position::offset(to.saturating_add(1));
                (start.max(first), end.min(last.next(lane.style)))
            };
            let range = PartitionRange {
                topic: lane.topic.clone(),
                partition: lane.partition,
                style: lane.style,
                start,
                end,
            };
            (!lane.dead_letters).then_some((lane.origin, range))
        });
        let ranges = ranges.collect();
        drop(self.table.drain());
        if let Some(filter) = &mut self.filter {
            filter.free();
        }
        let hashes = std::mem::take(&mut self.hashes);
        self.given = hashes.len() as u64;
        let most = self.bytes / PROOF / prove::TWICE_BYTES;
        let (names, hash) = (names.clone(), hash.clone());
        Some(Suspicion::new(names, hash, hashes, ranges, most))
    }

    /// How many ids are suspected.
    pub(super) fn len(&self) -> u64 {
        self.given + self.hashes.len() as u64 + self.dropped
    }
}

/// Bits of an offset in a packed place.
const OFFSETS: u64 = (1 << 48) - 1;

/// A place in 64 bits, as far as the first half of its position goes.
#[inline]
fn packed(spot: Spot) -> u64 {
    let (lane, offset) = (u64::from(spot.lane), spot.position.major);
    if lane < 0xffff && offset <= OFFSETS {
        lane << 48 | offset
    } else {
        SOMEWHERE
    }
}
