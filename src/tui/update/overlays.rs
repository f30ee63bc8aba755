//! Keys and pastes of what lies over a view, and what opening and closing it does.

use super::acts;
use crate::query::FilterText;
use crate::tui::actions::{ACTIONS, Action};
use crate::tui::keymap::{Chord, Meaning};
use crate::tui::model::feed::Filter;
use crate::tui::model::overlay::{
    Answer, FilterBar, Item, Overlay, PickKind, Picker, Prompt, PromptKind, Value,
};
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Say, Trouble};
use crate::tui::views;
use crate::tui::widgets::input::{Edit, Input};
use crossterm::event::{KeyCode, KeyModifiers};

/// What a key does to a line of text; `None` for a key that edits nothing.
fn edit(chord: Chord) -> Option<Edit<'static>> {
    let control = chord.modifiers.contains(KeyModifiers::CONTROL);
    let alt = chord.modifiers.contains(KeyModifiers::ALT);
    Some(match chord.code {
        KeyCode::Char('w') if control => Edit::DeleteWord,
        KeyCode::Char('u') if control => Edit::DeleteToStart,
        KeyCode::Char('k') if control => Edit::DeleteToEnd,
        KeyCode::Char('a') if control => Edit::Home,
        KeyCode::Char('e') if control => Edit::End,
        KeyCode::Char('b') if alt => Edit::WordLeft,
        KeyCode::Char('f') if alt => Edit::WordRight,
        KeyCode::Char(c) if !control && !alt => Edit::Insert(c),
        KeyCode::Backspace if alt => Edit::DeleteWord,
        KeyCode::Backspace => Edit::Backspace,
        KeyCode::Delete => Edit::Delete,
        KeyCode::Left if control || alt => Edit::WordLeft,
        KeyCode::Right if control || alt => Edit::WordRight,
        KeyCode::Left => Edit::Left,
        KeyCode::Right => Edit::Right,
        KeyCode::Home => Edit::Home,
        KeyCode::End => Edit::End,
        _ => return None,
    })
}

fn is_quit(model: &Model, chord: Chord) -> bool {
    chord.modifiers.contains(KeyModifiers::CONTROL)
        && model
            .options
            .keymap
            .meaning(None, chord, &[crate::tui::actions::Scope::Everywhere])
            == Meaning::Action(Action::Quit)
}

/// A key while something lies over the view.
pub fn key(model: &mut Model, chord: Chord) -> Vec<Effect> {
    if chord.code == KeyCode::Esc || is_quit(model, chord) {
        return close(model);
    }
    let Some(top) = model.overlays.last_mut() else {
        return Vec::new();
    };
    let step = match (chord.code, chord.modifiers) {
        (KeyCode::Up, _) | (KeyCode::Char('p'), KeyModifiers::CONTROL) => -1,
        (KeyCode::Down, _) | (KeyCode::Char('n'), KeyModifiers::CONTROL) => 1,
        (KeyCode::PageUp, _) => -10,
        (KeyCode::PageDown, _) => 10,
        _ => 0isize,
    };
    match top {
        Overlay::Filter(bar) => {
            if chord.code == KeyCode::Enter {
                return keep_filter(model);
            }
            let edit = match step {
                ..0 => Some(Edit::Older),
                1.. => Some(Edit::Newer),
                0 => edit(chord),
            };
            if edit.is_some_and(|e| bar.input.apply(e)) {
                return refilter(model);
            }
        }
        Overlay::Prompt(prompt) => {
            if chord.code == KeyCode::Enter {
                return submit(model);
            }
            if let Some(edit) = edit(chord) {
                prompt.error = None;
                prompt.input.apply(edit);
            }
        }
        Overlay::Pick(picker) => {
            if chord.code == KeyCode::Enter {
                return choose(model);
            }
            if step == 0 {
                let changed = edit(chord).is_some_and(|e| picker.input.apply(e));
                if changed {
                    picker.at = 0;
                }
            } else {
                let last = picker.left().len().saturating_sub(1);
                picker.at = picker.at.saturating_add_signed(step).min(last);
            }
            preview(model);
        }
        Overlay::Help(help) => match chord.code {
            KeyCode::Enter | KeyCode::Char('?') => {
                model.overlays.pop();
            }
            _ if step != 0 => help.top = help.top.saturating_add_signed(step),
            _ => {
                if edit(chord).is_some_and(|e| help.input.apply(e)) {
                    help.top = 0;
                }
            }
        },
        Overlay::Question(question) => match chord.code {
            KeyCode::Char('y' | 'Y') => {
                let yes = question.yes;
                model.overlays.pop();
                return answer(model, yes);
            }
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Enter => {
                model.overlays.pop();
            }
            _ => {}
        },
    }
    Vec::new()
}

