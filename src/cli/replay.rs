//! `evtap replay`: plan, preview, confirm, run, verify. The talk is here, the flags in
//! `replay_args`; the steps are the room `replay`'s.

use std::time::Duration;

use super::canary::Canary;
use super::confirm::{Question, confirm};
use super::error::{Exit, Failure, Result};
use super::position::Pos;
use super::progress::Progress;
use super::reading;
use super::replay_args::Replay;
use super::session::Session;
use super::{explain, summary};
use crate::broker::Address;
use crate::pipeline::End;
use crate::replay::{Control, Destination, Figures, Job, Ran, RunState, guard};

pub async fn run(session: &Session, args: &Replay) -> Result<Exit> {
    let query = reading::compile(session, &args.sources, &args.select)?;
    let sources = args
        .sources
        .iter()
        .map(|source| session.open(source))
        .collect::<Result<Vec<_>>>()?;
    let target = session.open(&args.to)?;
    let addresses: Vec<&Address> = sources.iter().map(|s| &s.address).collect();
    guard::before_network(
        &addresses,
        &target.address,
        &target.settings,
        args.how.allow_self,
    )?;
    refuse_unconfirmed(session, args)?;
    guard::existing_file(&target.address, args.how.overwrite)?;
    let (alterations, means) = args.alter.engine(session, &args.sources, &args.to)?;
    let reading =
        reading::prepare_opened(session, query, sources, &args.select, false, &Pos::Start).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    let to = Destination {
        address: target.address,
        shown: target.shown,
        broker: target.broker,
        env: target.env,
        create: args.how.create()?,
        overwrite: args.how.overwrite,
    };
    let how = args
        .how
        .engine(&args.select, args.alter.holds(), alterations);
    let mut job = Job::plan(reading, to, how).await?;
    job.equip(means)?;
    if let Some(file) = &args.alter.rejects {
        job.reject_into(file.clone());
    }
    say(session, &job.the_plan().describe());
    let mut foretold = Exit::Done;
    if args.how.wants_preview() {
        let Some(exit) = preview(session, &mut job).await? else {
            session.say("interrupted; nothing was written");
            return Ok(Exit::Interrupted);
        };
        foretold = exit;
    }
    if args.how.dry_run {
        session.say("dry run: nothing was written");
        return Ok(foretold);
    }
    let what = format!("replay into {}", job.destination().shown);
    let question = job.name_to_type().map_or(Question::YesNo, Question::Name);
    confirm(session, args.how.yes, &question, &what).await?;
    let mut canary = Canary::default();
    let Some(ran) = write(session, &job, &mut canary).await? else {
        return Err(Failure::new(Exit::Interrupted, "interrupted"));
    };
    say(session, &ran.report.describe());
    canary.judge(&ran)?;
    close(session, args, &job, ran).await
}

/// Nobody can answer: better said before anything is read.
fn refuse_unconfirmed(session: &Session, args: &Replay) -> Result<()> {
    use std::io::IsTerminal;
    let asks = std::io::stdin().is_terminal() && session.stderr_is_terminal;
    if asks || args.how.yes || args.how.dry_run || args.select.explain {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "guard confirm: a replay writes, and there is no terminal to ask on",
    )
    .hint("look at it with --dry-run, then give --yes"))
}

/// How often the bar of a replay moves.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// A wait that is longer is explained.
const SAY_AFTER: Duration = Duration::from_secs(2);

fn say(session: &Session, lines: &[String]) {
    for line in lines {
        session.say(line);
    }
}

/// The same way into a sink that drops everything. `None` when it was interrupted, else what a
/// dry run ends with.
async fn preview(session: &Session, job: &mut Job) -> Result<Option<Exit>> {
    if !job.can_be_previewed() {
        session.say("standard input comes only once: there is no preview");
        return Ok(Some(Exit::Done));
    }
    let mut progress = Progress::new(session, false);
    let preview = job.preview(&|| session.minded_stop(), &mut progress).await;
    progress.clear();
    let Some(preview) = preview? else {
        return Ok(None);
    };
    say(session, &preview.describe());
    job.judge(&preview)?;
    Ok(Some(if preview.tally.rejected() > 0 {
        Exit::Finding
    } else {
        Exit::Done
    }))
}

