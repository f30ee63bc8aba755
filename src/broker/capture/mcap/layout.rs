//! How a capture is laid out in MCAP: the names, and what of an event goes where. No I/O.
//!
//! A channel is a topic-partition, a message is one Kafka record batch (format v2). What a record
//! batch cannot say:
//! - A position that is no integer is the text of the last record header, `evtap-position`, on
//!   channels whose metadata says `position=entry`; the offsets then count from 0.
//! - An event without timestamp has -1, which is how Kafka itself writes it.
//! - Timestamps that the broker set, each event its own, stand on a channel whose metadata says
//!   `timestamps=append`: in a batch of Kafka's append time all events have the same.

use std::collections::BTreeMap;

use crate::event::{Headers, Position, PositionStyle, Stream, Timestamp};

pub(super) const PROFILE: &str = "evtap";
pub(super) const LIBRARY: &str = concat!("evtap ", env!("CARGO_PKG_VERSION"));
pub(super) const ENCODING: &str = "kafka.recordbatch.v2";

/// The metadata record that says where the events come from.
pub(super) const ABOUT: &str = "evtap";
/// The metadata record that sums up each partition.
pub(super) const STREAMS: &str = "evtap.streams";
/// In `ABOUT`: milliseconds since the epoch.
pub(super) const CLOCK: &str = "clock";

const POSITION: &str = "position";
const TIMESTAMPS: &str = "timestamps";
const APPEND: &str = "append";
/// The header in which a position that is no integer rides.
pub(super) const POSITION_HEADER: &[u8] = b"evtap-position";

/// The largest record batch, and the most that one inflates to.
pub(super) const BATCH_LIMIT: usize = 258 * 1024 * 1024;
/// The largest event that is written; it has a batch of its own, which with its framing stays below
/// `BATCH_LIMIT`.
pub(super) const EVENT_LIMIT: usize = 256 * 1024 * 1024;

/// What a channel is to us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Channel {
    pub(super) topic: String,
    pub(super) partition: u32,
    /// `position=entry`
    pub(super) entries: bool,
    /// `timestamps=append`
    pub(super) appended: bool,
}

impl Channel {
    pub(super) fn of(stream: &Stream, appended: bool) -> Self {
        Self {
            topic: stream.topic.to_string(),
            partition: stream.partition,
            entries: stream.style == PositionStyle::Entry,
            appended,
        }
    }

    /// Reads a channel's topic and metadata; `None` when it is not one of ours.
    pub(super) fn parse(
        topic: &str,
        encoding: &str,
        metadata: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let (name, partition) = topic.rsplit_once('/')?;
        let is = |key: &str, value: &str| metadata.get(key).is_some_and(|v| v == value);
        (encoding == ENCODING && !name.is_empty()).then_some(Self {
            topic: name.to_owned(),
            partition: partition.parse().ok()?,
            entries: is(POSITION, "entry"),
            appended: is(TIMESTAMPS, APPEND),
        })
    }

    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }

    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let style = if self.entries { "entry" } else { "offset" };
        let mut metadata = BTreeMap::from([(POSITION.to_owned(), style.to_owned())]);
        if self.appended {
            metadata.insert(TIMESTAMPS.to_owned(), APPEND.to_owned());
        }
        metadata
    }

    pub(super) fn stream(&self) -> Stream {
        Stream {
            topic: self.topic.as_str().into(),
            partition: self.partition,
            style: if self.entries {
                PositionStyle::Entry
            } else {
                PositionStyle::Offset
            },
        }
    }
}

/// MCAP's nanoseconds; what lies outside of them becomes the nearest.
pub(super) fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.0).unwrap_or(0).saturating_mul(1_000_000)
}

pub(super) fn from_nanos(nanos: u64) -> Timestamp {
    Timestamp((nanos / 1_000_000).cast_signed())
}

/// Takes the position off the end of the headers; `None` when it is not there.
pub(super) fn split_position(headers: Headers<'_>) -> Option<(Headers<'_>, Position)> {
    let encoded = headers.encoded();
    let mut walk = headers.iter();
    let mut before = 0;
    let mut last = None;
    loop {
        let at = encoded.len() - walk.rest().len();
        match walk.next() {
            Some(header) => {
                before = at;
                last = Some(header);
            }
            None => break,
        }
    }
    let (POSITION_HEADER, Some(text)) = last? else {
        return None;
    };
    let position = Position::parse(str::from_utf8(text).ok()?, PositionStyle::Entry)?;
    Some((Headers::from_encoded(&encoded[..before]), position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;

    #[test]
    fn a_channel_is_read_back_as_written() {
        for (entries, appended) in [(false, false), (true, false), (false, true), (true, true)] {
            let channel = Channel {
                topic: "a/b".into(),
                partition: 7,
                entries,
                appended,
            };
            let read = Channel::parse(&channel.name(), ENCODING, &channel.metadata());
            assert_eq!(read, Some(channel));
        }
    }

    #[test]
    fn a_foreign_channel_is_none() {
        let none = BTreeMap::new();
        for (topic, encoding) in [
            ("/camera", "ros1"),
            ("orders", ENCODING),
            ("orders/x", ENCODING),
            ("/0", ENCODING),
        ] {
            assert_eq!(Channel::parse(topic, encoding, &none), None, "{topic}");
        }
    }

    #[test]
    fn the_position_is_taken_off_the_end_only() {
        let mut headers = HeaderBuf::default();
        headers.push(POSITION_HEADER, Some(b"1-1"));
        headers.push(b"a", None);
        assert_eq!(split_position(headers.as_headers()), None);
        let own = headers.clone();
        headers.push(POSITION_HEADER, Some(b"5-6"));
        let (rest, position) = split_position(headers.as_headers()).unwrap();
        assert_eq!(rest, own.as_headers());
        assert_eq!((position.major, position.minor), (5, 6));
        assert_eq!(split_position(Headers::default()), None);
    }

    #[test]
    fn times_outside_of_what_mcap_can_say_are_clamped() {
        assert_eq!(nanos(Timestamp(-5)), 0);
        assert_eq!(nanos(Timestamp(i64::MAX)), u64::MAX);
        assert_eq!(
            from_nanos(nanos(Timestamp(1_723_717_843_001))),
            Timestamp(1_723_717_843_001)
        );
    }
}
