//! Draws the pane: where the event stands, the tabs, and what was built of the one that is chosen.

use ratatui::layout::Rect;

use super::Tab;
use super::compare::Compare;
use super::pane::Pane;
use super::rows::Scroll;
use crate::event::EventRef;
use crate::text::{human, width};
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, line_of, rest_of, safe};
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::layers::role_of;
use crate::tui::views::stream::{place_text, preview};
use crate::tui::widgets::{Line, Tone};

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
        let lines = diff.lines(range, columns, &pane.marks());
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
pub fn put_line(canvas: &mut Canvas<'_>, area: Rect, line: &Line, skip: usize) {
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
