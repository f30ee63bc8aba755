//! `evtap verify`: what a plan selects against what its target holds. Writes nothing.

use clap::Args;

use super::apply::{self, Prepared};
use super::error::{Exit, Failure, Result};
use super::print::{print_json, print_lines};
use super::progress::Progress;
use super::session::Session;
use super::topics::Report;
use super::{examples, replay};
use crate::replay::{Create, Job};

/// Compare what a plan selects with what its target holds: missing, extra, duplicated, reordered
/// and changed events
#[derive(Debug, Args)]
#[command(after_help = examples::VERIFY)]
pub struct Verify {
    /// The file of a plan
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Verify) -> Result<Exit> {
    let Prepared {
        plan,
        means,
        manner,
        sources,
        target,
    } = apply::prepare(session, &args.plan)?;
    let to = target.destination(Create::Never, false);
    let job = Job::reopen_to_compare(plan, sources, to, means, &manner).await?;
    let mut progress = Progress::new(session, false);
    let stop = || session.minded_stop();
    let compared = job.compare(false, &[], &stop, &mut progress).await;
    progress.clear();
    let Some(compared) = compared? else {
        return Err(Failure::new(Exit::Interrupted, "interrupted"));
    };
    let printed = match args.output {
        Report::Json => print_json(&compared.json()),
        Report::Text => print_lines(compared.describe()),
    };
    printed?;
    Ok(replay::exit_of(&compared))
}
