//! Replay from the screen: the plan with its preview, the question, the run with its keys, the
//! verification. The engine is the room `replay`; nothing is sent before a person said yes.

mod draw;
mod fields;
mod past;
mod save;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::broker::{Address, Bound, PartitionRange, Range, TopicSelector};
use crate::replay::{Control, Figures, How, Job, Pace, Plan};
use crate::tui::actions::Action;
use crate::tui::canvas::Canvas;
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, From, Say, Trouble};

pub use save::file_typed;
pub use steps::{name_typed, run_confirmed, target_typed};

/// Where a replay stands.
#[derive(Default)]
pub enum Stage {
    /// Nothing is planned.
    #[default]
    Empty,
    /// The ranges are being frozen, the target looked at, the selection read.
    Planning,
    /// Ready to run; what the preview found, in lines.
    Planned {
        job: Box<Job>,
        plan: Vec<String>,
        preview: Vec<String>,
        /// A limit of the plan that the preview broke.
        refused: Option<Trouble>,
    },
    Running,
    /// Over: the report and the verification.
    Ran {
        lines: Vec<String>,
        good: bool,
    },
    Failed(Trouble),
}

/// What is to be replayed, as it was selected.
#[derive(Clone)]
pub struct Selection {
    /// By connection: its topics and its range.
    pub parts: Vec<(usize, TopicSelector, Range)>,
    /// Of the filter bar.
    pub filter: Option<String>,
    /// For people: "3 selected events", "everything shown".
    pub words: String,
}

/// The state of the view.
#[derive(Default)]
pub struct State {
    pub stage: Stage,
    selection: Option<Selection>,
    /// A plan that was made before, instead of a selection.
    again: Option<Box<Plan>>,
    /// The runs of before, shown instead of the plan.
    past: Option<past::State>,
    /// The plan that a file is being named for.
    to_save: Option<Box<Plan>>,
    target: String,
    /// May the target topic be created?
    create: bool,
    how: How,
    command: Option<String>,
    control: Option<Control>,
    figures: Option<Figures>,
    to_send: Option<u64>,
    /// The field under the cursor.
    at: usize,
    top: usize,
    /// Answers of plans before this one are dropped.
    number: u64,
    /// Quit once the run has ended.
    then_quit: bool,
}

impl State {
    /// The runs of before are on the screen, not a plan.
    pub const fn lists_runs(&self) -> bool {
        self.past.is_some()
    }

    /// The keys that are shown with them.
    pub fn hints_of_runs(&self) -> &'static [(Action, &'static str)] {
        let past = self.past.as_ref();
        past.map_or(&[], past::State::hints)
    }
}

pub fn entered(model: &mut Model) -> Vec<Effect> {
    past::read(model)
}

/// In whatever view: a run that begins to wait for somebody says so.
pub fn tick(model: &mut Model) {
    let Some(control) = &model.replay.control else {
        return;
    };
    let now = control.figures();
    let before = model.replay.figures.as_ref();
    let begins = |of: fn(&Figures) -> bool| of(&now) && !before.is_some_and(of);
    let hint = |action| model.options.keymap.hint(action);
    let say = if begins(|f| f.canary) {
        let (view, go) = (hint(Action::GoReplay), hint(Action::PauseRun));
        Some(format!(
            "the replay waits at its canary: look at what is written, then {view} {go} goes on"
        ))
    } else if begins(|f| f.lagging) {
        let why = now.lag.clone().unwrap_or_default();
        Some(format!("the replay waits for consumer groups: {why}"))
    } else {
        None
    };
    model.replay.figures = Some(now);
    if let Some(say) = say {
        model.say(Say::info(say));
    }
}

pub fn is_running(model: &Model) -> bool {
    matches!(model.replay.stage, Stage::Running)
}

/// The run is to end before the screen does: what was sent is stored first.
pub fn stop_then_quit(model: &mut Model) -> Vec<Effect> {
    match &model.replay.control {
        Some(control) if is_running(model) => {
            control.abort();
            model.replay.then_quit = true;
            model.say(Say::info(
                "stopping the replay; what was sent is being stored",
            ));
            Vec::new()
        }
        _ => vec![Effect::Quit],
    }
}

