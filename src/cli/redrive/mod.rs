//! `evtap redrive`: dead letters back to where they came from. Plan, preview by reason, confirm,
//! run, verify. The talk is here, the flags in `args`; the steps are the room `replay::redrive`'s.

mod args;
mod print;

pub use args::Redrive;

use std::io::IsTerminal;

use super::confirm::{Question, confirm};
use super::error::{Exit, Failure, Result};
use super::explain;
use super::position::Pos;
use super::progress::Progress;
use super::reading;
use super::replay::with_exit;
use super::session::Session;
use super::summary;
use crate::broker::guard::allows_write;
use crate::broker::{self, Address, ErrorKind};
use crate::event::Timestamp;
use crate::pipeline::End;
use crate::replay::guard;
use crate::replay::redrive::{Endpoint, Job, Ran, Tally};
use crate::replay::runs::Ended;

pub async fn run(session: &Session, args: &Redrive) -> Result<Exit> {
    let query = reading::compile(session, &args.sources, &args.select)?;
    let custom = args.custom()?;
    let sources = args
        .sources
        .iter()
        .map(|source| session.open(source))
        .collect::<Result<Vec<_>>>()?;
    if sources.iter().any(|s| matches!(s.address, Address::Stdin)) {
        return Err(Failure::usage(
            "standard input comes only once, and a redrive looks before it writes",
        )
        .hint("write it to a file: evtap record - --out FILE.jsonl"));
    }
    let to = args.to(session, &sources)?;
    let parked = args.parked(session, &to)?;
    for endpoint in to
        .endpoints
        .iter()
        .chain(parked.iter().map(|parked| &parked.endpoint))
    {
        refuse_read_only(endpoint)?;
        guard::existing_file(&endpoint.address, args.overwrite)?;
    }
    let addresses: Vec<&Address> = sources.iter().map(|s| &s.address).collect();
    let named = to.endpoints.first().filter(|_| to.topic.is_some());
    for endpoint in named
        .into_iter()
        .chain(parked.iter().map(|parked| &parked.endpoint))
    {
        let checked =
            guard::before_network(&addresses, &endpoint.address, &endpoint.settings, false);
        checked.map_err(without_allow_self)?;
    }
    refuse_unconfirmed(session, args)?;
    let reading =
        reading::prepare_opened(session, query, sources, &args.select, false, &Pos::Start).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    let asked = args.asked(session, custom, &to)?;
    let mut progress = Progress::new(session, false);
    let stop = || session.minded_stop();
    let job = Job::plan(
        reading,
        to.endpoints,
        to.of_source,
        parked,
        asked,
        &stop,
        &mut progress,
    )
    .await;
    progress.clear();
    let Some(job) = job? else {
        session.say("interrupted; nothing was written");
        return Ok(Exit::Interrupted);
    };
    say(session, &job.describe());
    decide(session, args, job).await
}

fn say(session: &Session, lines: &[String]) {
    for line in lines {
        session.say(line);
    }
}

/// A redrive never writes among the dead letters that it reads.
fn without_allow_self(error: broker::Error) -> broker::Error {
    match &error.hint {
        Some(hint) if hint.contains("--allow-self") => error.hint("name another topic"),
        _ => error,
    }
}

/// A context that takes no write is known before the network is used; the adapter holds it too.
fn refuse_read_only(endpoint: &Endpoint) -> Result<()> {
    if endpoint.settings.read_only {
        let topics = endpoint.address.topics().to_string();
        allows_write(&endpoint.settings, &topics)?;
    }
    Ok(())
}

/// Nobody can answer: better said before anything is read.
fn refuse_unconfirmed(session: &Session, args: &Redrive) -> Result<()> {
    let asks = std::io::stdin().is_terminal() && session.stderr_is_terminal;
    if asks || args.yes || args.dry_run || args.select.explain {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "guard confirm: a redrive writes, and there is no terminal to ask on",
    )
    .hint("look at it with --dry-run, then give --yes"))
}

