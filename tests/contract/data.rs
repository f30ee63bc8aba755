//! Events to write, events that came back, and what of them must be equal.

use evtap::broker::Capabilities;
use evtap::event::{ANY_PARTITION, EventRef, Position, TimestampType};

pub(crate) type Bytes = Option<Vec<u8>>;
pub(crate) type Header = (Vec<u8>, Bytes);

/// An event to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) partition: u32,
    pub(crate) timestamp: i64,
    pub(crate) key: Bytes,
    pub(crate) value: Bytes,
    pub(crate) headers: Vec<Header>,
}

/// 2024-08-15T10:30:43Z, and a second for each event after it.
pub(crate) const EPOCH: i64 = 1_723_717_843_000;

impl Event {
    /// Event number `n` of a row: key and value say so.
    pub(crate) fn numbered(n: usize) -> Self {
        Self {
            partition: 0,
            timestamp: EPOCH + i64::try_from(n).unwrap() * 1000,
            key: Some(format!("key-{n}").into_bytes()),
            value: Some(format!(r#"{{"n":{n}}}"#).into_bytes()),
            headers: vec![(b"n".to_vec(), Some(n.to_string().into_bytes()))],
        }
    }

    pub(crate) fn row(count: usize) -> Vec<Self> {
        (0..count).map(Self::numbered).collect()
    }

    pub(crate) fn of(
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&[u8], Option<&[u8]>)],
    ) -> Self {
        Self {
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: headers
                .iter()
                .map(|(name, content)| (name.to_vec(), content.map(<[u8]>::to_vec)))
                .collect(),
            ..Self::numbered(0)
        }
    }

    #[must_use]
    pub(crate) fn on(self, partition: u32) -> Self {
        Self { partition, ..self }
    }

    #[must_use]
    pub(crate) fn anywhere(self) -> Self {
        self.on(ANY_PARTITION)
    }

    /// What must be equal to what is read.
    pub(crate) fn parts(&self) -> (&Bytes, &Bytes, &[Header]) {
        (&self.key, &self.value, &self.headers)
    }

    /// What the broker can hold of it.
    #[must_use]
    pub(crate) fn within(mut self, caps: &Capabilities) -> Self {
        if !caps.keys {
            self.key = None;
        }
        if !caps.headers {
            self.headers.clear();
        }
        if !caps.null_values {
            self.value.get_or_insert_default();
            for (_, content) in &mut self.headers {
                content.get_or_insert_default();
            }
        }
        self
    }
}

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) topic: String,
    pub(crate) partition: u32,
    pub(crate) position: Position,
    pub(crate) timestamp: i64,
    pub(crate) timestamp_type: TimestampType,
    pub(crate) key: Bytes,
    pub(crate) value: Bytes,
    pub(crate) headers: Vec<Header>,
}

impl Got {
    pub(crate) fn of(event: &EventRef<'_>) -> Self {
        Self {
            topic: event.stream.topic.as_ref().to_owned(),
            partition: event.stream.partition,
            position: event.position,
            timestamp: event.timestamp.0,
            timestamp_type: event.timestamp_type,
            key: event.key.map(<[u8]>::to_vec),
            value: event.value.map(<[u8]>::to_vec),
            headers: event
                .headers
                .iter()
                .map(|(name, content)| (name.to_vec(), content.map(<[u8]>::to_vec)))
                .collect(),
        }
    }

    pub(crate) fn parts(&self) -> (&Bytes, &Bytes, &[Header]) {
        (&self.key, &self.value, &self.headers)
    }
}

/// Payloads equal, one by one, byte for byte. Says which one is not.
#[track_caller]
pub(crate) fn assert_payloads<'g>(got: impl IntoIterator<Item = &'g Got>, expected: &[Event]) {
    let got: Vec<&Got> = got.into_iter().collect();
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(
            shown(got.key.as_deref()),
            shown(expected.key.as_deref()),
            "key of event {i}"
        );
        assert_eq!(
            shown(got.value.as_deref()),
            shown(expected.value.as_deref()),
            "value of event {i}"
        );
        assert_eq!(
            got.headers.iter().map(header).collect::<Vec<_>>(),
            expected.headers.iter().map(header).collect::<Vec<_>>(),
            "headers of event {i}"
        );
    }
    assert_eq!(got.len(), expected.len(), "number of events");
}

fn header((name, content): &Header) -> (String, Option<(usize, u64, String)>) {
    (name.escape_ascii().to_string(), shown(content.as_deref()))
}

/// Bytes for a message: a megabyte is not printed.
fn shown(bytes: Option<&[u8]>) -> Option<(usize, u64, String)> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    bytes.map(|b| {
        let mut hasher = DefaultHasher::new();
        b.hash(&mut hasher);
        (
            b.len(),
            hasher.finish(),
            b[..b.len().min(64)].escape_ascii().to_string(),
        )
    })
}
