//! The waiting: events are followed while the command runs and until the deadline; then what stands
//! in the topics is read to its end, which alone can prove that something did not come.

use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::clauses::{Clauses, Judge};
use super::{Ended, Expect, Expected, Nearest, Verdict, Wanted};
use crate::broker::{self, Bound, BoxFuture, PartitionRange, Range};
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::progress::Progress;
use crate::cli::session::Session;
use crate::event::{Batch, EventRef, SelectAll, object};
use crate::inspect::At;
use crate::pipeline::{Consumer, End, Flow, Limits, Reading};
use crate::schema::Reader;

/// How long reading up to the deadline may take. A broker that does not answer in this time leaves
/// the answer open.
const GRACE: Duration = Duration::from_secs(10);
/// Events that are kept to be shown.
const KEPT: usize = 10;

pub async fn wait(
    session: &Session,
    args: &Expect,
    mut reading: Reading,
    wanted: Wanted,
    clauses: &Clauses,
) -> Result<Expected> {
    // Before the command starts: whatever it causes comes after this.
    let starts = reading.resolve().await?;
    reading.freeze(starts.clone());
    reading.limits = Limits {
        events: Some(wanted.settled_by()),
        ..Limits::default()
    };
    let reader = || Ok::<_, Failure>(session.decoder(&args.sources)?.looker());
    let mut keep = Keep {
        reader: reader()?,
        events: Vec::new(),
    };
    let (settled, command) = race(session, args, &reading, &mut keep).await?;
    let mut expected = Expected {
        verdict: Verdict::Failed,
        matched: keep.events.len() as u64,
        seen: None,
        events: Vec::new(),
        nearest: None,
        command,
        took: Duration::ZERO,
    };
    if command.has_failed() {
        // What it was to cause is not worth waiting for.
        expected.events = keep.events;
        return Ok(expected);
    }
    if settled {
        if matches!(wanted, Wanted::AtLeast(_)) {
            expected.verdict = Verdict::Met;
        }
        expected.matched = wanted.settled_by();
        expected.events = keep.events;
        return Ok(expected);
    }
    let mut count = Count {
        judge: clauses.judge(),
        reader: reader()?,
        fewest: usize::MAX,
        counted: Counted::default(),
    };
    let proven = prove(session, &mut reading, &starts, &mut count).await;
    let counted = count.counted;
    expected.verdict = match proven {
        Ok(()) if wanted.met_by(counted.matched) => Verdict::Met,
        Ok(()) => Verdict::Failed,
        Err(why) => Verdict::Inconclusive(why),
    };
    expected.matched = counted.matched;
    expected.seen = Some(counted.seen);
    expected.events = counted.events;
    expected.nearest = counted.nearest;
    Ok(expected)
}

/// Follows until enough events came or the deadline passed, and waits for the command's end. The
/// flag tells whether enough came.
async fn race(
    session: &Session,
    args: &Expect,
    reading: &Reading,
    keep: &mut Keep,
) -> Result<(bool, Ended)> {
    let command = args.command.clone();
    let quiet = session.global.quiet;
    let mut command = tokio::task::spawn_blocking(move || run_command(&command, quiet));
    let follow = follow(session, reading, keep);
    tokio::pin!(follow);
    let ended = tokio::select! {
        came = &mut follow => {
            came?;
            return Ok((true, ended(command.await)?));
        }
        joined = &mut command => ended(joined)?,
    };
    if ended.has_failed() {
        return Ok((false, ended));
    }
    tokio::select! {
        came = &mut follow => came.map(|()| (true, ended)),
        () = tokio::time::sleep(args.within) => Ok((false, ended)),
    }
}

fn ended(joined: std::result::Result<Result<Ended>, tokio::task::JoinError>) -> Result<Ended> {
    joined.unwrap_or_else(|error| Err(Failure::usage(format!("the command was lost: {error}"))))
}

/// Ends once enough events came.
async fn follow(session: &Session, reading: &Reading, keep: &mut Keep) -> Result<()> {
    let outcome = Progress::new(session, true)
        .read(session, reading, keep)
        .await?;
    match outcome.end {
        End::Limit => Ok(()),
        End::Failed(error) => Err(Failure::from(error)),
        End::Interrupted => Err(Failure::new(Exit::Interrupted, "interrupted")),
        // A file has an end: nothing more comes, and the deadline will tell.
        End::Complete | End::Idle | End::Timeout | End::Closed => std::future::pending().await,
    }
}

