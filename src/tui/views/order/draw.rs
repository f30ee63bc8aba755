//! Draws the verdicts, the lanes with their bars, and the anomalies of one lane. Only the rows on
//! the screen are made.

use ratatui::layout::Rect;

use super::lanes::{Lanes, Sort, told};
use super::{Pane, found};
use crate::inspect::Verdict;
use crate::inspect::order::{LaneReport, Offsets};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of, rest_of};
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::findings;
use crate::tui::views::flow::{self, Part};
use crate::tui::views::list;
use crate::tui::widgets::table::{self, Column, Placed, column};

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let area = rest_of(area, 1);
    let Some(found) = found(model) else {
        findings::draw(model, canvas, area);
        return;
    };
    let top = Rect {
        height: area.height.min((area.height / 3).max(3)),
        ..area
    };
    let used = flow::draw(canvas, top, &head(model, canvas));
    let rest = below(area, used);
    let lanes = Lanes::of(found, model.order.by_key);
    if lanes.len() == 0 {
        nothing(model, found, canvas, rest);
        return;
    }
    // Both lists have a line of their own above them.
    let rows = u16::try_from(lanes.len()).unwrap_or(u16::MAX);
    let height = (rest.height / 5 * 3).min(rows.saturating_add(1));
    let list = Rect { height, ..rest };
    self::lanes(model, lanes, canvas, list);
    anomalies(model, lanes, canvas, below(rest, height));
}

fn nothing(model: &Model, found: &findings::found::Found, canvas: &mut Canvas<'_>, area: Rect) {
    let key = model.options.keymap.hint(Action::OrderBy);
    let (text, more) = if model.order.by_key {
        let text = "No key has an anomaly.".to_owned();
        (text, format!("{key} shows the lanes by partition"))
    } else {
        ("No event was seen yet.".to_owned(), String::new())
    };
    let lines = [
        vec![Part::new(Role::Text, text)],
        vec![Part::new(Role::Dim, more)],
        findings::coverage(model, found),
    ];
    flow::draw(canvas, below(area, 1), &lines);
}

/// Each check with its verdict and why; then what order can mean at all.
fn head(model: &Model, canvas: &Canvas<'_>) -> Vec<Vec<Part>> {
    let Some(found) = found(model) else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    for (check, verdict) in &found.order.checks {
        let (role, sign) = findings::verdict_sign(verdict, canvas.glyphs);
        let text = match verdict {
            Verdict::Inconclusive(why) | Verdict::Idle(why) => {
                format!("{sign} {} {}: {why}", check.name(), verdict.word())
            }
            _ => format!("{sign} {} {}", check.name(), verdict.word()),
        };
        checks.push(Part::new(role, text));
    }
    let mut notes = vec![Part::new(
        Role::Dim,
        "Across partitions there is no order but that of timestamps.",
    )];
    if found.missed {
        let text = "events left the buffer before they could be looked at";
        notes.push(Part::new(Role::Warn, text));
    }
    let unkept = found.order.coverage.unkept;
    if unkept > 0 {
        let text = format!("{} more not kept", human::count(unkept));
        notes.push(Part::new(Role::Warn, text));
    }
    if model.order.by_key && found.keyless > 0 {
        let number = human::count(found.keyless as u64);
        let text = format!("{number} more at events without a key");
        notes.push(Part::new(Role::Dim, text));
    }
    let censored = found.order.coverage.left_censored;
    if censored > 0 {
        let keys = flow::number(censored, "key");
        let text = format!("of {keys} the first versions were not seen");
        notes.push(Part::new(Role::Dim, text));
    }
    vec![checks, notes]
}

const LANES: [Column; 4] = [
    column(12, 26, 9, false),
    column(6, 10, 3, false),
    column(9, 30, 8, false),
    column(10, 20, 7, true),
];

fn lanes(model: &Model, lanes: Lanes<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let state = &model.order;
    let placed = table::layout(&LANES, usize::from(area.width), 2);
    let what = if state.by_key { "key" } else { "partition" };
    let names = [
        what,
        "events",
        "anomalies",
        "from the first event to the last",
    ];
    list::heads(canvas, line_of(area, 0), &placed, &names);
    for (lane, line) in list::on_screen(below(area, 1), state.lane, lanes.len()) {
        for place in &placed {
            let cell = list::cell(line, place);
            match place.column {
                0 => {
                    canvas.put(cell, &lanes.title(lane), Role::Topic);
                }
                1 => {
                    let events = lanes.partition(lane).map_or(0, |l| l.events);
                    canvas.put(cell, &human::count(events), Role::Text);
                }
                2 => counts(lanes, lane, canvas, cell),
                _ => bar(lanes, lane, canvas, cell),
            }
        }
        if lane == state.lane {
            let role = match state.pane {
                Pane::Lanes => Role::Cursor,
                Pane::Anomalies => Role::CursorUnfocused,
            };
            // The bar keeps its own look, so that its letters can be read.
            let text: u16 = placed.last().map_or(0, |p: &Placed| p.x as u16);
            let bar_is_last = placed.last().is_some_and(|p| p.column == 3);
            let width = if bar_is_last { text } else { line.width };
            canvas.paint(Rect { width, ..line }, role);
        }
    }
}

