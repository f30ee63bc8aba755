//! `evtap expect`: waits for an event that a command must cause. Where the topics end is asked
//! before the command starts, so that nothing is missed between the two; what counts in the end is
//! what stands in the topics at the deadline, read to its end.

mod clauses;
mod print;
mod wait;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::position::Pos;
use super::session::Session;
use super::{examples, explain, reading, units};
use clauses::Clauses;

/// Wait for an event that a command must cause
#[derive(Debug, Args)]
#[command(after_help = examples::EXPECT)]
pub struct Expect {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// How long to wait, from the end of the command on
    #[arg(long, value_name = "DUR", default_value = "30s", value_parser = units::duration)]
    pub within: Duration,
    /// So many events must match, or more
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["exactly", "none"])]
    pub count: u64,
    /// Exactly so many events must match: waits until the deadline
    #[arg(long, value_name = "N", conflicts_with = "none")]
    pub exactly: Option<u64>,
    /// No event may match: waits until the deadline
    #[arg(long)]
    pub none: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
    /// What causes the event; it must end with 0
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The formats of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Junit,
}

/// How many events must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    AtLeast(u64),
    Exactly(u64),
}

impl Wanted {
    /// With so many matches the answer is known before the deadline.
    const fn settled_by(self) -> u64 {
        match self {
            Self::AtLeast(n) => n,
            Self::Exactly(n) => n + 1,
        }
    }

    const fn met_by(self, matched: u64) -> bool {
        match self {
            Self::AtLeast(n) => matched >= n,
            Self::Exactly(n) => matched == n,
        }
    }
}

/// What came of it.
#[derive(Debug)]
struct Expected {
    verdict: Verdict,
    matched: u64,
    /// Events that came, matching or not; `None` where nobody counted to the end.
    seen: Option<u64>,
    /// The first of those that matched, with their places.
    events: Vec<(String, Vec<u8>)>,
    /// Of those that did not match the one that fails least, and what it fails.
    nearest: Option<Nearest>,
    command: Ended,
    took: Duration,
}

#[derive(Debug)]
enum Verdict {
    Met,
    Failed,
    Inconclusive(String),
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// There was none.
    None,
    Code(i32),
    /// By a signal.
    Killed,
}

impl Ended {
    const fn has_failed(self) -> bool {
        !matches!(self, Self::None | Self::Code(0))
    }
}

/// An event that nearly matched.
#[derive(Debug)]
struct Nearest {
    at: String,
    line: Vec<u8>,
    fails: Vec<String>,
}

pub async fn run(session: &Session, args: &Expect) -> Result<Exit> {
    let select = &args.select;
    if select.until.is_some() || select.last.is_some() || select.limit.is_some() {
        return Err(Failure::usage(
            "expect waits for what comes: --until, --last and --limit do not go with it",
        )
        .hint("--within says how long to wait, --count for how many events"));
    }
    let query = reading::compile(session, &args.sources, select)?;
    let clauses = Clauses::of(session, &args.sources, select)?;
    if clauses.is_empty() {
        return Err(Failure::usage("expect which event?")
            .hint("for example: evtap expect demo:payments --where '.key == \"order-456\"'"));
    }
    let wanted = match (args.none, args.exactly) {
        (true, _) => Wanted::Exactly(0),
        (false, Some(n)) => Wanted::Exactly(n),
        (false, None) => Wanted::AtLeast(args.count),
    };
    let opened = args
        .sources
        .iter()
        .map(|source| session.open(source))
        .collect::<Result<Vec<_>>>()?;
    let reading = reading::prepare_opened(session, query, opened, select, true, &Pos::End).await?;
    if select.explain {
        return explain::print(&reading).await;
    }
    let began = Instant::now();
    let mut expected = wait::wait(session, args, reading, wanted, &clauses).await?;
    expected.took = began.elapsed();
    print::print(session, args, &expected, wanted)?;
    Ok(match expected.verdict {
        Verdict::Met => Exit::Done,
        Verdict::Failed => Exit::Finding,
        Verdict::Inconclusive(_) => Exit::Partial,
    })
}
