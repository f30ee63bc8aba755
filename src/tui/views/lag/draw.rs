//! Draws the groups, or the partitions of one. Only the rows on the screen are made.

use std::time::Duration;

use ratatui::layout::Rect;

use super::full::in_full;
use super::with_groups;
use crate::inspect::lag::{Eta, GroupReport, Row, Why};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, rest_of};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::flow::{self, Part};
use crate::tui::views::list::Table;
use crate::tui::widgets::table::{Column, column};

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
    let mut list = below(area, used);
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
    let glyphs = canvas.glyphs;
    if let Some(group) = state.group().filter(|_| state.opened) {
        let rows = (group.rows.len(), state.row);
        PARTITIONS.draw(canvas, list, rows, |row, place| {
            Some(partition(group.rows.get(row)?, place.column, glyphs))
        });
    } else {
        let groups = state.groups();
        let rows = (groups.len(), state.at);
        GROUPS.draw(canvas, list, rows, |row, place| {
            Some(of_group(groups.get(row)?, place.column, glyphs))
        });
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
    flow::draw(canvas, below(area, 1), &lines);
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

pub(super) fn sign(why: Why, glyphs: &'static Glyphs) -> (Role, &'static str) {
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
        Why::Offline | Why::Unassigned | Why::NoMembers | Why::Dead => (Role::Bad, glyphs.frozen),
        _ => (Role::Bad, glyphs.invalid),
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

const GROUPS: Table<'_> = Table {
    columns: &COLUMNS,
    names: &NAMES,
    is_number,
};
const PARTITIONS: Table<'_> = Table {
    columns: &COLUMNS_OPENED,
    names: &PARTITION_NAMES,
    is_number,
};

type Cell = (Role, String);

fn reason(why: Why, glyphs: &'static Glyphs) -> Cell {
    let (role, sign) = sign(why, glyphs);
    (role, format!("{sign} {}", why.word()))
}

pub(super) fn age(ms: Option<i64>) -> String {
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

pub(super) fn seconds(seconds: f64) -> String {
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
            let end = if row.offline {
                "?".to_owned()
            } else {
                row.end.display(row.style).to_string()
            };
            (Role::Dim, format!("{committed} of {end} {member}"))
        }
    }
}
