//! States on standard output: as JSON on many lines, as a table of who set what, as what changed
//! between two points. What is odd about them is said on standard error.

use serde_json::{Map, Value, json};

use super::State;
use super::point::StepNumber;
use crate::cli::changes::{change_line, changes_json, compact};
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::print::{pretty, print_json, print_lines, print_table};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::event::Timestamp;
use crate::inspect::At;
use crate::inspect::state::{Change, History, Start, Step, diff};
use crate::output::{Align, Table};
use crate::text::{Visible, human};

/// One topic's state at the point that was asked for, or what changed between two.
struct Shown<'a> {
    history: &'a History,
    /// The later point.
    at: StepNumber,
    state: Option<Value>,
    /// The earlier one, and what changed since.
    changes: Option<(StepNumber, Vec<Change>)>,
}

pub fn print(
    session: &Session,
    args: &State,
    key: &str,
    histories: &[&History],
    now: Timestamp,
) -> Result<Exit> {
    let shown = histories.iter().map(|history| look(args, history, now));
    let shown = shown.collect::<Result<Vec<_>>>()?;
    if args.output == Report::Json {
        let states: Vec<Value> = shown.iter().map(as_json).collect();
        return print_json(&json!({ "key": key, "states": states }));
    }
    if shown.is_empty() {
        session.say(&format!("no event has the key '{}'", Visible(key)));
    }
    for (number, one) in shown.iter().enumerate() {
        about(session, key, one);
        if number > 0 {
            print_lines([String::new()])?;
        }
        match &one.changes {
            Some((_, changes)) => print_lines(changes.iter().map(change_line))?,
            None if args.blame => print_table(session, &blame_table(one))?,
            None => print_lines(
                pretty(one.state.as_ref().unwrap_or(&Value::Null))
                    .lines()
                    .map(str::to_owned),
            )?,
        };
    }
    Ok(Exit::Done)
}

fn look<'a>(args: &State, history: &'a History, now: Timestamp) -> Result<Shown<'a>> {
    let step = |point: &super::Point| {
        point.step(history, now).map_err(|why| {
            Failure::usage(format!("{}: {why}", Visible(history.topic())))
                .hint("--blame shows the events of the key")
        })
    };
    let value = |step: StepNumber| step.and_then(|step| history.at(step)?.value);
    let (before, at) = match args.diff.as_deref() {
        Some([from, to]) => (Some(step(from)?), step(to)?),
        _ => match &args.at {
            Some(point) => (None, step(point)?),
            None => (None, history.steps().len().checked_sub(1)),
        },
    };
    let state = value(at);
    let changes = before.map(|before| (before, diff(value(before).as_ref(), state.as_ref())));
    Ok(Shown {
        history,
        at,
        state,
        changes,
    })
}

impl Shown<'_> {
    fn step(&self) -> Option<&Step> {
        self.history.steps().get(self.at?)
    }

    /// Which event set which path.
    fn blame(&self) -> Vec<(String, At)> {
        let state = self.at.and_then(|at| self.history.at(at));
        let Some(blame) = state.map(|state| state.blame) else {
            return Vec::new();
        };
        let deleted = blame.deleted.map(|at| (String::new(), at));
        blame.paths.into_iter().chain(deleted).collect()
    }

    fn step_of(&self, at: &At) -> Option<&Step> {
        self.history.steps().iter().find(|step| step.at == *at)
    }

    /// The paths whose value the versions of the events say ought to be another.
    fn otherwise(&self) -> Option<Vec<Change>> {
        let by_version = self.history.by_version(self.at?)?;
        let changes = diff(self.state.as_ref(), by_version.value.as_ref());
        (!changes.is_empty()).then_some(changes)
    }
}

