//! `evtap replay`: plan, preview, confirm, run, verify. The talk is here, the flags in
//! `replay_args`; the steps are the room `replay`'s.

use std::path::Path;
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
use crate::broker::{Address, ErrorKind};
use crate::event::Timestamp;
use crate::pipeline::End;
use crate::replay::runs::Ended;
use crate::replay::{Comparison, Control, Figures, Job, Outlook, Ran, RunState, Verdict, guard};

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
    let how = &args.how;
    let asks = !(how.yes || how.dry_run || how.plan_out.is_some() || args.select.explain);
    refuse_unconfirmed(session, asks)?;
    guard::existing_file(&target.address, args.how.overwrite)?;
    let (alterations, means) = args.alter.engine(session, &args.sources, &args.to)?;
    let reading =
        reading::prepare_opened(session, query, sources, &args.select, false, &Pos::Start).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    let to = target.destination(args.how.create()?, args.how.overwrite);
    let mut how = args.how.engine(&args.select, &session.global);
    (how.holds, how.alterations, how.means) = (args.alter.holds(), alterations, means);
    let mut job = Job::plan(reading, to, how).await?;
    if let Some(file) = &args.alter.rejects {
        job.reject_into(file.clone());
    }
    if let Some(path) = &args.how.plan_out {
        return write_plan(session, &job, path, args.how.overwrite);
    }
    let wishes = Wishes {
        yes: args.how.yes,
        dry_run: args.how.dry_run,
        fail_empty: args.select.fail_empty,
        summary: args.select.summary.as_deref(),
    };
    go_on(session, &mut job, &wishes).await
}

/// What the user wants of a plan that is made, whether just now or long ago.
pub(super) struct Wishes<'a> {
    pub yes: bool,
    pub dry_run: bool,
    pub fail_empty: bool,
    pub summary: Option<&'a Path>,
}

/// From the plan on: preview, confirm, run, verify.
pub(super) async fn go_on(session: &Session, job: &mut Job, wishes: &Wishes<'_>) -> Result<Exit> {
    say(session, &job.the_plan().describe());
    // With `--yes` nobody reads the preview: then it runs only where what it finds decides
    // something, before the first event is written.
    let previews = !wishes.yes || job.the_plan().needs_preview();
    let outlook = job.outlook().await;
    let mut foretold = Exit::Done;
    if previews && job.can_be_previewed() {
        let Some(exit) = preview(session, job, &outlook).await? else {
            session.say("interrupted; nothing was written");
            return Ok(Exit::Interrupted);
        };
        foretold = exit;
    } else {
        let now = Timestamp::wall_clock();
        say(session, &outlook.describe(job.the_plan(), None, now));
        if previews {
            session.say("standard input comes only once: there is no preview");
        }
    }
    if wishes.dry_run {
        session.say("dry run: nothing was written");
        return Ok(foretold);
    }
    let what = format!("replay into {}", job.destination().shown);
    let question = job.name_to_type().map_or(Question::YesNo, Question::Name);
    confirm(session, wishes.yes, &question, &what).await?;
    job.keep(&session.state_folder()?, Timestamp::wall_clock())?;
    let mut canary = Canary::default();
    let (closed, ended) = match write(session, job, &mut canary).await {
        Ok(Some(ran)) => {
            say(session, &ran.report.describe());
            let stopped = canary.judge(&ran);
            let (closed, ended) = close(session, wishes, job, ran).await;
            (stopped.and(closed), ended)
        }
        Ok(None) => (
            Err(Failure::new(Exit::Interrupted, "interrupted")),
            Ended::with("interrupted"),
        ),
        Err(failure) => (Err(failure), Ended::with("failed")),
    };
    let noted = job.note(&with_exit(ended, &closed), Timestamp::wall_clock());
    // What failed first is told first; a run that nobody can prove is no good run either.
    let exit = closed.map_err(|failure| resumable(failure, job))?;
    noted?;
    if exit == Exit::Interrupted && job.can_be_previewed() {
        session.say(&again(job));
    }
    Ok(exit)
}

/// For the audit log, with what the shell is told.
pub(super) fn with_exit(ended: Ended, closed: &Result<Exit>) -> Ended {
    let code = match closed {
        Ok(exit) => *exit,
        Err(failure) => failure.exit,
    };
    Ended {
        exit: Some(code as u8),
        ..ended
    }
}

/// How to go on with a plan that was not done.
fn again(job: &Job) -> String {
    let id = job.the_plan().id();
    format!("the plan is kept: go on with evtap apply {id}")
}

/// A failure of a run, with how to go on.
fn resumable(mut failure: Failure, job: &Job) -> Failure {
    if job.can_be_previewed() && matches!(failure.exit, Exit::Incomplete | Exit::Interrupted) {
        let again = again(job);
        failure.hint = Some(match failure.hint {
            Some(hint) => format!("{hint}\n{again}"),
            None => again,
        });
    }
    failure
}

