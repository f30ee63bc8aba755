//! Memory with an end: a map that forgets what it has not met for long, and the keyed hash by
//! which ids and keys are remembered.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use foldhash::quality::RandomState;

use super::Heads;
use crate::event::EventRef;

/// Hashes ids and keys with a secret of this process, so that nobody can plant collisions. Two
/// different ones of a million meet with a chance below one in ten million.
#[derive(Debug, Default, Clone)]
pub(super) struct Keyed(RandomState);

impl Keyed {
    /// The hash of these bytes.
    #[inline]
    pub(super) fn of(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    /// The hash of these bytes within a scope: a topic, a partition.
    #[inline]
    pub(super) fn hash(&self, scope: u32, bytes: &[u8]) -> u64 {
        scoped(self.of(bytes), scope)
    }

    /// The scope of a topic of a source, for who numbers no topics.
    pub(super) fn scope(&self, origin: u16, topic: &str) -> u32 {
        // Two topics of one scope are told apart later.
        self.hash(u32::from(origin), topic.as_bytes()) as u32
    }
}

/// A hash within a scope: bytes that are there in several scopes are hashed once.
#[inline]
pub(super) const fn scoped(hash: u64, scope: u32) -> u64 {
    // Another odd number for each; what is spread stays so.
    hash ^ (scope as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Where a hash belongs among so many slots.
#[inline]
pub(super) const fn home(hash: u64, slots: usize) -> usize {
    ((hash as u128 * slots as u128) >> 64) as usize
}

/// The hashes of what an event is found by again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hashes {
    pub(super) id: Option<u64>,
    pub(super) key: Option<u64>,
}

impl Hashes {
    #[inline]
    pub(super) fn of(event: &EventRef<'_>, heads: &Heads<'_>, hash: &Keyed) -> Self {
        Self {
            id: heads.id.map(|id| hash.of(id)),
            key: event.key.map(|key| hash.of(key)),
        }
    }
}

/// Takes what is a hash already.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A map whose keys are hashes.
pub(super) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<Plain>>;

/// A set of hashes.
pub(super) type HashedSet = HashSet<u64, BuildHasherDefault<Plain>>;

/// Keeps what was met lately, in two generations: when the young one is full, the old one is
/// forgotten and the young one becomes old. So at least `limit / 2` things are remembered.
#[derive(Debug)]
pub(super) struct Window<V> {
    young: HashedMap<V>,
    old: HashedMap<V>,
    half: usize,
    forgotten: u64,
}

impl<V> Window<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            young: HashedMap::default(),
            old: HashedMap::default(),
            half: (limit / 2).max(1),
            forgotten: 0,
        }
    }

    /// How many things were forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// True when the next new thing starts another generation.
    pub(super) fn turns(&self) -> bool {
        self.young.len() >= self.half
    }

    /// What is remembered under this hash; `make` makes it where there is nothing. The second tells
    /// whether it was there.
    #[inline]
    pub(super) fn entry(&mut self, hash: u64, make: impl FnOnce() -> V) -> (&mut V, bool) {
        if self.young.len() >= self.half && !self.young.contains_key(&hash) {
            let before = self.old.remove(&hash);
            self.forgotten += self.old.len() as u64;
            self.old.clear();
            std::mem::swap(&mut self.young, &mut self.old);
            let there = before.is_some();
            let value = before.unwrap_or_else(make);
            return (self.young.entry(hash).or_insert(value), there);
        }
        match self.young.entry(hash) {
            Entry::Occupied(known) => (known.into_mut(), true),
            Entry::Vacant(free) => {
                let before = if self.old.is_empty() {
                    None
                } else {
                    self.old.remove(&hash)
                };
                let there = before.is_some();
                (free.insert(before.unwrap_or_else(make)), there)
            }
        }
    }

    /// Takes out what is remembered under this hash.
    #[inline]
    pub(super) fn take(&mut self, hash: u64) -> Option<V> {
        if self.young.is_empty() && self.old.is_empty() {
            return None;
        }
        let found = self.young.remove(&hash);
        found.or_else(|| self.old.remove(&hash))
    }

    /// What is remembered under this hash; it does not count as met by this.
    #[inline]
    pub(super) fn get(&self, hash: u64) -> Option<&V> {
        self.young.get(&hash).or_else(|| self.old.get(&hash))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.young.values().chain(self.old.values())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_met_lately_is_remembered(hashes in prop::collection::vec(0u64..40, 0..300)) {
            let mut window = Window::new(16);
            let mut last: HashMap<u64, usize> = HashMap::new();
            for (i, &hash) in hashes.iter().enumerate() {
                let (value, there) = window.entry(hash, || i);
                if let Some(&before) = last.get(&hash) {
                    // The different ones met since then; eight at least fit.
                    let mut since: Vec<u64> = hashes[before + 1..i].to_vec();
                    since.sort_unstable();
                    since.dedup();
                    prop_assert!(there || since.len() >= 8);
                    if there {
                        prop_assert_eq!(*value, before);
                    }
                } else {
                    prop_assert!(!there);
                }
                *value = i;
                last.insert(hash, i);
                prop_assert!(window.young.len() + window.old.len() <= 16);
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_counted() {
        let mut window = Window::new(4);
        for hash in 0..100 {
            window.entry(hash, || ());
        }
        assert_eq!(window.forgotten() + window.values().count() as u64, 100);
        assert!(window.entry(99, || ()).1 && !window.entry(0, || ()).1);
    }
}
