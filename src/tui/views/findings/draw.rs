//! Draws the findings: the verdict with what it rests on, the ranked list, the one under the
//! cursor in full. Only the rows on the screen are made.

use ratatui::layout::Rect;

use super::found::Found;
use crate::inspect::Verdict;
use crate::inspect::findings::{Finding, Severity};
use crate::text::human;
use crate::tui::canvas::{Canvas, below, line_of, rest_of};
use crate::tui::model::Model;
use crate::tui::model::feed::Reading;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::flow::{self, Part};
use crate::tui::views::list;
use crate::tui::widgets::table::{self, Column, column};

/// Lines below the list for the finding under the cursor.
const FULL: u16 = 4;
/// The list is worth more than them where there are fewer lines.
const LOW: u16 = 14;
/// Where there are so many lines, the checks are told beside the findings.
const TALL: u16 = 20;

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let area = rest_of(area, 1);
    let Some(found) = model.findings.watch.found.as_deref() else {
        nothing_yet(model, canvas, area);
        return;
    };
    let mut head = head(model, found, canvas.glyphs);
    if area.height >= TALL && !found.rows.is_empty() {
        head.push(checks_in_short(found, canvas.glyphs));
    }
    let used = flow::draw(canvas, area, &head);
    let mut list = below(area, used);
    if found.rows.is_empty() {
        checks(model, found, canvas, below(list, 1));
        return;
    }
    if list.height >= LOW {
        let full = Rect {
            y: list.bottom() - FULL,
            height: FULL,
            ..list
        };
        list.height -= FULL;
        in_full(model, found, canvas, full);
    }
    rows(model, found, canvas, list);
}

/// The sign and the style of a verdict.
pub fn verdict_sign(verdict: &Verdict, glyphs: &'static Glyphs) -> (Role, &'static str) {
    match verdict {
        Verdict::Clean => (Role::Good, glyphs.valid),
        Verdict::Violation => (Role::Bad, glyphs.invalid),
        Verdict::Inconclusive(_) | Verdict::Idle(_) => (Role::Warn, glyphs.unknown),
    }
}

fn severity_sign(severity: Severity, glyphs: &'static Glyphs) -> (Role, &'static str) {
    match severity {
        Severity::P1 => (Role::Bad, glyphs.invalid),
        Severity::P2 => (Role::Warn, glyphs.undecodable),
        Severity::P3 => (Role::Info, glyphs.mark),
        Severity::P4 => (Role::Dim, glyphs.no_schema),
    }
}

const SEVERITIES: [Severity; 4] = [Severity::P1, Severity::P2, Severity::P3, Severity::P4];

/// The verdict over all, the counts, and what was looked at.
fn head(model: &Model, found: &Found, glyphs: &'static Glyphs) -> Vec<Vec<Part>> {
    let (role, sign) = verdict_sign(&found.verdict, glyphs);
    let mut first = vec![Part::new(role, format!("{sign} {}", found.verdict))];
    if let Verdict::Violation = found.verdict {
        let number = flow::number(found.rows.len() as u64, "finding");
        first.push(Part::new(Role::Strong, number));
        for (severity, count) in SEVERITIES.into_iter().zip(found.counts) {
            let (role, sign) = severity_sign(severity, glyphs);
            let role = if count == 0 { Role::Dim } else { role };
            let count = human::count(count as u64);
            let text = format!("{sign} {} {count}", severity.name());
            first.push(Part::new(role, text));
        }
        if found.missed {
            let text = "events left the buffer before they could be looked at";
            first.push(Part::new(Role::Warn, text));
        }
    }
    if found.report.unkept > 0 {
        let text = format!("{} more not kept", human::count(found.report.unkept));
        first.push(Part::new(Role::Warn, text));
    }
    vec![first, coverage(model, found)]
}

