//! `evtap trace`: one order, saga or trace across topics, from whatever id of it is known.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::session::Session;
use super::{check, examples, explain, learning, print, reading, sagas, summary};
use crate::broker::{BoxFuture, Group};
use crate::event::{Batch, Timestamp};
use crate::inspect::Names;
use crate::inspect::saga::{self, Commits, Judged, Monitor, Reach, World};
use crate::inspect::trace::{Flow, Limits, PASSES, Trace as Fold, TraceReport, edges};
use crate::output::trace as output;
use crate::pipeline::{Consumer, End, Flow as Go, Outcome, Reading};

/// Follow one id through all topics: what caused what, and what is missing
#[derive(Debug, Args)]
#[command(after_help = examples::TRACE)]
pub struct Trace {
    /// An event's id, a correlation id, a trace id or traceparent, a key, or any text
    #[arg(value_name = "ID", required_unless_present = "learn")]
    pub id: Option<String>,
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(value_name = "SOURCE", required_unless_present = "learn")]
    pub sources: Vec<String>,
    /// Instead of tracing an id, write a saga model learnt from the events, for --saga
    #[arg(long, conflicts_with = "output")]
    pub learn: bool,
    #[command(flatten)]
    pub select: Select,
    /// How to print: a picture, JSON, a Mermaid flowchart, spans of OpenTelemetry as OTLP JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
}

/// The formats of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Mermaid,
    Otlp,
}

pub async fn run(session: &Session, args: &Trace) -> Result<Exit> {
    if args.learn {
        // There is no id: the first word is a source.
        let sources: Vec<String> = args.id.iter().chain(&args.sources).cloned().collect();
        return learning::run(session, &sources, &args.select).await;
    }
    let id = args.id.as_deref().unwrap_or_default();
    if id.is_empty() {
        return Err(Failure::usage("an empty id is none")
            .hint("give an event's id, a correlation id, a key or a text"));
    }
    let model = sagas::model(session, &args.sources)?;
    let decoder = session.decoder(&args.sources)?;
    let query = reading::compile(session, &args.sources, &args.select)?;
    let mut reading = reading::prepare(session, query, &args.sources, &args.select, false).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    let groups = check::groups(session, &reading).await;
    let now = reading::clock(session, &reading).await?;
    let ranges = if reading.last.is_none() {
        reading.resolve().await?
    } else {
        Vec::new()
    };
    let mut reach = sagas::reach(&reading, &ranges).await?;
    if reading.last.is_none() {
        reading.freeze(ranges);
    }
    let reader = || Some(decoder.reader());
    let mut consumer = Follow {
        trace: Fold::new(id.as_bytes(), Limits::default(), Names::default()),
        monitor: model.map(|model| Monitor::new(model, saga::Limits::default(), reader())),
        flow: Flow::default(),
        first: true,
        grew: false,
    };
    let outcome = follow(session, &reading, &mut consumer).await?;
    if !matches!(outcome.end, End::Complete) {
        sagas::cut_short(&mut reach);
    }
    let known = Known { groups, reach, now };
    let hops = show(session, args, &consumer, &known)?;
    close(session, args, outcome, hops)
}

/// Reads the range until no new id turns up in it.
async fn follow(session: &Session, reading: &Reading, consumer: &mut Follow) -> Result<Outcome> {
    let mut all: Option<Outcome> = None;
    for _ in 0..PASSES {
        consumer.grew = false;
        let outcome = Progress::new(session, false)
            .read(session, reading, consumer)
            .await?;
        let whole = matches!(outcome.end, End::Complete | End::Limit);
        match &mut all {
            Some(all) => {
                all.elapsed += outcome.elapsed;
                all.end = outcome.end;
            }
            None => all = Some(outcome),
        }
        consumer.first = false;
        if !whole || !consumer.grew {
            break;
        }
    }
    // More ids turned up in the last of the passes: there may be more events of it.
    if consumer.grew {
        consumer.trace.cut();
    }
    all.ok_or_else(|| Failure::usage("nothing was read"))
}

/// What the reading is folded into. What needs all events once is fed in the first pass.
struct Follow {
    trace: Fold,
    monitor: Option<Monitor>,
    flow: Flow,
    first: bool,
    grew: bool,
}

impl Consumer for Follow {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, crate::broker::Result<Go>> {
        self.grew |= self.trace.batch(&batch);
        if self.first {
            match &mut self.monitor {
                Some(monitor) => monitor.batch(&batch),
                None => self.flow.batch(&batch),
            }
        }
        Box::pin(async { Ok(Go::More) })
    }
}

/// What is known beside the events.
struct Known {
    groups: Option<Vec<Group>>,
    reach: Reach,
    now: Timestamp,
}

/// Prints the trace; gives how many events are tied to the id.
fn show(session: &Session, args: &Trace, followed: &Follow, known: &Known) -> Result<usize> {
    let groups = known.groups.as_deref();
    let flow = &followed.flow;
    let report: TraceReport = followed
        .trace
        .report(flow, groups.unwrap_or_default(), known.now);
    let commits = groups.map(Commits::of_groups);
    let monitor = followed.monitor.as_ref();
    let judged: Option<Judged> = monitor.and_then(|monitor| {
        let world = World {
            commits: commits.as_ref(),
            reach: &known.reach,
            now: known.now,
        };
        monitor.judge_hops(&report.hops, world)
    });
    let model = monitor.map(|monitor| &**monitor.model());
    let edges = edges(&report.hops, model);
    let told = output::Told {
        id: args.id.as_deref().unwrap_or_default(),
        report: &report,
        edges: &edges,
        saga: model.map(saga::Model::name).zip(judged.as_ref()),
    };
    let hops = report.hops.len();
    let out = match args.output {
        Format::Json => {
            print::print_json(&output::json(&told))?;
            return Ok(hops);
        }
        Format::Otlp => {
            print::print_json(&output::otlp(&told))?;
            return Ok(hops);
        }
        Format::Mermaid if hops > 0 => output::mermaid(&told).into_bytes(),
        Format::Text if hops > 0 => {
            let look = output::Look {
                color: session.colour(),
                ascii: session.ascii(),
            };
            output::picture(&told, look)
        }
        Format::Text | Format::Mermaid => Vec::new(),
    };
    let written = std::io::stdout().lock().write_all(&out);
    if let Err(error) = written {
        print::closed_is_done(&error)?;
    }
    Ok(hops)
}

/// Says how the reading ended.
fn close(session: &Session, args: &Trace, mut outcome: Outcome, hops: usize) -> Result<Exit> {
    if hops == 0 {
        let id = args.id.as_deref().unwrap_or_default();
        session.say(&format!("nothing that was read is tied to '{id}'"));
    }
    outcome.matched = hops as u64;
    summary::close(session, &outcome, args.select.summary.as_deref())?;
    let exit = reading::exit_of_outcome(&outcome, false, args.select.fail_empty);
    match outcome.end {
        End::Failed(error) => Err(Failure::from(error)),
        _ => Ok(exit),
    }
}
