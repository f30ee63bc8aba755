//! Under which names events carry their ids, their type and their numbers: a list that a person
//! can change, and one walk over an event's headers that finds them all.

use crate::event::Headers;

/// What headers can tell of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Id,
    Correlation,
    Causation,
    Trace,
    Producer,
    Sequence,
    Version,
    Kind,
}

const SLOTS: usize = 8;

/// The header names that are known without being told, the better ones first.
const KNOWN: &[(&str, Slot)] = &[
    ("ce_id", Slot::Id),
    ("event-id", Slot::Id),
    ("eventId", Slot::Id),
    ("message-id", Slot::Id),
    ("messageId", Slot::Id),
    ("correlation-id", Slot::Correlation),
    ("correlationId", Slot::Correlation),
    ("correlation_id", Slot::Correlation),
    ("x-correlation-id", Slot::Correlation),
    ("kafka_correlationId", Slot::Correlation),
    ("causation-id", Slot::Causation),
    ("causationId", Slot::Causation),
    ("causation_id", Slot::Causation),
    ("traceparent", Slot::Trace),
    ("ce_traceparent", Slot::Trace),
    ("producer", Slot::Producer),
    ("ce_source", Slot::Producer),
    ("seq", Slot::Sequence),
    ("sequence", Slot::Sequence),
    ("ce_sequence", Slot::Sequence),
    ("version", Slot::Version),
    ("aggregate-version", Slot::Version),
    ("ce_type", Slot::Kind),
    ("event-type", Slot::Kind),
    ("eventType", Slot::Kind),
    ("type", Slot::Kind),
];

/// Members of a JSON object that name the event's type, where no header does.
const KIND_MEMBERS: &[&str] = &["eventType", "event_type", "type"];

/// The bit of a name's length; what is longer than 63 bytes shares one.
pub(super) const fn length(name: &[u8]) -> u64 {
    1 << (name.len() % 64)
}

/// The bits of the lengths that these names have.
pub(super) const fn lengths(names: &[&str]) -> u64 {
    let (mut all, mut at) = (0, 0);
    while at < names.len() {
        all |= length(names[at].as_bytes());
        at += 1;
    }
    all
}

/// A name, what it tells, and how good it is: the less the better.
type Known = (Box<[u8]>, Slot, i32);

/// Names are kept apart by their length up to this.
const LENGTHS: usize = 32;

/// Where events carry what.
#[derive(Debug, Clone)]
pub struct Names {
    /// By their length, and the better ones first: names are compared with few others.
    headers: [Vec<Known>; LENGTHS],
    /// The rank that the next name gets that is put before all others.
    first: i32,
    members: Vec<Box<[u8]>>,
    lengths: u64,
}

impl Default for Names {
    fn default() -> Self {
        let mut headers: [Vec<Known>; LENGTHS] = Default::default();
        for ((name, slot), rank) in KNOWN.iter().zip(0..) {
            headers[name.len() % LENGTHS].push((name.as_bytes().into(), *slot, rank));
        }
        Self {
            headers,
            first: -1,
            members: KIND_MEMBERS.iter().map(|m| m.as_bytes().into()).collect(),
            lengths: lengths(KIND_MEMBERS),
        }
    }
}

impl Names {
    /// Takes the id of an event from this header, before all others.
    #[must_use]
    pub fn with_id(mut self, header: &str) -> Self {
        let same_length = &mut self.headers[header.len() % LENGTHS];
        same_length.insert(0, (header.as_bytes().into(), Slot::Id, self.first));
        self.first -= 1;
        self
    }

    /// True for the name of a header that has the id of an event.
    pub(super) fn is_id(&self, name: &[u8]) -> bool {
        let mut known = self.headers[name.len() % LENGTHS].iter();
        known.any(|(known, slot, _)| *slot == Slot::Id && **known == *name)
    }

    /// The members of a JSON object that name its type.
    pub(super) fn kind_members(&self) -> &[Box<[u8]>] {
        &self.members
    }

    /// Their lengths, as [`lengths`] has them.
    pub(super) const fn kind_lengths(&self) -> u64 {
        self.lengths
    }

