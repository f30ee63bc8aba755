//! The tree of paths of a profile, and how one JSON text is laid over it.

use std::collections::BTreeMap;

use super::NAME_BYTES;
use super::blocks::Blocks;
use super::values::Values;
use crate::event::{Headers, SchemaId, Timestamp};
use crate::inspect::lanes::Spot;
use crate::text::Visit;

/// Members of one object that are told apart; with more of them the names are data.
const MEMBERS: usize = 64;
/// Examples of a field, and how long one may be.
const EXAMPLES: usize = 3;
const EXAMPLE_BYTES: usize = 64;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;

/// The types of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JsonType {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl JsonType {
    pub const ALL: [Self; 6] = [
        Self::Null,
        Self::Bool,
        Self::Number,
        Self::String,
        Self::Array,
        Self::Object,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    const fn of(first: u8) -> Self {
        match first {
            b'n' => Self::Null,
            b't' | b'f' => Self::Bool,
            b'"' => Self::String,
            b'[' => Self::Array,
            b'{' => Self::Object,
            _ => Self::Number,
        }
    }
}

/// A step from a value to one inside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Root,
    /// As it is written between its quotes.
    Member(Box<[u8]>),
    /// Any member of an object whose names are data.
    AnyMember,
    Element,
}

/// An event where something was seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) spot: Spot,
    pub(super) time: Option<Timestamp>,
    /// The front of its key.
    pub(super) key: Option<Box<[u8]>>,
    /// What it says of the version of its schema.
    pub(super) version: Option<Box<[u8]>>,
}

/// An event without what only the first is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) spot: Spot,
    pub(super) time: Option<Timestamp>,
}

/// One type of one field.
#[derive(Debug)]
pub(super) struct OfType {
    pub(super) count: u64,
    pub(super) first: Seen,
    pub(super) last: Last,
    /// Events by the number of the producer.
    pub(super) by: Vec<(u16, u64)>,
    event: u64,
}

/// A field in one partition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InSlot {
    /// Events of the partition before the first that has it.
    pub(super) before: u64,
    /// Events that have it.
    pub(super) count: u64,
    /// Events of the partition up to the last that has it.
    pub(super) upto: u64,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) parent: usize,
    pub(super) step: Step,
    pub(super) depth: usize,
    pub(super) count: u64,
    pub(super) types: [Option<Box<OfType>>; 6],
    pub(super) slots: Vec<InSlot>,
    /// Events that have it, over time.
    pub(super) blocks: Blocks,
    pub(super) values: Values,
    pub(super) examples: Vec<Box<[u8]>>,
    pub(super) members: BTreeMap<Box<[u8]>, usize>,
    element: Option<usize>,
    /// More names came than are told apart: this is the node of the others.
    pub(super) any: Option<usize>,
    event: u64,
}

/// All paths of a profile; the root is the first.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

impl Tree {
    pub(super) const fn paths(&self) -> usize {
        self.nodes.len()
    }

    fn add(&mut self, parent: usize, step: Step) -> usize {
        let depth = self.nodes.get(parent).map_or(0, |p| p.depth + 1);
        self.nodes.push(Node {
            parent,
            step,
            depth,
            count: 0,
            types: Default::default(),
            slots: Vec::new(),
            blocks: Blocks::default(),
            values: Values::default(),
            examples: Vec::new(),
            members: BTreeMap::new(),
            element: None,
            any: None,
            event: 0,
        });
        self.nodes.len() - 1
    }

    /// The member of that name; `None` when there is no room for it.
    fn member(&mut self, of: usize, name: &[u8], room: usize) -> Option<usize> {
        let name = name.get(..NAME_BYTES).unwrap_or(name);
        let node = self.nodes.get(of)?;
        if let Some(&member) = node.members.get(name) {
            return Some(member);
        }
        if node.members.len() >= MEMBERS {
            if let Some(any) = node.any {
                return Some(any);
            }
            let any = self.add_within(of, Step::AnyMember, room)?;
            self.nodes.get_mut(of)?.any = Some(any);
            return Some(any);
        }
        let member = self.add_within(of, Step::Member(name.into()), room)?;
        let node = self.nodes.get_mut(of)?;
        node.members.insert(name.into(), member);
        Some(member)
    }

    fn element(&mut self, of: usize, room: usize) -> Option<usize> {
        if let Some(element) = self.nodes.get(of)?.element {
            return Some(element);
        }
        let element = self.add_within(of, Step::Element, room)?;
        self.nodes.get_mut(of)?.element = Some(element);
        Some(element)
    }

    fn add_within(&mut self, parent: usize, step: Step, room: usize) -> Option<usize> {
        (self.nodes.len() < room).then(|| self.add(parent, step))
    }
}

/// The event that is being looked at.
pub(super) struct Sight<'a> {
    pub(super) spot: Spot,
    pub(super) time: Option<Timestamp>,
    pub(super) key: Option<&'a [u8]>,
    /// Its number in the profile, and in its partition.
    pub(super) event: u64,
    pub(super) slot: usize,
    pub(super) in_slot: u64,
    pub(super) producer: Option<u16>,
    pub(super) headers: Headers<'a>,
    /// By what its bytes name their schema.
    pub(super) schema: Option<SchemaId<'a>>,
}

