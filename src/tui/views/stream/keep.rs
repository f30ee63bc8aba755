//! What is kept of the stream: filters under names, events in files.

use std::path::PathBuf;
use std::sync::Arc;

use crate::broker::{self, Address, Origin};
use crate::pipeline::{Export, Pick, export as export_events};
use crate::text::human;
use crate::tui::connect::Connection;
use crate::tui::model::Model;
use crate::tui::model::overlay::{Answer, Overlay, Prompt, PromptKind, Question};
use crate::tui::model::stream::{Mark, Place};
use crate::tui::msg::{Effect, Kept, Msg, Say};
use crate::tui::widgets::input::Input;

pub(super) fn ask_filter_name(model: &mut Model) -> Vec<Effect> {
    if model.feed.filter().is_none() {
        model.say(Say::info("there is no filter to save"));
        return Vec::new();
    }
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::SaveFilter,
        title: "Save the filter as",
        help: "a name; one that is there already is replaced",
        input: Input::default(),
        error: None,
    }));
    Vec::new()
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

pub(super) fn ask_export(model: &mut Model) -> Vec<Effect> {
    if model.stream.len(&model.feed) == 0 {
        model.say(Say::info("there is nothing to write"));
        return Vec::new();
    }
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::Export,
        title: if model.stream.anchor.is_some() {
            "Write the selected rows into"
        } else if model.stream.only_marked {
            "Write the marked events into"
        } else {
            "Write all rows that are shown into"
        },
        help: "a file: incident.mcap (keeps everything, marks too), events.jsonl, events.jsonl.zst",
        input: Input::default(),
        error: None,
    }));
    Vec::new()
}

/// Writes the selection into a file; one that is there is asked about.
pub fn export(model: &mut Model, path: &str) -> Result<Vec<Effect>, String> {
    if ![".mcap", ".jsonl", ".jsonl.zst"]
        .iter()
        .any(|end| path.ends_with(end))
    {
        return Err("the name ends in .mcap, .jsonl or .jsonl.zst".to_owned());
    }
    let path = PathBuf::from(path);
    model.stream.export_to = Some(path.clone());
    if path.exists() {
        let reads_it = |c: &Arc<Connection>| matches!(&c.address, Address::File { path: read } if same_file(read, &path));
        if model.source.connections.iter().any(reads_it) {
            return Err("this file is being read".to_owned());
        }
        model.overlays.push(Overlay::Question(Question {
            text: vec![format!("{} is there already. Replace it?", path.display())],
            yes: Answer::Overwrite,
        }));
        return Ok(Vec::new());
    }
    Ok(write(model, false))
}

fn same_file(a: &std::path::Path, b: &std::path::Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// The question was answered with yes.
pub fn export_over(model: &mut Model) -> Vec<Effect> {
    write(model, true)
}

fn write(model: &mut Model, overwrite: bool) -> Vec<Effect> {
    let Some(path) = model.stream.export_to.take() else {
        return Vec::new();
    };
    let picks = picks(model);
    let marks = marks(model);
    let origin = Origin {
        sources: model
            .source
            .connections
            .iter()
            .map(|c| c.shown.clone())
            .collect(),
        adapters: model
            .source
            .connections
            .iter()
            .map(|c| c.capabilities().adapter.to_owned())
            .collect(),
        clock: (model.source.clock_ahead != 0 || model.options.now.is_some())
            .then(|| model.clock()),
    };
    model.say(Say::info(format!("writing {}", path.display())));
    let work = async move {
        let to = Export {
            path: &path,
            overwrite,
            origin: &origin,
            marks: &marks,
        };
        let say = match export_events(&to, &picks).await {
            Ok(written) => Say::good(format!(
                "wrote {} events into {}",
                human::count(written.events),
                path.display()
            )),
            Err(error) => Say::bad(error.to_string()),
        };
        Msg::Said(say)
    };
    vec![Effect::Wait(Box::pin(work))]
}

/// The events of the selection, or of all rows that are shown.
fn picks(model: &Model) -> Vec<Pick> {
    let stream = &model.stream;
    let len = stream.len(&model.feed);
    let whole = (0, len.saturating_sub(1));
    let (first, last) = match stream.anchor {
        Some(_) => stream.range(&model.feed).unwrap_or(whole),
        None => whole,
    };
    let mut picks: Vec<Pick> = Vec::new();
    for at in first..=last {
        let Some(row) = stream.row(&model.feed, at) else {
            break;
        };
        let Some((batch, index)) = stream.event(&model.feed, &row) else {
            continue;
        };
        match picks.last_mut() {
            Some((same, indices)) if Arc::ptr_eq(same, &batch) => indices.push(index as u32),
            _ => picks.push((batch, vec![index as u32])),
        }
    }
    picks
}

/// The marks as a recording keeps them.
fn marks(model: &Model) -> Vec<broker::Mark> {
    let time = model.now.wall;
    let mark = |(place, mark): (&Place, &Mark)| broker::Mark {
        topic: place.topic.clone(),
        partition: place.partition,
        style: mark.event.get(0).stream.style,
        position: place.position,
        letter: None,
        note: mark.note.clone(),
        time,
    };
    model.stream.marks.iter().map(mark).collect()
}

/// A capture that is looked at keeps its marks itself.
pub(super) fn keep_marks(model: &Model) -> Vec<Effect> {
    let [connection] = model.source.connections.as_slice() else {
        return Vec::new();
    };
    if !is_capture(connection) {
        return Vec::new();
    }
    let (connection, marks) = (connection.clone(), marks(model));
    let work = async move {
        Msg::Said(match connection.broker.set_marks(&marks).await {
            Ok(()) => Say::good(format!("marks are kept beside {}", connection.shown)),
            Err(error) => Say::bad(error.to_string()),
        })
    };
    vec![Effect::Wait(Box::pin(work))]
}

fn is_capture(connection: &Connection) -> bool {
    matches!(&connection.address, Address::File { path } if path.extension().is_some_and(|e| e == "mcap"))
}

/// Asks the captures among the sources for the marks that they keep.
pub fn load_marks(model: &Model) -> Vec<Effect> {
    let captures = model.source.connections.iter().filter(|c| is_capture(c));
    captures
        .map(|connection| {
            let connection = connection.clone();
            let work = async move {
                let found = connection.broker.marks().await;
                Msg::Done(Box::new(move |model| {
                    match found {
                        Ok(marks) => model.stream.loaded.extend(marks),
                        Err(error) => model.say(Say::bad(error.to_string())),
                    }
                    place_marks(model);
                    Vec::new()
                }))
            };
            Effect::Wait(Box::pin(work))
        })
        .collect()
}

/// Puts marks that were loaded on their events, as far as they are there.
pub fn place_marks(model: &mut Model) {
    if model.stream.loaded.is_empty() {
        return;
    }
    let mut loaded = std::mem::take(&mut model.stream.loaded);
    for row in model.feed.shown.iter() {
        if loaded.is_empty() {
            break;
        }
        let Some(event) = model.feed.store.get(row.id()) else {
            continue;
        };
        let place = Place::of(&event);
        let same = |m: &broker::Mark| {
            m.topic == place.topic && m.partition == place.partition && m.position == place.position
        };
        if let Some(at) = loaded.iter().position(same) {
            let found = loaded.swap_remove(at);
            let mark = Mark {
                event: super::acts::alone(&event),
                note: found.note,
                row: *row,
            };
            model.stream.marks.insert(place, mark);
        }
    }
    model.stream.loaded = loaded;
}
