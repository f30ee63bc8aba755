//! The consumer groups: how far behind, and why, with one key to the event that a group is stuck
//! on. The reasons are the room `inspect`'s; the broker is asked by `look`.

mod draw;
mod full;
mod look;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use draw::draw;

use self::look::{Looked, Memory};
use crate::broker::Group;
use crate::inspect::At;
use crate::inspect::findings::{Code, Finding};
use crate::inspect::lag::{GroupReport, LagReport, Row};
use crate::tui::actions::Action;
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Msg, Say, Trouble};
use crate::tui::views::{findings, flow};

/// How often the brokers are asked again while the view is on the screen.
const AGAIN: Duration = Duration::from_secs(5);

/// What is known of the groups of one source.
#[derive(Default)]
struct Source {
    /// Not here while a look is under way.
    memory: Option<Memory>,
    /// The look under way; an answer with another token is of sources that were left.
    job: Option<Arc<()>>,
    report: Option<LagReport>,
    trouble: Option<Trouble>,
}

#[derive(Default)]
pub struct State {
    sources: BTreeMap<usize, Source>,
    /// The groups of all sources, by source and name.
    all: Option<Arc<LagReport>>,
    /// For each of them, the source.
    of: Vec<usize>,
    asked: Option<Duration>,
    /// The group under the cursor, and its partition where it is opened.
    at: usize,
    row: usize,
    opened: bool,
}

impl State {
    /// The groups of all sources, once any answered.
    pub fn report(&self) -> Option<Arc<LagReport>> {
        self.all.clone()
    }

    fn groups(&self) -> &[GroupReport] {
        self.all.as_ref().map_or(&[], |all| &all.groups)
    }

    fn group(&self) -> Option<&GroupReport> {
        self.groups().get(self.at)
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.sources.values().find_map(|s| s.trouble.as_ref())
    }
}

/// The sources that have groups.
fn with_groups(model: &Model) -> impl Iterator<Item = usize> + '_ {
    let connections = model.source.connections.iter().enumerate();
    connections
        .filter(|(_, c)| c.capabilities().groups)
        .map(|(index, _)| index)
}

/// What of the groups the findings rest on, in a few words.
pub fn coverage(model: &Model) -> String {
    if with_groups(model).next().is_none() {
        return "this source has no groups".to_owned();
    }
    match (&model.lag.all, model.lag.trouble()) {
        (None, Some(trouble)) => format!("groups: {}", trouble.message),
        (None, None) => "groups not known yet".to_owned(),
        (Some(all), trouble) => {
            let groups = flow::number(all.groups.len() as u64, "group");
            let all = trouble.map_or("", |_| ", not all looked at");
            format!("{groups}{all}")
        }
    }
}

/// Asks every source that has groups for them.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    model.lag.asked = Some(model.now.mono);
    let asked = with_groups(model).collect::<Vec<_>>();
    let effect = |index: usize| {
        let connection = model.source.connections.get(index)?;
        Some(Effect::Groups(index, connection.clone()))
    };
    asked.into_iter().filter_map(effect).collect()
}

pub fn ask_if_old(model: &mut Model) -> Vec<Effect> {
    let old = |asked: Duration| model.now.mono.saturating_sub(asked) >= AGAIN;
    if model.lag.asked.is_none_or(old) {
        return ask(model);
    }
    Vec::new()
}

/// Called whatever view is on the screen: the findings want to know of groups, too. Afterwards
/// they are asked again only where they are looked at.
pub fn tick(model: &mut Model) -> Vec<Effect> {
    let looked_at = matches!(model.view, View::Lag | View::Findings);
    if model.source.connections.is_empty() || (model.lag.asked.is_some() && !looked_at) {
        return Vec::new();
    }
    ask_if_old(model)
}

/// A broker told its groups: what waits behind their commits is looked at.
pub fn found(
    model: &mut Model,
    connection: usize,
    found: Result<Vec<Group>, Trouble>,
) -> Vec<Effect> {
    let (wall, now) = (model.now.wall, model.options.now);
    let Some(opened) = model.source.connections.get(connection).cloned() else {
        return Vec::new();
    };
    let source = model.lag.sources.entry(connection).or_default();
    let groups = match found {
        Ok(groups) => groups,
        Err(trouble) => {
            source.trouble = Some(trouble);
            return Vec::new();
        }
    };
    if source.job.is_some() {
        // The one before is not done; it is asked again soon.
        return Vec::new();
    }
    let token = Arc::new(());
    source.job = Some(token.clone());
    let memory = source.memory.take().unwrap_or_default();
    vec![Effect::Wait(Box::pin(async move {
        let looked = look::look(opened, groups, memory, wall, now).await;
        Msg::Done(Box::new(move |model| {
            looked_at(model, connection, &token, looked);
            Vec::new()
        }))
    }))]
}

fn looked_at(
    model: &mut Model,
    connection: usize,
    token: &Arc<()>,
    looked: crate::broker::Result<Looked>,
) {
    let state = &mut model.lag;
    let Some(source) = state.sources.get_mut(&connection) else {
        return;
    };
    if !source
        .job
        .as_ref()
        .is_some_and(|job| Arc::ptr_eq(job, token))
    {
        return;
    }
    source.job = None;
    match looked {
        Ok(looked) => {
            source.memory = Some(looked.memory);
            source.report = Some(looked.report);
            source.trouble = looked.trouble;
        }
        Err(error) => source.trouble = Some(error.into()),
    }
    gather(state);
}

