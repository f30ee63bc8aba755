//! Where every value of a JSON text begins and ends, found in one pass without recursion: 12 bytes
//! a value and 20 more for one that holds others. Nothing of the text is decoded.

use std::ops::Range;

use crate::text::{JsonFault, JsonText, Visit};

/// A text of more values than this is not made a tree of: the index would take more memory than
/// a whole session may.
pub const MAX_VALUES: usize = 6_000_000;

/// Stands for "no container": the outermost value is in none.
const NONE: u32 = u32::MAX;

/// Why there is no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault {
    #[error("not JSON: {0}")]
    NotJson(#[from] JsonFault),
    #[error("more than {MAX_VALUES} values")]
    TooMany,
    #[error("longer than 4 GiB")]
    TooLong,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    /// The end of a scalar; for an array or object its index among the containers.
    end_or_container: u32,
    /// Its place in the container that it stands in.
    place: u32,
}

#[derive(Debug, Clone, Copy)]
struct Container {
    node: u32,
    end: u32,
    /// The first node that is not in it.
    after: u32,
    count: u32,
    /// The container that it stands in.
    parent: u32,
}

/// All values in the order in which they begin. A value's number is its place in that order.
#[derive(Debug, Clone, Default)]
pub(in crate::tui::widgets) struct Index {
    nodes: Vec<Node>,
    containers: Vec<Container>,
}

impl Index {
    pub fn new(bytes: &[u8]) -> Result<Self, TreeFault> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(TreeFault::TooLong);
        }
        let mut builder = Builder::default();
        // Growing would copy the index over and over. Commas inside strings are counted too, but
        // memory that is not written to costs nothing.
        let commas = memchr::memchr_iter(b',', bytes).count();
        builder
            .index
            .nodes
            .reserve_exact(MAX_VALUES.min(commas + 1));
        if JsonText::walk(bytes, &mut builder).is_none() {
            JsonText::parse(bytes)?;
        }
        if builder.too_many {
            return Err(TreeFault::TooMany);
        }
        Ok(builder.index)
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn containers(&self) -> usize {
        self.containers.len()
    }

    fn node(&self, node: usize) -> Node {
        const MISSING: Node = Node {
            start: 0,
            end_or_container: 0,
            place: 0,
        };
        self.nodes.get(node).copied().unwrap_or(MISSING)
    }

    fn at(&self, container: usize) -> Container {
        const MISSING: Container = Container {
            node: 0,
            end: 0,
            after: u32::MAX,
            count: 0,
            parent: NONE,
        };
        self.containers.get(container).copied().unwrap_or(MISSING)
    }

    /// The number among the containers, for a value that is one.
    pub fn container(&self, bytes: &[u8], node: usize) -> Option<usize> {
        let node = self.node(node);
        let first = bytes.get(node.start as usize);
        matches!(first, Some(b'{' | b'[')).then_some(node.end_or_container as usize)
    }

    /// Values that stand in a container itself.
    pub fn count(&self, container: usize) -> usize {
        self.at(container).count as usize
    }

    /// The value that a container is.
    pub fn node_of(&self, container: usize) -> usize {
        self.at(container).node as usize
    }

    /// All values in a container, however deep.
    pub fn inside(&self, container: usize) -> Range<usize> {
        let container = self.at(container);
        container.node as usize + 1..container.after as usize
    }

    /// The container that a value stands in.
    pub fn parent(&self, node: usize) -> Option<usize> {
        let before = self
            .containers
            .partition_point(|c| (c.node as usize) < node);
        // The last one that begins before it may have ended; then one around that has not.
        let mut container = before.checked_sub(1)?;
        while self.at(container).after as usize <= node {
            let parent = self.at(container).parent;
            container = (parent != NONE).then_some(parent as usize)?;
        }
        Some(container)
    }

    /// How many of its like stand before it in its container.
    pub fn place(&self, node: usize) -> usize {
        self.node(node).place as usize
    }

    /// The number of the value after this one and all that it holds.
    pub fn after(&self, bytes: &[u8], node: usize) -> usize {
        self.container(bytes, node)
            .map_or(node + 1, |container| self.inside(container).end)
    }

    /// The values that stand in a container itself, in their order.
    pub fn children<'a>(
        &'a self,
        bytes: &'a [u8],
        container: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let inside = self.inside(container);
        let mut next = inside.start;
        std::iter::from_fn(move || {
            let child = next;
            next = self.after(bytes, child);
            (child < inside.end).then_some(child)
        })
    }

    /// The bytes of a value.
    pub fn span(&self, bytes: &[u8], node: usize) -> Range<usize> {
        let end = match self.container(bytes, node) {
            Some(container) => self.at(container).end,
            None => self.node(node).end_or_container,
        };
        self.node(node).start as usize..end as usize
    }

    /// The bytes of a member's name with its quotes; none for what stands in no object.
    pub fn name(&self, bytes: &[u8], node: usize) -> Option<Range<usize>> {
        let object = self.node_of(self.parent(node)?);
        let first = bytes.get(self.node(object).start as usize);
        if first != Some(&b'{') {
            return None;
        }
        // The colon and white space are between them, and nothing else ends with a quote.
        let before = bytes.get(..self.node(node).start as usize)?;
        let end = memchr::memrchr(b'"', before)?;
        let mut quotes = memchr::memrchr_iter(b'"', bytes.get(..end)?);
        // Inside a name each quote has an odd number of backslashes in front.
        let start = quotes.find(|&at| {
            let head = bytes.get(..at).unwrap_or_default();
            let slashes = head.iter().rev().take_while(|b| **b == b'\\').count();
            slashes.is_multiple_of(2)
        })?;
        Some(start..end + 1)
    }

    /// The innermost value around a byte; what stands between values belongs to their container.
    pub fn innermost(&self, bytes: &[u8], at: usize) -> usize {
        let begun = self.nodes.partition_point(|n| n.start as usize <= at);
        // A member's name belongs to its value.
        if begun < self.len() && self.name(bytes, begun).is_some_and(|name| name.start <= at) {
            return begun;
        }
        let mut node = begun.saturating_sub(1);
        while self.span(bytes, node).end <= at {
            match self.parent(node) {
                Some(parent) => node = self.node_of(parent),
                None => break,
            }
        }
        node
    }
}