/// What to know of a state that the state does not say.
fn about(session: &Session, key: &str, shown: &Shown<'_>) {
    let history = shown.history;
    let steps = history.steps();
    let all = history.folded() + steps.len() as u64;
    let key = Visible(key);
    let topic = Visible(history.topic());
    let events = human::count(all);
    match (shown.step(), shown.at) {
        (Some(step), Some(number)) => {
            let which = human::count(history.folded() + number as u64 + 1);
            let when = step.time.map(|time| format!(" of {time}"));
            let by = step.producer.as_deref().map(String::from_utf8_lossy);
            let by = by.map(|by| format!(" by {}", Visible(&by)));
            session.say(&format!(
                "{key} in {topic}: after event {which} of {events}, {}{}{}",
                step.at,
                when.unwrap_or_default(),
                by.unwrap_or_default()
            ));
        }
        _ => session.say(&format!(
            "{key} in {topic}: before the first of {events} events"
        )),
    }
    if let Some(why) = incomplete(history.start()) {
        session.say(&format!("  incomplete: {why}"));
    }
    let upto = shown.at.map_or(0, |at| at + 1);
    let faults = steps.iter().take(upto);
    let faults: Vec<&Step> = faults.filter(|step| step.fault.is_some()).collect();
    if let Some(first) = faults.first() {
        let why = first.fault.as_deref().unwrap_or_default();
        session.say(&format!(
            "  {} events changed nothing, the first is {}: {}",
            human::count(faults.len() as u64),
            first.at,
            Visible(why)
        ));
    }
    if let Some(otherwise) = shown.otherwise() {
        let named: Vec<String> = otherwise.iter().take(3).map(change_line).collect();
        session.say(&format!(
            "  the versions of its events say otherwise: {}",
            Visible(&named.join(", "))
        ));
    }
}

/// Why more may have happened than was seen.
fn incomplete(start: &Start) -> Option<String> {
    match start {
        Start::Nothing | Start::Whole => None,
        Start::Version(version) => Some(format!(
            "its history starts at version {version}; what came before is gone"
        )),
        Start::Compacted => Some("the cleaner took events out before its first one".to_owned()),
        Start::From(at) => Some(format!("nothing was read before {at}")),
    }
}

fn blame_table(shown: &Shown<'_>) -> Table {
    let mut table = Table::new(&[
        ("SET BY", Align::Left),
        ("TIME", Align::Left),
        ("VERSION", Align::Right),
        ("PRODUCER", Align::Left),
        ("PATH", Align::Left),
        ("VALUE", Align::Left),
    ]);
    for (path, at) in shown.blame() {
        let step = shown.step_of(&at);
        let producer = step.and_then(|s| s.producer.as_deref());
        let value = shown.state.as_ref().and_then(|state| state.pointer(&path));
        table.row([
            at.to_string(),
            step.and_then(|s| s.time)
                .map(|time| time.to_string())
                .unwrap_or_default(),
            step.and_then(|s| s.version)
                .map(|v| v.to_string())
                .unwrap_or_default(),
            producer
                .map(|p| String::from_utf8_lossy(p).into_owned())
                .unwrap_or_default(),
            path,
            value.map_or_else(|| "deleted".to_owned(), compact),
        ]);
    }
    table
}

fn step_json(history: &History, step: StepNumber) -> Value {
    let Some(step) = step.and_then(|step| history.steps().get(step)) else {
        return Value::Null;
    };
    let producer = step.producer.as_deref().map(String::from_utf8_lossy);
    json!({
        "at": step.at.to_string(),
        "time": step.time.map(|time| time.to_string()),
        "version": step.version,
        "producer": producer,
        "fault": step.fault,
    })
}

fn as_json(shown: &Shown<'_>) -> Value {
    let history = shown.history;
    let blame = shown.blame().into_iter();
    let blame: Vec<Value> = blame
        .map(|(path, at)| {
            let step = shown.step_of(&at);
            json!({
                "path": path,
                "at": at.to_string(),
                "time": step.and_then(|s| s.time).map(|time| time.to_string()),
                "version": step.and_then(|s| s.version),
                "producer": step.and_then(|s| s.producer.as_deref()).map(String::from_utf8_lossy),
            })
        })
        .collect();
    let mut report = Map::new();
    let mut put = |name: &str, value: Value| report.insert(name.to_owned(), value);
    put("topic", json!(history.topic()));
    put(
        "events",
        json!(history.folded() + history.steps().len() as u64),
    );
    put("complete", json!(history.start().is_whole()));
    put("incomplete", json!(incomplete(history.start())));
    put("after", step_json(history, shown.at));
    put("deleted", json!(shown.state.is_none()));
    put("state", shown.state.clone().unwrap_or(Value::Null));
    put("blame", Value::Array(blame));
    let otherwise = shown.otherwise();
    put("diverges", json!(otherwise.is_some()));
    put(
        "by_version",
        otherwise.map_or(Value::Null, |changes| changes_json(&changes)),
    );
    if let Some((before, changes)) = &shown.changes {
        put("before", step_json(history, *before));
        put("changes", changes_json(changes));
    }
    Value::Object(report)
}
