//! The state of one key, folded from its events: what it is, which event set which part of it, and
//! what it was after each event. Asked for once; going back and forth is worked out beside.

mod draw;
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::job::{Job, Ticket};
use super::lines;
use crate::event::Batch;
use crate::inspect::Names;
use crate::inspect::state::{Fold, Folding, History, Limits};
use crate::schema::Decoder;
use crate::text::Visible;
use crate::tui::actions::Action;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Msg, Say};
use crate::tui::widgets::input::Input;
pub use draw::draw;
use page::Page;

/// Topics of one key that are folded: those with most events of it.
const TOPICS: usize = 12;
/// How much of the past of a key is kept in each.
const LIMITS: Limits = Limits {
    steps: 10_000,
    bytes: 8 << 20,
};

/// Whose state it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    key: Vec<u8>,
    /// The topic that is looked at; when absent the one with most events of the key.
    topic: Option<Arc<str>>,
}

/// The key in one topic.
#[derive(Debug)]
struct Lane {
    topic: Arc<str>,
    history: Arc<History>,
}

/// What was folded.
#[derive(Debug)]
struct Folded {
    lanes: Vec<Lane>,
    /// Topics with the key that were left out.
    left_out: usize,
    events: u64,
    evicted: u64,
}

/// The state of the view.
#[derive(Default)]
pub struct State {
    subject: Option<Subject>,
    fold: Fold,
    job: Job,
    folded: Option<Folded>,
    /// The topic that is looked at.
    lane: usize,
    /// The step that is asked for, and the one that is shown.
    wanted: usize,
    looking: Job,
    page: Option<Page>,
    at: usize,
}

impl State {
    fn history(&self) -> Option<&Arc<History>> {
        let folded = self.folded.as_ref()?;
        folded.lanes.get(self.lane).map(|lane| &lane.history)
    }
}

pub fn entered(_model: &mut Model) -> Vec<Effect> {
    // A key is asked for; coming back to one shows what was folded.
    Vec::new()
}

pub fn step(model: &mut Model, by: isize) {
    let rows = model.state.page.as_ref().map_or(0, |page| page.rows.len());
    let last = rows.saturating_sub(1);
    model.state.at = model.state.at.saturating_add_signed(by).min(last);
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Open => Some(open(model)),
        Action::NextPane => Some(ask_key(model)),
        Action::PreviousPane => Some(other_fold(model)),
        Action::Earlier => Some(scrub(model, -1)),
        Action::Later => Some(scrub(model, 1)),
        Action::Left => Some(other_topic(model, -1)),
        Action::Right => Some(other_topic(model, 1)),
        Action::NextMatch => Some(walk(model, 1)),
        Action::PreviousMatch => Some(walk(model, -1)),
        Action::Reload => {
            let subject = model.state.subject.clone()?;
            Some(begin(model, subject))
        }
        _ => None,
    }
}

fn ask_key(model: &mut Model) -> Vec<Effect> {
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::StateKey,
        title: "State of the key",
        help: "a key, as it is written in the stream; its topics are found",
        input: Input::default(),
        error: None,
    }));
    Vec::new()
}

/// Shows the event that the row is about: which set the value, or made the change.
fn open(model: &mut Model) -> Vec<Effect> {
    let Some(page) = &model.state.page else {
        return if model.state.job.is_running() {
            Vec::new()
        } else {
            ask_key(model)
        };
    };
    let row = page.rows.get(model.state.at);
    let at = row
        .and_then(|row| row.at.clone())
        .unwrap_or(page.at.clone());
    lines::show(model, &at)
}

/// Another way to make a state of the events.
fn other_fold(model: &mut Model) -> Vec<Effect> {
    let state = &mut model.state;
    let Some(subject) = state.subject.clone() else {
        return Vec::new();
    };
    let (fold, told) = match state.fold {
        Fold::Merge => (Fold::Last, "the last value is the state"),
        Fold::Last => (
            Fold::Patch,
            "each value is a list of operations on the state (RFC 6902)",
        ),
        Fold::Patch | Fold::Program => (
            Fold::Merge,
            "each value is merged into the state (RFC 7396)",
        ),
    };
    state.fold = fold;
    model.say(Say::info(told));
    begin(model, subject)
}

