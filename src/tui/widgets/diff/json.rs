//! Two JSON texts by their structure: members by name and occurrence, items by place. Without
//! recursion and without decoding more than what differs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::vec;

use super::report::{Kind, Piece, Row, lead};
use super::{Comparison, number};
use crate::tui::widgets::tree::{Index, push_index, push_name};

/// A text and where its values are.
pub(super) struct Document<'a> {
    pub bytes: &'a [u8],
    pub index: Index,
}

impl<'a> Document<'a> {
    fn raw(&self, node: usize) -> &'a [u8] {
        let span = self.index.span(self.bytes, node);
        self.bytes.get(span).unwrap_or_default()
    }

    fn quoted_name(&self, node: usize) -> Option<&'a [u8]> {
        self.bytes.get(self.index.name(self.bytes, node)?)
    }

    fn children(&self, node: usize) -> Vec<usize> {
        let container = self.index.container(self.bytes, node);
        container.map_or_else(Vec::new, |c| self.index.children(self.bytes, c).collect())
    }
}

/// A value of the one, of the other, or of both that stand for each other.
#[derive(Clone, Copy)]
enum Pair {
    Both(u32, u32),
    Old(u32),
    New(u32),
}

/// The pairs of two containers that are still to be compared.
struct Frame {
    pairs: vec::IntoIter<Pair>,
    /// The length of the containers' path.
    path: usize,
}

/// Compares the values of two texts whose path is `path`.
pub(super) fn compare(to: &mut Comparison<'_>, path: &str, old: &Document<'_>, new: &Document<'_>) {
    let mut walk = Walk {
        to,
        old,
        new,
        path: path.to_owned(),
        frames: Vec::new(),
    };
    walk.both(0, 0);
    while let Some(frame) = walk.frames.last_mut() {
        let Some(pair) = frame.pairs.next() else {
            walk.frames.pop();
            continue;
        };
        let path = frame.path;
        walk.path.truncate(path);
        walk.pair(pair);
    }
}

struct Walk<'a, 'b, 'c> {
    to: &'a mut Comparison<'c>,
    old: &'a Document<'b>,
    new: &'a Document<'b>,
    path: String,
    frames: Vec<Frame>,
}

impl Walk<'_, '_, '_> {
    fn pair(&mut self, pair: Pair) {
        match pair {
            Pair::Both(old, new) => {
                let (old, new) = (old as usize, new as usize);
                if self.to.all() || self.old.raw(old) != self.new.raw(new) {
                    self.name(self.old, old);
                    self.both(old, new);
                }
            }
            Pair::Old(node) => {
                self.name(self.old, node as usize);
                let piece = Piece::json(self.old.raw(node as usize), 0);
                self.tell(Kind::Removed, Some(piece), None, "");
            }
            Pair::New(node) => {
                self.name(self.new, node as usize);
                let piece = Piece::json(self.new.raw(node as usize), 0);
                self.tell(Kind::Added, None, Some(piece), "");
            }
        }
    }

    /// Appends a value's last step to the path.
    fn name(&mut self, document: &Document<'_>, node: usize) {
        match document.quoted_name(node) {
            Some(name) => push_name(&mut self.path, name),
            None => push_index(&mut self.path, document.index.place(node)),
        }
    }

    fn both(&mut self, old: usize, new: usize) {
        let (a, b) = (self.old.raw(old), self.new.raw(new));
        let (first, second) = (a.first(), b.first());
        let containers = matches!(first, Some(b'{' | b'[')) && first == second;
        if a == b {
            self.tell(Kind::Same, Some(Piece::json(a, 0)), None, "");
        } else if containers && self.to.is_ignored(&self.path) {
            self.tell(Kind::Changed, Some(Piece::json(a, 0)), None, "");
        } else if containers {
            let pairs = self.pairs(old, new, first == Some(&b'{'));
            self.frames.push(Frame {
                pairs: pairs.into_iter(),
                path: self.path.len(),
            });
        } else {
            let (kind, note) = judge(a, b);
            let from = lead(a, b);
            let (a, b) = (Piece::json(a, from), Piece::json(b, from));
            self.tell(kind, Some(a), Some(b), note);
        }
    }

    fn tell(&mut self, kind: Kind, old: Option<Piece>, new: Option<Piece>, note: &'static str) {
        self.to.tell(Row {
            kind,
            path: self.path.clone(),
            old,
            new,
            note: Cow::Borrowed(note),
        });
    }

    fn pairs(&self, old: usize, new: usize, objects: bool) -> Vec<Pair> {
        let (olds, news) = (self.old.children(old), self.new.children(new));
        if objects {
            return self.members(&olds, &news);
        }
        let long = olds.len().max(news.len());
        let pair = |i: usize| match (olds.get(i), news.get(i)) {
            (Some(&a), Some(&b)) => Some(Pair::Both(a as u32, b as u32)),
            (Some(&a), None) => Some(Pair::Old(a as u32)),
            (None, Some(&b)) => Some(Pair::New(b as u32)),
            (None, None) => None,
        };
        (0..long).filter_map(pair).collect()
    }

    /// Members in the order of the old object, then those that only the new one has. The first of
    /// a name stands for the first of that name, the second for the second.
    fn members(&self, olds: &[usize], news: &[usize]) -> Vec<Pair> {
        let mut waiting: HashMap<Cow<'_, str>, Vec<u32>> = HashMap::new();
        for &node in news.iter().rev() {
            let name = meant(self.new.quoted_name(node).unwrap_or_default());
            waiting.entry(name).or_default().push(node as u32);
        }
        let mut pairs: Vec<Pair> = Vec::with_capacity(olds.len());
        for &node in olds {
            let name = meant(self.old.quoted_name(node).unwrap_or_default());
            let other = waiting.get_mut(&name).and_then(Vec::pop);
            pairs.push(match other {
                Some(other) => Pair::Both(node as u32, other),
                None => Pair::Old(node as u32),
            });
        }
        let mut left: Vec<u32> = waiting.into_values().flatten().collect();
        left.sort_unstable();
        pairs.extend(left.into_iter().map(Pair::New));
        pairs
    }
}

/// What the difference between two values is that are not both arrays or both objects.
fn judge(old: &[u8], new: &[u8]) -> (Kind, &'static str) {
    let is_number = |raw: &[u8]| matches!(raw.first(), Some(b'-' | b'0'..=b'9'));
    let is_string = |raw: &[u8]| raw.first() == Some(&b'"');
    if is_number(old) && is_number(new) && number::same(old, new) {
        (Kind::Notation, "the same number")
    } else if is_string(old) && is_string(new) && meant(old) == meant(new) {
        (Kind::Notation, "the same text")
    } else {
        (Kind::Changed, "")
    }
}

/// A string without its quotes and escapes. One that no text can hold stays as it is written,
/// quotes included.
fn meant(quoted: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', quoted).is_none() {
        let inner = quoted.get(1..quoted.len().saturating_sub(1));
        return String::from_utf8_lossy(inner.unwrap_or_default());
    }
    serde_json::from_slice::<String>(quoted)
        .map_or_else(|_| String::from_utf8_lossy(quoted), Cow::Owned)
}
