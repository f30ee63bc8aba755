//! The fields that the values of topics have, learnt from the events: of which types, how often,
//! since when, by whom; and what changed. The fold goes on from where it stopped, on a thread of
//! its own, while the view is on the screen.

mod about;
mod beside;
mod draw;
mod pretty;
mod rows;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::job::{Job, Ticket};
use super::lines;
use crate::event::Batch;
use crate::inspect::fields::Fields;
use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Msg, Say};
pub use draw::draw;
use rows::{ProfileName, Row, Seen};
use versions::Versions;
pub use versions::name as schema_name;

/// Events that one turn of the fold takes, about: what was found is shown after each.
const TURN: usize = 100_000;
/// Turns begin this far apart at least.
const APART: Duration = Duration::from_millis(400);

/// The state of the view.
#[derive(Default)]
pub struct State {
    /// The read that the fold is of.
    read: u64,
    /// `None` while the work has it.
    fold: Option<Box<Fold>>,
    job: Job,
    /// When the last turn began.
    began: Option<Duration>,
    seen: Seen,
    /// Events that were evicted before the fold came to them.
    missed: u64,
    rows: Vec<Row>,
    /// Profiles of which only the head is shown.
    closed: BTreeSet<ProfileName>,
    at: usize,
    /// The registered versions of a topic's schema, when they are looked at.
    pub versions: Option<Versions>,
}

/// The fold on its way through the chunks of the buffer.
#[derive(Default)]
struct Fold {
    fields: Fields,
    /// The chunk to go on with.
    next: u64,
    events: u64,
    topics: BTreeMap<Arc<str>, u64>,
}

impl Fold {
    fn batch(&mut self, batch: &Batch) {
        self.events += batch.len() as u64;
        let mut by_stream = vec![0u64; batch.streams().len()];
        for event in batch.iter() {
            if let Some(count) = by_stream.get_mut(event.stream_index as usize) {
                *count += 1;
            }
        }
        let streams = batch.streams().iter().zip(by_stream);
        for (stream, count) in streams.filter(|(_, count)| *count > 0) {
            *self.topics.entry(Arc::clone(&stream.topic)).or_default() += count;
        }
        self.fields.batch(batch);
    }

    fn seen(&self) -> Seen {
        let report = self.fields.report();
        let known: BTreeSet<&str> = report.profiles.iter().map(|p| &*p.topic).collect();
        let topics = self.topics.iter();
        let bare = topics.filter(|(topic, _)| !known.contains(&***topic));
        Seen {
            bare: bare.map(|(topic, n)| (Arc::clone(topic), *n)).collect(),
            events: self.events,
            report,
        }
    }
}

pub fn entered(model: &mut Model) -> Vec<Effect> {
    turn(model)
}

pub fn tick(model: &mut Model) -> Vec<Effect> {
    let since = |began: Duration| model.now.mono.saturating_sub(began);
    if model.schemas.began.is_some_and(|b| since(b) < APART) {
        return Vec::new();
    }
    turn(model)
}

/// Folds what came since the last turn.
fn turn(model: &mut Model) -> Vec<Effect> {
    let state = &mut model.schemas;
    if state.read != model.source.read {
        *state = State {
            read: model.source.read,
            closed: std::mem::take(&mut state.closed),
            versions: state.versions.take(),
            ..State::default()
        };
    }
    if state.job.is_running() {
        return Vec::new();
    }
    let mut fold = state.fold.take().unwrap_or_else(|| {
        let decoder = &model.source.decoder;
        let fields = match decoder.plain() {
            Some(_) => Fields::default(),
            None => Fields::decoded(decoder.looker()),
        };
        Box::new(Fold {
            fields,
            ..Fold::default()
        })
    });
    let store = &model.feed.store;
    let mut chunks = Vec::new();
    let mut events = 0;
    for chunk in store.chunks().filter(|c| c.id >= fold.next) {
        if events < TURN {
            chunks.push((chunk.id, Arc::clone(&chunk.batch)));
        }
        events += chunk.batch.len();
    }
    let known = fold.events + events as u64;
    state.missed = (store.events() + store.evicted).saturating_sub(known);
    if chunks.is_empty() {
        state.fold = Some(fold);
        return Vec::new();
    }
    state.began = Some(model.now.mono);
    let ticket = state.job.begin();
    vec![Effect::Work(Box::new(move || {
        for (id, chunk) in &chunks {
            fold.batch(chunk);
            fold.next = id + 1;
        }
        let seen = fold.seen();
        Msg::Done(Box::new(move |model| {
            found(model, &ticket, fold, seen);
            Vec::new()
        }))
    }))]
}

fn found(model: &mut Model, ticket: &Ticket, fold: Box<Fold>, seen: Seen) {
    let state = &mut model.schemas;
    if !state.job.end(ticket) || state.read != model.source.read {
        return;
    }
    state.fold = Some(fold);
    let before = std::mem::replace(&mut state.seen, seen);
    arrange(state, Some(&before));
}

