//! Redis's replies as the types that the adapter works with.

use redis::Value;

use crate::event::{Position, PositionStyle};

/// What `XINFO STREAM` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamInfo {
    pub(super) length: u64,
    /// `None` when the stream holds nothing.
    pub(super) first: Option<Position>,
    /// The id given out last; its entry may be gone.
    pub(super) last_id: Position,
    /// Entries ever added; servers before 7.0 do not count them.
    pub(super) added: Option<u64>,
}

impl StreamInfo {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            length: number(field(value, "length")?)?,
            first: field(value, "first-entry").and_then(entry_id),
            last_id: field(value, "last-generated-id").and_then(id)?,
            added: field(value, "entries-added").and_then(number),
        })
    }

    /// The first position that no event has yet.
    pub(super) const fn end(&self) -> Position {
        self.last_id.next(PositionStyle::Entry)
    }

    /// The first event, or the end of an empty stream.
    pub(super) fn start(&self) -> Position {
        self.first.unwrap_or_else(|| self.end())
    }

    /// Entries that were trimmed or deleted so far: the number of the first that is left.
    pub(super) fn removed(&self) -> Option<u64> {
        self.added.map(|added| added.saturating_sub(self.length))
    }
}

/// One row of `XINFO GROUPS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupInfo {
    pub(super) name: String,
    pub(super) consumers: u64,
    pub(super) pending: u64,
    pub(super) delivered: Position,
    pub(super) lag: Option<u64>,
}

impl GroupInfo {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            name: text(field(value, "name")?)?,
            consumers: number(field(value, "consumers")?)?,
            pending: number(field(value, "pending")?)?,
            delivered: field(value, "last-delivered-id").and_then(id)?,
            lag: field(value, "lag").and_then(number),
        })
    }
}

/// A named part of a reply that is a flat list of names and values (RESP 2) or a map (RESP 3).
pub(super) fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Array(flat) => flat
            .chunks_exact(2)
            .find(|pair| bytes(&pair[0]) == Some(name.as_bytes()))
            .map(|pair| &pair[1]),
        Value::Map(pairs) => pairs
            .iter()
            .find(|(key, _)| bytes(key) == Some(name.as_bytes()))
            .map(|(_, value)| value),
        _ => None,
    }
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// Names that are no UTF-8 are shown with replacement characters.
pub(super) fn text(value: &Value) -> Option<String> {
    bytes(value).map(|b| String::from_utf8_lossy(b).into_owned())
}

pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok(),
        other => std::str::from_utf8(bytes(other)?).ok()?.parse().ok(),
    }
}

pub(super) fn id(value: &Value) -> Option<Position> {
    let text = std::str::from_utf8(bytes(value)?).ok()?;
    Position::parse(text, PositionStyle::Entry)
}

/// An entry is its id and the flat list of its fields and values.
pub(super) fn entry(value: &Value) -> Option<(Position, &[Value])> {
    match value {
        Value::Array(parts) => match parts.as_slice() {
            [head, Value::Array(fields)] => Some((id(head)?, fields)),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn entry_id(value: &Value) -> Option<Position> {
    entry(value).map(|(id, _)| id)
}

/// Payload bytes of an entry, to size the next page by.
pub(super) fn entry_bytes(value: &Value) -> usize {
    entry(value).map_or(0, |(_, fields)| {
        fields.iter().filter_map(bytes).map(<[u8]>::len).sum()
    })
}

/// The position before this one: Redis's ranges are inclusive in every version.
pub(super) const fn before(position: Position) -> Position {
    match position.minor.checked_sub(1) {
        Some(minor) => Position {
            major: position.major,
            minor,
        },
        None => match position.major.checked_sub(1) {
            Some(major) => Position {
                major,
                minor: u64::MAX,
            },
            None => Position::ZERO,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn the_place_before_is_found_across_milliseconds() {
        let at = |major, minor| Position { major, minor };
        assert_eq!(before(at(5, 3)), at(5, 2));
        assert_eq!(before(at(5, 0)), at(4, u64::MAX));
        assert_eq!(before(Position::ZERO), Position::ZERO);
    }

    #[test]
    fn an_empty_stream_begins_at_its_end() {
        let reply = Value::Array(vec![
            bulk("length"),
            Value::Int(0),
            bulk("last-generated-id"),
            bulk("7-1"),
            bulk("entries-added"),
            Value::Int(3),
            bulk("first-entry"),
            Value::Nil,
        ]);
        let info = StreamInfo::read(&reply).unwrap();
        assert_eq!(info.start(), Position { major: 7, minor: 2 });
        assert_eq!(info.start(), info.end());
        assert_eq!(info.removed(), Some(3));
    }

    #[test]
    fn a_lag_that_the_server_does_not_know_is_none() {
        let reply = |lag: Value| {
            Value::Map(vec![
                (bulk("name"), bulk("g")),
                (bulk("consumers"), Value::Int(1)),
                (bulk("pending"), Value::Int(2)),
                (bulk("last-delivered-id"), bulk("1-0")),
                (bulk("lag"), lag),
            ])
        };
        assert_eq!(GroupInfo::read(&reply(Value::Nil)).unwrap().lag, None);
        assert_eq!(GroupInfo::read(&reply(Value::Int(4))).unwrap().lag, Some(4));
    }

    #[test]
    fn a_reply_of_another_shape_is_refused() {
        assert_eq!(StreamInfo::read(&Value::Okay), None);
        assert_eq!(
            entry(&Value::Array(vec![bulk("x"), Value::Array(vec![])])),
            None
        );
        assert_eq!(entry(&Value::Array(vec![bulk("1-1")])), None);
    }
}
