//! The damage: what is done to bytes that were valid. The same seed does the same.

/// A generator of numbers (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of a list that is not empty.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Bytes that mean something in most formats.
const TELLING: &[u8] = b"\x00\x01\x02\x7f\x80\x81\xc0\xc1\xfe\xff\"{}[],:0-e\\";

/// Lengths and counts that claim more than there is, or nothing: as big-endian and little-endian
/// numbers, and as varints.
const CLAIMS: &[&[u8]] = &[
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x00",
    b"\x00\x01\x00\x00",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\x0f",
    b"\xfe\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
];

/// The largest input: repeats do not grow beyond it.
const LARGEST: usize = 4096;

/// Makes a damaged input of one seed, sometimes of two.
pub fn damage(dice: &mut Dice, seeds: &[Vec<u8>], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(dice.of::<Vec<u8>>(seeds));
    for _ in 0..=dice.below(3) {
        let at = dice.below(out.len() + 1);
        let left = out.len() - at;
        match dice.below(12) {
            0..=2 if left > 0 => out[at] ^= 1 << dice.below(8),
            3 if left > 0 => out[at] = dice.below(256) as u8,
            4 if left > 0 => out[at] = *dice.of(TELLING),
            5 => out.insert(at, *dice.of(TELLING)),
            6 => drop(out.drain(at..at + dice.below(left.min(9) + 1))),
            7 if dice.below(3) == 0 => out.truncate(at),
            // A length somewhere lies: the bytes there are replaced, or stand before others.
            8 => {
                let claim = *dice.of(CLAIMS);
                let replaced = if dice.below(2) == 0 { claim.len() } else { 1 };
                out.splice(at..at + replaced.min(left), claim.iter().copied());
            }
            // Another one goes on where this one ends.
            9 if dice.below(3) == 0 => {
                let other = dice.of(seeds);
                let from = dice.below(other.len() + 1);
                out.truncate(at);
                out.extend_from_slice(&other[from..]);
            }
            // A part comes again, and again.
            10 if left > 0 && dice.below(3) == 0 => {
                let part = out[at..at + 1 + dice.below(left.min(16))].to_vec();
                for _ in 0..dice.below(64) {
                    out.splice(at..at, part.iter().copied());
                    if out.len() > LARGEST {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}
