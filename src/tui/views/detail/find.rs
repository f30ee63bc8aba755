//! Search in what a tab shows, a bounded piece of work a frame. Trees search themselves; bytes are
//! searched here.

use std::ops::Range;
use std::sync::Arc;

use super::rows::Rows;
use super::value::{Dump, Value};
use super::wrapped::Wrapped;
use super::{Detail, Tab, again};
use crate::tui::widgets::needle::Needle;
use crate::tui::widgets::tree::{self, Direction};

/// Bytes that one step looks at.
const WINDOW: usize = 2 * 1024 * 1024;

/// Steps of a search in one frame: some milliseconds.
const STEPS: usize = 4;

/// A search on its way, in the tab where it began.
pub enum Search {
    Tree(tree::Search),
    Bytes(ByteSearch),
}

/// A search over the bytes of one or more parts, which ends where it began.
pub struct ByteSearch {
    needle: Needle,
    forward: bool,
    parts: Vec<Arc<[u8]>>,
    part: usize,
    /// Where the next window begins, or ends when it goes backward.
    at: usize,
    /// Bytes that are still to be looked at.
    left: usize,
}

/// What came of a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    At(usize, Range<usize>),
    Working,
    Nowhere,
}

impl ByteSearch {
    /// Forward it begins at `at`, backward before it.
    pub fn new(
        needle: Needle,
        forward: bool,
        parts: Vec<Arc<[u8]>>,
        part: usize,
        at: usize,
    ) -> Self {
        let left = parts.iter().map(|p| p.len()).sum();
        let len = parts.get(part).map_or(0, |p| p.len());
        Self {
            needle,
            forward,
            part: part.min(parts.len().saturating_sub(1)),
            parts,
            at: at.min(len),
            left,
        }
    }

    pub fn needle(&self) -> &Needle {
        &self.needle
    }

    pub fn step(&mut self) -> Found {
        let mut budget = WINDOW;
        while self.left > 0 {
            if budget == 0 {
                return Found::Working;
            }
            let window = self.window(budget.min(self.left));
            budget -= window.len();
            self.left -= window.len();
            if let Some(found) = self.search(&window) {
                return Found::At(self.part, found);
            }
            self.turn(&window);
        }
        Found::Nowhere
    }

    fn len(&self) -> usize {
        self.parts.get(self.part).map_or(0, |p| p.len())
    }

    fn window(&self, most: usize) -> Range<usize> {
        if self.forward {
            self.at..self.at.saturating_add(most).min(self.len())
        } else {
            self.at.saturating_sub(most)..self.at
        }
    }

    /// Goes past a window, and into the next part at the end of one.
    fn turn(&mut self, window: &Range<usize>) {
        let parts = self.parts.len();
        if self.forward {
            self.at = window.end;
            if self.at >= self.len() {
                self.part = (self.part + 1) % parts;
                self.at = 0;
            }
        } else {
            self.at = window.start;
            if self.at == 0 {
                self.part = (self.part + parts - 1) % parts;
                self.at = self.len();
            }
        }
    }

    /// The first match that begins in a window, or the last one.
    fn search(&self, window: &Range<usize>) -> Option<Range<usize>> {
        // A match may end behind the window; folding makes a text longer by a half at most.
        let end = window.end + self.needle.text().len() * 4 + 4;
        let bytes = self.parts.get(self.part)?;
        let bytes = bytes.get(window.start..end.min(bytes.len()))?;
        let mut found = None;
        let mut start = window.start;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let mut from = 0;
            while let Some(hit) = self.needle.find(text, from) {
                if start + hit.start >= window.end {
                    return found;
                }
                from = hit.end;
                found = Some(start + hit.start..start + hit.end);
                if self.forward {
                    return found;
                }
            }
            start += text.len() + chunk.invalid().len();
        }
        found
    }
}

fn in_text(text: &Wrapped, needle: Needle, forward: bool) -> Search {
    let here = text.here();
    let at = if forward { here.end } else { here.start };
    let parts = vec![text.bytes().clone()];
    Search::Bytes(ByteSearch::new(needle, forward, parts, 0, at))
}

fn in_dump(dump: &Dump, needle: Needle, forward: bool) -> Search {
    let sections = dump.hex.sections().iter();
    let parts = sections.map(|s| s.bytes.clone().unwrap_or_else(|| Arc::from([])));
    let cursor = dump.hex.cursor().unwrap_or_default();
    let at = cursor.at + usize::from(forward);
    let search = ByteSearch::new(needle, forward, parts.collect(), cursor.section, at);
    Search::Bytes(search)
}

fn in_rows(rows: Option<&mut Rows>, needle: &Needle, forward: bool) -> Result<(), String> {
    if rows.is_some_and(|rows| rows.find(needle, forward)) {
        Ok(())
    } else {
        Err(nowhere(needle))
    }
}

