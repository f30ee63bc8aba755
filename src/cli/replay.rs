//! `evtap replay`: plan, preview, confirm, run, verify. The flags and the talk are here; the engine
//! is the room `replay`.

use std::time::Duration;

use clap::Args;

use super::args::Select;
use super::confirm::{Question, confirm};
use super::error::{Exit, Failure, Result};
use super::position::Pos;
use super::progress::Progress;
use super::reading::{self, Reading};
use super::session::{Opened, Session};
use super::{examples, explain, summary, units};
use crate::broker::{Address, ErrorKind, Target};
use crate::pipeline::{self, Consumer, End, Outcome};
use crate::replay::{
    Create, From, Guards, How, Pace, PartitionPolicy, Plan, PreviewRun, Runner, TargetState,
    TimestampPolicy, To, create_target, freeze, guard, verify,
};

/// Replay events into a topic or a file: plan, preview, confirm, run, verify
#[derive(Debug, Args)]
#[command(after_help = examples::REPLAY)]
pub struct Replay {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Where to: CONTEXT/TOPIC, a URL with one topic, or a capture file
    #[arg(long, value_name = "TARGET")]
    pub to: String,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub how: HowArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Replaying")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are booleans, and clap wants them as fields"
)]
pub struct HowArgs {
    /// Stop after the preview
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; without it a terminal is needed. The preview is left out, unless --max-events,
    /// --max-duration or --timestamps shift need it
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// same, key, or a partition number [default: same when the counts are equal, else key]
    #[arg(long = "partitions", id = "policy", value_name = "POLICY", value_parser = partitions)]
    pub policy: Option<PartitionPolicy>,
    /// now, keep, or shift (the first event is now, distances kept)
    #[arg(long, value_name = "POLICY", default_value = "now", value_parser = timestamps)]
    pub timestamps: TimestampPolicy,
    /// Make a missing target topic, by default with the source's partitions
    #[arg(long, value_name = "PARTITIONS", num_args = 0..=1, default_missing_value = "source")]
    pub create_topic: Option<String>,
    /// Replace a target file that exists
    #[arg(long)]
    pub overwrite: bool,
    /// Leave out the headers that tell where an event came from
    #[arg(long)]
    pub no_provenance: bool,
    /// Events a second, or max
    #[arg(long, value_name = "N|max", value_parser = units::rate, conflicts_with = "speed")]
    pub rate: Option<f64>,
    /// As it happened, this many times faster: 1x, 10x, or max
    #[arg(long, value_name = "X", value_parser = units::speed)]
    pub speed: Option<f64>,
    /// With --speed: no wait is longer than this
    #[arg(long, value_name = "DUR", value_parser = units::duration, requires = "speed")]
    pub max_gap: Option<Duration>,
    /// Allow the source topic as the target
    #[arg(long)]
    pub allow_self: bool,
    /// Skip events that were replayed this many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub max_replays: u32,
    /// Refuse to write more than this
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,
    /// Refuse to take longer than this
    #[arg(long, value_name = "DUR", value_parser = units::duration)]
    pub max_duration: Option<Duration>,
}

fn partitions(text: &str) -> Result<PartitionPolicy, String> {
    match text {
        "same" => Ok(PartitionPolicy::Same),
        "key" => Ok(PartitionPolicy::Key),
        number => number
            .parse()
            .map(PartitionPolicy::Fixed)
            .map_err(|_| format!("'{text}' is none of same, key or a partition number")),
    }
}

fn timestamps(text: &str) -> Result<TimestampPolicy, String> {
    match text {
        "now" => Ok(TimestampPolicy::Now),
        "keep" => Ok(TimestampPolicy::Keep),
        "shift" => Ok(TimestampPolicy::Shift),
        _ => Err(format!("'{text}' is none of now, keep or shift")),
    }
}

impl HowArgs {
    fn create(&self) -> Result<Create> {
        match self.create_topic.as_deref() {
            None => Ok(Create::Never),
            Some("source") => Ok(Create::LikeSource),
            Some(number) => number.parse().map(Create::Partitions).map_err(|_| {
                Failure::usage(format!("'{number}' is no number of partitions"))
                    .hint("--create-topic 6, or --create-topic alone")
            }),
        }
    }

