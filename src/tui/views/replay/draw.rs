//! Draws the plan, the run and what came of it.

use ratatui::layout::Rect;

use super::fields::{FIELDS, pace_text};
use super::{Stage, past, times};
use crate::replay::{Figures, RunState};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of, rest_of};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// A line of the page below the form.
pub(super) type Line = (Role, String);

pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let area = rest_of(area, 1);
    let state = &model.replay;
    if let Some(runs) = &state.past {
        past::draw(model, canvas, area, runs);
        return;
    }
    let (what, form) = match (&state.again, &state.selection) {
        (Some(plan), _) => (format!("run {} again", plan.id()), 0),
        (None, Some(selection)) => (selection.words.clone(), form(model, canvas, area)),
        (None, None) => {
            empty(model, canvas, area);
            return;
        }
    };
    canvas.parts(
        line_of(area, 0),
        &[(Role::Title, "Replay "), (Role::Text, &what)],
    );
    let below = below(area, 2 + form);
    paged(canvas, below, &page(model), state.top);
}

/// The fields; how many lines they take.
fn form(model: &Model, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let state = &model.replay;
    for (index, field) in FIELDS.iter().enumerate() {
        let line = line_of(area, index + 2);
        let name = format!("{:<14}", field.name());
        canvas.parts(
            line,
            &[(Role::Dim, &name), (Role::Text, &field.value(model))],
        );
        if index == state.at && !matches!(state.stage, Stage::Running | Stage::Ran { .. }) {
            canvas.paint(line, Role::Cursor);
        }
    }
    FIELDS.len() as u16 + 1
}

/// Lines from one of them on; the last stays on the screen.
pub(super) fn paged(canvas: &mut Canvas<'_>, area: Rect, lines: &[Line], top: usize) {
    let height = usize::from(area.height);
    let mut wrapped: Vec<Line> = Vec::new();
    for (role, text) in lines {
        wrap(&mut wrapped, *role, text, usize::from(area.width));
    }
    let top = top.min(wrapped.len().saturating_sub(height));
    for (at, (role, text)) in wrapped.iter().skip(top).take(height).enumerate() {
        canvas.put(line_of(area, at), text, *role);
    }
}

/// Long lines go on below, a little to the right.
fn wrap(out: &mut Vec<Line>, role: Role, text: &str, width: usize) {
    let safe = crate::text::Visible(text).to_string();
    let mut rest: &str = &safe;
    let mut lead = "";
    loop {
        let room = width.saturating_sub(lead.len()).max(8);
        let (kept, _) = crate::text::width::fit(rest, room, "");
        if kept.is_empty() || kept.len() == rest.len() {
            out.push((role, format!("{lead}{rest}")));
            return;
        }
        let cut = kept
            .rfind(' ')
            .filter(|at| *at > room / 2)
            .map_or(kept.len(), |at| at + 1);
        out.push((role, format!("{lead}{}", &rest[..cut])));
        rest = &rest[cut..];
        lead = "  ";
    }
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let hint = |action| model.options.keymap.hint(action);
    let lines = [
        "Nothing is planned.".to_owned(),
        String::new(),
        format!(
            "{} in the stream plans a replay of what is shown;",
            hint(Action::Replay)
        ),
        format!(
            "{} selects a range of rows first, {} narrows by a filter.",
            hint(Action::Select),
            hint(Action::Filter)
        ),
        "A plan is previewed and asked about before anything is sent.".to_owned(),
        String::new(),
        format!(
            "{} lists the runs of before; one that did not end can be applied again.",
            hint(Action::Runs)
        ),
    ];
    for (row, line) in lines.iter().enumerate() {
        let role = if row == 0 { Role::Text } else { Role::Dim };
        canvas.put(line_of(area, row + 1), line, role);
    }
}

