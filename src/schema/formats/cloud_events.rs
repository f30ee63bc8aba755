//! `CloudEvents` as their Kafka binding carries them: attributes in headers (binary mode) or the
//! whole in one JSON object (structured mode). What the data mean is left to others.
//!
//! By <https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md>
//! and the JSON event format, 1.0.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::frame::is_content_type;
use super::members::{members, string};
use crate::event::Headers;
use crate::schema::Refusal;

/// How the event is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Attributes are headers `ce_…`; the value is the data.
    Binary,
    /// The value is the event, in JSON.
    Structured,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data<'a> {
    /// There are none. A null value is a tombstone, with attributes or without.
    None,
    /// The JSON text of `data`.
    Json(&'a str),
    /// The text of `data_base64`; [`decode_base64`] reads it.
    Base64(Cow<'a, str>),
    /// The value itself, which is of the data's content type.
    Bytes(&'a [u8]),
}

/// An event's attributes, as far as they are text, and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent<'a> {
    pub mode: Mode,
    pub spec_version: Option<Cow<'a, str>>,
    pub event_type: Option<Cow<'a, str>>,
    pub source: Option<Cow<'a, str>>,
    pub id: Option<Cow<'a, str>>,
    pub subject: Option<Cow<'a, str>>,
    pub time: Option<Cow<'a, str>>,
    pub data_schema: Option<Cow<'a, str>>,
    pub data_content_type: Option<Cow<'a, str>>,
    pub data: Data<'a>,
}

impl CloudEvent<'_> {
    /// True when the data are JSON by what the event says of them; in structured mode also when it
    /// says nothing.
    pub fn data_is_json(&self) -> bool {
        match &self.data_content_type {
            Some(kind) => is_json(kind),
            None => self.mode == Mode::Structured,
        }
    }
}

/// Whether, and how, these headers make the event a `CloudEvent`. Binary mode needs `ce_type` and
/// one of `ce_specversion` and `ce_source`: a lone `ce_id` is used by others too. Batches are left
/// alone: they are several events.
pub fn mode(headers: Headers<'_>) -> Option<Mode> {
    Attributes::find(headers).mode()
}

/// The event of these headers and that value. `None` when it is no `CloudEvent`; a refusal when it
/// says that it is one and is not, or is in another format than JSON.
pub fn read<'a>(
    headers: Headers<'a>,
    value: Option<&'a [u8]>,
) -> Option<Result<CloudEvent<'a>, Refusal>> {
    let attributes = Attributes::find(headers);
    match attributes.mode()? {
        Mode::Binary => Some(Ok(attributes.event(value))),
        Mode::Structured if attributes.format() != Some("json") => Some(Err(Refusal::new(
            "structured CloudEvents are read in JSON only",
        ))),
        Mode::Structured => Some(structured(value)),
    }
}

/// Appends the bytes that `data_base64` stands for.
pub fn decode_base64(text: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    STANDARD
        .decode_vec(text, out)
        .map_err(|error| Refusal::new(format!("data_base64 is not Base64: {error}")))
}

const STRUCTURED: &str = "application/cloudevents";

/// The headers of one event that are about `CloudEvents`; of one that comes twice the last.
#[derive(Default)]
struct Attributes<'a> {
    content_type: Option<&'a str>,
    spec_version: Option<&'a str>,
    event_type: Option<&'a str>,
    source: Option<&'a str>,
    id: Option<&'a str>,
    subject: Option<&'a str>,
    time: Option<&'a str>,
    data_schema: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    fn find(headers: Headers<'a>) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            let slot = match name {
                b"ce_specversion" => &mut found.spec_version,
                b"ce_type" => &mut found.event_type,
                b"ce_source" => &mut found.source,
                b"ce_id" => &mut found.id,
                b"ce_subject" => &mut found.subject,
                b"ce_time" => &mut found.time,
                b"ce_dataschema" => &mut found.data_schema,
                name if is_content_type(name) => &mut found.content_type,
                _ => continue,
            };
            *slot = value.and_then(|value| str::from_utf8(value).ok());
        }
        found
    }

    fn mode(&self) -> Option<Mode> {
        if self.format().is_some() {
            return Some(Mode::Structured);
        }
        let known = self.spec_version.or(self.source);
        (self.event_type.is_some() && known.is_some()).then_some(Mode::Binary)
    }

    /// The format of an event in structured mode: `json` of `application/cloudevents+json`.
    fn format(&self) -> Option<&'a str> {
        let kind = media_type(self.content_type?);
        let (start, format) = kind.split_at_checked(STRUCTURED.len())?;
        let format = format.strip_prefix('+')?;
        start
            .eq_ignore_ascii_case(STRUCTURED)
            .then_some(if format.eq_ignore_ascii_case("json") {
                "json"
            } else {
                format
            })
    }

    fn event(&self, value: Option<&'a [u8]>) -> CloudEvent<'a> {
        CloudEvent {
            mode: Mode::Binary,
            spec_version: self.spec_version.map(Cow::Borrowed),
            event_type: self.event_type.map(Cow::Borrowed),
            source: self.source.map(Cow::Borrowed),
            id: self.id.map(Cow::Borrowed),
            subject: self.subject.map(Cow::Borrowed),
            time: self.time.map(Cow::Borrowed),
            data_schema: self.data_schema.map(Cow::Borrowed),
            data_content_type: self.content_type.map(Cow::Borrowed),
            data: value.map_or(Data::None, Data::Bytes),
        }
    }
}

