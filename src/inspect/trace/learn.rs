//! A saga model mined from events: what directly follows what, by the ids with which events name
//! their causes, and how often. A draft for a person: what is a rejection or undoes something is
//! not in the events, and what went wrong in them is learnt with the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::flow::Flow;
use crate::broker::Group;
use crate::text::push_string;

/// What followed less often is left out: of a hundred, and in all.
const LEAST_PERCENT: u64 = 2;
const LEAST: u64 = 2;

/// One type of event.
#[derive(Debug, Default)]
struct Step {
    topics: BTreeSet<String>,
    events: u64,
    /// What followed, and how often.
    then: BTreeMap<String, u64>,
    longest_ms: i64,
}

/// Writes the model in YAML; `None` where no event names its cause. `keyed`: the events have a
/// correlation id in this header, else their key is taken.
pub fn learn(flow: &Flow, header: Option<&str>, groups: &[Group]) -> Option<String> {
    let mut steps: BTreeMap<String, Step> = BTreeMap::new();
    for pair in flow.pairs() {
        let step = steps.entry(pair.kind.to_owned()).or_default();
        step.topics.insert(pair.topic.to_owned());
        step.events += pair.events;
        step.longest_ms = step.longest_ms.max(pair.longest_ms);
        for (effect, number) in &pair.effects {
            *step.then.entry((*effect).to_owned()).or_default() += number;
        }
    }
    let mut rare = Vec::new();
    for (name, step) in &mut steps {
        let events = step.events;
        step.then.retain(|effect, number| {
            let kept = *number >= LEAST && *number * 100 >= events * LEAST_PERCENT;
            if !kept {
                rare.push(format!("{effect} after {name}: {number} of {events}"));
            }
            kept
        });
    }
    let followers: BTreeSet<String> = steps
        .values()
        .flat_map(|s| s.then.keys().cloned())
        .collect();
    let roots = steps
        .iter()
        .filter(|(name, step)| !followers.contains(*name) && !step.then.is_empty());
    let (start, _) = roots.max_by_key(|(_, step)| step.events)?;
    let reached = reached(&steps, start);
    let mut out = String::from(
        "# Learnt from events: look it over. Say `rejected: true` and `compensation: true` where it is so.\n",
    );
    let id = header.map_or_else(|| "key".to_owned(), |name| format!("[header {name}, key]"));
    line(
        &mut out,
        format_args!("saga: learnt\nid: {id}\nstart: {}\nsteps:\n", Name(start)),
    );
    for (name, step) in steps.iter().filter(|(name, _)| reached.contains(*name)) {
        row(&mut out, name, step, groups);
    }
    for what in rare {
        line(&mut out, format_args!("# left out: {}\n", Shown(&what)));
    }
    for name in steps.keys().filter(|name| !reached.contains(*name)) {
        line(
            &mut out,
            format_args!("# left out: {}, which nothing leads to\n", Shown(name)),
        );
    }
    Some(out)
}

fn reached(steps: &BTreeMap<String, Step>, start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::from([start.to_owned()]);
    let mut waiting = vec![start.to_owned()];
    while let Some(name) = waiting.pop() {
        let next = steps.get(&name).into_iter().flat_map(|s| s.then.keys());
        for name in next {
            if reached.insert(name.clone()) {
                waiting.push(name.clone());
            }
        }
    }
    reached
}

fn row(out: &mut String, name: &str, step: &Step, groups: &[Group]) {
    let list = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<String> = names.map(|name| Name(name).to_string()).collect();
        format!("[{}]", names.join(", "))
    };
    line(
        out,
        format_args!("  {}: {{in: {}", Name(name), list(&mut step.topics.iter())),
    );
    if step.then.is_empty() {
        line(
            out,
            format_args!(", end: true}}  # {} events\n", step.events),
        );
        return;
    }
    line(out, format_args!(", then: {}", list(&mut step.then.keys())));
    let reads = |group: &&Group| {
        group
            .offsets
            .iter()
            .any(|o| step.topics.contains(&*o.topic))
    };
    let readers: Vec<&Group> = groups.iter().filter(reads).collect();
    if let [one] = readers[..] {
        line(out, format_args!(", by: {}", Name(&one.name)));
    }
    // Twice the longest that was seen, in whole seconds.
    let seconds = step.longest_ms.saturating_mul(2).max(0) / 1_000 + 1;
    let numbers: Vec<String> = step.then.values().map(u64::to_string).collect();
    line(
        out,
        format_args!(
            ", sla: {seconds}s}}  # {} of {}",
            numbers.join(" and "),
            step.events
        ),
    );
    if readers.len() > 1 {
        let names: Vec<&str> = readers.iter().map(|g| g.name.as_str()).collect();
        line(out, format_args!("; by: {}", Shown(&names.join(" or "))));
    }
    out.push('\n');
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}

/// A name as YAML takes it: in quotes unless it is plain.
struct Name<'a>(&'a str);

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let word =
            self.0.bytes().all(plain) && self.0.starts_with(|c: char| c.is_ascii_alphabetic());
        // Words that YAML takes for something else.
        let taken = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
        if word && !taken.contains(&self.0.to_ascii_lowercase().as_str()) {
            return f.write_str(self.0);
        }
        let mut quoted = Vec::new();
        // A string of JSON is one of YAML.
        push_string(&mut quoted, self.0);
        f.write_str(&String::from_utf8_lossy(&quoted))
    }
}

/// Text of a comment: it must not end the line.
struct Shown<'a>(&'a str);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", crate::text::Visible(self.0))
    }
}
