//! Where the fields of a topic changed: another type, a field that is new, gone or rarer, a value
//! that was not there before; since which event, and by whom.

use std::fmt;

use super::blocks::Blocks;
use super::report::{Teller, of_types, safe};
use super::tree::{InSlot, JsonType, Last, Node, OfType, Seen};
use super::values::OneValue;
use crate::event::Timestamp;
use crate::inspect::At;
use crate::inspect::lanes::Spot;
use crate::text::human;

/// Events that must have come without a field before it counts as new, or after it as gone.
const WITHOUT: u64 = 10;
/// How many standard deviations two coverages must be apart. The best of thirty places is taken,
/// of thousands of fields: five leave chance one in ten thousand.
const APART: f64 = 5.0;
/// And by how much of all events: in millions, a thousandth is significant and no news.
const LESS: f64 = 0.1;
/// How likely it may be that a value is new by chance.
const BY_CHANCE: f64 = 0.001;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Another type than most.
    Type { usual: JsonType, now: JsonType },
    /// Null, where it was not before.
    Null,
    /// Events have it that before had not.
    New,
    /// Nearly all events had it, and those after this one have not.
    Gone,
    /// Fewer events have it than before: so many of so many had.
    Rarer { had: u64, of: u64 },
    /// One of few strings that did not come before.
    Value,
}

impl Change {
    /// One word for tools.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Type { .. } => "type",
            Self::Null => "null",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Rarer { .. } => "rarer",
            Self::Value => "value",
        }
    }
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub path: String,
    pub change: Change,
    /// The first event that shows it; for a field that is gone, the last that has it; for one that
    /// is rarer, the first of the time from which on it is.
    pub since: At,
    pub since_time: Option<Timestamp>,
    /// The front of that event's key.
    pub key: Option<Box<[u8]>>,
    /// What that event says of the version of its schema; safe to show.
    pub version: Option<String>,
    /// The value that is new, as it is written; safe to show.
    pub value: Option<String>,
    /// Every event had it, while any did.
    pub required: bool,
    /// Events that show it, and events from the first of them on. For a field that is rarer, those
    /// that still have it.
    pub count: u64,
    pub of: u64,
    /// Events by producer, most first; for a field that is rarer, those without it.
    pub by: Vec<(String, u64)>,
}

impl Drift {
    /// True for what breaks readers: a type that changes, and a field that every event had and none
    /// has any longer.
    pub const fn is_break(&self) -> bool {
        match self.change {
            Change::Type { .. } => true,
            Change::Gone => self.required,
            _ => false,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, count) = (&self.path, human::count(self.count));
        let of = human::count(self.of);
        match self.change {
            Change::Type { usual, now } => {
                let (now, usual) = (now.name(), usual.name());
                write!(f, "{path} is {now}, not {usual}, in {count} events since")?;
            }
            Change::Null => write!(f, "{path} is null in {count} events since")?,
            Change::New => write!(f, "{path} is new, in {count} of {of} events since")?,
            Change::Gone => return write!(f, "{path} is gone from {of} events since"),
            Change::Rarer { had, of: all } => {
                let (had, all) = (human::count(had), human::count(all));
                write!(f, "{path} is in {count} of {of} events since, ")?;
                write!(f, "in {had} of {all} before")?;
                return match self.by.first() {
                    Some((name, most)) => write!(f, "; {} without by {name}", human::count(*most)),
                    None => Ok(()),
                };
            }
            Change::Value => {
                let value = self.value.as_deref().unwrap_or_default();
                write!(f, "{path} is {value} in {count} of {of} events since")?;
            }
        }
        match self.by.as_slice() {
            [] => Ok(()),
            [(name, all)] if *all == self.count => write!(f, ", all by {name}"),
            [(name, most), ..] => write!(f, ", {} by {name}", human::count(*most)),
        }
    }
}

