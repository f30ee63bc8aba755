//! Asking before a write. Without a terminal only `--yes` is an answer.

use std::io::{BufRead, IsTerminal, Write};

use tokio::task::JoinHandle;

use super::error::{Exit, Failure, Result};
use super::session::Session;
use crate::text::Visible;

/// What the person has to type.
pub enum Question<'a> {
    YesNo,
    /// The name of the target, for production.
    Name(&'a str),
}

/// Asks on the terminal; gives whether the write may go on.
pub async fn confirm(
    session: &Session,
    yes: bool,
    question: &Question<'_>,
    what: &str,
) -> Result<()> {
    if yes {
        return Ok(());
    }
    let refused = |why: &str| {
        Err(
            Failure::new(Exit::Refused, format!("{what}: {why}; nothing was written"))
                .hint("check it with --dry-run, then give --yes"),
        )
    };
    if !std::io::stdin().is_terminal() || !session.stderr_is_terminal {
        return refused("not confirmed");
    }
    let ask = match question {
        Question::YesNo => format!("{what}? [y/N] "),
        Question::Name(name) => format!("{what}: type the name of the target ({name}) to go on: "),
    };
    let Some(line) = ask_line(&ask) else {
        return refused("not confirmed");
    };
    let mut stop = session.minded_stop();
    let line = tokio::select! {
        line = line => line.ok().flatten(),
        // The thread goes on waiting for a line; it ends with the process.
        () = stop.stopped() => {
            session.say("");
            return Err(Failure::new(
                Exit::Interrupted,
                format!("{what}: interrupted; nothing was written"),
            ));
        }
    };
    let Some(line) = line else {
        session.say("");
        return refused("not confirmed");
    };
    let answer = line.trim();
    let agreed = match question {
        Question::YesNo => matches!(answer, "y" | "Y" | "yes"),
        Question::Name(name) => answer == *name,
    };
    if agreed { Ok(()) } else { refused("declined") }
}

/// Puts a question to a terminal; its answer comes from a thread that waits for it. `None` where
/// it cannot even be put.
pub(super) fn ask_line(text: &str) -> Option<JoinHandle<Option<String>>> {
    let mut err = std::io::stderr().lock();
    let asked = write!(err, "{}", Visible(text)).and_then(|()| err.flush());
    drop(err);
    asked.ok()?;
    Some(tokio::task::spawn_blocking(read_line))
}

/// `None` is the end of the input (Ctrl-D), or a terminal that is gone.
fn read_line() -> Option<String> {
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line),
    }
}
