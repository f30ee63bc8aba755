//! The state of a one-line editor: text, cursor, history. What the text means, and whether it is
//! right, others decide; they may mark a part of it as wrong.

use std::ops::Range;

use super::line::{Line, Tone, visible};
use crate::text::{is_hostile, width};

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

#[cfg(test)]
mod tests {
    use super::super::line::tests::{POISON, nasty};
    use super::*;
    use proptest::prelude::*;

    fn typed(edits: &[Edit<'_>]) -> Input {
        let mut input = Input::default();
        for edit in edits {
            input.apply(*edit);
        }
        input
    }

    #[test]
    fn keys_edit_where_the_cursor_is() {
        let mut input = Input::new("one two  three");
        for (edit, text, cursor) in [
            (Edit::DeleteWord, "one two  ", 9),
            (Edit::WordLeft, "one two  ", 4),
            (Edit::Insert('X'), "one Xtwo  ", 5),
            (Edit::Backspace, "one two  ", 4),
            (Edit::Backspace, "onetwo  ", 3),
            (Edit::Delete, "onewo  ", 3),
            (Edit::WordRight, "onewo  ", 5),
            (Edit::DeleteToEnd, "onewo", 5),
            (Edit::Home, "onewo", 0),
            (Edit::Left, "onewo", 0),
            (Edit::Backspace, "onewo", 0),
            (Edit::Right, "onewo", 1),
            (Edit::DeleteToStart, "newo", 0),
            (Edit::End, "newo", 4),
            (Edit::Right, "newo", 4),
            (Edit::Delete, "newo", 4),
        ] {
            let before = input.text().to_owned();
            assert_eq!(input.apply(edit), before != text, "{edit:?}");
            assert_eq!((input.text(), input.cursor()), (text, cursor), "{edit:?}");
        }
    }

    #[test]
    fn a_letter_goes_with_its_marks() {
        let mut input = Input::new("ae\u{301}❤\u{fe0f}");
        input.apply(Edit::Backspace);
        assert_eq!(input.text(), "ae\u{301}");
        input.apply(Edit::Left);
        assert_eq!(input.cursor(), 1);
        input.apply(Edit::Delete);
        assert_eq!(input.text(), "a");
    }

    #[test]
    fn a_paste_becomes_one_line() {
        let input = typed(&[Edit::Paste("a\nb\r\nc\td\re")]);
        assert_eq!(input.text(), "a b c d e");
        assert!(!input.was_cut());
    }

    #[test]
    fn a_huge_paste_is_cut_and_says_so() {
        let megabyte = "é".repeat(512 * 1024);
        let mut input = Input::new("start ");
        assert!(input.apply(Edit::Paste(&megabyte)));
        assert!(input.was_cut());
        assert!(input.text().len() <= MAX_BYTES && input.text().len() > MAX_BYTES - 2);
        assert!(input.text().starts_with("start é"));
        assert!(!input.apply(Edit::Insert('漢')));
        assert!(input.was_cut());
        input.apply(Edit::DeleteToStart);
        assert!(!input.was_cut());
    }

    #[test]
    fn the_history_goes_back_and_returns_to_the_draft() {
        let mut input = Input::default().with_history(["a".to_owned(), "b".to_owned()]);
        input.apply(Edit::Paste("draft"));
        for (edit, text) in [
            (Edit::Older, "b"),
            (Edit::Older, "a"),
            (Edit::Older, "a"),
            (Edit::Newer, "b"),
            (Edit::Newer, "draft"),
            (Edit::Newer, "draft"),
        ] {
            input.apply(edit);
            assert_eq!(input.text(), text, "{edit:?}");
        }
        assert_eq!(input.submit(), "draft");
        input.apply(Edit::Paste("a"));
        assert_eq!(input.submit(), "a");
        input.submit();
        assert_eq!(input.history(), ["b", "draft", "a"]);
        assert!(input.is_empty());
    }

    #[test]
    fn what_is_wrong_is_marked_until_the_next_edit() {
        let mut input = Input::new(".a == ]");
        input.set_error(Some(6..7));
        let wrong = |input: &Input| {
            let view = input.view(40);
            let spans = view.line.spans().to_vec();
            spans.into_iter().find(|(tone, _)| *tone == Tone::Error)
        };
        assert_eq!(wrong(&input), Some((Tone::Error, "]".to_owned())));
        input.apply(Edit::Left);
        assert!(wrong(&input).is_some());
        input.apply(Edit::Delete);
        assert_eq!(wrong(&input), None);
        input.set_error(Some(6..6));
        assert_eq!(wrong(&input), Some((Tone::Error, " ".to_owned())));
    }

    #[test]
    fn a_long_text_is_shown_around_the_cursor() {
        let mut input = Input::new("0123456789abcdefghij");
        let shown = |input: &Input| {
            let view = input.view(10);
            (view.line.text(), view.cursor)
        };
        assert_eq!(shown(&input), ("fghij".to_owned(), 5));
        input.apply(Edit::Left);
        assert_eq!(shown(&input), ("abcdefghij".to_owned(), 9));
        input.apply(Edit::Home);
        assert_eq!(shown(&input), ("0123456789".to_owned(), 0));
    }

    #[test]
    fn hostile_text_is_shown_and_still_there() {
        let input = Input::new(POISON);
        let view = input.view(400);
        assert!(!view.line.is_hostile());
        assert!(view.line.text().contains("\\u{202e}"));
        assert!(input.text().contains('\u{202e}'));
    }

    fn edit(kind: u8, text: &str) -> Edit<'_> {
        match kind {
            0 => Edit::Insert(text.chars().next().unwrap_or('x')),
            1 => Edit::Paste(text),
            2 => Edit::Backspace,
            3 => Edit::Delete,
            4 => Edit::DeleteWord,
            5 => Edit::DeleteToStart,
            6 => Edit::DeleteToEnd,
            7 => Edit::Left,
            8 => Edit::Right,
            9 => Edit::WordLeft,
            10 => Edit::WordRight,
            11 => Edit::Home,
            12 => Edit::Older,
            13 => Edit::Newer,
            _ => Edit::End,
        }
    }

    proptest! {
        #[test]
        fn the_cursor_stays_in_the_text_and_in_the_window(
            steps in prop::collection::vec((0..15u8, nasty()), 0..30),
            columns in 0..30usize,
        ) {
            let mut input = Input::default().with_history(["old é".to_owned()]);
            for (kind, text) in &steps {
                let before = input.text().to_owned();
                let changed = input.apply(edit(*kind, text));
                prop_assert!(changed || before == input.text());
                prop_assert!(input.text().is_char_boundary(input.cursor()));
                prop_assert!(!input.text().contains(['\n', '\r', '\t']));
                input.set_error(Some(text.len()..text.len() + 3));
                let view = input.view(columns);
                prop_assert!(view.cursor < columns.max(1));
                prop_assert!(view.line.width() <= columns, "{:?} in {}", view.line, columns);
                prop_assert!(!view.line.is_hostile());
            }
        }

        #[test]
        fn moving_left_and_right_comes_back(text in nasty()) {
            let mut input = Input::new(&text);
            let mut stops = vec![input.cursor()];
            while input.cursor() > 0 {
                input.apply(Edit::Left);
                stops.push(input.cursor());
            }
            for stop in stops.iter().rev() {
                prop_assert_eq!(input.cursor(), *stop);
                input.apply(Edit::Right);
            }
        }
    }
}
