//! Lines with a cursor: what a tab lists that is neither a tree nor a text.

use crate::tui::widgets::Line;
use crate::tui::widgets::needle::Needle;

/// Columns of one step to the right.
const ASIDE: usize = 8;
/// Nobody goes further to the right.
const FARTHEST: usize = 4096;

/// Where the cursor stands in a list, and which part of it is in sight.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scroll {
    pub at: usize,
    pub top: usize,
    /// Columns that are out of sight on the left.
    pub right: usize,
}

impl Scroll {
    pub fn step(&mut self, by: isize, len: usize) {
        self.at = self.at.saturating_add_signed(by).min(len.saturating_sub(1));
    }

    pub fn aside(&mut self, right: bool) {
        self.right = if right {
            (self.right + ASIDE).min(FARTHEST)
        } else {
            self.right.saturating_sub(ASIDE)
        };
    }

    /// Keeps the cursor on a row that there is, and in sight.
    pub fn settle(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.at = self.at.min(len.saturating_sub(1));
        self.top = self
            .top
            .min(self.at)
            .max((self.at + 1).saturating_sub(height))
            .min(len.saturating_sub(height));
    }
}

/// Lines that were made once for an event.
#[derive(Debug, Default)]
pub struct Rows {
    pub lines: Vec<Line>,
    pub scroll: Scroll,
    /// Lines that lead to a place in the value, by its JSON pointer.
    pub links: Vec<(usize, String)>,
}

impl Rows {
    pub fn new(lines: Vec<Line>) -> Self {
        Self {
            lines,
            scroll: Scroll::default(),
            links: Vec::new(),
        }
    }

    /// With lines that lead somewhere; the cursor begins on the first.
    pub fn linked(lines: Vec<Line>, leads: Vec<(usize, String)>) -> Self {
        let mut rows = Self::new(lines);
        rows.scroll.at = leads.first().map_or(0, |link| link.0);
        rows.links = leads;
        rows
    }

    /// Where the line under the cursor leads to.
    pub fn link(&self) -> Option<&str> {
        let link = self.links.iter().find(|link| link.0 == self.scroll.at);
        link.map(|link| link.1.as_str())
    }

    /// Puts the cursor on the next line that has it, round the end; false when none has.
    pub fn find(&mut self, needle: &Needle, forward: bool) -> bool {
        let len = self.lines.len();
        let turn = |by: usize| {
            let by = if forward { by } else { len - by };
            (self.scroll.at + by) % len
        };
        let has = |at: &usize| {
            let line = self.lines.get(*at);
            line.is_some_and(|line| needle.is_in(&line.text()))
        };
        let found = (1..=len).map(turn).find(has);
        if let Some(at) = found {
            self.scroll.at = at;
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widgets::Tone;

    #[test]
    fn the_cursor_stays_in_the_list_and_in_sight() {
        let mut scroll = Scroll::default();
        scroll.step(isize::MAX, 100);
        scroll.settle(100, 10);
        assert_eq!((scroll.at, scroll.top), (99, 90));
        scroll.settle(5, 10);
        assert_eq!((scroll.at, scroll.top), (4, 0));
        scroll.step(isize::MIN, 5);
        assert_eq!(scroll.at, 0);
        scroll.step(1, 0);
        scroll.settle(0, 0);
        assert_eq!((scroll.at, scroll.top), (0, 0));
    }

    #[test]
    fn a_text_is_found_round_the_end() {
        let line = |text| Line::new().with(Tone::Text, text);
        let mut rows = Rows::new(vec![line("one"), line("two"), line("three")]);
        let needle = Needle::new("o").unwrap();
        let mut ats = Vec::new();
        for forward in [true, true, false, false] {
            assert!(rows.find(&needle, forward));
            ats.push(rows.scroll.at);
        }
        assert_eq!(ats, [1, 0, 1, 0]);
        assert!(!rows.find(&Needle::new("x").unwrap(), true));
        assert!(!Rows::default().find(&needle, true));
    }
}
