//! `evtap trace --learn`: a saga model mined from the events of a range.

use std::io::Write as _;

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::session::Session;
use super::{explain, print, reading, summary};
use crate::broker::BoxFuture;
use crate::event::Batch;
use crate::inspect::Names;
use crate::inspect::trace::{Flow, learn};
use crate::pipeline::{Consumer, End, Flow as Go};

pub async fn run(session: &Session, sources: &[String], select: &Select) -> Result<Exit> {
    if sources.is_empty() {
        return Err(Failure::usage("--learn needs a source to learn from")
            .hint("evtap trace --learn SOURCE"));
    }
    let query = reading::compile(session, sources, select)?;
    let reading = reading::prepare(session, query, sources, select, false).await?;
    if select.explain {
        return explain::print(&reading).await;
    }
    let groups = reading::groups(session, &reading, "known").await;
    let mut learner = Learner::default();
    let outcome = Progress::new(session, false)
        .read(session, &reading, &mut learner)
        .await?;
    let groups = groups.unwrap_or_default();
    let model = learn(&learner.flow, learner.header.as_deref(), &groups);
    if let Some(model) = &model
        && let Err(error) = std::io::stdout().lock().write_all(model.as_bytes())
    {
        print::closed_is_done(&error)?;
    }
    summary::close(session, &outcome, select.summary.as_deref())?;
    let exit = reading::exit_of_outcome(&outcome, false, select.fail_empty);
    match (outcome.end, model) {
        (End::Failed(error), _) => Err(Failure::from(error)),
        (_, None) => Err(Failure::new(
            Exit::Partial,
            "there is nothing to learn a model from: too few events name their cause and their type",
        )
        .hint("a causation-id in a header names the id of the cause; or write the model yourself")),
        (_, Some(_)) => Ok(exit),
    }
}

#[derive(Default)]
struct Learner {
    flow: Flow,
    names: Names,
    /// The header with the correlation id of the first event that has one.
    header: Option<String>,
}

impl Consumer for Learner {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, crate::broker::Result<Go>> {
        if self.header.is_none() {
            let mut all = batch.iter();
            let found = all.find_map(|event| self.names.correlation_header(event.headers));
            self.header = found.map(|name| String::from_utf8_lossy(name).into_owned());
        }
        self.flow.batch(&batch);
        Box::pin(async { Ok(Go::More) })
    }
}
