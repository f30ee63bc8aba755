//! The event under the cursor.

use std::sync::Arc;

use ratatui::layout::Rect;

use crate::event::{Batch, Decoding};
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, line_of};
use crate::tui::model::Model;
use crate::tui::msg::Effect;
use crate::tui::theme::Role;

/// What of an event is shown, and where a person stands in it.
#[derive(Default)]
pub struct Detail {
    event: Option<(Arc<Batch>, usize)>,
    top: usize,
}

impl Detail {
    /// Shows this event. Called before each frame; the area is that of the pane.
    pub fn show(&mut self, event: Option<(Arc<Batch>, usize)>, _decoding: Decoding, _area: Rect) {
        self.event = event;
    }

    /// Moves the cursor by rows; the extremes are the first and the last.
    pub fn step(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(1000);
    }

    /// Closes a diff; false when there is none.
    pub fn close_diff(&mut self) -> bool {
        false
    }

    /// Goes to the next place of a text.
    pub fn find(&mut self, _text: &str) -> Result<(), String> {
        Ok(())
    }
}

/// What an action does while the detail has the keys; `None` when it means nothing there.
pub fn act(_model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
    None
}

/// The actions of the diff, wherever the keys are.
pub fn diff(_model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
    None
}

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, focused: bool) {
    canvas.rule(line_of(area, 0), "Event", focused);
    if let Some((batch, at)) = &model.stream.detail.event {
        let event = batch.get(*at);
        let value = String::from_utf8_lossy(event.value.unwrap_or_default());
        canvas.put(line_of(area, 1), &value, Role::Text);
    }
}
