//! Draws the groups, or the partitions of one. Only the rows on the screen are made.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{meant, with_groups};
use crate::inspect::lag::{Eta, GroupReport, Row, Why};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, line_of, rest_of};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::flow::{self, Part};
use crate::tui::widgets::table::{self, Align, Column};

/// Lines below the list for what is under the cursor, where they are long and where they are not.
const FULL: u16 = 6;
const FULL_NARROW: u16 = 8;
const NARROW: u16 = 90;
/// The list is worth more than them where there are fewer lines.
const LOW: u16 = 12;

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let area = rest_of(area, 1);
    let state = &model.lag;
    if state.groups().is_empty() {
        nothing(model, canvas, area);
        return;
    }
    let used = flow::draw(canvas, area, &head(model, canvas.glyphs));
    let mut list = flow::below(area, used);
    if list.height >= LOW {
        let height = if list.width < NARROW {
            FULL_NARROW
        } else {
            FULL
        };
        let full = Rect {
            y: list.bottom() - height,
            height,
            ..list
        };
        list.height -= height;
        in_full(model, canvas, full);
    }
    if let Some(group) = state.group().filter(|_| state.opened) {
        let cells = |index: usize, column, glyphs| {
            let row = group.rows.get(index)?;
            Some(partition(row, column, glyphs))
        };
        let columns = (&COLUMNS_OPENED, &PARTITION_NAMES);
        table(canvas, list, columns, (group.rows.len(), state.row), cells);
    } else {
        let groups = state.groups();
        let cells = |index: usize, column, glyphs| {
            let group = groups.get(index)?;
            Some(of_group(group, column, glyphs))
        };
        table(
            canvas,
            list,
            (&COLUMNS, &NAMES),
            (groups.len(), state.at),
            cells,
        );
    }
}

fn nothing(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let hint = |action| model.options.keymap.hint(action);
    let again = format!("{} asks again", hint(Action::Reload));
    let (role, text, more) = if model.source.connections.is_empty() {
        let more = format!("{} chooses a source", hint(Action::Sources));
        (Role::Text, "No source is open.".to_owned(), more)
    } else if with_groups(model).next().is_none() {
        let names: Vec<&str> = model
            .source
            .connections
            .iter()
            .map(|c| c.capabilities().adapter)
            .collect();
        let text = format!("This source has no consumer groups ({}).", names.join(", "));
        let more = "Lag is known where a broker keeps the commits of groups.".to_owned();
        (Role::Text, text, more)
    } else if let Some(trouble) = model.lag.trouble() {
        let tip = trouble.hint.clone().unwrap_or_default();
        (Role::Bad, trouble.message.clone(), format!("{tip} {again}"))
    } else if model.lag.all.is_none() {
        (
            Role::Text,
            "Asking for the groups".to_owned(),
            String::new(),
        )
    } else {
        let text = "The broker was asked: it has no consumer groups.".to_owned();
        (Role::Text, text, again)
    };
    let lines = [
        vec![Part::new(role, text)],
        vec![Part::new(Role::Dim, more.trim().to_owned())],
    ];
    flow::draw(canvas, flow::below(area, 1), &lines);
}

fn head(model: &Model, glyphs: &'static Glyphs) -> Vec<Vec<Part>> {
    let state = &model.lag;
    let groups = state.groups();
    let troubled = groups.iter().filter(|g| g.why.is_trouble()).count();
    let (role, sign) = match troubled {
        0 => (Role::Good, glyphs.valid),
        _ => (Role::Bad, glyphs.invalid),
    };
    let mut parts = vec![
        Part::new(role, format!("{sign} {troubled} in trouble")),
        Part::new(
            Role::Dim,
            format!("of {}", flow::number(groups.len() as u64, "group")),
        ),
    ];
    if let Some(group) = state.group().filter(|_| state.opened) {
        parts.push(Part::new(Role::Title, group.name.clone()));
    }
    if let Some(trouble) = state.trouble() {
        let text = format!("{} {}", glyphs.unknown, trouble.message);
        parts.push(Part::new(Role::Warn, text));
    }
    if model.lag.sources.values().any(|s| s.job.is_some()) {
        parts.push(Part::new(Role::Dim, "looking"));
    }
    vec![parts]
}

