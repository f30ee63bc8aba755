//! Draws the pane: where the event stands, the tabs, and what was built of the one that is chosen.

use ratatui::layout::Rect;

use super::around::Around;
use super::compare::Compare;
use super::rows::{Rows, Scroll};
use super::value::{Dump, Value};
use super::wrapped::Wrapped;
use super::{Detail, Shown, Tab};
use crate::event::{EventRef, Timestamp};
use crate::text::{human, width};
use crate::tui::canvas::{Canvas, line_of, rest_of, safe};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::layers::role_of;
use crate::tui::views::stream::{place_text, preview};
use crate::tui::widgets::needle::Needle;
use crate::tui::widgets::table::{self, Align};
use crate::tui::widgets::{Line, Marks, Tone};

/// The parts of the pane; what does not fit has no height.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    pub title: Rect,
    pub facts: Rect,
    pub tabs: Rect,
    pub body: Rect,
    pub foot: Rect,
}

/// The body is what matters: it is there at any height.
pub fn parts(area: Rect) -> Parts {
    let mut body = area;
    let mut take = |least: u16| {
        if body.height < least {
            return Rect::default();
        }
        let line = line_of(body, 0);
        body.y += 1;
        body.height -= 1;
        line
    };
    // Each takes a line of what those before it left.
    let title = take(2);
    let facts = take(6);
    let tabs = take(2);
    let mut foot = Rect::default();
    if body.height >= 5 {
        body.height -= 1;
        foot = Rect {
            y: body.bottom(),
            height: 1,
            ..body
        };
    }
    Parts {
        title,
        facts,
        tabs,
        body,
        foot,
    }
}

const fn marks(glyphs: &Glyphs) -> Marks {
    Marks {
        ellipsis: glyphs.ellipsis,
        open: glyphs.open,
        closed: glyphs.closed,
        arrow: glyphs.right,
    }
}

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    let area = area.intersection(canvas.area());
    if area.is_empty() {
        return;
    }
    let parts = parts(area);
    let detail = &model.stream.detail;
    if let Some(compare) = &detail.compare {
        draw_compare(model, canvas, &parts, compare, focused);
        return;
    }
    let Some(shown) = &detail.shown else {
        canvas.rule(parts.title, "Event", focused);
        canvas.put(line_of(parts.body, 0), "no event", Role::Dim);
        return;
    };
    let event = shown.event();
    let place = place_text(&event);
    canvas.rule(parts.title, &safe(&place), focused);
    facts(model, canvas, parts.facts, &event);
    tabs(canvas, parts.tabs, detail.tab, &event);
    let mut pane = Pane {
        model,
        canvas,
        focused,
        needle: detail.needle.as_ref(),
    };
    pane.tab(detail, shown, parts.body);
    pane.foot(detail, shown, parts.foot);
}

fn facts(model: &Model, canvas: &mut Canvas<'_>, area: Rect, event: &EventRef<'_>) {
    let time = event
        .time()
        .map_or_else(|| "no time".to_owned(), |t| model.time(t));
    let key = event.key.map_or_else(
        || "null".to_owned(),
        |key| preview(key, 0, usize::from(area.width)),
    );
    let size = human::size(event.size() as u64);
    let role = match event.key {
        Some(_) => Role::EventKey,
        None => Role::Dim,
    };
    let right = canvas.parts_right(area, &[(Role::Dim, &size)]);
    let area = Rect {
        width: area.width.saturating_sub(right + 1),
        ..area
    };
    let parts = [
        (Role::Time, time.as_str()),
        (Role::Dim, "  key "),
        (role, &key),
    ];
    canvas.parts(area, &parts);
}

fn tabs(canvas: &mut Canvas<'_>, area: Rect, chosen: Tab, event: &EventRef<'_>) {
    let name = |tab: Tab| match tab {
        Tab::Headers if !event.headers.is_empty() => {
            format!("Headers {}", event.headers.count())
        }
        tab => tab.name().to_owned(),
    };
    let names: Vec<(Tab, String)> = Tab::ALL.iter().map(|tab| (*tab, name(*tab))).collect();
    let wide: usize = names.iter().map(|(_, name)| name.len() + 2).sum();
    let mut used = 0;
    if wide > usize::from(area.width) {
        // Only the one that is chosen, and which of them it is.
        let count = format!(" {} of {}", chosen as usize + 1, Tab::ALL.len());
        let text = format!(" {} ", name(chosen));
        canvas.parts(area, &[(Role::Accent, &text), (Role::Dim, &count)]);
        return;
    }
    for (tab, name) in &names {
        let role = if *tab == chosen {
            Role::Accent
        } else {
            Role::Dim
        };
        used += canvas.put(rest_of(area, used), &format!(" {name} "), role);
    }
}