    /// With `--yes` nobody reads it: then it runs only where what it finds decides something,
    /// before the first event is written.
    fn wants_preview(&self) -> bool {
        !self.yes
            || self.max_events.is_some()
            || self.max_duration.is_some()
            || self.timestamps == TimestampPolicy::Shift
    }

    fn engine(&self, select: &Select) -> How {
        let pace = match (self.rate, self.speed) {
            (Some(rate), _) => Pace::rate(rate),
            (None, Some(speed)) => Pace::speed(speed, self.max_gap),
            (None, None) => Pace::Max,
        };
        How {
            selection: selection(select),
            partitions: self.policy,
            timestamps: self.timestamps,
            provenance: !self.no_provenance,
            pace,
            guards: Guards {
                allow_self: self.allow_self,
                max_replays: self.max_replays,
                max_events: self.max_events,
                max_duration: self.max_duration,
            },
        }
    }
}

/// The selection as it was typed: part of the plan's identity.
fn selection(select: &Select) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    all.extend(select.where_.iter().map(|e| format!("--where {e}")));
    all.extend(select.grep.iter().map(|e| format!("--grep {e}")));
    if select.ignore_case {
        all.push("--ignore-case".to_owned());
    }
    if select.fixed_strings {
        all.push("--fixed-strings".to_owned());
    }
    all.extend(select.keys.iter().map(|k| format!("--key {k}")));
    all.extend(select.limit.map(|n| format!("--limit {n}")));
    all.extend(select.last.map(|n| format!("--last {n}")));
    all
}

pub async fn run(session: &Session, args: &Replay) -> Result<Exit> {
    reading::compile(session, &args.select)?;
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
        reading::prepare_opened(session, sources, &args.select, false, &Pos::Start).await?;
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

/// A replay that was planned.
struct Prepared<'a> {
    session: &'a Session,
    args: &'a Replay,
    reading: Reading,
    target: Opened,
    plan: Plan,
    earliest: Option<crate::event::Timestamp>,
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
            once,
        })
    }

    fn say(&self, lines: &[String]) {
        for line in lines {
            self.session.say(line);
        }
    }

    /// Reads the selection, by the run's time line where the pace needs it.
    async fn read(&self, consumer: &mut dyn Consumer) -> Result<Outcome> {
        let mut progress = Progress::new(self.session, false);
        let by_time = self.plan.pace.needs_timeline() && !self.once && self.reading.last.is_none();
        let outcome = if by_time {
            let mut source = self.reading.source_by_time().await?;
            let stop = self.session.minded_stop();
            let limits = self.reading.limits;
            Ok(pipeline::run(&mut *source, consumer, limits, stop, &mut progress).await)
        } else {
            self.reading
                .run(self.session, consumer, &mut progress)
                .await
        };
        progress.clear();
        outcome
    }

    /// The same way into a sink that drops everything. False when it was interrupted.
    async fn preview(&mut self) -> Result<bool> {
        if self.once {
            self.session
                .say("standard input comes only once: there is no preview");
            return Ok(true);
        }
        let mut preview = PreviewRun::new(&self.plan);
        let outcome = self.read(&mut preview).await?;
        match outcome.end {
            End::Failed(error) => return Err(Failure::from(error).on("preview")),
            End::Interrupted => return Ok(false),
            _ => {}
        }
        let preview = preview.finish(outcome.scanned);
        self.say(&preview.describe());
        guard::after_preview(&self.plan, &preview)?;
        self.earliest = preview.earliest;
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
        let mut runner = Runner::new(&self.plan, sink);
        runner.shift_from(self.earliest);
        let outcome = self.read(&mut runner).await;
        // Whatever ended the run: what was sent is stored and counted.
        let mut report = runner.finish().await;
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
            End::Failed(error) => Err(Failure::from(error).on("the replay is incomplete")),
            _ => Ok(exit),
        }
    }
}
