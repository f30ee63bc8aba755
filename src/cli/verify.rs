//! `evtap verify`: what a plan selects against what its target holds. Writes nothing.

use clap::Args;

use super::error::{Exit, Failure, Result};
use super::print::{print_json, print_lines};
use super::progress::Progress;
use super::session::Session;
use super::topics::Report;
use super::{apply, examples, replay};
use crate::replay::{Again, Create, Destination, Job, Reopened, reading_again, same_brokers};

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
    let plan = apply::load(session, &args.plan)?;
    apply::refuse_decoding(session)?;
    let means = apply::means(session, &plan)?;
    let manner = apply::manner(session, &plan, &means)?;
    let sources = apply::open_sources(session, &plan)?;
    let target = session.open(&plan.target.address.to_string())?;
    let again: Vec<Again<'_>> = sources.iter().map(Reopened::again).collect();
    let onto = Again {
        address: &target.address,
        broker: &*target.broker,
    };
    same_brokers(&plan, &again, &onto).await?;
    drop(again);
    let reading = reading_again(&plan, sources, &manner)?;
    let ranges = plan.sources.iter().map(|s| s.ranges.clone()).collect();
    let to = Destination {
        address: target.address,
        shown: target.shown,
        broker: target.broker,
        env: target.env,
        create: Create::Never,
        overwrite: false,
    };
    let mut job = Job::again(reading, to, plan, ranges);
    job.equip(means)?;
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
