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
use crate::output::{FormatError, Look, PrintError, Printer, Table, mapped_writer, writer};
use crate::pipeline::{Consumer, End, Flow, Outcome};
use crate::query::{JqMap, JqMapWorker, MapOutcome};
use crate::text::{self, Visible};

/// A printer that is ready before anything is opened.
pub struct Printing {
    printer: Printer,
    map: Option<JqMap>,
    decoding: Decoding,
}

/// Reads `-o` and `--map`; a mistake in them must not wait for a network.
pub fn prepare(session: &Session, output: &Output) -> Result<Printing> {
    let look = Look {
        decoding: session.decoding(),
        color: session.colour(),
        ascii: session.global.ascii,
        terminal: session.stdout_is_terminal,
        zone: session.zone.clone(),
    };
    let map = output.map.as_deref().map(JqMap::compile).transpose()?;
    let format = &output.output;
    let refused = |e: FormatError| Failure::usage(e.to_string()).hint(e.hint());
    let printer = if map.is_some() {
        Printer::mapped(mapped_writer(format, &look).map_err(refused)?, stdout()?)
    } else {
        Printer::events(writer(format, &look).map_err(refused)?, stdout()?)
    };
    Ok(Printing {
        printer,
        map,
        decoding: look.decoding,
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
            Ok(()) => {}
            Err(PrintError::Closed) => outcome.end = End::Closed,
            Err(PrintError::Write(error)) => return Err(cannot_print(&error)),
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
    decoding: Decoding,
    /// The event object that `--map` sees; reused.
    object: Vec<u8>,
    map_failed: u64,
    follow: bool,
}

impl Print {
    fn print(&mut self, batch: &Batch) -> broker::Result<Flow> {
        for event in batch.iter() {
            let printed = if self.map.is_some() {
                self.object.clear();
                object::write(&mut self.object, &event, &self.decoding);
                self.print_map()?
            } else {
                self.printer.event(&event)
            };
            if flow(printed)? == Flow::Closed {
                return Ok(Flow::Closed);
            }
        }
        if self.follow {
            return flow(self.printer.flush());
        }
        Ok(Flow::More)
    }

    fn print_map(&mut self) -> broker::Result<Result<(), PrintError>> {
        let Some(map) = &mut self.map else {
            return Ok(Ok(()));
        };
        let printer = &mut self.printer;
        let mut written = Ok(());
        let outcome = map.run(&self.object, &mut |out| {
            if written.is_ok() {
                written = printer.line(out.json);
            }
        })?;
        if let MapOutcome::Failed(_) = outcome {
            self.map_failed += 1;
        }
        Ok(written)
    }
}

fn flow(printed: Result<(), PrintError>) -> broker::Result<Flow> {
    match printed {
        Ok(()) => Ok(Flow::More),
        Err(PrintError::Closed) => Ok(Flow::Closed),
        Err(error) => Err(broker::Error::new(
            broker::ErrorKind::File,
            error.to_string(),
        )),
    }
}

impl Consumer for Print {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        let printed = self.print(&batch);
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

/// A report as JSON on one line, with escapes for what is hostile.
pub fn print_json(report: &serde_json::Value) -> Result<Exit> {
    let mut line = Vec::new();
    text::push_value(&mut line, report.to_string().as_bytes());
    line.push(b'\n');
    match std::io::stdout().lock().write_all(&line) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => closed_is_done(&error),
    }
}

/// A table of a report.
pub fn print_table(session: &Session, table: &Table) -> Result<Exit> {
    let mut out = Vec::new();
    table.write(&mut out, session.colour());
    match std::io::stdout().lock().write_all(&out) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => closed_is_done(&error),
    }
}

/// A reader that went away is no failure.
pub fn closed_is_done(error: &std::io::Error) -> Result<Exit> {
    if error.kind() == ErrorKind::BrokenPipe {
        Ok(Exit::Done)
    } else {
        Err(cannot_print(error))
    }
}
