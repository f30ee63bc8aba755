//! `evtap lag`: consumer groups and how far they are behind, in positions. Reasons, time and
//! trend are not told yet: what is not computed is null in JSON.

use clap::Args;
use serde_json::{Value, json};

use super::error::{Exit, Failure, Result};
use super::examples;
use super::print::{print_json, print_table};
use super::session::Session;
use super::topics::{Report, open_broker, position_json};
use crate::broker::{Group, GroupOffset};
use crate::output::{Align, Table};
use crate::text::human;

/// Show consumer groups and how far they are behind
#[derive(Debug, Args)]
#[command(after_help = examples::LAG)]
pub struct Lag {
    /// A broker, maybe with topics [default: the default context, or demo:]
    #[arg(value_name = "BROKER")]
    pub broker: Option<String>,
    /// Only this group; repeatable
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Lag) -> Result<Exit> {
    let opened = open_broker(session, args.broker.as_deref())?;
    let which = opened.address.topics();
    let mut groups =
        opened.broker.groups().await.map_err(|e| {
            Failure::from(e).on(format!("cannot list the groups of {}", opened.shown))
        })?;
    for wanted in &args.group {
        if !groups.iter().any(|g| g.name == *wanted) {
            let known: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
            let hint = match crate::config::did_you_mean(wanted, known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None if known.is_empty() => "the broker has no groups".to_owned(),
                None => format!("it has: {}", known.join(", ")),
            };
            return Err(Failure::new(
                Exit::Broker,
                format!("{} has no group '{wanted}'", opened.shown),
            )
            .hint(hint));
        }
    }
    groups.retain(|g| args.group.is_empty() || args.group.contains(&g.name));
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    for group in &mut groups {
        group.offsets.retain(|o| which.takes(&o.topic, false));
        group
            .offsets
            .sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    }
    if args.output == Report::Json {
        let rows: Vec<Value> = groups.iter().map(as_json).collect();
        return print_json(&json!({ "groups": rows }));
    }
    if groups.is_empty() {
        session.say(&format!("{} has no consumer groups", opened.shown));
        return Ok(Exit::Done);
    }
    print_table(session, &table(&groups))
}

fn table(groups: &[Group]) -> Table {
    let mut table = Table::new(&[
        ("GROUP", Align::Left),
        ("STATE", Align::Left),
        ("TOPIC", Align::Left),
        ("PARTITION", Align::Right),
        ("COMMITTED", Align::Right),
        ("END", Align::Right),
        ("RAW LAG", Align::Right),
        ("PENDING", Align::Right),
        ("MEMBER", Align::Left),
    ]);
    for group in groups {
        for offset in &group.offsets {
            let or_dash = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), human::count);
            table.row([
                group.name.clone(),
                group.state.clone(),
                offset.topic.to_string(),
                offset.partition.to_string(),
                offset
                    .committed
                    .map_or_else(|| "-".to_owned(), |p| p.display(offset.style).to_string()),
                offset.end.display(offset.style).to_string(),
                or_dash(offset.raw_lag),
                or_dash(offset.pending),
                offset.member.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        if group.offsets.is_empty() {
            let mut row = vec![group.name.clone(), group.state.clone()];
            row.resize(9, "-".to_owned());
            table.row(row);
        }
    }
    table
}

fn as_json(group: &Group) -> Value {
    let partitions: Vec<Value> = group.offsets.iter().map(offset_json).collect();
    json!({
        "group": group.name,
        "state": group.state,
        "type": group.kind,
        "members": group.members,
        "verdict": null,
        "partitions": partitions,
    })
}

fn offset_json(offset: &GroupOffset) -> Value {
    json!({
        "topic": &*offset.topic,
        "partition": offset.partition,
        "committed": offset.committed.map(|p| position_json(p, offset.style)),
        "log_start": position_json(offset.first, offset.style),
        "lso": null,
        "hw": position_json(offset.end, offset.style),
        "raw": offset.raw_lag,
        "visible": null,
        "time_lag_ms": null,
        "to_loss_ms": null,
        "pending": offset.pending,
        "member": offset.member,
        "why": null,
        "at": null,
    })
}