#[derive(Default)]
struct Builder {
    index: Index,
    /// The containers that are open; as many as [`crate::text::MAX_DEPTH`] at most.
    open: Vec<u32>,
    too_many: bool,
}

impl Builder {
    #[inline]
    fn push(&mut self, start: usize, end_or_container: u32) {
        if self.index.nodes.len() >= MAX_VALUES {
            self.too_many = true;
            return;
        }
        let parent = self.open.last().copied().unwrap_or(NONE);
        let mut place = 0;
        if let Some(container) = self.index.containers.get_mut(parent as usize) {
            place = container.count;
            container.count += 1;
        }
        self.index.nodes.push(Node {
            start: start as u32,
            end_or_container,
            place,
        });
    }
}

impl Visit for Builder {
    fn name(&mut self, _: &[u8]) {}

    fn open(&mut self, at: usize, _: bool) {
        let container = self.index.containers.len() as u32;
        self.push(at, container);
        if self.too_many {
            return;
        }
        self.index.containers.push(Container {
            node: self.index.nodes.len() as u32 - 1,
            end: 0,
            after: 0,
            count: 0,
            parent: self.open.last().copied().unwrap_or(NONE),
        });
        self.open.push(container);
    }

    fn close(&mut self, end: usize) {
        let after = self.index.nodes.len() as u32;
        let container = self.open.pop();
        let container = container.and_then(|c| self.index.containers.get_mut(c as usize));
        if let Some(container) = container {
            container.end = end as u32;
            container.after = after;
        }
    }

    #[inline]
    fn scalar(&mut self, start: usize, end: usize) {
        self.push(start, end as u32);
    }
}
