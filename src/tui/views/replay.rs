//! VIEW replay
use ratatui::layout::Rect;

use crate::tui::actions::Action;
use crate::tui::canvas::Canvas;
use crate::tui::model::Model;
use crate::tui::msg::Effect;
use crate::tui::theme::Role;

#[derive(Default)]
pub struct State {
    at: usize,
}

pub fn entered(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

pub fn tick(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

pub fn step(model: &mut Model, by: isize) {
    model.replay.at = model.replay.at.saturating_add_signed(by).min(1000);
}

pub fn act(_model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
    None
}

pub fn draw(_model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.put(area, "replay", Role::Dim);
}

/// Begins a plan from what is selected.
pub fn plan_selection(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

pub fn is_running(_model: &Model) -> bool {
    false
}

/// The question was answered with yes.
pub fn run_confirmed(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

pub fn target_typed(_model: &mut Model, _target: &str) -> Result<Vec<Effect>, String> {
    Ok(Vec::new())
}

/// The name of a production topic was typed.
pub fn name_typed(_model: &mut Model, _name: &str) -> Result<Vec<Effect>, String> {
    Ok(Vec::new())
}
