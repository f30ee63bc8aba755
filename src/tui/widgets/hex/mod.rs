//! Bytes as rows of offset, hexadecimal digits and text, in sections, with a cursor and a part
//! that something else points at. What the bytes mean is not known here.

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use crate::text::human;
use crate::tui::widgets::{Line, Marks, Tone};

/// Some bytes under a title: a key, a value, a header.
#[derive(Debug, Clone)]
pub struct Section {
    pub title: String,
    /// `None` is null, which differs from empty.
    pub bytes: Option<Arc<[u8]>>,
}

impl Section {
    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }
}

/// A byte of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    pub section: usize,
    pub at: usize,
}

/// Where a key takes the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Left,
    Right,
    Up(usize),
    Down(usize),
    RowStart,
    RowEnd,
    /// The first byte of all.
    First,
    Last,
}

/// A dump of sections.
#[derive(Debug, Clone, Default)]
pub struct Hex {
    sections: Vec<Section>,
    cursor: Place,
    linked: Option<(usize, Range<usize>)>,
}

/// What stands in a row.
enum Row {
    Title(usize),
    Bytes(Place),
}

/// Bytes in a row of so many columns.
pub const fn per_row(columns: usize) -> usize {
    match columns {
        76.. => 16,
        43.. => 8,
        _ => 4,
    }
}

impl Hex {
    pub fn new(sections: Vec<Section>) -> Self {
        let mut hex = Self {
            sections,
            ..Self::default()
        };
        hex.cursor.section = hex
            .sections
            .iter()
            .position(|s| !s.bytes().is_empty())
            .unwrap_or(0);
        hex
    }

    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn bytes(&self, section: usize) -> &[u8] {
        self.sections.get(section).map_or(&[], Section::bytes)
    }

    /// Rows of all sections, titles included.
    pub fn len(&self, per_row: usize) -> usize {
        self.rows_before(self.sections.len(), per_row)
    }

    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    fn rows_before(&self, section: usize, per_row: usize) -> usize {
        let rows = |s: &Section| 1 + s.bytes().len().div_ceil(per_row.max(1));
        self.sections.iter().take(section).map(rows).sum()
    }

    fn row(&self, row: usize, per_row: usize) -> Option<Row> {
        let mut left = row;
        for (section, part) in self.sections.iter().enumerate() {
            if left == 0 {
                return Some(Row::Title(section));
            }
            let rows = part.bytes().len().div_ceil(per_row.max(1));
            if left <= rows {
                let at = (left - 1) * per_row;
                return Some(Row::Bytes(Place { section, at }));
            }
            left -= rows + 1;
        }
        None
    }

    /// The row that a byte stands in.
    pub fn row_of(&self, place: Place, per_row: usize) -> usize {
        let last = self.bytes(place.section).len().saturating_sub(1);
        self.rows_before(place.section, per_row) + 1 + place.at.min(last) / per_row.max(1)
    }

    /// The first byte of a row; `None` for titles and beyond the end.
    pub fn place_at(&self, row: usize, per_row: usize) -> Option<Place> {
        match self.row(row, per_row)? {
            Row::Title(_) => None,
            Row::Bytes(place) => Some(place),
        }
    }

    /// The byte under the cursor; `None` when there are no bytes at all.
    pub fn cursor(&self) -> Option<Place> {
        let bytes = self.bytes(self.cursor.section);
        (self.cursor.at < bytes.len()).then_some(self.cursor)
    }

    /// Puts the cursor on a byte, or on the last of its section; a section without bytes is left
    /// alone.
    pub fn set_cursor(&mut self, place: Place) {
        if let Some(last) = self.bytes(place.section).len().checked_sub(1) {
            self.cursor = Place {
                at: place.at.min(last),
                ..place
            };
        }
    }

    /// Points at a part of a section, the bytes of a value say; the cursor goes to its beginning.
    pub fn link(&mut self, section: usize, part: Range<usize>) {
        let at = part.start;
        self.linked = Some((section, part));
        self.set_cursor(Place { section, at });
    }

    pub fn unlink(&mut self) {
        self.linked = None;
    }

