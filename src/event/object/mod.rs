//! The event object: what expressions see and what `-o jsonl` prints, one JSON text on one line.
//! Its member names and order are public API. Nothing here allocates for an ordinary event.

mod headers;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::decode::{Content, Decoded};
use super::seen::{Checked, SchemaId, Seen};
use super::{EventRef, PositionStyle};
use crate::text;

pub use headers::write_headers;

/// Appends the event object, without a line end.
pub fn write(out: &mut Vec<u8>, event: &EventRef<'_>, seen: &Seen<'_>) {
    write_place(out, event);
    let (key, value) = (&seen.key, &seen.value);
    out.extend_from_slice(b",\"key\":");
    write_data(out, key.data);
    out.extend_from_slice(b",\"headers\":");
    write_headers(out, event.headers);
    out.extend_from_slice(b",\"value\":");
    write_data(out, value.data);
    out.extend_from_slice(b",\"encoding\":{\"key\":\"");
    out.extend_from_slice(key.encoding("null").as_bytes());
    out.extend_from_slice(b"\",\"value\":\"");
    out.extend_from_slice(value.encoding("tombstone").as_bytes());
    out.extend_from_slice(b"\"}");
    write_refusals(out, key, value);
    if let Some(checked) = &seen.schema {
        write_schema(out, checked);
    }
    out.push(b'}');
}

/// The members that say where and when.
fn write_place(out: &mut Vec<u8>, event: &EventRef<'_>) {
    out.extend_from_slice(b"{\"topic\":");
    text::push_string(out, &event.stream.topic);
    out.extend_from_slice(b",\"partition\":");
    push_integer(out, event.stream.partition);
    out.extend_from_slice(b",\"offset\":");
    match event.stream.style {
        PositionStyle::Offset => push_integer(out, event.position.major),
        PositionStyle::Entry => {
            out.push(b'"');
            push_position(out, event);
            out.push(b'"');
        }
    }
    match event.time() {
        Some(time) => {
            out.extend_from_slice(b",\"timestamp\":");
            push_integer(out, time.0);
            out.extend_from_slice(b",\"time\":\"");
            time.write_rfc3339(out);
            out.push(b'"');
        }
        None => out.extend_from_slice(b",\"timestamp\":null,\"time\":null"),
    }
    out.extend_from_slice(b",\"timestamp_type\":\"");
    out.extend_from_slice(event.timestamp_type.name().as_bytes());
    out.push(b'"');
}

/// Appends the position as the broker's own tools write it.
pub fn push_position(out: &mut Vec<u8>, event: &EventRef<'_>) {
    push_integer(out, event.position.major);
    if event.stream.style == PositionStyle::Entry {
        out.push(b'-');
        push_integer(out, event.position.minor);
    }
}

/// Appends a decimal number.
pub fn push_integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends what a key or value is in the event object.
pub fn write_data(out: &mut Vec<u8>, data: Decoded<'_>) {
    match data {
        Decoded::Null => out.extend_from_slice(b"null"),
        Decoded::Json(json) => json.write(out),
        Decoded::Text(text) => text::push_string(out, text),
        Decoded::Binary(bytes) => write_base64(out, bytes),
    }
}

/// Appends `{"base64":"…"}`.
fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"base64\":\"");
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]);
    // The room is exactly what the encoding takes: four characters for each three bytes begun.
    debug_assert_eq!(written, Ok(out.len() - start));
    out.extend_from_slice(b"\"}");
}

fn write_refusals(out: &mut Vec<u8>, key: &Content<'_>, value: &Content<'_>) {
    if key.refused.is_none() && value.refused.is_none() {
        return;
    }
    out.extend_from_slice(b",\"error\":");
    let said = [("key", key), ("value", value)];
    let said = said
        .iter()
        .filter_map(|(name, content)| Some(format!("{name}: {}", content.refused?)));
    text::push_string(out, &said.collect::<Vec<_>>().join("; "));
}

