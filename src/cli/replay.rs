//! `evtap replay`: plan, preview, confirm, run, verify. The talk is here, the flags in
//! `replay_args`; the engine is the room `replay`.

use std::time::Duration;

use super::confirm::{Question, confirm};
use super::error::{Exit, Failure, Result};
use super::position::Pos;
use super::progress::Progress;
use super::reading::{self, Reading};
use super::replay_args::Replay;
use super::session::{Opened, Session};
use super::{explain, summary};
use crate::broker::{Address, ErrorKind, Target};
use crate::pipeline::{self, Consumer, End, Outcome};
use crate::replay::{
    Control, From, Plan, PreviewRun, Report, Runner, TargetState, To, create_target, freeze, guard,
    verify,
};

pub async fn run(session: &Session, args: &Replay) -> Result<Exit> {
    let query = reading::compile(session, &args.select)?;
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
    refuse_existing(&target.address, args.how.overwrite)?;
    let reading =
        reading::prepare_opened(session, query, sources, &args.select, false, &Pos::Start).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    let mut replay = Prepared::new(session, args, reading, target).await?;
    replay.say(&replay.plan.describe());
    if args.how.wants_preview() && !replay.preview().await? {
        session.say("interrupted; nothing was written");
        return Ok(Exit::Interrupted);
    }
    if args.how.dry_run {
        session.say("dry run: nothing was written");
        return Ok(Exit::Done);
    }
    replay.confirm().await?;
    replay.run().await
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

fn refuse_existing(target: &Address, overwrite: bool) -> Result<()> {
    match target {
        Address::File { path } if path.exists() && !overwrite => {
            Err(Failure::usage(format!("{} exists already", path.display()))
                .hint("choose another name, or give --overwrite"))
        }
        _ => Ok(()),
    }
}

/// How often the bar of a replay moves.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// A wait that is longer is explained.
const SAY_AFTER: Duration = Duration::from_secs(2);

/// A replay that was planned.
struct Prepared<'a> {
    session: &'a Session,
    args: &'a Replay,
    reading: Reading,
    target: Opened,
    plan: Plan,
    earliest: Option<crate::event::Timestamp>,
    /// How many events the preview found, if there was one.
    to_send: Option<u64>,
    /// Standard input comes once: it cannot be previewed.
    once: bool,
}

impl<'a> Prepared<'a> {
    async fn new(
        session: &'a Session,
        args: &'a Replay,
        mut reading: Reading,
        target: Opened,
    ) -> Result<Self> {
        let once = reading
            .inputs
            .iter()
            .any(|i| matches!(i.opened.address, Address::Stdin));
        let mut ranges = Vec::with_capacity(reading.inputs.len());
        if once {
            ranges.resize(reading.inputs.len(), Vec::new());
        } else {
            ranges = reading.resolve().await?;
            reading.freeze(ranges.clone());
        }
        let from: Vec<From<'_>> = reading
            .inputs
            .iter()
            .zip(ranges)
            .map(|(input, ranges)| From {
                address: &input.opened.address,
                broker: &*input.opened.broker,
                ranges,
            })
            .collect();
        let to = To {
            address: &target.address,
            broker: &*target.broker,
            create: args.how.create()?,
            overwrite: args.how.overwrite,
        };
        let plan = freeze(&from, &to, args.how.engine(&args.select))
            .await
            .map_err(|e| {
                // The others say by themselves what they are about.
                let contact = matches!(
                    e.kind,
                    ErrorKind::Unreachable | ErrorKind::Authentication | ErrorKind::Authorization
                );
                let failure = Failure::from(e);
                if contact {
                    failure.on(format!("cannot replay into {}", target.shown))
                } else {
                    failure
                }
            })?;
        drop(from);
        Ok(Self {
            session,
            args,
            reading,
            target,
            plan,
            earliest: None,
            to_send: None,
            once,
        })
    }

    fn say(&self, lines: &[String]) {
        for line in lines {
            self.session.say(line);
        }
    }

    /// Reads the selection, by the run's time line where the pace needs it.
    async fn read(&self, consumer: &mut dyn Consumer, progress: &mut Progress) -> Result<Outcome> {
        let by_time = self.plan.pace.needs_timeline() && !self.once && self.reading.last.is_none();
        if by_time {
            let mut source = self.reading.source_by_time().await?;
            let stop = self.session.minded_stop();
            let limits = self.reading.limits;
            Ok(pipeline::run(&mut *source, consumer, limits, stop, progress).await)
        } else {
            self.reading.run(self.session, consumer, progress).await
        }
    }

