//! What views of reports have in common: lines of parts below each other, sentences that go on in
//! the next line, and the way from a coordinate to its event.

use ratatui::layout::Rect;

use super::stream;
use crate::inspect::At;
use crate::text::{Visible, width};
use crate::tui::canvas::{Canvas, line_of};
use crate::tui::model::Model;
use crate::tui::model::stream::Place;
use crate::tui::msg::Effect;
use crate::tui::theme::Role;

/// One line: pieces of text, each with what it is.
pub type Line = Vec<(Role, String)>;

/// A line of one piece.
pub fn line(role: Role, text: impl Into<String>) -> Line {
    vec![(role, text.into())]
}

/// Draws one line; what does not fit is cut.
pub fn put(canvas: &mut Canvas<'_>, area: Rect, line: &[(Role, String)]) {
    let parts: Vec<(Role, &str)> = line.iter().map(|(role, text)| (*role, &**text)).collect();
    canvas.parts(area, &parts);
}

/// Draws lines from this one on, as many as there is room for.
pub fn put_all(canvas: &mut Canvas<'_>, area: Rect, lines: &[Line], top: usize) {
    let rows = lines.iter().skip(top).take(usize::from(area.height));
    for (row, line) in rows.enumerate() {
        put(canvas, line_of(area, row), line);
    }
}

/// A sentence in lines of this width, broken between words where that is possible. It keeps the
/// blanks that it begins with in each of them.
pub fn wrap(role: Role, text: &str, columns: usize) -> Vec<Line> {
    let safe = Visible(text).to_string();
    let blanks = safe.len() - safe.trim_start_matches(' ').len();
    let (lead, mut rest) = safe.split_at(blanks);
    let columns = columns.saturating_sub(blanks).max(8);
    let mut lines = Vec::new();
    loop {
        let (kept, _) = width::fit(rest, columns, "");
        if kept.len() == rest.len() || kept.is_empty() {
            lines.push(line(role, format!("{lead}{rest}")));
            return lines;
        }
        let word = kept.rfind(' ').map(|at| at + 1);
        let cut = word.filter(|at| *at > kept.len() / 2).unwrap_or(kept.len());
        let (now, later) = rest.split_at(cut);
        lines.push(line(role, format!("{lead}{}", now.trim_end())));
        rest = later;
    }
}

/// What a view says while there is nothing to show: a sentence, and below it what to do.
pub fn note(canvas: &mut Canvas<'_>, area: Rect, head: (Role, &str), rest: &[String]) {
    let columns = usize::from(area.width.saturating_sub(2));
    let mut lines = wrap(head.0, head.1, columns);
    if !rest.is_empty() {
        lines.push(Line::new());
    }
    for text in rest {
        lines.extend(wrap(Role::Dim, text, columns));
    }
    // A blank line and column around it, where there are any.
    let area = Rect {
        x: area.x + area.width.min(1),
        y: area.y + area.height.min(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(1),
    };
    put_all(canvas, area, &lines, 0);
}

/// Shows the event of a coordinate in the stream.
pub fn show(model: &mut Model, at: &At) -> Vec<Effect> {
    let place = Place {
        topic: at.topic.clone(),
        partition: at.partition,
        position: at.position,
    };
    stream::show_event(model, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_between_words_and_long_words_within() {
        let told = |text: &str| -> Vec<String> {
            let lines = wrap(Role::Text, text, 10);
            lines
                .into_iter()
                .map(|l| l.into_iter().map(|(_, t)| t).collect())
                .collect()
        };
        assert_eq!(told("one two three four"), ["one two", "three four"]);
        assert_eq!(told("abcdefghijklmno"), ["abcdefghij", "klmno"]);
        assert_eq!(told("  one two three"), ["  one two", "  three"]);
        assert_eq!(told(""), [""]);
        assert!(!told("a\u{1b}[2J").concat().contains('\u{1b}'));
    }
}
