//! The newest time of each key, in bounded memory: open addressing, 16 bytes a slot, so that a
//! look-up waits for one piece of memory. Two generations, as a [`Window`] has them.
//!
//! [`Window`]: crate::inspect::window::Window

use crate::inspect::window::home;

/// Slots taken of a hundred, before a generation grows.
const LOAD: usize = 80;
/// Slots at the beginning.
const FIRST: usize = 1 << 10;
/// What a key takes at most: both generations together have as many keys as they are for.
pub(super) const KEY_BYTES: usize = 24;

/// A hash, which is not 0, and the newest time that was met with it.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    newest: i64,
}

#[derive(Debug, Default)]
struct Generation {
    slots: Vec<Slot>,
    len: usize,
}

impl Generation {
    /// Where the hash is, or the free slot for it; `None` where there are no slots.
    #[inline]
    fn find(&mut self, hash: u64) -> Option<&mut Slot> {
        let start = home(hash, self.slots.len());
        let (front, back) = self.slots.split_at_mut_checked(start)?;
        let mut slots = back.iter_mut().chain(front);
        slots.find(|slot| slot.hash == hash || slot.hash == 0)
    }

    /// Looks at the place of a hash that comes soon.
    #[inline]
    fn look_ahead(&self, hash: u64) -> u64 {
        let slot = self.slots.get(home(hash, self.slots.len()));
        slot.map_or(0, |slot| slot.hash)
    }

    #[cold]
    fn grow(&mut self, most: usize) {
        let size = (self.slots.len() * 2).clamp(FIRST, most);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); size]);
        for known in old.into_iter().filter(|slot| slot.hash != 0) {
            if let Some(slot) = self.find(known.hash) {
                *slot = known;
            }
        }
    }
}

/// The newest time of each key that was met lately.
#[derive(Debug)]
pub(super) struct Recent {
    young: Generation,
    old: Generation,
    /// Keys of a generation, and slots of one that has them all.
    half: usize,
    most: usize,
}

impl Recent {
    /// Remembers at most this many keys, and half of them at least.
    pub(super) fn new(keys: usize) -> Self {
        let half = (keys / 2).max(1);
        Self {
            young: Generation::default(),
            old: Generation::default(),
            half,
            most: (half + 1).saturating_mul(100).div_ceil(LOAD).max(FIRST),
        }
    }

    /// Looks where a key that comes soon will be looked up; what it gives means nothing.
    #[inline]
    pub(super) fn look_ahead(&self, hash: u64) -> u64 {
        self.young.look_ahead(hash) ^ self.old.look_ahead(hash)
    }

    /// Takes an event of this key; gives the newest time of those before it, where it is known.
    #[inline]
    pub(super) fn meet(&mut self, hash: u64, time: i64) -> Option<i64> {
        // 0 marks a free slot.
        let hash = hash.max(1);
        if self.young.len * 100 >= self.young.slots.len() * LOAD {
            self.young.grow(self.most);
        }
        let slot = self.young.find(hash)?;
        if slot.hash == hash {
            let before = slot.newest;
            slot.newest = before.max(time);
            return Some(before);
        }
        let known = self.old.find(hash).filter(|slot| slot.hash == hash);
        let before = known.map(|slot| slot.newest);
        let newest = before.map_or(time, |before| before.max(time));
        *slot = Slot { hash, newest };
        self.young.len += 1;
        if self.young.len >= self.half {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.slots.fill(Slot::default());
            self.young.len = 0;
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_newest_time_of_a_key_met_lately_is_known(
            met in prop::collection::vec((0u64..40, -9i64..9), 0..300),
        ) {
            let mut recent = Recent::new(16);
            let mut newest: HashMap<u64, (usize, i64)> = HashMap::new();
            for (i, &(key, time)) in met.iter().enumerate() {
                // Some share a home, and 0 is a key like another.
                let told = recent.meet(key << 58, time);
                let known = newest.get(&key).copied();
                if let Some((last, before)) = known {
                    let mut since: Vec<u64> = met[last + 1..i].iter().map(|m| m.0).collect();
                    since.sort_unstable();
                    since.dedup();
                    prop_assert!(told.is_some() || since.len() >= 7);
                    prop_assert!(told.is_none_or(|told| told <= before));
                    if since.len() < 7 {
                        prop_assert_eq!(told, Some(before));
                    }
                } else {
                    prop_assert_eq!(told, None);
                }
                let before = told.map_or(time, |told| told.max(time));
                newest.insert(key, (i, before));
                prop_assert!(recent.young.len + recent.old.len <= 16);
            }
        }
    }

    #[test]
    fn a_key_takes_no_more_than_is_promised() {
        let keys = 100_000;
        let mut recent = Recent::new(keys);
        for n in 0..3 * keys as u64 {
            recent.meet(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0);
        }
        let slots = recent.young.slots.len() + recent.old.slots.len();
        assert!(slots * size_of::<Slot>() <= keys * KEY_BYTES);
    }
}
