//! Finds the places of a JSON text that expressions ask for, in the one pass that checks that it
//! is JSON. No tree is built. As in jq, the last of several members of one name counts.

use crate::query::escape;
use crate::text::{JsonText, Visit};

/// A step from a container to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(Vec<u8>),
    Index(usize),
}

/// All places asked for, as a tree of steps; the root is the whole text.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
struct Node {
    step: Step,
    children: Vec<usize>,
    /// Children by name, children by index: what makes it worth while to look inside.
    named: bool,
    indexed: bool,
}

impl Node {
    const fn of(step: Step) -> Self {
        Self {
            step,
            children: Vec::new(),
            named: false,
            indexed: false,
        }
    }
}

impl Places {
    /// Asks for a place. The result leads to it, from the root on.
    pub(super) fn add(&mut self, steps: &[Step]) -> Vec<usize> {
        if self.nodes.is_empty() {
            self.nodes.push(Node::of(Step::Index(0)));
        }
        let mut trail = vec![0];
        let mut at = 0;
        for step in steps {
            let found = self.nodes[at]
                .children
                .iter()
                .copied()
                .find(|&child| self.nodes[child].step == *step);
            let child = found.unwrap_or_else(|| {
                let child = self.nodes.len();
                self.nodes.push(Node::of(step.clone()));
                let node = &mut self.nodes[at];
                node.children.push(child);
                match step {
                    Step::Name(_) => node.named = true,
                    Step::Index(_) => node.indexed = true,
                }
                child
            });
            trail.push(child);
            at = child;
        }
        trail
    }

    pub(super) fn step(&self, node: usize) -> &Step {
        &self.nodes[node].step
    }
}

/// Where the places are in one text; kept from event to event for its buffers.
#[derive(Debug, Default)]
pub(super) struct Picked {
    /// Start and end for each place; an empty one is not there.
    spans: Vec<(usize, usize)>,
    open: Vec<Open>,
    scratch: Vec<u8>,
}

/// A container under way in which places are sought.
#[derive(Debug, Clone, Copy)]
struct Open {
    node: usize,
    object: bool,
    /// Elements of an array so far.
    elements: usize,
}

impl Picked {
    /// Looks for the places; false when the text is not JSON.
    pub(super) fn pick(&mut self, places: &Places, text: &[u8]) -> bool {
        self.spans.clear();
        self.spans.resize(places.nodes.len(), (0, 0));
        self.open.clear();
        let mut picker = Picker {
            places,
            spans: &mut self.spans,
            open: &mut self.open,
            scratch: &mut self.scratch,
            next: Some(0),
            outside: 0,
            ends: None,
        };
        JsonText::walk(text, &mut picker).is_some()
    }

    /// The text of a place.
    pub(super) fn get<'t>(&self, text: &'t [u8], node: usize) -> Option<&'t [u8]> {
        let &(start, end) = self.spans.get(node)?;
        (start < end).then(|| text.get(start..end)).flatten()
    }
}

struct Picker<'p> {
    places: &'p Places,
    spans: &'p mut [(usize, usize)],
    open: &'p mut Vec<Open>,
    scratch: &'p mut Vec<u8>,
    /// The place that the value to come is.
    next: Option<usize>,
    /// Containers open inside of the innermost one in which places are sought.
    outside: usize,
    /// The place that ends when the outermost of those ends.
    ends: Option<usize>,
}

impl Picker<'_> {
    /// The place that begins now. Whatever was found of it before was another member of its name.
    #[inline]
    fn begin(&mut self) -> Option<usize> {
        if let Some(open) = self.open.last_mut()
            && !open.object
        {
            let element = open.elements;
            open.elements += 1;
            let node = &self.places.nodes[open.node];
            return node
                .children
                .iter()
                .copied()
                .find(|&c| self.places.nodes[c].step == Step::Index(element));
        }
        self.next.take()
    }

    fn clear(&mut self, node: usize) {
        self.spans[node] = (0, 0);
        let places = self.places;
        for &child in &places.nodes[node].children {
            self.clear(child);
        }
    }
}

