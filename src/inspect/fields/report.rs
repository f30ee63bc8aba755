//! What was learnt of the fields of topics. Where they changed is told in `drift`.

use std::sync::Arc;

use super::drift::{Drift, share};
use super::tree::{JsonType, Node, OfType, Step};
use super::{Fields, Known};
use crate::event::Timestamp;
use crate::inspect::At;
use crate::inspect::lanes::Spot;
use crate::text::Visible;

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

/// The values of one topic and type of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub origin: u16,
    pub topic: Arc<str>,
    /// The type that the events name; safe to show. `None` where they name none.
    pub kind: Option<String>,
    pub events: u64,
    /// Events by producer, most first; safe to show.
    pub producers: Vec<(String, u64)>,
    /// Values of the topic, of all types, that are no JSON.
    pub undecodable: u64,
    /// Parents before their children, members by name.
    pub fields: Vec<Field>,
    pub drifts: Vec<Drift>,
}

impl Profile {
    /// Which part of the events has the field, from 0 to 1.
    pub fn coverage(&self, field: &Field) -> f64 {
        share((field.count, self.events))
    }
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
        producers: teller.producers(),
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

pub(super) fn safe(bytes: &[u8]) -> String {
    Visible(&String::from_utf8_lossy(bytes)).to_string()
}

pub(super) struct Teller<'a> {
    pub(super) fields: &'a Fields,
    pub(super) known: &'a Known,
}

impl<'a> Teller<'a> {
    fn producers(&self) -> Vec<(String, u64)> {
        let mut counts: Vec<(u16, u64)> = Vec::new();
        let root = self.known.tree.nodes.first();
        for (producer, count) in root.into_iter().flat_map(of_types).flat_map(|(_, s)| &s.by) {
            match counts.iter_mut().find(|(known, _)| known == producer) {
                Some((_, sum)) => *sum += count,
                None => counts.push((*producer, *count)),
            }
        }
        self.by(&counts)
    }

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
                first: self.at(seen.first.spot),
                first_time: seen.first.time,
                last: self.at(seen.last.spot),
                last_time: seen.last.time,
                by: self.by(&seen.by),
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

    pub(super) fn at(&self, spot: Spot) -> At {
        self.fields.lanes.at(spot)
    }

    /// Events by producer, most first.
    pub(super) fn by(&self, counts: &[(u16, u64)]) -> Vec<(String, u64)> {
        let mut by: Vec<(String, u64)> = counts
            .iter()
            .filter_map(|(p, n)| Some((safe(self.known.producers.get(*p as usize)?), *n)))
            .collect();
        by.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        by
    }
}

pub(super) fn of_types(node: &Node) -> impl Iterator<Item = (JsonType, &OfType)> {
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
