//! What a message is taken apart into, kept from event to event, so that nothing is allocated for
//! most of them.

use std::hash::RandomState;

/// Room to work in. One a thread; it grows with what it is used for and shrinks after.
#[derive(Debug, Default)]
pub struct Scratch {
    /// A stack: the runs of a message are above those of the message around it.
    pub(super) runs: Vec<Run>,
    /// A stack: one a field, one for all unknown fields, one a oneof.
    pub(super) slots: Vec<Slot>,
    /// A stack: the entries of a map.
    pub(super) entries: Vec<Entry>,
    /// A stack: the fields of a raw message, as number and place.
    pub(super) raw: Vec<(u32, u32)>,
    /// Hashes the keys of maps.
    pub(super) hasher: RandomState,
}

/// No run, no field.
pub(super) const NONE: u32 = u32::MAX;

/// Encoded fields of one number, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) at: u32,
    pub(super) end: u32,
    /// The next run of the same field.
    pub(super) next: u32,
}

/// Where a field of a message is in its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// The first run; of a oneof the field that is set.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Where its last occurrence begins.
    pub(super) tail: u32,
}

impl Slot {
    pub(super) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
        tail: NONE,
    };

    pub(super) const fn is_empty(self) -> bool {
        self.first == NONE
    }
}

/// An entry of a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The key where it is a number; of text a hash that nobody can foresee.
    pub(super) order: u64,
    /// Where the value of the key begins.
    pub(super) key: u32,
    /// Where the entry begins.
    pub(super) at: u32,
}

/// Elements that are kept for the next event; what a larger one took is given back.
const KEPT: usize = 1 << 14;

impl Scratch {
    /// Makes it empty.
    pub(super) fn clear(&mut self) {
        fn small<T>(stack: &mut Vec<T>) {
            stack.clear();
            stack.shrink_to(KEPT);
        }
        small(&mut self.runs);
        small(&mut self.slots);
        small(&mut self.entries);
        small(&mut self.raw);
    }
}