fn run_command(command: &[OsString], quiet: bool) -> Result<Ended> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(Ended::None);
    };
    // Standard output is ours: what the command says goes where talk goes.
    let said = if quiet {
        Stdio::null()
    } else {
        Stdio::from(io::stderr())
    };
    let status = Command::new(program)
        .args(arguments)
        .stdout(said)
        .status()
        .map_err(|error| {
            let program = program.to_string_lossy();
            Failure::usage(format!("cannot run {program}: {error}"))
        })?;
    Ok(status.code().map_or(Ended::Killed, Ended::Code))
}

/// Reads from the starts to the ends as they are now, and judges every event. The error says why
/// the answer stays open.
async fn prove(
    session: &Session,
    reading: &mut Reading,
    starts: &[Vec<PartitionRange>],
    count: &mut Count<'_>,
) -> std::result::Result<(), String> {
    for input in &mut reading.inputs {
        input.sub.follow = false;
        input.sub.select = Arc::new(SelectAll);
        input.sub.range = Range::Bounds {
            from: Bound::Start,
            until: Bound::End,
        };
    }
    reading.follow = false;
    reading.limits = Limits::default();
    let read = async {
        let mut ranges = reading.resolve().await?;
        for (ranges, starts) in ranges.iter_mut().zip(starts) {
            for range in ranges {
                let same = |start: &&PartitionRange| {
                    start.topic == range.topic && start.partition == range.partition
                };
                // A partition that is new began after the command did.
                if let Some(start) = starts.iter().find(same) {
                    range.start = start.start.max(range.start);
                }
            }
        }
        reading.freeze(ranges);
        let outcome = Progress::new(session, false)
            .read(session, reading, count)
            .await?;
        Ok::<_, broker::Error>(outcome.end)
    };
    match tokio::time::timeout(GRACE, read).await {
        Err(_) => Err(format!(
            "the topics could not be read up to the deadline within {} s",
            GRACE.as_secs()
        )),
        Ok(Err(error) | Ok(End::Failed(error))) => Err(error.to_string()),
        Ok(Ok(End::Complete)) => Ok(()),
        Ok(Ok(_)) => Err("interrupted".to_owned()),
    }
}

/// Keeps the events that match, as they come.
struct Keep {
    reader: Reader,
    events: Vec<(String, Vec<u8>)>,
}

impl Consumer for Keep {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        for event in batch.iter().take(KEPT.saturating_sub(self.events.len())) {
            let shown = shown(&batch, &event, &mut self.reader);
            self.events.push(shown);
        }
        Box::pin(async { Ok(Flow::More) })
    }
}

/// What was read up to the deadline.
#[derive(Default)]
struct Counted {
    seen: u64,
    matched: u64,
    events: Vec<(String, Vec<u8>)>,
    nearest: Option<Nearest>,
}

/// Judges every event.
struct Count<'a> {
    judge: Judge<'a>,
    reader: Reader,
    /// Conditions that the nearest event fails.
    fewest: usize,
    counted: Counted,
}

impl Count<'_> {
    fn event(&mut self, batch: &Batch, event: &EventRef<'_>) -> broker::Result<()> {
        self.counted.seen += 1;
        let fails = self.judge.fails(event)?;
        if fails == 0 {
            self.counted.matched += 1;
            if self.counted.events.len() < KEPT {
                let shown = shown(batch, event, &mut self.reader);
                self.counted.events.push(shown);
            }
        } else if fails < self.fewest {
            self.fewest = fails;
            let (at, line) = shown(batch, event, &mut self.reader);
            let fails = self.judge.which(event)?;
            self.counted.nearest = Some(Nearest { at, line, fails });
        }
        Ok(())
    }
}

impl Consumer for Count<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        let judged = batch
            .iter()
            .filter(|event| !event.is_aborted())
            .try_for_each(|event| self.event(&batch, &event));
        Box::pin(async { judged.map(|()| Flow::More) })
    }
}

/// An event's place, and the event as a JSON line.
fn shown(batch: &Batch, event: &EventRef<'_>, reader: &mut Reader) -> (String, Vec<u8>) {
    let mut line = Vec::new();
    object::write(&mut line, event, &reader.see(event));
    (At::of(batch, event).to_string(), line)
}
