//! A set of hashes in a bounded piece of memory, each with a place: open addressing, 16 bytes a
//! slot. And the filter that takes over where it is full.

use crate::inspect::window::home;

/// Slots taken of a hundred, before the table grows or is full.
const LOAD: usize = 80;
/// Slots at the beginning.
const FIRST: usize = 1 << 10;
/// Bytes of a slot.
const SLOT: usize = 16;

/// A hash, which is not 0, and its place.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    place: u64,
}

/// What came of putting a hash in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    New,
    /// It was there, with this place.
    There(u64),
    /// It was not, and there is no room.
    Full,
}

/// The hashes met so far, as many as fit.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    len: usize,
    most: usize,
}

impl Table {
    /// At most this many bytes, while it grows too.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
            most: (bytes / SLOT).max(FIRST),
        }
    }

    /// Looks at the place of a hash that comes soon.
    #[inline]
    pub(super) fn look_ahead(&self, hash: u64) -> u64 {
        let slot = self.slots.get(home(hash, self.slots.len()));
        slot.map_or(0, |slot| slot.hash)
    }

    #[inline]
    pub(super) fn put(&mut self, hash: u64, place: u64) -> Put {
        // 0 marks a free slot.
        let hash = hash.max(1);
        if self.len * 100 >= self.slots.len() * LOAD && !self.grow() {
            return self.find(hash).map_or(Put::Full, Put::There);
        }
        let mut at = home(hash, self.slots.len());
        loop {
            let Some(slot) = self.slots.get_mut(at) else {
                at = 0;
                continue;
            };
            if slot.hash == hash {
                return Put::There(slot.place);
            }
            if slot.hash == 0 {
                *slot = Slot { hash, place };
                self.len += 1;
                return Put::New;
            }
            at += 1;
        }
    }

    fn find(&self, hash: u64) -> Option<u64> {
        let mut at = home(hash, self.slots.len());
        loop {
            let Some(slot) = self.slots.get(at) else {
                at = 0;
                continue;
            };
            if slot.hash == hash {
                return Some(slot.place);
            }
            if slot.hash == 0 {
                return None;
            }
            at += 1;
        }
    }

    /// False when it has its full size already.
    fn grow(&mut self) -> bool {
        let now = self.slots.len();
        // While it grows, the old slots and the new ones are there together.
        let wanted = (now * 2).max(FIRST);
        let size = wanted.min(self.most.saturating_sub(now));
        if size <= now + now / 4 {
            return false;
        }
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); size]);
        self.len = 0;
        for slot in old.into_iter().filter(|slot| slot.hash != 0) {
            self.put(slot.hash, slot.place);
        }
        true
    }

    /// Gives the hashes away, and the memory with them.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = u64> + use<> {
        self.len = 0;
        let slots = std::mem::take(&mut self.slots);
        slots.into_iter().map(|slot| slot.hash).filter(|h| *h != 0)
    }
}

/// Bits for each id: with six probes in a block, about one stranger in two hundred is taken for
/// known.
const BITS: usize = 12;
/// A block fills a cache line.
const BLOCK_WORDS: usize = 8;
const BLOCK_BITS: usize = BLOCK_WORDS * 64;

/// A Bloom filter whose probes of one hash share a block of 64 bytes (Putze, Sanders, Singler:
/// Cache-, Hash- and Space-Efficient Bloom Filters, 2007), in two generations: when the young one
/// has taken all that it was made for, the old one is forgotten. It never denies what it
/// remembers.
#[derive(Debug)]
pub(super) struct Filter {
    young: Generation,
    old: Generation,
    /// Ids that a generation takes.
    each: u64,
    blocks: usize,
    pub(super) forgotten: u64,
}

#[derive(Debug, Default)]
struct Generation {
    blocks: Vec<Block>,
    len: u64,
}

/// One cache line, and no part of another.
#[derive(Debug, Default, Clone, Copy)]
#[repr(align(64))]
struct Block([u64; BLOCK_WORDS]);

