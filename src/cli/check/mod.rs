//! `evtap check`: runs every detector over a frozen range and says what is wrong.

mod logs;
mod prove;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::session::Session;
use super::{examples, explain, print, reading, sagas, summary};
use crate::broker::{Address, BoxFuture, Group, PartitionRange};
use crate::event::{Batch, Select as _};
use crate::inspect::Verdict;
use crate::inspect::check::{Check as Detectors, CheckReport, Prepared, Room, Values};
use crate::inspect::misfits::{KeepMisfits, Misfits};
use crate::output::check;
use crate::pipeline::{Consumer, Crew, End, Flow, Fold, Look, Outcome, Reading, Watcher as _};
use crate::schema::Decoder;

/// Validate: schemas, order, gaps, duplicates, groups, personal data; one report
#[derive(Debug, Args)]
#[command(after_help = examples::CHECK)]
pub struct Check {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// Judge nothing but this, which is faster
    #[arg(long, value_name = "WHAT")]
    pub only: Option<Only>,
    /// How to print the report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
}

/// What can be asked about alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Only {
    Schemas,
    /// Order, gaps, duplicates, groups: no look at values
    Order,
    /// The same, and the sagas of the model
    Sagas,
}

/// The formats of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Junit,
}

pub async fn run(session: &Session, args: &Check) -> Result<Exit> {
    let began = Instant::now();
    let decoder = session.decoder(&args.sources)?;
    let model = sagas::model(session, &args.sources)?;
    let query = reading::compile(session, &args.sources, &args.select)?;
    let mut reading = reading::prepare(session, query, &args.sources, &args.select, false).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    if args.only == Some(Only::Schemas) {
        return schemas(session, args, reading, &decoder, began).await;
    }
    let groups = groups(session, &reading).await;
    let now = reading::clock(session, &reading).await?;
    let room = room(session, args, &reading);
    let mut check = Detectors::new(room, &decoder, groups, model);
    let by_source = ranges(session, args, &reading, &mut check).await?;
    let mut reach = sagas::reach(&reading, &by_source).await?;
    if reading.last.is_none() {
        reading.freeze(by_source.clone());
    }
    let ranges: Vec<PartitionRange> = by_source.into_iter().flatten().collect();
    if let Some(probe) = check.probe() {
        for range in &ranges {
            probe.begins(range);
        }
    }
    let lookers = if room.sagas { threads() } else { 1 };
    let values = (0..lookers).map(|_| check.values(&decoder)).collect();
    let mut crew = Crew::start(check, values)?;
    let (mut outcome, complete) = read(session, &reading, &mut crew).await?;
    let (mut check, values) = crew.finish()?;
    for values in values {
        check.join(values);
    }
    if complete && let Some(probe) = check.probe() {
        for range in &ranges {
            probe.ended(range);
        }
    }
    if !complete {
        sagas::cut_short(&mut reach);
    }
    if check.has_gap() {
        logs::look_again(&reading, &mut check).await;
    }
    if !matches!(outcome.end, End::Interrupted | End::Failed(_)) {
        prove::prove(session, &mut reading, &mut check, &mut outcome).await?;
    }
    let report = check.report(now, complete, &reach);
    close(session, args, &report, outcome, began)
}

/// Of the whole budget the source has a quarter; what is left is for what comes on top.
fn room(session: &Session, args: &Check, reading: &Reading) -> Room {
    let mut inputs = reading.inputs.iter();
    Room {
        memory: session.global.mem / 8 * 5,
        again: inputs.all(|input| !matches!(input.address, Address::Stdin)),
        values: args.only.is_none(),
        sagas: args.only != Some(Only::Order),
    }
}

/// Threads that look at values; for keys and headers alone one is fast enough.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(8))
}

/// What is to be read of each source, of which the detectors are told. The newest N have no frozen
/// range.
async fn ranges(
    session: &Session,
    args: &Check,
    reading: &Reading,
    check: &mut Detectors,
) -> Result<Vec<Vec<PartitionRange>>> {
    if reading.last.is_some() {
        return Ok(Vec::new());
    }
    // The ends of the logs first: what is decided by then is not held back later.
    let ends = logs::ends(session, reading).await;
    let ranges = reading.resolve().await?;
    logs::tell(session, &args.select, reading, &ranges, &ends, check).await;
    Ok(ranges)
}