    /// The name of the header that has the correlation id of an event.
    pub fn correlation_header<'a>(&self, headers: Headers<'a>) -> Option<&'a [u8]> {
        let mut all = headers.iter().map(|(name, _)| name);
        all.find(|name| {
            let mut known = self.headers[name.len() % LENGTHS].iter();
            known.any(|(known, slot, _)| *slot == Slot::Correlation && **known == **name)
        })
    }

    /// Trace id and parent id of the W3C `traceparent` of an event.
    pub(super) fn traceparent<'a>(&self, headers: Headers<'a>) -> Option<(&'a [u8], &'a [u8])> {
        let is_one = |name: &[u8]| {
            let known = &self.headers[name.len() % LENGTHS];
            known
                .iter()
                .any(|(known, slot, _)| *slot == Slot::Trace && **known == *name)
        };
        let mut all = headers.iter().filter(|(name, _)| is_one(name));
        let text = all.find_map(|(_, value)| value)?;
        let trace = trace_id(text)?;
        let span = text.split(|b| *b == b'-').nth(2)?;
        (span.len() == 16 && span.iter().all(u8::is_ascii_hexdigit)).then_some((trace, span))
    }

    /// What the headers of an event tell. Of several headers of one name the last counts.
    #[inline]
    pub fn heads<'a>(&self, headers: Headers<'a>) -> Heads<'a> {
        let mut found = [None; SLOTS];
        let mut ranks = [i32::MAX; SLOTS];
        for (name, value) in headers {
            let mut known = self.headers[name.len() % LENGTHS].iter();
            // Most names of one length differ in their last letter.
            let same = |known: &[u8]| known.last() == name.last() && *known == *name;
            let Some((_, slot, rank)) = known.find(|(known, ..)| same(known)) else {
                continue;
            };
            let (slot, rank) = (*slot as usize, *rank);
            if rank <= ranks[slot] {
                ranks[slot] = rank;
                found[slot] = value.filter(|value| !value.is_empty());
            }
        }
        let [
            id,
            correlation,
            causation,
            trace,
            producer,
            sequence,
            version,
            kind,
        ] = found;
        Heads {
            id,
            correlation,
            causation,
            traceparent: trace,
            producer,
            sequence: sequence.and_then(number),
            version: version.and_then(number),
            kind,
        }
    }
}

/// What the headers of one event tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads<'a> {
    pub id: Option<&'a [u8]>,
    pub correlation: Option<&'a [u8]>,
    pub causation: Option<&'a [u8]>,
    /// A W3C `traceparent`, whatever is in it.
    pub traceparent: Option<&'a [u8]>,
    pub producer: Option<&'a [u8]>,
    pub sequence: Option<u64>,
    pub version: Option<u64>,
    pub kind: Option<&'a [u8]>,
}

impl<'a> Heads<'a> {
    /// The trace id of a W3C `traceparent`.
    pub fn trace(&self) -> Option<&'a [u8]> {
        self.traceparent.and_then(trace_id)
    }
}

/// The 32 hex digits in the middle of `00-TRACE-SPAN-FLAGS`.
fn trace_id(traceparent: &[u8]) -> Option<&[u8]> {
    let start = 1 + traceparent.iter().position(|b| *b == b'-')?;
    let rest = traceparent.get(start..)?;
    let id = rest.get(..32)?;
    // Not cut short at the first that is none: so many are looked at together.
    let hex = |all: bool, b: &u8| all & b.is_ascii_hexdigit();
    (matches!(rest.get(32), None | Some(b'-')) && id.iter().fold(true, hex)).then_some(id)
}

/// A number as headers carry it: decimal text.
fn number(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;

    fn buf(headers: &[(&str, Option<&str>)]) -> HeaderBuf {
        let mut buf = HeaderBuf::default();
        for (name, value) in headers {
            buf.push(name.as_bytes(), value.map(str::as_bytes));
        }
        buf
    }

    #[test]
    fn one_walk_finds_them_all() {
        let trace = "feed0456beeffeed0456beeffeed0456";
        let headers = buf(&[
            ("ce_id", Some("pay-1")),
            ("correlation-id", Some("order-1")),
            (
                "traceparent",
                Some(&format!("00-{trace}-fade0456cafe0003-01")),
            ),
            ("seq", Some("41")),
            ("version", Some("x")),
            ("other", None),
        ]);
        let names = Names::default();
        let heads = names.heads(headers.as_headers());
        assert_eq!(heads.id, Some(&b"pay-1"[..]));
        assert_eq!(heads.correlation, Some(&b"order-1"[..]));
        assert_eq!(heads.trace(), Some(trace.as_bytes()));
        assert_eq!((heads.sequence, heads.version), (Some(41), None));
    }

    #[test]
    fn the_better_name_wins_and_of_one_name_the_last() {
        let names = Names::default();
        let headers = buf(&[
            ("messageId", Some("m")),
            ("ce_id", Some("a")),
            ("ce_id", Some("b")),
            ("eventId", Some("e")),
        ]);
        assert_eq!(names.heads(headers.as_headers()).id, Some(&b"b"[..]));
        let own = names.with_id("messageId");
        assert_eq!(own.heads(headers.as_headers()).id, Some(&b"m"[..]));
        let null = buf(&[("ce_id", None)]);
        assert_eq!(own.heads(null.as_headers()).id, None);
    }

    #[test]
    fn what_is_no_number_or_trace_is_none() {
        for text in ["", "-1", "+1", "1.0", "99999999999999999999"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
        for text in ["", "00", "00-xyz-1-01", "00--"] {
            assert_eq!(trace_id(text.as_bytes()), None, "{text}");
        }
    }
}
