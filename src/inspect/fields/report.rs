//! What was learnt of the fields of topics, and where they changed.

use std::fmt;
use std::sync::Arc;

use super::tree::{InSlot, JsonType, Node, OfType, Seen, Step};
use super::{Fields, Known};
use crate::event::Timestamp;
use crate::inspect::At;
use crate::text::{Visible, human};

/// Events that must have come without a field before it counts as new, or after it as gone.
const WITHOUT: u64 = 10;

/// One type of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSeen {
    pub value: JsonType,
    /// Events.
    pub count: u64,
    /// The first and the last by their time.
    pub first: At,
    pub first_time: Option<Timestamp>,
    pub last: At,
    pub last_time: Option<Timestamp>,
    /// Events by producer, most first; safe to show.
    pub by: Vec<(String, u64)>,
}

/// One path of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// `.data.items[].sku`; safe to show.
    pub path: String,
    pub depth: usize,
    /// Events that have it.
    pub count: u64,
    /// Most first.
    pub types: Vec<TypeSeen>,
    /// Fronts of values as they are written; safe to show.
    pub examples: Vec<String>,
}

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
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub path: String,
    pub change: Change,
    /// The first event that shows it; for a field that is gone, the last that has it.
    pub since: At,
    pub since_time: Option<Timestamp>,
    /// The front of that event's key.
    pub key: Option<Box<[u8]>>,
    /// Events that show it, and events from the first of them on.
    pub count: u64,
    pub of: u64,
    /// Events by producer, most first.
    pub by: Vec<(String, u64)>,
}

impl Drift {
    /// True for what breaks readers: a type that changes.
    pub const fn is_break(&self) -> bool {
        matches!(self.change, Change::Type { .. })
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
        }
        match self.by.as_slice() {
            [] => Ok(()),
            [(name, all)] if *all == self.count => write!(f, ", all by {name}"),
            [(name, most), ..] => write!(f, ", {} by {name}", human::count(*most)),
        }
    }
}

/// The values of one topic and type of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub origin: u16,
    pub topic: Arc<str>,
    /// The type that the events name; safe to show. `None` where they name none.
    pub kind: Option<String>,
    pub events: u64,
    /// Values of the topic, of all types, that are no JSON.
    pub undecodable: u64,
    /// Parents before their children, members by name.
    pub fields: Vec<Field>,
    pub drifts: Vec<Drift>,
}

/// All profiles, by topic and type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldsReport {
    pub profiles: Vec<Profile>,
    /// Fields and events that there was no room for.
    pub unkept: u64,
}

impl FieldsReport {
    pub fn drifts(&self) -> impl Iterator<Item = (&Profile, &Drift)> {
        self.profiles
            .iter()
            .flat_map(|p| p.drifts.iter().map(move |drift| (p, drift)))
    }
}

pub(super) fn build(fields: &Fields) -> FieldsReport {
    let mut profiles: Vec<Profile> = fields
        .known
        .iter()
        .filter_map(|k| profile(fields, k))
        .collect();
    profiles.sort_by(|a, b| {
        let name = |p: &Profile| (Arc::clone(&p.topic), p.origin, p.kind.clone());
        name(a).cmp(&name(b))
    });
    FieldsReport {
        profiles,
        unkept: fields.unkept,
    }
}

fn profile(fields: &Fields, known: &Known) -> Option<Profile> {
    let mut lanes = fields.lanes.iter();
    let (_, lane) = lanes.find(|(_, lane)| lane.topic_number == known.topic)?;
    let teller = Teller { fields, known };
    let order = teller.order();
    Some(Profile {
        origin: lane.origin,
        topic: Arc::clone(&lane.topic),
        kind: (!known.kind.is_empty()).then(|| safe(&known.kind)),
        events: known.events,
        undecodable: fields.other.get(known.topic as usize).copied()?,
        fields: order
            .iter()
            .map(|(node, path)| teller.field(node, path))
            .collect(),
        drifts: order
            .iter()
            .flat_map(|(node, path)| teller.drifts(node, path))
            .collect(),
    })
}

fn safe(bytes: &[u8]) -> String {
    Visible(&String::from_utf8_lossy(bytes)).to_string()
}

struct Teller<'a> {
    fields: &'a Fields,
    known: &'a Known,
}