/// What was looked at, and how the reading goes.
pub fn coverage(model: &Model, found: &Found) -> Vec<Part> {
    let dim = |text: String| Part::new(Role::Dim, text);
    let mut parts = vec![dim(format!(
        "{} of {} in {}",
        flow::number(found.report.events, "event"),
        flow::number(found.topics as u64, "topic"),
        flow::number(found.order.lanes.len() as u64, "partition")
    ))];
    if let (Some(first), Some(newest)) = (found.first_time, found.newest_time) {
        let (first, newest) = (model.time(first), model.time(newest));
        parts.push(dim(format!("since {first}, up to {newest}")));
    }
    parts.push(dim(crate::tui::views::lag::coverage(model)));
    if found.of_fields < found.report.events {
        let number = human::count(found.of_fields);
        parts.push(dim(format!("fields of {number} of them")));
    }
    let skipped = [
        (
            found.order.coverage.filtered,
            "event",
            " left out by a filter",
        ),
        (found.order.coverage.ghosts, "aborted event", ""),
        (found.order.coverage.dead_letters, "dead letter", ""),
    ];
    for (number, what, how) in skipped {
        if number > 0 {
            parts.push(dim(format!("{}{how}", flow::number(number, what))));
        }
    }
    parts.push(reading(model));
    parts
}

/// Whether more is to come.
fn reading(model: &Model) -> Part {
    let behind = model.findings.watch.behind(&model.feed);
    let (role, mut text) = match (&model.feed.reading, model.feed.progress) {
        (Reading::Failed(message), _) => (Role::Bad, format!("the reading failed: {message}")),
        (Reading::Ended, _) => (Role::Dim, "read to the end".to_owned()),
        (Reading::Live, Some((done, all))) if done < all => {
            let percent = done.saturating_mul(100) / all;
            (Role::Info, format!("reading, {percent} %"))
        }
        (Reading::Live, _) => (Role::Info, "live".to_owned()),
        (Reading::Opening, _) => (Role::Info, "connecting".to_owned()),
        (Reading::Idle, _) => (Role::Dim, "nothing is read".to_owned()),
    };
    if behind > 0 {
        text = format!("{text}, {} to be looked at", human::count(behind));
    }
    Part::new(role, text)
}

fn checks_in_short(found: &Found, glyphs: &'static Glyphs) -> Vec<Part> {
    let checks = found.report.checks.iter();
    let part = |(name, verdict): &(&str, Verdict)| {
        let (role, sign) = verdict_sign(verdict, glyphs);
        let text = match verdict {
            Verdict::Inconclusive(why) | Verdict::Idle(why) => format!("{sign} {name}: {why}"),
            _ => format!("{sign} {name}"),
        };
        Part::new(role, text)
    };
    checks.map(part).collect()
}

/// Every check with its verdict and why, where there is no finding to show.
fn checks(model: &Model, found: &Found, canvas: &mut Canvas<'_>, area: Rect) {
    let mut lines: Vec<Vec<Part>> = Vec::new();
    for (name, verdict) in &found.report.checks {
        let (role, sign) = verdict_sign(verdict, canvas.glyphs);
        lines.push(vec![
            Part::new(role, sign),
            Part::new(Role::Text, format!("{name:<11}")),
            Part::new(role, verdict.to_string()),
        ]);
    }
    let events = found.report.events;
    let looked = format!(
        "payloads    {} looked at for what cannot be decoded, control characters and personal data",
        flow::number(events, "value")
    );
    lines.push(vec![Part::new(Role::Dim, looked)]);
    let groups = format!("groups      {}", crate::tui::views::lag::coverage(model));
    lines.push(vec![Part::new(Role::Dim, groups)]);
    flow::draw(canvas, area, &lines);
}