fn nowhere(needle: &Needle) -> String {
    format!("'{}' is not in this tab", needle.text())
}

impl Detail {
    /// Begins a search from where one stands in the tab.
    pub(super) fn search(&mut self, forward: bool) -> Result<(), String> {
        let needle = self.needle.clone().ok_or("nothing is sought")?;
        let columns = self.size.0;
        let shown = self.shown.as_mut().ok_or("there is no event")?;
        self.search = Some(match (self.tab, &mut shown.value) {
            (Tab::Value, Some(Value::Tree(view))) => {
                let direction = if forward {
                    Direction::Forward
                } else {
                    Direction::Backward
                };
                Search::Tree(view.tree.search(needle, view.scroll.at, direction))
            }
            (Tab::Value, Some(Value::Text { text, .. })) => in_text(text, needle, forward),
            (Tab::Value, Some(Value::Bytes { dump, .. })) => in_dump(dump, needle, forward),
            (Tab::Raw, _) => in_text(shown.raw(columns), needle, forward),
            (Tab::Hex, _) => in_dump(shown.hex(), needle, forward),
            (Tab::Headers, _) => return in_rows(shown.headers.as_mut(), &needle, forward),
            (Tab::Schema, _) => return in_rows(shown.known.as_mut(), &needle, forward),
            _ => return Err("there is no text to search in this tab".to_owned()),
        });
        Ok(())
    }

    /// Goes on with a search for as long as a frame may take; gives the word when it was nowhere.
    pub(super) fn go_on_searching(&mut self) -> Option<String> {
        let mut search = self.search.take()?;
        let shown = self.shown.as_mut()?;
        for _ in 0..STEPS {
            match (&mut search, self.tab, &mut shown.value) {
                (Search::Tree(search), Tab::Value, Some(Value::Tree(view))) => {
                    match view.tree.step(search) {
                        tree::Step::Found(row) => {
                            view.scroll.at = row;
                            return None;
                        }
                        tree::Step::Working => {}
                        tree::Step::NoMatch => return Some(nowhere(search.needle())),
                    }
                }
                (Search::Bytes(search), tab, value) => match search.step() {
                    Found::At(part, hit) => {
                        match (tab, value) {
                            (Tab::Value, Some(Value::Text { text, .. })) => text.found(hit),
                            (Tab::Value, Some(Value::Bytes { dump, .. })) => {
                                dump.hex.link(part, hit);
                            }
                            (Tab::Raw, _) => shown.raw(self.size.0).found(hit),
                            (Tab::Hex, _) => shown.hex().hex.link(part, hit),
                            _ => {}
                        }
                        return None;
                    }
                    Found::Working => {}
                    Found::Nowhere => return Some(nowhere(search.needle())),
                },
                _ => return None,
            }
        }
        self.search = Some(search);
        self.pending.push(again());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(parts: &[&[u8]], forward: bool, part: usize, at: usize) -> Found {
        let parts = parts.iter().map(|p| Arc::from(*p)).collect();
        let needle = Needle::new("ab").unwrap();
        let mut search = ByteSearch::new(needle, forward, parts, part, at);
        loop {
            match search.step() {
                Found::Working => {}
                found => return found,
            }
        }
    }

    #[test]
    fn a_match_is_found_in_both_directions_and_round_the_end() {
        let parts: &[&[u8]] = &[b"xAB\xff", b"", b"\xfeab..ab"];
        for (forward, part, at, found) in [
            (true, 0, 0, Found::At(0, 1..3)),
            (true, 0, 2, Found::At(2, 1..3)),
            (true, 2, 2, Found::At(2, 5..7)),
            (true, 2, 6, Found::At(0, 1..3)),
            (false, 2, 5, Found::At(2, 1..3)),
            (false, 2, 1, Found::At(0, 1..3)),
            (false, 0, 1, Found::At(2, 5..7)),
            (true, 9, 9, Found::At(2, 1..3)),
        ] {
            assert_eq!(search(parts, forward, part, at), found, "{part} {at}");
        }
        assert_eq!(search(&[b"xyz"], true, 0, 1), Found::Nowhere);
        assert_eq!(search(&[b"", b""], false, 0, 0), Found::Nowhere);
        assert_eq!(search(&[], true, 0, 0), Found::Nowhere);
    }

    #[test]
    fn a_match_on_the_edge_of_a_window_is_found() {
        let mut bytes = vec![b'.'; 2 * WINDOW + 10];
        bytes[WINDOW - 1] = b'a';
        bytes[WINDOW] = b'b';
        let hit = Found::At(0, WINDOW - 1..WINDOW + 1);
        assert_eq!(search(&[&bytes], true, 0, 0), hit);
        assert_eq!(search(&[&bytes], false, 0, bytes.len()), hit);
        assert_eq!(search(&[&bytes], false, 0, 5), hit);
    }
}
