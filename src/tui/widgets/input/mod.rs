//! The state of a one-line editor: text, cursor, history. What the text means, and whether it is
//! right, others decide; they may mark a part of it as wrong.

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::text::{is_hostile, width};
use crate::tui::widgets::line::{Line, Tone, visible};

/// More than this is not taken: a filter or a note is short, a clipboard can be anything.
pub const MAX_BYTES: usize = 64 * 1024;
/// Texts that are remembered.
const HISTORY: usize = 200;

/// What a key does to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit<'a> {
    Insert(char),
    /// Line ends and tabs become blanks.
    Paste(&'a str),
    Backspace,
    Delete,
    DeleteWord,
    DeleteToStart,
    DeleteToEnd,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    /// An older text of the history, and back.
    Older,
    Newer,
}

/// A one-line editor.
#[derive(Debug, Clone, Default)]
pub struct Input {
    text: String,
    /// A byte index, always between characters.
    cursor: usize,
    /// Something did not fit at the last paste or key.
    cut: bool,
    error: Option<Range<usize>>,
    history: Vec<String>,
    /// Which text of the history is shown, and what stood there before.
    recalled: Option<(usize, String)>,
}

/// How it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputView {
    pub line: Line,
    /// The column of the cursor, less than the width that was given.
    pub cursor: usize,
}

impl Input {
    /// With the cursor at the end.
    pub fn new(text: &str) -> Self {
        let mut input = Self::default();
        input.set(text);
        input
    }

