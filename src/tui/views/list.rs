//! Lists and tables of the views: the rows that are on the screen, the cells of a line, heads of
//! columns, the mark of the row under the cursor. What stands in them is the view's.

use ratatui::layout::Rect;

use crate::tui::canvas::{Canvas, below, line_of, rest_of};
use crate::tui::theme::Role;
use crate::tui::widgets::table::{self, Align, Column, Placed};

/// The rows of a list that are on the screen, each with its line; the one under the cursor is near
/// the middle.
pub fn on_screen(area: Rect, at: usize, rows: usize) -> impl Iterator<Item = (usize, Rect)> {
    let height = usize::from(area.height);
    let top = top_of(at, height, rows);
    let last = rows.min(top.saturating_add(height));
    (top..last).map(move |row| (row, line_of(area, row - top)))
}

/// The first of them.
pub fn top_of(at: usize, height: usize, rows: usize) -> usize {
    at.saturating_sub(height / 2)
        .min(rows.saturating_sub(height))
}

/// The place of a column on a line.
pub fn cell(line: Rect, placed: &Placed) -> Rect {
    let x = u16::try_from(placed.x).unwrap_or(u16::MAX);
    let cell = rest_of(line, x);
    let width = u16::try_from(placed.width).unwrap_or(u16::MAX);
    Rect {
        width: cell.width.min(width),
        ..cell
    }
}

/// Writes the names of columns over them.
pub fn heads(canvas: &mut Canvas<'_>, line: Rect, placed: &[Placed], names: &[&str]) {
    for place in placed {
        let name = names.get(place.column).copied().unwrap_or_default();
        canvas.put(cell(line, place), name, Role::Title);
    }
}

/// Marks the row under the cursor: by a sign, too, in its first cell.
pub fn point_at(canvas: &mut Canvas<'_>, line: Rect) {
    canvas.paint(line, Role::Cursor);
    let sign = Rect { width: 1, ..line };
    canvas.put(sign, canvas.glyphs.cursor, Role::Accent);
}

/// A table of texts, each of which fills its cell.
pub struct Table<'a> {
    pub columns: &'a [Column],
    pub names: &'a [&'a str],
    /// Whether a column has numbers: they line up on the right.
    pub is_number: fn(usize) -> bool,
}

impl Table<'_> {
    /// Draws the heads and of so many rows those that are on the screen, with the cursor at one;
    /// `text` tells what stands in a cell of a row.
    pub fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        (rows, at): (usize, usize),
        text: impl Fn(usize, &Placed) -> Option<(Role, String)>,
    ) {
        let placed = table::layout(self.columns, usize::from(area.width), 2);
        for place in &placed {
            let name = self.names.get(place.column).copied().unwrap_or_default();
            self.put(canvas, line_of(area, 0), place, (Role::Title, name));
        }
        for (row, line) in on_screen(below(area, 1), at, rows) {
            for place in &placed {
                if let Some((role, text)) = text(row, place) {
                    self.put(canvas, line, place, (role, &text));
                }
            }
            if row == at {
                canvas.paint(line, Role::Cursor);
            }
        }
    }

    fn put(&self, canvas: &mut Canvas<'_>, line: Rect, place: &Placed, (role, text): (Role, &str)) {
        let align = if (self.is_number)(place.column) {
            Align::Right
        } else {
            Align::Left
        };
        let text = table::cell(text, place.width, align, canvas.glyphs.ellipsis);
        canvas.put(cell(line, place), &text, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_its_end_and_what_is_chosen() {
        assert_eq!(top_of(0, 10, 100), 0);
        assert_eq!(top_of(50, 10, 100), 45);
        assert_eq!(top_of(99, 10, 100), 90);
        assert_eq!(top_of(3, 10, 4), 0);
        assert_eq!(top_of(3, 0, 4), 3);
    }

    #[test]
    fn rows_stand_on_the_lines_of_their_place_and_no_others() {
        let area = Rect::new(5, 2, 20, 3);
        let shown = |at, rows| -> Vec<(usize, u16)> {
            on_screen(area, at, rows)
                .map(|(row, line)| (row, line.y))
                .collect()
        };
        assert_eq!(shown(0, 2), [(0, 2), (1, 3)]);
        assert_eq!(shown(9, 10), [(7, 2), (8, 3), (9, 4)]);
        assert_eq!(shown(5, 10), [(4, 2), (5, 3), (6, 4)]);
        assert_eq!(shown(0, 0), []);
        let nowhere = Rect { height: 0, ..area };
        assert_eq!(on_screen(nowhere, 3, 10).count(), 0);
    }
}
