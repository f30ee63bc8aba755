//! A key: to what lies on top, or by the key map to an action.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{acts, overlays};
use crate::tui::keymap::{Chord, Meaning};
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Say};

pub fn key(model: &mut Model, key: &KeyEvent) -> Vec<Effect> {
    // Terminals that tell of releases tell of presses, too.
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let chord = Chord::of(key);
    if !model.overlays.is_empty() {
        return overlays::key(model, chord);
    }
    let before = model.prefix.take();
    let meaning = model.options.keymap.meaning(before, chord, &model.scopes());
    match meaning {
        Meaning::Action(action) => acts::act(model, action),
        Meaning::Prefix => {
            model.prefix = Some(chord);
            Vec::new()
        }
        Meaning::Nothing => {
            let help = model.options.keymap.hint(crate::tui::actions::Action::Help);
            let typed = before.map_or_else(|| chord.to_string(), |b| format!("{b} {chord}"));
            model.say(Say::info(format!(
                "{typed} does nothing here; {help} shows the keys"
            )));
            Vec::new()
        }
    }
}
