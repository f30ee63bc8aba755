//! One file or folder a view: its state, what actions do in it, how it is drawn. This file only
//! asks the view that is on the screen.

#[cfg(test)]
mod bench;
pub mod chrome;
pub mod detail;
pub mod findings;
pub mod flow;
mod job;
pub mod lag;
pub mod layers;
mod lines;
mod list;
pub mod order;
pub mod replay;
pub mod schemas;
pub mod state;
pub mod stream;
pub mod topics;
pub mod trace;
#[cfg(test)]
mod trial;

use ratatui::layout::Rect;

use super::actions::Action;
use super::canvas::Canvas;
use super::model::{Model, View};
use super::msg::Effect;
use super::theme::Role;

/// What an action does in the view on the screen; `None` when it means nothing of its own there.
pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match model.view {
        View::Findings => findings::act(model, action),
        View::Stream => stream::act(model, action),
        View::Topics => topics::act(model, action),
        View::Lag => lag::act(model, action),
        View::Order => order::act(model, action),
        View::Trace => trace::act(model, action),
        View::State => state::act(model, action),
        View::Schemas => schemas::act(model, action),
        View::Replay => replay::act(model, action),
    }
}

/// Moves the cursor of the view; the extremes are the first and the last row.
pub fn step(model: &mut Model, by: isize) -> Vec<Effect> {
    match model.view {
        View::Findings => findings::step(model, by),
        View::Stream => stream::step(model, by),
        View::Topics => topics::step(model, by),
        View::Lag => lag::step(model, by),
        View::Order => order::step(model, by),
        View::Trace => trace::step(model, by),
        View::State => state::step(model, by),
        View::Schemas => schemas::step(model, by),
        View::Replay => replay::step(model, by),
    }
    Vec::new()
}

/// A view came on the screen: what it needs is asked for.
pub fn entered(model: &mut Model) -> Vec<Effect> {
    match model.view {
        View::Findings => findings::entered(model),
        View::Stream => Vec::new(),
        View::Topics => topics::ask(model),
        View::Lag => lag::ask(model),
        View::Order => order::entered(model),
        View::Trace => trace::entered(model),
        View::State => state::entered(model),
        View::Schemas => schemas::entered(model),
        View::Replay => replay::entered(model),
    }
}

/// Time passed: figures of the view on the screen may be old.
pub fn tick(model: &mut Model) -> Vec<Effect> {
    // Home is to be ready when it is gone to.
    let mut effects = findings::tick(model);
    schemas::watch_registry(model);
    replay::tick(model);
    effects.extend(lag::tick(model));
    effects.extend(match model.view {
        View::Topics => topics::tick(model),
        View::Schemas => schemas::tick(model),
        _ => Vec::new(),
    });
    effects
}

/// Asks the broker, or the events, again.
pub fn reload(model: &mut Model) -> Vec<Effect> {
    match model.view {
        View::Stream => super::update::begin(model),
        _ => entered(model),
    }
}

/// Other sources: nothing that was found out before holds.
pub fn forget(model: &mut Model) {
    model.stream.looks.forget();
    model.findings = findings::State::default();
    model.topics = topics::State::default();
    model.lag = lag::State::default();
    model.order = order::State::default();
    model.trace = trace::State::default();
    model.state = state::State::default();
    model.schemas = schemas::State::default();
}

/// The mouse pressed on a cell.
pub fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    if !model.overlays.is_empty() {
        return Vec::new();
    }
    if row == 0 {
        return chrome::tab_at(model, column).map_or_else(Vec::new, |view| model.go(view));
    }
    if model.view == View::Stream {
        stream::click(model, column, row);
    }
    Vec::new()
}

/// Brings what depends on the size of the screen up to date, before a frame is drawn.
pub fn settle(model: &mut Model) {
    let area = chrome::content(Rect::new(0, 0, model.size.0, model.size.1));
    stream::settle(model, area);
}

/// Draws everything. Changes nothing.
pub fn draw(model: &Model, canvas: &mut Canvas<'_>) {
    let screen = canvas.area();
    canvas.paint(screen, Role::Screen);
    let area = chrome::content(screen);
    match model.view {
        View::Findings => findings::draw(model, canvas, area),
        View::Stream => stream::draw(model, canvas, area),
        View::Topics => topics::draw(model, canvas, area),
        View::Lag => lag::draw(model, canvas, area),
        View::Order => order::draw(model, canvas, area),
        View::Trace => trace::draw(model, canvas, area),
        View::State => state::draw(model, canvas, area),
        View::Schemas => schemas::draw(model, canvas, area),
        View::Replay => replay::draw(model, canvas, area),
    }
    chrome::draw(model, canvas);
    layers::draw(model, canvas);
}
