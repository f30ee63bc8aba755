//! `evtap read`: prints the events of a frozen range, then stops.

use clap::Args;

use super::args::{Output, Select};
use super::error::{Exit, Result};
use super::session::Session;
use super::{examples, explain, print, reading};

/// Print events of a frozen range (default: everything up to the end as of now), then stop
#[derive(Debug, Args)]
#[command(after_help = examples::READ)]
pub struct Read {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// Go on past the end
    #[arg(long)]
    pub follow: bool,
    #[command(flatten)]
    pub output: Output,
}

pub async fn run(session: &Session, args: &Read) -> Result<Exit> {
    let printing = print::prepare(session, &args.sources, &args.output)?;
    let query = reading::compile(session, &args.sources, &args.select)?;
    let reading =
        reading::prepare(session, query, &args.sources, &args.select, args.follow).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    print::run(session, reading, &args.select, printing).await
}
