//! Events as plain values: from what `evtap read -o jsonl` prints, and from the reference that
//! `produce.py` writes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

type Bytes = Option<Vec<u8>>;

/// All of an event but its offset, which another log may give anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub timestamp: Option<i64>,
    pub key: Bytes,
    pub value: Bytes,
    /// Headers of one name together, where the first of them stood, as the event object has them.
    pub headers: Vec<(String, Vec<Bytes>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub partition: u64,
    pub offset: u64,
    pub content: Content,
}

pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// The bytes of a part of the event object that is not JSON.
fn bytes(part: &Value) -> Bytes {
    match part {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(object) => Some(unbase64(object["base64"].as_str().unwrap())),
        other => panic!("{other} is no text, no bytes and no null"),
    }
}

/// From a line of `-o jsonl`, read with keys and values left undecoded.
pub fn printed(line: &str) -> Event {
    let event: Value = serde_json::from_str(line).unwrap();
    let headers = event["headers"].as_object().unwrap();
    let headers = headers.iter().map(|(name, part)| {
        let all = match part {
            Value::Array(parts) => parts.iter().map(bytes).collect(),
            one => vec![bytes(one)],
        };
        (name.clone(), all)
    });
    Event {
        partition: event["partition"].as_u64().unwrap(),
        offset: event["offset"].as_u64().unwrap(),
        content: Content {
            timestamp: event["timestamp"].as_i64(),
            key: bytes(&event["key"]),
            value: bytes(&event["value"]),
            headers: headers.collect(),
        },
    }
}

/// From a line of a reference.
pub fn referred(line: &str) -> Event {
    type Row = (
        u64,
        u64,
        i64,
        Option<String>,
        Option<String>,
        Vec<(String, Option<String>)>,
    );
    let (partition, offset, timestamp, key, value, pairs): Row =
        serde_json::from_str(line).unwrap();
    let bytes = |text: Option<String>| text.map(|text| unbase64(&text));
    let mut headers: Vec<(String, Vec<Bytes>)> = Vec::new();
    for (name, data) in pairs {
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(bytes(data)),
            None => headers.push((name, vec![bytes(data)])),
        }
    }
    Event {
        partition,
        offset,
        content: Content {
            timestamp: Some(timestamp),
            key: bytes(key),
            value: bytes(value),
            headers,
        },
    }
}

/// The events by partition, each in the order that they came in.
pub fn by_partition(events: impl Iterator<Item = Event>) -> Vec<Vec<Event>> {
    let mut all: Vec<Vec<Event>> = Vec::new();
    for event in events {
        let partition = event.partition as usize;
        if all.len() <= partition {
            all.resize_with(partition + 1, Vec::new);
        }
        all[partition].push(event);
    }
    all
}

/// Fails with the first event that differs, cut short.
#[track_caller]
pub fn equal(got: &[Vec<Event>], wanted: &[Vec<Event>], offsets_too: bool) {
    assert_eq!(got.len(), wanted.len(), "partitions");
    for (got, wanted) in got.iter().zip(wanted) {
        for (got, wanted) in got.iter().zip(wanted) {
            let same =
                got.content == wanted.content && (!offsets_too || got.offset == wanted.offset);
            if !same {
                let shown =
                    |event: &Event| format!("{event:?}").chars().take(2000).collect::<String>();
                panic!("got    {}\nwanted {}", shown(got), shown(wanted));
            }
        }
        assert_eq!(got.len(), wanted.len(), "events of a partition");
    }
}