impl Filter {
    /// Both generations together take this many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let blocks = (bytes / 2 * 8 / BLOCK_BITS).max(64);
        Self {
            young: Generation::default(),
            old: Generation::default(),
            each: (blocks * BLOCK_BITS / BITS) as u64,
            blocks,
            forgotten: 0,
        }
    }

    /// Gives the memory back.
    pub(super) fn free(&mut self) {
        self.young = Generation::default();
        self.old = Generation::default();
    }

    /// Looks at the place of a hash that comes soon.
    #[inline]
    pub(super) fn look_ahead(&self, hash: u64) -> u64 {
        let at = home(hash, self.blocks);
        let look = |of: &Generation| of.blocks.get(at).map_or(0, |block| block.0[0]);
        look(&self.young) ^ look(&self.old)
    }

    /// Takes a hash in; true when it may have been there.
    #[inline]
    pub(super) fn put(&mut self, hash: u64) -> bool {
        let at = home(hash, self.blocks);
        let mask = mask(hash);
        if self.old.has(at, &mask) {
            return true;
        }
        if self.young.len >= self.each && !self.young.has(at, &mask) {
            self.forgotten += self.old.len;
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.blocks.fill(Block::default());
            self.young.len = 0;
        }
        if self.young.blocks.is_empty() {
            self.young.blocks = vec![Block::default(); self.blocks];
        }
        let there = self.young.put(at, &mask);
        self.young.len += u64::from(!there);
        there
    }
}

impl Generation {
    #[inline]
    fn has(&self, at: usize, mask: &[u64; BLOCK_WORDS]) -> bool {
        let block = self.blocks.get(at);
        block.is_some_and(|block| {
            let mut words = block.0.iter().zip(mask);
            words.all(|(word, bits)| word & bits == *bits)
        })
    }

    #[inline]
    fn put(&mut self, at: usize, mask: &[u64; BLOCK_WORDS]) -> bool {
        let Some(block) = self.blocks.get_mut(at) else {
            return false;
        };
        let mut there = true;
        for (word, bits) in block.0.iter_mut().zip(mask) {
            there &= *word & bits == *bits;
            *word |= bits;
        }
        there
    }
}

/// The six bits of a hash in its block.
#[inline]
fn mask(hash: u64) -> [u64; BLOCK_WORDS] {
    // Other bits than those that chose the block.
    let mut bits = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash.rotate_left(32);
    let mut mask = [0; BLOCK_WORDS];
    for _ in 0..6 {
        let word = (bits >> 6) as usize % BLOCK_WORDS;
        if let Some(word) = mask.get_mut(word) {
            *word |= 1 << (bits & 63);
        }
        bits >>= 9;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As good as a hash (splitmix64).
    fn hash(n: u64) -> u64 {
        let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[test]
    fn a_table_knows_what_it_took_and_says_when_it_is_full() {
        let mut table = Table::new(1 << 20);
        let mut taken = 0;
        for n in 0..100_000 {
            match table.put(hash(n), n) {
                Put::New => taken += 1,
                Put::Full => break,
                Put::There(other) => panic!("{n} is taken for {other}"),
            }
        }
        assert!((26_000..=53_000).contains(&taken), "{taken}");
        assert!(table.slots.len() * SLOT <= 1 << 20);
        for n in 0..taken {
            assert_eq!(table.put(hash(n), 0), Put::There(n));
        }
        assert_eq!(table.put(hash(taken), 0), Put::Full);
        assert_eq!(table.drain().count() as u64, taken);
        assert_eq!(table.put(0, 5), Put::New);
        assert_eq!(table.put(0, 6), Put::There(5));
    }

    #[test]
    fn a_filter_denies_nothing_and_suspects_few() {
        let mut filter = Filter::new(3 << 20);
        // What one generation takes.
        let number = filter.each;
        assert!(number > 1_000_000, "{number}");
        let strangers = (0..number).filter(|n| filter.put(hash(*n))).count() as u64;
        assert!(strangers * 100 < number, "{strangers} of {number}");
        assert!((0..number).all(|n| filter.put(hash(n))));
        assert_eq!(filter.forgotten, 0);
        // The next ones push the oldest out, and are known themselves.
        for n in number..3 * number {
            filter.put(hash(n));
        }
        assert!(filter.forgotten > 0);
        assert!((3 * number - number / 2..3 * number).all(|n| filter.put(hash(n))));
    }
}