/// What all tabs are drawn with.
struct Pane<'a, 'b> {
    model: &'a Model,
    canvas: &'a mut Canvas<'b>,
    focused: bool,
    needle: Option<&'a Needle>,
}

impl Pane<'_, '_> {
    fn marks(&self) -> Marks {
        marks(self.model.options.glyphs)
    }

    fn tab(&mut self, detail: &Detail, shown: &Shown, area: Rect) {
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
            Tab::Trace => match &shown.around {
                Some(around) => self.around(shown, around, area),
                None => {
                    let words = "the key is null: there is nothing to follow it by";
                    self.canvas.put(line_of(area, 0), words, Role::Dim);
                }
            },
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

    fn lines(&mut self, lines: &[Line], area: Rect, skip: usize) {
        for (at, line) in lines.iter().enumerate() {
            put_line(self.canvas, line_of(area, at), line, skip);
        }
    }

    /// Shows the row that keys act on.
    fn cursor(&mut self, scroll: Scroll, area: Rect) {
        let role = if self.focused {
            Role::Cursor
        } else {
            Role::CursorUnfocused
        };
        let row = line_of(area, scroll.at.saturating_sub(scroll.top));
        self.canvas.paint(row, role);
    }

    fn rows(&mut self, rows: Option<&Rows>, area: Rect) {
        let Some(Rows { lines, scroll }) = rows else {
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
    fn foot(&mut self, detail: &Detail, shown: &Shown, area: Rect) {
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

fn draw_compare(
    model: &Model,
    canvas: &mut Canvas<'_>,
    parts: &Parts,
    compare: &Compare,
    focused: bool,
) {
    let glyphs = model.options.glyphs;
    let (a, b) = (&compare.old.name, &compare.new.name);
    let title = format!("A {a} {} B {b}", glyphs.right);
    canvas.rule(parts.title, &safe(&title), focused);
    let summary = match &compare.diff {
        Some(diff) if diff.summary().is_same() => "nothing differs".to_owned(),
        Some(diff) => diff.summary().to_string(),
        None => "comparing".to_owned(),
    };
    canvas.put(parts.facts, &summary, Role::Text);
    let key = |action| model.options.keymap.hint(action);
    use crate::tui::actions::Action;
    let what = if compare.all {
        " only what differs  "
    } else {
        " all  "
    };
    canvas.parts(
        parts.tabs,
        &[
            (Role::Key, &key(Action::DiffSwap)),
            (Role::Dim, " swap  "),
            (Role::Key, &key(Action::DiffAll)),
            (Role::Dim, what),
            (Role::Key, &key(Action::NextMatch)),
            (Role::Dim, " next  "),
            (Role::Key, &key(Action::Back)),
            (Role::Dim, " close"),
        ],
    );
    let mut pane = Pane {
        model,
        canvas,
        focused,
        needle: None,
    };
    if let Some(diff) = &compare.diff {
        let Scroll { top, right, .. } = compare.scroll;
        let columns = usize::from(parts.body.width) + right;
        let range = top..top + usize::from(parts.body.height);
        let lines = diff.lines(range, columns, &marks(glyphs));
        pane.lines(&lines, parts.body, right);
        if compare.len() > 0 {
            pane.cursor(compare.scroll, parts.body);
        }
        let row = diff.rows().get(compare.scroll.at);
        let path = row.map_or("", |row| row.path.as_str());
        pane.canvas.put(parts.foot, path, Role::Dim);
    }
}

/// Writes a line of tones, without so many of its first columns.
fn put_line(canvas: &mut Canvas<'_>, area: Rect, line: &Line, skip: usize) {
    let indent = line.indent().saturating_sub(skip);
    let mut skip = skip.saturating_sub(line.indent());
    let mut used = u16::try_from(indent).unwrap_or(u16::MAX);
    for (tone, text) in line.spans() {
        let rest = behind(text, &mut skip);
        let area = rest_of(area, used);
        if area.width == 0 {
            break;
        }
        let role = match tone {
            Tone::Text => Role::Text,
            other => role_of(*other),
        };
        used = used.saturating_add(canvas.put(area, rest, role));
    }
}

/// What of a text is left after so many columns, of which it takes some.
fn behind<'a>(text: &'a str, skip: &mut usize) -> &'a str {
    let mut rest = text.char_indices();
    while *skip > 0 {
        let Some((_, c)) = rest.next() else {
            return "";
        };
        *skip = skip.saturating_sub(width::columns_of(c, 0));
    }
    rest.as_str()
}