pub fn step(model: &mut Model, by: isize) {
    let state = &mut model.replay;
    if let Some(past) = &mut state.past {
        past::step(past, by);
        return;
    }
    match by {
        isize::MIN => (state.at, state.top) = (0, 0),
        // Without a form all of the keys move the page.
        _ if by.unsigned_abs() > 1 || state.again.is_some() => {
            state.top = state.top.saturating_add_signed(by).min(500);
        }
        _ => {
            let last = fields::FIELDS.len() - 1;
            state.at = state.at.saturating_add_signed(by).min(last);
        }
    }
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if let Some(effects) = past::act(model, action) {
        return Some(effects);
    }
    match action {
        Action::Runs => Some(past::toggle(model)),
        Action::Again => {
            let list = model.options.keymap.hint(Action::Runs);
            model.say(Say::info(format!("{list} lists past runs: choose one")));
            Some(Vec::new())
        }
        Action::SavePlan => Some(save::ask(model)),
        Action::Open | Action::Right if !is_running(model) => Some(fields::change(model)),
        Action::Run => Some(steps::ask(model)),
        Action::PauseRun => Some(pause(model)),
        Action::Faster => Some(pace(model, 2.0)),
        Action::Slower => Some(pace(model, 0.5)),
        Action::Abort => {
            match &model.replay.control {
                Some(control) if is_running(model) => control.abort(),
                _ => model.say(Say::info("nothing is running")),
            }
            Some(Vec::new())
        }
        Action::Reload => Some(steps::plan(model)),
        Action::CopyCommand => {
            let line = model.replay.command.clone()?;
            Some(vec![Effect::Copy {
                what: "the command line".to_owned(),
                bytes: line.into_bytes(),
            }])
        }
        _ => None,
    }
}

fn pause(model: &mut Model) -> Vec<Effect> {
    use crate::replay::RunState;
    let Some(control) = model.replay.control.clone().filter(|_| is_running(model)) else {
        model.say(Say::info("nothing is running"));
        return Vec::new();
    };
    let figures = control.figures();
    if figures.lagging && !figures.canary {
        let why = figures.lag.unwrap_or_default();
        model.say(Say::info(format!("it goes on by itself: {why}")));
    }
    match figures.state {
        RunState::Pausing | RunState::Paused => control.resume(),
        _ => control.pause(),
    }
    model.replay.figures = Some(control.figures());
    Vec::new()
}

/// Makes the run faster or slower; one at full speed is first held to what it does now.
fn pace(model: &mut Model, factor: f64) -> Vec<Effect> {
    let Some(control) = model.replay.control.clone().filter(|_| is_running(model)) else {
        return Vec::new();
    };
    let figures = control.figures();
    let next = match figures.pace {
        Pace::Max if factor > 1.0 => {
            model.say(Say::info("it runs as fast as the target takes it"));
            return Vec::new();
        }
        Pace::Max => Pace::Rate((figures.rate * factor).max(1.0)),
        Pace::Rate(rate) => Pace::Rate((rate * factor).max(0.1)),
        Pace::Speed { factor: f, max_gap } => Pace::Speed {
            factor: f * factor,
            max_gap,
        },
    };
    if let Err(error) = control.set_pace(next) {
        model.say(Say::bad(error.to_string()));
    }
    model.replay.figures = Some(control.figures());
    Vec::new()
}

/// Begins a plan from what is selected in the stream, and asks where to.
pub fn plan_selection(model: &mut Model) -> Vec<Effect> {
    if is_running(model) {
        model.say(Say::info("a replay is running"));
        return model.go(View::Replay);
    }
    if model.source.connections.is_empty() {
        model.say(Say::info("there is nothing to replay: no source is open"));
        return Vec::new();
    }
    let selection = selection(model);
    let target = proposal(model, &selection);
    model.replay = State {
        selection: Some(selection),
        target,
        create: true,
        how: How {
            provenance: true,
            ..How::default()
        },
        number: model.replay.number + 1,
        ..State::default()
    };
    let mut effects = model.go(View::Replay);
    effects.extend(steps::ask_target(model));
    effects
}

