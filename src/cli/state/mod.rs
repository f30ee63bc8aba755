//! `evtap state`: what the events of one key add up to, at any point of its life, and which event
//! set which part of it.

mod point;
mod print;

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::reading::{self, clock};
use super::session::Session;
use super::topics::Report;
use super::{examples, explain, summary};
use crate::broker::{self, BoxFuture};
use crate::event::{Batch, Timestamp};
use crate::inspect::Names;
use crate::inspect::state::{self, Folding, History, Limits};
use crate::pipeline::{Consumer, End, Flow, Outcome, Reading};
use crate::query::JqMap;
use point::Point;

/// Show the state that the events of one key add up to, and which event set what
#[derive(Debug, Args)]
#[command(after_help = examples::STATE)]
pub struct State {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(value_name = "SOURCE")]
    pub source: String,
    #[command(flatten)]
    pub select: Select,
    /// The state at this point: an offset, TOPIC/PARTITION@OFFSET, a version (v3), -N events back,
    /// a time, an age (-15m), start or end
    #[arg(long, value_name = "POINT", allow_hyphen_values = true, value_parser = Point::parse, conflicts_with = "diff")]
    pub at: Option<Point>,
    /// For each path, the event that set it
    #[arg(long)]
    pub blame: bool,
    /// What changed between two points
    #[arg(long, num_args = 2, value_names = ["A", "B"], allow_hyphen_values = true, value_parser = Point::parse, conflicts_with = "blame")]
    pub diff: Option<Vec<Point>>,
    /// How an event's value becomes part of the state
    #[arg(
        long,
        value_name = "HOW",
        default_value = "merge",
        conflicts_with = "jq"
    )]
    pub fold: Fold,
    /// A jq program that makes the next state of {state, event}; without an output it stays
    #[arg(long, value_name = "JQ", allow_hyphen_values = true)]
    pub jq: Option<String>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

/// The ways to fold that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fold {
    /// A JSON merge patch (RFC 7396): members are set, null takes them out
    Merge,
    /// The last value is the state
    Last,
    /// A JSON patch (RFC 6902): a list of operations
    Patch,
}

pub async fn run(session: &Session, args: &State) -> Result<Exit> {
    let [key] = &args.select.keys[..] else {
        return Err(
            Failure::usage("whose state? evtap state wants one --key KEY")
                .hint("for example: evtap state demo:order-events --key order-456"),
        );
    };
    if args.select.last.is_some() {
        return Err(
            Failure::usage("--last would leave out what the state is made of")
                .hint("--at -N goes back by N events of the key"),
        );
    }
    let program = args.jq.as_deref();
    let program = program
        .map(|text| JqMap::compile("--jq", text))
        .transpose()?;
    let sources = std::slice::from_ref(&args.source);
    let decoder = session.decoder(sources)?;
    let query = reading::compile(session, sources, &args.select)?;
    let mut reading = reading::prepare(session, query, sources, &args.select, false).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    let points = args.at.iter().chain(args.diff.iter().flatten());
    let now = if point::wants_clock(points) {
        clock(session, &reading).await?
    } else {
        Timestamp::default()
    };
    let limits = Limits {
        bytes: (session.global.mem / 4).max(Limits::default().bytes / 4),
        ..Limits::default()
    };
    let mut states = States::default();
    let ranges = reading.resolve().await?;
    for range in ranges.iter().flatten() {
        let folding = states
            .topics
            .entry(Arc::clone(&range.topic))
            .or_insert_with(|| {
                let history = History::new(&range.topic, args.fold.into(), limits);
                let folding =
                    Folding::new(history, key.as_bytes(), decoder.looker(), Names::default());
                match &program {
                    Some(program) => folding.with_program(program),
                    None => folding,
                }
            });
        folding.reads(range);
    }
    reading.freeze(ranges);
    let outcome = read(session, args, &reading, &mut states).await?;
    if let End::Failed(error) = outcome.end {
        return Err(Failure::from(error));
    }
    let histories: Vec<History> = states.topics.into_values().map(Folding::done).collect();
    let histories: Vec<&History> = histories.iter().filter(|h| !h.steps().is_empty()).collect();
    print::print(session, args, key, &histories, now)?;
    Ok(exit(args, &outcome, histories.is_empty()))
}

impl From<Fold> for state::Fold {
    fn from(fold: Fold) -> Self {
        match fold {
            Fold::Merge => Self::Merge,
            Fold::Last => Self::Last,
            Fold::Patch => Self::Patch,
        }
    }
}

async fn read(
    session: &Session,
    args: &State,
    reading: &Reading,
    states: &mut States,
) -> Result<Outcome> {
    let outcome = Progress::new(session, false)
        .read(session, reading, states)
        .await?;
    summary::close(session, &outcome, args.select.summary.as_deref())?;
    Ok(outcome)
}

fn exit(args: &State, outcome: &Outcome, empty: bool) -> Exit {
    match outcome.end {
        End::Interrupted => Exit::Interrupted,
        End::Timeout => Exit::Partial,
        _ if empty && args.select.fail_empty => Exit::Finding,
        _ => Exit::Done,
    }
}

/// The key in each topic of the source.
#[derive(Default)]
struct States {
    topics: BTreeMap<Arc<str>, Folding>,
}

impl Consumer for States {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        let fed = self.topics.values_mut().try_for_each(|f| f.batch(&batch));
        Box::pin(async { fed.map(|()| Flow::More).map_err(Into::into) })
    }
}
