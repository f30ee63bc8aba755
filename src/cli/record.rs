//! `evtap record`: writes what is read into a capture or JSON lines.

use std::sync::Arc;

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::progress::Progress;
use super::session::Session;
use super::{examples, explain, reading, sagas, summary};
use crate::broker::{
    self, Address, BoxFuture, Group, LookCost, Origin, Sink, Target, TopicSettings,
};
use crate::event::Batch;
use crate::pipeline::{Consumer, End, Flow, Input, Reading};
use crate::text::human;

/// Write a capture (.mcap) or JSON lines (.jsonl, .jsonl.zst)
#[derive(Debug, Args)]
#[command(after_help = examples::RECORD)]
pub struct Record {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// The file to write; its ending says which kind
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Replace the file when it exists
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub select: Select,
    /// Go on past the end, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

pub async fn run(session: &Session, args: &Record) -> Result<Exit> {
    let query = reading::compile(session, &args.sources, &args.select)?;
    let saga = sagas::text(session, &args.sources)?;
    let out = file_address(&args.out)?;
    if args.out.exists() && !args.overwrite {
        return Err(
            Failure::usage(format!("{} exists already", args.out.display()))
                .hint("choose another name, or give --overwrite"),
        );
    }
    let reading =
        reading::prepare(session, query, &args.sources, &args.select, args.follow).await?;
    if args.select.explain {
        return explain::print(&reading).await;
    }
    // Asked before the file is made: a missing topic must not leave an empty file behind.
    let mut reading = reading;
    if reading.last.is_none() && !args.follow {
        let ranges = reading.resolve().await?;
        reading.freeze(ranges);
    }
    if args.out.extension().is_some_and(|end| end == "mcap") {
        reading.ask_for_raw();
    }
    let origin = origin(&reading).await?;
    // Before the events are read: what a group has passed then has had its effect.
    let groups = reading::groups(session, &reading, "recorded").await;
    let kept = topic_settings(session, &reading).await;
    let target = session.open_with(&out, |settings| {
        // A capture is not what `--read-only` protects.
        settings.read_only = false;
    })?;
    let mut sink = target
        .broker
        .sink(&Target {
            topic: "".into(),
            overwrite: args.overwrite,
        })
        .await?;
    sink.describe(&origin)?;
    keep(session, &mut *sink, groups);
    if !kept.is_empty()
        && let Err(error) = sink.topic_settings(&kept)
    {
        session.say(&format!("warning: {error}"));
    }
    if let Some(model) = saga {
        sink.saga(&model)?;
    }
    let mut recorder = Recorder { sink };
    let outcome = Progress::new(session, false)
        .read(session, &reading, &mut recorder)
        .await;
    if args.follow {
        // Time has passed since.
        let groups = reading::groups(session, &reading, "recorded").await;
        keep(session, &mut *recorder.sink, groups);
    }
    // Whatever happened, what came so far is worth keeping.
    let written = recorder.sink.flush().await;
    let finished = recorder.sink.finish().await;
    let mut outcome = outcome?;
    let shown = args.out.display();
    match (written, finished) {
        (Ok(written), Ok(())) => session.say(&format!(
            "wrote {} events to {shown}",
            human::count(written.events)
        )),
        (Err(error), _) | (_, Err(error)) => outcome.end = End::Failed(error),
    }
    summary::close(session, &outcome, args.select.summary.as_deref())?;
    if let End::Failed(error) = outcome.end {
        return Err(Failure::from(error));
    }
    Ok(reading::exit_of_outcome(
        &outcome,
        args.follow,
        args.select.fail_empty,
    ))
}

/// How the topics keep their events, as far as the sources tell.
async fn topic_settings(session: &Session, reading: &Reading) -> Vec<TopicSettings> {
    let mut all = Vec::new();
    let cheap = |input: &&Input| input.broker.capabilities().look == LookCost::Free;
    for input in reading.inputs.iter().filter(cheap) {
        let told = async {
            let topics = input.broker.topics(&input.sub.topics).await?;
            let topics: Vec<Arc<str>> = topics.into_iter().map(|topic| topic.name).collect();
            input.broker.topic_settings(&topics).await
        };
        match told.await {
            Ok(told) => all.extend(told),
            // Who may read topics need not be allowed to see how they are kept.
            Err(error) => session.say(&format!(
                "how the topics of {} are kept is not recorded: {error}",
                input.shown
            )),
        }
    }
    all
}

/// Keeps them in the recording, where it has a place for them. Events are worth more: a recording
/// goes on without.
fn keep(session: &Session, sink: &mut dyn Sink, groups: Option<Vec<Group>>) {
    if let Some(groups) = groups
        && let Err(error) = sink.groups(&groups)
    {
        session.say(&format!("warning: {error}"));
    }
}

/// Where the recording comes from; its clock is the latest of the sources' own.
async fn origin(reading: &Reading) -> Result<Origin> {
    let mut origin = Origin::default();
    for input in &reading.inputs {
        let broker = &input.broker;
        origin.sources.push(input.shown.clone());
        origin
            .adapters
            .push(broker.capabilities().adapter.to_owned());
        origin.clock = origin.clock.max(broker.clock().await?);
    }
    Ok(origin)
}

/// A path is taken as a file whatever it looks like.
fn file_address(path: &Path) -> Result<String> {
    let text = path
        .to_str()
        .ok_or_else(|| Failure::usage(format!("the file name {} is not UTF-8", path.display())))?;
    let known = [".mcap", ".jsonl", ".jsonl.zst"];
    if !known.iter().any(|end| text.ends_with(end)) {
        return Err(Failure::usage(format!("what kind of file is {text}?"))
            .hint("let its name end in .mcap, .jsonl or .jsonl.zst"));
    }
    match Address::parse(text) {
        Ok(Address::File { .. }) => Ok(text.to_owned()),
        _ => Ok(format!("./{text}")),
    }
}

struct Recorder {
    sink: Box<dyn Sink>,
}

impl Consumer for Recorder {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        Box::pin(async move {
            self.sink.send(&batch).await?;
            Ok(Flow::More)
        })
    }
}