/// Writes, shows how many events are sent meanwhile, and passes on the wish to stop. `None` when
/// that came before the target was opened.
async fn write(session: &Session, job: &Job, canary: &mut Canary) -> Result<Option<Ran>> {
    let control = job.control();
    let mut stop = session.minded_stop();
    let mut progress = Progress::new(session, false);
    let mut bar = Bar::new(job.to_send());
    let running = job.run(&control);
    tokio::pin!(running);
    let mut tick = tokio::time::interval(SHOW_EVERY);
    let ran = loop {
        tokio::select! {
            ran = &mut running => break ran,
            () = stop.stopped(), if !control.is_aborted() => control.abort(),
            answer = canary.answer() => {
                if answer {
                    control.resume();
                } else {
                    control.abort();
                }
            }
            _ = tick.tick() => {
                bar.tick(session, &control, &mut progress);
                canary.look(session, &control, &mut progress);
            }
        }
    };
    progress.clear();
    Ok(ran?)
}

/// What is shown of a run.
struct Bar {
    to_send: Option<u64>,
    /// Since when the target is waited for, in ticks.
    waited: Option<Duration>,
    /// What was said last of consumer groups that hold the run.
    lag: Option<String>,
}

impl Bar {
    const fn new(to_send: Option<u64>) -> Self {
        Self {
            to_send,
            waited: None,
            lag: None,
        }
    }

    fn tick(&mut self, session: &Session, control: &Control, progress: &mut Progress) {
        let figures = control.figures();
        self.tell_lag(session, &figures, progress);
        if figures.state != RunState::Finishing {
            progress.sent(figures.sent, self.to_send);
            return;
        }
        let waited = self.waited.get_or_insert_with(|| {
            progress.clear();
            Duration::ZERO
        });
        *waited += SHOW_EVERY;
        if *waited == SAY_AFTER {
            session.say("waiting for the target to store what was sent; Ctrl-C twice ends at once");
        }
    }
}

impl Bar {
    /// Says when consumer groups begin to hold the run, and when they let it go.
    fn tell_lag(&mut self, session: &Session, figures: &Figures, progress: &mut Progress) {
        // The figures in it move all the time; that there is something to say does not.
        if figures.lag.is_some() == self.lag.is_some() {
            return;
        }
        self.lag.clone_from(&figures.lag);
        progress.clear();
        match &self.lag {
            Some(why) if figures.lagging => session.say(&format!("paused: {why}")),
            Some(why) => session.say(why),
            None => session.say("going on: the consumer groups have caught up"),
        }
    }
}

/// Verifies, sums up, and says how it ended.
async fn close(session: &Session, args: &Replay, job: &Job, ran: Ran) -> Result<Exit> {
    let select = &args.select;
    let verification = match &ran.outcome {
        Ok(_) => job.verify(&ran).await?,
        Err(_) => None,
    };
    let rejected = ran.report.tally.rejected();
    let begun = ran.report.sent > 0 || ran.report.in_doubt > 0;
    let outcome = ran.outcome?;
    let mut exit = reading::exit_of_outcome(&outcome, false, select.fail_empty);
    if exit == Exit::Done && rejected > 0 {
        exit = Exit::Finding;
    }
    if let Some(verification) = verification {
        say(session, &verification.describe());
        if !verification.problems.is_empty() {
            exit = Exit::Finding;
        }
    }
    summary::close(session, &outcome, select.summary.as_deref())?;
    match outcome.end {
        End::Failed(error) => {
            let mut failure = Failure::from(error).on("the replay is incomplete");
            if begun && failure.exit == Exit::Broker {
                failure.exit = Exit::Incomplete;
            }
            Err(failure)
        }
        _ => Ok(exit),
    }
}