fn other_topic(model: &mut Model, by: isize) -> Vec<Effect> {
    let state = &mut model.state;
    let lanes = state.folded.as_ref().map_or(0, |f| f.lanes.len());
    let Some(lane) = state.lane.checked_add_signed(by).filter(|l| *l < lanes) else {
        return Vec::new();
    };
    state.lane = lane;
    let folded = state.folded.as_ref().and_then(|f| f.lanes.get(lane));
    if let (Some(subject), Some(lane)) = (&mut state.subject, folded) {
        subject.topic = Some(Arc::clone(&lane.topic));
    }
    to_the_end(model)
}

/// Looks at the state after everything.
fn to_the_end(model: &mut Model) -> Vec<Effect> {
    let state = &mut model.state;
    let steps = state.history().map_or(0, |h| h.steps().len());
    state.wanted = steps.saturating_sub(1);
    state.page = None;
    state.at = 0;
    state.looking.abandon();
    look(model)
}

fn scrub(model: &mut Model, by: isize) -> Vec<Effect> {
    let state = &mut model.state;
    let steps = state.history().map_or(0, |h| h.steps().len());
    let last = steps.saturating_sub(1);
    let wanted = state.wanted.saturating_add_signed(by).min(last);
    if wanted == state.wanted {
        let end = if by < 0 { "first" } else { "last" };
        model.say(Say::info(format!("this is the {end} event of the key")));
        return Vec::new();
    }
    state.wanted = wanted;
    look(model)
}

/// To the next event that is odd: a version that came late or again, a deletion, no JSON.
fn walk(model: &mut Model, by: isize) -> Vec<Effect> {
    let state = &mut model.state;
    if let Some(history) = state.history() {
        let steps = history.steps();
        let mut at = state.wanted;
        while let Some(next) = at.checked_add_signed(by).filter(|n| *n < steps.len()) {
            at = next;
            let odd = |s: &crate::inspect::state::Step| s.deletes || s.fault.is_some();
            if steps.get(at).is_some_and(odd) || page::is_late(steps, at) {
                state.wanted = at;
                return look(model);
            }
        }
    }
    model.say(Say::info("nothing odd in this direction"));
    Vec::new()
}

/// Folds the key of the event under the cursor.
pub fn this(model: &mut Model) -> Vec<Effect> {
    let selected = model.stream.selected(&model.feed);
    let subject = selected.and_then(|(batch, at)| {
        let event = batch.get(at);
        Some(Subject {
            key: event.key?.to_vec(),
            topic: Some(Arc::clone(&event.stream.topic)),
        })
    });
    let Some(subject) = subject else {
        model.say(Say::info(
            "the event has no key, so there is no state of it",
        ));
        return Vec::new();
    };
    let mut effects = model.go(View::State);
    effects.extend(begin(model, subject));
    effects
}

/// Folds a key that was typed.
pub fn fold_key(model: &mut Model, key: &str) -> Result<Vec<Effect>, String> {
    if key.is_empty() {
        return Err("type the key of an event".to_owned());
    }
    let subject = Subject {
        key: key.as_bytes().to_vec(),
        topic: None,
    };
    let mut effects = model.go(View::State);
    effects.extend(begin(model, subject));
    Ok(effects)
}

