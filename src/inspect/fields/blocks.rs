//! Counts over time in a fixed number of blocks: as the time that is covered grows, neighbours are
//! put together. The order in which times come does not matter.

/// Blocks of one count.
const BLOCKS: usize = 32;
/// As many, among numbers of blocks.
const SPAN: i64 = 32;
/// Bits of a time, in milliseconds, that the finest blocks leave out: a quarter of a second.
const FINEST: u32 = 8;

/// How many events at which times. A block's number is the time without its last `shift` bits.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    shift: u32,
    low: i64,
    high: i64,
    /// By the block's number, modulo; those between `low` and `high` count.
    counts: [u32; BLOCKS],
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            shift: FINEST,
            low: 0,
            high: -1,
            counts: [0; BLOCKS],
        }
    }
}

const fn slot(block: i64) -> usize {
    block.rem_euclid(SPAN) as usize
}

impl Blocks {
    const fn is_empty(&self) -> bool {
        self.high < self.low
    }

    pub(super) fn note(&mut self, time: i64) {
        if self.is_empty() {
            (self.low, self.high) = (time >> self.shift, time >> self.shift);
        }
        let span = |own: &Self| {
            let block = time >> own.shift;
            (block, own.low.min(block), own.high.max(block))
        };
        let (mut block, mut low, mut high) = span(self);
        while high - low >= SPAN {
            *self = self.coarser(self.shift + 1);
            (block, low, high) = span(self);
        }
        (self.low, self.high) = (low, high);
        if let Some(count) = self.counts.get_mut(slot(block)) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) const fn shift(&self) -> u32 {
        self.shift
    }

    /// The same in blocks that are at least as long.
    pub(super) fn coarser(&self, shift: u32) -> Self {
        let by = shift.saturating_sub(self.shift);
        let mut other = Self {
            shift: self.shift + by,
            low: self.low >> by,
            high: self.high >> by,
            counts: [0; BLOCKS],
        };
        if self.is_empty() {
            (other.low, other.high) = (0, -1);
        }
        for (block, count) in self.iter() {
            if let Some(sum) = other.counts.get_mut(slot(block >> by)) {
                *sum = sum.saturating_add(count);
            }
        }
        other
    }

    /// The blocks from the first to the last that has any, by time.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        (self.low..=self.high).map(|block| (block, self.of(block)))
    }

    pub(super) fn of(&self, block: i64) -> u32 {
        let there = (self.low..=self.high).contains(&block);
        let count = self.counts.get(slot(block)).copied();
        count.filter(|_| there).unwrap_or(0)
    }

    /// Events in the blocks before the one of that time.
    pub(super) fn before(&self, time: i64) -> u64 {
        let block = time >> self.shift;
        let earlier = self.iter().filter(|(b, _)| *b < block);
        earlier.map(|(_, count)| u64::from(count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_grow_with_the_time_that_they_cover() {
        let mut blocks = Blocks::default();
        for n in 0..1_000i64 {
            // In no order.
            blocks.note((n * 617 % 1_000) * 1_000);
        }
        assert!(blocks.iter().count() <= BLOCKS);
        assert_eq!(blocks.iter().map(|(_, n)| n).sum::<u32>(), 1_000);
        assert_eq!(blocks.shift(), 15);
        assert_eq!(blocks.before(0), 0);
        assert_eq!(blocks.before(500_000), 492);
        assert_eq!(blocks.of(-1), 0);
    }

    #[test]
    fn the_ends_of_time_are_times_too() {
        let mut blocks = Blocks::default();
        for time in [0, i64::MAX, i64::MIN, -1] {
            blocks.note(time);
        }
        let all: Vec<_> = blocks.iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(all.iter().map(|(_, n)| n).sum::<u32>(), 4);
        assert_eq!(Blocks::default().coarser(20).iter().count(), 0);
    }
}
