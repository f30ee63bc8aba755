//! The counts of a redrive as one JSON document.

use serde_json::{Map, Value, json};

use super::Redrive;
use crate::cli::error::{Exit, Result};
use crate::cli::print::print_json;
use crate::cli::topics::Report;
use crate::replay::redrive::{Fate, Group, Tally};

/// Prints it where that was asked for. `problems`: what a verification found; `None` where nothing
/// was written.
pub fn json(args: &Redrive, tally: &Tally, problems: Option<&[String]>) -> Result<Exit> {
    if args.output != Report::Json {
        return Ok(Exit::Done);
    }
    let groups: Vec<Value> = tally.groups.iter().map(group).collect();
    print_json(&json!({
        "written": problems.is_some(),
        "found": tally.found,
        "redriven": tally.redriven(),
        "parked": tally.parked(),
        "left": tally.left(),
        "fates": fates(|fate| tally.count(fate)),
        "groups": groups,
        "problems": problems,
    }))
}

fn fates(count: impl Fn(Fate) -> u64) -> Value {
    let all = Fate::ALL.into_iter().map(|fate| (fate, count(fate)));
    let some = all.filter(|(_, count)| *count > 0);
    let members: Map<String, Value> = some
        .map(|(fate, count)| (fate.word().to_owned(), count.into()))
        .collect();
    Value::Object(members)
}

fn group(group: &Group) -> Value {
    json!({
        "reason": group.reason,
        "count": group.count,
        "first": group.first.map(|time| time.to_string()),
        "last": group.last.map(|time| time.to_string()),
        "sample": group.sample,
        "origins": group.origins.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "fates": fates(|fate| group.count_of(fate)),
    })
}
