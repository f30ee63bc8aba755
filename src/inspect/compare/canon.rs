//! A hash of what a JSON text says: the order of members and white space do not matter, escapes
//! are undone, numbers count by their digits. One walk without recursion, on buffers that are kept.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::rules::Ignored;
use crate::text::{JsonText, Visit};

/// Kinds of what is hashed, so that no two kinds give one hash.
const OBJECT: u8 = 2;
const ARRAY: u8 = 3;
const SCALAR: u8 = 4;
const STRING: u8 = 5;

/// Hashes JSON texts with one secret.
pub(super) struct Canon {
    secret: RandomState,
    ignored: Ignored,
    open: Vec<Frame>,
}

/// A container under way, or what holds the whole.
#[derive(Debug, Clone, Copy)]
struct Frame {
    object: bool,
    hash: u64,
    /// The hash of the name of the member that comes next.
    name: u64,
    /// The number of the element that comes next.
    index: usize,
    /// The paths that lead in here, and into what comes next; `None`: that does not count.
    alive: u64,
    next: Option<u64>,
}

impl Canon {
    pub(super) fn new(secret: RandomState, ignored: Ignored) -> Self {
        Self {
            secret,
            ignored,
            open: Vec::new(),
        }
    }

    /// `None` when it is no JSON text.
    pub(super) fn hash(&mut self, text: &[u8]) -> Option<u64> {
        self.open.clear();
        let alive = self.ignored.within();
        self.open.push(Frame {
            object: false,
            hash: 0,
            name: 0,
            index: 0,
            alive,
            next: Some(alive),
        });
        let mut walk = Walk { canon: self, text };
        JsonText::walk(text, &mut walk)?;
        Some(self.open.first()?.hash)
    }

    fn of(&self, kind: u8, feed: impl FnOnce(&mut dyn Hasher)) -> u64 {
        let mut hasher = self.secret.build_hasher();
        hasher.write_u8(kind);
        feed(&mut hasher);
        hasher.finish()
    }
}

struct Walk<'a> {
    canon: &'a mut Canon,
    text: &'a [u8],
}

impl Walk<'_> {
    /// The paths that lead into the value that begins; `None` when it does not count.
    fn begin(&mut self) -> Option<u64> {
        // The outermost holds the whole, which no path names.
        let depth = self.canon.open.len().checked_sub(2);
        let frame = self.canon.open.last_mut()?;
        let Some(depth) = depth else {
            return frame.next;
        };
        if !frame.object && frame.alive != 0 {
            let index = frame.index.to_string();
            frame.next = self.canon.ignored.below(frame.alive, depth, &index);
        }
        frame.index += 1;
        frame.next
    }

    fn end(&mut self, hash: u64) {
        let Some(frame) = self.canon.open.last().copied() else {
            return;
        };
        let hash = if frame.object {
            frame.hash.wrapping_add(self.canon.of(OBJECT, |hasher| {
                hasher.write_u64(frame.name);
                hasher.write_u64(hash);
            }))
        } else {
            self.canon.of(ARRAY, |hasher| {
                hasher.write_u64(frame.hash);
                hasher.write_u64(hash);
            })
        };
        if let Some(frame) = self.canon.open.last_mut() {
            frame.hash = hash;
        }
    }
}

/// What is written between quotes, with its escapes undone.
fn unquoted<T>(written: &[u8], take: impl FnOnce(&str) -> T) -> T {
    let plain = String::from_utf8_lossy(written);
    if !written.contains(&b'\\') {
        return take(&plain);
    }
    // Only of strings with escapes, which are few: a lone half of a surrogate pair stays as it is.
    match serde_json::from_str::<String>(&format!("\"{plain}\"")) {
        Ok(text) => take(&text),
        Err(_) => take(&plain),
    }
}

