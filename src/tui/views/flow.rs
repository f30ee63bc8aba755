//! Pieces that several views draw with: facts that flow over lines, numbers and keys as text.

use ratatui::layout::Rect;

use crate::text::{Visible, human, width};
use crate::tui::canvas::{Canvas, line_of, rest_of};
use crate::tui::theme::Role;

/// One fact of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    role: Role,
    text: String,
}

impl Part {
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            text: text.into(),
        }
    }
}

/// Between two facts of a line.
const GAP: u16 = 2;

/// Draws paragraphs of facts, each on lines of its own; what does not fit on a line goes on below,
/// a little to the right. Gives the number of lines that were used.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, paragraphs: &[Vec<Part>]) -> u16 {
    let mut row = 0;
    for parts in paragraphs {
        let mut used = 0;
        for part in parts.iter().filter(|p| !p.text.is_empty()) {
            let safe = Visible(&part.text).to_string();
            let mut rest: &str = &safe;
            let wide = u16::try_from(width::width(rest)).unwrap_or(u16::MAX);
            if used > 0 && wide.saturating_add(used) > area.width {
                row += 1;
                used = GAP.min(area.width / 4);
            }
            // One that is longer than a line is broken between words.
            while !rest.is_empty() && row < area.height {
                let room = usize::from(area.width.saturating_sub(used));
                let line = rest_of(line_of(area, usize::from(row)), used);
                let (kept, left) = broken(rest, room);
                used += canvas.put(line, kept, part.role);
                rest = left;
                if !rest.is_empty() {
                    row += 1;
                    used = GAP.min(area.width / 4);
                }
            }
            used = used.saturating_add(GAP);
        }
        row = row.saturating_add(1);
    }
    row.min(area.height)
}

/// What of a text stands on this line, and what goes on the next.
fn broken(text: &str, room: usize) -> (&str, &str) {
    let (kept, _) = width::fit(text, room, "");
    if kept.len() == text.len() || kept.is_empty() {
        // A line that takes nothing takes all, cut: there is no end otherwise.
        return (text, "");
    }
    let at = kept.rfind(' ').filter(|at| *at > 0 && *at * 2 > kept.len());
    let (kept, rest) = text.split_at(at.unwrap_or(kept.len()));
    (kept, rest.trim_start())
}

/// `1 group`, `2,000 groups`.
pub fn number(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", human::count(number))
}

/// A key as text; nothing where there is none.
pub fn bytes(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(String::new, |b| String::from_utf8_lossy(b).into_owned())
}
