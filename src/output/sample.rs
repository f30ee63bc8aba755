//! Events for the tests of this room, and places to write to.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::{Look, writer};
use crate::event::{
    EventRef, HeaderBuf, Position, PositionStyle, Stream, Timestamp, TimestampType,
};

/// An event that owns its bytes.
pub(super) struct Sample {
    pub stream: Stream,
    pub time: Option<Timestamp>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: HeaderBuf,
}

impl Sample {
    pub(super) fn new(key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        Self {
            stream: Stream {
                topic: "orders".into(),
                partition: 0,
                style: PositionStyle::Offset,
            },
            time: Some(Timestamp(1_723_717_843_000)),
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: HeaderBuf::default(),
        }
    }

    pub(super) fn header(mut self, name: &[u8], value: Option<&[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same bytes everywhere.
    pub(super) fn bytes(bytes: &[u8]) -> Self {
        Self::new(Some(bytes), Some(bytes))
            .header(bytes, Some(bytes))
            .header(b"h", Some(bytes))
    }

    /// Texts everywhere.
    pub(super) fn full(topic: &str, value: &[u8], header: &str) -> Self {
        let mut sample = Self::new(Some(value), Some(value))
            .header(header.as_bytes(), Some(header.as_bytes()))
            .header(b"h", Some(value));
        sample.stream.topic = topic.into();
        sample
    }

    pub(super) fn event(&self) -> EventRef<'_> {
        EventRef {
            stream: &self.stream,
            stream_index: 0,
            position: Position::offset(15),
            timestamp: self.time.unwrap_or_default(),
            timestamp_type: match self.time {
                Some(_) => TimestampType::Create,
                None => TimestampType::None,
            },
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.as_headers(),
            meta: None,
        }
    }
}

/// Everything that a format writes for these events; bytes that are no UTF-8 panic.
pub(super) fn render(format: &str, look: &Look, samples: &[&Sample]) -> String {
    String::from_utf8(render_bytes(format, look, samples)).unwrap()
}

pub(super) fn render_bytes(format: &str, look: &Look, samples: &[&Sample]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = writer(format, look).unwrap();
    writer.begin(&mut out);
    for (i, sample) in samples.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(writer.separator());
        }
        writer.event(&mut out, &sample.event());
    }
    writer.finish(&mut out, !samples.is_empty());
    out
}

/// Keeps each write that it is given.
#[derive(Clone, Default)]
pub(super) struct Pieces(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pieces {
    pub(super) fn all(&self) -> Vec<u8> {
        self.0.lock().unwrap().concat()
    }

    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails at each write.
pub(super) struct Failing(pub io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