fn structured(value: Option<&[u8]>) -> Result<CloudEvent<'_>, Refusal> {
    let found = match value {
        None => [None; 10],
        Some(value) => {
            let object = members(
                value,
                [
                    "specversion",
                    "type",
                    "source",
                    "id",
                    "subject",
                    "time",
                    "dataschema",
                    "datacontenttype",
                    "data",
                    "data_base64",
                ],
            );
            let why = "not a CloudEvent in structured mode: the value is no JSON object";
            object.ok_or_else(|| Refusal::new(why))?.found
        }
    };
    let [
        spec_version,
        event_type,
        source,
        id,
        subject,
        time,
        data_schema,
        data_content_type,
        data,
        base64,
    ] = found;
    if value.is_some() && (event_type.is_none() || spec_version.is_none()) {
        let why = "not a CloudEvent in structured mode: 'type' or 'specversion' is missing";
        return Err(Refusal::new(why));
    }
    let data = match (data, text(base64)) {
        (Some(data), _) => Data::Json(data),
        (None, Some(text)) => Data::Base64(text),
        (None, None) => Data::None,
    };
    Ok(CloudEvent {
        mode: Mode::Structured,
        spec_version: text(spec_version),
        event_type: text(event_type),
        source: text(source),
        id: text(id),
        subject: text(subject),
        time: text(time),
        data_schema: text(data_schema),
        data_content_type: text(data_content_type),
        data,
    })
}

/// A member that is a string.
fn text(member: Option<&str>) -> Option<Cow<'_, str>> {
    member.and_then(string)
}

