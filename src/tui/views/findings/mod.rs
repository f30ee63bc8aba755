//! Home: what is wrong with the events, ranked, each with its place and one key to the evidence.
//! The detectors are the room `inspect`; when they run is `watch`'s.

mod draw;
pub mod found;
mod kept;
#[cfg(test)]
mod tests;
pub mod watch;

pub use draw::{coverage, draw, verdict_sign};

use self::found::Found;
use self::watch::Watch;
use crate::event::{Position, Stream};
use crate::inspect::At;
use crate::inspect::findings::{Code, Finding};
use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::model::stream::Place;
use crate::tui::msg::{Effect, Say};
use crate::tui::views::{lag, stream};

#[derive(Default)]
pub struct State {
    pub watch: Watch,
    /// The row under the cursor.
    at: usize,
}

/// What one finding is told from others by.
type Name = (Code, At);

fn name(found: &Found, row: usize) -> Option<Name> {
    let row = found.rows.get(row)?;
    let finding = found.report.findings.get(row.finding)?;
    Some((finding.code, finding.at.clone()))
}

/// There is a new report: the cursor stays on its finding, unless it is on the most urgent one.
pub fn renewed(model: &mut Model, before: Option<&Found>) {
    let state = &mut model.findings;
    let Some(found) = &state.watch.found else {
        return;
    };
    if state.at > 0
        && let Some(same) = before.and_then(|before| name(before, state.at))
        && let Some(at) =
            (0..found.rows.len()).find(|row| name(found, *row).as_ref() == Some(&same))
    {
        state.at = at;
    }
    state.at = state.at.min(found.rows.len().saturating_sub(1));
}

pub fn entered(model: &mut Model) -> Vec<Effect> {
    let mut effects = lag::ask_if_old(model);
    effects.extend(watch::go(model));
    effects
}

/// Called whatever view is on the screen, so that home is ready.
pub fn tick(model: &mut Model) -> Vec<Effect> {
    watch::go(model)
}

pub fn step(model: &mut Model, by: isize) {
    let state = &mut model.findings;
    let rows = state.watch.found.as_ref().map_or(0, |f| f.rows.len());
    let last = rows.saturating_sub(1);
    state.at = state.at.saturating_add_signed(by).min(last);
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Open | Action::Right => Some(open(model)),
        Action::NextMatch => {
            step(model, 1);
            Some(Vec::new())
        }
        Action::PreviousMatch => {
            step(model, -1);
            Some(Vec::new())
        }
        _ => None,
    }
}

fn selected(model: &Model) -> Option<&Finding> {
    let found = model.findings.watch.found.as_deref()?;
    let row = found.rows.get(model.findings.at)?;
    found.report.findings.get(row.finding)
}

/// To the evidence: the event, or the group.
fn open(model: &mut Model) -> Vec<Effect> {
    let Some(finding) = selected(model).cloned() else {
        model.say(Say::info("there is no finding to open"));
        return Vec::new();
    };
    if let Some(effects) = lag::open_finding(model, &finding) {
        return effects;
    }
    evidence(model, &finding.at, finding.code == Code::OFFSET_GAP)
}

/// Shows the event at this place. Behind a gap may stand none, only a marker: then the next event
/// that is held, if those around the gap are.
pub fn evidence(model: &mut Model, at: &At, gap: bool) -> Vec<Effect> {
    let position = if gap { behind_gap(model, at) } else { None };
    let place = Place {
        topic: at.topic.clone(),
        partition: at.partition,
        position: position.unwrap_or(at.position),
    };
    stream::show_event(model, place)
}

fn behind_gap(model: &Model, at: &At) -> Option<Position> {
    let here = |s: &Stream| s.partition == at.partition && s.topic == at.topic;
    let chunks = model.feed.store.chunks();
    let held = chunks
        .filter(|chunk| chunk.batch.streams().iter().any(here))
        .flat_map(|chunk| chunk.batch.iter())
        .filter(|event| here(event.stream));
    let (mut around, mut next) = (false, None::<Position>);
    for event in held {
        if event.position < at.position {
            around = true;
        } else {
            next = Some(next.map_or(event.position, |next| next.min(event.position)));
        }
    }
    next.filter(|_| around)
}
