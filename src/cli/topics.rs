//! `evtap topics`: topics, partitions, first and end positions, event counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::error::{Exit, Failure, Result};
use super::examples;
use super::opened::Opened;
use super::print::{print_json, print_table};
use super::session::Session;
use crate::broker::{Overview, PartitionInfo, Silent, TopicInfo};
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
    let mut found =
        opened.broker.overview(&which).await.map_err(|e| {
            Failure::from(e).on(format!("cannot list the topics of {}", opened.shown))
        })?;
    if which.is_all() && !args.internal {
        let internal = found.topics.extract_if(.., |topic| topic.internal);
        for topic in internal {
            found.silent.remove(&topic.name);
        }
    }
    found.topics.sort_by(|a, b| a.name.cmp(&b.name));
    let printed = if args.output == Report::Json {
        let rows: Vec<Value> = found.topics.iter().map(|t| as_json(t, &found)).collect();
        print_json(&json!({ "topics": rows }))?
    } else if found.topics.is_empty() {
        session.say(&format!("{} has no topics", opened.shown));
        Exit::Done
    } else if args.brief {
        print_table(session, &by_topic(&found))?
    } else {
        print_table(session, &by_partition(&found))?
    };
    if found.silent.is_empty() {
        return Ok(printed);
    }
    for line in outages(&found.silent) {
        session.say(&line);
    }
    Ok(Exit::Partial)
}

/// Which partitions do not answer, by the reason.
fn outages(silent: &BTreeMap<Arc<str>, Vec<Silent>>) -> Vec<String> {
    const NAMED: usize = 5;
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (topic, silent) in silent {
        for one in silent {
            let name = format!("{topic}/{}", one.partition);
            reasons.entry(&one.why).or_default().push(name);
        }
    }
    let line = |(why, mut names): (&str, Vec<String>)| {
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("no answer for {}{more}: {why}", names.join(", "))
    };
    reasons.into_iter().map(line).collect()
}

/// All of its partitions in order, those that answer and those that do not.
fn partitions<'a>(
    topic: &'a TopicInfo,
    found: &'a Overview,
) -> Vec<(u32, std::result::Result<&'a PartitionInfo, &'a Silent>)> {
    let told = topic
        .partitions
        .iter()
        .map(|part| (part.partition, Ok(part)));
    let silent = found.silent(&topic.name).iter();
    let silent = silent.map(|one| (one.partition, Err(one)));
    let mut all: Vec<_> = told.chain(silent).collect();
    all.sort_by_key(|(number, _)| *number);
    all
}

fn by_topic(found: &Overview) -> Table {
    let mut table = Table::new(&[
        ("TOPIC", Align::Left),
        ("PARTITIONS", Align::Right),
        ("EVENTS", Align::Right),
    ]);
    for topic in &found.topics {
        let silent = found.silent(&topic.name).len();
        table.row([
            topic.name.to_string(),
            (topic.partitions.len() + silent).to_string(),
            if silent > 0 {
                "?".to_owned()
            } else {
                events(topic)
            },
        ]);
    }
    table
}

fn by_partition(found: &Overview) -> Table {
    let mut table = Table::new(&[
        ("TOPIC", Align::Left),
        ("PARTITION", Align::Right),
        ("FIRST", Align::Right),
        ("END", Align::Right),
        ("EVENTS", Align::Right),
    ]);
    for topic in &found.topics {
        for (number, part) in partitions(topic, found) {
            let Ok(part) = part else {
                let unknown = || "?".to_owned();
                let (name, number) = (topic.name.to_string(), number.to_string());
                table.row([name, number, unknown(), unknown(), unknown()]);
                continue;
            };
            let count = match (part.events, span(topic, part.first, part.end)) {
                (Some(events), _) => human::count(events),
                (None, Some(most)) => at_most(most),
                (None, None) => "?".to_owned(),
            };
            table.row([
                topic.name.to_string(),
                number.to_string(),
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

fn as_json(topic: &TopicInfo, found: &Overview) -> Value {
    let partitions: Vec<Value> = partitions(topic, found)
        .into_iter()
        .map(|(number, part)| match part {
            Ok(part) => json!({
                "partition": number,
                "first": position_json(part.first, topic.style),
                "end": position_json(part.end, topic.style),
                "events": part.events,
            }),
            Err(silent) => json!({
                "partition": number,
                "first": null,
                "end": null,
                "events": null,
                "error": silent.why,
            }),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(silent: &[u32]) -> Overview {
        let told = |partition| PartitionInfo {
            partition,
            first: Position::offset(2),
            end: Position::offset(9),
            events: None,
        };
        let told = (0..8).filter(|p| !silent.contains(p)).map(told);
        let mut found = Overview::from(vec![TopicInfo {
            name: "orders".into(),
            internal: false,
            style: PositionStyle::Offset,
            partitions: told.collect(),
        }]);
        let why = |&partition: &u32| Silent {
            partition,
            why: "no broker leads it".to_owned(),
        };
        let silent = silent.iter().map(why).collect();
        found.silent.insert("orders".into(), silent);
        found
    }

    #[test]
    fn a_partition_that_does_not_answer_stands_in_its_place() {
        let found = found(&[1]);
        let mut out = Vec::new();
        by_partition(&found).write(&mut out, false);
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1], ["orders", "0", "2", "9", "<=7"]);
        assert_eq!(rows[2], ["orders", "1", "?", "?", "?"]);
        assert_eq!(rows.len(), 9);
        let mut out = Vec::new();
        by_topic(&found).write(&mut out, false);
        let text = String::from_utf8(out).unwrap();
        let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["orders", "8", "?"]);
        let json = as_json(&found.topics[0], &found);
        let one = &json["partitions"][1];
        assert_eq!((&one["partition"], &one["end"]), (&1.into(), &Value::Null));
        assert_eq!(one["error"], "no broker leads it");
        assert_eq!(json["partitions"][0].get("error"), None);
    }

    #[test]
    fn an_outage_names_some_and_counts_the_others() {
        let lines = |silent: &[u32]| outages(&found(silent).silent);
        let one = ["no answer for orders/1: no broker leads it"];
        assert_eq!(lines(&[1]), one);
        let more = lines(&[0, 1, 2, 3, 4, 5, 6]);
        let named = "orders/0, orders/1, orders/2, orders/3, orders/4 and 2 more";
        assert_eq!(more, [format!("no answer for {named}: no broker leads it")]);
        assert_eq!(lines(&[]), [""; 0]);
    }
}
