//! `evtap tail`: prints events as they arrive. Read with `--from end --follow`.

use clap::Args;

use super::args::{Output, Select};
use super::error::{Exit, Result};
use super::position::Pos;
use super::session::Session;
use super::{examples, explain, print, reading, units};

/// Print events as they arrive: read --from end --follow
#[derive(Debug, Args)]
#[command(after_help = examples::TAIL)]
pub struct Tail {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub output: Output,
    /// Pace of the embedded broker, events a second or max
    #[arg(long, value_name = "N|max", value_parser = units::rate)]
    pub rate: Option<f64>,
}

pub async fn run(session: &Session, args: &Tail) -> Result<Exit> {
    let printing = print::prepare(session, &args.sources, &args.output)?;
    let query = reading::compile(session, &args.sources, &args.select)?;
    let opened = args
        .sources
        .iter()
        .map(|source| session.open_with(source, |settings| settings.rate = args.rate))
        .collect::<Result<Vec<_>>>()?;
    let from = if args.select.last.is_some() {
        Pos::Start
    } else {
        Pos::End
    };
    let reading =
        reading::prepare_opened(session, query, opened, &args.select, true, &from).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    print::run(session, reading, &args.select, printing).await
}
