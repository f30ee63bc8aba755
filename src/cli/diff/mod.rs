//! `evtap diff`: two topics or captures, event by event. Both are read once for a sketch; the parts
//! that differ are read again to be matched, and what is listed once more to be shown.

mod passes;
mod print;

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;

use super::args::Select;
use super::error::{Exit, Failure, Result};
use super::session::Session;
use super::topics::Report;
use super::{examples, explain, reading};
use crate::broker::{Address, PartitionRange};
use crate::inspect::compare::{Ignored, Lane, Lanes, Look, Rules};
use passes::Stream;
use print::Verdict;

/// Compare two topics or captures, event by event
#[derive(Debug, Args)]
#[command(after_help = examples::DIFF)]
pub struct Diff {
    /// The one: CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file
    #[arg(value_name = "SOURCE_A")]
    pub left: String,
    /// The other
    #[arg(value_name = "SOURCE_B")]
    pub right: String,
    #[command(flatten)]
    pub select: Select,
    /// Leave a part out: .value.updatedAt, .value.items[].id, .headers.trace, or the same as a JSON
    /// pointer; repeatable
    #[arg(long, value_name = "PATH")]
    pub ignore: Vec<String>,
    /// Match by key and place among the events of the key, even where events have ids; the header
    /// with the id is left out
    #[arg(long)]
    pub by_key: bool,
    /// Compare timestamps, too
    #[arg(long)]
    pub timestamps: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Diff) -> Result<Exit> {
    let ignored = checked(args)?;
    let mut opened = Vec::with_capacity(2);
    for source in [&args.left, &args.right] {
        let sources = std::slice::from_ref(source);
        let query = reading::compile(session, sources, &args.select)?;
        let mut reading = reading::prepare(session, query, sources, &args.select, false).await?;
        if args.select.explain {
            explain::print(&reading).await?;
            continue;
        }
        let ranges = reading.resolve().await?;
        reading.freeze(ranges.clone());
        let ranges: Vec<PartitionRange> = ranges.into_iter().flatten().collect();
        opened.push((reading, ranges, session.decoder(sources)?.looker()));
    }
    let Ok([left, right]) = <[_; 2]>::try_from(opened) else {
        return Ok(Exit::Done);
    };
    let topics = topics(&left.1) > 1 || topics(&right.1) > 1;
    let rules = Rules {
        ignored,
        by_key: args.by_key,
        timestamps: args.timestamps,
        topics,
    };
    let lanes = [partitions(&left.1, topics), partitions(&right.1, topics)];
    // Where the partitions differ, events stand beside others, and a sketch cannot tell.
    let ordered = lanes[0] == lanes[1];
    let [one, other] = lanes;
    let lanes = Lanes::new(one.into_iter().chain(other).collect(), topics);
    let look = Look::new(rules.clone(), left.2);
    let twin = look.twin(right.2);
    let mut streams = [
        Stream::new(left.0, left.1, look, lanes.clone()),
        Stream::new(right.0, right.1, twin, lanes),
    ];
    let compared = passes::compare(session, &mut streams, ordered).await?;
    let exit = print::print(session, args.output, &rules, &compared)?;
    Ok(match print::verdict(&compared) {
        Verdict::Same => exit,
        Verdict::Different => Exit::Finding,
        Verdict::Inconclusive => Exit::Partial,
    })
}

/// What cannot be compared is refused before anything is opened.
fn checked(args: &Diff) -> Result<Ignored> {
    if args.select.last.is_some() || args.select.limit.is_some() {
        return Err(Failure::usage(
            "--last and --limit would cut the two sides at different places",
        )
        .hint("choose a range by --from and --until"));
    }
    for source in [&args.left, &args.right] {
        if matches!(Address::parse(source)?, Address::Stdin) {
            return Err(
                Failure::usage("standard input comes only once, and diff reads twice")
                    .hint("write it to a file: evtap record - --out FILE.jsonl"),
            );
        }
    }
    let mut ignored = Ignored::default();
    for path in &args.ignore {
        ignored
            .add(path)
            .map_err(|told| Failure::usage(format!("--ignore: {told}")))?;
    }
    Ok(ignored)
}

fn topics(ranges: &[PartitionRange]) -> usize {
    let topics: BTreeSet<&Arc<str>> = ranges.iter().map(|range| &range.topic).collect();
    topics.len()
}

/// The partitions of a side that hold something, by topic where that counts.
fn partitions(ranges: &[PartitionRange], topics: bool) -> BTreeSet<Lane> {
    let name = |range: &PartitionRange| topics.then(|| Arc::clone(&range.topic));
    ranges
        .iter()
        .filter(|range| range.start < range.end)
        .map(|range| (name(range), range.partition))
        .collect()
}
