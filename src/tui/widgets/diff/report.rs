//! What a comparison found: rows, their sum, and how they are drawn.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::text::{human, push_value, width, write_visible};
use crate::tui::widgets::{Line, Marks, Tone, clip};

/// Rows that are kept; what is beyond is counted only.
pub const MOST_ROWS: usize = 20_000;
/// Of them, rows that say that something is the same.
const MOST_SAME: usize = MOST_ROWS / 2;
/// Columns of a value that are kept.
const COLUMNS: usize = 200;
/// So much of what two long values begin with alike is left in front of where they differ.
const LEAD: usize = 8;

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Same,
    Added,
    Removed,
    Changed,
    /// Written in another way, but the same: `1.0` and `1`.
    Notation,
    /// Different, but passed over.
    Ignored,
}

/// A part of a value, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    text: String,
    /// Something is missing in front, or behind.
    skipped: bool,
    cut: bool,
}

impl Piece {
    /// Of JSON, as it is written.
    pub(super) fn json(raw: &[u8], from: usize) -> Self {
        Self::of(raw, from, push_value)
    }

    /// Of any text.
    pub(super) fn plain(raw: &[u8], from: usize) -> Self {
        Self::of(raw, from, write_visible)
    }

    /// Of our own words.
    pub(super) fn words(text: &str) -> Self {
        Self::plain(text.as_bytes(), 0)
    }

    fn of(raw: &[u8], from: usize, write: impl Fn(&mut Vec<u8>, &[u8])) -> Self {
        let raw = raw.get(from..).unwrap_or_default();
        let head = clip(raw, COLUMNS).as_bytes();
        let mut out = Vec::new();
        write(&mut out, head);
        let shown = String::from_utf8(out).unwrap_or_default();
        let (kept, _) = width::fit(&shown, COLUMNS, "");
        Self {
            cut: kept.len() < shown.len() || head.len() < raw.len(),
            text: kept.to_owned(),
            skipped: from > 0,
        }
    }

    fn width(&self, ellipsis: &str) -> usize {
        let marks = usize::from(self.skipped) + usize::from(self.cut);
        width::width(&self.text) + marks * width::width(ellipsis)
    }

    /// As much as fits.
    fn line(&self, tone: Tone, columns: usize, ellipsis: &str) -> Line {
        let mut line = Line::new();
        if self.skipped {
            line.push(Tone::Dim, ellipsis);
        }
        line.push(tone, &self.text);
        if self.cut {
            line.push(Tone::Dim, ellipsis);
        }
        line.cut(columns, ellipsis)
    }
}

/// Where two values are shown from, so that what differs is in sight.
pub(super) fn lead(old: &[u8], new: &[u8]) -> usize {
    let alike = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    if alike < 3 * LEAD || old.len().max(new.len()) < 6 * LEAD {
        return 0;
    }
    // Not within a character.
    let starts = (0..=alike - LEAD).rev().take(4);
    let whole = |at: &usize| old.get(*at).is_none_or(|b| b & 0xc0 != 0x80);
    starts.into_iter().find(whole).unwrap_or(0)
}

/// One row of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: Kind,
    /// As jq writes it, for the event object.
    pub path: String,
    pub old: Option<Piece>,
    pub new: Option<Piece>,
    pub note: Cow<'static, str>,
}

/// How many rows of a kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    pub changed: usize,
    pub added: usize,
    pub removed: usize,
    pub notation: usize,
    pub ignored: usize,
    /// Not all of them have a row.
    pub cut: bool,
}

impl Summary {
    /// True when nothing differs that was not passed over.
    pub fn is_same(&self) -> bool {
        self.changed + self.added + self.removed + self.notation == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize| human::count(number as u64);
        write!(
            f,
            "{} changed, {} added, {} removed",
            count(self.changed),
            count(self.added),
            count(self.removed)
        )?;
        if self.notation > 0 {
            write!(f, ", {} in notation only", count(self.notation))?;
        }
        if self.ignored > 0 {
            write!(f, ", {} ignored", count(self.ignored))?;
        }
        if self.cut {
            write!(f, "; the first {} are listed", count(MOST_ROWS))?;
        }
        Ok(())
    }
}