/// The header that names the version of the schema.
const VERSION_HEADER: &str = "schema-version";

impl Sight<'_> {
    pub(super) fn seen(&self) -> Seen {
        Seen {
            spot: self.spot,
            time: self.time,
            key: self.key.map(cut),
            version: self.version(),
        }
    }

    const fn last(&self) -> Last {
        Last {
            spot: self.spot,
            time: self.time,
        }
    }

    fn version(&self) -> Option<Box<[u8]>> {
        if let Some(Some(version)) = self.headers.last(VERSION_HEADER) {
            return Some(cut(version));
        }
        self.schema.map(|id| match id {
            SchemaId::Number(id) => format!("id {id}").into_bytes().into(),
            SchemaId::Text(id) => cut(format!("id {id}").as_bytes()),
        })
    }

    pub(super) fn count_producer(&self, by: &mut Vec<(u16, u64)>) {
        if let Some(producer) = self.producer {
            match by.iter_mut().find(|(p, _)| *p == producer) {
                Some((_, count)) => *count += 1,
                None => by.push((producer, 1)),
            }
        }
    }

    /// Notes that a node has a value of this type.
    fn note(&self, node: &mut Node, value: JsonType) {
        if node.event != self.event {
            node.event = self.event;
            node.count += 1;
            if let Some(time) = self.time {
                node.blocks.note(time.0);
            }
            if node.slots.len() <= self.slot {
                node.slots.resize(self.slot + 1, InSlot::default());
            }
            if let Some(slot) = node.slots.get_mut(self.slot) {
                if slot.count == 0 {
                    slot.before = self.in_slot - 1;
                }
                slot.count += 1;
                slot.upto = self.in_slot;
            }
        }
        let Some(of_type) = node.types.get_mut(value as usize) else {
            return;
        };
        let of_type = of_type.get_or_insert_with(|| {
            Box::new(OfType {
                count: 0,
                first: self.seen(),
                last: self.last(),
                by: Vec::new(),
                event: 0,
            })
        });
        if of_type.event == self.event {
            return;
        }
        of_type.event = self.event;
        of_type.count += 1;
        // Partitions may be read one after the other: by time, not by arrival.
        if self.time < of_type.first.time {
            of_type.first = self.seen();
        }
        if self.time >= of_type.last.time {
            of_type.last = self.last();
        }
        self.count_producer(&mut of_type.by);
    }
}

fn cut(bytes: &[u8]) -> Box<[u8]> {
    bytes.get(..KEY_BYTES).unwrap_or(bytes).into()
}

/// Lays one JSON text over the tree.
pub(super) struct Climber<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) text: &'a [u8],
    pub(super) sight: &'a Sight<'a>,
    /// So many paths at most.
    pub(super) room: usize,
    pub(super) unkept: &'a mut u64,
    /// The containers that are open, and whether they are objects; `None` where there is no room.
    pub(super) open: Vec<(Option<usize>, bool)>,
    /// The member whose value comes next.
    pub(super) next: Option<usize>,
}

impl Climber<'_> {
    /// The node of the value that begins.
    fn begin(&mut self) -> Option<usize> {
        let node = match self.open.last() {
            None if self.tree.nodes.is_empty() => self.tree.add_within(0, Step::Root, self.room),
            None => Some(0),
            Some((_, true)) => return self.next.take(),
            Some((container, false)) => {
                let container = (*container)?;
                self.tree.element(container, self.room)
            }
        };
        *self.unkept += u64::from(node.is_none());
        node
    }

    fn note(&mut self, node: Option<usize>, value: JsonType) {
        if let Some(node) = node.and_then(|node| self.tree.nodes.get_mut(node)) {
            self.sight.note(node, value);
        }
    }
}

impl Visit for Climber<'_> {
    fn name(&mut self, name: &[u8]) {
        self.next = None;
        if let Some((Some(object), _)) = self.open.last() {
            self.next = self.tree.member(*object, name, self.room);
            *self.unkept += u64::from(self.next.is_none());
        }
    }

    fn open(&mut self, _: usize, object: bool) {
        let node = self.begin();
        let value = if object {
            JsonType::Object
        } else {
            JsonType::Array
        };
        self.note(node, value);
        self.open.push((node, object));
    }

    fn close(&mut self, _: usize) {
        self.open.pop();
    }

    fn scalar(&mut self, start: usize, end: usize) {
        let node = self.begin();
        let text = self.text.get(start..end).unwrap_or_default();
        let value = JsonType::of(text.first().copied().unwrap_or_default());
        let Some(node) = node.and_then(|node| self.tree.nodes.get_mut(node)) else {
            return;
        };
        self.sight.note(node, value);
        if value == JsonType::String {
            node.values.note(text, self.sight);
        }
        let text = text.get(..EXAMPLE_BYTES).unwrap_or(text);
        if node.examples.len() < EXAMPLES && !node.examples.iter().any(|e| **e == *text) {
            node.examples.push(text.into());
        }
    }
}
