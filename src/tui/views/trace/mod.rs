//! The way of one id through the topics: its hops, how it ended, and what usually follows but is
//! missing. Asked for once: where the groups stand, then one fold over what is held.

mod cells;
mod draw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::job::{Job, Ticket};
use super::lines;
use crate::broker::Group;
use crate::event::{Batch, EventRef};
use crate::inspect::Names;
use crate::inspect::saga::{self, Commits, Judged, Monitor, Reach, World};
use crate::inspect::trace::{Flow, Limits, Trace, TraceReport};
use crate::text::Visible;
use crate::tui::actions::Action;
use crate::tui::connect::Connection;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Msg, Say};
use crate::tui::widgets::input::Input;
pub use draw::draw;

/// So long is waited for the groups of a broker; the trace is told without them then.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is traced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seed {
    bytes: Vec<u8>,
    /// What it is, for people: "correlation id".
    what: &'static str,
}

/// What came of it.
#[derive(Debug)]
struct Found {
    report: TraceReport,
    rows: Vec<Row>,
    /// Events that were looked at, and those that were not held any more then.
    events: u64,
    evicted: u64,
    /// Why it is not known where groups stand.
    untold: Option<String>,
    /// What the model of the sagas says, where there is one.
    judged: Option<Judged>,
}

/// One row: a hop, or what is missing after the hop above: by others, or by the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Hop(usize),
    Missing(usize),
    Lack(usize),
}

/// The state of the view.
#[derive(Default)]
pub struct State {
    seed: Option<Seed>,
    job: Job,
    found: Option<Found>,
    at: usize,
}

pub fn entered(_model: &mut Model) -> Vec<Effect> {
    // A trace is asked for; coming back to one shows what was found.
    Vec::new()
}

pub fn step(model: &mut Model, by: isize) {
    let rows = model.trace.found.as_ref().map_or(0, |f| f.rows.len());
    let last = rows.saturating_sub(1);
    model.trace.at = model.trace.at.saturating_add_signed(by).min(last);
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Open => Some(open(model)),
        Action::NextPane => Some(ask_id(model)),
        Action::Reload => {
            let seed = model.trace.seed.clone()?;
            Some(begin(model, seed))
        }
        Action::NextMatch => Some(walk(model, 1)),
        Action::PreviousMatch => Some(walk(model, -1)),
        _ => None,
    }
}

fn ask_id(model: &mut Model) -> Vec<Effect> {
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::TraceId,
        title: "Trace",
        help: "an event's id, a correlation id, a trace id, a key, or any text",
        input: Input::default(),
        error: None,
    }));
    Vec::new()
}

/// Shows the hop in the stream; of what is missing, the hop that it ought to follow.
fn open(model: &mut Model) -> Vec<Effect> {
    let Some(found) = model.trace.found.as_ref().filter(|f| !f.rows.is_empty()) else {
        return ask_id(model);
    };
    let hop = match found.rows.get(model.trace.at) {
        Some(Row::Hop(hop) | Row::Lack(hop)) => Some(*hop),
        Some(Row::Missing(missing)) => found.report.missing.get(*missing).map(|m| m.after),
        None => None,
    };
    let at = hop.and_then(|hop| Some(found.report.hops.get(hop)?.at.clone()));
    at.map_or_else(Vec::new, |at| lines::show(model, &at))
}

/// To the next row that is odd: missing, a copy, undecodable, or before its cause.
fn walk(model: &mut Model, by: isize) -> Vec<Effect> {
    let Some(found) = &model.trace.found else {
        return Vec::new();
    };
    let odd = |row: &Row| match row {
        Row::Missing(_) | Row::Lack(_) => true,
        Row::Hop(hop) => found.report.hops.get(*hop).is_some_and(|hop| {
            let early = hop.gap_ms.is_some_and(|ms| ms < 0);
            early || hop.copy_of.is_some() || hop.fault.is_some() || hop.dead_letter
        }),
    };
    let mut at = model.trace.at;
    while let Some(next) = at.checked_add_signed(by).filter(|n| *n < found.rows.len()) {
        at = next;
        if found.rows.get(at).is_some_and(odd) {
            model.trace.at = at;
            return Vec::new();
        }
    }
    model.say(Say::info("nothing odd in this direction"));
    Vec::new()
}

/// Traces the event under the cursor.
pub fn this(model: &mut Model) -> Vec<Effect> {
    let selected = model.stream.selected(&model.feed);
    let seed = selected.and_then(|(batch, at)| seed(&batch.get(at)));
    let Some(seed) = seed else {
        model.say(Say::info(
            "there is nothing to trace it by: no correlation id, no traceparent, no key",
        ));
        return Vec::new();
    };
    let mut effects = model.go(View::Trace);
    effects.extend(begin(model, seed));
    effects
}

/// By what an event is traced: the best that it has.
fn seed(event: &EventRef<'_>) -> Option<Seed> {
    let names = Names::default();
    let heads = names.heads(event.headers);
    let best = [
        (heads.correlation, "correlation id"),
        (heads.trace(), "trace id"),
        (event.key.filter(|key| !key.is_empty()), "key"),
        (heads.id, "event id"),
    ];
    let (bytes, what) = best.into_iter().find_map(|(id, what)| Some((id?, what)))?;
    Some(Seed {
        bytes: bytes.to_vec(),
        what,
    })
}

