//! What is kept of the stream: filters under names, events in files.

use crate::tui::model::Model;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::msg::{Effect, Kept, Say};
use crate::tui::widgets::input::Input;

pub(super) fn ask_filter_name(model: &mut Model) -> Option<Vec<Effect>> {
    if model.feed.filter().is_none() {
        model.say(Say::info("there is no filter to save"));
        return Some(Vec::new());
    }
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::SaveFilter,
        title: "Save the filter as",
        help: "a name; one that is there already is replaced",
        input: Input::default(),
        error: None,
    }));
    Some(Vec::new())
}

pub fn save_filter(model: &mut Model, name: &str) -> Result<Vec<Effect>, String> {
    if name.is_empty() {
        return Err("a name is needed".to_owned());
    }
    let Some(filter) = model.feed.filter().map(|f| f.text.clone()) else {
        return Err("there is no filter to save".to_owned());
    };
    let filters = &mut model.options.filters;
    filters.retain(|(known, _)| known != name);
    filters.push((name.to_owned(), filter));
    let Some(path) = model.options.saved_filters.clone() else {
        return Err("there is no home folder to keep it in".to_owned());
    };
    let mut table = toml::Table::new();
    for (name, text) in filters.iter() {
        table.insert(name.clone(), toml::Value::String(text.clone()));
    }
    let text = format!("# Filters saved on the screen of evtap: name = text.\n{table}");
    Ok(vec![Effect::Keep(Kept { path, text })])
}

pub(super) fn ask_export(model: &mut Model) -> Option<Vec<Effect>> {
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::Export,
        title: "Write events into",
        help: "a file: incident.mcap, events.jsonl or events.jsonl.zst",
        input: Input::default(),
        error: None,
    }));
    Some(Vec::new())
}

pub fn export(_model: &mut Model, _path: &str) -> Result<Vec<Effect>, String> {
    Ok(Vec::new())
}

pub fn export_over(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}