fn answer(model: &mut Model, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Quit => views::replay::stop_then_quit(model),
        Answer::RunReplay => views::replay::run_confirmed(model),
        Answer::Overwrite => views::stream::export_over(model),
    }
}

/// Closes the topmost layer, as if it had not been opened.
fn close(model: &mut Model) -> Vec<Effect> {
    match model.overlays.pop() {
        Some(Overlay::Filter(bar)) => set_filter(model, &bar.before.unwrap_or_default()),
        Some(Overlay::Pick(picker)) if picker.kind == PickKind::Theme => {
            let before = picker.items.first().map(|i| i.words.clone());
            use_theme(model, &before.unwrap_or_default());
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Pasted text, into the topmost line. Without one it is not keys: that would be dangerous.
pub fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let input = match model.overlays.last_mut() {
        Some(Overlay::Filter(bar)) => &mut bar.input,
        Some(Overlay::Prompt(prompt)) => &mut prompt.input,
        Some(Overlay::Pick(picker)) => &mut picker.input,
        Some(Overlay::Help(help)) => &mut help.input,
        Some(Overlay::Question(_)) | None => {
            model.say(Say::info(
                "pasted text has no place here; / opens the filter",
            ));
            return Vec::new();
        }
    };
    input.apply(Edit::Paste(text));
    let cut = input.was_cut();
    if cut {
        model.say(Say::bad("the text was too long: its end was left out"));
    }
    if matches!(model.overlays.last(), Some(Overlay::Filter(_))) {
        return refilter(model);
    }
    Vec::new()
}

pub fn open_filter(model: &mut Model) -> Vec<Effect> {
    let before = model.feed.filter().map(|f| f.text.clone());
    let input = Input::new(before.as_deref().unwrap_or_default())
        .with_history(model.stream.filters.iter().cloned());
    model.overlays.push(Overlay::Filter(FilterBar {
        input,
        error: None,
        before,
    }));
    if !matches!(model.view, View::Stream) {
        return model.go(View::Stream);
    }
    Vec::new()
}

/// Parses what stands in the bar; the last valid filter stays in force.
fn refilter(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Filter(bar)) = model.overlays.last_mut() else {
        return Vec::new();
    };
    match FilterText::parse(bar.input.text()) {
        Ok(parsed) => {
            bar.error = None;
            bar.input.set_error(None);
            let text = bar.input.text().to_owned();
            put_filter(model, &text, &parsed);
        }
        Err(error) => {
            bar.input.set_error(error.span.clone());
            bar.error = Some(error);
        }
    }
    Vec::new()
}

fn put_filter(model: &mut Model, text: &str, parsed: &FilterText) {
    if parsed.is_empty() {
        model.feed.set_filter(None);
    } else {
        let query = parsed.query(model.source.decoder.clone());
        model.feed.set_filter(Some(Filter {
            text: text.to_owned(),
            query: std::sync::Arc::new(query),
        }));
    }
}

/// Puts a filter in force by its text; an empty one drops it.
pub fn set_filter(model: &mut Model, text: &str) -> Vec<Effect> {
    match FilterText::parse(text) {
        Ok(parsed) => put_filter(model, text, &parsed),
        Err(error) => model.say(Say::bad(error.message)),
    }
    Vec::new()
}

fn keep_filter(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Filter(bar)) = model.overlays.last_mut() else {
        return Vec::new();
    };
    if let Some(error) = &bar.error {
        let message = error.message.clone();
        model.say(Say::bad(format!(
            "{message}; the filter before stays in force"
        )));
        return Vec::new();
    }
    let text = bar.input.text().to_owned();
    model.overlays.pop();
    if !text.is_empty() {
        model.stream.filters.retain(|f| *f != text);
        model.stream.filters.push(text);
    }
    Vec::new()
}