fn page(model: &Model) -> Vec<Line> {
    let state = &model.replay;
    let hint = |action| model.options.keymap.hint(action);
    let mut lines: Vec<Line> = Vec::new();
    match &state.stage {
        Stage::Empty => lines.push((Role::Dim, "waiting for a target".to_owned())),
        Stage::Planning => {
            lines.push((Role::Text, "planning and reading the selection".to_owned()));
        }
        Stage::Planned {
            plan,
            preview,
            refused,
            ..
        } => {
            lines.extend(plan.iter().map(|l| (Role::Text, joined(model, l))));
            lines.push((Role::Text, String::new()));
            lines.extend(preview.iter().map(|l| (Role::Text, joined(model, l))));
            lines.push((Role::Text, String::new()));
            match refused {
                Some(refused) => lines.push((Role::Bad, refused.message.clone())),
                None => lines.push((
                    Role::Good,
                    format!(
                        "nothing was sent; {} runs it after a question",
                        hint(Action::Run)
                    ),
                )),
            }
        }
        Stage::Running => {
            if let Some(figures) = &state.figures {
                running(model, figures, &mut lines);
            }
        }
        Stage::Ran { lines: told, good } => {
            let role = if *good { Role::Good } else { Role::Warn };
            lines.extend(told.iter().map(|l| (role, joined(model, l))));
        }
        Stage::Failed(trouble) => {
            lines.push((Role::Bad, trouble.message.clone()));
            lines.extend(trouble.hint.iter().map(|h| (Role::Dim, h.clone())));
        }
    }
    if let Some(command) = &state.command {
        lines.push((Role::Text, String::new()));
        lines.push((Role::Dim, "the same on a command line:".to_owned()));
        lines.push((Role::Accent, command.clone()));
    }
    lines
}

/// A line of a plan or a report with the signs that the terminal has.
pub(super) fn joined(model: &Model, line: &str) -> String {
    let glyphs = model.options.glyphs;
    line.replace('·', glyphs.separator)
        .replace('…', glyphs.ellipsis)
}

fn running(model: &Model, figures: &Figures, lines: &mut Vec<Line>) {
    const BAR: u64 = 40;
    let glyphs = model.options.glyphs;
    let hint = |action| model.options.keymap.hint(action);
    let word = match figures.state {
        RunState::Ready => "starting",
        RunState::Running => "running",
        RunState::Pausing | RunState::Paused if figures.canary => "WAITS at the canary",
        RunState::Pausing | RunState::Paused if figures.lagging => "WAITS for consumer groups",
        RunState::Pausing => "pausing",
        RunState::Paused => "PAUSED",
        RunState::Finishing => "waiting until all is stored",
        RunState::Ended => "ended",
    };
    let role = match figures.state {
        RunState::Paused | RunState::Pausing => Role::Warn,
        _ => Role::Strong,
    };
    if let Some(all) = model.replay.to_send.filter(|all| *all > 0) {
        let done = (figures.sent.min(all) * BAR / all) as usize;
        let bar = glyphs.done.repeat(done) + &glyphs.to_do.repeat(BAR as usize - done);
        let percent = figures.sent.min(all) * 100 / all;
        lines.push((role, format!("{bar} {percent} %  {word}")));
    } else {
        lines.push((role, word.to_owned()));
    }
    let (elapsed, paused) = times(figures);
    lines.push((
        Role::Text,
        format!(
            "sent {}, stored {}, {}/s, {} since the first{}",
            human::count(figures.sent),
            human::count(figures.acknowledged),
            human::rate(figures.rate),
            human::duration(elapsed),
            if paused.is_zero() {
                String::new()
            } else {
                format!(", {} paused", human::duration(paused))
            }
        ),
    ));
    if figures.canary {
        let written = human::count(figures.acknowledged);
        let go = hint(Action::PauseRun);
        let text = format!("canary: {written} events are stored; look at them, then {go} goes on");
        lines.push((Role::Warn, text));
    }
    if let Some(lag) = &figures.lag {
        let by_itself = if figures.lagging {
            "; it goes on by itself"
        } else {
            ""
        };
        lines.push((Role::Warn, format!("{lag}{by_itself}")));
    }
    lines.push((Role::Text, format!("pace: {}", pace_text(figures.pace))));
    let waits = matches!(figures.state, RunState::Pausing | RunState::Paused);
    let pause = if waits { "goes on" } else { "pauses" };
    lines.push((
        Role::Dim,
        format!(
            "{} {pause}, {} and {} change the pace, {} stops",
            hint(Action::PauseRun),
            hint(Action::Faster),
            hint(Action::Slower),
            hint(Action::Abort)
        ),
    ));
}
