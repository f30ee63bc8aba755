//! One look at a value: is it JSON, and which type does it name itself? No tree is built.

use super::Names;
use super::names::{length, lengths};
use crate::schema::formats::debezium::Envelope;
use crate::text::{JsonText, Visit};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A null or empty value: nothing that could be broken.
    Nothing,
    /// JSON, and what a member for the type says: the text between its quotes, as it is written.
    Json {
        kind: Option<&'a [u8]>,
    },
    Other,
}

/// The lengths of the names in Debezium's envelope, a bit each.
const ENVELOPE_LENGTHS: u64 = lengths(&Envelope::NAMES);

/// Looks at a value.
pub(super) fn look<'a>(value: Option<&'a [u8]>, names: &Names) -> Value<'a> {
    let Some(bytes) = value.filter(|bytes| !bytes.is_empty()) else {
        return Value::Nothing;
    };
    if !JsonText::may_be(bytes) {
        return Value::Other;
    }
    let mut members = Members {
        wanted: names.kind_members(),
        lengths: names.kind_lengths() | ENVELOPE_LENGTHS,
        depth: 0,
        next: None,
        found: None,
        change: Change::default(),
    };
    if JsonText::walk(bytes, &mut members).is_none() {
        return Value::Other;
    }
    let kind = members
        .found
        .and_then(|(_, start, end)| match bytes.get(start..end)? {
            [b'"', text @ .., b'"'] if !text.is_empty() => Some(text),
            _ => None,
        });
    let kind = kind.or_else(|| members.change.operation(bytes));
    Value::Json { kind }
}

/// The members of Debezium's envelope: what was done is the type of a change.
#[derive(Default)]
struct Change {
    /// The one whose value comes next, by its place in [`Envelope::NAMES`].
    next: Option<usize>,
    found: [Option<(usize, usize)>; Envelope::NAMES.len()],
}

impl Change {
    #[inline]
    fn value(&mut self, start: usize, end: usize) {
        if let Some(place) = self.next.take().and_then(|at| self.found.get_mut(at)) {
            *place = Some((start, end));
        }
    }

    fn operation<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let text = |place: Option<(usize, usize)>| {
            place.and_then(|(start, end)| str::from_utf8(bytes.get(start..end)?).ok())
        };
        let [operation, before, after, source] = self.found.map(text);
        let envelope = Envelope {
            operation,
            before,
            after,
            source,
        };
        envelope.letter().map(str::as_bytes)
    }
}

/// Finds members of the outermost object.
struct Members<'n> {
    wanted: &'n [Box<[u8]>],
    /// A bit for each length that a wanted name has: most names end here.
    lengths: u64,
    depth: usize,
    /// Rank of the member whose value comes next.
    next: Option<usize>,
    /// Rank and place of the best one so far.
    found: Option<(usize, usize, usize)>,
    change: Change,
}

impl Visit for Members<'_> {
    #[inline]
    fn name(&mut self, name: &[u8]) {
        if self.depth == 1 && self.lengths & length(name) != 0 {
            self.next = self.wanted.iter().position(|wanted| **wanted == *name);
            self.change.next = Envelope::NAMES.iter().position(|n| n.as_bytes() == name);
        }
    }

    #[inline]
    fn open(&mut self, at: usize, _: bool) {
        // Of an object or array only how it begins counts.
        if self.depth == 1 {
            self.change.value(at, at + 1);
        }
        self.depth += 1;
        self.next = None;
    }

    #[inline]
    fn close(&mut self, _: usize) {
        self.depth -= 1;
    }

    #[inline]
    fn scalar(&mut self, start: usize, end: usize) {
        self.change.value(start, end);
        if let Some(rank) = self.next.take()
            && self.found.is_none_or(|(best, ..)| rank <= best)
        {
            self.found = Some((rank, start, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_taken_from_the_outermost_object() {
        let names = Names::default();
        for (text, kind) in [
            (r#"{"eventType":"A","data":{"eventType":"B"}}"#, Some("A")),
            (r#"{"data":{"type":"B"},"type":"C"}"#, Some("C")),
            (r#"{"type":"low","eventType":"high"}"#, Some("high")),
            (r#"{"eventType":{"type":"x"}}"#, None),
            (r#"{"eventType":7}"#, None),
            (r#"[{"type":"x"}]"#, None),
            ("17", None),
            (
                r#"{"before":null,"after":{"op":"d"},"source":{},"op":"c"}"#,
                Some("c"),
            ),
            (
                r#"{"after":{},"source":{},"op":"c","eventType":"A"}"#,
                Some("A"),
            ),
            (r#"{"source":{"after":1},"op":"c"}"#, None),
            (r#"{"after":{},"source":[],"op":"c"}"#, None),
        ] {
            let kind = kind.map(str::as_bytes);
            let got = look(Some(text.as_bytes()), &names);
            assert_eq!(got, Value::Json { kind }, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_other_and_nothing_is_nothing() {
        let names = Names::default();
        assert_eq!(
            look(Some(b"{\"eventId\":\"pay-436\","), &names),
            Value::Other
        );
        assert_eq!(look(Some(b"\xff"), &names), Value::Other);
        assert_eq!(look(Some(b""), &names), Value::Nothing);
        assert_eq!(look(None, &names), Value::Nothing);
    }
}
