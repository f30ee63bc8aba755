//! `evtap lag`: consumer groups, how far they are behind, and why. Once, or again and again; with a
//! bound it is an assertion.

mod bounds;
mod look;
mod watch;

use std::io::Write as _;
use std::time::Duration;

use clap::Args;

use self::bounds::Bounds;
use self::look::Looker;
use super::error::{Exit, Failure, Result};
use super::print::closed_is_done;
use super::session::Session;
use super::topics::{Report, open_broker};
use super::{examples, units};
use crate::inspect::lag::LagReport;
use crate::output::lag;
use crate::text;

/// Show consumer groups, how far they are behind, and why
#[derive(Debug, Args)]
#[command(after_help = examples::LAG)]
pub struct Lag {
    /// A broker, maybe with topics [default: the default context, or demo:]
    #[arg(value_name = "BROKER")]
    pub broker: Option<String>,
    /// Only this group; repeatable
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// Fail (exit code 1) when more events than this wait for a group
    #[arg(long, value_name = "N")]
    pub max: Option<u64>,
    /// Fail (exit code 1) when an event has waited for longer than this
    #[arg(long, value_name = "DUR", value_parser = units::duration)]
    pub max_age: Option<Duration>,
    /// Look again and again; ends with the first look that is over a bound
    #[arg(long)]
    pub watch: bool,
    /// Time between two looks
    #[arg(long, value_name = "DUR", value_parser = units::duration, default_value = "5s", requires = "watch")]
    pub every: Duration,
    /// How long a commit may stand before an event: more is a stuck member. Longer than the time
    /// between two commits
    #[arg(long, value_name = "DUR", value_parser = units::duration, default_value = "15s")]
    pub still: Duration,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Lag) -> Result<Exit> {
    let opened = open_broker(session, args.broker.as_deref())?;
    let bounds = Bounds {
        events: args.max,
        age: args.max_age,
    };
    let mut looker = Looker::new(session, opened, args);
    if args.watch {
        return watch::run(session, args, &mut looker, &bounds).await;
    }
    let report = looker.snapshot().await?;
    if report.groups.is_empty() && args.output == Report::Text {
        session.say(&format!("{} has no consumer groups", looker.shown()));
        return Ok(Exit::Done);
    }
    print(&drawn(session, args.output, &report))?;
    Ok(bounds.judge(session, &report))
}

/// One look, as it is printed.
fn drawn(session: &Session, output: Report, report: &LagReport) -> Vec<u8> {
    let mut out = Vec::new();
    match output {
        Report::Json => {
            text::push_value(&mut out, lag::json(report).to_string().as_bytes());
            out.push(b'\n');
        }
        Report::Text => lag::text(&mut out, report, session.colour()),
    }
    out
}

/// False when the reader went away, which is no failure.
fn print(bytes: &[u8]) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) => closed_is_done(&error).map(|_| false),
    }
}

/// A group that was named and is not there.
fn no_group(shown: &str, wanted: &str, known: &[&str]) -> Failure {
    let hint = match crate::config::did_you_mean(wanted, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None if known.is_empty() => "the broker has no groups".to_owned(),
        None if known.len() > 20 => "`evtap lag` without --group lists them".to_owned(),
        None => format!("it has: {}", known.join(", ")),
    };
    Failure::new(Exit::Broker, format!("{shown} has no group '{wanted}'")).hint(hint)
}
