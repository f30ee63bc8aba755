//! `evtap bisect` and `evtap minimize`: searches that ask a person's own command. What they share:
//! the events in the order of time, and the command that is given some of them.

pub mod bisect;
pub mod minimize;
mod trial;

use super::args::Select;
use super::error::{Exit, Failure, Result, exit_of};
use super::progress::Progress;
use super::session::Session;
use super::{explain, reading, summary};
use crate::broker::{self, BoxFuture, ErrorKind};
use crate::event::Batch;
use crate::pipeline::{Consumer, End, Flow, Spool, SpoolError, Spooled};
use crate::text::human;
use trial::Trial;

/// Reads all that is selected. `None`: the reading was only to be explained.
async fn events(session: &Session, sources: &[String], select: &Select) -> Result<Option<Spooled>> {
    let query = reading::compile(session, sources, select)?;
    let reading = reading::prepare(session, query, sources, select, false).await?;
    if select.explain {
        explain::print(&reading).await?;
        return Ok(None);
    }
    let reader = session.decoder(sources)?.looker();
    let spool = Spool::new(reader, session.global.mem).map_err(|e| no_room(&e))?;
    let mut gather = Gather(spool);
    let outcome = Progress::new(session, false)
        .read(session, &reading, &mut gather)
        .await?;
    summary::close(session, &outcome, select.summary.as_deref())?;
    match outcome.end {
        End::Complete | End::Limit => {}
        End::Interrupted => return Err(Failure::new(Exit::Interrupted, "interrupted")),
        End::Failed(error) => {
            let exit = exit_of(error.kind);
            return Err(Failure {
                exit,
                ..error.into()
            });
        }
        End::Timeout | End::Idle | End::Closed => {
            return Err(Failure::new(
                Exit::Partial,
                "not everything was read, so the search would be wrong",
            )
            .hint("give --timeout more time, or choose less by --from and --until"));
        }
    }
    gather.0.done().map(Some).map_err(|e| no_room(&e))
}

fn no_room(error: &std::io::Error) -> Failure {
    Failure::usage(format!(
        "cannot set the events down in a temporary file: {error}"
    ))
    .hint("TMPDIR names a folder with room")
}

struct Gather(Spool);

impl Consumer for Gather {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        let spooled = self.0.batch(&batch).map_err(|error| match error {
            SpoolError::Io(error) => broker::Error::new(ErrorKind::File, no_room(&error).message),
            SpoolError::Full(most) => broker::Error::new(
                ErrorKind::Usage,
                format!(
                    "there are more than {} events to search",
                    human::count(most as u64)
                ),
            )
            .hint("choose less by --from, --until, --where or --key, or allow more by --mem"),
        });
        Box::pin(async { spooled.map(|()| Flow::More) })
    }
}

/// A line about the event, and its place.
fn line_of(events: &Spooled, event: usize) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    events.write([event], &mut line).map_err(|e| no_room(&e))?;
    Ok(line)
}
