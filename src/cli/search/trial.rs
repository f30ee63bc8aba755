//! One run of a person's command with some of the events on its standard input, as JSON lines.

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind};
use std::process::{Command, ExitStatus, Stdio};

use super::no_room;
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::session::Session;
use crate::inspect::search::Judgement;
use crate::pipeline::Spooled;

/// A command that judges events.
pub struct Trial<'a> {
    session: &'a Session,
    program: &'a OsString,
    arguments: &'a [OsString],
    pub runs: u64,
}

impl<'a> Trial<'a> {
    /// `None` where there is no command.
    pub fn of(session: &'a Session, command: &'a [OsString]) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        Some(Self {
            session,
            program,
            arguments,
            runs: 0,
        })
    }

    /// Runs it with these events. Blocks until it ends.
    pub fn run(
        &mut self,
        events: &Spooled,
        which: impl IntoIterator<Item = usize>,
    ) -> Result<Judgement> {
        if self.session.minded_stop().is_stopped() {
            return Err(interrupted());
        }
        self.runs += 1;
        tokio::task::block_in_place(|| self.judge(events, which))
    }

    fn judge(&self, events: &Spooled, which: impl IntoIterator<Item = usize>) -> Result<Judgement> {
        // Standard output is ours: what the command says goes where talk goes.
        let said = if self.session.global.quiet {
            Stdio::null()
        } else {
            Stdio::from(io::stderr())
        };
        let mut child = Command::new(self.program)
            .args(self.arguments)
            .stdin(Stdio::piped())
            .stdout(said)
            .spawn()
            .map_err(|error| self.cannot_run(&error.to_string()))?;
        let fed = match child.stdin.take() {
            Some(stdin) => {
                let mut stdin = BufWriter::with_capacity(1 << 16, stdin);
                let fed = events.write(which, &mut stdin);
                fed.and_then(|()| stdin.into_inner().map_err(io::IntoInnerError::into_error))
                    .map(drop)
            }
            None => Ok(()),
        };
        let status = child
            .wait()
            .map_err(|error| self.cannot_run(&error.to_string()))?;
        match fed {
            // It need not read them all.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(no_room(&error)),
            _ => {}
        }
        self.judgement(status)
    }

    /// The exit codes of `git bisect run`, but that a command which dies of a signal is bad.
    fn judgement(&self, status: ExitStatus) -> Result<Judgement> {
        if self.session.minded_stop().is_stopped() {
            return Err(interrupted());
        }
        match status.code() {
            Some(0) => Ok(Judgement::Good),
            Some(125) => Ok(Judgement::Skip),
            Some(code @ (126 | 127)) => Err(self.cannot_run(&format!("it ended with {code}"))),
            Some(_) | None => Ok(Judgement::Bad),
        }
    }

    fn cannot_run(&self, why: &str) -> Failure {
        let program = self.program.to_string_lossy();
        Failure::usage(format!("cannot run {program}: {why}")).hint(
            "the command gets the events as JSON lines on its standard input, and tells by its \
             exit code: 0 good, 125 cannot tell, 126 and 127 give up, anything else bad",
        )
    }
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}
