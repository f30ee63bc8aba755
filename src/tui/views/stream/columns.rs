//! The columns of the stream: those that every event has, and fields that were made columns.

use crate::tui::model::overlay::{Item, Overlay, PickKind, Picker, Value};
use crate::tui::model::{Model, ZoneMode};
use crate::tui::msg::Effect;
use crate::tui::widgets::table::{Align, Column, column};

/// Columns that every event has, in their order.
pub const FIXED: &[&str] = &["time", "place", "key", "verdict", "size", "value"];

/// One column as it is asked for.
pub struct Wanted {
    pub name: String,
    /// The path of a field that was made a column.
    pub path: Option<String>,
    pub align: Align,
    pub column: Column,
}

/// The columns that are to be shown, as far as they fit into so much room.
pub fn wanted(model: &Model, room: usize) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for name in FIXED {
        if model.stream.hidden.contains(name) {
            continue;
        }
        if *name == "value" {
            pinned(model, &mut wanted);
        }
        let (min, ideal, priority, align) = match *name {
            "time" => (12, time_width(model, room), 6, Align::Left),
            "place" => (16, 30, 5, Align::Left),
            "key" => (9, 18, 4, Align::Left),
            "verdict" => (1, 1, 7, Align::Left),
            "size" => (7, 9, 1, Align::Right),
            // A little of it is better than nothing.
            _ if room < 70 => (12, 60, 3, Align::Left),
            _ => (24, 60, 3, Align::Left),
        };
        let title = match *name {
            "place" => "topic/partition@offset",
            "verdict" => "",
            other => other,
        };
        wanted.push(Wanted {
            name: title.to_owned(),
            path: None,
            align,
            column: column(min, ideal, priority, *name == "value"),
        });
    }
    if model.stream.hidden.contains(&"value") {
        pinned(model, &mut wanted);
    }
    wanted
}

/// The date stands where there is room for it beside a part of the value.
fn time_width(model: &Model, room: usize) -> usize {
    match model.zone {
        ZoneMode::Age => 14,
        ZoneMode::Epoch => 13,
        ZoneMode::Utc | ZoneMode::Local if room < 100 => 12,
        ZoneMode::Utc | ZoneMode::Local => 23,
    }
}

fn pinned(model: &Model, wanted: &mut Vec<Wanted>) {
    for path in &model.stream.columns {
        let name = path.rsplit('.').next().unwrap_or(path).to_owned();
        let width = name.chars().count().clamp(6, 20);
        wanted.push(Wanted {
            name,
            path: Some(path.clone()),
            align: Align::Left,
            column: column(4, width.max(14), 5, false),
        });
    }
}

/// What a path leads to in a value; empty where it leads nowhere.
pub fn field(value: Option<&[u8]>, path: &str) -> String {
    /// Larger values are not parsed for a cell of a table.
    const LARGEST: usize = 256 * 1024;
    let Some(value) = value.filter(|v| v.len() <= LARGEST) else {
        return String::new();
    };
    let Ok(mut at) = serde_json::from_slice::<serde_json::Value>(value) else {
        return String::new();
    };
    let path = path.strip_prefix(".value").unwrap_or(path);
    for step in steps(path) {
        let next = match step.parse::<usize>() {
            Ok(index) if at.is_array() => at.get_mut(index).map(serde_json::Value::take),
            _ => at.get_mut(&step).map(serde_json::Value::take),
        };
        match next {
            Some(next) => at = next,
            None => return String::new(),
        }
    }
    match at {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The steps of a jq path: `.data["a b"][3]`.
fn steps(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[\"") {
            let end = after.find("\"]").unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = after.get(end + 2..).unwrap_or_default();
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            let after = rest.strip_prefix('.').unwrap_or(rest);
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end > 0 {
                steps.push(after[..end].to_owned());
            }
            rest = &after[end..];
            if end == 0 && rest == after && !rest.starts_with('[') {
                break;
            }
        }
    }
    steps
}

pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let items = items(model);
    let picker = Picker::new(PickKind::Columns, "Columns (enter switches)", items);
    model.overlays.push(Overlay::Pick(picker));
    Vec::new()
}

fn items(model: &Model) -> Vec<Item> {
    let glyphs = model.options.glyphs;
    let item = |index: usize, label: &str, on: bool| Item {
        label: label.to_owned(),
        hint: if on {
            format!("{} shown", glyphs.valid)
        } else {
            "hidden".to_owned()
        },
        value: Value::Index(index),
        ..Item::default()
    };
    let mut items: Vec<Item> = FIXED
        .iter()
        .enumerate()
        .map(|(i, name)| item(i, name, !model.stream.hidden.contains(name)))
        .collect();
    for (i, path) in model.stream.columns.iter().enumerate() {
        items.push(item(FIXED.len() + i, path, true));
    }
    items
}

/// Switches a column on or off; a field that was made a column goes.
pub fn toggle_column(model: &mut Model, index: usize) -> Vec<Effect> {
    if let Some(name) = FIXED.get(index) {
        if let Some(at) = model.stream.hidden.iter().position(|h| h == name) {
            model.stream.hidden.remove(at);
        } else {
            model.stream.hidden.push(name);
        }
    } else if index - FIXED.len() < model.stream.columns.len() {
        model.stream.columns.remove(index - FIXED.len());
    }
    let items = items(model);
    if let Some(Overlay::Pick(picker)) = model.overlays.last_mut() {
        picker.items = items;
    }
    Vec::new()
}

/// Makes a field a column.
pub fn add_column(model: &mut Model, path: &str) -> Result<Vec<Effect>, String> {
    if !path.starts_with('.') {
        return Err("a path begins with a dot: .value.data.totalAmount".to_owned());
    }
    if !model.stream.columns.iter().any(|c| c == path) {
        model.stream.columns.push(path.to_owned());
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_field() {
        let value = br#"{"data":{"a b":[1,{"c":"text"}],"n":1.50}}"#;
        for (path, expected) in [
            (".value.data[\"a b\"][1].c", "text"),
            (".value.data.n", "1.50"),
            (".value.data[\"a b\"][0]", "1"),
            (".value.nope", ""),
            (".value.data[\"a b\"][7]", ""),
            (
                ".value",
                "{\"data\":{\"a b\":[1,{\"c\":\"text\"}],\"n\":1.50}}",
            ),
            (
                ".value..",
                "{\"data\":{\"a b\":[1,{\"c\":\"text\"}],\"n\":1.50}}",
            ),
        ] {
            assert_eq!(field(Some(value), path), expected, "{path}");
        }
        assert_eq!(field(Some(b"not json"), ".value.a"), "");
        assert_eq!(field(None, ".value.a"), "");
    }
}
