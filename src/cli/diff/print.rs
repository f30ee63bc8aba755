//! What differs between two streams, as lines like those of a diff, or as one document.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::passes::{Compared, Found};
use crate::cli::changes::{change_line, changes_json};
use crate::cli::error::{Exit, Result};
use crate::cli::print::{print_json, print_lines};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::inspect::compare::{Difference, Rules, Spot, What};
use crate::inspect::state::{Change, diff};
use crate::text::human;

/// Members of the event object that say what an event says.
const SAYING: [&str; 4] = ["key", "headers", "value", "timestamp"];

/// What can be said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Different,
    /// Nothing that differs was found, and not everything was matched.
    Inconclusive,
}

pub const fn verdict(compared: &Compared) -> Verdict {
    match (compared.differ, compared.unmatched) {
        (true, _) => Verdict::Different,
        (false, 0) => Verdict::Same,
        (false, _) => Verdict::Inconclusive,
    }
}

pub fn print(
    session: &Session,
    output: Report,
    rules: &Rules,
    compared: &Compared,
) -> Result<Exit> {
    let listed = &compared.differences.listed;
    let exit = match output {
        Report::Json => print_json(&as_json(rules, compared))?,
        Report::Text => print_lines(listed.iter().map(|one| line(rules, compared, one)))?,
    };
    for told in summary(compared) {
        session.say(&told);
    }
    Ok(exit)
}

fn summary(compared: &Compared) -> Vec<String> {
    let counts = What::ALL.into_iter().filter_map(|what| {
        let count = compared.differences.count(what);
        let words = match what {
            What::OnlyLeft => "only in A",
            What::OnlyRight => "only in B",
            What::Changed => "changed",
            What::Reordered => "moved",
        };
        (count > 0).then(|| format!("{} {words}", human::count(count)))
    });
    let counts: Vec<String> = counts.collect();
    let told = match (verdict(compared), counts.is_empty()) {
        (_, false) => counts.join(", "),
        (Verdict::Different, true) => "they differ".to_owned(),
        (Verdict::Same, true) => "the same".to_owned(),
        (Verdict::Inconclusive, true) => "nothing was found that differs".to_owned(),
    };
    let [left, right] = compared.events.map(human::count);
    let mut lines = vec![format!("A {left} events, B {right} events: {told}")];
    let listed = compared.differences.listed.len() as u64;
    let all: u64 = compared.differences.counts.values().sum();
    if all > listed {
        lines.push(format!(
            "{} more are counted and not listed",
            human::count(all - listed)
        ));
    }
    if !compared.ordered {
        lines.push("the order was not compared: the two have different partitions".to_owned());
    }
    if compared.unmatched > 0 {
        lines.push(format!(
            "{} events that may differ were not matched: give more memory with --mem, or compare \
             less with --from and --until",
            human::count(compared.unmatched)
        ));
    }
    lines
}

fn of(side: &HashMap<Spot, Found>, spot: Option<Spot>) -> Option<&Found> {
    side.get(&spot?)
}

/// What stands on each side.
fn sides<'c>(compared: &'c Compared, one: &Difference) -> [Option<&'c Found>; 2] {
    let [left, right] = &compared.found;
    [of(left, one.left), of(right, one.right)]
}

fn line(rules: &Rules, compared: &Compared, one: &Difference) -> String {
    let [left, right] = sides(compared, one);
    let place = |found: Option<&Found>| {
        found.map_or_else(|| "(not shown)".to_owned(), |found| found.at.to_string())
    };
    let whole = |found: Option<&Found>| {
        let line = found.map(|found| String::from_utf8_lossy(&found.line));
        format!("{}  {}", place(found), line.unwrap_or_default())
    };
    match one.what {
        What::OnlyLeft => format!("- {}", whole(left)),
        What::OnlyRight => format!("+ {}", whole(right)),
        What::Changed => {
            let changes: Vec<String> = changes(rules, left, right)
                .iter()
                .map(change_line)
                .collect();
            let told = if changes.is_empty() {
                // Headers in another order, a member that occurs twice.
                "the bytes differ".to_owned()
            } else {
                changes.join(", ")
            };
            format!("~ {}  {}  {told}", place(left), place(right))
        }
        What::Reordered => format!("> {}  {}", place(left), place(right)),
    }
}

/// The paths in which two events differ, without those that were to be left out.
fn changes(rules: &Rules, left: Option<&Found>, right: Option<&Found>) -> Vec<Change> {
    let said = |found: Option<&Found>| {
        let mut event = event(found);
        rules.prune(&mut event);
        let mut kept = Map::new();
        for name in SAYING {
            let counts = name != "timestamp" || rules.timestamps;
            if let Some(value) = event.get_mut(name).filter(|_| counts) {
                kept.insert(name.to_owned(), value.take());
            }
        }
        Value::Object(kept)
    };
    diff(Some(&said(left)), Some(&said(right)))
}

fn event(found: Option<&Found>) -> Value {
    let line = found.map(|found| &found.line[..]);
    serde_json::from_slice(line.unwrap_or_default()).unwrap_or_default()
}

fn as_json(rules: &Rules, compared: &Compared) -> Value {
    let differences = compared.differences.listed.iter().map(|one| {
        let [left, right] = sides(compared, one);
        let place = |found: Option<&Found>| found.map(|found| found.at.to_string());
        let changed =
            (one.what == What::Changed).then(|| changes_json(&changes(rules, left, right)));
        json!({
            "what": one.what.word(),
            "left": place(left),
            "right": place(right),
            "left_event": event(left),
            "right_event": event(right),
            "changes": changed,
        })
    });
    let differences: Vec<Value> = differences.collect();
    let counts = What::ALL.into_iter().map(|what| {
        let count = compared.differences.count(what);
        (what.word().to_owned(), count.into())
    });
    let counts: Map<String, Value> = counts.collect();
    let [left, right] = compared.events;
    json!({
        "verdict": match verdict(compared) {
            Verdict::Same => "same",
            Verdict::Different => "different",
            Verdict::Inconclusive => "inconclusive",
        },
        "events": {"left": left, "right": right},
        "order_compared": compared.ordered,
        "unmatched": compared.unmatched,
        "counts": counts,
        "differences": differences,
    })
}
