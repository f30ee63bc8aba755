//! Bytes of any size as visible text in wrapped lines. Where lines begin is found out as far as it
//! is needed, a bounded piece at a time; one place in 64 is kept.

use std::ops::Range;
use std::sync::Arc;

use super::needle::Needle;
use super::{Line, Marks, Tone};
use crate::text::{is_hostile, width, write_visible};

/// Rows between two places that are kept.
const EVERY: usize = 64;
/// Bytes that are wrapped at once when the text is opened.
const FIRST_BYTES: usize = 64 * 1024;

/// A text wrapped to a width.
#[derive(Debug, Clone)]
pub struct TextLines {
    bytes: Arc<[u8]>,
    columns: usize,
    /// Where rows 0, 64, 128, … begin.
    starts: Vec<usize>,
    /// Rows that are known, and where the next one begins.
    rows: usize,
    wrapped: usize,
}

impl TextLines {
    /// Wraps the beginning of the text. Another width needs another one.
    pub fn new(bytes: Arc<[u8]>, columns: usize) -> Self {
        let mut lines = Self {
            bytes,
            columns: columns.max(1),
            starts: Vec::new(),
            rows: 0,
            wrapped: 0,
        };
        lines.grow(FIRST_BYTES);
        lines
    }

    /// Rows that are known so far; all of them when it is complete.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// True when every row is known.
    pub fn is_complete(&self) -> bool {
        self.wrapped >= self.bytes.len()
    }

    /// The part of the text that is wrapped, in bytes of all.
    pub fn progress(&self) -> (usize, usize) {
        (self.wrapped, self.bytes.len())
    }

    /// Wraps some more bytes; true when it is complete. A row more or less than asked.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let aim = self.wrapped.saturating_add(bytes);
        while self.wrapped < aim && !self.is_complete() {
            if self.rows.is_multiple_of(EVERY) {
                self.starts.push(self.wrapped);
            }
            self.rows += 1;
            self.wrapped = self.row_end(self.wrapped);
        }
        self.is_complete()
    }

    /// The row that a byte stands in, as far as is known.
    pub fn row_at(&self, byte: usize) -> usize {
        let after = self.starts.partition_point(|start| *start <= byte);
        let kept = after.saturating_sub(1);
        let (mut row, mut at) = (kept * EVERY, self.starts.get(kept).copied().unwrap_or(0));
        while row + 1 < self.rows {
            at = self.row_end(at);
            if at > byte {
                break;
            }
            row += 1;
        }
        row
    }

    /// Where a row begins; the end of what is known for rows beyond it.
    pub fn byte_at(&self, row: usize) -> usize {
        if row >= self.rows {
            return self.wrapped;
        }
        let mut at = self
            .starts
            .get(row / EVERY)
            .copied()
            .unwrap_or(self.wrapped);
        for _ in 0..row % EVERY {
            at = self.row_end(at);
        }
        at
    }

    /// The lines of a range of rows, with what is sought marked.
    pub fn rows(&self, range: Range<usize>, marks: &Marks, needle: Option<&Needle>) -> Vec<Line> {
        let end = range.end.min(self.rows);
        let mut at = self.byte_at(range.start);
        (range.start..end)
            .map(|_| {
                let next = self.row_end(at);
                let row = self.bytes.get(at..next).unwrap_or_default();
                at = next;
                let row = row.strip_suffix(b"\n").unwrap_or(row);
                line(row, needle).cut(self.columns, marks.ellipsis)
            })
            .collect()
    }

    /// Where the row ends that begins here: after a line end, or before what is too wide.
    fn row_end(&self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        // Plain text takes a column a byte.
        if let Some(row) = rest.get(..self.columns)
            && row.iter().all(|b| matches!(b, b' '..=b'~'))
            && rest.get(self.columns).is_none_or(u8::is_ascii)
        {
            let line_end = usize::from(rest.get(self.columns) == Some(&b'\n'));
            return start + self.columns + line_end;
        }
        // Marks that take no column could make a row as long as the text.
        let longest = self.columns.saturating_mul(16).saturating_add(64);
        let (mut at, mut taken, mut before) = (0, 0, 0);
        while at < rest.len() && at < longest {
            if rest.get(at) == Some(&b'\n') {
                return start + at + 1;
            }
            let (len, wide) = unit(rest.get(at..).unwrap_or_default(), before);
            if taken + wide > self.columns && at > 0 {
                break;
            }
            taken += wide;
            at += len;
            before = wide;
        }
        start + at
    }
}