/// Makes the rows anew. The cursor stays on what it is on, and at the top when it is there; it
/// begins on the first change, as that is what one comes for.
fn arrange(state: &mut State, before: Option<&Seen>) {
    let first = state.rows.is_empty();
    let chosen = state.rows.get(state.at).copied().filter(|_| state.at > 0);
    let rows = rows::rows(&state.seen, &state.closed);
    let before = before.unwrap_or(&state.seen);
    if let Some(chosen) = chosen {
        let again = state.seen.find_again(&rows, before, chosen);
        state.at = again.unwrap_or(state.at);
    }
    if first && rows.first() == Some(&Row::Changes) {
        state.at = 1;
    }
    state.at = state.at.min(rows.len().saturating_sub(1));
    state.rows = rows;
}

/// The topic of the row under the cursor.
fn topic_here(state: &State) -> Option<Arc<str>> {
    let row = state.rows.get(state.at).copied()?;
    match row {
        Row::Bare { topic } => state.seen.bare.get(topic).map(|(name, _)| Arc::clone(name)),
        _ => state.seen.profile(row).map(|p| Arc::clone(&p.topic)),
    }
}

/// Whether the registry answers is looked at while time passes.
pub fn watch_registry(model: &mut Model) {
    let schemas = model.source.decoder.schemas();
    let state = schemas.and_then(|schemas| schemas.catalog().registry_state());
    let failing = state.and_then(|state| state.failing);
    let since = model.source.registry.as_ref().map(|known| known.1);
    let now = model.now.wall;
    model.source.registry = failing.map(|why| (why, since.unwrap_or(now)));
}

pub fn step(model: &mut Model, by: isize) {
    if let Some(versions) = &mut model.schemas.versions {
        versions.step(by);
        return;
    }
    let state = &mut model.schemas;
    let last = state.rows.len().saturating_sub(1);
    state.at = state.at.saturating_add_signed(by).min(last);
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if model.schemas.versions.is_some() {
        return versions::act(model, action);
    }
    match action {
        Action::Versions => Some(versions::open(model)),
        Action::Open => Some(open(model)),
        Action::Left | Action::CollapseAll => Some(set_closed(model, action, true)),
        Action::Right | Action::ExpandAll => Some(set_closed(model, action, false)),
        Action::NextMatch => Some(walk(model, 1)),
        Action::PreviousMatch => Some(walk(model, -1)),
        Action::Reload => {
            model.schemas.job.abandon();
            // Not any read's: the fold begins anew, from what is held now.
            model.schemas.read = u64::MAX;
            Some(turn(model))
        }
        _ => None,
    }
}

/// Shows the first event that has the field or the change; opens or closes a topic.
fn open(model: &mut Model) -> Vec<Effect> {
    let state = &model.schemas;
    let Some(row) = state.rows.get(state.at).copied() else {
        return Vec::new();
    };
    if let Row::Profile { .. } = row {
        let closed = state.seen.profile(row).map(rows::name_of);
        let closed = closed.is_some_and(|name| state.closed.contains(&name));
        return set_closed(model, Action::Left, !closed);
    }
    match state.seen.first_event(row).cloned() {
        Some(at) => lines::show(model, &at),
        None => Vec::new(),
    }
}

fn set_closed(model: &mut Model, action: Action, close: bool) -> Vec<Effect> {
    let state = &mut model.schemas;
    let all = matches!(action, Action::CollapseAll | Action::ExpandAll);
    let here = state.rows.get(state.at).copied();
    let here = here
        .and_then(|row| state.seen.profile(row))
        .map(rows::name_of);
    let profiles = state.seen.report.profiles.iter().map(rows::name_of);
    for name in profiles.filter(|name| all || Some(name) == here.as_ref()) {
        if close {
            state.closed.insert(name);
        } else {
            state.closed.remove(&name);
        }
    }
    // What the cursor was on may be hidden now: its head is not.
    if close
        && let Some(row @ Row::Field { profile, .. }) = state.rows.get(state.at).copied()
        && state.seen.profile(row).is_some()
    {
        let head = Row::Profile { profile };
        state.at = state.rows.iter().position(|r| *r == head).unwrap_or(0);
    }
    arrange(state, None);
    Vec::new()
}

/// To the next field that changed, in the list of changes and in the topics.
fn walk(model: &mut Model, by: isize) -> Vec<Effect> {
    let state = &mut model.schemas;
    let mut at = state.at;
    while let Some(next) = at.checked_add_signed(by).filter(|n| *n < state.rows.len()) {
        at = next;
        let row = state.rows.get(at).copied();
        if row.is_some_and(|row| is_change(&state.seen, row)) {
            state.at = at;
            return Vec::new();
        }
    }
    model.say(Say::info("no change of a field in this direction"));
    Vec::new()
}

fn is_change(seen: &Seen, row: Row) -> bool {
    match row {
        Row::Drift { .. } => true,
        Row::Field { .. } => {
            let of = seen.profile(row).zip(seen.field(row));
            of.is_some_and(|(p, (field, kind))| rows::drift_of(p, field, kind).is_some())
        }
        _ => false,
    }
}
