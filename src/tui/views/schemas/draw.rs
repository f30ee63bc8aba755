//! Draws the fields and what is known of the one under the cursor. Only rows on the screen are
//! looked at.

use ratatui::layout::Rect;

use super::about::{about, bare_reason, coverage, producers, word};
use super::rows::{Row, Seen, drift_of, name_of};
use crate::inspect::At;
use crate::inspect::fields::{Change, Drift, Profile};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of, rest_of};
use crate::tui::model::Model;
use crate::tui::model::feed::Reading;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::lines::{note, put_all, wrap};
use crate::tui::views::list;
use crate::tui::widgets::table::{self, Column, Placed, column};

/// So wide, the list and what is known of a row stand beside each other.
const BESIDE: u16 = 130;
/// So high, they stand above each other.
const BELOW: u16 = 14;

const HEADS: [&str; 6] = ["field", "events", "type", "change", "first", "by"];
const COLUMNS: [Column; 6] = [
    column(16, 34, 9, true),
    column(11, 11, 8, false),
    column(12, 16, 7, false),
    column(14, 14, 6, false),
    column(12, 20, 5, false),
    column(12, 26, 4, false),
];

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let state = &model.schemas;
    let area = registry(model, canvas, area);
    if let Some(versions) = &state.versions {
        super::beside::draw(model, canvas, area, versions);
        return;
    }
    if state.rows.is_empty() {
        empty(model, canvas, area);
        return;
    }
    let (list, detail) = split(area);
    let placed = table::layout(&COLUMNS, usize::from(rest_of(list, 4).width), 2);
    list::heads(canvas, rest_of(line_of(list, 0), 4), &placed, &HEADS);
    for (row, line) in list::on_screen(below(list, 1), state.at, state.rows.len()) {
        draw_row(model, canvas, line, state.rows[row], &placed);
        if row == state.at {
            list::point_at(canvas, line);
        }
    }
    let (Some(detail), Some(row)) = (detail, state.rows.get(state.at)) else {
        return;
    };
    edge(canvas, area, detail);
    let lines = about(model, &state.seen, *row, usize::from(detail.width));
    put_all(canvas, detail, &lines, 0);
}

/// Says that the registry does not answer, where it does not; gives the place below.
fn registry(model: &Model, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
    let Some((why, since)) = &model.source.registry else {
        return area;
    };
    let text = format!(
        "{} {why}; since {}",
        model.options.glyphs.invalid,
        model.time(*since)
    );
    let lines = wrap(Role::Bad, &text, usize::from(area.width));
    let height = (lines.len() as u16).min(2).min(area.height);
    put_all(canvas, Rect { height, ..area }, &lines, 0);
    below(area, height)
}

/// A line between the list and what is known of a row.
fn edge(canvas: &mut Canvas<'_>, area: Rect, detail: Rect) {
    if detail.y == area.y {
        let line = canvas.glyphs.vertical;
        for y in area.top()..area.bottom() {
            canvas.put(Rect::new(detail.x - 2, y, 1, 1), line, Role::Border);
        }
    } else {
        canvas.rule(
            Rect {
                y: detail.y - 1,
                height: 1,
                ..area
            },
            "",
            false,
        );
    }
}

/// The list, and the place of what is known of a row.
fn split(area: Rect) -> (Rect, Option<Rect>) {
    if area.width >= BESIDE {
        let width = area.width * 3 / 5;
        let detail = Rect {
            x: area.x + width + 2,
            width: area.width - width - 2,
            ..area
        };
        return (Rect { width, ..area }, Some(detail));
    }
    if area.height >= BELOW {
        let height = (area.height / 3).clamp(5, 10);
        let rest = area.height - height;
        let detail = Rect {
            x: area.x + area.width.min(1),
            y: area.y + rest,
            width: area.width.saturating_sub(1),
            height,
        };
        return (
            Rect {
                height: rest - 1,
                ..area
            },
            Some(detail),
        );
    }
    (area, None)
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let hint = |action| model.options.keymap.hint(action);
    let work = model.schemas.job.is_running() || model.feed.store.events() > 0;
    match (&model.feed.reading, work) {
        (_, true) => note(canvas, area, (Role::Text, "Looking at the fields"), &[]),
        (Reading::Failed(why), _) => {
            let text = format!("The fields of no event are known: {why}");
            let again = format!("{} tries again", hint(Action::Reload));
            note(canvas, area, (Role::Bad, &text), &[again]);
        }
        _ => {
            let rest = [
                format!(
                    "{} shows the topics; choose what to read.",
                    hint(Action::GoTopics)
                ),
                format!("{} connects to a broker or a file.", hint(Action::Sources)),
            ];
            let head = "No events were read, so no fields are known.";
            note(canvas, area, (Role::Text, head), &rest);
        }
    }
}

