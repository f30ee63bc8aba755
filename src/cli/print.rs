//! Printing events to standard output: the consumer of `read`, `tail` and `demo`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::{Output, Select};
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::reading;
use super::session::Session;
use super::summary;
use crate::broker::{self, BoxFuture};
use crate::event::Batch;
use crate::output::{FormatError, Look, PrintError, Printer, Table, mapped_writer, writer};
use crate::pipeline::{Consumer, End, Flow, Outcome, Reading};
use crate::query::JqMap;
use crate::text::{self, Visible};

/// A printer that is ready before anything is opened.
pub struct Printing {
    printer: Printer,
}

/// Reads `-o` and `--map`; a mistake in them must not wait for a network.
pub fn prepare(session: &Session, sources: &[String], output: &Output) -> Result<Printing> {
    let look = Look {
        decoder: session.decoder(sources)?,
        color: session.colour(),
        ascii: session.ascii(),
        terminal: session.stdout_is_terminal,
        zone: session.zone.clone(),
    };
    let map = output.map.as_deref();
    let map = map.map(|text| JqMap::compile("--map", text)).transpose()?;
    let format = &output.output;
    let refused = |e: FormatError| Failure::usage(e.to_string()).hint(e.hint());
    let printer = match map {
        Some(map) => {
            let writer = mapped_writer(format, &look).map_err(refused)?;
            Printer::mapped(writer, map, &look.decoder, stdout()?)
        }
        None => Printer::events(writer(format, &look).map_err(refused)?, stdout()?),
    };
    Ok(Printing { printer })
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
    let mut consumer = Print {
        printer: printing.printer.at_once(follow),
    };
    let mut outcome = Progress::new(session, true)
        .read(session, &reading, &mut consumer)
        .await?;
    outcome.scanned.failed += consumer.printer.failed();
    if !matches!(outcome.end, End::Closed) {
        match consumer.printer.finish() {
            Ok(()) => {}
            Err(PrintError::Closed) => outcome.end = End::Closed,
            Err(PrintError::Write(error)) => return Err(cannot_print(&error)),
            Err(error) => return Err(unfinished(error).into()),
        }
    }
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
}

fn flow(printed: std::result::Result<(), PrintError>) -> broker::Result<Flow> {
    match printed {
        Ok(()) => Ok(Flow::More),
        Err(PrintError::Closed) => Ok(Flow::Closed),
        Err(error) => Err(unfinished(error)),
    }
}

fn unfinished(error: PrintError) -> broker::Error {
    match error {
        PrintError::Map(error) => error.into(),
        error => broker::Error::new(broker::ErrorKind::File, error.to_string()),
    }
}

impl Consumer for Print {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        Box::pin(async { flow(self.printer.batch(batch).await) })
    }

    fn rest(&mut self) -> BoxFuture<'_, broker::Result<Flow>> {
        Box::pin(async { flow(self.printer.rest().await) })
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

/// JSON on many lines, with escapes for what is hostile.
pub fn pretty(value: &serde_json::Value) -> String {
    let plain = format!("{value:#}");
    let mut out = Vec::with_capacity(plain.len() + 1);
    // The layout has no line ends or tabs within a line.
    for line in plain.lines() {
        text::push_value(&mut out, line.as_bytes());
        out.push(b'\n');
    }
    String::from_utf8_lossy(&out).into_owned()
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
