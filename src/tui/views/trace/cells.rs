//! What stands in the columns of a trace's rows.

use std::time::Duration;

use super::{Found, Row};
use crate::inspect::saga::{Lack, Outcome};
use crate::inspect::trace::{Hop, Missing};
use crate::text::human;
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::table::{self, Align, Placed};

/// The width of the longest bar.
pub const BAR: usize = 12;

/// A time between two events; negative where clocks differ.
pub fn length(ms: i64) -> String {
    let text = human::duration(Duration::from_millis(ms.unsigned_abs()));
    if ms < 0 { format!("-{text}") } else { text }
}

/// What stands in a column of a row.
pub fn figure(model: &Model, found: &Found, row: Row, at: &Placed, most: u64) -> (Role, String) {
    let glyphs = model.options.glyphs;
    let none = (Role::Text, String::new());
    let hop = match row {
        Row::Hop(hop) => found.report.hops.get(hop),
        Row::Lack(hop) => {
            let lack = found
                .judged
                .as_ref()
                .and_then(|judged| judged.lack.as_ref());
            let depth = found.report.hops.get(hop).map_or(0, |hop| hop.depth + 1);
            let outcome = found.judged.as_ref().map(|judged| judged.outcome);
            return lack.zip(outcome).map_or(none, |(lack, outcome)| {
                lack_figure(lack, outcome, depth, at.column, glyphs)
            });
        }
        Row::Missing(missing) => {
            let Some(missing) = found.report.missing.get(missing) else {
                return none;
            };
            return missing_figure(missing, &found.report.hops, at.column, glyphs);
        }
    };
    let Some(hop) = hop else {
        return none;
    };
    let late = hop.gap_ms.is_some_and(|ms| ms < 0);
    match at.column {
        0 => name(hop, glyphs),
        1 => {
            let whole = hop.at.to_string();
            let cut = whole.len() > at.width;
            // The end of it tells more.
            let text = table::cell(&whole, at.width, Align::Right, glyphs.ellipsis);
            (Role::PartitionOffset, if cut { text } else { whole })
        }
        2 => (
            Role::Time,
            hop.time
                .map_or_else(String::new, |t| model.time_in(t, at.width)),
        ),
        3 => {
            let gap = hop.gap_ms.map_or_else(String::new, length);
            let role = if late { Role::Warn } else { Role::Text };
            (
                role,
                table::cell(&gap, at.width, Align::Right, glyphs.ellipsis),
            )
        }
        4 if late => (Role::Warn, "before cause".to_owned()),
        4 => (
            Role::Spark,
            bar(hop.gap_ms.unwrap_or(0).unsigned_abs(), most, glyphs),
        ),
        5 => (Role::Dim, hop.producer.clone().unwrap_or_default()),
        6 => (
            Role::EventKey,
            String::from_utf8_lossy(hop.key.as_deref().unwrap_or_default()).into_owned(),
        ),
        _ => (Role::Dim, hop.tie.name().to_owned()),
    }
}

fn bar(gap: u64, most: u64, glyphs: &Glyphs) -> String {
    let part = u128::from(gap) * BAR as u128;
    let cells = part.div_ceil(u128::from(most.max(1))).min(BAR as u128);
    glyphs.done.repeat(cells as usize)
}

/// The name of a hop below its cause, with what is odd about it in words.
fn name(hop: &Hop, glyphs: &Glyphs) -> (Role, String) {
    let indent = "  ".repeat(hop.depth.min(12));
    let name = hop.name();
    if hop.fault.is_some() {
        return (
            Role::Warn,
            format!("{indent}{} {name} not decodable", glyphs.undecodable),
        );
    }
    if hop.dead_letter {
        return (Role::Warn, format!("{indent}{name} dead letter"));
    }
    if hop.copy_of.is_some() {
        return (Role::Warn, format!("{indent}{name} again"));
    }
    (Role::Topic, format!("{indent}{name}"))
}

/// What the model says must follow.
fn lack_figure(
    lack: &Lack,
    outcome: Outcome,
    depth: usize,
    column: usize,
    glyphs: &Glyphs,
) -> (Role, String) {
    let (role, sign, word) = match outcome {
        Outcome::Open | Outcome::Unread => (Role::Info, glyphs.live, "awaited"),
        Outcome::Lost => (Role::Bad, glyphs.invalid, "missing"),
        _ => (Role::Warn, glyphs.frozen, "missing"),
    };
    let text = match column {
        0 => {
            let indent = "  ".repeat(depth.min(12));
            format!("{indent}{sign} {word}: {}", lack.next.join(" or "))
        }
        1 => lack.group.clone().unwrap_or_default(),
        3 => {
            let overdue = lack.overdue_ms.map_or_else(String::new, length);
            format!("{overdue:>10}")
        }
        4 if lack.overdue_ms.is_some_and(|ms| ms > 0) => "overdue".to_owned(),
        4 => "waiting".to_owned(),
        _ => String::new(),
    };
    (role, text)
}

fn missing_figure(
    missing: &Missing,
    hops: &[Hop],
    column: usize,
    glyphs: &Glyphs,
) -> (Role, String) {
    let depth = hops.get(missing.after).map_or(0, |hop| hop.depth + 1);
    let role = if missing.in_time {
        Role::Info
    } else if missing.blocker.is_some() {
        Role::Warn
    } else {
        Role::Bad
    };
    match column {
        0 => {
            let (sign, word) = if missing.in_time {
                (glyphs.live, "awaited")
            } else {
                (glyphs.invalid, "missing")
            };
            let indent = "  ".repeat(depth.min(12));
            (role, format!("{indent}{sign} {word}: {}", missing.next))
        }
        1 => (
            role,
            format!("{} of {} others", missing.followed, missing.of),
        ),
        3 => {
            let waited = missing.waited_ms.map_or_else(String::new, length);
            (role, format!("{waited:>10}"))
        }
        4 => (role, "waiting".to_owned()),
        _ => (Role::Text, String::new()),
    }
}
