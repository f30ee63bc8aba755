//! How many columns a text takes on a terminal. For text that went through `safe` already.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The variation selector that asks for a picture.
const EMOJI: char = '\u{fe0f}';

/// Columns that a character adds, `before` being what the one in front of it added. A selector
/// makes a wide picture of a narrow sign.
pub fn columns_of(c: char, before: usize) -> usize {
    match c {
        EMOJI if before == 1 => 1,
        _ => c.width().unwrap_or(0),
    }
}

/// The part of the text that fits into `columns`, and the mark when something was cut: together
/// they take at most `columns`. A mark that does not fit itself is left out.
pub fn fit<'a, 'b>(text: &'a str, columns: usize, mark: &'b str) -> (&'a str, &'b str) {
    let mark = if mark.width() <= columns { mark } else { "" };
    let room = columns - mark.width();
    let (mut taken, mut cut, mut before) = (0, 0, 0);
    // However long the text is, no more is looked at than fits.
    for (at, c) in text.char_indices() {
        let wide = columns_of(c, before);
        taken += wide;
        if taken > columns {
            return (&text[..cut], mark);
        }
        if taken <= room {
            cut = at + c.len_utf8();
        }
        before = wide;
    }
    (text, "")
}

/// The text with the mark when it had to be cut.
pub fn truncate<'a>(text: &'a str, columns: usize, mark: &str) -> Cow<'a, str> {
    match fit(text, columns, mark) {
        (kept, _) if kept.len() == text.len() => Cow::Borrowed(text),
        (kept, mark) => Cow::Owned(format!("{kept}{mark}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice_and_marks_not_at_all() {
        for (text, columns) in [("abc", 3), ("漢字", 4), ("e\u{301}", 1), ("", 0)] {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn a_cut_text_fits_and_shows_the_cut() {
        for (text, columns, cut) in [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "abcd…"),
            ("漢字漢字", 5, "漢字…"),
            ("漢字漢字", 4, "漢…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
            ("e\u{301}e\u{301}x", 2, "e\u{301}…"),
            ("❤\u{fe0f}❤\u{fe0f}", 4, "❤\u{fe0f}❤\u{fe0f}"),
            ("❤\u{fe0f}❤\u{fe0f}", 3, "❤\u{fe0f}…"),
            ("漢\u{fe0f}x", 3, "漢\u{fe0f}x"),
        ] {
            assert_eq!(truncate(text, columns, "…"), cut, "{text} {columns}");
            assert!(width(&truncate(text, columns, "…")) <= columns);
        }
        assert_eq!(truncate("abcdef", 2, "..."), "ab");
    }
}
