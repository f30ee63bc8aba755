//! Printing events to standard output: the consumer of `read`, `tail` and `demo`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::{Output, Select};
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::reading::{self, Reading};
use super::session::Session;
use super::summary;
use crate::broker::{self, BoxFuture};
use crate::event::{Batch, Decoding, object};
use crate::output::{Closed, Options, Printer};
use crate::pipeline::{Consumer, End, Flow, Outcome};
use crate::query::{JqMap, JqMapWorker, MapOutcome};
use crate::text::Visible;

/// A printer that is ready before anything is opened.
pub struct Printing {
    printer: Printer,
    map: Option<JqMap>,
    raw: bool,
    decoding: Decoding,
}

/// Reads `-o` and `--map`; a mistake in them must not wait for a network.
pub fn prepare(session: &Session, output: &Output) -> Result<Printing> {
    let options = Options {
        colour: session.colour(),
        ascii: session.global.ascii,
        terminal: session.stdout_is_terminal,
        zone: session.zone.clone(),
        decoding: session.decoding(),
    };
    let map = output.map.as_deref().map(JqMap::compile).transpose()?;
    let printer = Printer::new(&output.output, options, stdout()?)
        .map_err(|e| Failure::usage(e.message).hint(e.hint))?;
    Ok(Printing {
        printer,
        map,
        raw: output.output == "raw",
        decoding: session.decoding(),
    })
}

/// Not the line-buffered handle: the printer has its own buffer and decides when to write.
#[cfg(unix)]
fn stdout() -> Result<Box<dyn Write + Send>> {
    use std::os::fd::AsFd;
    let fd = std::io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|e| cannot_print(&e))?;
    Ok(Box::new(std::fs::File::from(fd)))
}

#[cfg(not(unix))]
fn stdout() -> Result<Box<dyn Write + Send>> {
    Ok(Box::new(std::io::stdout()))
}

/// Runs the read into the printer, and sums it up.
pub async fn run(
    session: &Session,
    reading: Reading,
    select: &Select,
    printing: Printing,
) -> Result<Exit> {
    let follow = reading.follow;
    let mut progress = Progress::new(session, true);
    let mut consumer = Print {
        map: printing.map.as_ref().map(JqMap::worker),
        printer: printing.printer,
        raw: printing.raw,
        decoding: printing.decoding,
        object: Vec::new(),
        map_failed: 0,
        follow,
    };
    let outcome = reading.run(session, &mut consumer, &mut progress).await;
    progress.clear();
    let mut outcome = outcome?;
    if !matches!(outcome.end, End::Closed) {
        match consumer.printer.finish() {
            Ok(Closed::No) => {}
            Ok(Closed::Yes) => outcome.end = End::Closed,
            Err(error) => return Err(cannot_print(&error)),
        }
    }
    outcome.scanned.failed += consumer.map_failed;
    close(session, &outcome, select.summary.as_deref())?;
    let exit = reading::exit_of_outcome(&outcome, follow, select.fail_empty);
    match outcome.end {
        End::Failed(error) => Err(error.into()),
        _ => Ok(exit),
    }
}

/// When nobody reads the events, nobody reads the summary line; a file was asked for by name.
fn close(session: &Session, outcome: &Outcome, file: Option<&Path>) -> Result<()> {
    if matches!(outcome.end, End::Closed) && file.is_none() {
        return Ok(());
    }
    summary::close(session, outcome, file)
}

fn cannot_print(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("cannot write to standard output: {error}"),
    )
}

struct Print {
    printer: Printer,
    map: Option<JqMapWorker>,
    raw: bool,
    decoding: Decoding,
    /// The event object that `--map` sees; reused.
    object: Vec<u8>,
    map_failed: u64,
    follow: bool,
}

impl Print {
    fn print(&mut self, batch: &Batch) -> broker::Result<Flow> {
        for event in batch.iter() {
            let closed = if self.map.is_some() {
                self.object.clear();
                object::write(&mut self.object, &event, &self.decoding);
                self.print_map()?
            } else {
                self.printer.event(&event)
            };
            if flow(closed)? == Flow::Closed {
                return Ok(Flow::Closed);
            }
        }
        if self.follow {
            return flow(self.printer.flush());
        }
        Ok(Flow::More)
    }

    fn print_map(&mut self) -> broker::Result<std::io::Result<Closed>> {
        let Some(map) = &mut self.map else {
            return Ok(Ok(Closed::No));
        };
        let (printer, raw) = (&mut self.printer, self.raw);
        let mut written = Ok(Closed::No);
        let outcome = map.run(&self.object, &mut |out| {
            if matches!(written, Ok(Closed::No)) {
                written = match out.text {
                    Some(text) if raw => printer.line(text),
                    _ => printer.line(out.json),
                };
            }
        })?;
        if let MapOutcome::Failed(_) = outcome {
            self.map_failed += 1;
        }
        Ok(written)
    }
}

fn flow(closed: std::io::Result<Closed>) -> broker::Result<Flow> {
    match closed {
        Ok(Closed::No) => Ok(Flow::More),
        Ok(Closed::Yes) => Ok(Flow::Closed),
        Err(error) => Err(broker::Error::new(
            broker::ErrorKind::File,
            format!("cannot write to standard output: {error}"),
        )),
    }
}

impl Consumer for Print {
    fn batch<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, broker::Result<Flow>> {
        let printed = self.print(batch);
        Box::pin(async { printed })
    }

    fn rest(&mut self) -> BoxFuture<'_, broker::Result<Flow>> {
        let flushed = flow(self.printer.flush());
        Box::pin(async { flushed })
    }
}

/// Lines of a small report, made safe.
pub fn print_lines(lines: impl IntoIterator<Item = String>) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        if let Err(error) = writeln!(out, "{}", Visible(&line)) {
            return closed_is_done(&error);
        }
    }
    Ok(Exit::Done)
}

/// A reader that went away is no failure.
pub fn closed_is_done(error: &std::io::Error) -> Result<Exit> {
    if error.kind() == ErrorKind::BrokenPipe {
        Ok(Exit::Done)
    } else {
        Err(cannot_print(error))
    }
}
