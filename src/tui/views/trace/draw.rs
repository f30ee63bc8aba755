//! Draws a trace: the verdict in words, the hops with their gaps, what is known of the hop under
//! the cursor.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use super::cells::{BAR, figure, length};
use super::{Found, Row, Seed};
use crate::inspect::saga;
use crate::inspect::trace::{Hop, Missing, Outcome};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of, rest_of};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::lines::{Line, line, note, put_all, wrap};
use crate::tui::views::list;
use crate::tui::widgets::table::{self, Column, column};

/// Lines of what is known of the chosen hop.
const ABOUT: u16 = 3;
/// Lower than this, there is no room for them.
const ROOMY: u16 = 14;

const HEADS: [&str; 8] = [
    "hop",
    "event",
    "time",
    // On the right, as what stands below it.
    "       gap",
    "",
    "producer",
    "key",
    "by",
];
const COLUMNS: [Column; 8] = [
    column(30, 34, 8, true),
    column(14, 24, 9, false),
    column(12, 12, 5, false),
    column(10, 10, 7, false),
    column(BAR, BAR, 6, false),
    column(11, 14, 4, false),
    column(9, 14, 3, false),
    column(14, 14, 2, false),
];

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let state = &model.trace;
    let Some(seed) = &state.seed else {
        empty(model, canvas, area);
        return;
    };
    let Some(found) = &state.found else {
        let text = format!("Tracing {} ({})", seed.text(), seed.what);
        note(canvas, area, (Role::Text, &text), &[]);
        return;
    };
    let mut head = head(model, seed, found, usize::from(area.width));
    // The verdict comes first, but the hops need a place, too.
    head.truncate(usize::from(area.height / 2).max(1));
    put_all(canvas, area, &head, 0);
    let used = (head.len() as u16).min(area.height);
    let mut list = below(area, used);
    if found.rows.is_empty() {
        let tab = model.options.keymap.hint(Action::NextPane);
        let rest = [
            format!("{} events were looked at.", human::count(found.events)),
            format!("{tab} traces another id; more topics are chosen in the topics view."),
        ];
        note(canvas, list, (Role::Text, "No event is tied to it."), &rest);
        return;
    }
    if area.height >= ROOMY {
        list.height -= ABOUT + 1;
        let about = Rect {
            y: list.bottom() + 1,
            height: ABOUT,
            ..area
        };
        canvas.rule(
            Rect {
                y: list.bottom(),
                height: 1,
                ..area
            },
            "",
            false,
        );
        if let Some(row) = found.rows.get(state.at) {
            let lines = about_row(model, found, *row, usize::from(about.width));
            put_all(canvas, about, &lines, 0);
        }
    }
    hops(model, canvas, list, found);
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let hint = |action| model.options.keymap.hint(action);
    let rest = [
        format!(
            "{} on an event of the stream traces its correlation id, else its trace id or key.",
            hint(Action::TraceThis)
        ),
        format!(
            "{} takes an id, a key or a text that is typed.",
            hint(Action::Open)
        ),
    ];
    note(canvas, area, (Role::Text, "Nothing is traced."), &rest);
}

/// The sign of what the model says.
fn verdict(outcome: saga::Outcome, glyphs: &Glyphs) -> (Role, &'static str) {
    use saga::Outcome as Is;
    match outcome {
        Is::Completed | Is::Rejected | Is::Compensated => (Role::Good, glyphs.valid),
        Is::Open | Is::Unread => (Role::Info, glyphs.live),
        Is::Blocked => (Role::Warn, glyphs.frozen),
        Is::Overdue | Is::Headless => (Role::Warn, glyphs.unknown),
        Is::Poison => (Role::Bad, glyphs.undecodable),
        Is::Violation | Is::Lost => (Role::Bad, glyphs.invalid),
    }
}

/// What an outcome means, and its sign; never one without the other.
fn outcome(outcome: &Outcome, glyphs: &Glyphs) -> (Role, &'static str, String) {
    let (role, sign, why) = match outcome {
        Outcome::Complete => (
            Role::Good,
            glyphs.valid,
            "it ended as such traces usually end",
        ),
        Outcome::Open => (
            Role::Info,
            glyphs.live,
            "what usually follows is missing, and is not overdue",
        ),
        Outcome::Blocked => (
            Role::Warn,
            glyphs.frozen,
            "what usually follows is missing, and a group has not passed the event before it",
        ),
        Outcome::Lost => (
            Role::Bad,
            glyphs.invalid,
            "what usually follows is missing and overdue",
        ),
        Outcome::Unknown(why) => (Role::Warn, glyphs.unknown, why.as_str()),
    };
    (role, sign, format!("{}: {why}", outcome.word()))
}

