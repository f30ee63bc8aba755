//! VIEW state
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
    model.state.at = model.state.at.saturating_add_signed(by).min(1000);
}

pub fn act(_model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
    None
}

pub fn draw(_model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.put(area, "state", Role::Dim);
}

/// Folds the key of the event under the cursor.
pub fn this(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

/// Folds a key that was typed.
pub fn fold_key(_model: &mut Model, _key: &str) -> Result<Vec<Effect>, String> {
    Ok(Vec::new())
}
