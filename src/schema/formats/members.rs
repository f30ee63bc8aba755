//! The members of a JSON object by name, borrowed as they are written. One pass, nothing is built.

use crate::text::{JsonText, Visit};

/// The members of the object that `bytes` are, in the order of `names`; of one that comes twice
/// the last. `None` where the bytes are no JSON object. Names that are written with escapes are
/// not found.
pub(in crate::schema) fn members<'a, const N: usize>(
    bytes: &'a [u8],
    names: [&'static str; N],
) -> Option<Members<'a, N>> {
    let mut finder = Finder {
        names,
        spans: [None; N],
        others: 0,
        depth: 0,
        object: false,
        next: None,
        start: 0,
    };
    let json = JsonText::walk(bytes, &mut finder)?;
    let slice = |(start, end)| json.as_str().get(start..end);
    finder.object.then(|| Members {
        found: finder.spans.map(|span| span.and_then(slice)),
        others: finder.others,
    })
}

pub(in crate::schema) struct Members<'a, const N: usize> {
    /// The text of each value.
    pub(in crate::schema) found: [Option<&'a str>; N],
    /// How many members have another name.
    pub(in crate::schema) others: usize,
}

struct Finder<const N: usize> {
    names: [&'static str; N],
    spans: [Option<(usize, usize)>; N],
    others: usize,
    depth: usize,
    object: bool,
    /// The place in `names` of the member whose value is read.
    next: Option<usize>,
    start: usize,
}

impl<const N: usize> Finder<N> {
    fn value(&mut self, start: usize, end: usize) {
        if self.depth == 1
            && let Some(span) = self.next.take().and_then(|at| self.spans.get_mut(at))
        {
            *span = Some((start, end));
        }
    }
}

impl<const N: usize> Visit for Finder<N> {
    fn name(&mut self, name: &[u8]) {
        if self.depth == 1 {
            self.next = self.names.iter().position(|n| n.as_bytes() == name);
            self.others += usize::from(self.next.is_none());
        }
    }

    fn open(&mut self, at: usize, object: bool) {
        match self.depth {
            0 => self.object = object,
            1 => self.start = at,
            _ => {}
        }
        self.depth += 1;
    }

    fn close(&mut self, end: usize) {
        self.depth -= 1;
        self.value(self.start, end);
    }

    fn scalar(&mut self, start: usize, end: usize) {
        self.value(start, end);
    }
}

/// The text of a JSON string that has no escapes, and of one that has by way of `serde_json`.
/// `None` for what is no string.
pub(super) fn string(value: &str) -> Option<std::borrow::Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(value)
            .ok()
            .map(std::borrow::Cow::Owned);
    }
    Some(std::borrow::Cow::Borrowed(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Option<([Option<&str>; 2], usize)> {
        members(json.as_bytes(), ["a", "b"]).map(|m| (m.found, m.others))
    }

    #[test]
    fn members_are_borrowed_as_they_are_written() {
        for (json, expected) in [
            ("{}", Some(([None, None], 0))),
            (
                r#" {"b" : [1, {"a":2}] , "c":{"a":1},"a":1e2} "#,
                Some(([Some("1e2"), Some(r#"[1, {"a":2}]"#)], 1)),
            ),
            (
                r#"{"a":{},"a":"x\"y"}"#,
                Some(([Some(r#""x\"y""#), None], 0)),
            ),
            (r#"[{"a":1}]"#, None),
            ("7", None),
            (r#"{"a":1"#, None),
            ("", None),
        ] {
            assert_eq!(found(json), expected, "{json}");
        }
    }

    #[test]
    fn strings_lose_their_quotes_and_escapes() {
        for (value, text) in [
            (r#""""#, Some("")),
            (r#""a b""#, Some("a b")),
            (r#""a\/\u00e9""#, Some("a/é")),
            ("7", None),
            (r#"["a"]"#, None),
            ("\"", None),
        ] {
            assert_eq!(string(value).as_deref(), text, "{value}");
        }
    }
}