fn sign(why: Why, glyphs: &'static Glyphs) -> (Role, &'static str) {
    match why {
        Why::Ok | Why::OkTail => (Role::Good, glyphs.valid),
        Why::CatchingUp => (Role::Info, glyphs.up),
        Why::NoCommit | Why::NotSubscribed => (Role::Dim, glyphs.no_schema),
        Why::Unknown
        | Why::Rebalancing { .. }
        | Why::Reconciling { .. }
        | Why::BlockedByTxn { .. }
            if !why.is_trouble() =>
        {
            (Role::Warn, glyphs.unknown)
        }
        Why::Lagging | Why::FallingBehind => (Role::Warn, glyphs.down),
        Why::Unassigned | Why::NoMembers | Why::Dead => (Role::Bad, glyphs.frozen),
        _ => (Role::Bad, glyphs.invalid),
    }
}

const fn column(min: usize, ideal: usize, priority: u8, flex: bool) -> Column {
    Column {
        min,
        ideal,
        priority,
        flex,
    }
}

const NAMES: [&str; 8] = [
    "group",
    "reason",
    "lag",
    "",
    "oldest",
    "done/new/s",
    "done in",
    "state",
];
const COLUMNS: [Column; 8] = [
    column(12, 20, 9, true),
    column(12, 16, 8, false),
    column(5, 8, 7, false),
    column(7, 7, 6, false),
    column(8, 12, 5, false),
    column(8, 10, 3, false),
    column(7, 9, 4, false),
    column(6, 22, 2, false),
];
const PARTITION_NAMES: [&str; 8] = [
    "partition",
    "reason",
    "lag",
    "",
    "oldest",
    "done/new/s",
    "done in",
    "commit and member",
];
const COLUMNS_OPENED: [Column; 8] = {
    let mut columns = COLUMNS;
    columns[7] = column(12, 28, 6, false);
    columns
};

fn is_number(column: usize) -> bool {
    matches!(column, 2 | 4 | 5 | 6)
}

type Cell = (Role, String);

