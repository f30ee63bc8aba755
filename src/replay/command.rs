//! The command line that asks for a replay as a [`Job`] has it, for a shell. Secrets are not in it:
//! what was typed as `***` or not at all must be filled in.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::{Job, Pace, PartitionPolicy, Plan, TimestampPolicy};
use crate::broker::{Bound, PartitionRange, Range};
use crate::event::{Position, PositionStyle};

/// A bare number from here on is taken for a time: an offset that large cannot be written.
const EPOCH_MS: u64 = 1_000_000_000_000;

impl Job {
    /// `evtap replay …` for the same sources, selection, target and manner. The frozen range
    /// stands in it where flags can say it, which hold for all partitions alike; else the range
    /// as it was asked for does. `None` where no flags can say it: ranges that were frozen before,
    /// and differ.
    pub fn command_line(&self) -> Option<String> {
        let plan = self.the_plan();
        let mut words = Words::new();
        for input in &self.reading().inputs {
            words.operand(&input.shown);
        }
        words.with("--to", &self.destination().shown);
        self.range(&mut words)?;
        for (flag, value) in plan.selection.flags() {
            match value {
                Some(value) => words.with(flag, &value),
                None => words.flag(flag),
            }
        }
        let limits = self.reading().limits;
        words.duration("--idle", limits.idle);
        words.duration("--timeout", limits.timeout);
        manner(&mut words, plan);
        guards(&mut words, plan);
        Some(words.text)
    }

    fn range(&self, words: &mut Words) -> Option<()> {
        let mut partitions = BTreeSet::new();
        for (input, asked) in self.reading().inputs.iter().zip(&self.asked) {
            match asked {
                Range::Bounds { .. } => partitions.extend(&input.sub.partitions),
                Range::Frozen(ranges) => partitions.extend(ranges.iter().map(|r| r.partition)),
            }
        }
        for partition in partitions {
            words.with("--partition", &partition.to_string());
        }
        let ranges = self.the_plan().sources.iter().flat_map(|s| &s.ranges);
        let (from, until) = match (one_range(ranges), self.asked.first()) {
            (Some((from, until)), _) => (Some(from), Some(until)),
            (None, Some(Range::Bounds { from, until })) => {
                (bound(from, &Bound::Start), bound(until, &Bound::End))
            }
            (None, Some(Range::Frozen(_))) => return None,
            (None, None) => (None, None),
        };
        for (flag, at) in [("--from", from), ("--until", until)] {
            if let Some(at) = at {
                words.with(flag, &at);
            }
        }
        Some(())
    }
}

/// The range of all partitions, where they have the same.
fn one_range<'r>(mut ranges: impl Iterator<Item = &'r PartitionRange>) -> Option<(String, String)> {
    let first = ranges.next()?;
    let same =
        |r: &PartitionRange| (r.style, r.start, r.end) == (first.style, first.start, first.end);
    if !ranges.all(same) {
        return None;
    }
    Some((
        position(first.start, first.style)?,
        position(first.end, first.style)?,
    ))
}

fn position(position: Position, style: PositionStyle) -> Option<String> {
    let large = style == PositionStyle::Offset && position.major >= EPOCH_MS;
    (!large).then(|| position.display(style).to_string())
}

/// A bound as `--from` takes it; `None` for the one that is taken without the flag.
fn bound(bound: &Bound, default: &Bound) -> Option<String> {
    if bound == default {
        return None;
    }
    Some(match bound {
        Bound::Start => "start".to_owned(),
        Bound::End => "end".to_owned(),
        Bound::At(at) if at.minor == 0 => at.major.to_string(),
        Bound::At(at) => at.display(PositionStyle::Entry).to_string(),
        Bound::Last(count) => format!("-{count}"),
        Bound::Time(time) => time.to_string(),
        Bound::Group(group) => format!("stored:{group}"),
    })
}

fn manner(words: &mut Words, plan: &Plan) {
    match plan.partitions {
        PartitionPolicy::Same => words.with("--partitions", "same"),
        PartitionPolicy::Key => words.with("--partitions", "key"),
        PartitionPolicy::Fixed(partition) => words.with("--partitions", &partition.to_string()),
    }
    match plan.timestamps {
        TimestampPolicy::Now => {}
        TimestampPolicy::Keep => words.with("--timestamps", "keep"),
        TimestampPolicy::Shift => words.with("--timestamps", "shift"),
    }
    if let (true, Some(partitions)) = (plan.target.create, plan.target.partitions) {
        words.with("--create-topic", &partitions.to_string());
    }
    if plan.target.overwrite {
        words.flag("--overwrite");
    }
    if !plan.provenance {
        words.flag("--no-provenance");
    }
    match plan.pace {
        Pace::Max => {}
        Pace::Rate(rate) => words.with("--rate", &rate.to_string()),
        Pace::Speed { factor, max_gap } => {
            words.with("--speed", &format!("{factor}x"));
            words.duration("--max-gap", max_gap);
        }
    }
}

fn guards(words: &mut Words, plan: &Plan) {
    let guards = &plan.guards;
    if guards.allow_self {
        words.flag("--allow-self");
    }
    if guards.max_replays != 1 {
        words.with("--max-replays", &guards.max_replays.to_string());
    }
    if let Some(most) = guards.max_events {
        words.with("--max-events", &most.to_string());
    }
    words.duration("--max-duration", guards.max_duration);
}

/// A command line that grows.
struct Words {
    text: String,
}

impl Words {
    fn new() -> Self {
        Self {
            text: "evtap replay".to_owned(),
        }
    }

    /// A word that is no flag. One that looks like a flag cannot be an address either.
    fn operand(&mut self, word: &str) {
        self.text.push(' ');
        self.text.push_str(&quoted(word));
    }

    fn flag(&mut self, flag: &str) {
        self.operand(flag);
    }

    /// A flag with its value; joined by `=` where the value could be taken for another flag.
    fn with(&mut self, flag: &str, value: &str) {
        if value.starts_with('-') {
            self.text.push(' ');
            self.text.push_str(flag);
            self.text.push('=');
            self.text.push_str(&quoted(value));
        } else {
            self.operand(flag);
            self.operand(value);
        }
    }

    fn duration(&mut self, flag: &str, value: Option<Duration>) {
        let Some(value) = value else { return };
        // To the millisecond, as flags are read.
        self.with(flag, &format!("{}ms", value.as_millis()));
    }
}

/// A word as POSIX shells read it: in single quotes where that matters, with control characters
/// as `$'…'`, so that the line stays one and can be shown.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    // zsh looks a word up that begins with an equals sign.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.contains(crate::text::is_hostile) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut out = String::from("$'");
    for c in word.chars() {
        match c {
            '\'' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if crate::text::is_hostile(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing into a String does not fail.
                    let written = write!(out, "\\x{byte:02x}");
                    debug_assert!(written.is_ok());
                }
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests;