fn head(model: &Model, seed: &Seed, found: &Found, columns: usize) -> Vec<Line> {
    let report = &found.report;
    let mut figures = format!(
        "  {}, {} hops",
        seed.what,
        human::count(report.hops.len() as u64)
    );
    if let Some(span) = report.span_ms {
        write!(figures, " in {}", length(span)).ok();
    }
    if let Some(quiet) = report.quiet_ms {
        write!(figures, ", the last {} ago", length(quiet)).ok();
    }
    let mut lines = vec![vec![
        (Role::EventKey, format!(" {}", seed.text())),
        (Role::Dim, figures),
    ]];
    if let Some(judged) = &found.judged {
        let (role, sign) = verdict(judged.outcome, model.options.glyphs);
        lines.extend(wrap(role, &format!(" {sign} {judged}"), columns));
        if let Some(lack) = &judged.lack {
            let next = lack.next.join(" or ");
            let text = format!("   after {}: {next} must follow", lack.after);
            lines.extend(wrap(Role::Text, &text, columns));
        }
    } else {
        let (role, sign, text) = outcome(&report.outcome, model.options.glyphs);
        lines.extend(wrap(role, &format!(" {sign} {text}"), columns));
        // They stand below their hops, too; the first ones are the reason of the verdict.
        for missing in report.missing.iter().take(3) {
            let text = format!("   {}", told(missing, &report.hops));
            lines.extend(wrap(Role::Text, &text, columns));
        }
    }
    if let Some(hop) = report.hops.iter().find(|hop| hop.fault.is_some()) {
        let fault = hop.fault.as_deref().unwrap_or_default();
        let sign = model.options.glyphs.undecodable;
        let text = format!(" {sign} {} cannot be decoded: {fault}", hop.at);
        lines.extend(wrap(Role::Warn, &text, columns));
    }
    let mut doubts = Vec::new();
    if report.truncated {
        doubts.push("more events belong to it than are shown".to_owned());
    }
    if found.evicted > 0 {
        let evicted = human::count(found.evicted);
        doubts.push(format!("{evicted} events were not held any more"));
    }
    if let Some(why) = &found.untold {
        doubts.push(format!("where groups stand is not known: {why}"));
    }
    if !doubts.is_empty() {
        let sign = model.options.glyphs.undecodable;
        let text = format!(" {sign} {}", doubts.join("; "));
        lines.extend(wrap(Role::Warn, &text, columns));
    }
    lines
}

/// `after payments/2@22: usual next … missing (…), usually within 4.3 s, 81 s have passed`
fn told(missing: &Missing, hops: &[Hop]) -> String {
    let after = hops.get(missing.after).map(|hop| hop.at.to_string());
    let mut text = format!("after {}: {missing}", after.unwrap_or_default());
    if let Some(usual) = missing.usual_ms {
        write!(text, "; usually after {}", length(usual)).ok();
    }
    if let Some(waited) = missing.waited_ms {
        write!(text, ", {} have passed", length(waited)).ok();
    }
    text
}

fn hops(model: &Model, canvas: &mut Canvas<'_>, area: Rect, found: &Found) {
    // The first cell is that of the cursor.
    let inner = |line| rest_of(line, 1);
    let placed = table::layout(&COLUMNS, usize::from(inner(area).width), 2);
    list::heads(canvas, inner(line_of(area, 0)), &placed, &HEADS);
    let gaps = found.report.hops.iter().filter_map(|hop| hop.gap_ms);
    let most = gaps.map(i64::unsigned_abs).max().unwrap_or(0);
    let at = model.trace.at;
    for (number, line) in list::on_screen(below(area, 1), at, found.rows.len()) {
        for place in &placed {
            let (role, text) = figure(model, found, found.rows[number], place, most);
            canvas.put(list::cell(inner(line), place), &text, role);
        }
        if number == at {
            list::point_at(canvas, line);
        }
    }
}

/// What the columns have no room for.
fn about_row(model: &Model, found: &Found, row: Row, columns: usize) -> Vec<Line> {
    let report = &found.report;
    let hop = match row {
        Row::Missing(missing) => {
            let missing = report.missing.get(missing);
            return missing.map_or_else(Vec::new, |m| {
                wrap(Role::Text, &format!(" {}", told(m, &report.hops)), columns)
            });
        }
        Row::Lack(_) => {
            let judged = found.judged.as_ref();
            return judged.map_or_else(Vec::new, |judged| {
                wrap(Role::Text, &format!(" {judged}"), columns)
            });
        }
        Row::Hop(hop) => report.hops.get(hop),
    };
    let Some(hop) = hop else {
        return Vec::new();
    };
    let mut first = vec![
        (Role::Topic, format!(" {}", hop.name())),
        (Role::PartitionOffset, format!("  {}", hop.at)),
    ];
    if let Some(time) = hop.time {
        first.push((Role::Time, format!("  {}", model.time(time))));
    }
    first.push((Role::Dim, format!("  tied by its {}", hop.tie.name())));
    let text = |bytes: &Option<Box<[u8]>>| {
        let bytes = bytes.as_deref()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let mut second = vec![(Role::Dim, " ".to_owned())];
    for (label, value) in [
        ("id", text(&hop.id)),
        ("cause", text(&hop.causation)),
        ("key", text(&hop.key)),
        ("producer", hop.producer.clone()),
    ] {
        if let Some(value) = value {
            second.push((Role::Dim, format!("{label} ")));
            second.push((Role::Text, format!("{value}  ")));
        }
    }
    let mut lines = vec![first, second];
    if let Some(fault) = &hop.fault {
        lines.push(line(Role::Warn, format!(" {fault}")));
    } else if let Some(first) = hop.copy_of.and_then(|copy| report.hops.get(copy)) {
        let text = format!(" the same id came before, at {}", first.at);
        lines.push(line(Role::Warn, text));
    } else if hop.dead_letter {
        lines.push(line(Role::Warn, " a copy that was put aside"));
    }
    lines
}