/// How many of each sort: sign, letter and number.
fn counts(lanes: Lanes<'_>, lane: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let mut counts = [0u64; Sort::ALL.len()];
    for anomaly in lanes.all_of(lane) {
        counts[Sort::of(anomaly) as usize] += 1;
    }
    if counts.iter().all(|n| *n == 0) {
        let sign = canvas.glyphs.valid;
        canvas.parts(area, &[(Role::Good, sign), (Role::Dim, " in order")]);
        return;
    }
    let mut used = 0;
    for sort in Sort::ALL {
        let number = counts[sort as usize];
        if number > 0 {
            let text = format!("{}{}{number} ", sort.sign(canvas.glyphs), sort.letter());
            used += canvas.put(rest_of(area, used), &text, sort.role());
        }
    }
}

/// Where in the lane the anomalies are: a letter where one is, the weightiest of several.
fn bar(lanes: Lanes<'_>, lane: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(partition) = lanes.partition(lane) else {
        return;
    };
    let width = usize::from(area.width);
    let mut cells: Vec<Option<Sort>> = vec![None; width];
    for anomaly in lanes.all_of(lane) {
        let at = column_of(partition, anomaly.at.position.major, width);
        if let Some(cell) = cells.get_mut(at) {
            *cell = (*cell).max(Some(Sort::of(anomaly)));
        }
    }
    for (x, cell) in cells.iter().enumerate() {
        let place = Rect {
            width: 1,
            ..rest_of(area, x as u16)
        };
        match cell {
            Some(sort) => canvas.put(place, sort.letter(), sort.role()),
            None => canvas.put(place, canvas.glyphs.horizontal, Role::Border),
        };
    }
}

fn column_of(lane: &LaneReport, position: u64, width: usize) -> usize {
    let (first, last) = (lane.first.position.major, lane.last.position.major);
    let length = u128::from(last.saturating_sub(first)) + 1;
    let at = u128::from(position.clamp(first, last.max(first)) - first);
    let column = at * width as u128 / length;
    usize::try_from(column)
        .unwrap_or(0)
        .min(width.saturating_sub(1))
}

/// What explains the offsets that hold no event.
fn explained(offsets: &Offsets) -> String {
    let kinds = [
        (offsets.commits, "commit marker"),
        (offsets.aborts, "abort marker"),
        (offsets.other_markers, "other marker"),
        (offsets.aborted, "aborted event"),
        (offsets.compacted, "compacted offset"),
        (offsets.trimmed, "offset before the log's start"),
        (offsets.in_flight, "offset of an open transaction"),
        (offsets.unexplained, "unexplained offset"),
        (offsets.unknown, "unknown offset"),
    ];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| flow::number(*number, what))
        .collect();
    match told.as_slice() {
        [] => "no offset is missing".to_owned(),
        _ => format!("without an event: {}", told.join(", ")),
    }
}

const ANOMALIES: [Column; 4] = [
    column(3, 16, 9, false),
    column(18, 24, 8, false),
    column(12, 16, 4, false),
    column(20, 40, 7, true),
];

fn anomalies(model: &Model, lanes: Lanes<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let state = &model.order;
    let rows = lanes.anomalies(state.lane);
    let focused = state.pane == Pane::Anomalies;
    canvas.rule(line_of(area, 0), &lanes.title(state.lane), focused);
    let mut list = below(area, 1);
    if let Some(partition) = lanes.partition(state.lane).filter(|_| list.height > 2) {
        let mut facts = vec![Part::new(Role::Dim, explained(&partition.offsets))];
        if partition.append_time {
            facts.push(Part::new(Role::Dim, "times are the broker's own"));
        }
        let line = line_of(list, 0);
        list = below(list, flow::draw(canvas, line, &[facts]));
    }
    if rows == 0 {
        let sign = canvas.glyphs.valid;
        let parts = [
            (Role::Good, sign),
            (Role::Dim, " nothing is out of order here"),
        ];
        canvas.parts(line_of(list, 0), &parts);
        return;
    }
    let placed = table::layout(&ANOMALIES, usize::from(list.width), 2);
    for (at, line) in list::on_screen(list, state.at, rows) {
        let Some(anomaly) = lanes.anomaly(state.lane, at) else {
            continue;
        };
        let sort = Sort::of(anomaly);
        for place in &placed {
            let (role, text) = match place.column {
                0 => {
                    let sign = sort.sign(canvas.glyphs);
                    (
                        sort.role(),
                        format!("{sign}{} {}", sort.letter(), sort.word()),
                    )
                }
                1 => (Role::PartitionOffset, anomaly.at.to_string()),
                2 => (Role::EventKey, flow::bytes(anomaly.key.as_deref())),
                _ => (Role::Text, told(anomaly)),
            };
            canvas.put(list::cell(line, place), &text, role);
        }
        if at == state.at {
            let role = if focused {
                Role::Cursor
            } else {
                Role::CursorUnfocused
            };
            canvas.paint(line, role);
        }
    }
}
