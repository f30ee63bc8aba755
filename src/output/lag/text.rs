//! The groups as tables, one a group. Names come from others: all goes through `text`.

use std::time::Duration;

use crate::inspect::lag::{Eta, GroupReport, LagReport, Row};
use crate::output::{Align, Table};
use crate::text::{Visible, human};

/// Appends a table for each group, an empty line between them.
pub fn text(out: &mut Vec<u8>, report: &LagReport, color: bool) {
    for (number, group) in report.groups.iter().enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        let mut line = head(group);
        if let Some(detail) = of_group_alone(group) {
            line.push_str(": ");
            line.push_str(detail);
        }
        out.extend_from_slice(Visible(&line).to_string().as_bytes());
        out.push(b'\n');
        if group.rows.is_empty() {
            out.extend_from_slice(b"  no commits and no partitions\n");
        } else {
            table(group).write(out, color);
        }
        let notes = notes(group);
        for note in notes {
            out.extend_from_slice(format!("  {}\n", Visible(&note)).as_bytes());
        }
    }
}

/// The sentence behind the verdict, where no row of the table has it.
fn of_group_alone(group: &GroupReport) -> Option<&str> {
    let in_table = group.rows.iter().any(|row| row.detail == group.detail);
    group.detail.as_deref().filter(|_| !in_table)
}

fn head(group: &GroupReport) -> String {
    let epochs = group.epochs.map_or_else(String::new, |epochs| {
        format!(" epoch {}/{}", epochs.assignment, epochs.group)
    });
    let worst = group
        .worst()
        .filter(|row| row.why == group.why && !row.why.is_ok())
        .map(|row| format!("  worst {}/{}", row.topic, row.partition));
    format!(
        "GROUP {}  {} {}{epochs}  members {}{}  {}",
        group.name,
        group.kind,
        group.state,
        group.members.len(),
        worst.unwrap_or_default(),
        group.why.word()
    )
}

fn table(group: &GroupReport) -> Table {
    let rates = group.rows.iter().any(|row| row.rate.is_some());
    let pending = group.rows.iter().any(|row| row.pending.is_some());
    let mut columns = vec![
        ("PARTITION", Align::Left),
        ("COMMIT", Align::Right),
        ("LSO", Align::Right),
        ("HW", Align::Right),
        ("RAW", Align::Right),
        ("VISIBLE", Align::Right),
        ("TIME-LAG", Align::Right),
        ("TO-LOSS", Align::Right),
    ];
    if rates {
        columns.extend([
            ("IN/S", Align::Right),
            ("OUT/S", Align::Right),
            ("ETA", Align::Right),
        ]);
    }
    if pending {
        columns.push(("PENDING", Align::Right));
    }
    columns.extend([("MEMBER", Align::Left), ("WHY", Align::Left)]);
    let mut table = Table::new(&columns);
    for row in &group.rows {
        table.row(cells(row, rates, pending));
    }
    table
}

fn cells(row: &Row, rates: bool, pending: bool) -> Vec<String> {
    let dash = || "-".to_owned();
    let position = |at: crate::event::Position| at.display(row.style).to_string();
    let number = |n: Option<u64>| n.map_or_else(dash, human::count);
    let visible = match row.visible {
        Some(visible) if row.estimated => format!("~{}", human::count(visible)),
        visible => number(visible),
    };
    let mut cells = vec![
        format!("{}/{}", row.topic, row.partition),
        row.committed.map_or_else(dash, position),
        row.stable.map_or_else(dash, position),
        if row.offline {
            dash()
        } else {
            position(row.end)
        },
        number(row.raw),
        visible,
        row.time_lag_ms.map_or_else(dash, span),
        row.to_loss_ms.map_or_else(dash, span),
    ];
    if rates {
        let rate = |of: Option<f64>| of.map_or_else(dash, |rate| format!("{rate:.2}"));
        cells.push(rate(row.rate.map(|r| r.written)));
        cells.push(rate(row.rate.map(|r| r.passed)));
        cells.push(eta(row.eta));
    }
    if pending {
        cells.push(number(row.pending));
    }
    cells.push(row.member.clone().unwrap_or_else(dash));
    cells.push(why(row));
    cells
}

fn why(row: &Row) -> String {
    let word = row.why.word();
    if row.why.is_ok() {
        let detail = row.detail.as_ref().map(|detail| format!(" ({detail})"));
        return format!("{word}{}", detail.unwrap_or_default());
    }
    let at = row
        .waiting
        .as_ref()
        .map(|waiting| format!(" @{}", waiting.at.position.display(row.style)));
    let detail = row.detail.as_ref().map(|detail| format!(": {detail}"));
    format!(
        "{word}{}{}",
        at.unwrap_or_default(),
        detail.unwrap_or_default()
    )
}

fn eta(eta: Eta) -> String {
    match eta {
        Eta::Done => "-".to_owned(),
        Eta::Never => "never".to_owned(),
        Eta::Unknown => "?".to_owned(),
        Eta::Seconds { likely, .. } => {
            human::duration(Duration::try_from_secs_f64(likely).unwrap_or(Duration::MAX))
        }
    }
}

/// Seconds to a tenth up to ten minutes, then in larger units.
fn span(ms: i64) -> String {
    let tenths = ms.unsigned_abs() / 100;
    if tenths < 6_000 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    human::duration(Duration::from_millis(ms.unsigned_abs()))
}

/// What there is to say of the group below its table.
fn notes(group: &GroupReport) -> Vec<String> {
    let mut notes = Vec::new();
    for row in &group.rows {
        for hot in row.hot.iter().take(2) {
            let share = (hot.count - hot.error) * 100 / hot.of.max(1);
            let key = String::from_utf8_lossy(&hot.key);
            notes.push(format!(
                "hot key in {}/{}: {key} has {share} % of {} events",
                row.topic,
                row.partition,
                human::count(hot.of)
            ));
        }
    }
    if let Some(untold) = &group.untold {
        notes.push(untold.clone());
    }
    notes
}
