//! A sketch of a stream in 64 KiB: for each of 4,096 parts, by key, the sum of the hashes of its
//! events, and 4,096 hashes of events in their order, each of one partition and several parts.
//! Parts whose sums and order are alike in two sketches hold the same events in the same order.

use super::look::Seen;

/// Parts of a sketch.
pub const SLOTS: usize = 4_096;

/// The sketch of one side.
#[derive(Debug, Clone)]
pub struct Sketch {
    /// Of the hashes of the events of a part, whatever their order.
    sums: Vec<u64>,
    /// For each partition in turn, its events with a key in their order, in `cells` hashes.
    chains: Vec<u64>,
    /// Hashes of order that each partition has; 0 when there are too many partitions.
    cells: usize,
    /// Events of each part, to know what looking at it takes.
    events: Vec<u64>,
}

/// Spreads the bits of a number, so that sums of numbers tell sets apart.
const fn mix(number: u64) -> u64 {
    // The finalizer of splitmix64 (Steele, Lea, Flood, 2014).
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Sketch {
    /// Of a stream with so many partitions. The order is followed in up to 4,096 of them.
    pub fn new(lanes: usize) -> Self {
        Self {
            sums: vec![0; SLOTS],
            chains: vec![0; SLOTS],
            cells: SLOTS / lanes.max(1),
            events: vec![0; SLOTS],
        }
    }

    /// Whether it follows the order.
    pub fn is_ordered(&self) -> bool {
        self.cells > 0
    }

    /// Takes an event of a partition, in its order there.
    #[inline]
    pub fn event(&mut self, seen: Seen, lane: u32) {
        let slot = usize::from(seen.slot);
        let one = mix(seen.identity ^ mix(seen.content));
        if let (Some(sum), Some(events)) = (self.sums.get_mut(slot), self.events.get_mut(slot)) {
            *sum = sum.wrapping_add(one);
            *events += 1;
        }
        // Nobody was promised an order of events without keys.
        if seen.key == 0 || self.cells == 0 {
            return;
        }
        let cell = (lane as usize).saturating_mul(self.cells) + slot % self.cells;
        if let Some(chain) = self.chains.get_mut(cell) {
            *chain = mix(chain.wrapping_add(one));
        }
    }

    pub fn events(&self) -> u64 {
        self.events.iter().sum()
    }

    /// Events of a part.
    pub fn events_of(&self, slot: u16) -> u64 {
        let events = self.events.get(usize::from(slot));
        events.copied().unwrap_or_default()
    }

    /// Whether a part holds the same events as in another sketch, in whatever order.
    pub fn holds_the_same(&self, other: &Self, slot: u16) -> bool {
        let slot = usize::from(slot);
        self.sums.get(slot) == other.sums.get(slot)
            && self.events.get(slot) == other.events.get(slot)
    }

    /// Whether another reading of the same stream gave the same events.
    pub fn agrees(&self, again: &Self) -> bool {
        self.sums == again.sums && self.events == again.events
    }
}

/// The parts in which two sketches differ. `ordered`: the order within partitions counts.
pub fn unequal(left: &Sketch, right: &Sketch, ordered: bool) -> Vec<u16> {
    let cells = left.cells.min(right.cells);
    let mut moved = vec![false; cells];
    if ordered && cells > 0 {
        let chains = left.chains.iter().zip(&right.chains);
        for (cell, _) in chains.enumerate().filter(|(_, (a, b))| a != b) {
            if let Some(moved) = moved.get_mut(cell % cells) {
                *moved = true;
            }
        }
    }
    let alike = |slot: u16| {
        let moved = cells > 0 && moved.get(usize::from(slot) % cells) == Some(&true);
        left.holds_the_same(right, slot) && !moved
    };
    (0..SLOTS as u16).filter(|slot| !alike(*slot)).collect()
}