/// The type without its parameters: `application/json` of `application/json; charset=utf-8`.
fn media_type(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

/// True for media types whose content is JSON: `application/json`, `text/json`, `…+json`.
pub fn is_json(content_type: &str) -> bool {
    let kind = media_type(content_type);
    let ends = |with: &str| {
        let tail = kind.len().checked_sub(with.len());
        tail.and_then(|at| kind.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(with))
    };
    ends("/json") || ends("+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;

    fn headers(all: &[(&str, &str)]) -> HeaderBuf {
        let mut buf = HeaderBuf::default();
        for (name, value) in all {
            buf.push(name.as_bytes(), Some(value.as_bytes()));
        }
        buf
    }

    /// The examples of the Kafka binding and of the JSON format.
    const BINARY: [(&str, &str); 7] = [
        ("content-type", "application/avro"),
        ("ce_specversion", "1.0"),
        ("ce_type", "com.example.someevent"),
        ("ce_source", "/mycontext/subcontext"),
        ("ce_id", "1234-1234-1234"),
        ("ce_time", "2018-04-05T03:56:24Z"),
        ("ce_subject", "larger-context"),
    ];
    const STRUCTURED: &str = r#"{
        "specversion" : "1.0",
        "type" : "com.example.someevent",
        "source" : "/mycontext/subcontext",
        "subject": null,
        "id" : "A234-1234-1234",
        "time" : "2018-04-05T17:31:00Z",
        "comexampleextension1" : "value",
        "comexampleothervalue" : 5,
        "datacontenttype" : "application/vnd.apache.thrift.binary",
        "data_base64" : "aGVsbG8="
    }"#;

    #[test]
    fn binary_mode_has_its_attributes_in_headers() {
        let headers = headers(&BINARY);
        let event = read(headers.as_headers(), Some(b"\x02")).unwrap().unwrap();
        assert_eq!(event.mode, Mode::Binary);
        assert_eq!(event.event_type.as_deref(), Some("com.example.someevent"));
        assert_eq!(event.source.as_deref(), Some("/mycontext/subcontext"));
        assert_eq!(event.id.as_deref(), Some("1234-1234-1234"));
        assert_eq!(event.data_content_type.as_deref(), Some("application/avro"));
        assert_eq!(event.data, Data::Bytes(b"\x02"));
        assert!(!event.data_is_json());

        let tombstone = read(headers.as_headers(), None).unwrap().unwrap();
        assert_eq!(tombstone.data, Data::None);
    }

    #[test]
    fn structured_mode_has_them_in_the_value() {
        for kind in [
            "application/cloudevents+json",
            "application/cloudevents+json; charset=UTF-8",
            "Application/CloudEvents+JSON;charset=utf-8",
        ] {
            let headers = headers(&[("Content-Type", kind)]);
            let value = Some(STRUCTURED.as_bytes());
            let event = read(headers.as_headers(), value).unwrap().unwrap();
            assert_eq!(event.mode, Mode::Structured);
            assert_eq!(event.event_type.as_deref(), Some("com.example.someevent"));
            assert_eq!(event.time.as_deref(), Some("2018-04-05T17:31:00Z"));
            assert_eq!(event.subject, None);
            assert!(!event.data_is_json());
            let Data::Base64(text) = &event.data else {
                panic!("{event:?}");
            };
            let mut out = b"> ".to_vec();
            decode_base64(text, &mut out).unwrap();
            assert_eq!(out, b"> hello");
        }
        assert!(decode_base64("a===", &mut Vec::new()).is_err());
    }

    #[test]
    fn data_in_json_are_borrowed_as_they_are_written() {
        let headers = headers(&[("content-type", "application/cloudevents+json")]);
        let value = br#"{"specversion":"1.0","type":"a\/b","id":"1","data":{"n":1e400}}"#;
        let event = read(headers.as_headers(), Some(value)).unwrap().unwrap();
        assert_eq!(event.data, Data::Json("{\"n\":1e400}"));
        assert_eq!(event.event_type.as_deref(), Some("a/b"));
        assert!(event.data_is_json());
        let tombstone = read(headers.as_headers(), None).unwrap().unwrap();
        assert_eq!(tombstone.data, Data::None);
    }

    #[test]
    fn what_says_that_it_is_one_and_is_not_is_refused() {
        for (kind, value, why) in [
            ("application/cloudevents+json", "[]", "no JSON object"),
            ("application/cloudevents+json", "{", "no JSON object"),
            ("application/cloudevents+json", "{\"a\":1}", "is missing"),
            ("application/cloudevents+avro", "", "in JSON only"),
        ] {
            let headers = headers(&[("content-type", kind)]);
            let read = read(headers.as_headers(), Some(value.as_bytes()));
            assert!(read.unwrap().unwrap_err().0.contains(why), "{kind} {value}");
        }
    }

    #[test]
    fn other_events_are_none() {
        for all in [
            &[][..],
            &[("ce_id", "ord-444"), ("traceparent", "00-1")],
            &[("ce_type", "OrderPlaced")],
            &[("content-type", "application/json")],
            &[("content-type", "application/cloudevents-batch+json")],
            &[("content-type", "application/cloudevents")],
            &[("content-type", "é")],
        ] {
            let headers = headers(all);
            assert_eq!(mode(headers.as_headers()), None, "{all:?}");
            assert!(read(headers.as_headers(), Some(b"{}")).is_none());
        }
    }

    #[test]
    fn json_is_told_by_the_media_type() {
        for (kind, json) in [
            ("application/json", true),
            ("APPLICATION/JSON; charset=utf-8", true),
            ("text/json", true),
            ("application/vnd.order+json", true),
            ("application/json5", false),
            ("json", false),
            ("application/xml", false),
            ("é", false),
            ("", false),
        ] {
            assert_eq!(is_json(kind), json, "{kind}");
        }
    }
}
