//! `evtap minimize`: the smallest set of events with which a command still fails.

use std::ffi::OsString;
use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Trial, events, no_room};
use crate::cli::args::Select;
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::examples;
use crate::cli::print::{closed_is_done, print_json, print_lines};
use crate::cli::session::Session;
use crate::inspect::search::{self, Judgement, Minimized};
use crate::text::human;

/// Find the smallest set of events that still makes a command fail
#[derive(Debug, Args)]
#[command(after_help = examples::MINIMIZE)]
pub struct Minimize {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// text: their coordinates; jsonl: the events; json: one report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
    /// Gets events as JSON lines; its exit code judges them: 0 good, 125 cannot tell, 126 and 127
    /// give up, anything else fails
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The formats of what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Jsonl,
    Json,
}

pub async fn run(session: &Session, args: &Minimize) -> Result<Exit> {
    let Some(mut trial) = Trial::of(session, &args.command) else {
        return Err(Failure::usage(
            "which command? evtap minimize SOURCE -- COMMAND",
        ));
    };
    let Some(events) = events(session, &args.sources, &args.select).await? else {
        return Ok(Exit::Done);
    };
    let mut fewest = usize::MAX;
    let found = search::minimize(events.by_key(), |set| {
        let judged = trial.run(&events, set.iter().copied())?;
        if judged == Judgement::Bad && set.len() < fewest {
            fewest = set.len();
            let (run, few) = (trial.runs, human::count(set.len() as u64));
            session.say(&format!("run {run}: it fails with {few} events"));
        }
        Ok::<_, Failure>(judged)
    })?;
    let (left, verdict) = match found {
        Minimized::These(left) => (left, "minimal"),
        Minimized::Good => (Vec::new(), "good"),
        Minimized::Bad => (Vec::new(), "bad"),
    };
    let at = |event: &usize| events.at(*event).unwrap_or_default();
    match args.output {
        Format::Text => print_lines(left.iter().map(at))?,
        Format::Json => print_json(&json!({
            "verdict": verdict,
            "at": left.iter().map(at).collect::<Vec<_>>(),
            "events": events.len(),
            "runs": trial.runs,
        }))?,
        Format::Jsonl => {
            let mut lines = Vec::new();
            events
                .write(left.iter().copied(), &mut lines)
                .map_err(|e| no_room(&e))?;
            match std::io::stdout().lock().write_all(&lines) {
                Ok(()) => Exit::Done,
                Err(error) => closed_is_done(&error)?,
            }
        }
    };
    match verdict {
        "good" => session.say("nothing to find: it does not fail with all of the events"),
        "bad" => session.say("nothing to find: it fails without any event"),
        _ => session.say(&format!(
            "{} of {} events, {} runs; without any one of them it does not fail",
            human::count(left.len() as u64),
            human::count(events.len() as u64),
            human::count(trial.runs)
        )),
    }
    Ok(if left.is_empty() {
        Exit::Finding
    } else {
        Exit::Done
    })
}