/// Reads all of it; the flag says whether that was the whole range.
async fn read(
    session: &Session,
    reading: &Reading,
    consumer: &mut dyn Consumer,
) -> Result<(Outcome, bool)> {
    let outcome = Progress::new(session, false)
        .read(session, reading, consumer)
        .await?;
    let complete = matches!(outcome.end, End::Complete) && reading.last.is_none();
    Ok((outcome, complete))
}

/// Prints the report and the summary, and says how it ended.
fn close(
    session: &Session,
    args: &Check,
    report: &CheckReport,
    outcome: Outcome,
    began: Instant,
) -> Result<Exit> {
    show(session, args, report, began)?;
    summary::close(session, &outcome, args.select.summary.as_deref())?;
    match outcome.end {
        End::Failed(error) => Err(Failure::from(error)),
        End::Interrupted => Ok(Exit::Interrupted),
        _ => Ok(exit(report)),
    }
}

/// Judges schemas alone, on the threads of the source where nothing else selects.
async fn schemas(
    session: &Session,
    args: &Check,
    mut reading: Reading,
    decoder: &Decoder,
    began: Instant,
) -> Result<Exit> {
    if !decoder.has_schemas() {
        return Err(Failure::usage("there is no source of schemas")
            .hint("name a registry, a folder or a file by --schemas WHERE"));
    }
    let whole = reading.query.keeps_all() && reading.last.is_none() && args.select.limit.is_none();
    if whole {
        for input in &mut reading.inputs {
            input.sub.select = Arc::new(KeepMisfits(decoder.clone()));
        }
    }
    let mut consumer = Judge(Misfits::new(decoder.reader()));
    let (outcome, complete) = read(session, &reading, &mut consumer).await?;
    let events = if whole {
        outcome.scanned.events
    } else {
        outcome.matched
    };
    let report = CheckReport::of_schemas(consumer.0.report(), events, complete);
    close(session, args, &report, outcome, began)
}

struct Judge(Misfits);

impl Consumer for Judge {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, crate::broker::Result<Flow>> {
        self.0.batch(&batch);
        Box::pin(async { Ok(Flow::More) })
    }
}

const fn exit(report: &CheckReport) -> Exit {
    match report.verdict {
        Verdict::Violation => Exit::Finding,
        Verdict::Clean => Exit::Done,
        Verdict::Inconclusive(_) | Verdict::Idle(_) => Exit::Partial,
    }
}

fn show(session: &Session, args: &Check, report: &CheckReport, began: Instant) -> Result<Exit> {
    let mut out = Vec::new();
    match args.output {
        Format::Json => return print::print_json(&check::json(report)),
        Format::Text => check::text(&mut out, report, session.colour()),
        Format::Junit => {
            let name = args.sources.join(" ");
            let name = crate::text::Visible(&name).to_string();
            out.extend_from_slice(check::junit(report, &name, began.elapsed()).as_bytes());
        }
    }
    match std::io::stdout().lock().write_all(&out) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => print::closed_is_done(&error),
    }
}

/// The groups of all sources, as far as they stand in what is read. `None` where none has any, or
/// where a filter leaves events out: what is behind a commit could not be counted.
pub async fn groups(session: &Session, reading: &Reading) -> Option<Vec<Group>> {
    if !reading.query.keeps_all() {
        return None;
    }
    reading::groups(session, reading, "judged").await
}

impl Fold<Prepared> for Detectors {
    fn batch(&mut self, batch: &Batch, prepared: Prepared) {
        Self::batch(self, batch, &prepared);
    }
}

impl Look for Values {
    type Seen = Prepared;

    fn first(&mut self, batch: &Batch) -> Prepared {
        self.prepare(batch)
    }

    fn then(&mut self, batch: &Batch) {
        self.batch(batch);
    }
}
