//! `evtap schema`: what schemas there are, what the events say they should be, where they changed,
//! and whether a new one fits. One file a subcommand; what they share stands here.

mod compat;
mod drift;
mod infer;
mod listing;
mod show;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::session::Session;
use super::{examples, explain, reading, summary};
use crate::broker::{self, BoxFuture};
use crate::event::Batch;
use crate::pipeline::{Consumer, End, Flow, Outcome};

/// Show schemas, infer them from events, find where events changed, compare versions
#[derive(Debug, Args)]
#[command(after_help = examples::SCHEMA, subcommand_required = true)]
pub struct Schema {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    Show(show::Show),
    Infer(Box<infer::Infer>),
    Drift(Box<drift::Drift>),
    Compat(compat::Compat),
}

pub async fn run(session: &Session, args: &Schema) -> Result<Exit> {
    match &args.action {
        Action::Show(args) => show::run(session, args).await,
        Action::Infer(args) => infer::run(session, args).await,
        Action::Drift(args) => drift::run(session, args).await,
        Action::Compat(args) => compat::run(session, args).await,
    }
}

/// Feeds all that is selected to a fold. `None`: the reading was only to be explained.
async fn feed(
    session: &Session,
    sources: &[String],
    select: &Select,
    fold: &mut (dyn FnMut(&Batch) + Send),
) -> Result<Option<Outcome>> {
    let query = reading::compile(session, sources, select)?;
    let reading = reading::prepare(session, query, sources, select, false).await?;
    if select.explain {
        explain::print(&reading).await?;
        return Ok(None);
    }
    let mut consumer = Feed(fold);
    let outcome = Progress::new(session, false)
        .read(session, &reading, &mut consumer)
        .await;
    Ok(Some(outcome?))
}

struct Feed<'a>(&'a mut (dyn FnMut(&Batch) + Send));

impl Consumer for Feed<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        (self.0)(&batch);
        Box::pin(async { Ok(Flow::More) })
    }
}

/// Sums the reading up, after its report was printed: a reading that was cut short says less than
/// was asked for.
fn close(session: &Session, outcome: Outcome, select: &Select, found: Exit) -> Result<Exit> {
    summary::close(session, &outcome, select.summary.as_deref())?;
    let none = outcome.matched == 0 && select.fail_empty;
    match outcome.end {
        End::Failed(error) => Err(Failure::from(error)),
        End::Interrupted => Ok(Exit::Interrupted),
        End::Timeout if found == Exit::Done => Ok(Exit::Partial),
        _ if none => Ok(Exit::Finding),
        _ => Ok(found),
    }
}

/// A JSON text that a schema has, as JSON; what is none is a string.
fn json_of(text: Option<&String>) -> Value {
    let text = text.map(String::as_str);
    text.map_or(Value::Null, |text| {
        serde_json::from_str(text).unwrap_or_else(|_| json!(text))
    })
}
