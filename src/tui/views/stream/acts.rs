//! What actions do in the stream.

use std::sync::Arc;

use super::{columns, goto};
use crate::event::{Batch, EventRef, object};
use crate::tui::actions::Action;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::stream::{Focus, Layout, Mark, Place, Seek};
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Say};
use crate::tui::views::{detail, state, trace};
use crate::tui::widgets::input::Input;

pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if model.stream.focus == Focus::Detail
        && let Some(effects) = detail::act(model, action)
    {
        return Some(effects);
    }
    let none = Some(Vec::new());
    match action {
        Action::Freeze => {
            if model.feed.frozen {
                model.feed.thaw();
            } else {
                model.feed.freeze();
            }
            none
        }
        Action::Follow => {
            model.feed.thaw();
            model.stream.follow = true;
            none
        }
        Action::Open | Action::NextPane | Action::PreviousPane => {
            if model.stream.cursor.is_some() {
                model.stream.focus = match model.stream.focus {
                    Focus::List => Focus::Detail,
                    Focus::Detail => Focus::List,
                };
            }
            none
        }
        Action::Back => back(model),
        Action::Quit if model.stream.focus == Focus::Detail => {
            model.stream.focus = Focus::List;
            none
        }
        Action::Left => {
            model.stream.right = model.stream.right.saturating_sub(8);
            none
        }
        Action::Right => {
            model.stream.right = (model.stream.right + 8).min(4096);
            none
        }
        Action::Layout => {
            model.stream.layout = match model.stream.layout {
                Layout::Auto => Layout::Beside,
                Layout::Beside => Layout::Below,
                Layout::Below => Layout::Off,
                Layout::Off => Layout::Auto,
            };
            none
        }
        Action::Maximise => {
            model.stream.maximised = !model.stream.maximised;
            none
        }
        Action::Select => {
            model.stream.anchor = match model.stream.anchor {
                Some(_) => None,
                None => model.stream.cursor,
            };
            model.stream.follow = false;
            none
        }
        Action::EarlierBucket => goto::bucket(model, -1),
        Action::LaterBucket => goto::bucket(model, 1),
        Action::Columns => Some(columns::open(model)),
        Action::SaveFilter => Some(super::keep::ask_filter_name(model)),
        Action::Export => Some(super::keep::ask_export(model)),
        Action::Mark => mark(model),
        Action::OnlyMarked => Some(only_marked(model)),
        Action::NextMark => next_mark(model),
        Action::NextMatch => walk(model, 1),
        Action::PreviousMatch => walk(model, -1),
        Action::Diff | Action::DiffSwap | Action::DiffAll => {
            detail::diff(model, action);
            none
        }
        Action::CopyValue
        | Action::CopyKey
        | Action::CopyHeaders
        | Action::CopyEvent
        | Action::CopyPlace => Some(copy(model, action)),
        Action::Editor => Some(edit(model)),
        Action::TraceThis => Some(trace::this(model)),
        Action::StateThis => Some(state::this(model)),
        _ => None,
    }
}

fn back(model: &mut Model) -> Option<Vec<Effect>> {
    let stream = &mut model.stream;
    if let Some(focus) = stream.detail.close_diff() {
        stream.focus = focus;
        return Some(Vec::new());
    }
    if stream.focus == Focus::Detail {
        stream.focus = Focus::List;
    } else if stream.anchor.take().is_some() {
    } else if stream.only_marked {
        stream.only_marked = false;
    } else {
        return None;
    }
    Some(Vec::new())
}

fn with_selected(model: &Model, make: impl FnOnce(&EventRef<'_>) -> Effect) -> Vec<Effect> {
    let selected = model.stream.selected(&model.feed);
    selected.map_or_else(Vec::new, |(batch, at)| vec![make(&batch.get(at))])
}

fn copy(model: &Model, action: Action) -> Vec<Effect> {
    with_selected(model, |event| {
        let mut bytes = Vec::new();
        let what = match action {
            Action::CopyKey => {
                bytes.extend_from_slice(event.key.unwrap_or_default());
                "the key"
            }
            Action::CopyHeaders => {
                object::write_headers(&mut bytes, event.headers);
                "the headers"
            }
            Action::CopyEvent => {
                let mut reader = model.source.decoder.impatient().reader();
                object::write(&mut bytes, event, &reader.see(event));
                "the event"
            }
            Action::CopyPlace => {
                bytes.extend_from_slice(place_text(event).as_bytes());
                "its place"
            }
            _ => {
                bytes.extend_from_slice(event.value.unwrap_or_default());
                "the value"
            }
        };
        Effect::Copy {
            what: what.to_owned(),
            bytes,
        }
    })
}

/// `orders/0@15`
pub fn place_text(event: &EventRef<'_>) -> String {
    let position = event.position.display(event.stream.style);
    format!(
        "{}/{}@{position}",
        event.stream.topic, event.stream.partition
    )
}

fn edit(model: &Model) -> Vec<Effect> {
    with_selected(model, |event| {
        let mut reader = model.source.decoder.impatient().looker();
        let value = reader.see(event).value;
        let (ending, bytes) = match value.data {
            crate::event::Decoded::Json(json) => ("json", json.as_bytes()),
            _ => ("txt", event.value.unwrap_or_default()),
        };
        Effect::Edit {
            ending,
            bytes: bytes.to_vec(),
        }
    })
}

/// An event by itself, so that it outlives the buffer.
pub fn alone(event: &EventRef<'_>) -> Arc<Batch> {
    let streams: Arc<[crate::event::Stream]> = Arc::new([event.stream.clone()]);
    let mut batch = Batch::new(streams);
    let copy = EventRef {
        stream_index: 0,
        ..*event
    };
    let meta = event
        .meta
        .map(|meta| batch.push_meta(crate::event::BatchMeta { stream: 0, ..*meta }));
    // It came out of a batch, so it fits into one.
    let fits = batch.push_of_meta(&copy, meta);
    debug_assert!(fits.is_ok());
    Arc::new(batch.compact())
}

/// Marks the event, or takes its mark away; a new mark asks for a note.
fn mark(model: &mut Model) -> Option<Vec<Effect>> {
    let row = model.stream.cursor?;
    let (batch, at) = model.stream.selected(&model.feed)?;
    let event = batch.get(at);
    let place = Place::of(&event);
    if model.stream.marks.remove(&place).is_some() {
        model.say(Say::info(format!(
            "{} is not marked any more",
            place_text(&event)
        )));
        return Some(super::keep::keep_marks(model));
    }
    let mark = Mark {
        event: alone(&event),
        note: String::new(),
        row,
    };
    model.stream.marks.insert(place, mark);
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::Note,
        title: "Marked; a note",
        help: "a note for this mark, or nothing; w writes marks and notes into a capture",
        input: Input::default(),
        error: None,
    }));
    Some(Vec::new())
}

