//! How the fields of a stream entry become key, value and headers, and back. The mapping is told
//! in the adapter's own doc comment. No I/O.

use std::io::Write as _;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use redis::Value;

use super::reply::bytes;
use crate::event::{EventRef, HeaderBuf};

const KEY: &[u8] = b"key";
const VALUE: &[u8] = b"value";
/// A field that says by its presence that the value is null.
const NULL: &[u8] = b"evtap-null";
/// In front of a header's name that would be taken for something else.
const ESCAPE: &[u8] = b"evtap-header:";
/// In front of the name of a header whose value is null.
const NULL_HEADER: &[u8] = b"evtap-null-header:";

/// An entry as an event's parts, borrowed from the reply and from [`Scratch`].
pub(super) struct Parts<'a> {
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
}

/// Buffers that are used again for each entry.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) headers: HeaderBuf,
    json: Vec<u8>,
    order: Vec<u32>,
    /// For each field, the next one of the same name.
    next: Vec<u32>,
    /// For each field, whether an earlier one has its name.
    follows: Vec<bool>,
}

const END: u32 = u32::MAX;

impl Scratch {
    /// Splits an entry; its headers are left in `self.headers`.
    pub(super) fn split<'a>(&'a mut self, fields: &'a [Value]) -> (Parts<'a>, &'a HeaderBuf) {
        self.headers.clear();
        let named = |name: &[u8]| pairs(fields).any(|(field, _)| field == name);
        if !named(VALUE) && !named(NULL) {
            self.write_json(fields);
            let parts = Parts {
                key: None,
                value: Some(&self.json),
            };
            return (parts, &self.headers);
        }
        let (mut key, mut value, mut null) = (None, None, false);
        for (field, content) in pairs(fields) {
            if field == VALUE && value.is_none() {
                value = Some(content);
            } else if field == KEY && key.is_none() {
                key = Some(content);
            } else if field == NULL && !null {
                null = true;
            } else if let Some(name) = field.strip_prefix(NULL_HEADER) {
                self.headers.push(name, None);
            } else {
                let name = field.strip_prefix(ESCAPE).unwrap_or(field);
                self.headers.push(name, Some(content));
            }
        }
        (Parts { key, value }, &self.headers)
    }

    /// All fields as one JSON object. Fields of one name become an array, where the first stood.
    fn write_json(&mut self, fields: &[Value]) {
        self.link_same_names(fields);
        let out = &mut self.json;
        out.clear();
        out.push(b'{');
        for (i, (name, content)) in pairs(fields).enumerate() {
            if self.follows[i] {
                continue;
            }
            if out.len() > 1 {
                out.push(b',');
            }
            write_text(out, &String::from_utf8_lossy(name));
            out.push(b':');
            if self.next[i] == END {
                write_content(out, content);
                continue;
            }
            out.push(b'[');
            write_content(out, content);
            let mut same = self.next[i];
            while same != END {
                out.push(b',');
                let content = fields.get(same as usize * 2 + 1).and_then(bytes);
                write_content(out, content.unwrap_or_default());
                same = self.next[same as usize];
            }
            out.push(b']');
        }
        out.push(b'}');
    }

    /// Sorting keeps an entry with very many fields from costing their square.
    fn link_same_names(&mut self, fields: &[Value]) {
        let count = fields.len() / 2;
        let name = |i: u32| {
            fields
                .get(i as usize * 2)
                .and_then(bytes)
                .unwrap_or_default()
        };
        self.order.clear();
        self.order.extend(0..count as u32);
        self.order.sort_by(|&a, &b| name(a).cmp(name(b)));
        self.next.clear();
        self.next.resize(count, END);
        self.follows.clear();
        self.follows.resize(count, false);
        for pair in self.order.windows(2) {
            if name(pair[0]) == name(pair[1]) {
                self.next[pair[0] as usize] = pair[1];
                self.follows[pair[1] as usize] = true;
            }
        }
    }
}

fn pairs(fields: &[Value]) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.chunks_exact(2).map(|pair| {
        (
            bytes(&pair[0]).unwrap_or_default(),
            bytes(&pair[1]).unwrap_or_default(),
        )
    })
}

