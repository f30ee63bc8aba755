//! What keys do in the pane, and what `=` does wherever they are.

use super::compare::{Compare, Side};
use super::filters::{self, Condition};
use super::rows::Rows;
use super::value::Value;
use super::{Detail, Tab};
use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::stream::{Focus, Place, Seek};
use crate::tui::msg::{Effect, Say};
use crate::tui::update::overlays;
use crate::tui::views::{self, stream};
use crate::tui::widgets::hex::Motion;
use crate::tui::widgets::input::Input;
use crate::tui::widgets::needle::Needle;
use crate::tui::widgets::tree::MOST_ROWS;

/// What an action does while the detail has the keys; `None` when it means nothing there.
pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    // Keys may come faster than frames.
    views::settle(model);
    let none = Some(Vec::new());
    if model.stream.detail.compare.is_some() {
        return compared(model, action).then(Vec::new);
    }
    let detail = &mut model.stream.detail;
    match action {
        Action::NextPane | Action::PreviousPane => {
            let tab = detail.tab.turn(action == Action::NextPane);
            detail.go_to(tab);
            none
        }
        Action::Left | Action::Right => {
            detail.aside(action == Action::Right);
            none
        }
        Action::NextEvent | Action::PreviousEvent => {
            let by = if action == Action::NextEvent { 1 } else { -1 };
            model.stream.follow = false;
            model.stream.step(&model.feed, by);
            none
        }
        Action::Open => open(model),
        Action::ExpandAll | Action::CollapseAll => {
            all(model, action == Action::ExpandAll);
            none
        }
        Action::Pin => Some(pin(model)),
        Action::Include => Some(narrow(model, true)),
        Action::Exclude => Some(narrow(model, false)),
        Action::FindInDetail => {
            let before = detail.needle.as_ref().map_or("", Needle::text);
            let input = Input::new(before);
            model.overlays.push(Overlay::Prompt(Prompt {
                kind: PromptKind::DetailFind,
                title: "Find in this event",
                help: "a text; small letters find both cases; n and N go on",
                input,
                error: None,
            }));
            none
        }
        Action::NextMatch | Action::PreviousMatch if detail.needle.is_some() => {
            if let Err(why) = detail.search(action == Action::NextMatch) {
                model.say(Say::info(why));
            }
            none
        }
        Action::CopyValue => copy(model),
        _ => None,
    }
}

/// Keys of a comparison; false for those that mean nothing in it.
fn compared(model: &mut Model, action: Action) -> bool {
    let Some(compare) = &mut model.stream.detail.compare else {
        return false;
    };
    match action {
        Action::Left | Action::Right => compare.scroll.aside(action == Action::Right),
        Action::NextMatch | Action::PreviousMatch => {
            if !compare.walk(action == Action::NextMatch) {
                model.say(Say::info("no other difference in this direction"));
            }
        }
        Action::Open => {}
        _ => return false,
    }
    true
}

/// The actions of the diff, wherever the keys are.
pub fn diff(model: &mut Model, action: Action) {
    views::settle(model);
    let detail = &mut model.stream.detail;
    match (action, &mut detail.compare) {
        (Action::DiffSwap, Some(compare)) => compare.swap(),
        (Action::DiffAll, Some(compare)) => compare.toggle_all(),
        (Action::Diff, _) => mark(model),
        _ => {
            let key = model.options.keymap.hint(Action::Diff);
            model.say(Say::info(format!(
                "nothing is compared; {key} on one event, then on another"
            )));
        }
    }
}

