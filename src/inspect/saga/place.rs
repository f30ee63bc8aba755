//! Where an event carries the id of its saga: a header, its key, a member of its JSON value.

use crate::event::{EventRef, Headers};
use crate::text::{JsonText, Visit};

/// One place to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Header(Box<[u8]>),
    Key,
    /// The names of the members on the way, outermost first.
    Value(Vec<Box<[u8]>>),
}

impl Place {
    /// Reads `header NAME`, `key` or `value .a.b`; a colon does as well as a space.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (word, rest) = text.split_once([' ', ':']).unwrap_or((text, ""));
        let rest = rest.trim();
        match word {
            "key" if rest.is_empty() => Some(Self::Key),
            "header" if !rest.is_empty() => Some(Self::Header(rest.as_bytes().into())),
            "value" => {
                let names = rest.strip_prefix('.')?.split('.');
                let names: Vec<Box<[u8]>> = names.map(|n| n.as_bytes().into()).collect();
                let sound = names.iter().all(|name| !name.is_empty());
                sound.then_some(Self::Value(names))
            }
            _ => None,
        }
    }

    /// What stands there; an empty id is none.
    pub(super) fn find<'a>(&self, event: &EventRef<'a>) -> Option<&'a [u8]> {
        let found = match self {
            Self::Header(name) => header(event.headers, name),
            Self::Key => event.key,
            Self::Value(path) => member(event.value?, path),
        };
        found.filter(|id| !id.is_empty())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {}", String::from_utf8_lossy(name)),
            Self::Key => f.write_str("key"),
            Self::Value(path) => {
                f.write_str("value ")?;
                path.iter()
                    .try_for_each(|name| write!(f, ".{}", String::from_utf8_lossy(name)))
            }
        }
    }
}

/// Of several headers of one name the last counts, as elsewhere.
fn header<'a>(headers: Headers<'a>, wanted: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    for (name, value) in headers {
        if name == wanted {
            found = value;
        }
    }
    found
}

/// The scalar at the end of a path of members: a string without its quotes, as it is written.
fn member<'a>(value: &'a [u8], path: &[Box<[u8]>]) -> Option<&'a [u8]> {
    let mut walk = Walk {
        path,
        depth: 0,
        matched: 0,
        next: false,
        found: None,
    };
    JsonText::walk(value, &mut walk)?;
    let (start, end) = walk.found?;
    match value.get(start..end)? {
        b"null" => None,
        [b'"', text @ .., b'"'] => Some(text),
        number => Some(number),
    }
}

struct Walk<'p> {
    path: &'p [Box<[u8]>],
    depth: usize,
    /// Members of the path that are open.
    matched: usize,
    /// The value of the next member of the path comes.
    next: bool,
    found: Option<(usize, usize)>,
}

impl Visit for Walk<'_> {
    fn name(&mut self, name: &[u8]) {
        let wanted = self.path.get(self.matched);
        self.next = self.depth == self.matched + 1 && wanted.is_some_and(|w| **w == *name);
    }

    fn open(&mut self, _: usize, _: bool) {
        self.matched += usize::from(std::mem::take(&mut self.next));
        self.depth += 1;
    }

    fn close(&mut self, _: usize) {
        self.depth -= 1;
        self.matched = self.matched.min(self.depth.saturating_sub(1));
    }

    fn scalar(&mut self, start: usize, end: usize) {
        if std::mem::take(&mut self.next) && self.matched + 1 == self.path.len() {
            self.found = Some((start, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["header correlation-id", "key", "value .data.orderId"] {
            assert_eq!(Place::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Place::parse("header:x"), Place::parse("header x"));
        for bad in [
            "",
            "header",
            "key x",
            "value",
            "value a",
            "value .a..b",
            "id",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_member_is_found_by_its_whole_path_only() {
        let path: Vec<Box<[u8]>> = vec![b"data"[..].into(), b"id"[..].into()];
        for (text, found) in [
            (r#"{"id":1,"data":{"id":"o-1"}}"#, Some("o-1")),
            (r#"{"data":{"x":{"id":"no"},"id":7}}"#, Some("7")),
            (r#"{"x":{"data":{"id":"no"}}}"#, None),
            (r#"{"data":{"id":null}}"#, None),
            (r#"{"data":{"id":{"id":1}}}"#, None),
            (r#"{"data":[{"id":1}]}"#, None),
            (r#"{"data":{"y":[1]},"z":{"id":3}}"#, None),
            (r#"{"data":{"id":"#, None),
        ] {
            let got = member(text.as_bytes(), &path);
            assert_eq!(got, found.map(str::as_bytes), "{text}");
        }
    }
}
