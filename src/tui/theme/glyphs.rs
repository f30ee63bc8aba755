//! The signs that evtap draws with, in Unicode and in ASCII. Every one takes one column, so that
//! both sets give the same layout.

use ratatui::symbols::{bar, border, line, scrollbar};

use super::Role;

/// One set of signs.
#[derive(Debug)]
pub struct Glyphs {
    pub valid: &'static str,
    pub invalid: &'static str,
    pub undecodable: &'static str,
    pub no_schema: &'static str,
    pub unknown: &'static str,
    /// A node of a tree whose children are shown, and one whose are not.
    pub open: &'static str,
    pub closed: &'static str,
    /// What was cut off.
    pub ellipsis: &'static str,
    pub mark: &'static str,
    /// A broker or context that is not written to.
    pub lock: &'static str,
    /// New events come in.
    pub live: &'static str,
    pub frozen: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub left: &'static str,
    pub right: &'static str,
    /// In front of the row that keys act on.
    pub cursor: &'static str,
    /// Between pieces of a line.
    pub separator: &'static str,
    /// Heights of a histogram's bar, from none to full.
    pub levels: [&'static str; 9],
    /// A progress bar: done, and to do.
    pub done: &'static str,
    pub to_do: &'static str,
    pub vertical: &'static str,
    pub horizontal: &'static str,
    pub borders: border::Set<'static>,
    pub borders_focused: border::Set<'static>,
    scrollbar: [&'static str; 4],
}

const UNICODE: Glyphs = Glyphs {
    valid: "✓",
    invalid: "✗",
    undecodable: "!",
    no_schema: "·",
    unknown: "?",
    open: "▾",
    closed: "▸",
    ellipsis: "…",
    mark: "◆",
    lock: "⊘",
    live: "●",
    frozen: "‖",
    up: "↑",
    down: "↓",
    left: "←",
    right: "→",
    cursor: "▌",
    separator: "·",
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    done: "█",
    to_do: "░",
    vertical: line::VERTICAL,
    horizontal: line::HORIZONTAL,
    borders: border::PLAIN,
    borders_focused: border::THICK,
    scrollbar: ["│", "█", "↑", "↓"],
};

const ASCII: Glyphs = Glyphs {
    valid: "v",
    invalid: "x",
    undecodable: "!",
    no_schema: "-",
    unknown: "?",
    open: "-",
    closed: "+",
    ellipsis: "~",
    mark: "*",
    lock: "#",
    live: "o",
    frozen: "=",
    up: "^",
    down: "v",
    left: "<",
    right: ">",
    cursor: ">",
    separator: "-",
    levels: [" ", ".", ":", "-", "=", "+", "*", "#", "@"],
    done: "#",
    to_do: ".",
    vertical: "|",
    horizontal: "-",
    borders: ascii_border("-", "|"),
    borders_focused: ascii_border("=", "|"),
    scrollbar: ["|", "#", "^", "v"],
};

const fn ascii_border(horizontal: &'static str, vertical: &'static str) -> border::Set<'static> {
    border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: vertical,
        vertical_right: vertical,
        horizontal_top: horizontal,
        horizontal_bottom: horizontal,
    }
}

impl Glyphs {
    pub const UNICODE: &Self = &UNICODE;
    pub const ASCII: &Self = &ASCII;

    pub fn of(ascii: bool) -> &'static Self {
        if ascii { Self::ASCII } else { Self::UNICODE }
    }

    /// The sign of a histogram's bar that is `value` of `most` high. Only nothing is drawn as
    /// nothing.
    pub fn level(&self, value: u64, most: u64) -> &'static str {
        let (value, most) = (u128::from(value.min(most)), u128::from(most));
        let eighths = (value * 8).div_ceil(most.max(1));
        usize::try_from(eighths)
            .ok()
            .and_then(|level| self.levels.get(level))
            .copied()
            .unwrap_or(" ")
    }

    /// The levels as ratatui's own bars want them.
    pub fn bars(&self) -> bar::Set<'static> {
        let [empty, one, two, three, four, five, six, seven, full] = self.levels;
        bar::Set {
            full,
            seven_eighths: seven,
            three_quarters: six,
            five_eighths: five,
            half: four,
            three_eighths: three,
            one_quarter: two,
            one_eighth: one,
            empty,
        }
    }

    pub fn scrollbar(&self) -> scrollbar::Set<'static> {
        let [track, thumb, begin, end] = self.scrollbar;
        scrollbar::Set {
            track,
            thumb,
            begin,
            end,
        }
    }
}