fn write_content(out: &mut Vec<u8>, content: &[u8]) {
    match std::str::from_utf8(content) {
        Ok(text) => write_text(out, text),
        Err(_) => {
            // Writing to a vector does not fail, nor does a string refuse to be JSON.
            drop(write!(
                out,
                r#"{{"base64":"{}"}}"#,
                Base64Display::new(content, &STANDARD)
            ));
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    drop(serde_json::to_writer(out, text));
}

/// Hands each field of the entry that stands for this event to `put`, in order.
pub(super) fn write_event(
    event: &EventRef<'_>,
    scratch: &mut Vec<u8>,
    mut put: impl FnMut(&[u8], &[u8]),
) {
    if let Some(key) = event.key {
        put(KEY, key);
    }
    match event.value {
        Some(value) => put(VALUE, value),
        None => put(NULL, b"1"),
    }
    for (name, content) in event.headers {
        let prefix = match content {
            None => NULL_HEADER,
            Some(_) if needs_escape(name) => ESCAPE,
            Some(content) => {
                put(name, content);
                continue;
            }
        };
        scratch.clear();
        scratch.extend_from_slice(prefix);
        scratch.extend_from_slice(name);
        put(scratch, content.unwrap_or_default());
    }
}

fn needs_escape(name: &[u8]) -> bool {
    [KEY, VALUE, NULL].contains(&name) || name.starts_with(ESCAPE) || name.starts_with(NULL_HEADER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Headers, Position, PositionStyle, Stream, Timestamp, TimestampType};

    fn bulk(bytes: &[u8]) -> Value {
        Value::BulkString(bytes.to_vec())
    }

    fn entry(fields: &[(&[u8], &[u8])]) -> Vec<Value> {
        fields
            .iter()
            .flat_map(|(f, v)| [bulk(f), bulk(v)])
            .collect()
    }

    fn json(fields: &[(&[u8], &[u8])]) -> String {
        let fields = entry(fields);
        let mut scratch = Scratch::default();
        let (parts, headers) = scratch.split(&fields);
        assert!(parts.key.is_none() && headers.as_headers().is_empty());
        String::from_utf8(parts.value.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn fields_without_a_value_become_one_object_in_their_order() {
        assert_eq!(
            json(&[(b"b", b"1"), (b"a", b"\"x\"\n")]),
            r#"{"b":"1","a":"\"x\"\n"}"#
        );
        assert_eq!(
            json(&[(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"a", b"4")]),
            r#"{"a":["1","3","4"],"b":"2"}"#
        );
        assert_eq!(
            json(&[(b"key", b"\xff\x00")]),
            r#"{"key":{"base64":"/wA="}}"#
        );
        assert_eq!(json(&[]), "{}");
    }

    #[test]
    fn a_value_field_makes_the_others_headers() {
        let fields = entry(&[
            (b"h", b"1"),
            (b"value", b""),
            (b"key", b"k"),
            (b"value", b"2"),
        ]);
        let mut scratch = Scratch::default();
        let (parts, headers) = scratch.split(&fields);
        assert_eq!((parts.key, parts.value), (Some(&b"k"[..]), Some(&b""[..])));
        let headers: Vec<_> = headers.as_headers().iter().collect();
        let expected: [(&[u8], Option<&[u8]>); 2] = [(b"h", Some(b"1")), (b"value", Some(b"2"))];
        assert_eq!(headers, expected);
    }

    type Event<'a> = (
        Option<&'a [u8]>,
        Option<&'a [u8]>,
        &'a [(&'a [u8], Option<&'a [u8]>)],
    );

    #[test]
    fn what_is_written_is_read_back() {
        let cases: [Event<'_>; 6] = [
            (None, None, &[]),
            (Some(b""), Some(b""), &[]),
            (Some(b"k"), None, &[(b"h", Some(b""))]),
            (
                None,
                Some(b"\xff\x00\r\n"),
                &[(b"", None), (b"", Some(b"x"))],
            ),
            (
                Some(b"k"),
                Some(b"v"),
                &[
                    (b"key", Some(b"1")),
                    (b"value", Some(b"2")),
                    (b"evtap-null", Some(b"3")),
                    (b"evtap-header:x", Some(b"4")),
                    (b"evtap-null-header:x", Some(b"5")),
                    (b"evtap-null-header:x", None),
                    (b"a", Some(b"1")),
                    (b"a", Some(b"2")),
                    (b"key", None),
                ],
            ),
            (None, None, &[(b"value", Some(b"x")), (b"key", Some(b"y"))]),
        ];
        for (key, value, headers) in cases {
            let mut buf = HeaderBuf::default();
            for (name, content) in headers {
                buf.push(name, *content);
            }
            assert_round_trip(key, value, buf.as_headers());
        }
    }

    fn assert_round_trip(key: Option<&[u8]>, value: Option<&[u8]>, headers: Headers<'_>) {
        let stream = Stream {
            topic: "t".into(),
            partition: 0,
            style: PositionStyle::Entry,
        };
        let event = EventRef {
            stream: &stream,
            stream_index: 0,
            position: Position::ZERO,
            timestamp: Timestamp(0),
            timestamp_type: TimestampType::Append,
            key,
            value,
            headers,
            meta: None,
        };
        let mut fields = Vec::new();
        write_event(&event, &mut Vec::new(), |f, v| {
            fields.extend([bulk(f), bulk(v)]);
        });
        assert!(!fields.is_empty(), "an entry needs a field");
        let mut scratch = Scratch::default();
        let (parts, read) = scratch.split(&fields);
        assert_eq!((parts.key, parts.value), (key, value));
        assert_eq!(read.as_headers(), headers);
    }
}
