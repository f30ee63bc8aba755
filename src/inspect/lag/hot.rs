//! Which keys most of the waiting events have, in bounded memory: Space-Saving (A. Metwally,
//! D. Agrawal, A. El Abbadi 2005). A count is never too low, and too high by `error` at most, which
//! is no more than one in [`ROOM`] of all events that were counted.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// Keys that are counted at the same time.
const ROOM: usize = 256;
/// Bytes of a key that are kept; longer ones with the same front are taken for one.
const KEY_BYTES: usize = 64;
/// Events of a partition that are counted.
const MOST: u64 = 100_000;

/// A key that many events have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotKey {
    pub key: Box<[u8]>,
    /// At most so many events.
    pub count: u64,
    /// How much too high that may be.
    pub error: u64,
    /// Of so many that were counted.
    pub of: u64,
}

impl HotKey {
    /// It is at least a tenth of them, and that is no accident of few.
    pub(super) const fn is_hot(&self) -> bool {
        let sure = self.count - self.error;
        self.of >= 20 && sure * 10 >= self.of
    }
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    count: u64,
    error: u64,
    key: Vec<u8>,
}

/// Counts keys.
#[derive(Debug, Default)]
pub(super) struct HotKeys {
    hasher: RandomState,
    entries: Vec<Entry>,
    at: HashMap<u64, usize>,
    of: u64,
}

impl HotKeys {
    pub(super) fn count(&mut self, key: &[u8]) {
        if self.of >= MOST {
            return;
        }
        self.of += 1;
        let key = key.get(..KEY_BYTES).unwrap_or(key);
        let hash = self.hasher.hash_one(key);
        let known = self.at.get(&hash).and_then(|&at| self.entries.get_mut(at));
        if let Some(entry) = known {
            entry.count += 1;
            return;
        }
        if self.entries.len() < ROOM {
            self.at.insert(hash, self.entries.len());
            self.entries.push(Entry {
                hash,
                count: 1,
                error: 0,
                key: key.to_vec(),
            });
            return;
        }
        // The rarest gives its place, and its count, to the new one.
        let rarest = self
            .entries
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, e)| e.count);
        let Some((at, entry)) = rarest else {
            return;
        };
        self.at.remove(&entry.hash);
        self.at.insert(hash, at);
        entry.hash = hash;
        entry.error = entry.count;
        entry.count += 1;
        entry.key.clear();
        entry.key.extend_from_slice(key);
    }

    /// Those that stand out, the most frequent first.
    pub(super) fn hot(&self) -> Vec<HotKey> {
        let key = |entry: &Entry| HotKey {
            key: entry.key.as_slice().into(),
            count: entry.count,
            error: entry.error,
            of: self.of,
        };
        let mut hot: Vec<HotKey> = self
            .entries
            .iter()
            .map(key)
            .filter(HotKey::is_hot)
            .collect();
        hot.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
        hot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_key_is_found_among_more_keys_than_there_is_room_for() {
        let mut keys = HotKeys::default();
        for n in 0..20_000u32 {
            keys.count(format!("k-{n}").as_bytes());
            if n % 4 == 0 {
                keys.count(b"hot");
            }
        }
        let hot = keys.hot();
        assert_eq!(hot.len(), 1, "{hot:?}");
        assert_eq!(&*hot[0].key, b"hot");
        assert!(hot[0].count >= 5_000 && hot[0].count - hot[0].error <= 5_000);
        assert!(hot[0].error <= 25_000 / ROOM as u64 + 1);
        assert_eq!((keys.entries.len(), keys.at.len()), (ROOM, ROOM));
    }

    #[test]
    fn few_events_have_no_hot_key() {
        let mut keys = HotKeys::default();
        for _ in 0..19 {
            keys.count(b"k");
        }
        assert!(keys.hot().is_empty());
    }
}
