//! `evtap brokers`: the adapters built in, and what each can and cannot do.

use clap::Args;
use serde_json::{Value, json};

use super::error::{Exit, Result};
use super::examples;
use super::print::{print_json, print_lines, print_table};
use super::session::Session;
use super::topics::Report;
use crate::broker::{ADAPTERS, Adapter, Capabilities};
use crate::event::PositionStyle;
use crate::output::{Align, Table};

/// List the adapters built in, and what each can and cannot do
#[derive(Debug, Args)]
#[command(after_help = examples::BROKERS)]
pub struct Brokers {
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub fn run(session: &Session, args: &Brokers) -> Result<Exit> {
    if args.output == Report::Json {
        let rows: Vec<Value> = ADAPTERS.iter().map(as_json).collect();
        return print_json(&json!({ "adapters": rows }));
    }
    let mut columns = vec![("", Align::Left)];
    columns.extend(ADAPTERS.iter().map(|a| (a.name, Align::Left)));
    let mut table = Table::new(&columns);
    for (index, (name, _)) in yes_no(&ADAPTERS[0].capabilities).iter().enumerate() {
        let mut row = vec![(*name).to_owned()];
        for adapter in ADAPTERS {
            let can = yes_no(&adapter.capabilities)[index].1;
            row.push(if can { "yes" } else { "-" }.to_owned());
        }
        table.row(row);
    }
    let mut look = vec!["looking".to_owned()];
    look.extend(
        ADAPTERS
            .iter()
            .map(|a| a.capabilities.look.name().to_owned()),
    );
    table.row(look);
    let about = ADAPTERS
        .iter()
        .map(|a| format!("{}: {}{}", a.name, a.about, schemes(a)));
    print_table(session, &table)?;
    print_lines([String::new()].into_iter().chain(about))
}

fn schemes(adapter: &Adapter) -> String {
    if adapter.schemes.is_empty() {
        return String::new();
    }
    let all: Vec<String> = adapter.schemes.iter().map(|s| format!("{s}:")).collect();
    format!(" ({})", all.join(" "))
}

/// The yes-and-no part of the table, in one order for every adapter.
fn yes_no(can: &Capabilities) -> [(&'static str, bool); 15] {
    [
        ("history", can.history),
        ("positions", can.positions.is_some()),
        ("seek by time", can.seek_by_time),
        ("follow", can.follow),
        ("partitions", can.partitions),
        ("consumer groups", can.groups),
        ("keys", can.keys),
        ("headers", can.headers),
        ("null values", can.null_values),
        ("batch metadata", can.batch_metadata),
        ("ordered by time", can.time_ordered),
        ("write", can.write),
        ("create topics", can.create_topics),
        ("keeps timestamps", can.keeps_timestamp),
        ("transactions", can.transactions),
    ]
}

fn as_json(adapter: &Adapter) -> Value {
    let can = &adapter.capabilities;
    let mut flags = serde_json::Map::new();
    for (name, yes) in yes_no(can) {
        flags.insert(name.replace(' ', "_"), json!(yes));
    }
    flags.insert(
        "positions".to_owned(),
        json!(can.positions.map(|style| match style {
            PositionStyle::Offset => "integer",
            PositionStyle::Entry => "string",
        })),
    );
    flags.insert("looking".to_owned(), json!(can.look.name()));
    json!({
        "adapter": adapter.name,
        "schemes": adapter.schemes,
        "about": adapter.about,
        "capabilities": flags,
    })
}