/// Appends what the schema says.
fn write_schema(out: &mut Vec<u8>, checked: &Checked<'_>) {
    out.extend_from_slice(b",\"schema\":{\"verdict\":\"");
    out.extend_from_slice(checked.verdict.name().as_bytes());
    out.extend_from_slice(b"\",\"id\":");
    match checked.id {
        Some(SchemaId::Number(id)) => push_integer(out, id),
        Some(SchemaId::Text(id)) => text::push_string(out, id),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"errors\":[");
    for (i, fault) in checked.faults.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        for (lead, text) in [
            (&b"{\"path\":"[..], &fault.path),
            (b",\"keyword\":", &fault.keyword),
            (b",\"message\":", &fault.message),
        ] {
            out.extend_from_slice(lead);
            text::push_string(out, text);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        Decoding, Format, HeaderBuf, Position, SchemaFault, SchemaVerdict, Stream, Timestamp,
        TimestampType,
    };
    use crate::text::is_hostile;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn stream(style: PositionStyle) -> Stream {
        Stream {
            topic: "orders".into(),
            partition: 0,
            style,
        }
    }

    fn event<'a>(
        stream: &'a Stream,
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
        headers: &'a HeaderBuf,
    ) -> EventRef<'a> {
        EventRef {
            stream,
            stream_index: 0,
            position: Position {
                major: 15,
                minor: 3,
            },
            timestamp: Timestamp(1_723_717_843_000),
            timestamp_type: TimestampType::Create,
            key,
            value,
            headers: headers.as_headers(),
            meta: None,
        }
    }

    fn line(event: &EventRef<'_>, key: Format, value: Format) -> String {
        let decoding = Decoding { key, value };
        let mut out = Vec::new();
        write(&mut out, event, &decoding.see(event));
        String::from_utf8(out).unwrap()
    }

    const FORMATS: [Format; 4] = [Format::Auto, Format::Json, Format::Text, Format::Binary];

    fn headers(all: &[(&[u8], Option<&[u8]>)]) -> HeaderBuf {
        let mut buf = HeaderBuf::default();
        for (name, value) in all {
            buf.push(name, *value);
        }
        buf
    }

    #[test]
    fn the_object_is_as_promised_to_the_letter() {
        let stream = stream(PositionStyle::Offset);
        let headers = headers(&[(b"ce_id", Some(b"ord-444")), (b"traceparent", Some(b"00-"))]);
        let value = br#"{"eventType":"OrderPlaced","n":[1e400,12345678901234567890,0.10,-0]}"#;
        assert_eq!(
            line(
                &event(&stream, Some(b"order-444"), Some(value), &headers),
                Format::Auto,
                Format::Auto
            ),
            concat!(
                r#"{"topic":"orders","partition":0,"offset":15,"timestamp":1723717843000,"#,
                r#""time":"2024-08-15T10:30:43.000Z","timestamp_type":"create","#,
                r#""key":"order-444","headers":{"ce_id":"ord-444","traceparent":"00-"},"#,
                r#""value":{"eventType":"OrderPlaced","n":[1e400,12345678901234567890,0.10,-0]},"#,
                r#""encoding":{"key":"text","value":"json"}}"#
            )
        );
    }

    #[test]
    fn what_is_missing_is_null_and_says_so() {
        let stream = stream(PositionStyle::Entry);
        let none = HeaderBuf::default();
        let mut event = event(&stream, None, None, &none);
        event.timestamp_type = TimestampType::None;
        assert_eq!(
            line(&event, Format::Auto, Format::Auto),
            concat!(
                r#"{"topic":"orders","partition":0,"offset":"15-3","timestamp":null,"time":null,"#,
                r#""timestamp_type":"none","key":null,"headers":{},"value":null,"#,
                r#""encoding":{"key":"null","value":"tombstone"}}"#
            )
        );
    }

    #[test]
    fn what_the_schema_says_comes_last() {
        let stream = stream(PositionStyle::Offset);
        let none = HeaderBuf::default();
        let event = event(&stream, None, Some(b"{}"), &none);
        let fault = SchemaFault {
            path: "/data/totalAmount".to_owned(),
            keyword: "type".to_owned(),
            message: "\u{1b}\"59.98\" is not of type \"number\"".to_owned(),
        };
        for (id, faults, expected) in [
            (
                None,
                &[][..],
                r#","schema":{"verdict":"valid","id":null,"errors":[]}}"#,
            ),
            (
                Some(SchemaId::Text("a")),
                &[fault][..],
                concat!(
                    r#","schema":{"verdict":"invalid","id":"a","errors":[{"path":"/data/totalAmount","#,
                    r#""keyword":"type","message":"\u001b\"59.98\" is not of type \"number\""}]}}"#
                ),
            ),
        ] {
            let seen = Seen {
                schema: Some(Checked {
                    verdict: if faults.is_empty() {
                        SchemaVerdict::Valid
                    } else {
                        SchemaVerdict::Invalid
                    },
                    id,
                    faults,
                }),
                ..Decoding::default().see(&event)
            };
            let mut out = Vec::new();
            write(&mut out, &event, &seen);
            let line = String::from_utf8(out).unwrap();
            assert!(line.ends_with(expected), "{line}");
        }
    }

    #[test]
    fn a_refused_decoder_is_told_after_the_encoding() {
        let stream = stream(PositionStyle::Offset);
        let none = HeaderBuf::default();
        let event = event(&stream, Some(b"\xff"), Some(b"{\"eventId\":"), &none);
        let line = line(&event, Format::Text, Format::Json);
        assert!(
            line.ends_with(concat!(
                r#""value":"{\"eventId\":","encoding":{"key":"binary","value":"text"},"#,
                r#""error":"key: not text: not UTF-8 at byte 0; "#,
                r#"value: not JSON: the text ends early at byte 11"}"#
            )),
            "{line}"
        );
    }

    /// The bytes that a reader makes of a key or value, as the encoding says.
    fn read_back(data: &Value, encoding: &Value) -> Option<Vec<u8>> {
        match encoding.as_str().unwrap() {
            "null" | "tombstone" => None,
            "text" => Some(data.as_str().unwrap().as_bytes().to_vec()),
            "binary" => Some(STANDARD.decode(data["base64"].as_str().unwrap()).unwrap()),
            "json" => Some(serde_json::to_vec(data).unwrap()),
            other => panic!("{other}"),
        }
    }

    /// The same bytes; of a JSON text the same but for the white space between its parts.
    fn as_read_back(bytes: Option<Vec<u8>>, encoding: &Value) -> Option<Vec<u8>> {
        if encoding != "json" {
            return bytes;
        }
        let value: Value = serde_json::from_slice(&bytes?).unwrap();
        serde_json::to_vec(&value).ok()
    }

    fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
        prop_oneof![
            Just(None),
            prop::collection::vec(any::<u8>(), 0..12).prop_map(Some),
            any::<String>().prop_map(|s| Some(s.into_bytes())),
            any::<String>().prop_map(|s| serde_json::to_vec(&json!({ "s": s, "n": 1 })).ok()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_bytes_make_one_safe_line_that_reads_back(
            topic in any::<String>(),
            key in bytes(),
            value in bytes(),
            names in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3), bytes()), 0..40),
            pinned in 0..4usize,
        ) {
            let stream = Stream { topic: topic.as_str().into(), ..stream(PositionStyle::Offset) };
            let mut buf = HeaderBuf::default();
            for (name, value) in &names {
                buf.push(name, value.as_deref());
            }
            let event = event(&stream, key.as_deref(), value.as_deref(), &buf);
            let format = FORMATS[pinned];
            let line = line(&event, format, format);
            prop_assert!(!line.contains(is_hostile));
            let object: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&object["topic"], &topic);
            let encoding = &object["encoding"];
            for (name, bytes) in [("key", key), ("value", value)] {
                let read = read_back(&object[name], &encoding[name]);
                prop_assert_eq!(read, as_read_back(bytes, &encoding[name]));
            }
        }
    }
}
