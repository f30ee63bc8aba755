//! The events of the parts that differ, matched: by what they are known by, and where several are
//! known by the same, by what they say and then by their place among these.

use std::collections::BTreeMap;

use super::align::{Pair, align, longest_run};
use super::look::Seen;
use super::sketch::SLOTS;
use crate::event::Position;

/// Differences that are listed of each kind; all are counted.
const LISTED: u64 = 1_000;
/// Bytes that matching takes for each event, at most.
pub const COST: u64 = 128;

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    OnlyLeft,
    OnlyRight,
    Changed,
    /// The same on both sides, at another place among the events of its key.
    Reordered,
}

impl What {
    pub const ALL: [Self; 4] = [
        Self::OnlyLeft,
        Self::OnlyRight,
        Self::Changed,
        Self::Reordered,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::OnlyLeft => "only_left",
            Self::OnlyRight => "only_right",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
        }
    }
}

/// Where an event stands on its side: the number of its partition, see [`super::Lanes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    pub lane: u32,
    pub position: Position,
}

/// One difference: what stands on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    pub what: What,
    pub left: Option<Spot>,
    pub right: Option<Spot>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    pub counts: BTreeMap<What, u64>,
    /// The first of each kind.
    pub listed: Vec<Difference>,
}

impl Differences {
    pub fn count(&self, what: What) -> u64 {
        self.counts.get(&what).copied().unwrap_or_default()
    }

    /// In the order in which people look for them.
    pub fn sort(&mut self) {
        self.listed
            .sort_by_key(|one| (one.left.or(one.right), one.what));
    }

    fn note(&mut self, what: What, left: Option<Spot>, right: Option<Spot>) {
        let count = self.counts.entry(what).or_default();
        *count += 1;
        if *count <= LISTED {
            self.listed.push(Difference { what, left, right });
        }
    }
}

/// An event of a part that is looked at.
#[derive(Debug, Clone, Copy)]
struct Known {
    identity: u64,
    content: u64,
    key: u64,
    spot: Spot,
}

/// The same event on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    key: u64,
    lanes: (u32, u32),
    positions: (Position, Position),
}

/// Matches the events of some parts.
#[derive(Debug)]
pub struct Matching {
    /// Which parts; others are passed over.
    slots: Vec<bool>,
    sides: [Vec<Known>; 2],
}

impl Matching {
    pub fn new(slots: &[u16]) -> Self {
        let mut chosen = vec![false; SLOTS];
        for slot in slots {
            if let Some(chosen) = chosen.get_mut(usize::from(*slot)) {
                *chosen = true;
            }
        }
        Self {
            slots: chosen,
            sides: [Vec::new(), Vec::new()],
        }
    }

    /// Takes an event if it is of a part that is looked at.
    #[inline]
    pub fn event(&mut self, side: Side, seen: &Seen, spot: Spot) {
        if self.slots.get(usize::from(seen.slot)) == Some(&true)
            && let Some(known) = self.sides.get_mut(side as usize)
        {
            known.push(Known {
                identity: seen.identity,
                content: seen.content,
                key: seen.key,
                spot,
            });
        }
    }

    /// Adds what differs. `ordered`: the order within a key counts.
    pub fn compare(mut self, ordered: bool, into: &mut Differences) {
        for side in &mut self.sides {
            side.sort_unstable_by_key(|known| (known.identity, known.spot));
        }
        let [left, right] = &self.sides;
        let mut alike: Vec<Alike> = Vec::new();
        let (mut left, mut right) = (&left[..], &right[..]);
        while let Some(first) = left
            .first()
            .into_iter()
            .chain(right.first())
            .map(|k| k.identity)
            .min()
        {
            let ours = left.partition_point(|known| known.identity <= first);
            let theirs = right.partition_point(|known| known.identity <= first);
            let (one, other) = (&left[..ours], &right[..theirs]);
            group(one, other, ordered, &mut alike, into);
            (left, right) = (&left[ours..], &right[theirs..]);
        }
        moved(alike, into);
    }
}

/// The events that are known by the same, in the order of their partitions.
fn group(
    left: &[Known],
    right: &[Known],
    ordered: bool,
    alike: &mut Vec<Alike>,
    into: &mut Differences,
) {
    let contents = |side: &[Known]| side.iter().map(|known| known.content).collect::<Vec<_>>();
    align(&contents(left), &contents(right), |pair| match pair {
        Pair::Left(a) => into.note(What::OnlyLeft, Some(left[a].spot), None),
        Pair::Right(b) => into.note(What::OnlyRight, None, Some(right[b].spot)),
        Pair::Changed(a, b) => {
            into.note(What::Changed, Some(left[a].spot), Some(right[b].spot));
        }
        Pair::Alike(a, b) => {
            let (one, other) = (&left[a], &right[b]);
            // Without a key there is no order that anybody was promised.
            if ordered && one.key != 0 {
                alike.push(Alike {
                    key: one.key,
                    lanes: (one.spot.lane, other.spot.lane),
                    positions: (one.spot.position, other.spot.position),
                });
            }
        }
    });
}

/// Within the events of a key of one partition on each side, those that do not belong to a longest
/// run which both sides have in one order.
fn moved(mut alike: Vec<Alike>, into: &mut Differences) {
    alike.sort_unstable();
    for of_key in alike.chunk_by(|a, b| (a.key, a.lanes) == (b.key, b.lanes)) {
        let others: Vec<Position> = of_key.iter().map(|one| one.positions.1).collect();
        for (one, _) in of_key
            .iter()
            .zip(longest_run(&others))
            .filter(|(_, kept)| !kept)
        {
            let spot = |lane, position| Some(Spot { lane, position });
            let left = spot(one.lanes.0, one.positions.0);
            into.note(What::Reordered, left, spot(one.lanes.1, one.positions.1));
        }
    }
}