impl<'a> Teller<'a> {
    /// The nodes with their paths, parents first. Of an object whose names are data, only members
    /// that most of the objects have are told apart.
    fn order(&self) -> Vec<(&'a Node, String)> {
        let nodes = &self.known.tree.nodes;
        let mut paths: Vec<Option<String>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let parent = nodes.get(node.parent);
            let data = |p: &Node| p.any.is_some() && node.count * 2 < p.count;
            let hidden = matches!(node.step, Step::Member(_)) && parent.is_some_and(data);
            let before = match node.step {
                Step::Root => Some(String::new()),
                _ if hidden => None,
                _ => paths.get(node.parent).cloned().flatten(),
            };
            paths.push(before.map(|path| path + &step(&node.step)));
        }
        let mut order: Vec<(&Node, String)> = nodes
            .iter()
            .zip(paths)
            .filter_map(|(node, path)| Some((node, path?)))
            .filter(|(node, _)| node.depth > 0)
            .collect();
        order.sort_by(|a, b| a.1.cmp(&b.1));
        order
    }

    fn field(&self, node: &Node, path: &str) -> Field {
        let mut types: Vec<TypeSeen> = of_types(node)
            .map(|(value, seen)| TypeSeen {
                value,
                count: seen.count,
                first: self.at(&seen.first),
                first_time: seen.first.time,
                last: self.at(&seen.last),
                last_time: seen.last.time,
                by: self.by(seen),
            })
            .collect();
        types.sort_by_key(|t| std::cmp::Reverse(t.count));
        Field {
            path: path.to_owned(),
            depth: node.depth,
            count: node.count,
            types,
            examples: node.examples.iter().map(|e| safe(e)).collect(),
        }
    }

    fn at(&self, seen: &Seen) -> At {
        self.fields.lanes.at(seen.spot)
    }

    fn by(&self, seen: &OfType) -> Vec<(String, u64)> {
        let mut by: Vec<(String, u64)> = seen
            .by
            .iter()
            .filter_map(|(p, n)| Some((safe(self.known.producers.get(*p as usize)?), *n)))
            .collect();
        by.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        by
    }

    fn drifts(&self, node: &Node, path: &str) -> Vec<Drift> {
        let drift = |change, seen: &OfType, place: &Seen, count, of| Drift {
            path: path.to_owned(),
            change,
            since: self.at(place),
            since_time: place.time,
            key: seen.first_key.clone(),
            count,
            of,
            by: self.by(seen),
        };
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
            drifts.push(drift(change, seen, &seen.first, seen.count, node.count));
        }
        // Within what is new itself nothing else is.
        let parent = self.known.tree.nodes.get(node.parent);
        let of_parent = |f: fn(&Seenness) -> bool| parent.is_some_and(|p| f(&self.seenness(p)));
        let own = self.seenness(node);
        if own.is_new() && !of_parent(Seenness::is_new) {
            drifts.push(drift(Change::New, main, &main.first, own.count, own.since));
        }
        if own.is_gone() && !of_parent(Seenness::is_gone) {
            drifts.push(Drift {
                key: None,
                ..drift(Change::Gone, main, &main.last, own.count, own.after)
            });
        }
        drifts
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
    fn is_new(&self) -> bool {
        self.before >= WITHOUT && self.count > 1 && self.count * 2 > self.since
    }

    /// Nearly all had it, and then none.
    fn is_gone(&self) -> bool {
        self.after >= WITHOUT && self.count >= WITHOUT && self.count * 10 >= self.while_there * 9
    }
}

fn of_types(node: &Node) -> impl Iterator<Item = (JsonType, &OfType)> {
    let types = JsonType::ALL.into_iter().zip(&node.types);
    types.filter_map(|(value, seen)| Some((value, seen.as_deref()?)))
}

fn step(step: &Step) -> String {
    match step {
        Step::Root => String::new(),
        Step::Element => "[]".to_owned(),
        Step::AnyMember => ".*".to_owned(),
        Step::Member(name) => {
            let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
            if !name.is_empty() && name.iter().all(plain) {
                format!(".{}", String::from_utf8_lossy(name))
            } else {
                format!(".\"{}\"", safe(name))
            }
        }
    }
}