/// Puts the groups of all sources together; the cursor stays on its group.
fn gather(state: &mut State) {
    let selected = state.group().map(|g| g.name.clone());
    let selected = selected.map(|name| (state.of.get(state.at).copied(), name));
    let mut all = LagReport::default();
    let mut of = Vec::new();
    for (index, source) in &state.sources {
        let groups = source.report.iter().flat_map(|r| &r.groups);
        for group in groups {
            let mut group = group.clone();
            let origin = u16::try_from(*index).unwrap_or(u16::MAX);
            let waiting = group.rows.iter_mut().filter_map(|r| r.waiting.as_mut());
            waiting.for_each(|w| w.at.origin = origin);
            all.groups.push(group);
            of.push(*index);
        }
    }
    // Those that need a look come first.
    let mut order: Vec<usize> = (0..of.len()).collect();
    order.sort_by_key(|i| !all.groups.get(*i).is_some_and(|g| g.why.is_trouble()));
    let groups = order.iter().filter_map(|i| all.groups.get(*i).cloned());
    let groups: Vec<GroupReport> = groups.collect();
    state.of = order.iter().filter_map(|i| of.get(*i).copied()).collect();
    let same = |(index, group): (usize, &GroupReport)| {
        let (origin, name) = selected.as_ref()?;
        (state.of.get(index).copied() == *origin && group.name == *name).then_some(index)
    };
    let at = groups.iter().enumerate().find_map(same);
    state.opened &= at.is_some();
    state.at = at.unwrap_or(state.at).min(groups.len().saturating_sub(1));
    let rows = groups.get(state.at).map_or(0, |g| g.rows.len());
    state.row = state.row.min(rows.saturating_sub(1));
    state.all = Some(Arc::new(LagReport { groups }));
}

pub fn step(model: &mut Model, by: isize) {
    let state = &mut model.lag;
    if state.opened {
        let last = state.group().map_or(0, |g| g.rows.len()).saturating_sub(1);
        state.row = state.row.saturating_add_signed(by).min(last);
    } else {
        let last = state.groups().len().saturating_sub(1);
        state.at = state.at.saturating_add_signed(by).min(last);
    }
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let opened = model.lag.opened;
    match action {
        Action::Open | Action::Right if !opened => {
            open(model);
            Some(Vec::new())
        }
        Action::Open | Action::LagEvent => Some(stuck_on(model)),
        Action::Back | Action::Left | Action::Quit if opened => {
            model.lag.opened = false;
            Some(Vec::new())
        }
        Action::NextMatch => Some(next_trouble(model, true)),
        Action::PreviousMatch => Some(next_trouble(model, false)),
        _ => None,
    }
}

/// Shows the partitions of the group, the worst first under the cursor.
fn open(model: &mut Model) {
    let state = &mut model.lag;
    let Some(group) = state.group() else {
        return;
    };
    let worst = group.worst.unwrap_or(0);
    state.opened = true;
    state.row = worst;
}

/// The partition that is meant: the one under the cursor, else the group's worst.
fn meant(state: &State) -> Option<&Row> {
    let group = state.group()?;
    if state.opened {
        group.rows.get(state.row)
    } else {
        group.worst()
    }
}

/// Shows the event that the group will be given next.
fn stuck_on(model: &mut Model) -> Vec<Effect> {
    let Some(row) = meant(&model.lag) else {
        model.say(Say::info("there is no group here that is stuck"));
        return Vec::new();
    };
    let nothing = row.visible == Some(0) || row.raw == Some(0);
    let readable = row.stable.unwrap_or(row.end);
    let committed = row.committed.is_some_and(|c| c < readable);
    let at: Option<At> = row.at().filter(|_| committed && !nothing);
    if let Some(at) = at {
        return findings::evidence(model, &at, false);
    }
    let word = if row.offline {
        "no broker answers for this partition: what waits there is not known"
    } else if row.committed.is_none() {
        "the group never committed there: it is stuck on no event"
    } else if row.stable.is_some_and(|stable| stable < row.end) {
        "what waits there is in an open transaction: nobody is given it"
    } else {
        "nothing waits there: the group is not stuck on an event"
    };
    model.say(Say::info(word));
    Vec::new()
}

fn next_trouble(model: &mut Model, forward: bool) -> Vec<Effect> {
    let state = &mut model.lag;
    let groups = state.groups();
    let troubled = |i: &usize| groups.get(*i).is_some_and(|g| g.why.is_trouble());
    let next = if forward {
        (state.at + 1..groups.len()).find(troubled)
    } else {
        (0..state.at).rev().find(troubled)
    };
    match next {
        Some(next) => {
            state.at = next;
            state.row = 0;
        }
        None => model.say(Say::info("no group in trouble in this direction")),
    }
    Vec::new()
}

/// Goes to the group that a finding is of; `None` when it is of an event.
pub fn open_finding(model: &mut Model, finding: &Finding) -> Option<Vec<Effect>> {
    let of = |group: &GroupReport| {
        let same = |worst: &Row| {
            Code::of_lag(group.why) == finding.code && worst.at().as_ref() == Some(&finding.at)
        };
        let name = crate::text::Visible(&group.name).to_string();
        group.worst().is_some_and(same) && finding.message.starts_with(&name)
    };
    if !finding.code.as_str().starts_with("lag.") {
        return None;
    }
    let at = model.lag.groups().iter().position(of)?;
    model.lag.at = at;
    open(model);
    let effects = model.go(View::Lag);
    Some(effects)
}