/// Takes the event for the first of a comparison, or for the second.
fn mark(model: &mut Model) {
    let Some((batch, at)) = model.stream.selected(&model.feed) else {
        return;
    };
    let event = batch.get(at);
    let name = stream::place_text(&event);
    let place = Place::of(&event);
    let key = model.options.keymap.hint(Action::Diff);
    match model.stream.diff_from.take() {
        None => {
            model.stream.detail.compare = None;
            model.stream.diff_from = Some((place, stream::alone(&event)));
            model.say(Say::info(format!(
                "A is {name}; {key} on another event shows what differs"
            )));
        }
        Some((first, _)) if first == place => {
            model.say(Say::info(format!("{name} is not compared any more")));
        }
        Some((_, batch)) => {
            let name_of = |batch: &crate::event::Batch| {
                let first = batch.iter().next();
                first.map_or_else(String::new, |e| stream::place_text(&e))
            };
            let old = Side {
                name: name_of(&batch),
                batch,
            };
            let new = Side {
                batch: stream::alone(&event),
                name,
            };
            let focus = std::mem::replace(&mut model.stream.focus, Focus::Detail);
            model.stream.detail.compare = Some(Compare::new(old, new, focus));
            // What to press next was said, and was pressed.
            model.said = None;
        }
    }
}

impl Detail {
    /// Shows the place in the value that the line under the cursor is about; false when it is
    /// about none.
    fn show_fault(&mut self) -> bool {
        let known = self.shown.as_ref().and_then(|s| s.known.as_ref());
        let Some(path) = known.and_then(Rows::link).map(str::to_owned) else {
            return false;
        };
        self.go_to(Tab::Value);
        let value = self.shown.as_mut().and_then(|s| s.value.as_mut());
        let Some(Value::Tree(view)) = value else {
            return true;
        };
        view.scroll.at = view.tree.reveal_pointer(&path);
        true
    }

    /// Left or right: branches close and open, bytes and lines move.
    fn aside(&mut self, right: bool) {
        let Some(shown) = &mut self.shown else {
            return;
        };
        let motion = if right { Motion::Right } else { Motion::Left };
        match self.tab {
            Tab::Value => match &mut shown.value {
                Some(Value::Tree(view)) if right => view.right(),
                Some(Value::Tree(view)) => view.left(),
                Some(Value::Bytes { dump, .. }) => dump.hex.go(motion, dump.per_row),
                _ => {}
            },
            Tab::Headers => {
                if let Some(rows) = &mut shown.headers {
                    rows.scroll.aside(right);
                }
            }
            Tab::Schema => {
                if let Some(rows) = &mut shown.known {
                    rows.scroll.aside(right);
                }
            }
            Tab::Hex => {
                if let Some(dump) = &mut shown.hex {
                    dump.hex.unlink();
                    dump.hex.go(motion, dump.per_row);
                }
            }
            Tab::Raw | Tab::Trace => {}
        }
    }
}

fn open(model: &mut Model) -> Option<Vec<Effect>> {
    let detail = &mut model.stream.detail;
    if detail.tab == Tab::Schema {
        if !detail.show_fault() {
            model.say(Say::info("choose a line that tells what is wrong"));
        }
        return Some(Vec::new());
    }
    let shown = detail.shown.as_mut()?;
    match (detail.tab, &mut shown.value) {
        (Tab::Value, Some(Value::Tree(view))) => {
            let is_branch = view.tree.toggle(view.scroll.at);
            // A long text has its place where lines wrap.
            if !is_branch {
                detail.go_to(Tab::Raw);
            }
        }
        (
            Tab::Value,
            Some(Value::Text {
                text,
                fault: Some(fault),
                ..
            }),
        ) => text.show(*fault),
        (Tab::Hex, _) => detail.go_to(Tab::Value),
        (Tab::Trace, _) => {
            let around = shown.around.as_ref()?;
            let id = around.rows.get(around.scroll.at)?;
            let Some(event) = model.feed.store.get(*id) else {
                model.say(Say::info("the buffer let go of this event"));
                return Some(Vec::new());
            };
            let place = Place::of(&event);
            return Some(stream::show_event(model, place));
        }
        _ => {}
    }
    Some(Vec::new())
}

fn all(model: &mut Model, open: bool) {
    let detail = &mut model.stream.detail;
    let value = detail.shown.as_mut().and_then(|s| s.value.as_mut());
    if let (Tab::Value, Some(Value::Tree(view))) = (detail.tab, value) {
        if !view.all(open) {
            let most = crate::text::human::count(MOST_ROWS as u64);
            model.say(Say::info(format!(
                "too much to open at once: branches stay closed after {most} rows"
            )));
        }
    } else {
        model.say(Say::info("there are no branches in this tab"));
    }
}

