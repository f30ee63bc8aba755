//! The headers by which a copy tells where it came from, and what an event's own headers say of
//! earlier replays.

use crate::event::object::{push_integer, push_position};
use crate::event::{EventRef, HeaderBuf, Headers};

/// The id of the plan.
pub const REPLAY: &str = "evtap-replay";
/// `PLACE/TOPIC/PARTITION/POSITION` of the original.
pub const SOURCE: &str = "evtap-source";
/// Its timestamp, RFC 3339; absent when it had none.
pub const TIME: &str = "evtap-time";
/// How many times it was replayed, this one included.
pub const COUNT: &str = "evtap-count";

const PREFIX: &[u8] = b"evtap-";

/// One of these headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    Replay,
    Source,
    Time,
    Count,
}

impl Own {
    /// By its name.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match name.strip_prefix(PREFIX)? {
            b"replay" => Some(Self::Replay),
            b"source" => Some(Self::Source),
            b"time" => Some(Self::Time),
            b"count" => Some(Self::Count),
            _ => None,
        }
    }
}

/// What an event brings along from earlier replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Prior {
    /// It has provenance headers.
    pub marked: bool,
    /// How many times it was replayed.
    pub count: u32,
    pub of_this_plan: bool,
    pub from_target: bool,
}

/// What earlier headers are compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub plan: String,
    /// `PLACE/TOPIC/` of the target, by each of its names.
    pub target: Vec<String>,
}

impl Known {
    /// One pass over the headers; none of it for an event without any.
    pub(super) fn read(&self, headers: Headers<'_>) -> Prior {
        let mut prior = Prior::default();
        for (name, value) in headers {
            let Some(own) = Own::of(name) else { continue };
            let value = value.unwrap_or_default();
            prior.marked = true;
            match own {
                Own::Count => prior.count = read_count(value),
                Own::Replay => prior.of_this_plan |= value == self.plan.as_bytes(),
                Own::Source => {
                    prior.from_target |= self.target.iter().any(|place| is_below(value, place));
                }
                Own::Time => {}
            }
        }
        // A mark without a count that can be read is still one replay.
        if prior.marked {
            prior.count = prior.count.max(1);
        }
        prior
    }
}

/// A count that is no number is taken for one.
fn read_count(text: &[u8]) -> u32 {
    std::str::from_utf8(text)
        .ok()
        .filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()))
        .map_or(1, |t| t.parse().unwrap_or(u32::MAX))
}

/// True for `PLACE/TOPIC/` followed by a partition and a position: topics can hold slashes.
fn is_below(source: &[u8], place: &str) -> bool {
    source
        .strip_prefix(place.as_bytes())
        .is_some_and(|rest| memchr::memchr_iter(b'/', rest).count() == 1)
}

/// Appends all headers but ours.
pub(super) fn push_others(headers: Headers<'_>, out: &mut HeaderBuf) {
    for (name, value) in headers {
        if Own::of(name).is_none() {
            out.push(name, value);
        }
    }
}

/// Writes the headers of one copy after another on the same buffers.
#[derive(Debug)]
pub(super) struct Stamp {
    /// That which names the plan.
    replay: HeaderBuf,
    headers: HeaderBuf,
    text: Vec<u8>,
}

impl Stamp {
    pub(super) fn new(plan: &str) -> Self {
        let mut replay = HeaderBuf::default();
        replay.push(REPLAY.as_bytes(), Some(plan.as_bytes()));
        Self {
            replay,
            headers: HeaderBuf::default(),
            text: Vec::new(),
        }
    }

    /// The event's own headers, byte for byte, with new provenance in place of the old.
    /// `place` is `PLACE/TOPIC/PARTITION/`.
    pub(super) fn headers(
        &mut self,
        event: &EventRef<'_>,
        prior: Prior,
        place: &[u8],
    ) -> Headers<'_> {
        self.headers.clear();
        if prior.marked {
            push_others(event.headers, &mut self.headers);
        } else {
            self.headers.extend(event.headers);
        }
        self.headers.extend(self.replay.as_headers());
        self.text.clear();
        self.text.extend_from_slice(place);
        push_position(&mut self.text, event);
        self.headers.push(SOURCE.as_bytes(), Some(&self.text));
        if let Some(time) = event.time() {
            self.text.clear();
            time.write_rfc3339(&mut self.text);
            self.headers.push(TIME.as_bytes(), Some(&self.text));
        }
        self.text.clear();
        push_integer(&mut self.text, prior.count.saturating_add(1));
        self.headers.push(COUNT.as_bytes(), Some(&self.text));
        self.headers.as_headers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known {
            plan: "p1".into(),
            target: vec!["kafka://h:1/orders/".into()],
        }
    }

    fn read(headers: &[(&str, Option<&str>)]) -> Prior {
        let mut buf = HeaderBuf::default();
        for (name, value) in headers {
            buf.push(name.as_bytes(), value.map(str::as_bytes));
        }
        known().read(buf.as_headers())
    }

    #[test]
    fn ours_are_known_by_their_names() {
        let names = [REPLAY, SOURCE, TIME, COUNT, "evtap-position", "source"];
        let own = names.map(|name| Own::of(name.as_bytes()));
        let [replay, source, time, count] =
            [Own::Replay, Own::Source, Own::Time, Own::Count].map(Some);
        assert_eq!(own, [replay, source, time, count, None, None]);
    }

    #[test]
    fn an_event_without_marks_was_never_replayed() {
        assert_eq!(read(&[]), Prior::default());
        let other = [("evtap-position", Some("1-0")), ("x", None)];
        assert_eq!(read(&other), Prior::default());
    }

    #[test]
    fn counts_are_read_and_what_is_no_count_is_one_replay() {
        for (text, count) in [("1", 1), ("7", 7), ("x", 1), ("", 1), ("0", 1), ("-5", 1)] {
            assert_eq!(read(&[(COUNT, Some(text))]).count, count, "{text}");
        }
        assert_eq!(read(&[(COUNT, Some("99999999999"))]).count, u32::MAX);
        assert_eq!(read(&[(COUNT, None)]).count, 1);
        assert_eq!(read(&[(TIME, Some("x"))]).count, 1);
    }

    #[test]
    fn the_plan_and_the_target_are_recognised() {
        assert!(read(&[(REPLAY, Some("p1"))]).of_this_plan);
        assert!(!read(&[(REPLAY, Some("p2"))]).of_this_plan);
        assert!(read(&[(SOURCE, Some("kafka://h:1/orders/0/15"))]).from_target);
        for other in [
            "kafka://h:1/orders/x/0/15",
            "kafka://h:1/orders.dlq/0/15",
            "",
        ] {
            assert!(!read(&[(SOURCE, Some(other))]).from_target, "{other}");
        }
    }
}
