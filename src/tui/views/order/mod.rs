//! Order: a lane for each partition, or each key that has anomalies, with what is out of order in
//! it. The fold is that of the findings; what it says is only drawn and walked through here.

mod draw;
mod lanes;
#[cfg(test)]
mod tests;

pub use draw::draw;

use self::lanes::Lanes;
use crate::inspect::order::{Anomaly, Kind};
use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Say};
use crate::tui::views::findings::{self, found::Found, watch};

/// Which list has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pane {
    #[default]
    Lanes,
    Anomalies,
}

#[derive(Default)]
pub struct State {
    by_key: bool,
    pane: Pane,
    lane: usize,
    /// The anomaly of that lane.
    at: usize,
}

fn found(model: &Model) -> Option<&Found> {
    model.findings.watch.found.as_deref()
}

pub fn entered(model: &mut Model) -> Vec<Effect> {
    watch::go(model)
}

/// There is a new report: the cursor stays on its lane and its anomaly.
pub fn renewed(model: &mut Model, before: Option<&Found>) {
    let State {
        by_key, lane, at, ..
    } = model.order;
    let Some(found) = model.findings.watch.found.as_deref() else {
        return;
    };
    let lanes = Lanes::of(found, by_key);
    let old = before.map(|before| Lanes::of(before, by_key));
    let anomaly = old.as_ref().and_then(|old| old.anomaly(lane, at)).cloned();
    let name = old.as_ref().and_then(|old| old.name(lane));
    let lane = name
        .and_then(|name| lanes.find(lane, &name))
        .unwrap_or_else(|| lane.min(lanes.len().saturating_sub(1)));
    let last = lanes.anomalies(lane).saturating_sub(1);
    let same = |i: &usize| lanes.anomaly(lane, *i) == anomaly.as_ref();
    let at = (0..=last)
        .find(|i| anomaly.is_some() && same(i))
        .unwrap_or(at.min(last));
    (model.order.lane, model.order.at) = (lane, at);
}

pub fn step(model: &mut Model, by: isize) {
    let Some(found) = model.findings.watch.found.as_deref() else {
        return;
    };
    let state = &mut model.order;
    let lanes = Lanes::of(found, state.by_key);
    match state.pane {
        Pane::Lanes => {
            let last = lanes.len().saturating_sub(1);
            state.lane = state.lane.saturating_add_signed(by).min(last);
            state.at = 0;
        }
        Pane::Anomalies => {
            let last = lanes.anomalies(state.lane).saturating_sub(1);
            state.at = state.at.saturating_add_signed(by).min(last);
        }
    }
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Open => Some(open(model)),
        Action::OrderBy => {
            model.order = State {
                by_key: !model.order.by_key,
                ..State::default()
            };
            Some(Vec::new())
        }
        Action::NextPane | Action::PreviousPane | Action::Right => {
            model.order.pane = match model.order.pane {
                Pane::Anomalies if action != Action::Right => Pane::Lanes,
                _ => Pane::Anomalies,
            };
            Some(Vec::new())
        }
        Action::Left | Action::Back | Action::Quit if model.order.pane == Pane::Anomalies => {
            model.order.pane = Pane::Lanes;
            Some(Vec::new())
        }
        Action::NextMatch => Some(walk(model, true)),
        Action::PreviousMatch => Some(walk(model, false)),
        _ => None,
    }
}

/// To the next anomaly, of this lane or of one further on.
fn walk(model: &mut Model, forward: bool) -> Vec<Effect> {
    let Some(found) = model.findings.watch.found.as_deref() else {
        return Vec::new();
    };
    let state = &model.order;
    let lanes = Lanes::of(found, state.by_key);
    let (lane, at) = (state.lane, state.at);
    // From a lane that was only looked over, its first anomaly is the next one.
    let fresh = state.pane == Pane::Lanes;
    let with_any = |lane: &usize| lanes.anomalies(*lane) > 0;
    let next = if forward {
        let here = if fresh { at } else { at + 1 };
        let in_lane = (here < lanes.anomalies(lane)).then_some((lane, here));
        in_lane.or_else(|| {
            let lane = (lane + 1..lanes.len()).find(with_any)?;
            Some((lane, 0))
        })
    } else {
        let in_lane = at.checked_sub(1).map(|at| (lane, at));
        in_lane.or_else(|| {
            let lane = (0..lane.min(lanes.len())).rev().find(with_any)?;
            Some((lane, lanes.anomalies(lane) - 1))
        })
    };
    match next {
        Some((lane, at)) => {
            let state = &mut model.order;
            (state.lane, state.at, state.pane) = (lane, at, Pane::Anomalies);
        }
        None => model.say(Say::info("no anomaly in this direction")),
    }
    Vec::new()
}

/// Shows the event of the selected anomaly.
fn open(model: &mut Model) -> Vec<Effect> {
    let state = &model.order;
    let anomaly: Option<Anomaly> = found(model)
        .and_then(|found| Lanes::of(found, state.by_key).anomaly(state.lane, state.at))
        .cloned();
    let Some(anomaly) = anomaly else {
        model.say(Say::info("nothing is out of order in this lane"));
        return Vec::new();
    };
    let gap = matches!(anomaly.kind, Kind::Gap { .. });
    findings::evidence(model, &anomaly.at, gap)
}
