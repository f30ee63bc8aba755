//! Draws the list of runs, or one of them in full.

use ratatui::layout::Rect;

use super::super::draw::{Line, joined, paged};
use super::{Standing, State};
use crate::event::Timestamp;
use crate::replay::runs::{Kept, Kind, Line as Audit, Past, Side};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of};
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::flow;
use crate::tui::views::list::Table;
use crate::tui::widgets::table::{Column, column};

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let hint = |action| model.options.keymap.hint(action);
    let list = line_of(area, 0);
    let Some(rows) = &state.rows else {
        canvas.put(list, "reading the runs of this host", Role::Text);
        return;
    };
    if rows.is_empty() {
        canvas.put(list, "No run of this host is kept.", Role::Text);
        let more = "Each replay or redrive that begins to write is, with how it ended.";
        canvas.put(line_of(area, 1), more, Role::Dim);
        return;
    }
    let area = below(area, 2);
    if let (Some(top), Some(past)) = (state.opened, state.row()) {
        canvas.parts(list, &[(Role::Title, "Run "), (Role::Text, &past.id)]);
        paged(canvas, area, &in_full(model, past), top);
        return;
    }
    let again = if state.is_at_redrive() {
        String::new()
    } else {
        format!("{} applies it again, ", hint(Action::Again))
    };
    let (open, back) = (hint(Action::Open), hint(Action::Runs));
    let keys = format!("  {open} shows one, {again}{back} goes back");
    let count = flow::number(rows.len() as u64, "past run");
    canvas.parts(list, &[(Role::Title, &count), (Role::Dim, &keys)]);
    RUNS.draw(canvas, area, (rows.len(), state.at), |row, place| {
        Some(cell(model, rows.get(row)?, place.column, place.width))
    });
}

const NAMES: [&str; 5] = ["result", "began", "stored", "from and to", "run"];

const COLUMNS: [Column; 5] = [
    column(13, 13, 9, false),
    column(12, 19, 7, false),
    column(6, 9, 6, false),
    column(12, 30, 8, true),
    column(8, 16, 5, false),
];

const RUNS: Table<'_> = Table {
    columns: &COLUMNS,
    names: &NAMES,
    is_number: |column| column == 2,
};

fn cell(model: &Model, past: &Past, column: usize, width: usize) -> (Role, String) {
    match column {
        0 => {
            let (role, sign, word) = result(model, past);
            (role, format!("{sign} {word}"))
        }
        1 => (Role::Time, began(model, past, width)),
        2 => (Role::Strong, stored(past)),
        3 => (Role::Text, sides(model, past)),
        _ => (Role::Dim, past.id.clone()),
    }
}

/// Never by colour alone.
fn result<'a>(model: &Model, past: &'a Past) -> (Role, &'static str, &'a str) {
    let glyphs = model.options.glyphs;
    let how = past.last.as_ref().map(|line| &line.how);
    match (Standing::of(past), how) {
        (Standing::Running, _) => (Role::Info, glyphs.live, "running"),
        (Standing::Complete, Some(how)) if how.verified == Some(false) => {
            (Role::Bad, glyphs.invalid, "not verified")
        }
        (Standing::Complete, _) => (Role::Good, glyphs.valid, "complete"),
        (Standing::Unfinished, Some(how)) if how.result == "interrupted" => {
            (Role::Warn, glyphs.frozen, "interrupted")
        }
        (Standing::Unfinished, Some(how)) => (Role::Bad, glyphs.invalid, &how.result),
        // Its line is written when the next run begins.
        (Standing::Unfinished, None) => (Role::Bad, glyphs.invalid, "killed"),
    }
}

/// A time of the audit log as the others of the screen; what is none is shown as it stands.
fn moment(model: &Model, text: &str, width: usize) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => model.time_in(Timestamp(time.as_millisecond()), width),
        Err(_) => text.to_owned(),
    }
}

fn began(model: &Model, past: &Past, width: usize) -> String {
    let Some(line) = &past.last else {
        return "?".to_owned();
    };
    let text = moment(model, &line.begun.begun, 23);
    // Milliseconds are of no use here: the date is.
    let text = text.rsplit_once('.').map_or(&*text, |(whole, _)| whole);
    let year = text.len().saturating_sub(width);
    match text.get(year..) {
        Some(rest) if text.contains(':') && year > 0 => rest.trim_start_matches('-').to_owned(),
        _ => text.to_owned(),
    }
}

fn stored(past: &Past) -> String {
    let counts = past.last.as_ref().and_then(|l| l.how.counts.as_ref());
    counts.map_or_else(String::new, |c| human::count(c.acknowledged))
}