    /// What was entered before, the oldest first.
    #[must_use]
    pub fn with_history(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        for text in texts {
            self.remember(text);
        }
        self
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The byte index of the cursor.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// True when the last edit left something out, because the text would be too long.
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    pub fn history(&self) -> &[String] {
        &self.history
    }

    /// Replaces the text.
    pub fn set(&mut self, text: &str) {
        self.text.clear();
        self.cursor = 0;
        self.recalled = None;
        self.paste(text);
        self.error = None;
    }

    /// Marks a part of the text as wrong, in bytes; an empty part marks a place.
    pub fn set_error(&mut self, error: Option<Range<usize>>) {
        self.error = error;
    }

    /// Remembers the text, empties the line and gives the text.
    pub fn submit(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.remember(text.clone());
        self.set("");
        text
    }

    fn remember(&mut self, text: String) {
        if text.trim().is_empty() {
            return;
        }
        self.history.retain(|known| *known != text);
        self.history.push(text);
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }

    /// Does what a key asks for; true when the text is another one.
    pub fn apply(&mut self, edit: Edit<'_>) -> bool {
        self.cut = false;
        let changed = match edit {
            Edit::Insert(c) => self.paste(c.encode_utf8(&mut [0; 4])),
            Edit::Paste(text) => self.paste(text),
            Edit::Backspace => self.remove(self.left()..self.cursor),
            Edit::Delete => self.remove(self.cursor..self.right()),
            Edit::DeleteWord => self.remove(self.word_left()..self.cursor),
            Edit::DeleteToStart => self.remove(0..self.cursor),
            Edit::DeleteToEnd => self.remove(self.cursor..self.text.len()),
            Edit::Left => self.go(self.left()),
            Edit::Right => self.go(self.right()),
            Edit::WordLeft => self.go(self.word_left()),
            Edit::WordRight => self.go(self.word_right()),
            Edit::Home => self.go(0),
            Edit::End => self.go(self.text.len()),
            Edit::Older => self.recall(true),
            Edit::Newer => self.recall(false),
        };
        if changed {
            self.error = None;
        }
        changed
    }

    fn go(&mut self, cursor: usize) -> bool {
        self.cursor = cursor;
        false
    }

    fn paste(&mut self, text: &str) -> bool {
        let room = MAX_BYTES.saturating_sub(self.text.len());
        let mut new = String::new();
        // However much is pasted, no more is looked at than fits.
        for c in text.chars() {
            if new.len() + c.len_utf8() > room {
                self.cut = true;
                break;
            }
            match c {
                '\n' if new.ends_with('\r') => {}
                _ => new.push(c),
            }
        }
        let new = new.replace(['\r', '\n', '\t', '\u{2028}', '\u{2029}', '\u{85}'], " ");
        self.text.insert_str(self.cursor, &new);
        self.cursor += new.len();
        !new.is_empty()
    }

    fn remove(&mut self, range: Range<usize>) -> bool {
        let (start, some) = (range.start, !range.is_empty());
        self.text.replace_range(range, "");
        self.cursor = start;
        some
    }

    fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// The start of the letter before the cursor, with its marks.
    fn left(&self) -> usize {
        let mut letters = self.before().char_indices().rev();
        letters.find(|(_, c)| !is_mark(*c)).map_or(0, |(at, _)| at)
    }

    /// The end of the letter at the cursor, with its marks.
    fn right(&self) -> usize {
        let mut letters = self.after().char_indices().skip(1);
        let end = letters.find(|(_, c)| !is_mark(*c));
        end.map_or(self.text.len(), |(at, _)| self.cursor + at)
    }

    fn word_left(&self) -> usize {
        let before = self.before().trim_end();
        let start = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
        start.map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn word_right(&self) -> usize {
        let after = self.after();
        let word = after.len() - after.trim_start().len();
        let rest = after.get(word..).unwrap_or_default();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.cursor + word + end
    }

    fn recall(&mut self, older: bool) -> bool {
        let newest = self.history.len();
        let at = self.recalled.as_ref().map_or(newest, |(at, _)| *at);
        let next = if older {
            at.checked_sub(1)
        } else {
            (at < newest).then_some(at + 1)
        };
        let Some(next) = next else {
            return false;
        };
        let draft = match self.recalled.take() {
            Some((_, draft)) => draft,
            None => self.text.clone(),
        };
        let text = self.history.get(next).unwrap_or(&draft).clone();
        self.set(&text);
        self.recalled = (next < newest).then_some((next, draft));
        true
    }

    /// Draws the part around the cursor in so many columns. The window moves by half of itself, so
    /// that the text does not slide under the cursor at each key.
    pub fn view(&self, columns: usize) -> InputView {
        let at = width::width(&visible(self.before()));
        let skipped = if at < columns {
            0
        } else {
            let step = (columns / 2).max(1);
            (at + 1 - columns.min(at)).div_ceil(step) * step
        };
        let skipped = skipped.min(at);
        let line = self.window(skipped, columns);
        let cursor = at.saturating_sub(skipped);
        InputView {
            line,
            cursor: cursor.min(columns.saturating_sub(1)),
        }
    }

    /// So many columns of the visible text, after those that are skipped.
    fn window(&self, skipped: usize, columns: usize) -> Line {
        let mut line = Line::new();
        let (mut x, mut filled) = (0, 0);
        for (at, letter) in letters(&self.text) {
            let letter_visible = visible(letter);
            let wide = width::width(&letter_visible);
            let start = x;
            x += wide;
            if start < skipped {
                // A letter that is half out of the window leaves blanks, so that columns hold.
                let blank = x.saturating_sub(skipped).min(columns);
                filled += blank;
                line.push(Tone::Dim, &" ".repeat(blank));
                continue;
            }
            if filled + wide > columns {
                let room = columns.saturating_sub(filled);
                let (part, _) = width::fit(&letter_visible, room, "");
                line.push(self.tone(at, letter), part);
                return line;
            }
            filled += wide;
            line.push(self.tone(at, letter), &letter_visible);
        }
        if filled < columns
            && self
                .error
                .as_ref()
                .is_some_and(|e| e.start >= self.text.len())
        {
            line.push(Tone::Error, " ");
        }
        line
    }

    fn tone(&self, at: usize, letter: &str) -> Tone {
        let wrong = self.error.as_ref().is_some_and(|error| {
            let end = error.end.max(error.start + 1);
            at < end && at + letter.len() > error.start
        });
        if wrong {
            Tone::Error
        } else if letter.contains(is_hostile) {
            Tone::Dim
        } else {
            Tone::Text
        }
    }
}

/// True for what is drawn over the letter before it.
fn is_mark(c: char) -> bool {
    !is_hostile(c) && width::width(c.encode_utf8(&mut [0; 4])) == 0
}

/// Letters with their marks, and where they begin.
fn letters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let mut chars = rest.char_indices();
        chars.next()?;
        let end = chars.find(|(_, c)| !is_mark(*c));
        let end = end.map_or(rest.len(), |(end, _)| end);
        let letter = (at, rest.get(..end)?);
        at += end;
        Some(letter)
    })
}