fn begin(model: &mut Model, subject: Subject) -> Vec<Effect> {
    let batches = model.feed.store.snapshot();
    let (events, evicted) = (model.feed.store.events(), model.feed.store.evicted);
    let read = model.source.read;
    let state = &mut model.state;
    state.subject = Some(subject.clone());
    (state.folded, state.page) = (None, None);
    state.looking.abandon();
    let ticket = state.job.begin();
    let fold = state.fold;
    let decoder = model.source.decoder.clone();
    vec![Effect::Work(Box::new(move || {
        let (lanes, left_out) = folded(&batches, &subject, fold, &decoder);
        let lane = chosen(&lanes, &subject);
        let folded = Folded {
            lanes,
            left_out,
            events,
            evicted,
        };
        Msg::Done(Box::new(move |model| {
            if !model.state.job.end(&ticket) || model.source.read != read {
                return Vec::new();
            }
            model.state.folded = Some(folded);
            model.state.lane = lane;
            to_the_end(model)
        }))
    }))]
}

/// The key in each topic that has it, by the names of the topics.
fn folded(
    batches: &[Arc<Batch>],
    subject: &Subject,
    fold: Fold,
    decoder: &Decoder,
) -> (Vec<Lane>, usize) {
    let mut counts: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
    for batch in batches {
        for event in batch.iter() {
            if event.key == Some(&subject.key)
                && let Some(stream) = batch.streams().get(event.stream_index as usize)
            {
                *counts.entry(&stream.topic).or_default() += 1;
            }
        }
    }
    let all = counts.len();
    let mut topics: Vec<(&Arc<str>, u64)> = counts.into_iter().collect();
    let own = |topic: &Arc<str>| Some(topic) == subject.topic.as_ref();
    topics.sort_by_key(|(topic, count)| (!own(topic), std::cmp::Reverse(*count)));
    topics.truncate(TOPICS);
    topics.sort();
    let lanes = topics.into_iter().map(|(topic, _)| {
        let history = History::new(topic, fold, LIMITS);
        let mut folding = Folding::new(history, &subject.key, decoder.looker(), Names::default());
        // Only a program could fail, and there is none.
        let _fed = batches.iter().try_for_each(|batch| folding.batch(batch));
        Lane {
            topic: Arc::clone(topic),
            history: Arc::new(folding.done()),
        }
    });
    let lanes: Vec<Lane> = lanes.collect();
    let left_out = all - lanes.len();
    (lanes, left_out)
}

/// The topic to begin with.
fn chosen(lanes: &[Lane], subject: &Subject) -> usize {
    let own = |lane: &Lane| Some(&lane.topic) == subject.topic.as_ref();
    // Of equal ones, events that count their versions are meant to be folded.
    let rank = |lane: &Lane| {
        let steps = lane.history.steps();
        let events = lane.history.folded() + steps.len() as u64;
        (events, steps.iter().any(|step| step.version.is_some()))
    };
    lanes.iter().position(own).unwrap_or_else(|| {
        let most = lanes.iter().map(rank).max();
        let first = |lane: &Lane| Some(rank(lane)) == most;
        lanes.iter().position(first).unwrap_or(0)
    })
}

/// Works out what is shown at the step that is wanted, unless that is under way.
fn look(model: &mut Model) -> Vec<Effect> {
    let state = &mut model.state;
    if state.looking.is_running() {
        return Vec::new();
    }
    let Some(history) = state.history().cloned() else {
        return Vec::new();
    };
    let wanted = state.wanted;
    let ticket = state.looking.begin();
    vec![Effect::Work(Box::new(move || {
        let page = Page::of(&history, wanted);
        Msg::Done(Box::new(move |model| looked(model, &ticket, wanted, page)))
    }))]
}

fn looked(model: &mut Model, ticket: &Ticket, step: usize, page: Option<Page>) -> Vec<Effect> {
    let state = &mut model.state;
    if !state.looking.end(ticket) {
        return Vec::new();
    }
    let rows = page.as_ref().map_or(0, |page| page.rows.len());
    state.page = page;
    state.at = state.at.min(rows.saturating_sub(1));
    if state.wanted == step {
        return Vec::new();
    }
    // A person went on in the meantime.
    look(model)
}

impl Subject {
    fn text(&self) -> String {
        Visible(&String::from_utf8_lossy(&self.key)).to_string()
    }
}
