//! The rows of a tree as lines. What is longer than its line is never looked at beyond it.

use std::ops::Range;

use super::Tree;
use crate::text::{human, push_value, width};
use crate::tui::widgets::needle::Needle;
use crate::tui::widgets::{Line, Marks, Tone, clip};

/// Columns that a level is further to the right.
const STEP: usize = 2;

impl Tree {
    /// The lines of a range of rows, each of at most `columns`, with what is sought marked.
    pub fn rows(
        &self,
        range: Range<usize>,
        columns: usize,
        marks: &Marks,
        needle: Option<&Needle>,
    ) -> Vec<Line> {
        let rows = self
            .rows
            .get(range.start.min(self.len())..range.end.min(self.len()));
        let rows = rows.unwrap_or_default().iter();
        rows.map(|&node| self.line(node as usize, columns, marks, needle))
            .collect()
    }

    fn line(&self, node: usize, columns: usize, marks: &Marks, needle: Option<&Needle>) -> Line {
        // Far to the right there would be no room for the values.
        let indent = (self.depth_of(node) * STEP).min(columns / 2);
        let mut line = Line::indented(indent);
        let container = self.container(node);
        let sign = match container.map(|c| self.is_open_container(c)) {
            Some(true) => marks.open,
            Some(false) => marks.closed,
            None => " ",
        };
        let faulty = self.is_faulty(node);
        match (faulty, container) {
            (false, _) => {
                line.push(Tone::Dim, sign);
                line.push(Tone::Dim, " ");
            }
            (true, None) => {
                line.push(Tone::Bad, marks.fault);
                line.push(Tone::Dim, " ");
            }
            (true, Some(_)) => {
                line.push(Tone::Dim, sign);
                line.push(Tone::Bad, marks.fault);
            }
        }
        self.push_label(&mut line, node, columns, needle);
        match container {
            Some(container) => self.push_count(&mut line, node, container),
            None => self.push_scalar(&mut line, node, columns, marks, needle),
        }
        line.cut(columns, marks.ellipsis)
    }

    /// The name of a member or the place of an item.
    fn push_label(&self, line: &mut Line, node: usize, columns: usize, needle: Option<&Needle>) {
        if node == 0 {
            return;
        }
        match self.index.name(&self.bytes, node) {
            Some(name) => {
                let name = name.start + 1..name.end.saturating_sub(1);
                let raw = self.bytes.get(name).unwrap_or_default();
                let name = shown(raw, columns);
                let tone = if self.is_faulty(node) {
                    Tone::Bad
                } else {
                    Tone::Key
                };
                push_marked(line, tone, &name, needle);
            }
            None => line.push(Tone::Dim, &self.index.place(node).to_string()),
        }
        line.push(Tone::Dim, ": ");
    }

    fn push_count(&self, line: &mut Line, node: usize, container: usize) {
        let count = human::count(self.index.count(container) as u64);
        let start = self.index.span(&self.bytes, node).start;
        let text = match self.bytes.get(start) {
            Some(b'{') => format!("{{{count}}}"),
            _ => format!("[{count}]"),
        };
        line.push(Tone::Dim, &text);
    }

    fn push_scalar(
        &self,
        line: &mut Line,
        node: usize,
        columns: usize,
        marks: &Marks,
        needle: Option<&Needle>,
    ) {
        let span = self.index.span(&self.bytes, node);
        let raw = self.bytes.get(span).unwrap_or_default();
        let tone = match raw.first() {
            _ if self.is_faulty(node) => Tone::Bad,
            Some(b'"') => Tone::String,
            Some(b't' | b'f' | b'n') => Tone::Literal,
            _ => Tone::Number,
        };
        let text = shown(raw, columns);
        let room = columns.saturating_sub(line.width());
        if width::width(&text) <= room {
            push_marked(line, tone, &text, needle);
            return;
        }
        let length = format!(" {}", human::size(raw.len() as u64));
        let left = room.saturating_sub(width::width(&length));
        let (kept, mark) = width::fit(&text, left, marks.ellipsis);
        push_marked(line, tone, kept, needle);
        line.push(Tone::Dim, mark);
        line.push(Tone::Dim, &length);
    }
}

/// JSON as it is written, safe to print, as much as is sure to fill the columns.
fn shown(raw: &[u8], columns: usize) -> String {
    let mut out = Vec::new();
    push_value(&mut out, clip(raw, columns).as_bytes());
    String::from_utf8(out).unwrap_or_default()
}

fn push_marked(line: &mut Line, tone: Tone, text: &str, needle: Option<&Needle>) {
    match needle {
        Some(needle) => needle.pieces(text, |hit, piece| {
            line.push(if hit { Tone::Match } else { tone }, piece);
        }),
        None => line.push(tone, text),
    }
}