fn pin(model: &mut Model) -> Vec<Effect> {
    let detail = &model.stream.detail;
    let value = detail.shown.as_ref().and_then(|s| s.value.as_ref());
    let (Tab::Value, Some(Value::Tree(view))) = (detail.tab, value) else {
        model.say(Say::info("choose a field in the tab Value"));
        return Vec::new();
    };
    let path = view.tree.path(view.scroll.at, ".value");
    match stream::add_column(model, &path) {
        Ok(effects) => {
            let key = model.options.keymap.hint(Action::Columns);
            model.say(Say::good(format!(
                "{path} is a column; {key} takes it away"
            )));
            effects
        }
        Err(why) => {
            model.say(Say::bad(why));
            Vec::new()
        }
    }
}

/// Adds a condition on what is under the cursor to the filter.
fn narrow(model: &mut Model, equal: bool) -> Vec<Effect> {
    let condition = match condition(&model.stream.detail) {
        Ok(condition) => condition,
        Err(why) => {
            model.say(Say::info(why));
            return Vec::new();
        }
    };
    let before = model.feed.filter().map(|f| f.text.clone());
    let (text, say) = match before {
        None => (condition.text(equal), None),
        Some(before) => match filters::join(&before, &condition, equal) {
            Some(text) => (text, None),
            None => (condition.text(equal), Some(before)),
        },
    };
    // The event stays under the cursor where it is kept.
    if equal
        && !model.stream.follow
        && let Some((batch, at)) = model.stream.selected(&model.feed)
    {
        model.stream.seek = Some(Seek::Event(Place::of(&batch.get(at))));
    }
    let effects = overlays::set_filter(model, &text);
    model.stream.filters.retain(|f| *f != text);
    model.stream.filters.push(text.clone());
    model.say(Say::info(match say {
        None => format!("filter: {text}"),
        Some(before) => format!("filter: {text} (in the place of '{before}', which is not jq)"),
    }));
    effects
}

fn condition(detail: &Detail) -> Result<Condition, String> {
    let shown = detail.shown.as_ref().ok_or("there is no event")?;
    match (detail.tab, &shown.value) {
        (Tab::Value, Some(Value::Tree(view))) => {
            let path = view.tree.path(view.scroll.at, ".value");
            Condition::of_json(path, view.tree.value_bytes(view.scroll.at))
        }
        (Tab::Headers, _) => {
            let at = shown.headers.as_ref().map_or(0, |rows| rows.scroll.at);
            Condition::of_header(shown.event().headers, at)
        }
        _ => Err("choose a field in the tab Value, or a header".to_owned()),
    }
}

/// Copies the value of the field or header under the cursor; `None` for the whole value.
fn copy(model: &Model) -> Option<Vec<Effect>> {
    let detail = &model.stream.detail;
    let shown = detail.shown.as_ref()?;
    let (what, bytes) = match (detail.tab, &shown.value) {
        (Tab::Value, Some(Value::Tree(view))) if view.scroll.at > 0 => {
            let raw = view.tree.value_bytes(view.scroll.at);
            // A text is wanted without its quotes and escapes.
            let text = serde_json::from_slice::<String>(raw);
            let bytes = text.map_or_else(|_| raw.to_vec(), String::into_bytes);
            (view.tree.path(view.scroll.at, ".value"), bytes)
        }
        (Tab::Headers, _) => {
            let at = shown.headers.as_ref()?.scroll.at;
            let (name, value) = shown.event().headers.iter().nth(at)?;
            let name = String::from_utf8_lossy(name);
            (format!("header {name}"), value.unwrap_or_default().to_vec())
        }
        _ => return None,
    };
    Some(vec![Effect::Copy { what, bytes }])
}

/// What was typed is sought, from where one stands.
pub fn find(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    views::settle(model);
    model.stream.detail.needle = Needle::new(text);
    if !text.is_empty() {
        model.stream.detail.search(true)?;
    }
    Ok(Vec::new())
}