/// By the plan, else by what the audit log says of it.
fn sides(model: &Model, past: &Past) -> String {
    let name = |side: &Side| side.address.clone();
    let (from, to): (Vec<String>, Vec<String>) = match (&past.kept, &past.last) {
        (Kept::Plan(plan), _) => (
            plan.sources.iter().map(|s| s.address.to_string()).collect(),
            vec![plan.target.address.to_string()],
        ),
        (Kept::Damaged(_) | Kept::Redrive(_), Some(line)) => (
            line.begun.sources.iter().map(name).collect(),
            line.begun.written().map(name).collect(),
        ),
        (Kept::Damaged(_), None) => return "its plan cannot be read".to_owned(),
        (Kept::Redrive(_), None) => return "a redrive".to_owned(),
    };
    let right = model.options.glyphs.right;
    let what = match past.kept {
        Kept::Redrive(_) => "redrive ",
        Kept::Plan(_) | Kept::Damaged(_) => "",
    };
    format!("{what}{} {right} {}", from.join(" "), to.join(" "))
}

fn in_full(model: &Model, past: &Past) -> Vec<Line> {
    let (role, sign, word) = result(model, past);
    let mut lines = vec![(role, format!("{sign} {word}"))];
    match &past.last {
        Some(line) => audit(model, line, &mut lines),
        None => lines.push((Role::Dim, "the audit log has no line of it yet".to_owned())),
    }
    lines.push((Role::Text, String::new()));
    match &past.kept {
        Kept::Plan(plan) => {
            let told = plan.describe();
            lines.extend(told.iter().map(|l| (Role::Text, joined(model, l))));
        }
        Kept::Redrive(asked) => {
            lines.extend(asked.lines().map(|l| (Role::Text, l.to_owned())));
        }
        Kept::Damaged(error) => {
            let error = crate::broker::Error::from(error.clone());
            lines.push((Role::Bad, error.to_string()));
            lines.extend(error.hint.into_iter().map(|hint| (Role::Dim, hint)));
        }
    }
    lines.push((Role::Text, String::new()));
    let hint = |action| model.options.keymap.hint(action);
    let more = match (Standing::of(past), &past.kept) {
        (Standing::Running, _) => "a process of this host works on it now".to_owned(),
        (_, Kept::Redrive(_)) => "evtap redrive, given again, does what is left of it".to_owned(),
        (Standing::Unfinished, Kept::Plan(_)) => {
            let again = hint(Action::Again);
            format!("{again} applies it again, after a preview and a question")
        }
        (Standing::Complete, _) => format!(
            "evtap verify looks at it again by its plan, which {} writes to a file",
            hint(Action::SavePlan)
        ),
        (Standing::Unfinished, Kept::Damaged(_)) => "it cannot be applied again".to_owned(),
    };
    lines.push((Role::Dim, more));
    lines
}

/// The line of the audit log in words.
fn audit(model: &Model, line: &Audit, lines: &mut Vec<Line>) {
    let mut say = |name: &str, text: String| lines.push((Role::Text, format!("  {name:<9}{text}")));
    let begun = &line.begun;
    let user = begun.user.as_deref().unwrap_or("somebody");
    say(
        "began",
        format!(
            "{} by {user} on {}, process {}, evtap {}",
            moment(model, &begun.begun, 23),
            begun.host,
            begun.pid,
            begun.evtap
        ),
    );
    let how = &line.how;
    let ended = line.ended.as_deref().map_or_else(
        || "without a word".to_owned(),
        |ended| moment(model, ended, 23),
    );
    let error = how.error.as_deref().map(|e| format!(", {e}"));
    let exit = how.exit.map(|code| format!(", exit code {code}"));
    let (error, exit) = (error.unwrap_or_default(), exit.unwrap_or_default());
    say("ended", format!("{ended}: {}{error}{exit}", how.result));
    if let Some(counts) = &how.counts {
        let (read, sent) = (human::count(counts.read), human::count(counts.sent));
        let stored = human::count(counts.acknowledged);
        let doubt = match counts.in_doubt {
            0 => String::new(),
            some => format!(", {} in doubt", human::count(some)),
        };
        let bytes = human::size(counts.bytes);
        let aside = match counts.parked {
            None | Some(0) => String::new(),
            Some(some) => format!(", {} of them parked", human::count(some)),
        };
        say(
            "events",
            format!("{read} read, {sent} sent, {stored} stored{aside}{doubt}; {bytes}"),
        );
        let skipped = counts.skipped.iter();
        let skipped: Vec<String> = skipped.map(|(why, n)| format!("{n} {why}")).collect();
        if !skipped.is_empty() {
            say("skipped", skipped.join(", "));
        }
    }
    let verified = match (begun.kind, how.verified) {
        (Kind::Replay, Some(true)) => "the target holds what was selected",
        (Kind::Replay, Some(false)) => "the target does not hold what was selected",
        (Kind::Replay, None) => "nobody compared both sides",
        (Kind::Redrive, Some(true)) => "the targets grew by what was sent",
        (Kind::Redrive, Some(false)) => "the targets did not grow by what was sent",
        (Kind::Redrive, None) => "nobody counted what the targets hold",
    };
    say("verified", verified.to_owned());
    say("plan", begun.plan.clone());
    if begun.kind == Kind::Redrive {
        let from = begun.sources.iter().map(|side| ("from", side));
        let to = begun.targets.iter().map(|side| ("to", side));
        let parked = begun.parked.iter().map(|side| ("parked", side));
        for (name, side) in from.chain(to).chain(parked) {
            say(name, side.address.clone());
        }
    }
}
