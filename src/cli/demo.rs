//! `evtap demo`: the embedded broker, live; or its history, written to a real broker.

use std::sync::Arc;

use clap::Args;

use super::args::{Output, Select};
use super::confirm::{Question, confirm};
use super::error::{Exit, Failure, Result};
use super::position::Pos;
use super::session::Session;
use super::{examples, explain, open, print, reading, units};
use crate::broker;
use crate::broker::TopicSelector;
use crate::text::human;

/// The embedded broker with its order pipeline: no network, nothing to install
#[derive(Debug, Args)]
#[command(after_help = examples::DEMO)]
pub struct Demo {
    /// Write the demo's history to this broker instead
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Do not ask before writing
    #[arg(long)]
    pub yes: bool,
    /// Keep it still: print the history and end
    #[arg(long)]
    pub frozen: bool,
    /// Pace, events a second or max
    #[arg(long, value_name = "N|max", value_parser = units::rate)]
    pub rate: Option<f64>,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub output: Output,
}

pub async fn run(session: &Arc<Session>, args: &Demo) -> Result<Exit> {
    if let Some(target) = &args.to {
        return write_history(session, target, args.yes).await;
    }
    let plain = args.output.output == "text" && args.output.map.is_none();
    if session.stdout_is_terminal && plain && !args.select.explain {
        let how = open::Demo {
            rate: args.rate,
            frozen: args.frozen,
        };
        return open::demo(session, &args.select, how).await;
    }
    let sources = ["demo:".to_owned()];
    let printing = print::prepare(session, &sources, &args.output)?;
    let opened = session.open_with("demo:", |settings| {
        settings.rate = args.rate;
        settings.frozen = args.frozen;
    })?;
    // Where nobody watches, a stream that never ends would only be in the way.
    let live = session.stdout_is_terminal && !args.frozen && args.select.until.is_none();
    let query = reading::compile(session, &sources, &args.select)?;
    let reading = reading::prepare_opened(
        session,
        query,
        vec![opened],
        &args.select,
        live,
        &Pos::Start,
    )
    .await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    print::run(session, reading, &args.select, printing).await
}

async fn write_history(session: &Session, target: &str, yes: bool) -> Result<Exit> {
    let opened = session.open(target)?;
    if !opened.address.topics().is_all() {
        return Err(Failure::usage(format!("{} names a topic", opened.shown))
            .hint("the demo brings its own seven topics; name only the broker"));
    }
    let history = broker::demo::history();
    for topic in &history.topics {
        broker::guard::allows_write(&opened.settings, &topic.name)?;
    }
    let names: Vec<&str> = history.topics.iter().map(|t| t.name.as_str()).collect();
    let what = format!(
        "write {} records into {} new topics ({}) of {}",
        human::count(history.records.len() as u64),
        names.len(),
        names.join(", "),
        opened.shown
    );
    confirm(session, yes, &Question::YesNo, &what).await?;
    opened
        .broker
        .load_history(&history)
        .await
        .map_err(|e| Failure::from(e).on(format!("cannot write the demo to {}", opened.shown)))?;
    let known = opened.broker.topics(&TopicSelector::all()).await?;
    let written = known.iter().filter(|t| names.contains(&&*t.name)).count();
    session.say(&format!(
        "wrote {} records into {written} topics of {}",
        human::count(history.records.len() as u64),
        opened.shown
    ));
    Ok(Exit::Done)
}
