//! A JSON text as a tree of rows that open and close. The text stays as it came: digits, escapes,
//! order and repeated names are shown, not a parser's idea of them. Drawing costs what is drawn.

mod draw;
mod faults;
mod index;
mod path;
mod search;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

pub(super) use index::Index;
pub(super) use path::{push_index, push_name};

pub use index::{MAX_VALUES, TreeFault};
pub use search::{Direction, Search, Step};

/// Rows that a fresh tree opens, level by level.
const FIRST_ROWS: usize = 200;
/// Rows that "open all" opens.
pub const MOST_ROWS: usize = 500_000;

/// A tree over one JSON text.
#[derive(Debug, Clone)]
pub struct Tree {
    bytes: Arc<[u8]>,
    index: Index,
    /// By container.
    open: Vec<bool>,
    /// The values that have a row, in order.
    rows: Vec<u32>,
    /// The values that do not fit their schema, in order.
    faults: Vec<u32>,
}

impl Tree {
    /// Reads the whole text once, which takes some 30 ms for 10 MB of usual JSON, and 150 for 10 MB
    /// of brackets: large ones belong on a worker thread.
    pub fn open(bytes: Arc<[u8]>) -> Result<Self, TreeFault> {
        let index = Index::new(&bytes)?;
        let mut tree = Self {
            open: vec![false; index.containers()],
            rows: Vec::new(),
            faults: Vec::new(),
            bytes,
            index,
        };
        tree.collapse_all();
        tree.open_levels(FIRST_ROWS);
        Ok(tree)
    }

    /// The text.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Rows that are not hidden in a closed one; at least 1.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn node(&self, row: usize) -> Option<usize> {
        self.rows.get(row).map(|node| *node as usize)
    }

    fn container(&self, node: usize) -> Option<usize> {
        self.index.container(&self.bytes, node)
    }

    fn is_open_container(&self, container: usize) -> bool {
        self.open.get(container).copied().unwrap_or(false)
    }

    /// Whether the row is an open or a closed container; `None` for a scalar.
    pub fn is_open(&self, row: usize) -> Option<bool> {
        let container = self.container(self.node(row)?)?;
        Some(self.is_open_container(container))
    }

    /// The row of the container that this row stands in.
    pub fn parent(&self, row: usize) -> Option<usize> {
        let parent = self.index.parent(self.node(row)?)?;
        self.row_of(self.index.node_of(parent))
    }

    /// How deep the row stands; 0 for the outermost value.
    pub fn depth(&self, row: usize) -> usize {
        self.node(row).map_or(0, |node| self.depth_of(node))
    }

    fn depth_of(&self, node: usize) -> usize {
        let up = |&node: &usize| self.index.parent(node).map(|c| self.index.node_of(c));
        std::iter::successors(Some(node), up).count() - 1
    }

    fn row_of(&self, node: usize) -> Option<usize> {
        self.rows.binary_search(&(node as u32)).ok()
    }

    /// Opens or closes a container; false when the row is none.
    pub fn toggle(&mut self, row: usize) -> bool {
        match self.is_open(row) {
            Some(open) => self.set_open(row, !open),
            None => false,
        }
    }

    /// Opens or closes a container; false when nothing changed. What was open inside it opens
    /// with it again.
    pub fn set_open(&mut self, row: usize, open: bool) -> bool {
        let Some(container) = self.node(row).and_then(|node| self.container(node)) else {
            return false;
        };
        if self.is_open_container(container) == open {
            return false;
        }
        self.mark(container, open);
        let inside = self.index.inside(container);
        if open {
            let (rows, below) = (self.shown_inside(inside), row + 1);
            self.rows.splice(below..below, rows);
        } else {
            let end = self
                .rows
                .partition_point(|&node| (node as usize) < inside.end);
            self.rows.drain(row + 1..end);
        }
        true
    }

    fn mark(&mut self, container: usize, open: bool) {
        if let Some(flag) = self.open.get_mut(container) {
            *flag = open;
        }
    }

    /// Those of a range of values, which begins in an open container, that are not hidden.
    fn shown_inside(&self, range: Range<usize>) -> Vec<u32> {
        let mut rows = Vec::new();
        let mut node = range.start;
        while node < range.end {
            rows.push(node as u32);
            node = match self.container(node) {
                Some(container) if !self.is_open_container(container) => {
                    self.index.inside(container).end
                }
                _ => node + 1,
            };
        }
        rows
    }

    fn rebuild(&mut self) {
        self.rows = self.shown_inside(0..self.index.len());
    }

    /// Closes everything but the outermost value.
    pub fn collapse_all(&mut self) {
        self.open.fill(false);
        self.mark(0, true);
        self.rebuild();
    }

    /// Opens what fits into [`MOST_ROWS`], level by level; false when something stayed closed.
    pub fn expand_all(&mut self) -> bool {
        self.open_levels(MOST_ROWS)
    }

    fn open_levels(&mut self, most: usize) -> bool {
        let mut all = true;
        let mut rows = 1;
        let mut waiting: VecDeque<usize> = self.container(0).into_iter().collect();
        while let Some(container) = waiting.pop_front() {
            let more = self.index.count(container);
            if rows + more > most && container > 0 {
                all = false;
                continue;
            }
            rows += more;
            self.mark(container, true);
            if rows <= most {
                let inside = self.index.children(&self.bytes, container);
                waiting.extend(inside.filter_map(|child| self.container(child)));
            }
        }
        self.rebuild();
        all && rows <= most
    }

    /// The bytes of the row's value, as they came.
    pub fn value_bytes(&self, row: usize) -> &[u8] {
        let span = self.span(row).unwrap_or_default();
        self.bytes.get(span).unwrap_or_default()
    }

    /// Where the row's value stands in the text.
    pub fn span(&self, row: usize) -> Option<Range<usize>> {
        Some(self.index.span(&self.bytes, self.node(row)?))
    }

    /// The row around a byte of the text: of the innermost value that is not hidden.
    pub fn row_at(&self, byte: usize) -> usize {
        let mut node = self.index.innermost(&self.bytes, byte);
        loop {
            if let Some(row) = self.row_of(node) {
                return row;
            }
            match self.index.parent(node) {
                Some(parent) => node = self.index.node_of(parent),
                None => return 0,
            }
        }
    }

    /// Opens what hides the value around a byte, and gives its row.
    pub fn reveal_byte(&mut self, byte: usize) -> usize {
        let node = self.index.innermost(&self.bytes, byte);
        self.reveal(node)
    }

    fn reveal(&mut self, node: usize) -> usize {
        let mut hidden = false;
        let mut at = node;
        while let Some(parent) = self.index.parent(at) {
            if !self.is_open_container(parent) {
                self.mark(parent, true);
                hidden = true;
            }
            at = self.index.node_of(parent);
        }
        if hidden {
            self.rebuild();
        }
        self.row_of(node).unwrap_or(0)
    }
}
