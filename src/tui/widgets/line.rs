//! A line of toned text, which is all that a widget hands to a view. No character that a terminal
//! obeys or a person cannot see gets into one.

use crate::text::{Visible, is_hostile, push_visible, width, write_visible};

/// What a piece of text is; the theme decides how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    Text,
    /// Punctuation, counts, what is there for orientation.
    Dim,
    /// The title of a section.
    Title,
    /// A member's name.
    Key,
    String,
    Number,
    /// `true`, `false` and `null`.
    Literal,
    /// What a search or a link points at.
    Match,
    Added,
    Removed,
    Changed,
    Error,
    /// What does not fit its schema.
    Bad,
    Cursor,
}

/// The few signs that widgets draw, for terminals with Unicode and without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Stands where text was cut.
    pub ellipsis: &'static str,
    /// In front of an open container.
    pub open: &'static str,
    /// In front of a closed one.
    pub closed: &'static str,
    /// Between the old and the new.
    pub arrow: &'static str,
    /// In front of what does not fit its schema.
    pub fault: &'static str,
}

impl Marks {
    pub const UNICODE: Self = Self {
        ellipsis: "…",
        open: "▾",
        closed: "▸",
        arrow: "→",
        fault: "✗",
    };
    pub const ASCII: Self = Self {
        ellipsis: "~",
        open: "-",
        closed: "+",
        arrow: "->",
        fault: "x",
    };
}

/// Spans of one line. They can only be added through here, where hostile text is made visible.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    indent: usize,
    spans: Vec<(Tone, String)>,
}

impl Line {
    pub fn new() -> Self {
        Self::default()
    }

    /// A line that begins so many columns to the right.
    pub fn indented(indent: usize) -> Self {
        Self {
            indent,
            spans: Vec::new(),
        }
    }

    /// Blank columns in front of the spans.
    pub fn indent(&self) -> usize {
        self.indent
    }

    pub fn spans(&self) -> &[(Tone, String)] {
        &self.spans
    }

    /// The text of all spans, without the indent.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Columns that the line takes.
    pub fn width(&self) -> usize {
        self.indent + width::width(&self.text())
    }

    /// Appends a text, made visible.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: &str) -> Self {
        self.push(tone, text);
        self
    }

    /// Appends a text, made visible. Neighbours of one tone become one span.
    pub fn push(&mut self, tone: Tone, text: &str) {
        if text.is_empty() {
            return;
        }
        let visible = Visible(text);
        match self.spans.last_mut() {
            Some((last, span)) if *last == tone => span.push_str(&visible.to_string()),
            _ => self.spans.push((tone, visible.to_string())),
        }
    }

    /// Appends bytes, made visible.
    pub fn push_bytes(&mut self, tone: Tone, bytes: &[u8]) {
        let mut out = Vec::new();
        write_visible(&mut out, bytes);
        self.push(tone, &String::from_utf8_lossy(&out));
    }

    /// Cuts the line to at most `columns`, with a mark where something is gone.
    #[must_use]
    pub fn cut(mut self, columns: usize, ellipsis: &str) -> Self {
        if self.width() <= columns {
            return self;
        }
        // An indent that leaves no room would hide everything.
        self.indent = self.indent.min(columns / 2);
        let mut left = columns - self.indent;
        let text = self.text();
        let (kept, mark) = width::fit(&text, left, ellipsis);
        let mut bytes = kept.len();
        left -= width::width(kept).min(left);
        let mut spans: Vec<(Tone, String)> = Vec::new();
        for (tone, span) in self.spans {
            let keep = bytes.min(span.len());
            bytes -= keep;
            if keep > 0 {
                spans.push((tone, span.get(..keep).unwrap_or_default().to_owned()));
            }
        }
        if !mark.is_empty() && width::width(mark) <= left {
            spans.push((Tone::Dim, mark.to_owned()));
        }
        self.spans = spans;
        self
    }

    /// True when a terminal would obey or hide something of it. Never; tests ask.
    pub fn is_hostile(&self) -> bool {
        self.spans.iter().any(|(_, text)| text.contains(is_hostile))
    }
}

/// The first part of a text that is sure to fill `columns` once it is visible: what long texts are
/// cut to before anything else is done with them. No character takes more than four bytes, and
/// marks that take no column are given some room. It ends before what is not UTF-8.
pub fn clip(text: &[u8], columns: usize) -> &str {
    let most = columns.saturating_mul(8).saturating_add(64);
    let head = text.get(..most).unwrap_or(text);
    head.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// A text with everything hostile made visible.
pub(super) fn visible(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    push_visible(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the demo's poisoned event carries, raw.
    pub const POISON: &str =
        "\u{1b}[2J\u{1b}[1;1H\u{1b}]52;c;ZXZpbA==\u{7}\rpaid\u{202e}txt.exe\u{9b}31m\u{200b}";

    /// Texts that are more often nasty than not.
    pub fn nasty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[ -~]{0,6}",
            Just("漢字".to_owned()),
            Just("e\u{301}".to_owned()),
            Just("❤\u{fe0f}".to_owned()),
            Just("👍🏽".to_owned()),
            Just("\u{1b}[2J".to_owned()),
            Just("\u{202e}".to_owned()),
            Just("\r\n\t".to_owned()),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn the_poison_is_shown_and_not_obeyed() {
        let line = Line::new().with(Tone::Text, POISON);
        assert!(!line.is_hostile());
        assert!(line.text().starts_with("\\x1b[2J\\x1b[1;1H\\x1b]52;"));
        assert!(line.text().contains("paid\\u{202e}txt.exe\\u{9b}31m"));
    }

    #[test]
    fn neighbours_of_one_tone_are_one_span_and_empty_ones_are_none() {
        let line = Line::new()
            .with(Tone::Key, "a")
            .with(Tone::Key, "b")
            .with(Tone::Dim, "")
            .with(Tone::Text, "c");
        let spans: Vec<_> = line.spans().iter().map(|(_, t)| t.as_str()).collect();
        assert_eq!(spans, ["ab", "c"]);
    }

    #[test]
    fn a_cut_keeps_tones_and_shows_that_something_is_gone() {
        let line = Line::indented(2)
            .with(Tone::Key, "name")
            .with(Tone::String, "漢字漢字");
        let cut = line.clone().cut(9, "…");
        assert_eq!(cut.text(), "name漢…");
        assert_eq!(cut.width(), 9);
        assert_eq!(line.clone().cut(14, "…"), line);
        assert_eq!(line.cut(1, "…").text(), "…");
    }

    proptest! {
        #[test]
        fn a_line_is_never_wider_than_it_was_cut_to(
            texts in prop::collection::vec(nasty(), 0..5),
            indent in 0..30usize,
            columns in 0..60usize,
        ) {
            let mut line = Line::indented(indent);
            for (i, text) in texts.iter().enumerate() {
                line.push(if i % 2 == 0 { Tone::Text } else { Tone::Key }, text);
            }
            let line = line.cut(columns, "…");
            prop_assert!(!line.is_hostile());
            prop_assert!(line.width() <= columns, "{line:?}");
        }

        #[test]
        fn bytes_are_as_safe_as_text(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut line = Line::new();
            line.push_bytes(Tone::Text, &bytes);
            prop_assert!(!line.is_hostile());
        }

        #[test]
        fn what_is_clipped_still_fills_the_columns(columns in 0..40usize) {
            let text = "漢e\u{301}".repeat(200);
            let clipped = clip(text.as_bytes(), columns);
            prop_assert!(width::width(clipped) >= columns);
        }
    }
}