/// Keeps the plan for `evtap apply`, and touches nothing else.
fn write_plan(session: &Session, job: &Job, path: &Path, overwrite: bool) -> Result<Exit> {
    if !job.can_be_previewed() {
        return Err(Failure::usage(
            "standard input comes only once: it cannot be planned for later",
        )
        .hint("keep the events in a file, and plan with that"));
    }
    let plan = job.the_plan();
    plan.save(path, overwrite)?;
    say(session, &plan.describe());
    session.say(&format!(
        "the plan stands in {}; nothing else was written",
        path.display()
    ));
    Ok(Exit::Done)
}

/// Nobody can answer: better said before anything is read.
pub(super) fn refuse_unconfirmed(session: &Session, asks: bool) -> Result<()> {
    use std::io::IsTerminal;
    if !asks || (std::io::stdin().is_terminal() && session.stderr_is_terminal) {
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
async fn preview(session: &Session, job: &mut Job, outlook: &Outlook) -> Result<Option<Exit>> {
    let mut progress = Progress::new(session, false);
    let preview = job.preview(&|| session.minded_stop(), &mut progress).await;
    progress.clear();
    let Some(preview) = preview? else {
        return Ok(None);
    };
    say(session, &preview.describe());
    let now = Timestamp::wall_clock();
    say(
        session,
        &outlook.describe(job.the_plan(), Some(&preview), now),
    );
    job.judge(&preview)?;
    outlook.judge(job.the_plan(), &preview, now)?;
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
    // A run that goes on can end before the next tick.
    bar.tell_lag(session, &control.figures(), &mut progress);
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

/// Compares what was selected with what the target holds, by provenance where that can be. What
/// was found, and what that means to the shell; nothing after a run that is known to be incomplete.
async fn verify(
    session: &Session,
    job: &Job,
    ran: &mut Ran,
) -> Result<Option<(Exit, Vec<String>)>> {
    if !ran.came_to_an_end() {
        return Ok(None);
    }
    if !job.can_be_compared() {
        let counted = job.verify(ran).await?;
        return Ok(counted.map(|found| {
            let good = found.problems.is_empty();
            let exit = if good { Exit::Done } else { Exit::Finding };
            (exit, found.describe())
        }));
    }
    session.say(if ran.source_is_noted() {
        "verifying: the target is read and held against what was selected"
    } else {
        "verifying: both sides are read once more"
    });
    let mut progress = Progress::new(session, false);
    let stop = || session.minded_stop();
    let compared = job.compare_run(ran, &stop, &mut progress).await;
    progress.clear();
    let Some(compared) = compared? else {
        let said = "interrupted: it is not verified; what was written stays";
        return Ok(Some((Exit::Interrupted, vec![said.to_owned()])));
    };
    Ok(Some((exit_of(&compared), compared.describe())))
}

/// What a verification means to the shell.
pub(super) fn exit_of(compared: &Comparison) -> Exit {
    match compared.verdict() {
        Verdict::Clean => Exit::Done,
        Verdict::Violation => Exit::Finding,
        Verdict::Inconclusive => Exit::Partial,
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

/// Verifies, sums up, and says how it ended: to the user, and for the audit log.
async fn close(
    session: &Session,
    wishes: &Wishes<'_>,
    job: &Job,
    mut ran: Ran,
) -> (Result<Exit>, Ended) {
    let verification = verify(session, job, &mut ran).await;
    let verified = verification.as_ref().ok().and_then(Option::as_ref);
    let verified = verified.and_then(|(exit, _)| match exit {
        Exit::Done => Some(true),
        Exit::Finding => Some(false),
        _ => None,
    });
    let ended = Ended::of(&ran, verified);
    let closed = verification.and_then(|verification| sum_up(session, wishes, ran, verification));
    (closed, ended)
}

fn sum_up(
    session: &Session,
    wishes: &Wishes<'_>,
    ran: Ran,
    verification: Option<(Exit, Vec<String>)>,
) -> Result<Exit> {
    let rejected = ran.report.tally.rejected();
    let begun = ran.report.sent > 0 || ran.report.in_doubt > 0;
    let outcome = ran.outcome?;
    let mut exit = reading::exit_of_outcome(&outcome, false, wishes.fail_empty);
    if exit == Exit::Done && rejected > 0 {
        exit = Exit::Finding;
    }
    if let Some((verified, lines)) = verification {
        say(session, &lines);
        if verified != Exit::Done {
            exit = verified;
        }
    }
    summary::close(session, &outcome, wishes.summary)?;
    match outcome.end {
        End::Failed(error) => {
            // Of its own files it writes only the journal meanwhile.
            let journal = error.kind == ErrorKind::File;
            let mut failure = Failure::from(error).on("the replay is incomplete");
            if begun && (journal || failure.exit == Exit::Broker) {
                failure.exit = Exit::Incomplete;
            }
            Err(failure)
        }
        _ => Ok(exit),
    }
}