impl Teller<'_> {
    /// What changed of one field.
    pub(super) fn drifts(&self, node: &Node, path: &str) -> Vec<Drift> {
        let mut drifts = Vec::new();
        let solid = |(value, _): &(JsonType, &OfType)| *value != JsonType::Null;
        let Some((usual, main)) = of_types(node).filter(solid).max_by_key(|(_, s)| s.count) else {
            return drifts;
        };
        for (now, seen) in of_types(node).filter(|(value, _)| *value != usual) {
            let change = match now {
                JsonType::Null if main.first.time < seen.first.time => Change::Null,
                JsonType::Null => continue,
                _ => Change::Type { usual, now },
            };
            drifts.push(self.drift(
                path,
                change,
                &seen.first,
                &seen.by,
                (seen.count, node.count),
            ));
        }
        self.presence(node, path, main, &mut drifts);
        let values = node.values.all.iter();
        drifts.extend(values.filter_map(|value| self.new_value(node, path, value)));
        drifts
    }

    fn drift(
        &self,
        path: &str,
        change: Change,
        seen: &Seen,
        by: &[(u16, u64)],
        (count, of): (u64, u64),
    ) -> Drift {
        Drift {
            key: seen.key.clone(),
            version: seen.version.as_deref().map(safe),
            ..self.drift_at(path, change, (seen.spot, seen.time), by, (count, of))
        }
    }

    fn drift_at(
        &self,
        path: &str,
        change: Change,
        (spot, time): (Spot, Option<Timestamp>),
        by: &[(u16, u64)],
        (count, of): (u64, u64),
    ) -> Drift {
        Drift {
            path: path.to_owned(),
            change,
            since: self.at(spot),
            since_time: time,
            key: None,
            version: None,
            value: None,
            required: false,
            count,
            of,
            by: self.by(by),
        }
    }

    /// Whether it came, went or became rarer. Within what did so itself nothing else does.
    fn presence(&self, node: &Node, path: &str, main: &OfType, drifts: &mut Vec<Drift>) {
        let Some(parent) = self.known.tree.nodes.get(node.parent) else {
            return;
        };
        let (own, of_parent) = (self.seenness(node), self.seenness(parent));
        if own.is_new() && !of_parent.is_new() {
            let counts = (own.count, own.since);
            drifts.push(self.drift(path, Change::New, &main.first, &main.by, counts));
        }
        if own.is_gone() {
            if !of_parent.is_gone() {
                let Last { spot, time } = main.last;
                let counts = (own.count, own.after);
                drifts.push(Drift {
                    required: own.count == own.while_there,
                    ..self.drift_at(path, Change::Gone, (spot, time), &main.by, counts)
                });
            }
        } else if of_types(parent).count() == 1 {
            drifts.extend(self.rarer(node, parent, path));
        }
    }

    /// Whether fewer of the events that have the parent have it since some time: the time where
    /// the two-proportion z-test is clearest.
    fn rarer(&self, node: &Node, parent: &Node, path: &str) -> Option<Drift> {
        let shift = self.known.shift;
        let (own, all) = (node.blocks.coarser(shift), parent.blocks.coarser(shift));
        let (block, [before, after]) = clearest_drop(&own, &all)?;
        let mut later = self.known.firsts.range(block..);
        let first = later.next().map(|(_, seen)| seen)?;
        let change = Change::Rarer {
            had: before.0,
            of: before.1,
        };
        let lacking = lacking(node, parent);
        Some(self.drift(path, change, first, &lacking, after))
    }

    /// Whether a string of a field that has few comes so often that it would have come before.
    fn new_value(&self, node: &Node, path: &str, value: &OneValue) -> Option<Drift> {
        let before = node.blocks.before(value.first.time?.0);
        let since = node.count.saturating_sub(before);
        if before < WITHOUT || value.count < 2 || since == 0 {
            return None;
        }
        let missing = 1.0 - share((value.count, since)).min(1.0);
        if missing.powf(real(before)) >= BY_CHANCE {
            return None;
        }
        let counts = (value.count, since);
        let drift = self.drift(path, Change::Value, &value.first, &value.by, counts);
        Some(Drift {
            value: Some(safe(&value.text)),
            ..drift
        })
    }

    /// Counted within each partition, so that it does not matter in which order they are read.
    fn seenness(&self, node: &Node) -> Seenness {
        let mut all = Seenness::default();
        let slots = node.slots.iter().zip(&self.known.lanes);
        for (slot, events) in slots.filter(|(slot, _)| slot.count > 0) {
            let InSlot {
                before,
                count,
                upto,
            } = *slot;
            all.before += before;
            all.count += count;
            all.since += events - before;
            all.while_there += upto - before;
            all.after += events - upto;
        }
        all
    }
}