/// Traces an id that was typed.
pub fn follow(model: &mut Model, id: &str) -> Result<Vec<Effect>, String> {
    if id.is_empty() {
        return Err("type an id, a key or a text to look for".to_owned());
    }
    let seed = Seed {
        bytes: id.as_bytes().to_vec(),
        what: "id or text",
    };
    let mut effects = model.go(View::Trace);
    effects.extend(begin(model, seed));
    Ok(effects)
}

/// Asks where the groups stand, as that tells what is blocked from what is lost. The events are
/// looked at after that: what a group has passed by then can have had its effect.
fn begin(model: &mut Model, seed: Seed) -> Vec<Effect> {
    let state = &mut model.trace;
    if state.seed.as_ref() != Some(&seed) {
        state.found = None;
        state.at = 0;
    }
    state.seed = Some(seed);
    let ticket = state.job.begin();
    let of = model.source.connections.iter();
    let of: Vec<Arc<Connection>> = of.filter(|c| c.capabilities().groups).cloned().collect();
    if of.is_empty() {
        return fold(model, ticket, Vec::new(), None);
    }
    vec![Effect::Wait(Box::pin(async move {
        let (groups, untold) = groups(&of).await;
        Msg::Done(Box::new(move |model| fold(model, ticket, groups, untold)))
    }))]
}

async fn groups(of: &[Arc<Connection>]) -> (Vec<Group>, Option<String>) {
    let (mut groups, mut untold) = (Vec::new(), None);
    for connection in of {
        match tokio::time::timeout(PATIENCE, connection.broker.groups()).await {
            Ok(Ok(found)) => groups.extend(found),
            Ok(Err(error)) => untold = Some(error.to_string()),
            Err(_) => untold = Some(format!("no answer in {} s", PATIENCE.as_secs())),
        }
    }
    (groups, untold)
}

fn fold(
    model: &mut Model,
    ticket: Ticket,
    groups: Vec<Group>,
    untold: Option<String>,
) -> Vec<Effect> {
    if !model.trace.job.is(&ticket) {
        return Vec::new();
    }
    let Some(seed) = model.trace.seed.clone() else {
        return Vec::new();
    };
    let batches = model.feed.store.snapshot();
    let (read, now) = (model.source.read, model.clock());
    let sagas = model.source.sagas.clone();
    let reader = model.source.decoder.reader();
    let (at_end, whole) = (model.feed.is_at_end(), model.feed.left_out.events == 0);
    let known = untold.is_none() && !model.source.connections.is_empty();
    let (events, evicted) = (model.feed.store.events(), model.feed.store.evicted);
    vec![Effect::Work(Box::new(move || {
        let mut trace = Trace::new(&seed.bytes, Limits::default(), Names::default());
        trace.gather(&batches);
        let mut flow = Flow::default();
        for batch in &batches {
            flow.batch(batch);
        }
        let report = trace.report(&flow, &groups, now);
        let judged = sagas.and_then(|sagas| {
            let mut monitor = Monitor::new(sagas, saga::Limits::default(), Some(reader));
            for batch in &batches {
                monitor.batch(batch);
            }
            let commits = known.then(|| Commits::of_groups(&groups));
            let world = World {
                commits: commits.as_ref(),
                reach: &reach(&batches, at_end, whole),
                now,
            };
            monitor.judge_hops(&report.hops, world)
        });
        let found = Found {
            rows: rows(&report, judged.as_ref()),
            judged,
            report,
            events,
            evicted,
            untold,
        };
        Msg::Done(Box::new(move |model| {
            let own = model.trace.job.end(&ticket);
            if own && model.source.read == read {
                model.trace.found = Some(found);
                step(model, 0);
            }
            Vec::new()
        }))
    }))]
}

/// The topics of these batches, and whether they were read to their end.
pub(super) fn reach(batches: &[Arc<Batch>], at_end: bool, whole: bool) -> Reach {
    let mut topics = BTreeMap::new();
    for stream in batches.iter().flat_map(|batch| batch.streams().iter()) {
        if !topics.contains_key(&stream.topic) {
            topics.insert(Arc::clone(&stream.topic), at_end);
        }
    }
    Reach {
        topics,
        blind: (!whole).then_some("a filter leaves events out"),
    }
}

/// Each hop, and below it what is missing after it.
fn rows(report: &TraceReport, judged: Option<&Judged>) -> Vec<Row> {
    if let Some(judged) = judged {
        let lack = judged.lack.as_ref();
        let of_hop = |hop: usize| {
            let at = report.hops.get(hop).map(|h| &h.at);
            let lacks = lack.is_some_and(|lack| Some(&lack.after) == at);
            std::iter::once(Row::Hop(hop)).chain(lacks.then_some(Row::Lack(hop)))
        };
        return (0..report.hops.len()).flat_map(of_hop).collect();
    }
    let mut rows = Vec::with_capacity(report.hops.len() + report.missing.len());
    for hop in 0..report.hops.len() {
        rows.push(Row::Hop(hop));
        let missing = report.missing.iter().enumerate();
        let after = missing.filter(|(_, m)| m.after == hop);
        rows.extend(after.map(|(missing, _)| Row::Missing(missing)));
    }
    rows
}

impl Seed {
    fn text(&self) -> String {
        Visible(&String::from_utf8_lossy(&self.bytes)).to_string()
    }
}