impl Visit for Picker<'_> {
    #[inline]
    fn name(&mut self, name: &[u8]) {
        if self.outside > 0 {
            return;
        }
        let Some(open) = self.open.last() else {
            return;
        };
        let places = self.places;
        let mut name = name;
        if memchr::memchr(b'\\', name).is_some() {
            self.scratch.clear();
            escape::unescape(self.scratch, name);
            name = self.scratch;
        }
        let children = places.nodes[open.node].children.iter().copied();
        self.next = children
            .into_iter()
            .find(|&c| matches!(&places.nodes[c].step, Step::Name(n) if n == name));
        if let Some(node) = self.next
            && self.spans[node].1 > 0
        {
            self.clear(node);
        }
    }

    #[inline]
    fn open(&mut self, at: usize, object: bool) {
        if self.outside > 0 {
            self.outside += 1;
            return;
        }
        let place = self.begin();
        if let Some(node) = place {
            self.spans[node].0 = at;
            let Node { named, indexed, .. } = self.places.nodes[node];
            if if object { named } else { indexed } {
                self.open.push(Open {
                    node,
                    object,
                    elements: 0,
                });
                return;
            }
        }
        self.outside = 1;
        self.ends = place;
    }

    #[inline]
    fn close(&mut self, end: usize) {
        if self.outside > 1 {
            self.outside -= 1;
        } else if self.outside == 1 {
            self.outside = 0;
            if let Some(node) = self.ends.take() {
                self.spans[node].1 = end;
            }
        } else if let Some(open) = self.open.pop() {
            self.spans[open.node].1 = end;
        }
    }

    #[inline]
    fn scalar(&mut self, start: usize, end: usize) {
        if self.outside == 0
            && let Some(node) = self.begin()
        {
            self.spans[node] = (start, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Step {
        Step::Name(text.as_bytes().to_vec())
    }

    fn found(text: &str, steps: &[Step]) -> Option<String> {
        let mut places = Places::default();
        places.add(&[name("other"), name("place")]);
        let trail = places.add(steps);
        let mut picked = Picked::default();
        assert!(picked.pick(&places, text.as_bytes()), "{text}");
        let found = picked.get(text.as_bytes(), trail[trail.len() - 1]);
        found.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn places_are_found_where_they_are() {
        let ab = [name("a"), name("b")];
        for (text, expected) in [
            (r#"{"a":{"b":1}}"#, Some("1")),
            (
                r#" { "x" : {"a":{"b":0}} , "a" : { "y":[{"b":2}], "b" : "s" } } "#,
                Some("\"s\""),
            ),
            (r#"{"a":{"b":{"b":[]}}}"#, Some(r#"{"b":[]}"#)),
            (r#"{"\u0061":{"b":true}}"#, Some("true")),
            (r#"{"b":1}"#, None),
            (r#"{"a":[{"b":1}]}"#, None),
            (r#"{"a":1,"other":{"place":2}}"#, None),
            ("[]", None),
            ("1", None),
        ] {
            assert_eq!(found(text, &ab).as_deref(), expected, "{text}");
        }
        assert_eq!(found(" 1 ", &[]).as_deref(), Some("1"));
    }

    #[test]
    fn the_last_member_of_a_name_counts() {
        let ab = [name("a"), name("b")];
        for (text, expected) in [
            (r#"{"a":{"b":1,"b":2}}"#, Some("2")),
            (r#"{"a":{"b":1},"a":{"b":3}}"#, Some("3")),
            (r#"{"a":{"b":1},"a":{"c":3}}"#, None),
            (r#"{"a":{"b":1},"a":5}"#, None),
            (r#"{"a":5,"\u0061":{"b":{}}}"#, Some("{}")),
        ] {
            assert_eq!(found(text, &ab).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn elements_are_counted_from_nought() {
        let steps = [name("a"), Step::Index(1), name("b")];
        for (text, expected) in [
            (r#"{"a":[{"b":0},{"b":1},{"b":2}]}"#, Some("1")),
            (r#"{"a":[[{"b":5}],{"c":[1],"b":7}]}"#, Some("7")),
            (r#"{"a":[{"b":0}]}"#, None),
            (r#"{"a":[0,[1]]}"#, None),
            (r#"{"a":{"1":{"b":1}}}"#, None),
        ] {
            assert_eq!(found(text, &steps).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_told() {
        let mut places = Places::default();
        places.add(&[name("a")]);
        let mut picked = Picked::default();
        for text in [&b"{\"a\":1"[..], b"", b"{\"a\":1}x", b"{\"a\":\"\xff\"}"] {
            assert!(!picked.pick(&places, text));
        }
        assert!(picked.pick(&places, b"{\"a\":1}"));
    }
}
