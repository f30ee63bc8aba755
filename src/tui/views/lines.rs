//! What views of reports have in common: lines of parts below each other, sentences that go on in
//! the next line, where a list begins on the screen, and the way from a coordinate to its event.

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

/// A sentence in lines of this width, broken between words where that is possible.
pub fn wrap(role: Role, text: &str, columns: usize) -> Vec<Line> {
    let safe = Visible(text).to_string();
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut rest = safe.as_str();
    loop {
        let (kept, _) = width::fit(rest, columns, "");
        if kept.len() == rest.len() || kept.is_empty() {
            lines.push(line(role, rest));
            return lines;
        }
        let word = kept.rfind(' ').map(|at| at + 1);
        let cut = word.filter(|at| *at > kept.len() / 2).unwrap_or(kept.len());
        let (now, later) = rest.split_at(cut);
        lines.push(line(role, now.trim_end()));
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

/// The first row of a list on the screen, so that the chosen one is near its middle.
pub fn top_of(at: usize, rows: usize, len: usize) -> usize {
    at.saturating_sub(rows / 2).min(len.saturating_sub(rows))
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
        assert_eq!(told(""), [""]);
        assert!(!told("a\u{1b}[2J").concat().contains('\u{1b}'));
    }

    #[test]
    fn a_list_shows_its_end_and_what_is_chosen() {
        assert_eq!(top_of(0, 10, 100), 0);
        assert_eq!(top_of(50, 10, 100), 45);
        assert_eq!(top_of(99, 10, 100), 90);
        assert_eq!(top_of(3, 10, 4), 0);
        assert_eq!(top_of(3, 0, 4), 3);
    }
}