/// Events by producer that have the parent and not the field.
fn lacking(node: &Node, parent: &Node) -> Vec<(u16, u64)> {
    let mut by: Vec<(u16, u64)> = Vec::new();
    for (_, seen) in of_types(parent) {
        by.extend(&seen.by);
    }
    for (_, seen) in of_types(node) {
        for (producer, count) in &seen.by {
            if let Some((_, left)) = by.iter_mut().find(|(p, _)| p == producer) {
                *left = left.saturating_sub(*count);
            }
        }
    }
    by.retain(|(_, left)| *left > 0);
    by
}

/// So many of so many.
type Share = (u64, u64);

#[expect(
    clippy::cast_precision_loss,
    reason = "shares of counts need no more than 52 bits"
)]
const fn real(count: u64) -> f64 {
    count as f64
}

pub(super) fn share((have, of): Share) -> f64 {
    real(have) / real(of.max(1))
}

/// The block from which on the share of `all` that `own` has is most clearly less, and the shares
/// before and since.
fn clearest_drop(own: &Blocks, all: &Blocks) -> Option<(i64, [Share; 2])> {
    let total = all.iter().fold((0, 0), |sum: Share, (block, events)| {
        let own = own.of(block).min(events);
        (sum.0 + u64::from(own), sum.1 + u64::from(events))
    });
    let mut best: Option<(f64, i64, [Share; 2])> = None;
    let mut before: Share = (0, 0);
    for (block, events) in all.iter() {
        let after = (total.0 - before.0, total.1 - before.1);
        if let Some(z) = drop_of(before, after)
            && best.is_none_or(|(most, ..)| z > most)
        {
            best = Some((z, block, [before, after]));
        }
        before.0 += u64::from(own.of(block).min(events));
        before.1 += u64::from(events);
    }
    best.map(|(_, block, shares)| (block, shares))
}

/// The z of the two-proportion test with a pooled variance, where the second share is less by
/// enough of enough. See <https://en.wikipedia.org/wiki/Two-proportion_Z-test>.
fn drop_of(before: Share, after: Share) -> Option<f64> {
    if before.1 < WITHOUT || after.1 < WITHOUT {
        return None;
    }
    let pooled = share((before.0 + after.0, before.1 + after.1));
    let less = share(before) - share(after);
    let variance = pooled * (1.0 - pooled) * (1.0 / real(before.1) + 1.0 / real(after.1));
    let z = less / variance.sqrt();
    (less >= LESS && z >= APART).then_some(z)
}

/// When events had a field.
#[derive(Debug, Default)]
struct Seenness {
    before: u64,
    count: u64,
    /// From the first on; from the first to the last; after the last.
    since: u64,
    while_there: u64,
    after: u64,
}

impl Seenness {
    /// Most events have it since it came, and enough did not before.
    const fn is_new(&self) -> bool {
        self.before >= WITHOUT && self.count > 1 && self.count * 2 > self.since
    }

    /// Nearly all had it, and then none.
    const fn is_gone(&self) -> bool {
        self.after >= WITHOUT && self.count >= WITHOUT && self.count * 10 >= self.while_there * 9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_of_two_shares_is_the_known_one() {
        // 0.8 and 0.5 of a hundred each: z = 0.3 / sqrt(0.65 * 0.35 * 0.02) = 4.4475.
        assert_eq!(drop_of((80, 100), (50, 100)), None);
        let z = drop_of((800, 1_000), (500, 1_000)).unwrap();
        assert!((z - 14.0642).abs() < 0.001, "{z}");
        // Clear, and no news.
        assert_eq!(drop_of((999_000, 1_000_000), (990_000, 1_000_000)), None);
        assert_eq!(drop_of((9, 9), (0, 1_000)), None);
        assert_eq!(drop_of((100, 100), (100, 100)), None);
    }
}
