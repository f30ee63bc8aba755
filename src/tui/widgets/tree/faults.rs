//! The values of a tree that do not fit their schema: found by their JSON pointers, marked where
//! they stand or are hidden.

use super::Tree;

/// Values that are marked; who has more of them sees the first.
const MOST: usize = 100;

impl Tree {
    /// Marks the values that these JSON pointers lead to. What is not there marks what it should
    /// be in.
    pub fn set_faults<'p>(&mut self, pointers: impl Iterator<Item = &'p str>) {
        let nodes = pointers.take(MOST).map(|p| self.find(p) as u32);
        let mut nodes: Vec<u32> = nodes.collect();
        nodes.sort_unstable();
        nodes.dedup();
        self.faults = nodes;
    }

    /// Opens what hides the value of a JSON pointer, and gives its row.
    pub fn reveal_pointer(&mut self, pointer: &str) -> usize {
        let node = self.find(pointer);
        self.reveal(node)
    }

    /// Whether the value is marked, or hides one that is.
    pub(super) fn is_faulty(&self, node: usize) -> bool {
        let Some(next) = self
            .faults
            .get(self.faults.partition_point(|f| (*f as usize) < node))
        else {
            return false;
        };
        let next = *next as usize;
        next == node
            || self.container(node).is_some_and(|container| {
                !self.is_open_container(container) && self.index.inside(container).contains(&next)
            })
    }

    /// The value that a JSON pointer (RFC 6901) leads to, as far as it leads.
    fn find(&self, pointer: &str) -> usize {
        let mut node = 0;
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            let Some(next) = self.child(node, &name) else {
                break;
            };
            node = next;
        }
        node
    }

    /// Of members of one name the last one counts, as for who validates.
    fn child(&self, node: usize, name: &str) -> Option<usize> {
        let container = self.container(node)?;
        let mut children = self.index.children(&self.bytes, container);
        let first = self.bytes.get(self.index.span(&self.bytes, node).start);
        if first == Some(&b'[') {
            return children.nth(name.parse().ok()?);
        }
        children
            .filter(|child| {
                let quoted = self.index.name(&self.bytes, *child);
                let quoted = quoted.and_then(|span| self.bytes.get(span));
                quoted.is_some_and(|quoted| is_name(quoted, name))
            })
            .last()
    }
}

/// Whether a name as it stands in the text, with its quotes, is this one.
fn is_name(quoted: &[u8], name: &str) -> bool {
    let raw = quoted.get(1..quoted.len().saturating_sub(1));
    if !quoted.contains(&b'\\') {
        return raw == Some(name.as_bytes());
    }
    serde_json::from_slice::<String>(quoted).is_ok_and(|text| text == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widgets::{Marks, Tone};

    fn tree(text: &str) -> Tree {
        Tree::open(text.as_bytes().into()).unwrap()
    }

    #[test]
    fn a_pointer_leads_to_its_value_or_as_far_as_there_is_one() {
        let tree = tree(r#"{"a":{"b/c~d":[1,{"\u0065":2}]},"a2":3,"x":1,"x":2}"#);
        for (pointer, value) in [
            ("/a/b~1c~0d/1/e", "2"),
            ("/a/b~1c~0d/0", "1"),
            ("/a2", "3"),
            ("/x", "2"),
            ("/a/b~1c~0d/7", r#"[1,{"\u0065":2}]"#),
            ("/a/nothing/here", r#"{"b/c~d":[1,{"\u0065":2}]}"#),
        ] {
            let span = tree.index.span(&tree.bytes, tree.find(pointer));
            assert_eq!(&tree.bytes[span], value.as_bytes(), "{pointer}");
        }
        assert_eq!(tree.find(""), 0);
    }

    #[test]
    fn what_does_not_fit_is_marked_where_it_stands_or_is_hidden() {
        let mut tree = tree(r#"{"a":{"b":"x","c":1},"d":2}"#);
        tree.set_faults(["/a/b"].into_iter());
        let marked = |tree: &Tree| -> Vec<String> {
            let lines = tree.rows(0..9, 80, &Marks::UNICODE, None);
            let marked = lines
                .iter()
                .filter(|l| l.spans().iter().any(|(tone, _)| *tone == Tone::Bad));
            marked.map(crate::tui::widgets::Line::text).collect()
        };
        assert_eq!(marked(&tree), ["✗ b: \"x\""]);
        tree.set_open(1, false);
        assert_eq!(marked(&tree), ["▸✗a: {2}"]);
        let row = tree.reveal_pointer("/a/b");
        assert_eq!(tree.value_bytes(row), b"\"x\"");
    }
}