/// A comparison of two events.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    rows: Vec<Row>,
    same: usize,
    summary: Summary,
}

impl Diff {
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(super) fn push(&mut self, row: Row) {
        let summary = &mut self.summary;
        match row.kind {
            Kind::Same => self.same += 1,
            Kind::Added => summary.added += 1,
            Kind::Removed => summary.removed += 1,
            Kind::Changed => summary.changed += 1,
            Kind::Notation => summary.notation += 1,
            Kind::Ignored => summary.ignored += 1,
        }
        let full = row.kind == Kind::Same && self.same > MOST_SAME;
        if self.rows.len() >= MOST_ROWS || full {
            summary.cut = true;
        } else {
            self.rows.push(row);
        }
    }

    /// Counts what was passed over without a row.
    pub(super) fn pass_over(&mut self) {
        self.summary.ignored += 1;
    }

    /// The next row, or the one before, that says that something differs.
    pub fn next(&self, row: usize, forward: bool) -> Option<usize> {
        let differs = |at: &usize| {
            let kind = self.rows.get(*at).map(|row| row.kind);
            kind.is_some_and(|kind| !matches!(kind, Kind::Same | Kind::Ignored))
        };
        if forward {
            (row + 1..self.rows.len()).find(differs)
        } else {
            (0..row.min(self.rows.len())).rev().find(differs)
        }
    }

    /// The lines of a range of rows. Each begins with the sign of its kind: `+`, `-`, `~` for
    /// changed, `=` for another notation, `.` for passed over, a blank for the same.
    pub fn lines(&self, range: Range<usize>, columns: usize, marks: &Marks) -> Vec<Line> {
        let end = range.end.min(self.rows.len());
        let rows = self.rows.get(range.start.min(end)..end);
        let rows = rows.unwrap_or_default().iter();
        rows.map(|row| row.line(columns, marks)).collect()
    }
}

impl Row {
    fn line(&self, columns: usize, marks: &Marks) -> Line {
        let (sign, tone) = match self.kind {
            Kind::Same => (" ", Tone::Dim),
            Kind::Added => ("+", Tone::Added),
            Kind::Removed => ("-", Tone::Removed),
            Kind::Changed => ("~", Tone::Changed),
            Kind::Notation => ("=", Tone::Dim),
            Kind::Ignored => (".", Tone::Dim),
        };
        let dim = matches!(self.kind, Kind::Same | Kind::Ignored | Kind::Notation);
        let path = if dim { Tone::Dim } else { Tone::Key };
        let mut line = Line::new()
            .with(tone, sign)
            .with(Tone::Dim, " ")
            .with(path, &self.path);
        if self.old.is_some() || self.new.is_some() {
            line.push(Tone::Dim, ": ");
        }
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!("  {}", self.note)
        };
        let room = columns.saturating_sub(line.width() + width::width(&note));
        self.push_values(&mut line, room, dim, marks);
        line.push(Tone::Dim, &note);
        line.cut(columns, marks.ellipsis)
    }

    fn push_values(&self, line: &mut Line, room: usize, dim: bool, marks: &Marks) {
        let tone = |tone| if dim { Tone::Dim } else { tone };
        let mut push = |piece: &Piece, tone, room| {
            let part = piece.line(tone, room, marks.ellipsis);
            for (tone, text) in part.spans() {
                line.push(*tone, text);
            }
        };
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                let arrow = format!(" {} ", marks.arrow);
                let room = room.saturating_sub(width::width(&arrow));
                // Half of the room each, unless one needs less.
                let (wide, other) = (old.width(marks.ellipsis), new.width(marks.ellipsis));
                let first = wide.min(room.saturating_sub(other).max(room / 2));
                push(old, tone(Tone::Removed), first);
                push(&Piece::words(&arrow), Tone::Dim, usize::MAX);
                push(new, tone(Tone::Added), room - first);
            }
            (Some(old), None) => push(old, tone(Tone::Removed), room),
            (None, Some(new)) => push(new, tone(Tone::Added), room),
            (None, None) => {}
        }
    }
}