fn table(
    canvas: &mut Canvas<'_>,
    area: Rect,
    (columns, names): (&[Column; 8], &[&str; 8]),
    (rows, at): (usize, usize),
    cells: impl Fn(usize, usize, &'static Glyphs) -> Option<Cell>,
) {
    let placed = table::layout(columns, usize::from(area.width), 2);
    let height = usize::from(area.height.saturating_sub(1));
    let top = flow::top(at, rows, height);
    for line in 0..=height.min(rows - top.min(rows)) {
        let place = line_of(area, line);
        for at in &placed {
            let cell = match line {
                0 => names
                    .get(at.column)
                    .map(|name| (Role::Title, (*name).to_owned())),
                _ => cells(top + line - 1, at.column, canvas.glyphs),
            };
            let Some((role, text)) = cell else {
                continue;
            };
            let align = if is_number(at.column) {
                Align::Right
            } else {
                Align::Left
            };
            let text = table::cell(&text, at.width, align, canvas.glyphs.ellipsis);
            canvas.put(flow::cell(place, at), &text, role);
        }
        if line > 0 && top + line - 1 == at {
            canvas.paint(place, Role::Cursor);
        }
    }
}

fn reason(why: Why, glyphs: &'static Glyphs) -> Cell {
    let (role, sign) = sign(why, glyphs);
    (role, format!("{sign} {}", why.word()))
}

fn age(ms: Option<i64>) -> String {
    ms.map_or_else(
        || "?".to_owned(),
        |ms| human::duration(Duration::from_millis(ms.unsigned_abs())),
    )
}

/// Events a second that a group passes, and what is written meanwhile.
fn rates(passed: Option<(f64, f64)>) -> String {
    passed.map_or_else(
        || "?".to_owned(),
        |(passed, written)| format!("{passed:.1}/{written:.1}"),
    )
}

fn eta(eta: Eta) -> String {
    match eta {
        Eta::Done => "now".to_owned(),
        Eta::Never => "never".to_owned(),
        Eta::Unknown => "?".to_owned(),
        Eta::Seconds { likely, .. } => seconds(likely),
    }
}

fn seconds(seconds: f64) -> String {
    human::duration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// How much is behind, and which of the two figures that is.
fn lag(visible: Option<u64>, raw: Option<u64>, estimated: bool) -> (String, &'static str) {
    match (visible, raw) {
        (Some(events), _) if estimated => (format!("~{}", human::count(events)), "events"),
        (Some(events), _) => (human::count(events), "events"),
        (None, Some(positions)) => (human::count(positions), "offsets"),
        (None, None) => ("?".to_owned(), ""),
    }
}

/// The positions behind the commits of all partitions.
fn raw(group: &GroupReport) -> Option<u64> {
    group.rows.iter().map(|row| row.raw).sum()
}

/// The figures of a group as a whole.
fn of_group(group: &GroupReport, column: usize, glyphs: &'static Glyphs) -> Cell {
    let (number, unit) = lag(group.visible(), raw(group), group.estimated());
    let rates_of = |of: fn(&crate::inspect::lag::Rate) -> f64| -> Option<f64> {
        let known: Vec<f64> = group
            .rows
            .iter()
            .filter_map(|r| r.rate.as_ref().map(of))
            .collect();
        (!known.is_empty()).then(|| known.iter().sum())
    };
    match column {
        0 => (Role::EventKey, group.name.clone()),
        1 => reason(group.why, glyphs),
        2 => (Role::Strong, number),
        3 => (Role::Dim, unit.to_owned()),
        4 => (Role::Time, age(group.time_lag_ms())),
        5 => (
            Role::Text,
            rates(rates_of(|r| r.passed).zip(rates_of(|r| r.written))),
        ),
        6 => (Role::Text, longest(group)),
        _ => {
            let members = flow::number(group.members.len() as u64, "member");
            let text = format!("{}, {members}", group.state);
            (Role::Dim, text)
        }
    }
}

/// When the last partition will be done.
fn longest(group: &GroupReport) -> String {
    let mut worst = Eta::Done;
    for row in &group.rows {
        worst = match (worst, row.eta) {
            (Eta::Never, _) | (_, Eta::Never) => Eta::Never,
            (Eta::Unknown, _) | (_, Eta::Unknown) => Eta::Unknown,
            (Eta::Done, other) | (other, Eta::Done) => other,
            (Eta::Seconds { likely: a, .. }, Eta::Seconds { likely: b, .. }) => {
                if a < b {
                    row.eta
                } else {
                    worst
                }
            }
        };
    }
    eta(worst)
}

fn partition(row: &Row, column: usize, glyphs: &'static Glyphs) -> Cell {
    let (number, unit) = lag(row.visible, row.raw, row.estimated);
    match column {
        0 => (Role::Topic, format!("{}/{}", row.topic, row.partition)),
        1 => reason(row.why, glyphs),
        2 => (Role::Strong, number),
        3 => (Role::Dim, unit.to_owned()),
        4 => (Role::Time, age(row.time_lag_ms)),
        5 => (Role::Text, rates(row.rate.map(|r| (r.passed, r.written)))),
        6 => (Role::Text, eta(row.eta)),
        _ => {
            let committed = row
                .committed
                .map_or_else(|| "none".to_owned(), |c| c.display(row.style).to_string());
            let member = row.member.as_deref().unwrap_or("no member");
            let end = row.end.display(row.style);
            (Role::Dim, format!("{committed} of {end} {member}"))
        }
    }
}

/// The reason in words, the figures, the event that is waited on, the members.
fn in_full(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(group) = model.lag.group() else {
        return;
    };
    canvas.rule(line_of(area, 0), &group.name, false);
    let mut lines = Vec::new();
    if let Some(row) = meant(&model.lag) {
        lines.push(told(model, group, row, canvas.glyphs));
        lines.push(figures(row));
        lines.extend(next(model, row));
    }
    lines.push(who(group));
    flow::draw(canvas, flow::below(area, 1), &lines);
}

/// The reason: the partition's where one is chosen, else the group's.
fn told(model: &Model, group: &GroupReport, row: &Row, glyphs: &'static Glyphs) -> Vec<Part> {
    let (why, detail) = if model.lag.opened {
        (row.why, &row.detail)
    } else {
        (group.why, &group.detail)
    };
    let (role, sign) = sign(why, glyphs);
    let place = format!("{}/{}", row.topic, row.partition);
    let mut parts = vec![
        Part::new(role, format!("{sign} {}", why.word())),
        Part::new(Role::Text, why.meaning()),
        Part::new(Role::Topic, place),
    ];
    // The fault of an event stands beside the event.
    let fault = row.waiting.as_ref().and_then(|w| w.fault.as_ref());
    if let Some(detail) = detail.as_ref().filter(|d| Some(*d) != fault) {
        parts.push(Part::new(Role::Strong, detail.clone()));
    }
    parts
}

fn figures(row: &Row) -> Vec<Part> {
    let mut parts = Vec::new();
    if let (Some(visible), Some(raw)) = (row.visible, row.raw) {
        let about = if row.estimated { "~" } else { "" };
        let text = if visible == raw {
            flow::number(visible, "event")
        } else {
            format!("{about}{visible} events of {raw} offsets")
        };
        parts.push(Part::new(Role::Text, text));
    }
    if let Some(left) = row.to_loss_ms {
        let text = format!("kept for {} more", age(Some(left)));
        parts.push(Part::new(Role::Text, text));
    }
    if let Some(ms) = row.still_ms.filter(|ms| *ms > 0 && row.lag() != Some(0)) {
        let text = format!("the commit has stood for {}", age(Some(ms)));
        parts.push(Part::new(Role::Dim, text));
    }
    if let Eta::Seconds {
        soonest, latest, ..
    } = row.eta
        && soonest < latest
    {
        let latest = if latest.is_finite() {
            seconds(latest)
        } else {
            "never".to_owned()
        };
        let text = format!("done in {} to {latest}", seconds(soonest));
        parts.push(Part::new(Role::Dim, text));
    }
    for hot in row.hot.iter().take(2) {
        let share = (hot.count - hot.error) * 100 / hot.of.max(1);
        parts.push(Part::new(Role::Warn, format!("{share} % have the key")));
        parts.push(Part::new(Role::EventKey, flow::bytes(Some(&hot.key))));
    }
    parts
}

/// The event that the group will be given next.
fn next(model: &Model, row: &Row) -> Option<Vec<Part>> {
    let waiting = row.waiting.as_ref()?;
    let key = model.options.keymap.hint(Action::LagEvent);
    let mut next = vec![
        Part::new(Role::Text, "next is"),
        Part::new(Role::PartitionOffset, waiting.at.to_string()),
        Part::new(Role::EventKey, flow::bytes(waiting.key.as_deref())),
    ];
    if let Some(fault) = &waiting.fault {
        next.push(Part::new(Role::Bad, fault.clone()));
    }
    next.push(Part::new(Role::Key, format!("{key} shows it")));
    Some(next)
}

/// State, protocol, epochs and members.
fn who(group: &GroupReport) -> Vec<Part> {
    let epochs = group.epochs.map_or_else(String::new, |epochs| {
        format!(" epoch {}/{}", epochs.assignment, epochs.group)
    });
    let mut who = vec![Part::new(
        Role::Dim,
        format!("{} {}{epochs}, members:", group.state, group.kind),
    )];
    match group.members.as_slice() {
        [] => who.push(Part::new(Role::Warn, "none")),
        // More than stand on a screen are not written out.
        members => who.extend(members.iter().take(32).map(|m| {
            let host = if m.host.is_empty() {
                String::new()
            } else {
                format!("@{}", m.host)
            };
            Part::new(Role::Text, format!("{}{host}", m.id))
        })),
    }
    if let Some(untold) = &group.untold {
        who.push(Part::new(Role::Dim, untold.clone()));
    }
    who
}