    /// Reads into the run, and shows how many events are sent meanwhile.
    async fn copy(&self, runner: &mut Runner, control: &Control) -> Result<Outcome> {
        let mut progress = Progress::new(self.session, false);
        let mut not_by_reading = Progress::none();
        let copied = self.read(runner, &mut not_by_reading);
        tokio::pin!(copied);
        let mut tick = tokio::time::interval(SHOW_EVERY);
        let outcome = loop {
            tokio::select! {
                outcome = &mut copied => break outcome,
                _ = tick.tick() => progress.sent(control.figures().sent, self.to_send),
            }
        };
        progress.clear();
        outcome
    }

    /// Waits until what was sent is stored; says so when that takes long.
    async fn finish(&self, runner: Runner) -> Report {
        let finished = runner.finish();
        tokio::pin!(finished);
        if let Ok(report) = tokio::time::timeout(SAY_AFTER, &mut finished).await {
            return report;
        }
        self.session
            .say("waiting for the target to store what was sent; Ctrl-C twice ends at once");
        finished.await
    }

    /// The same way into a sink that drops everything. False when it was interrupted.
    async fn preview(&mut self) -> Result<bool> {
        if self.once {
            self.session
                .say("standard input comes only once: there is no preview");
            return Ok(true);
        }
        let mut preview = PreviewRun::new(&self.plan);
        let mut progress = Progress::new(self.session, false);
        let outcome = self.read(&mut preview, &mut progress).await;
        progress.clear();
        let outcome = outcome?;
        match outcome.end {
            End::Failed(error) => return Err(Failure::from(error).on("preview")),
            End::Interrupted => return Ok(false),
            _ => {}
        }
        let preview = preview.finish(outcome.scanned);
        self.say(&preview.describe());
        guard::after_preview(&self.plan, &preview)?;
        self.earliest = preview.earliest;
        self.to_send = Some(preview.sent());
        Ok(true)
    }

    async fn confirm(&self) -> Result<()> {
        let what = format!("replay into {}", self.target.shown);
        let production = self.target.env.as_deref() == Some("prod");
        let question = match &self.plan.target.topic {
            Some(topic) if production => Question::Name(topic),
            _ => Question::YesNo,
        };
        confirm(self.session, self.args.how.yes, &question, &what).await
    }

    async fn run(self) -> Result<Exit> {
        let broker = &*self.target.broker;
        create_target(&self.plan, broker).await?;
        let before = TargetState::look(&self.plan, broker).await?;
        let topic = self.plan.target.topic.clone().unwrap_or_default();
        let target = Target {
            topic,
            overwrite: self.plan.target.overwrite,
        };
        let sink = broker.sink(&target).await?;
        let control = Control::new(self.plan.pace);
        let mut runner = Runner::controlled(&self.plan, sink, &control);
        runner.shift_from(self.earliest);
        let outcome = self.copy(&mut runner, &control).await;
        // Whatever ended the run: what was sent is stored and counted.
        let mut report = self.finish(runner).await;
        let failed_late = report.failure.take();
        self.say(&report.describe());
        let mut outcome = outcome?;
        if let (Some(error), false) = (failed_late, matches!(outcome.end, End::Failed(_))) {
            outcome.end = End::Failed(error);
        }
        let mut exit = reading::exit_of_outcome(&outcome, false, self.args.select.fail_empty);
        let ran_through = !matches!(outcome.end, End::Failed(_) | End::Interrupted);
        if ran_through {
            let after = TargetState::look(&self.plan, broker).await?;
            let verification = verify(&self.plan, &report, before.as_ref(), after.as_ref());
            self.say(&verification.describe());
            if !verification.problems.is_empty() {
                exit = Exit::Finding;
            }
        }
        summary::close(self.session, &outcome, self.args.select.summary.as_deref())?;
        match outcome.end {
            End::Failed(error) => {
                let mut failure = Failure::from(error).on("the replay is incomplete");
                let begun = report.sent > 0 || report.in_doubt > 0;
                if begun && failure.exit == Exit::Broker {
                    failure.exit = Exit::Incomplete;
                }
                Err(failure)
            }
            _ => Ok(exit),
        }
    }
}