/// What is known of an event's payload. Always shown by its glyph or its word beside its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Decoded, and as its schema says.
    Valid,
    /// Decoded, and not as its schema says.
    Invalid,
    /// It cannot be decoded.
    Undecodable,
    /// There is no schema to judge by.
    None,
    /// It names a schema that is not known.
    Unknown,
}

impl Verdict {
    pub const ALL: [Self; 5] = [
        Self::Valid,
        Self::Invalid,
        Self::Undecodable,
        Self::None,
        Self::Unknown,
    ];

    pub fn glyph(self, glyphs: &Glyphs) -> &'static str {
        match self {
            Self::Valid => glyphs.valid,
            Self::Invalid => glyphs.invalid,
            Self::Undecodable => glyphs.undecodable,
            Self::None => glyphs.no_schema,
            Self::Unknown => glyphs.unknown,
        }
    }

    /// How much a person should mind it: the worst of several is the greatest.
    pub const fn weight(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Valid => 1,
            Self::Unknown => 2,
            Self::Undecodable => 3,
            Self::Invalid => 4,
        }
    }

    /// Whether something is wrong with the event, or may be.
    pub const fn is_trouble(self) -> bool {
        self.weight() > Self::Valid.weight()
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Undecodable => "undecodable",
            Self::None => "no schema",
            Self::Unknown => "unknown schema",
        }
    }

    pub fn role(self) -> Role {
        match self {
            Self::Valid => Role::Good,
            Self::Invalid => Role::Bad,
            Self::Undecodable | Self::Unknown => Role::Warn,
            Self::None => Role::Dim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width::width;

    fn all(glyphs: &Glyphs) -> Vec<&'static str> {
        let mut all = vec![
            glyphs.valid,
            glyphs.invalid,
            glyphs.undecodable,
            glyphs.no_schema,
            glyphs.unknown,
            glyphs.open,
            glyphs.closed,
            glyphs.ellipsis,
            glyphs.mark,
            glyphs.lock,
            glyphs.live,
            glyphs.frozen,
            glyphs.up,
            glyphs.down,
            glyphs.left,
            glyphs.right,
            glyphs.cursor,
            glyphs.separator,
            glyphs.done,
            glyphs.to_do,
            glyphs.vertical,
            glyphs.horizontal,
        ];
        all.extend(glyphs.levels);
        all.extend(glyphs.scrollbar);
        for set in [glyphs.borders, glyphs.borders_focused] {
            all.extend([set.top_left, set.top_right, set.bottom_left]);
            all.extend([set.bottom_right, set.vertical_left, set.vertical_right]);
            all.extend([set.horizontal_top, set.horizontal_bottom]);
        }
        all
    }

    #[test]
    fn every_glyph_takes_one_column_and_ascii_is_ascii() {
        for glyph in all(Glyphs::UNICODE).into_iter().chain(all(Glyphs::ASCII)) {
            assert_eq!(width(glyph), 1, "{glyph:?}");
        }
        assert!(all(Glyphs::of(true)).iter().all(|glyph| glyph.is_ascii()));
        assert!(!all(Glyphs::of(false)).iter().all(|glyph| glyph.is_ascii()));
    }

    #[test]
    fn verdicts_differ_by_glyph_and_by_word() {
        for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
            let mut shown: Vec<_> = Verdict::ALL.iter().map(|v| v.glyph(glyphs)).collect();
            shown.sort_unstable();
            shown.dedup();
            assert_eq!(shown.len(), Verdict::ALL.len());
        }
        let mut words: Vec<_> = Verdict::ALL.iter().map(|v| v.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Verdict::ALL.len());
    }

    #[test]
    fn only_nothing_is_drawn_as_nothing() {
        let glyphs = Glyphs::UNICODE;
        for (value, most, level) in [
            (0, 100, " "),
            (0, 0, " "),
            (1, 1_000_000, "▁"),
            (50, 100, "▄"),
            (51, 100, "▅"),
            (100, 100, "█"),
            (200, 100, "█"),
            (u64::MAX, u64::MAX, "█"),
        ] {
            assert_eq!(glyphs.level(value, most), level, "{value}/{most}");
        }
        assert_eq!(glyphs.bars().half, "▄");
        assert_eq!(Glyphs::ASCII.scrollbar().thumb, "#");
    }
}
