//! The runs that this host remembers: a list, one of them in full, and one that did not run through
//! applied again. Their folder is read on another thread.

mod again;
mod draw;

use super::Stage;
use crate::replay::Plan;
use crate::replay::runs::{self, Kept, Past};
use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Msg, Say};

pub(super) use again::apply;
pub(super) use draw::draw;

/// Why the command line of a redrive is not given, nor the redrive applied again.
const REDRIVE: &str = "a redrive is done again by its own command line, which is not kept";

/// The list on the screen.
#[derive(Default)]
pub struct State {
    /// The newest first; `None` while the folder is read for the first time.
    rows: Option<Vec<Past>>,
    at: usize,
    /// The one under the cursor is shown in full, from this line on.
    opened: Option<usize>,
}

impl State {
    fn row(&self) -> Option<&Past> {
        self.rows.as_ref()?.get(self.at)
    }

    /// The one under the cursor cannot be applied again.
    fn is_at_redrive(&self) -> bool {
        self.row()
            .is_some_and(|row| matches!(row.kept, Kept::Redrive(_)))
    }

    pub(super) fn hints(&self) -> &'static [(Action, &'static str)] {
        if self.is_at_redrive() {
            return &[
                (Action::Help, "help"),
                (Action::Open, "show"),
                (Action::Runs, "back"),
                (Action::Quit, "quit"),
            ];
        }
        &[
            (Action::Help, "help"),
            (Action::Open, "show"),
            (Action::Again, "apply again"),
            (Action::SavePlan, "write its plan"),
            (Action::Runs, "back"),
            (Action::Quit, "quit"),
        ]
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Running,
    /// Its read came to its end; whether the target holds it, the verification says.
    Complete,
    /// Some of it may be left.
    Unfinished,
}

impl Standing {
    fn of(past: &Past) -> Self {
        match &past.last {
            _ if past.running => Self::Running,
            Some(line) if line.how.result == "complete" => Self::Complete,
            _ => Self::Unfinished,
        }
    }
}

/// The list instead of the plan, or the plan again.
pub(super) fn toggle(model: &mut Model) -> Vec<Effect> {
    if model.replay.past.take().is_some() {
        return Vec::new();
    }
    if model.options.state.is_none() {
        model.say(Say::bad(
            "no run is kept: there is no home folder; EVTAP_STATE names another",
        ));
        return Vec::new();
    }
    model.replay.past = Some(State::default());
    read(model)
}

/// Reads the folder again, if the list is on the screen.
pub(super) fn read(model: &Model) -> Vec<Effect> {
    let (Some(_), Some(folder)) = (&model.replay.past, model.options.state.clone()) else {
        return Vec::new();
    };
    vec![Effect::Work(Box::new(move || {
        let found = runs::list(&folder);
        Msg::Done(Box::new(move |model| take(model, found)))
    }))]
}

/// The cursor stays on the run that it was on.
pub(super) fn take(model: &mut Model, found: Vec<Past>) -> Vec<Effect> {
    let Some(state) = &mut model.replay.past else {
        return Vec::new();
    };
    let same = state
        .row()
        .and_then(|row| found.iter().position(|past| past.id == row.id));
    state.at = same.unwrap_or_else(|| state.at.min(found.len().saturating_sub(1)));
    if same.is_none() {
        state.opened = None;
    }
    state.rows = Some(found);
    Vec::new()
}

pub(super) fn step(state: &mut State, by: isize) {
    let last = state.rows.as_ref().map_or(0, Vec::len).saturating_sub(1);
    match &mut state.opened {
        // The end of the text is known where it is drawn.
        Some(top) => *top = top.saturating_add_signed(by).min(5000),
        None => state.at = state.at.saturating_add_signed(by).min(last),
    }
}

/// What an action does while the list is on the screen; `None` when it means there what it means
/// with the plan.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let state = model.replay.past.as_mut()?;
    match action {
        Action::Open | Action::Right => {
            if state.row().is_some() {
                state.opened.get_or_insert(0);
            }
            Some(Vec::new())
        }
        Action::Back | Action::Left => {
            if state.opened.take().is_none() {
                model.replay.past = None;
            }
            Some(Vec::new())
        }
        Action::Reload => Some(read(model)),
        Action::Again => Some(again(model)),
        Action::Run => {
            let back = model.options.keymap.hint(Action::Runs);
            let again = model.options.keymap.hint(Action::Again);
            let what = if state.is_at_redrive() {
                REDRIVE.to_owned()
            } else {
                format!("{again} applies this run again")
            };
            model.say(Say::info(format!("{what}; {back} goes back to the plan")));
            Some(Vec::new())
        }
        Action::CopyCommand => {
            if state.is_at_redrive() {
                model.say(Say::info(REDRIVE));
                return Some(Vec::new());
            }
            let line = format!("evtap apply {}", state.row()?.id);
            Some(vec![Effect::Copy {
                what: "the command line".to_owned(),
                bytes: line.into_bytes(),
            }])
        }
        _ => None,
    }
}

/// The plan of the run under the cursor.
pub(super) fn plan(model: &Model) -> Option<&Plan> {
    match &model.replay.past.as_ref()?.row()?.kept {
        Kept::Plan(plan) => Some(plan),
        Kept::Damaged(_) | Kept::Redrive(_) => None,
    }
}

/// Plans the run under the cursor anew from where it stands, if something of it can be left.
fn again(model: &mut Model) -> Vec<Effect> {
    let Some(past) = model.replay.past.as_ref().and_then(State::row) else {
        return Vec::new();
    };
    let refused = match (Standing::of(past), &past.kept) {
        (_, Kept::Redrive(_)) => REDRIVE.to_owned(),
        _ if matches!(model.replay.stage, Stage::Running) => "a replay is running".to_owned(),
        (Standing::Running, _) => "a process of this host works on it now".to_owned(),
        (Standing::Complete, _) => "it ran through: nothing of it is left".to_owned(),
        (Standing::Unfinished, Kept::Damaged(error)) => {
            crate::broker::Error::from(error.clone()).to_string()
        }
        (Standing::Unfinished, Kept::Plan(plan)) => {
            let plan = plan.as_ref().clone();
            return apply(model, plan);
        }
    };
    model.say(Say::bad(refused));
    Vec::new()
}
