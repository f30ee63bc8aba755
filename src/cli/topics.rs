//! `evtap topics`: topics, partitions, first and end positions, event counts.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::error::{Exit, Failure, Result};
use super::examples;
use super::opened::Opened;
use super::print::{print_json, print_table};
use super::session::Session;
use crate::broker::TopicInfo;
use crate::event::{Position, PositionStyle};
use crate::output::{Align, Table};
use crate::text::human;

/// List topics, their partitions, first and end positions, and event counts
#[derive(Debug, Args)]
#[command(after_help = examples::TOPICS)]
pub struct Topics {
    /// A broker or a file, maybe with topics [default: the default context, or demo:]
    #[arg(value_name = "BROKER")]
    pub broker: Option<String>,
    /// One line a topic, without positions
    #[arg(long)]
    pub brief: bool,
    /// Show the broker's own topics too
    #[arg(long)]
    pub internal: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

/// The formats of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    Text,
    Json,
}

/// Opens the broker that was named, else the default context, else the demo.
pub fn open_broker(session: &Session, named: Option<&str>) -> Result<Opened> {
    if let Some(named) = named {
        return session.open(named);
    }
    match session.config.default_context()? {
        Some(context) => session.open(&context.name),
        None => session.open("demo:"),
    }
}

pub async fn run(session: &Session, args: &Topics) -> Result<Exit> {
    let opened = open_broker(session, args.broker.as_deref())?;
    let which = opened.address.topics();
    let mut topics =
        opened.broker.topics(&which).await.map_err(|e| {
            Failure::from(e).on(format!("cannot list the topics of {}", opened.shown))
        })?;
    if which.is_all() && !args.internal {
        topics.retain(|topic| !topic.internal);
    }
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    if args.output == Report::Json {
        let rows: Vec<Value> = topics.iter().map(as_json).collect();
        return print_json(&json!({ "topics": rows }));
    }
    if topics.is_empty() {
        session.say(&format!("{} has no topics", opened.shown));
        return Ok(Exit::Done);
    }
    let table = if args.brief {
        by_topic(&topics)
    } else {
        by_partition(&topics)
    };
    print_table(session, &table)
}

fn by_topic(topics: &[TopicInfo]) -> Table {
    let mut table = Table::new(&[
        ("TOPIC", Align::Left),
        ("PARTITIONS", Align::Right),
        ("EVENTS", Align::Right),
    ]);
    for topic in topics {
        table.row([
            topic.name.to_string(),
            topic.partitions.len().to_string(),
            events(topic),
        ]);
    }
    table
}

fn by_partition(topics: &[TopicInfo]) -> Table {
    let mut table = Table::new(&[
        ("TOPIC", Align::Left),
        ("PARTITION", Align::Right),
        ("FIRST", Align::Right),
        ("END", Align::Right),
        ("EVENTS", Align::Right),
    ]);
    for topic in topics {
        for part in &topic.partitions {
            let count = match (part.events, span(topic, part.first, part.end)) {
                (Some(events), _) => human::count(events),
                (None, Some(most)) => at_most(most),
                (None, None) => "?".to_owned(),
            };
            table.row([
                topic.name.to_string(),
                part.partition.to_string(),
                part.first.display(topic.style).to_string(),
                part.end.display(topic.style).to_string(),
                count,
            ]);
        }
    }
    table
}

/// Where the broker does not count events, the offsets between first and end are an upper bound:
/// transaction markers and compacted events take offsets too.
fn at_most(most: u64) -> String {
    if most == 0 {
        "0".to_owned()
    } else {
        format!("<={}", human::count(most))
    }
}

fn span(topic: &TopicInfo, first: Position, end: Position) -> Option<u64> {
    (topic.style == PositionStyle::Offset).then(|| end.major.saturating_sub(first.major))
}

fn events(topic: &TopicInfo) -> String {
    let exact: Option<u64> = topic.partitions.iter().map(|p| p.events).sum();
    let most: Option<u64> = topic
        .partitions
        .iter()
        .map(|p| span(topic, p.first, p.end))
        .sum();
    match (exact, most) {
        (Some(events), _) => human::count(events),
        (None, Some(most)) => at_most(most),
        (None, None) => "?".to_owned(),
    }
}

fn as_json(topic: &TopicInfo) -> Value {
    let partitions: Vec<Value> = topic
        .partitions
        .iter()
        .map(|part| {
            json!({
                "partition": part.partition,
                "first": position_json(part.first, topic.style),
                "end": position_json(part.end, topic.style),
                "events": part.events,
            })
        })
        .collect();
    json!({ "topic": &*topic.name, "internal": topic.internal, "partitions": partitions })
}

/// A number where positions are integers, else a string, as in the event object.
pub fn position_json(position: Position, style: PositionStyle) -> Value {
    match style {
        PositionStyle::Offset => json!(position.major),
        PositionStyle::Entry => json!(position.display(style).to_string()),
    }
}