pub fn open_goto(model: &mut Model) -> Vec<Effect> {
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::GoTo,
        title: "Go to",
        help: "a time (2024-08-15T10:30:00Z, 10:30), an age (-15m), topic/partition@offset, start or end",
        input: Input::default(),
        error: None,
    }));
    Vec::new()
}

/// What was typed is to be used; a mistake keeps the prompt open.
fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Prompt(prompt)) = model.overlays.last() else {
        return Vec::new();
    };
    let (kind, text) = (prompt.kind, prompt.input.text().trim().to_owned());
    let done = match kind {
        PromptKind::GoTo => views::stream::go_to(model, &text),
        PromptKind::Note => Ok(views::stream::note(model, &text)),
        PromptKind::Export => views::stream::export(model, &text),
        PromptKind::SaveFilter => views::stream::save_filter(model, &text),
        PromptKind::DetailFind => views::detail::find(model, &text),
        PromptKind::Column => views::stream::add_column(model, &text),
        PromptKind::TraceId => views::trace::follow(model, &text),
        PromptKind::StateKey => views::state::fold_key(model, &text),
        PromptKind::ReplayTarget => views::replay::target_typed(model, &text),
        PromptKind::ReplayConfirm => views::replay::name_typed(model, &text),
        PromptKind::PlanFile => views::replay::file_typed(model, &text),
        PromptKind::Connect => Ok(vec![Effect::Connect(vec![text])]),
    };
    match done {
        Ok(effects) => {
            // What it opened lies on top of it.
            if let Some(at) = model
                .overlays
                .iter()
                .position(|o| matches!(o, Overlay::Prompt(p) if p.kind == kind))
            {
                model.overlays.remove(at);
            }
            effects
        }
        Err(error) => {
            if let Some(Overlay::Prompt(prompt)) = model.overlays.last_mut() {
                prompt.error = Some(error);
            }
            Vec::new()
        }
    }
}

pub fn open_palette(model: &mut Model) -> Vec<Effect> {
    let scopes = model.scopes();
    let items = ACTIONS
        .iter()
        .filter(|spec| scopes.contains(&spec.scope) && spec.action != Action::Palette)
        .map(|spec| Item {
            label: spec.help.to_owned(),
            detail: spec.id.to_owned(),
            hint: model.options.keymap.hint(spec.action),
            words: spec.words.to_owned(),
            value: Value::Action(spec.action),
        })
        .collect();
    let picker = Picker::new(PickKind::Palette, "Actions", items);
    model.overlays.push(Overlay::Pick(picker));
    Vec::new()
}

/// The theme in force stands in the words of the first item, for `Back`.
pub fn open_themes(model: &mut Model) -> Vec<Effect> {
    let current = model.options.theme.name.clone();
    let themes = &model.options.themes;
    let item = |(index, theme): (usize, &crate::tui::theme::Theme)| Item {
        label: theme.name.clone(),
        detail: theme.about.clone(),
        words: current.clone(),
        value: Value::Index(index),
        ..Item::default()
    };
    let items: Vec<Item> = themes.iter().enumerate().map(item).collect();
    let at = themes.iter().position(|t| t.name == current).unwrap_or(0);
    let mut picker = Picker::new(PickKind::Theme, "Theme", items);
    picker.at = at;
    model.overlays.push(Overlay::Pick(picker));
    Vec::new()
}

fn use_theme(model: &mut Model, name: &str) {
    if let Some(theme) = model.options.themes.iter().find(|t| t.name == name) {
        model.options.theme = theme.clone();
    }
}

/// Shows what the cursor of a picker stands on where that can be seen at once.
fn preview(model: &mut Model) {
    let Some(Overlay::Pick(picker)) = model.overlays.last() else {
        return;
    };
    if picker.kind == PickKind::Theme
        && let Some(Value::Index(index)) = picker.chosen().map(|i| i.value.clone())
        && let Some(theme) = model.options.themes.get(index)
    {
        model.options.theme = theme.clone();
    }
}

