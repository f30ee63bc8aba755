//! Draws the state of a key: its topics, the events as a strip to go along, what the chosen one
//! changed, and the state after it with blame.

use ratatui::layout::Rect;

use super::page::{Page, is_late};
use super::{Folded, Lane, Subject};
use crate::inspect::state::{History, Start, Step};
use crate::text::{human, width};
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::lines::{Line, note, put, put_all, wrap};
use crate::tui::views::list;

/// Columns of the bar that says how far back one looks.
const BAR: usize = 20;

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let state = &model.state;
    let Some(subject) = &state.subject else {
        empty(model, canvas, area);
        return;
    };
    let Some(folded) = &state.folded else {
        let text = format!("Folding the events of {}", subject.text());
        note(canvas, area, (Role::Text, &text), &[]);
        return;
    };
    let Some(lane) = folded.lanes.get(state.lane) else {
        nothing(model, canvas, area, subject, folded);
        return;
    };
    let columns = usize::from(area.width);
    let mut head = vec![title(model, subject, folded), topics(state.lane, folded)];
    if let Some(page) = &state.page {
        head.push(strip(
            lane.history.steps(),
            page.step,
            columns,
            model.options.glyphs,
        ));
        head.push(position(model, &lane.history, page));
    }
    for (role, text) in doubts(model, folded, lane) {
        head.extend(wrap(role, &text, columns));
    }
    // What is said of the key leaves room for the state.
    head.truncate(usize::from(area.height / 2).max(1));
    put_all(canvas, area, &head, 0);
    let used = (head.len() as u16).min(area.height);
    let body = below(area, used);
    match &state.page {
        Some(page) => rows(model, canvas, body, page),
        None => note(canvas, body, (Role::Dim, "Looking"), &[]),
    }
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let hint = |action| model.options.keymap.hint(action);
    let rest = [
        format!(
            "{} on an event of the stream folds all events of its key into their state.",
            hint(Action::StateThis)
        ),
        format!("{} takes a key that is typed.", hint(Action::Open)),
    ];
    note(canvas, area, (Role::Text, "No key is chosen."), &rest);
}

fn nothing(model: &Model, canvas: &mut Canvas<'_>, area: Rect, subject: &Subject, folded: &Folded) {
    let tab = model.options.keymap.hint(Action::NextPane);
    let text = format!("No event has the key {}.", subject.text());
    let mut rest = vec![
        format!("{} events were looked at.", human::count(folded.events)),
        format!("{tab} takes another key; more topics are chosen in the topics view."),
    ];
    if folded.evicted > 0 {
        let evicted = human::count(folded.evicted);
        rest.insert(1, format!("{evicted} were not held any more."));
    }
    note(canvas, area, (Role::Warn, &text), &rest);
}

fn title(model: &Model, subject: &Subject, folded: &Folded) -> Line {
    let hint = |action| model.options.keymap.hint(action);
    vec![
        (Role::EventKey, format!(" {}", subject.text())),
        (
            Role::Dim,
            format!(
                "  by {}, {} topics  ",
                model.state.fold.name(),
                folded.lanes.len()
            ),
        ),
        (Role::Key, hint(Action::Earlier)),
        (Role::Dim, " earlier ".to_owned()),
        (Role::Key, hint(Action::Later)),
        (Role::Dim, " later ".to_owned()),
        (Role::Key, hint(Action::NextPane)),
        (Role::Dim, " another key ".to_owned()),
        (Role::Key, hint(Action::PreviousPane)),
        (Role::Dim, " merge or last".to_owned()),
    ]
}

/// The topics that have the key, the chosen one first of those that may not fit.
fn topics(chosen: usize, folded: &Folded) -> Line {
    let mut parts = vec![(Role::Dim, " in ".to_owned())];
    // With many topics those before the chosen one make room.
    let from = chosen.saturating_sub(2);
    if from > 0 {
        parts.push((Role::Dim, "< ".to_owned()));
    }
    for (number, lane) in folded.lanes.iter().enumerate().skip(from) {
        let events = lane.history.folded() + lane.history.steps().len() as u64;
        let text = format!("{} {}", lane.topic, human::count(events));
        if number == chosen {
            parts.push((Role::Accent, format!("[{text}]")));
        } else {
            parts.push((Role::Topic, text));
        }
        parts.push((Role::Dim, "  ".to_owned()));
    }
    if folded.left_out > 0 {
        parts.push((Role::Dim, format!("and {} more topics", folded.left_out)));
    }
    parts
}

/// What an event is called: its version, else its number.
fn step_name(steps: &[Step], at: usize) -> (Role, String) {
    let Some(step) = steps.get(at) else {
        return (Role::Text, String::new());
    };
    let name = match step.version {
        _ if step.deletes => "deleted".to_owned(),
        Some(version) => format!("v{version}"),
        None => format!("#{}", at + 1),
    };
    if step.deletes {
        (Role::Removed, name)
    } else if step.fault.is_some() || is_late(steps, at) {
        (Role::Warn, format!("{name}!"))
    } else {
        (Role::Text, name)
    }
}

