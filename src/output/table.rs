//! Aligned columns for lists: topics, adapters, groups. Cells are text that others may have
//! written: they are made visible here.

use super::style::TITLE;
use crate::text::{self, width};

/// On which side a column's texts line up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Rows under titles.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are empty, surplus ones are left out.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut row: Vec<String> = cells
            .into_iter()
            .take(self.columns.len())
            .map(|cell| text::Visible(cell.as_ref()).to_string())
            .collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends the titles and rows, two spaces between columns, none at the end of a line.
    pub fn write(&self, out: &mut Vec<u8>, color: bool) {
        let titles: Vec<String> = self.columns.iter().map(|c| c.0.to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| {
                let cells = std::iter::once(&titles).chain(&self.rows);
                cells
                    .filter_map(|row| row.get(i))
                    .map(|cell| width::width(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        TITLE.paint(out, color, |out| self.line(out, &titles, &widths));
        out.push(b'\n');
        for row in &self.rows {
            self.line(out, row, &widths);
            out.push(b'\n');
        }
    }

    fn line(&self, out: &mut Vec<u8>, cells: &[String], widths: &[usize]) {
        let mut owed = 0;
        for ((cell, (_, align)), column) in cells.iter().zip(&self.columns).zip(widths) {
            let padding = column - width::width(cell).min(*column);
            let (before, after) = match align {
                Align::Left => (0, padding),
                Align::Right => (padding, 0),
            };
            owed += before;
            if !cell.is_empty() {
                out.resize(out.len() + owed, b' ');
                out.extend_from_slice(cell.as_bytes());
                owed = 0;
            }
            owed += after + 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[
            ("TOPIC", Align::Left),
            ("EVENTS", Align::Right),
            ("NOTE", Align::Left),
        ]);
        table.row(["orders", "2,000,000", ""]);
        table.row(["漢字", "7", "wide"]);
        table.row(["a\x1b[2Jb", "", "no count"]);
        table.row(["short"]);
        table
    }

    #[test]
    fn columns_line_up_by_what_they_take_on_a_screen() {
        let mut out = Vec::new();
        table().write(&mut out, false);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "TOPIC         EVENTS  NOTE\n\
             orders     2,000,000\n\
             漢字               7  wide\n\
             a\\x1b[2Jb             no count\n\
             short\n"
        );
    }

    #[test]
    fn only_the_titles_are_painted() {
        let mut out = Vec::new();
        table().write(&mut out, true);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("\x1b[1mTOPIC"));
        assert_eq!(text.matches('\x1b').count(), 2);
    }
}
