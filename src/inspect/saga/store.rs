//! The sagas that are under way, in bounded memory: 64 bytes and its map's entry for each, and 40
//! for each of its steps. Those that were not met for longest are forgotten first. Of those that
//! ended only what they did is kept.

use super::model::{StepNumber, Steps};
use crate::event::Position;
use crate::inspect::lanes::Spot;
use crate::inspect::window::HashedMap;

/// Bytes of an id that are kept: a UUID fits.
const ID_BYTES: usize = 46;
/// The number of a step that could not be decoded, so that it is not known which it is.
pub(super) const POISON: StepNumber = u8::MAX;
/// The time of an event that has none.
pub(super) const NO_TIME: i64 = i64::MIN;

/// The front of an id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Id {
    bytes: [u8; ID_BYTES],
    len: u8,
}

impl Id {
    pub(super) fn new(id: &[u8]) -> Self {
        let mut bytes = [0; ID_BYTES];
        let len = id.len().min(ID_BYTES);
        bytes[..len].copy_from_slice(&id[..len]);
        Self {
            bytes,
            len: len as u8,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// A step that happened: where and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) time: i64,
    pub(super) position: Position,
    pub(super) lane: u32,
    pub(super) step: StepNumber,
    /// Its time is much older than that of events before it.
    pub(super) late: bool,
}

impl Seen {
    pub(super) const fn spot(&self) -> Spot {
        Spot {
            lane: self.lane,
            position: self.position,
        }
    }
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    seen: Seen,
    next: u32,
}

/// A saga under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) steps: Steps,
    pub(super) id: Id,
    pub(super) poisoned: bool,
    first: u32,
}

/// All of them, by the hash of their ids.
#[derive(Debug)]
pub(super) struct Store {
    young: HashedMap<Open>,
    old: HashedMap<Open>,
    nodes: Vec<Node>,
    free: u32,
    half: usize,
    forgotten: u64,
}

impl Store {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            young: HashedMap::default(),
            old: HashedMap::default(),
            nodes: Vec::new(),
            free: NONE,
            half: (limit / 2).max(1),
            forgotten: 0,
        }
    }

    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The saga of this id, begun where there is none.
    #[inline]
    pub(super) fn entry(&mut self, hash: u64, id: impl FnOnce() -> Id) -> &mut Open {
        let before = if self.old.is_empty() {
            None
        } else {
            self.old.remove(&hash)
        };
        if self.young.len() >= self.half && !self.young.contains_key(&hash) {
            let old = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.forgotten += old.len() as u64;
            for open in old.values() {
                self.release(open.first);
            }
        }
        self.young.entry(hash).or_insert_with(|| {
            before.unwrap_or_else(|| Open {
                steps: Steps::default(),
                id: id(),
                poisoned: false,
                first: NONE,
            })
        })
    }

    /// Looks where a saga that comes soon will be looked up; what it gives means nothing.
    pub(super) fn look_ahead(&self, hash: u64) -> u64 {
        let open = self.young.get(&hash);
        let node = open.and_then(|open| self.nodes.get(open.first as usize));
        node.map_or(0, |node| u64::from(node.next))
    }

    /// Adds what happened to a saga that is there, and gives it as it is then.
    pub(super) fn add(&mut self, hash: u64, seen: Seen) -> Option<Open> {
        let open = self.young.get_mut(&hash)?;
        let node = Node {
            seen,
            next: open.first,
        };
        if let Some(free) = self.nodes.get_mut(self.free as usize) {
            open.first = self.free;
            self.free = free.next;
            *free = node;
        } else {
            open.first = self.nodes.len() as u32;
            self.nodes.push(node);
        }
        if seen.step == POISON {
            open.poisoned = true;
        } else {
            open.steps.add(seen.step);
        }
        Some(*open)
    }

    /// What happened, the last that was met first.
    pub(super) fn seen(&self, open: &Open) -> impl Iterator<Item = Seen> {
        let mut at = open.first;
        std::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            at = node.next;
            Some(node.seen)
        })
    }

    pub(super) fn remove(&mut self, hash: u64) {
        if let Some(open) = self.young.remove(&hash) {
            self.release(open.first);
        }
    }

    fn release(&mut self, first: u32) {
        let mut at = first;
        while let Some(node) = self.nodes.get_mut(at as usize) {
            let next = std::mem::replace(&mut node.next, self.free);
            self.free = at;
            at = next;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Open> {
        self.young.values().chain(self.old.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seen(step: StepNumber, major: u64) -> Seen {
        Seen {
            time: 0,
            position: Position::offset(major),
            lane: 0,
            step,
            late: false,
        }
    }

    #[test]
    fn an_open_saga_takes_what_is_promised() {
        assert_eq!(size_of::<Node>(), 40);
        assert!(size_of::<Open>() <= 64, "{}", size_of::<Open>());
    }

    #[test]
    fn what_is_removed_or_forgotten_makes_room() {
        let mut store = Store::new(8);
        for n in 0..100u64 {
            store.entry(n, || Id::new(b"x"));
            store.add(n, seen(0, n));
            store.add(n, seen(1, n));
            if n % 2 == 0 {
                store.remove(n);
            }
        }
        assert!(
            store.iter().count() <= 8 && store.nodes.len() <= 18,
            "{}",
            store.nodes.len()
        );
        assert_eq!(store.forgotten() + store.iter().count() as u64, 50);
        let open = *store.entry(99, || Id::new(b"x"));
        let steps: Vec<u8> = store.seen(&open).map(|s| s.step).collect();
        assert_eq!(steps, [1, 0]);
        assert_eq!(open.steps, Steps(0b11));
    }
}
