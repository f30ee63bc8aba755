//! Events to test expressions on.

use crate::event::{
    EventRef, HeaderBuf, Position, PositionStyle, Stream, Timestamp, TimestampType,
};

/// An event that owns its parts.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub stream: Stream,
    pub position: Position,
    pub timestamp_type: TimestampType,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: HeaderBuf,
}

impl Sample {
    /// `orders/0@15` with this value and no key.
    pub(crate) fn of(value: impl AsRef<[u8]>) -> Self {
        Self {
            stream: Stream {
                topic: "orders".into(),
                partition: 0,
                style: PositionStyle::Offset,
            },
            position: Position::offset(15),
            timestamp_type: TimestampType::Create,
            key: None,
            value: Some(value.as_ref().to_vec()),
            headers: HeaderBuf::default(),
        }
    }

    pub(crate) fn event(&self) -> EventRef<'_> {
        EventRef {
            stream: &self.stream,
            stream_index: 0,
            position: self.position,
            timestamp: Timestamp(1_723_717_843_000),
            timestamp_type: self.timestamp_type,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.as_headers(),
            meta: None,
        }
    }
}