fn nothing_yet(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    use crate::tui::actions::Action;
    let hint = |action| model.options.keymap.hint(action);
    let source = crate::tui::views::chrome::source_name(model);
    let (role, text, more) = match &model.feed.reading {
        Reading::Failed(message) => {
            let trouble = model.source.trouble.as_ref();
            let tip = trouble.and_then(|t| t.hint.clone()).unwrap_or_default();
            let again = format!(
                "{} tries again, {} chooses another source",
                hint(Action::Reload),
                hint(Action::Sources)
            );
            (Role::Bad, message.clone(), format!("{tip} {again}"))
        }
        Reading::Idle => {
            let more = format!("{} shows the topics to choose from", hint(Action::GoTopics));
            (Role::Text, "No events are read yet.".to_owned(), more)
        }
        Reading::Opening => (Role::Text, format!("Connecting to {source}"), String::new()),
        Reading::Live | Reading::Ended => (
            Role::Text,
            "Looking at the events".to_owned(),
            "order, duplicates, gaps, versions, causes, payloads, fields and groups".to_owned(),
        ),
    };
    let lines = [
        vec![Part::new(role, text)],
        vec![Part::new(Role::Dim, more.trim().to_owned())],
    ];
    flow::draw(canvas, below(area, 1), &lines);
}

const NAMES: [&str; 5] = ["", "finding", "at", "key", "what"];
const COLUMNS: [Column; 5] = [
    column(4, 4, 9, false),
    column(20, 21, 8, false),
    column(13, 22, 7, false),
    column(8, 14, 3, false),
    column(13, 40, 6, true),
];

fn rows(model: &Model, found: &Found, canvas: &mut Canvas<'_>, area: Rect) {
    let at = model.findings.at;
    let placed = table::layout(&COLUMNS, usize::from(area.width), 2);
    list::heads(canvas, line_of(area, 0), &placed, &NAMES);
    for (index, line) in list::on_screen(below(area, 1), at, found.rows.len()) {
        let row = &found.rows[index];
        let Some(finding) = found.report.findings.get(row.finding) else {
            continue;
        };
        for place in &placed {
            let (role, text) = cell(finding, row.under, place.column, canvas.glyphs);
            canvas.put(list::cell(line, place), &text, role);
        }
        if index == at {
            canvas.paint(line, Role::Cursor);
        }
    }
}

fn cell(finding: &Finding, under: bool, column: usize, glyphs: &'static Glyphs) -> (Role, String) {
    let (role, sign) = severity_sign(finding.severity, glyphs);
    match column {
        0 => (role, format!("{sign} {}", finding.severity.name())),
        1 if under => (Role::Dim, format!("{} {}", glyphs.right, finding.code)),
        1 => (Role::Text, finding.code.to_string()),
        2 => (Role::PartitionOffset, finding.at.to_string()),
        3 => (Role::EventKey, flow::bytes(finding.key.as_deref())),
        _ => (Role::Text, finding.message.clone()),
    }
}

/// The finding under the cursor, nothing cut.
fn in_full(model: &Model, found: &Found, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(finding) = super::selected(model) else {
        return;
    };
    canvas.rule(line_of(area, 0), finding.code.as_str(), false);
    let mut parts = vec![
        Part::new(Role::PartitionOffset, finding.at.to_string()),
        Part::new(Role::EventKey, flow::bytes(finding.key.as_deref())),
    ];
    if let Some(time) = finding.time {
        parts.push(Part::new(Role::Time, model.time(time)));
    }
    if let Some(other) = &finding.other {
        parts.push(Part::new(Role::Dim, format!("held against {other}")));
    }
    if let Some((code, at)) = &finding.cause {
        parts.push(Part::new(Role::Dim, format!("explained by {code} at {at}")));
    }
    let after = found.rows.iter().skip(model.findings.at + 1);
    let explains = after.take_while(|row| row.under).count();
    let is_head = found.rows.get(model.findings.at).is_some_and(|r| !r.under);
    if is_head && explains > 0 {
        parts.push(Part::new(Role::Dim, format!("explains {explains} below")));
    }
    let message = vec![Part::new(Role::Text, finding.message.clone())];
    flow::draw(canvas, below(area, 1), &[message, parts]);
}