impl Visit for Walk<'_> {
    fn name(&mut self, name: &[u8]) {
        let Some(depth) = self.canon.open.len().checked_sub(2) else {
            return;
        };
        let alive = self.canon.open.last().map_or(0, |frame| frame.alive);
        let canon = &*self.canon;
        let (hash, next) = unquoted(name, |name| {
            let hash = canon.of(STRING, |hasher| hasher.write(name.as_bytes()));
            (hash, canon.ignored.below(alive, depth, name))
        });
        if let Some(frame) = self.canon.open.last_mut() {
            (frame.name, frame.next) = (hash, next);
        }
    }

    fn open(&mut self, _: usize, object: bool) {
        let alive = self.begin();
        self.canon.open.push(Frame {
            object,
            hash: 0,
            name: 0,
            index: 0,
            alive: alive.unwrap_or_default(),
            next: alive.map(|_| 0),
        });
    }

    fn close(&mut self, _: usize) {
        let Some(frame) = self.canon.open.pop() else {
            return;
        };
        let counts = self.canon.open.last().is_some_and(|f| f.next.is_some());
        if counts {
            let kind = if frame.object { OBJECT } else { ARRAY };
            let hash = self.canon.of(kind, |hasher| {
                hasher.write_u8(SCALAR);
                hasher.write_u64(frame.hash);
            });
            self.end(hash);
        }
    }

    fn scalar(&mut self, start: usize, end: usize) {
        if self.begin().is_none() {
            return;
        }
        let text = self.text.get(start..end).unwrap_or_default();
        let inner = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\""));
        let canon = &*self.canon;
        let hash = match inner {
            Some(inner) => unquoted(inner, |text| {
                canon.of(STRING, |hasher| hasher.write(text.as_bytes()))
            }),
            None => canon.of(SCALAR, |hasher| hasher.write(text)),
        };
        self.end(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(paths: &[&str], one: &str, two: &str) -> bool {
        let mut ignored = Ignored::default();
        for path in paths {
            ignored.add(path).unwrap();
        }
        let mut canon = Canon::new(RandomState::new(), ignored);
        canon.hash(one.as_bytes()).unwrap() == canon.hash(two.as_bytes()).unwrap()
    }

    #[test]
    fn what_says_the_same_has_one_hash() {
        for (one, two) in [
            (
                r#"{"a":1,"b":[true,null]}"#,
                r#" { "b" : [ true , null ] , "a" : 1 } "#,
            ),
            (r#""A\u0042/""#, r#""AB\/""#),
            (r#"{"a\u0062":1}"#, r#"{"ab":1}"#),
            ("[]", "[ ]"),
        ] {
            assert!(same(&[], one, two), "{one} {two}");
        }
    }

    #[test]
    fn what_says_something_else_has_another() {
        let texts = [
            "1",
            "1.0",
            "\"1\"",
            "[1]",
            "[[1]]",
            "{}",
            "[]",
            "null",
            "\"\"",
            "{\"a\":1}",
            "{\"a\":[1]}",
            "{\"b\":1}",
            "{\"1\":\"a\"}",
            "{\"a\":1,\"b\":2}",
            "{\"a\":2,\"b\":1}",
            "[1,2]",
            "[2,1]",
            "[1,[2]]",
            "{\"a\":{\"b\":1}}",
            "{\"a\":{},\"b\":1}",
            "true",
            "[[],[]]",
            "[[[]]]",
            "{\"a\":{}}",
            "{\"a\":[]}",
            "{\"a\":null}",
        ];
        for (at, one) in texts.iter().enumerate() {
            for two in &texts[at + 1..] {
                assert!(!same(&[], one, two), "{one} {two}");
            }
        }
    }

    #[test]
    fn what_is_left_out_does_not_count_and_the_rest_does() {
        let one = r#"{"id":1,"items":[{"id":{"x":[1]},"n":1},{"id":3,"n":2}],"n":{"id":1}}"#;
        let two = r#"{"id":9,"items":[{"id":8,"n":1},{"n":2}],"n":{"id":1}}"#;
        assert!(!same(&[], one, two));
        assert!(!same(&[".value.id"], one, two));
        assert!(same(&[".value.id", ".value.items[].id"], one, two));
        assert!(same(&[".value.items"], r#"{"items":1}"#, "{}"));
        assert!(!same(
            &[".value.items[0]"],
            "{\"items\":[1,2]}",
            "{\"items\":[1,3]}"
        ));
        assert!(same(
            &[".value.items[1]"],
            "{\"items\":[1,2]}",
            "{\"items\":[1,3]}"
        ));
    }

    #[test]
    fn no_text_is_too_deep() {
        let deep = format!("{}{}", "[".repeat(512), "]".repeat(512));
        let mut canon = Canon::new(RandomState::new(), Ignored::default());
        assert!(canon.hash(deep.as_bytes()).is_some());
        assert!(canon.hash(format!("[{deep}]").as_bytes()).is_none());
        assert!(canon.hash(b"{\"a\":").is_none());
    }
}