pub fn open_sources(model: &mut Model) -> Vec<Effect> {
    let contexts = model.options.contexts.clone();
    let lock = model.options.glyphs.lock;
    let mut items: Vec<Item> = contexts
        .iter()
        .map(|row| {
            let env = row
                .env
                .as_deref()
                .map_or_else(String::new, |e| format!("{e} "));
            let lock = if row.read_only {
                format!("{lock} read-only ")
            } else {
                String::new()
            };
            Item {
                label: row.name.clone(),
                detail: format!("{env}{lock}{}", row.url),
                hint: "asking".to_owned(),
                value: Value::Text(row.name.clone()),
                ..Item::default()
            }
        })
        .collect();
    items.push(Item {
        label: "demo:".to_owned(),
        detail: "the embedded broker with its order pipeline".to_owned(),
        hint: "always there".to_owned(),
        value: Value::Text("demo:".to_owned()),
        ..Item::default()
    });
    items.push(Item {
        label: "another address".to_owned(),
        detail: "kafka://HOST:PORT/TOPIC, redis://HOST, a file".to_owned(),
        words: "connect url".to_owned(),
        ..Item::default()
    });
    model.overlays.push(Overlay::Pick(Picker::new(
        PickKind::Source,
        "Connect to",
        items,
    )));
    if contexts.is_empty() {
        return Vec::new();
    }
    vec![Effect::Probe(contexts)]
}

/// A context answered, or did not: its line says so.
pub fn probed(model: &mut Model, name: &str, reachable: &Result<String, Trouble>) {
    for overlay in &mut model.overlays {
        if let Overlay::Pick(picker) = overlay
            && picker.kind == PickKind::Source
            && let Some(item) = picker.items.iter_mut().find(|i| i.label == name)
        {
            item.hint = match reachable {
                Ok(how) => how.clone(),
                Err(trouble) => trouble.message.clone(),
            };
        }
    }
}

pub fn open_saved_filters(model: &mut Model) -> Vec<Effect> {
    if model.options.filters.is_empty() {
        let key = model.options.keymap.hint(Action::SaveFilter);
        model.say(Say::info(format!(
            "no filter was saved yet; {key} saves the one in force"
        )));
        return Vec::new();
    }
    let item = |(name, text): &(String, String)| Item {
        label: name.clone(),
        detail: text.clone(),
        value: Value::Text(text.clone()),
        ..Item::default()
    };
    let items = model.options.filters.iter().map(item).collect();
    let picker = Picker::new(PickKind::SavedFilter, "Saved filters", items);
    model.overlays.push(Overlay::Pick(picker));
    Vec::new()
}

fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = model.overlays.last() else {
        return Vec::new();
    };
    let Some(item) = picker.chosen().cloned() else {
        return Vec::new();
    };
    let kind = picker.kind;
    if kind != PickKind::Columns {
        model.overlays.pop();
    }
    match (kind, item.value) {
        (PickKind::Palette, Value::Action(action)) => acts::act(model, action),
        (PickKind::Theme, Value::Index(index)) => {
            if let Some(theme) = model.options.themes.get(index) {
                let name = theme.name.clone();
                model.options.theme = theme.clone();
                model.say(Say::good(format!(
                    "theme {name}; `theme = \"{name}\"` in the config keeps it"
                )));
            }
            Vec::new()
        }
        (PickKind::Source, Value::Text(address)) => vec![Effect::Connect(vec![address])],
        (PickKind::Source, _) => {
            model.overlays.push(Overlay::Prompt(Prompt {
                kind: PromptKind::Connect,
                title: "Connect to",
                help: "CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, redis://HOST, demo: or a capture file",
                input: Input::default(),
                error: None,
            }));
            Vec::new()
        }
        (PickKind::SavedFilter, Value::Text(text)) => set_filter(model, &text),
        (PickKind::Columns, Value::Index(index)) => views::stream::toggle_column(model, index),
        _ => Vec::new(),
    }
}
