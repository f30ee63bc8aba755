//! The ways in which events make a state, one event at a time.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::blame::{Blame, Tags};
use super::{Patch, State, Step, patch};
use crate::inspect::At;

/// How an event's value becomes part of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fold {
    /// As a JSON merge patch (RFC 7396): members are set, null takes them out.
    #[default]
    Merge,
    /// The last value is the state.
    Last,
    /// As a JSON patch (RFC 6902): a list of operations.
    Patch,
    /// A jq program makes each state of the one before and the event.
    Program,
}

impl Fold {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Last => "last",
            Self::Patch => "patch",
            Self::Program => "jq",
        }
    }
}

/// A state on its way.
#[derive(Debug, Clone, Default)]
pub(super) struct Running {
    value: Option<Value>,
    tags: Tags,
}

impl Running {
    /// Does what an event does. The error says why it does nothing.
    pub(super) fn apply(&mut self, step: &Step, fold: Fold) -> Result<(), String> {
        let at = Arc::new(step.at.clone());
        match (&step.patch, fold) {
            (Patch::Delete, _) => {
                self.value = None;
                self.tags = Tags::of(at);
            }
            (Patch::Json(patch), Fold::Merge) => {
                let target = self.value.take().unwrap_or(Value::Null);
                self.value = Some(merge(target, patch, &mut self.tags, &at));
            }
            (Patch::Json(operations), Fold::Patch) => {
                let state = patch::patched(self.value.as_ref(), operations)?;
                self.replace(state, &at);
            }
            (Patch::Json(json), Fold::Last | Fold::Program) => self.replace(json.clone(), &at),
            (Patch::Keep, _) => {}
            (Patch::Other { text, .. }, Fold::Last) => {
                self.replace(Value::String(text.clone()), &at);
            }
            (Patch::Other { why, .. }, Fold::Merge | Fold::Patch | Fold::Program) => {
                return Err(why.clone());
            }
        }
        Ok(())
    }

    /// As [`Running::apply`], for a step whose fault is known already.
    pub(super) fn follow(&mut self, step: &Step, fold: Fold) {
        let _known = self.apply(step, fold);
    }

    pub(super) const fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let text = self.value.as_ref().map(Value::to_string);
        // A tree, and the blame beside it.
        text.map_or(0, |text| 4 * text.len())
    }

    /// Puts a whole value in the place of the old one. What stays the same keeps its blame.
    fn replace(&mut self, value: Value, at: &Arc<At>) {
        let old = self.value.take().unwrap_or(Value::Null);
        keep_or_set(&old, &value, &mut self.tags, at);
        self.value = Some(value);
    }

    pub(super) fn state(&self) -> State {
        let blame = match &self.value {
            Some(value) => Blame::of(value, &self.tags),
            None => Blame::deleted(&self.tags),
        };
        State {
            value: self.value.clone(),
            blame,
        }
    }
}

/// RFC 7396. The depth of a patch is bounded by the parser that read it.
fn merge(target: Value, patch: &Value, tags: &mut Tags, at: &Arc<At>) -> Value {
    let Value::Object(patch) = patch else {
        *tags = Tags::of(Arc::clone(at));
        return patch.clone();
    };
    let mut object = if let Value::Object(object) = target {
        object
    } else {
        *tags = Tags::of(Arc::clone(at));
        Map::new()
    };
    for (name, part) in patch {
        if part.is_null() {
            object.shift_remove(name);
            tags.remove(name);
            continue;
        }
        let slot = object.entry(name.clone()).or_insert(Value::Null);
        let before = std::mem::take(slot);
        *slot = merge(before, part, tags.child(name), at);
    }
    Value::Object(object)
}

fn keep_or_set(old: &Value, new: &Value, tags: &mut Tags, at: &Arc<At>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            tags.retain(|name| new.contains_key(name));
            for (name, value) in new {
                let before = old.get(name).unwrap_or(&Value::Null);
                // A null that was not there is new.
                let there = old.contains_key(name);
                let child = tags.child(name);
                if there {
                    keep_or_set(before, value, child, at);
                } else {
                    *child = Tags::of(Arc::clone(at));
                }
            }
        }
        _ if old == new && tags.is_set() => {}
        _ => *tags = Tags::of(Arc::clone(at)),
    }
}
