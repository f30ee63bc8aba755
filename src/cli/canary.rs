//! The question behind the first events that a replay wrote: go on? Without a terminal nobody can
//! answer, and the run ends there, to be gone on with later.

use std::io::IsTerminal;

use tokio::task::JoinHandle;

use super::confirm::ask_line;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::session::Session;
use crate::pipeline::End;
use crate::replay::{Control, Ran, RunState};
use crate::text::human;

/// Where the question stands.
#[derive(Default)]
pub(super) struct Canary {
    asked: bool,
    question: Option<JoinHandle<Option<String>>>,
    declined: bool,
}

impl Canary {
    /// Asks once the run waits for an answer.
    pub(super) fn look(&mut self, session: &Session, control: &Control, progress: &mut Progress) {
        let figures = control.figures();
        if self.asked || !figures.canary || figures.state != RunState::Paused {
            return;
        }
        self.asked = true;
        progress.clear();
        let written = human::count(figures.acknowledged);
        if std::io::stdin().is_terminal() && session.stderr_is_terminal {
            let text = format!("canary: {written} events are written and stored; go on? [y/N] ");
            self.question = ask_line(&text);
        }
        if self.question.is_none() {
            session.say(&format!(
                "canary: {written} events are written and stored, and there is no terminal to ask on"
            ));
            self.declined = true;
            control.abort();
        }
    }

    /// The answer, once there is one.
    pub(super) async fn answer(&mut self) -> bool {
        let Some(question) = &mut self.question else {
            return std::future::pending().await;
        };
        let line = question.await.ok().flatten();
        self.question = None;
        let agreed = line.is_some_and(|line| matches!(line.trim(), "y" | "Y" | "yes"));
        self.declined = !agreed;
        agreed
    }

    /// A run that ended at its canary is incomplete.
    pub(super) fn judge(&self, ran: &Ran) -> Result<()> {
        let stopped = ran
            .outcome
            .as_ref()
            .is_ok_and(|o| matches!(o.end, End::Interrupted));
        if self.declined && stopped {
            let written = human::count(ran.report.acknowledged);
            return Err(
                Failure::new(Exit::Incomplete, format!("stopped at the canary after {written} events"))
                    .hint("look at them in the target; the rest is a run of its own, or `evtap apply PLAN` of a plan"),
            );
        }
        Ok(())
    }
}
