//! Draws what was built of the tab that is chosen, and the line below it.

use ratatui::layout::Rect;

use super::around::Around;
use super::draw::put_line;
use super::rows::{Rows, Scroll};
use super::value::{Dump, Value};
use super::wrapped::Wrapped;
use super::{Detail, Shown, Tab};
use crate::event::{EventRef, Timestamp};
use crate::text::{human, width};
use crate::tui::canvas::{Canvas, line_of, safe};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::stream::{place_text, preview};
use crate::tui::widgets::needle::Needle;
use crate::tui::widgets::table::{self, Align};
use crate::tui::widgets::{Line, Marks};

/// What all tabs are drawn with.
pub struct Pane<'a, 'b> {
    pub model: &'a Model,
    pub canvas: &'a mut Canvas<'b>,
    pub focused: bool,
    pub needle: Option<&'a Needle>,
}

impl Pane<'_, '_> {
    pub fn marks(&self) -> Marks {
        let glyphs: &Glyphs = self.model.options.glyphs;
        Marks {
            ellipsis: glyphs.ellipsis,
            open: glyphs.open,
            closed: glyphs.closed,
            arrow: glyphs.right,
            fault: glyphs.invalid,
        }
    }

    pub fn tab(&mut self, detail: &Detail, shown: &Shown, area: Rect) {
        match detail.tab {
            Tab::Value => self.value(shown, area),
            Tab::Headers => self.rows(shown.headers.as_ref(), area),
            Tab::Schema => self.rows(shown.known.as_ref(), area),
            Tab::Raw => match &shown.raw {
                Some(raw) if !raw.bytes().is_empty() => self.text(raw, area),
                _ => {
                    let words = match shown.event().value {
                        Some(_) => "empty",
                        None => "null: a tombstone",
                    };
                    self.canvas.put(line_of(area, 0), words, Role::Dim);
                }
            },
            Tab::Hex => {
                if let Some(dump) = &shown.hex {
                    self.dump(dump, area);
                }
            }
            Tab::Trace => {
                if let Some(around) = &shown.around {
                    self.around(shown, around, area);
                } else {
                    let words = "the key is null: there is nothing to follow it by";
                    self.canvas.put(line_of(area, 0), words, Role::Dim);
                }
            }
        }
    }

    fn value(&mut self, shown: &Shown, area: Rect) {
        match &shown.value {
            None => {}
            Some(Value::Working) => {
                let size = shown.event().value.map_or(0, <[u8]>::len);
                let text = format!("reading {}", human::size(size as u64));
                self.canvas.put(line_of(area, 0), &text, Role::Dim);
            }
            Some(Value::Words(words)) => {
                let rows = words_in(words, usize::from(area.width));
                for (at, row) in rows.iter().enumerate() {
                    self.canvas.put(line_of(area, at), row, Role::Dim);
                }
            }
            Some(Value::Tree(view)) => {
                let columns = usize::from(area.width);
                let top = view.scroll.top;
                let range = top..top + usize::from(area.height);
                let lines = view.tree.rows(range, columns, &self.marks(), self.needle);
                self.lines(&lines, area, 0);
                self.cursor(view.scroll, area);
            }
            Some(Value::Text { note, text, .. }) => {
                let body = self.note(note.as_deref(), area);
                self.text(text, body);
            }
            Some(Value::Bytes { note, dump }) => {
                let body = self.note(Some(note), area);
                self.dump(dump, body);
            }
        }
    }