/// The bytes of the first character, or of one stray byte, and the columns that it takes.
fn unit(bytes: &[u8], before: usize) -> (usize, usize) {
    let head = bytes.get(..4).unwrap_or(bytes);
    let valid = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    match valid.chars().next() {
        Some(c) if is_hostile(c) => {
            let mut out = Vec::new();
            write_visible(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            (c.len_utf8(), out.len())
        }
        Some(c) => (c.len_utf8(), width::columns_of(c, before)),
        None => (1, "\\xff".len()),
    }
}

/// A row of bytes as a line: what had to be made visible is toned down.
fn line(row: &[u8], needle: Option<&Needle>) -> Line {
    let mut line = Line::new();
    let mut tell = |tone, text: &str| match needle {
        Some(needle) => needle.pieces(text, |hit, piece| {
            line.push(if hit { Tone::Match } else { tone }, piece);
        }),
        None => line.push(tone, text),
    };
    let mut odd = Vec::new();
    for chunk in row.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_hostile(*c)) {
            tell(Tone::Text, rest.get(..at).unwrap_or_default());
            tell(Tone::Dim, c.encode_utf8(&mut [0; 4]));
            rest = rest.get(at + c.len_utf8()..).unwrap_or_default();
        }
        tell(Tone::Text, rest);
        odd.clear();
        write_visible(&mut odd, chunk.invalid());
        tell(Tone::Dim, str::from_utf8(&odd).unwrap_or_default());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::{POISON, nasty};
    use super::*;
    use proptest::prelude::*;

    fn wrapped(bytes: &[u8], columns: usize) -> TextLines {
        let mut lines = TextLines::new(Arc::from(bytes), columns);
        while !lines.grow(1000) {}
        lines
    }

    fn texts(bytes: &[u8], columns: usize) -> Vec<String> {
        let lines = wrapped(bytes, columns);
        let rows = lines.rows(0..usize::MAX, &Marks::UNICODE, None);
        rows.iter().map(Line::text).collect()
    }

    #[test]
    fn lines_end_where_they_end_or_where_the_screen_does() {
        for (text, columns, rows) in [
            ("abcdef", 4, vec!["abcd", "ef"]),
            ("abcd\nef\n", 4, vec!["abcd", "ef"]),
            ("a\n\nb", 4, vec!["a", "", "b"]),
            ("漢字漢", 5, vec!["漢字", "漢"]),
            ("abcde\u{301}f", 5, vec!["abcde\u{301}", "f"]),
            ("a\tb\r\n", 9, vec!["a\\tb\\r"]),
            ("\u{202e}x", 4, vec!["\\u{…", "x"]),
            ("漢", 1, vec!["…"]),
            ("❤\u{fe0f}a", 2, vec!["❤\u{fe0f}", "a"]),
            ("", 4, vec![]),
            ("ab", 0, vec!["a", "b"]),
        ] {
            assert_eq!(texts(text.as_bytes(), columns), rows, "{text:?} {columns}");
        }
        assert_eq!(texts(b"ab\xff\xfecd", 6), ["ab\\xff", "\\xfecd"]);
    }

    #[test]
    fn ten_megabytes_are_wrapped_in_pieces() {
        let bytes: Arc<[u8]> = Arc::from(vec![b'x'; 10 << 20]);
        let mut lines = TextLines::new(bytes, 80);
        assert!(!lines.is_complete());
        assert_eq!(lines.len(), FIRST_BYTES.div_ceil(80));
        let mut pieces = 0;
        while !lines.grow(1 << 20) {
            pieces += 1;
        }
        assert_eq!(pieces, 9);
        assert_eq!(lines.len(), (10 << 20) / 80);
        assert_eq!(lines.starts.len(), lines.len() / EVERY);
        let last = lines.len() - 1;
        assert_eq!(lines.byte_at(last), 80 * last);
        assert_eq!(lines.row_at(80 * last + 5), last);
        assert_eq!(lines.rows(last..last + 9, &Marks::ASCII, None).len(), 1);
    }

    #[test]
    fn marks_without_a_column_do_not_make_one_endless_row() {
        let lines = wrapped("\u{301}".repeat(100_000).as_bytes(), 10);
        assert!(lines.len() > 500, "{}", lines.len());
    }

    #[test]
    fn hits_are_marked_and_odd_characters_toned_down() {
        let lines = wrapped(b"is PAID\x1b", 40);
        let needle = Needle::new("paid").unwrap();
        let lines = lines.rows(0..1, &Marks::UNICODE, Some(&needle));
        let spans: Vec<_> = lines[0]
            .spans()
            .iter()
            .map(|(t, s)| (*t, s.as_str()))
            .collect();
        assert_eq!(
            spans,
            [
                (Tone::Text, "is "),
                (Tone::Match, "PAID"),
                (Tone::Dim, "\\x1b")
            ]
        );
    }

    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(nasty(), 0..20).prop_map(|texts| texts.concat().into_bytes()),
            Just(POISON.repeat(9).into_bytes()),
            "[a-z\n]{0,400}".prop_map(String::into_bytes),
        ]
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_no_row_too_wide(bytes in any_bytes(), columns in 0..40usize) {
            let lines = wrapped(&bytes, columns);
            let rows = lines.rows(0..usize::MAX, &Marks::UNICODE, None);
            prop_assert_eq!(rows.len(), lines.len());
            for line in &rows {
                prop_assert!(line.width() <= columns.max(1) && !line.is_hostile(), "{line:?}");
            }
            // Wide enough that no single character is cut, the rows hold the whole text.
            let wide = texts(&bytes, columns + 12).concat();
            let mut whole = Vec::new();
            for line in bytes.split(|b| *b == b'\n') {
                write_visible(&mut whole, line);
            }
            prop_assert_eq!(wide, String::from_utf8(whole).unwrap());
        }

        #[test]
        fn a_row_is_drawn_the_same_from_anywhere(bytes in any_bytes(), columns in 1..6usize) {
            let lines = wrapped(&bytes, columns);
            let all = lines.rows(0..usize::MAX, &Marks::UNICODE, None);
            for (row, line) in all.iter().enumerate() {
                let one = lines.rows(row..row + 1, &Marks::UNICODE, None);
                prop_assert_eq!(&one[0], line);
                prop_assert_eq!(lines.row_at(lines.byte_at(row)), row);
            }
        }
    }
}
