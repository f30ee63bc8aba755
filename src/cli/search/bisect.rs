//! `evtap bisect`: the first bad event, by an expression or by a person's own command.

use std::ffi::OsString;

use clap::Args;
use serde_json::{Value, json};

use super::{Trial, events, line_of};
use crate::cli::args::Select;
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::examples;
use crate::cli::print::{print_json, print_lines};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::inspect::search::{self, Bisected, Judgement};
use crate::pipeline::Spooled;
use crate::text::{Visible, human};

/// Find the first bad event: the first that --where takes, or with which a command goes wrong
#[derive(Debug, Args)]
#[command(after_help = examples::BISECT)]
pub struct Bisect {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
    /// Gets the first events as JSON lines, in about log2(N) runs; its exit code judges them: 0
    /// good, 125 cannot tell, 126 and 127 give up, anything else bad
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

pub async fn run(session: &Session, args: &Bisect) -> Result<Exit> {
    let trial = Trial::of(session, &args.command);
    if trial.is_none() && args.select.where_.is_empty() && args.select.filters.is_empty() {
        return Err(Failure::usage("what is a bad event?").hint(
            "mark it by --where JQ, or give a command that judges: evtap bisect SOURCE -- COMMAND",
        ));
    }
    let Some(events) = events(session, &args.sources, &args.select).await? else {
        return Ok(Exit::Done);
    };
    let Some(mut trial) = trial else {
        let first = (!events.is_empty()).then_some(Bisected::First(0));
        return tell(args, &events, first.unwrap_or(Bisected::Good), 0, session);
    };
    let all = human::count(events.len() as u64);
    let found = search::bisect(events.len(), |prefix| {
        let judged = trial.run(&events, 0..prefix)?;
        let word = match judged {
            Judgement::Good => "good",
            Judgement::Bad => "bad",
            Judgement::Skip => "cannot tell",
        };
        let (run, prefix) = (trial.runs, human::count(prefix as u64));
        session.say(&format!(
            "run {run}: with the first {prefix} of {all} events: {word}"
        ));
        Ok::<_, Failure>(judged)
    })?;
    tell(args, &events, found, trial.runs, session)
}

fn tell(
    args: &Bisect,
    events: &Spooled,
    found: Bisected,
    runs: u64,
    session: &Session,
) -> Result<Exit> {
    let at = |event: usize| events.at(event).unwrap_or_default();
    let (verdict, exit) = match found {
        Bisected::First(_) => ("first", Exit::Done),
        Bisected::Between(..) => ("between", Exit::Partial),
        Bisected::Good => ("good", Exit::Finding),
        Bisected::Bad => ("bad", Exit::Finding),
        Bisected::NonMonotone(_) => ("non_monotone", Exit::Partial),
    };
    if args.output == Report::Json {
        let first = match found {
            Bisected::First(event) => Some(event),
            _ => None,
        };
        let event = first.map(|event| line_of(events, event)).transpose()?;
        let event: Option<Value> = event.and_then(|line| serde_json::from_slice(&line).ok());
        let between = match found {
            Bisected::Between(from, to) => Some([at(from), at(to)]),
            _ => None,
        };
        print_json(&json!({
            "verdict": verdict,
            "at": first.map(at),
            "event": event,
            "between": between,
            "events": events.len(),
            "runs": runs,
        }))?;
        return Ok(exit);
    }
    match found {
        Bisected::First(event) => {
            let line = line_of(events, event)?;
            let line = String::from_utf8_lossy(&line);
            print_lines([format!("{}  {}", at(event), line.trim_end())])?;
        }
        Bisected::Between(from, to) => {
            print_lines((from..=to).map(at))?;
            session.say("it is one of these; the command could not tell them apart");
        }
        Bisected::Good if runs == 0 => session.say("no event is marked as bad"),
        Bisected::Good => session.say("nothing to find: it is good with all of the events"),
        Bisected::Bad => session.say("nothing to find: it is bad without any event"),
        Bisected::NonMonotone(event) => session.say(&format!(
            "there is no first bad event: what is bad does not stay bad, or the command does not \
             say the same each time; {} was taken for it",
            Visible(&at(event))
        )),
    }
    Ok(exit)
}