fn draw_row(model: &Model, canvas: &mut Canvas<'_>, place: Rect, row: Row, placed: &[Placed]) {
    let seen = &model.schemas.seen;
    let glyphs = model.options.glyphs;
    let line = rest_of(place, 1);
    match row {
        Row::Changes => {
            let count = seen.report.drifts().count() as u64;
            let title = format!("{} changes of fields", human::count(count));
            let used = canvas.parts(line, &[(Role::Title, &title), (Role::Dim, "  ")]);
            canvas.parts(rest_of(line, used), &[(Role::Dim, &coverage(model, seen))]);
        }
        Row::Drift { .. } => {
            if let (Some(profile), Some(drift)) = (seen.profile(row), seen.drift(row)) {
                change(canvas, line, profile, drift);
            }
        }
        Row::Profile { .. } => {
            if let Some(profile) = seen.profile(row) {
                let closed = model.schemas.closed.contains(&name_of(profile));
                head(
                    canvas,
                    line,
                    profile,
                    if closed { glyphs.closed } else { glyphs.open },
                );
            }
        }
        Row::Field { .. } => {
            let inner = rest_of(place, 4);
            for at in placed {
                let (role, text) = figure(seen, row, at, glyphs);
                canvas.put(list::cell(inner, at), &text, role);
            }
        }
        Row::Bare { topic } => {
            if let Some((name, events)) = seen.bare.get(topic) {
                let events = format!("  {} events, ", human::count(*events));
                canvas.parts(
                    line,
                    &[
                        (Role::Dim, glyphs.no_schema),
                        (Role::Dim, " "),
                        (Role::Topic, name),
                        (Role::Text, &events),
                        (Role::Warn, bare_reason(name)),
                    ],
                );
            }
        }
    }
}

/// The sign of a change; never without its word.
fn sign(drift: &Drift, glyphs: &Glyphs) -> &'static str {
    match drift.change {
        Change::Type { .. } => glyphs.invalid,
        Change::Null => glyphs.undecodable,
        Change::New | Change::Value => "+",
        Change::Gone | Change::Rarer { .. } => "-",
    }
}

fn change(canvas: &mut Canvas<'_>, line: Rect, profile: &Profile, drift: &Drift) {
    let (role, word) = word(drift);
    let word = format!("{} {word:<13}", sign(drift, canvas.glyphs));
    let key = drift.key.as_deref().map(String::from_utf8_lossy);
    let key = key.map_or_else(String::new, |key| format!(" {key}"));
    let place = drift.since.to_string();
    let told = format!("  {drift}");
    let kind = profile.kind.as_deref().unwrap_or_default();
    let kind = format!("  {kind}");
    canvas.parts(
        line,
        &[
            (role, &word),
            (Role::PartitionOffset, &place),
            (Role::EventKey, &key),
            (Role::Text, &told),
            (Role::Dim, &kind),
        ],
    );
}

fn head(canvas: &mut Canvas<'_>, line: Rect, profile: &Profile, fold: &str) {
    let kind = profile.kind.as_deref().unwrap_or_default();
    let events = format!("  {} events", human::count(profile.events));
    let other = match profile.undecodable {
        0 => String::new(),
        n => format!("  {} of the topic are no JSON", human::count(n)),
    };
    canvas.parts(
        line,
        &[
            (Role::Dim, fold),
            (Role::Dim, " "),
            (Role::Topic, &profile.topic),
            (Role::Dim, if kind.is_empty() { "" } else { " " }),
            (Role::Strong, kind),
            (Role::Dim, &events),
            (Role::Warn, &other),
        ],
    );
}

/// What stands in a column of a field's row. A field has a row for each of its types; what is the
/// same for all stands in the first.
fn figure(seen: &Seen, row: Row, at: &Placed, glyphs: &Glyphs) -> (Role, String) {
    let none = (Role::Text, String::new());
    let (Some(profile), Some((field, kind))) = (seen.profile(row), seen.field(row)) else {
        return none;
    };
    let first = kind == 0;
    let of = field.types.get(kind);
    let drift = drift_of(profile, field, kind);
    match (at.column, of) {
        (0, _) if first => (Role::JsonKey, field.path.clone()),
        (1, _) if first => (
            Role::Text,
            format!(
                "{} {:>5}",
                bar(field.count, profile.events, glyphs),
                share(field.count, profile.events)
            ),
        ),
        (2, Some(of)) => {
            let role = drift.map_or(Role::JsonNumber, |d| word(d).0);
            (
                role,
                format!("{} {}", of.value.name(), human::count(of.count)),
            )
        }
        (3, _) => match drift {
            Some(drift) => {
                let (role, word) = word(drift);
                (role, format!("{} {word}", sign(drift, glyphs)))
            }
            None => none,
        },
        (4, Some(of)) => (Role::PartitionOffset, place(&of.first, at.width)),
        (5, Some(of)) => (Role::Dim, producers(&of.by)),
        _ => none,
    }
}

/// A coordinate, without its topic where that does not fit: it stands above.
fn place(at: &At, columns: usize) -> String {
    let whole = at.to_string();
    if whole.len() <= columns {
        return whole;
    }
    let position = at.position.display(at.style);
    format!("{}@{position}", at.partition)
}

/// A share as a bar. Not all never fills it, and something never leaves it empty.
fn bar(part: u64, all: u64, glyphs: &Glyphs) -> String {
    const CELLS: usize = 5;
    let cells = u128::from(part.min(all)) * CELLS as u128 / u128::from(all.max(1));
    let least = usize::from(part > 0);
    let cells = usize::try_from(cells).unwrap_or(CELLS).clamp(least, CELLS);
    glyphs.done.repeat(cells) + &glyphs.to_do.repeat(CELLS - cells)
}

/// A share in percent. Not all is never called all, and something never nothing.
pub fn share(part: u64, all: u64) -> String {
    if part >= all {
        return "100 %".to_owned();
    }
    let percent = u128::from(part) * 100 / u128::from(all.max(1));
    match percent {
        0 if part > 0 => "<1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}