    /// A note in the first line; gives what is left.
    fn note(&mut self, note: Option<&str>, area: Rect) -> Rect {
        let Some(note) = note else {
            return area;
        };
        if area.height < 2 {
            return area;
        }
        self.canvas.put(line_of(area, 0), note, Role::Warn);
        Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        }
    }

    pub fn lines(&mut self, lines: &[Line], area: Rect, skip: usize) {
        for (at, line) in lines.iter().enumerate() {
            put_line(self.canvas, line_of(area, at), line, skip);
        }
    }

    /// Shows the row that keys act on.
    pub fn cursor(&mut self, scroll: Scroll, area: Rect) {
        let role = if self.focused {
            Role::Cursor
        } else {
            Role::CursorUnfocused
        };
        let row = line_of(area, scroll.at.saturating_sub(scroll.top));
        self.canvas.paint(row, role);
    }

    fn rows(&mut self, rows: Option<&Rows>, area: Rect) {
        let Some(Rows { lines, scroll, .. }) = rows else {
            self.canvas.put(line_of(area, 0), "reading", Role::Dim);
            return;
        };
        let lines = lines.iter().skip(scroll.top);
        for (at, line) in lines.take(usize::from(area.height)).enumerate() {
            put_line(self.canvas, line_of(area, at), line, scroll.right);
        }
        if self.focused {
            self.cursor(*scroll, area);
        }
    }

    fn text(&mut self, text: &Wrapped, area: Rect) {
        let range = text.top..text.top + usize::from(area.height);
        let lines = text.lines.rows(range, &self.marks(), self.needle);
        self.lines(&lines, area, 0);
    }

    fn dump(&mut self, dump: &Dump, area: Rect) {
        let range = dump.top..dump.top + usize::from(area.height);
        let columns = usize::from(area.width);
        let lines = dump.hex.rows(range, columns, &self.marks());
        self.lines(&lines, area, 0);
    }

    fn around(&mut self, shown: &Shown, around: &Around, area: Rect) {
        let own = shown.event().time();
        let events = around
            .rows
            .iter()
            .filter_map(|id| self.model.feed.store.get(*id));
        let widths = events.map(|e| width::width(&safe(&place_text(&e))));
        let column = widths.max().unwrap_or(0).min(usize::from(area.width) / 2);
        let rows = around.rows.iter().enumerate().skip(around.scroll.top);
        for (at, id) in rows.take(usize::from(area.height)) {
            let line = line_of(area, at - around.scroll.top);
            let here = around.here == Some(at);
            match self.model.feed.store.get(*id) {
                Some(event) => self.hop(line, &event, own, (here, column)),
                None => {
                    self.canvas.put(line, "evicted", Role::Dim);
                }
            }
        }
        if self.focused {
            self.cursor(around.scroll, area);
        }
    }

    /// An event of the same key: how far from this one, where, what.
    fn hop(
        &mut self,
        area: Rect,
        event: &EventRef<'_>,
        own: Option<Timestamp>,
        (here, column): (bool, usize),
    ) {
        let glyphs = self.model.options.glyphs;
        let apart = match (event.time(), own) {
            _ if here => "this one".to_owned(),
            (Some(time), Some(own)) => {
                let length = std::time::Duration::from_millis(time.0.abs_diff(own.0));
                let sign = if time < own { "-" } else { "+" };
                format!("{sign}{}", human::duration(length))
            }
            _ => "no time".to_owned(),
        };
        let sign = if here { glyphs.cursor } else { " " };
        let value = match event.value {
            Some(value) => preview(value, 0, usize::from(area.width)),
            None => "tombstone".to_owned(),
        };
        let place = safe(&place_text(event)).into_owned();
        let place = table::cell(&place, column, Align::Left, glyphs.ellipsis);
        let parts = [
            (Role::Accent, sign),
            (Role::Time, &*format!("{apart:>10}  ")),
            (Role::Topic, &place),
            (Role::Dim, "  "),
            (Role::Text, &value),
        ];
        self.canvas.parts(area, &parts);
    }

    /// Where the cursor stands, in words that can be pasted into a filter.
    pub fn foot(&mut self, detail: &Detail, shown: &Shown, area: Rect) {
        let text = match (detail.tab, &shown.value) {
            (Tab::Value, Some(Value::Tree(view))) => {
                let path = view.tree.path(view.scroll.at, ".value");
                let size = view.tree.value_bytes(view.scroll.at).len();
                format!("{path}  {}", human::size(size as u64))
            }
            (Tab::Value, Some(Value::Text { text, .. })) => percent(text),
            (Tab::Raw, _) => shown.raw.as_ref().map_or_else(String::new, percent),
            (Tab::Hex, _) => shown.hex.as_ref().map_or_else(String::new, byte_of),
            (Tab::Value, Some(Value::Bytes { dump, .. })) => byte_of(dump),
            (Tab::Trace, _) => shown.around.as_ref().map_or_else(String::new, trace_foot),
            _ => String::new(),
        };
        let text = if detail.search.is_some() {
            "searching".to_owned()
        } else {
            text
        };
        self.canvas.put(area, &text, Role::Dim);
    }
}

fn trace_foot(around: &Around) -> String {
    let count = human::count(around.rows.len() as u64);
    let events = if around.rows.len() == 1 {
        "event"
    } else {
        "events"
    };
    let near = if around.cut { ", the nearest" } else { "" };
    format!("{count} {events} of this key in the buffer{near}")
}

fn percent(text: &Wrapped) -> String {
    let (first, all) = (text.first(), text.bytes().len());
    let size = human::size(all as u64);
    match first.saturating_mul(100).checked_div(all) {
        Some(percent) if first > 0 => format!("{percent} % of {size}"),
        _ => size,
    }
}

fn byte_of(dump: &Dump) -> String {
    let Some(place) = dump.hex.cursor() else {
        return String::new();
    };
    let section = dump.hex.sections().get(place.section);
    let byte = section.and_then(|s| s.bytes.as_ref()?.get(place.at).copied());
    let title = section.map_or("", |s| s.title.as_str());
    match byte {
        Some(byte) => format!("{title}, byte {} = {byte}", human::count(place.at as u64)),
        None => String::new(),
    }
}

/// Words in as many lines as they take.
fn words_in(words: &str, columns: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match rows.last_mut() {
            Some(row) if row.len() + 1 + word.len() <= columns => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}