/// From the preview on.
async fn decide(session: &Session, args: &Redrive, mut job: Job) -> Result<Exit> {
    let mut progress = Progress::new(session, false);
    let tally = job.preview(&|| session.minded_stop(), &mut progress).await;
    progress.clear();
    let Some(tally) = tally? else {
        session.say("interrupted; nothing was written");
        return Ok(Exit::Interrupted);
    };
    say(session, &tally.describe());
    let writes = tally.redriven() > 0 || (job.parks() && tally.parked() > 0);
    let empty = if tally.found == 0 && args.select.fail_empty {
        Exit::Finding
    } else {
        Exit::Done
    };
    if args.dry_run || !writes {
        let why = if args.dry_run {
            "dry run: nothing was written"
        } else {
            "nothing to redrive; nothing was written"
        };
        session.say(&format!("{}: {why}", would(args, &tally)));
        print::json(args, &tally, None)?;
        return Ok(empty);
    }
    let what = format!(
        "redrive {} dead letters into {}",
        tally.redriven(),
        job.places().join(", ")
    );
    let names = job.names_to_type();
    let question = names.as_deref().map_or(Question::YesNo, Question::Name);
    confirm(session, args.yes, &question, &what).await?;
    job.keep(&session.state_folder()?, Timestamp::wall_clock())?;
    let (closed, ended) = write(session, args, &job).await;
    let noted = job.note(&with_exit(ended, &closed), Timestamp::wall_clock());
    // What failed first is told first; a run that nobody can prove is no good run either.
    let exit = closed?;
    noted?;
    Ok(exit)
}

/// From the first event that is written on: what it means to the user, and to the audit log.
async fn write(session: &Session, args: &Redrive, job: &Job) -> (Result<Exit>, Ended) {
    let mut progress = Progress::new(session, false);
    let ran = job.run(&|| session.minded_stop(), &mut progress).await;
    progress.clear();
    match ran {
        Ok(ran) => close(session, args, job, ran).await,
        Err(error) => {
            let ended = Ended::failed(error.kind);
            (Err(error.into()), ended)
        }
    }
}

/// What a dry run found is not claimed as done.
fn would(args: &Redrive, tally: &Tally) -> String {
    let summary = tally.summary();
    if args.dry_run {
        summary
            .replace(" redriven", " to redrive")
            .replace(" parked", " to park")
    } else {
        summary
    }
}

/// Verifies, sums up, and says how it ended.
async fn close(session: &Session, args: &Redrive, job: &Job, ran: Ran) -> (Result<Exit>, Ended) {
    say(session, &ran.describe(&job.places()));
    let ended = ran.outcome.as_ref().map(|outcome| &outcome.end);
    let through = matches!(ended, Ok(end) if !matches!(end, End::Failed(_) | End::Interrupted));
    let verified = if through {
        job.verify(&ran).await.map(Some)
    } else {
        Ok(None)
    };
    let good = verified.as_ref().ok().and_then(Option::as_ref);
    let ended = job.ended(&ran, good.map(Vec::is_empty));
    let closed = match verified {
        Ok(problems) => sum_up(session, args, ran, problems),
        Err(error) => Err(error.into()),
    };
    (closed, ended)
}

/// `problems`: what a verification found; `None` after a run that is known to be incomplete.
fn sum_up(
    session: &Session,
    args: &Redrive,
    ran: Ran,
    problems: Option<Vec<String>>,
) -> Result<Exit> {
    if let Some(problems) = &problems {
        session.say(if problems.is_empty() {
            "verified: good (sent with stored, and with the targets' own counts before and after)"
        } else {
            "verified: NOT good"
        });
        say(session, problems);
        session.say(&ran.tally.summary());
    }
    let problems = problems.unwrap_or_default();
    print::json(args, &ran.tally, Some(&problems))?;
    let begun = ran.sent.iter().any(|sent| sent.sent + sent.in_doubt > 0);
    let outcome = ran.outcome?;
    let mut exit = reading::exit_of_outcome(&outcome, false, args.select.fail_empty);
    if !problems.is_empty() {
        exit = Exit::Finding;
    }
    summary::close(session, &outcome, args.select.summary.as_deref())?;
    match outcome.end {
        End::Failed(error) => {
            let refused = error.kind == ErrorKind::Refused;
            let mut failure = Failure::from(error).on("the redrive is incomplete");
            if begun && !refused {
                failure.exit = Exit::Incomplete;
            }
            Err(failure)
        }
        _ => Ok(exit),
    }
}