pub fn note(model: &mut Model, text: &str) -> Vec<Effect> {
    if let Some((batch, at)) = model.stream.selected(&model.feed)
        && let Some(mark) = model.stream.marks.get_mut(&Place::of(&batch.get(at)))
    {
        text.clone_into(&mut mark.note);
    }
    super::keep::keep_marks(model)
}

fn only_marked(model: &mut Model) -> Vec<Effect> {
    if model.stream.marks.is_empty() && !model.stream.only_marked {
        let key = model.options.keymap.hint(Action::Mark);
        model.say(Say::info(format!(
            "nothing is marked; {key} marks an event"
        )));
        return Vec::new();
    }
    model.stream.only_marked = !model.stream.only_marked;
    model.stream.follow = false;
    Vec::new()
}

fn next_mark(model: &mut Model) -> Option<Vec<Effect>> {
    let cursor = model.stream.cursor?;
    let rows = || model.stream.marks.values().map(|m| m.row);
    let next = rows()
        .filter(|r| *r > cursor)
        .min()
        .or_else(|| rows().min())?;
    model.stream.follow = false;
    let at = model.feed.shown.place(&next);
    model.stream.put(&model.feed, at);
    Some(Vec::new())
}

/// To the next event that cannot be decoded or does not fit its schema: what one looks for where
/// nothing is searched.
fn walk(model: &mut Model, by: isize) -> Option<Vec<Effect>> {
    const FAR: usize = 200_000;
    let len = model.stream.len(&model.feed);
    let mut at = model.stream.at;
    for _ in 0..FAR.min(len) {
        let next = at.checked_add_signed(by).filter(|next| *next < len);
        let Some(next) = next else {
            break;
        };
        at = next;
        let row = model.stream.row(&model.feed, at)?;
        if row.verdict.is_trouble() {
            model.stream.follow = false;
            model.stream.put(&model.feed, at);
            return Some(Vec::new());
        }
    }
    model.say(Say::info(
        "no event that does not fit its schema or cannot be decoded in this direction",
    ));
    Some(Vec::new())
}

/// What was asked for by place or time may have come.
pub fn sought(model: &mut Model) {
    let Some(seek) = &model.stream.seek else {
        return;
    };
    let by_place = matches!(seek, Seek::Event(_));
    let ended = model.feed.reading == crate::tui::model::feed::Reading::Ended;
    let caught_up = model.feed.progress.is_none_or(|(done, all)| done >= all);
    let found = match seek {
        Seek::Time(time) => {
            let at = model.feed.shown.at_time(*time);
            (at < model.feed.shown.len() && (caught_up || ended)).then_some(at)
        }
        Seek::Event(place) => model.feed.shown.iter().position(|row| {
            let event = model.feed.store.get(row.id());
            event.is_some_and(|e| Place::of(&e) == *place)
        }),
    };
    match found {
        Some(at) => {
            model.stream.seek = None;
            model.stream.follow = false;
            model.stream.put(&model.feed, at);
        }
        None if ended && model.feed.unsearched() == 0 => {
            model.stream.seek = None;
            model.say(Say::info("nothing is there"));
        }
        // The filter has looked at all, and does not keep it.
        None if by_place && model.feed.filter().is_some() && model.feed.unsearched() == 0 => {
            model.stream.seek = None;
        }
        None => {}
    }
}

/// Shows an event of the buffer, or reads around it where it is not held.
pub fn show_event(model: &mut Model, place: Place) -> Vec<Effect> {
    let mut effects = model.go(View::Stream);
    model.stream.only_marked = false;
    model.stream.follow = false;
    model.stream.seek = Some(Seek::Event(place.clone()));
    sought(model);
    if model.stream.seek.is_some() && model.feed.filter().is_some() {
        // The filter may hide it: what was asked for goes before.
        model.feed.set_filter(None);
        sought(model);
    }
    if model.stream.seek.is_some() {
        model.source.from = crate::tui::msg::From::Around {
            topic: place.topic,
            partition: place.partition,
            position: place.position,
        };
        effects.extend(crate::tui::update::begin(model));
    }
    effects
}
