//! A wrapped text with its scroll. What of a long text was not wrapped yet is wrapped a bounded
//! piece at a time, as far as it is to be seen.

use std::ops::Range;
use std::sync::Arc;

use crate::tui::widgets::text_lines::TextLines;

/// Bytes that are wrapped at once on the way to a place.
const PIECE: usize = 1024 * 1024;
/// Bytes that are wrapped at once when a person scrolls towards the end of what is known.
const MORE: usize = 64 * 1024;

/// A text, and where a person stands in it.
pub struct Wrapped {
    bytes: Arc<[u8]>,
    pub lines: TextLines,
    pub top: usize,
    columns: usize,
    height: usize,
    /// A byte that is to come into sight.
    goal: Option<usize>,
    /// What a search found last.
    hit: Option<Range<usize>>,
}

impl Wrapped {
    pub fn new(bytes: Arc<[u8]>, columns: usize) -> Self {
        Self {
            lines: TextLines::new(bytes.clone(), columns),
            bytes,
            top: 0,
            columns,
            height: 1,
            goal: None,
            hit: None,
        }
    }

    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// The first byte on the screen, or the one that is on its way there.
    pub fn first(&self) -> usize {
        self.goal.unwrap_or_else(|| self.lines.byte_at(self.top))
    }

    /// Where a search goes on: at the last hit while it is in sight, else at the first byte.
    pub fn here(&self) -> Range<usize> {
        let first = self.lines.byte_at(self.top);
        let end = self.lines.byte_at(self.top.saturating_add(self.height));
        match &self.hit {
            // On its way into sight it counts as seen.
            Some(hit) if self.goal == Some(hit.start) => hit.clone(),
            Some(hit) if (first..=end).contains(&hit.start) => hit.clone(),
            _ => first..first,
        }
    }

    pub fn step(&mut self, by: isize) {
        self.goal = None;
        match by {
            isize::MIN => self.top = 0,
            isize::MAX => self.goal = Some(self.bytes.len()),
            _ => self.top = self.top.saturating_add_signed(by),
        }
    }

    /// Brings a byte into sight.
    pub fn show(&mut self, byte: usize) {
        self.goal = Some(byte.min(self.bytes.len()));
    }

    /// A search found this.
    pub fn found(&mut self, hit: Range<usize>) {
        self.show(hit.start);
        self.hit = Some(hit);
    }

    /// Fits it to its place; true when there is more to do in the next frame.
    pub fn settle(&mut self, columns: usize, height: usize) -> bool {
        self.height = height.max(1);
        if columns != self.columns {
            let first = self.first();
            self.columns = columns;
            self.lines = TextLines::new(self.bytes.clone(), columns);
            // Nothing of it is known to be in sight, so that the byte comes to the top.
            self.top = usize::MAX;
            self.goal = Some(first);
        }
        if let Some(goal) = self.goal {
            if self.lines.progress().0 <= goal && !self.lines.grow(PIECE) {
                self.top = self.top.min(self.last_top());
                return true;
            }
            self.goal = None;
            let row = self.lines.row_at(goal);
            if !(self.top..self.top.saturating_add(self.height)).contains(&row) {
                // Some rows above it tell where one is.
                self.top = if self.top == usize::MAX {
                    row
                } else {
                    row.saturating_sub(self.height / 3)
                };
            }
        }
        let wanted = self.top.saturating_add(2 * self.height);
        if wanted > self.lines.len() {
            self.lines.grow(MORE);
        }
        self.top = self.top.min(self.last_top());
        false
    }

    fn last_top(&self) -> usize {
        self.lines.len().saturating_sub(self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(text: &mut Wrapped, columns: usize, height: usize) {
        let mut frames = 0;
        while text.settle(columns, height) {
            frames += 1;
            assert!(frames < 100, "does not come to rest");
        }
    }

    #[test]
    fn the_end_of_a_long_text_is_reached_in_bounded_steps() {
        let mut text = Wrapped::new(Arc::from(vec![b'x'; 5 << 20]), 80);
        settled(&mut text, 80, 20);
        text.step(isize::MAX);
        assert!(text.settle(80, 20));
        settled(&mut text, 80, 20);
        assert_eq!(text.top, text.lines.len() - 20);
        assert!(text.lines.is_complete());
        text.step(isize::MIN);
        settled(&mut text, 80, 20);
        assert_eq!(text.top, 0);
    }

    #[test]
    fn another_width_keeps_the_first_byte() {
        let mut text = Wrapped::new(Arc::from(vec![b'x'; 100_000]), 80);
        settled(&mut text, 80, 10);
        text.step(100);
        settled(&mut text, 80, 10);
        let first = text.first();
        settled(&mut text, 40, 10);
        assert_eq!((text.first(), text.top), (first, 200));
        settled(&mut text, 1, 1);
        assert_eq!(text.first(), first);
    }

    #[test]
    fn a_byte_in_sight_does_not_move_the_text_and_others_do() {
        let mut text = Wrapped::new(Arc::from(vec![b'x'; 10_000]), 10);
        settled(&mut text, 10, 12);
        text.show(50);
        settled(&mut text, 10, 12);
        assert_eq!(text.top, 0);
        text.show(5000);
        settled(&mut text, 10, 12);
        assert_eq!(text.top, 496);
    }
}
