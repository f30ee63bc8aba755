//! Search over names and scalar values, a bounded piece of work at a time: a view stays alive
//! while 10 MB are looked through.

use super::Tree;
use crate::tui::widgets::needle::Needle;

/// Which way a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// A search on its way. It ends where it began, after all that came before.
#[derive(Debug, Clone)]
pub struct Search {
    needle: Needle,
    direction: Direction,
    /// The value to look at next.
    next: usize,
    /// How many are still to be looked at.
    left: usize,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// At this row; what hid it is open.
    Found(usize),
    /// Nothing yet: ask again.
    Working,
    /// Nowhere.
    NoMatch,
}

/// Bytes that one step looks at, unless a single value has more.
const STEP_BYTES: usize = 512 * 1024;
/// What looking at a value costs at least.
const VALUE_COST: usize = 16;

impl Search {
    pub fn needle(&self) -> &Needle {
        &self.needle
    }
}

impl Tree {
    /// A search that begins after the row, or before it. A row that is no more is the first.
    pub fn search(&self, needle: Needle, row: usize, direction: Direction) -> Search {
        let count = self.index.len();
        let from = self.node(row).unwrap_or(0);
        Search {
            needle,
            direction,
            next: turn(from, direction, count),
            left: count,
        }
    }

    /// Goes on with a search. Asked again after a hit, it finds the next one.
    pub fn step(&mut self, search: &mut Search) -> Step {
        let mut work = 0;
        while search.left > 0 {
            if work >= STEP_BYTES {
                return Step::Working;
            }
            let node = search.next;
            search.next = turn(node, search.direction, self.index.len());
            search.left -= 1;
            let (hit, cost) = self.matches(node, &search.needle);
            if hit {
                search.left = self.index.len();
                return Step::Found(self.reveal(node));
            }
            work += cost;
        }
        Step::NoMatch
    }

    /// Whether a value has it in its name or, being a scalar, in itself, and what that cost.
    fn matches(&self, node: usize, needle: &Needle) -> (bool, usize) {
        let name = self.index.name(&self.bytes, node).unwrap_or_default();
        let mut value = self.index.span(&self.bytes, node);
        if self.container(node).is_some() {
            value = 0..0;
        }
        let cost = VALUE_COST + name.len() + value.len();
        let hit = [name, value].into_iter().any(|span| {
            let raw = self.bytes.get(span).unwrap_or_default();
            written_or_meant(raw, needle)
        });
        (hit, cost)
    }
}

/// The next value, round the end.
fn turn(node: usize, direction: Direction, count: usize) -> usize {
    match direction {
        Direction::Forward if node + 1 < count => node + 1,
        Direction::Forward => 0,
        Direction::Backward => node.checked_sub(1).unwrap_or(count.saturating_sub(1)),
    }
}

/// A string matches as it is written and as it is meant, escapes undone.
fn written_or_meant(raw: &[u8], needle: &Needle) -> bool {
    if needle.is_in(str::from_utf8(raw).unwrap_or_default()) {
        return true;
    }
    memchr::memchr(b'\\', raw).is_some()
        && serde_json::from_slice::<String>(raw).is_ok_and(|meant| needle.is_in(&meant))
}