    /// Moves the cursor.
    pub fn go(&mut self, motion: Motion, per_row: usize) {
        let per_row = per_row.max(1);
        let Place { section, at } = self.cursor;
        let start = at - at % per_row;
        let place = match motion {
            Motion::Left if at > 0 => Some(Place {
                section,
                at: at - 1,
            }),
            Motion::Left => self.filled(0..section).next_back().map(|s| self.end(s)),
            Motion::Right if at + 1 < self.bytes(section).len() => Some(Place {
                section,
                at: at + 1,
            }),
            Motion::Right => self
                .filled(section + 1..self.sections.len())
                .next()
                .map(begin),
            Motion::Up(rows) => self.vertical(rows, true, per_row),
            Motion::Down(rows) => self.vertical(rows, false, per_row),
            Motion::RowStart => Some(Place { section, at: start }),
            Motion::RowEnd => Some(Place {
                section,
                at: start + per_row - 1,
            }),
            Motion::First => self.filled(0..self.sections.len()).next().map(begin),
            Motion::Last => {
                let last = self.filled(0..self.sections.len()).next_back();
                last.map(|section| self.end(section))
            }
        };
        if let Some(place) = place {
            self.set_cursor(place);
        }
    }

    /// The sections that have bytes.
    fn filled(&self, among: Range<usize>) -> impl DoubleEndedIterator<Item = usize> + '_ {
        among.filter(|section| !self.bytes(*section).is_empty())
    }

    fn end(&self, section: usize) -> Place {
        let at = self.bytes(section).len().saturating_sub(1);
        Place { section, at }
    }

    /// So many rows up or down in the same column, past titles, and no further than there is.
    fn vertical(&self, rows: usize, up: bool, per_row: usize) -> Option<Place> {
        let column = self.cursor.at % per_row;
        let row = self.row_of(self.cursor, per_row);
        let last = self.len(per_row).saturating_sub(1);
        let aim = if up {
            row.saturating_sub(rows)
        } else {
            row.saturating_add(rows).min(last)
        };
        // On a title it goes on in its direction, and back when there is nothing more.
        let on = |row: &usize| self.place_at(*row, per_row).is_some();
        let above = || (0..=aim).rev().find(on);
        let below = || (aim..=last).find(on);
        let found = if up {
            above().or_else(below)
        } else {
            below().or_else(above)
        };
        let place = self.place_at(found?, per_row)?;
        Some(Place {
            at: place.at + column,
            ..place
        })
    }

    /// The lines of a range of rows for so many columns, each with [`per_row`] bytes.
    pub fn rows(&self, range: Range<usize>, columns: usize, marks: &Marks) -> Vec<Line> {
        let per_row = per_row(columns);
        let end = range.end.min(self.len(per_row));
        let rows = (range.start.min(end)..end).filter_map(|row| self.row(row, per_row));
        rows.map(|row| {
            let line = match row {
                Row::Title(section) => self.title(section),
                Row::Bytes(place) => self.line(place, per_row),
            };
            line.cut(columns, marks.ellipsis)
        })
        .collect()
    }

    fn title(&self, section: usize) -> Line {
        let Some(section) = self.sections.get(section) else {
            return Line::new();
        };
        let length = match &section.bytes {
            None => "null".to_owned(),
            Some(bytes) if bytes.is_empty() => "empty".to_owned(),
            Some(bytes) => human::size(bytes.len() as u64),
        };
        Line::new()
            .with(Tone::Title, &section.title)
            .with(Tone::Dim, &format!("  {length}"))
    }

    fn line(&self, place: Place, per_row: usize) -> Line {
        let bytes = self
            .bytes(place.section)
            .get(place.at..)
            .unwrap_or_default();
        let bytes = bytes.get(..per_row).unwrap_or(bytes);
        let mut line = Line::new().with(Tone::Dim, &format!("{:08x} ", place.at));
        for i in 0..per_row {
            if i % 8 == 0 {
                line.push(Tone::Dim, " ");
            }
            match bytes.get(i) {
                Some(byte) => line.push(self.tone(place, i, *byte), &format!("{byte:02x}")),
                None => line.push(Tone::Dim, "  "),
            }
            line.push(Tone::Dim, " ");
        }
        line.push(Tone::Dim, " ");
        for (i, byte) in bytes.iter().enumerate() {
            let sign = if is_printable(*byte) {
                char::from(*byte)
            } else {
                '.'
            };
            line.push(self.tone(place, i, *byte), sign.encode_utf8(&mut [0; 4]));
        }
        line
    }

    fn tone(&self, row: Place, i: usize, byte: u8) -> Tone {
        let place = Place {
            at: row.at + i,
            ..row
        };
        let linked = |(section, part): &(usize, Range<usize>)| {
            *section == place.section && part.contains(&place.at)
        };
        if self.cursor == place {
            Tone::Cursor
        } else if self.linked.as_ref().is_some_and(linked) {
            Tone::Match
        } else if is_printable(byte) {
            Tone::Text
        } else {
            Tone::Dim
        }
    }
}

const fn begin(section: usize) -> Place {
    Place { section, at: 0 }
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}