/// What the selection of the stream means in ranges.
fn selection(model: &Model) -> Selection {
    let filter = model.feed.filter().map(|f| f.text.clone());
    let chosen = |index: usize| {
        let connection = &model.source.connections[index];
        match &model.source.topics {
            Some(topics) => topics.get(index).cloned().flatten(),
            None => Some(connection.address.topics()),
        }
    };
    if model.stream.anchor.is_some()
        && let Some(selection) = range_of_rows(model, filter.as_deref())
    {
        return selection;
    }
    let range = Range::Bounds {
        from: match &model.source.from {
            From::Bound(from) => from.clone(),
            From::Around { position, .. } => Bound::At(*position),
        },
        until: model.source.until.clone(),
    };
    let parts = (0..model.source.connections.len())
        .filter_map(|index| Some((index, chosen(index)?, range.clone())))
        .collect();
    let words = match &filter {
        Some(filter) => format!("all events of the range that match {filter}"),
        None => "all events of the range".to_owned(),
    };
    Selection {
        parts,
        filter,
        words,
    }
}

/// The rows from the anchor to the cursor: in each partition from the first to the last of them.
fn range_of_rows(model: &Model, filter: Option<&str>) -> Option<Selection> {
    let (first, last) = model.stream.range(&model.feed)?;
    let mut ranges: Vec<(usize, PartitionRange)> = Vec::new();
    for at in first..=last {
        let row = model.stream.row(&model.feed, at)?;
        let Some((batch, index)) = model.stream.event(&model.feed, &row) else {
            continue;
        };
        let event = batch.get(index);
        let origin = usize::from(batch.origin(event.stream_index));
        let after = event.position.next(event.stream.style);
        let same = |(o, r): &&mut (usize, PartitionRange)| {
            *o == origin && r.topic == event.stream.topic && r.partition == event.stream.partition
        };
        match ranges.iter_mut().find(same) {
            Some((_, range)) => {
                range.start = range.start.min(event.position);
                range.end = range.end.max(after);
            }
            None => ranges.push((
                origin,
                PartitionRange {
                    topic: event.stream.topic.clone(),
                    partition: event.stream.partition,
                    style: event.stream.style,
                    start: event.position,
                    end: after,
                },
            )),
        }
    }
    let mut parts = Vec::new();
    for index in 0..model.source.connections.len() {
        let of: Vec<PartitionRange> = ranges
            .iter()
            .filter(|(o, _)| *o == index)
            .map(|(_, r)| r.clone())
            .collect();
        if !of.is_empty() {
            let names: std::collections::BTreeSet<&str> = of.iter().map(|r| &*r.topic).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let topics = TopicSelector::parse(&names.join(",")).ok()?;
            parts.push((index, topics, Range::Frozen(of)));
        }
    }
    (!parts.is_empty()).then(|| Selection {
        parts,
        filter: filter.map(str::to_owned),
        words: format!("the selected rows, {} of the stream", last - first + 1),
    })
}

/// Where to, as a first guess: beside the topic that is read.
fn proposal(model: &Model, selection: &Selection) -> String {
    let Some((index, topics, _)) = selection.parts.first() else {
        return String::new();
    };
    let connection: &Arc<crate::tui::connect::Connection> = &model.source.connections[*index];
    let topic = topics.single().unwrap_or("replayed");
    let topic = format!("{topic}.replay");
    let shown = &connection.shown;
    if connection.is_demo() {
        format!("demo:{topic}")
    } else if let Some((scheme, rest)) = shown.split_once("://") {
        let host = rest.split(['/', '?']).next().unwrap_or(rest);
        format!("{scheme}://{host}/{topic}")
    } else if matches!(connection.address, Address::File { .. } | Address::Stdin) {
        "replayed.mcap".to_owned()
    } else {
        format!("{}/{topic}", shown.split('/').next().unwrap_or(shown))
    }
}

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    draw::draw(model, canvas, area);
}

/// How long a run took, and its pauses.
fn times(figures: &Figures) -> (Duration, Duration) {
    (figures.elapsed, figures.paused)
}