/// The events around the chosen one, in the order in which they came.
fn strip(steps: &[Step], chosen: usize, columns: usize, glyphs: &Glyphs) -> Line {
    // Of a name most take six columns; the chosen one stays in the middle.
    let around = (columns / 12).max(1);
    let from = chosen.saturating_sub(around);
    let mut parts = vec![(Role::Dim, " ".to_owned())];
    if from > 0 {
        parts.push((Role::Dim, format!("{} ", glyphs.ellipsis)));
    }
    for at in from..steps.len().min(chosen + around + 1) {
        let (role, name) = step_name(steps, at);
        if at == chosen {
            parts.push((Role::Accent, format!("[{name}]")));
        } else {
            parts.push((role, name));
        }
        parts.push((Role::Dim, " ".to_owned()));
    }
    if chosen + around + 1 < steps.len() {
        parts.push((Role::Dim, glyphs.ellipsis.to_owned()));
    }
    parts
}

/// How far along the chosen event is, and which one it is.
fn position(model: &Model, history: &History, page: &Page) -> Line {
    let glyphs = model.options.glyphs;
    let steps = history.steps();
    let of = steps.len().max(1);
    let done = (page.step + 1) * BAR / of;
    let done = done.clamp(1, BAR);
    let bar = glyphs.done.repeat(done) + &glyphs.to_do.repeat(BAR - done);
    let before = history.folded();
    let number = before + page.step as u64 + 1;
    let mut parts = vec![
        (Role::Spark, format!(" {bar}")),
        (
            Role::Strong,
            format!(
                " {} of {}",
                human::count(number),
                human::count(before + of as u64)
            ),
        ),
    ];
    let Some(step) = steps.get(page.step) else {
        return parts;
    };
    if let Some(version) = step.version {
        parts.push((Role::Text, format!("  v{version}")));
    }
    parts.push((Role::PartitionOffset, format!("  {}", step.at)));
    if let Some(time) = step.time {
        parts.push((Role::Time, format!("  {}", model.time(time))));
    }
    if let Some(producer) = &step.producer {
        let producer = String::from_utf8_lossy(producer);
        parts.push((Role::Dim, format!("  by {producer}")));
    }
    parts
}

/// What one ought to know before one believes the state.
fn doubts(model: &Model, folded: &Folded, lane: &Lane) -> Vec<(Role, String)> {
    let sign = model.options.glyphs.undecodable;
    let mut doubts = Vec::new();
    let missing = match lane.history.start() {
        Start::Whole | Start::Nothing => None,
        Start::Version(version) => Some(format!("the first event seen is version {version}")),
        Start::Compacted => Some("the cleaner took events out before the first one".to_owned()),
        Start::From(at) => Some(format!("its partition was seen from {at} on")),
    };
    if let Some(missing) = missing {
        let text = format!(" {sign} left-censored, the beginning may be missing: {missing}");
        doubts.push((Role::Warn, text));
    }
    if folded.evicted > 0 {
        let evicted = human::count(folded.evicted);
        doubts.push((
            Role::Warn,
            format!(" {sign} {evicted} events of the read were not held any more"),
        ));
    }
    let Some(page) = &model.state.page else {
        return doubts;
    };
    if is_late(lane.history.steps(), page.step) {
        let (_, name) = step_name(lane.history.steps(), page.step);
        let text = format!(
            " {sign} {} came after a later version",
            name.trim_end_matches('!')
        );
        doubts.push((Role::Warn, text));
    }
    if let Some(otherwise) = &page.otherwise {
        doubts.push((Role::Bad, format!(" {sign} diverges: {otherwise}")));
    }
    doubts
}

fn rows(model: &Model, canvas: &mut Canvas<'_>, area: Rect, page: &Page) {
    let at = model.state.at;
    for (number, place) in list::on_screen(area, at, page.rows.len()) {
        let row = &page.rows[number];
        let blame = row.at.as_ref().map(ToString::to_string);
        let blame = blame.unwrap_or_default();
        let wide = width::width(&blame) as u16 + 2;
        // On a narrow screen what it is goes before who set it.
        let fits = !blame.is_empty() && wide < area.width / 2;
        let left = Rect {
            x: place.x + place.width.min(1),
            width: place.width.saturating_sub(if fits { wide + 1 } else { 1 }),
            ..place
        };
        put(canvas, left, &row.line);
        if fits {
            let role = if row.now {
                Role::Changed
            } else {
                Role::PartitionOffset
            };
            canvas.parts_right(place, &[(role, &blame), (Role::Dim, " ")]);
        }
        if number == at {
            list::point_at(canvas, place);
        }
    }
}
