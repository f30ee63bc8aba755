//! Which positions of a partition are there: not only the highest, since the partitions of a target
//! do not advance in step.

use std::collections::BTreeMap;

use crate::event::{Position, PositionStyle};

/// Half-open intervals `[from, to)` that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Intervals {
    by_start: BTreeMap<Position, Position>,
}

impl Intervals {
    pub(super) fn contains(&self, position: Position) -> bool {
        let before = self.by_start.range(..=position).next_back();
        before.is_some_and(|(_, end)| position < *end)
    }

    pub(super) fn insert(&mut self, position: Position, style: PositionStyle) {
        if self.contains(position) {
            return;
        }
        let mut end = position.next(style);
        if let Some(joined) = self.by_start.remove(&end) {
            end = joined;
        }
        let before = self.by_start.range_mut(..position).next_back();
        match before {
            Some((_, last)) if *last == position => *last = end,
            _ => {
                self.by_start.insert(position, end);
            }
        }
    }

    /// How many intervals it takes: what bounds its memory.
    pub(super) fn len(&self) -> usize {
        self.by_start.len()
    }
}
