//! What a content type says of a value, and `CloudEvents` in structured mode: the whole event in one
//! JSON object. In binary mode the value is the data, and its content type stands in a header.
//!
//! By <https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md>
//! and the JSON event format, 1.0.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::Finder;

use super::members::{members, string};
use crate::schema::Refusal;

/// What bytes are by their media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// A whole `CloudEvent` in JSON.
    Event,
    Json,
    Avro,
    Protobuf,
    Cbor,
    MessagePack,
    Text,
    /// Another, or one that says nothing of the bytes.
    Other,
}

/// The structured formats that names end in, as subtype or behind its `+`.
const SUBTYPES: [(&str, Content); 11] = [
    ("json", Content::Json),
    ("avro", Content::Avro),
    ("x-avro", Content::Avro),
    ("vnd.apache.avro", Content::Avro),
    ("protobuf", Content::Protobuf),
    ("x-protobuf", Content::Protobuf),
    ("vnd.google.protobuf", Content::Protobuf),
    ("cbor", Content::Cbor),
    ("msgpack", Content::MessagePack),
    ("x-msgpack", Content::MessagePack),
    ("vnd.msgpack", Content::MessagePack),
];

impl Content {
    /// What a media type says: `application/json; charset=utf-8`, `application/vnd.order+json`.
    pub fn of(media_type: &str) -> Self {
        let kind = media_type.split(';').next().unwrap_or_default().trim();
        let Some((family, subtype)) = kind.split_once('/') else {
            return Self::Other;
        };
        if subtype.eq_ignore_ascii_case("cloudevents+json") {
            return Self::Event;
        }
        if family.eq_ignore_ascii_case("avro") {
            return Self::Avro;
        }
        let format = subtype.rsplit('+').next().unwrap_or(subtype);
        let known = SUBTYPES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(format));
        match known {
            Some((_, content)) => *content,
            None if family.eq_ignore_ascii_case("text") => Self::Text,
            None => Self::Other,
        }
    }
}

/// An event in structured mode, as far as its data are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structured<'a> {
    /// `dataschema`
    pub data_schema: Option<Cow<'a, str>>,
    /// What `datacontenttype` says; JSON where it is not there.
    pub content: Content,
    pub data: Data<'a>,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data<'a> {
    None,
    /// The JSON text of `data`.
    Json(&'a str),
    /// The text of `data_base64`, which [`decode_base64`] reads, and the JSON texts of the event
    /// before that member and behind it.
    Base64 {
        text: Cow<'a, str>,
        before: &'a str,
        behind: &'a str,
    },
}

/// Attributes stand before the data, whoever writes them, so that they begin early.
const EARLY: usize = 1024;

/// A cheap look: false for most values that are no event in structured mode.
#[inline]
pub fn may_be(value: &[u8]) -> bool {
    static VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"specversion\""));
    let early = value.get(..EARLY).unwrap_or(value);
    early.trim_ascii_start().first() == Some(&b'{') && VERSION.find(early).is_some()
}

/// The event that a value is.
///
/// # Errors
/// It is no JSON object, or one of the four attributes is missing that every event has.
pub fn structured(value: &[u8]) -> Result<Structured<'_>, Refusal> {
    const NAMES: [&str; 8] = [
        "specversion",
        "type",
        "source",
        "id",
        "dataschema",
        "datacontenttype",
        "data",
        BASE64,
    ];
    let object = members(value, NAMES).ok_or_else(|| refused("the value is no JSON object"))?;
    let [
        version,
        event_type,
        source,
        id,
        schema,
        content,
        data,
        base64,
    ] = object.found;
    let needed = [version, event_type, source, id];
    for (member, name) in needed.into_iter().zip(NAMES) {
        if !member.is_some_and(|text| text.starts_with('"')) {
            return Err(refused(&format!("it has no string '{name}'")));
        }
    }
    Ok(Structured {
        data_schema: schema.and_then(string),
        content: content
            .and_then(string)
            .map_or(Content::Json, |kind| Content::of(&kind)),
        data: match (data, base64) {
            (Some(data), _) => Data::Json(data),
            (None, Some(member)) => encoded(value, member).unwrap_or(Data::None),
            (None, None) => Data::None,
        },
    })
}

const BASE64: &str = "data_base64";

/// The text of `data_base64`, which is a part of `value`, and what is around the member.
fn encoded<'a>(value: &'a [u8], member: &'a str) -> Option<Data<'a>> {
    let value = str::from_utf8(value).ok()?;
    let text = string(member)?;
    let start = member.as_ptr().addr().checked_sub(value.as_ptr().addr())?;
    let name = value.get(..start)?.trim_ascii_end().strip_suffix(':')?;
    let before = name.trim_ascii_end().strip_suffix('"')?;
    let before = before.strip_suffix(BASE64)?.strip_suffix('"')?;
    let behind = value.get(start + member.len()..)?;
    Some(Data::Base64 {
        text,
        before,
        behind,
    })
}

fn refused(why: &str) -> Refusal {
    Refusal::new(format!("not a CloudEvent in structured mode: {why}"))
}

/// Appends the bytes that `data_base64` stands for.
///
/// # Errors
/// It is no Base64.
pub fn decode_base64(text: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    STANDARD
        .decode_vec(text, out)
        .map_err(|error| Refusal::new(format!("data_base64 is not Base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the JSON format.
    const EVENT: &str = r#"{
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
    fn an_event_in_structured_mode_is_taken_apart_around_its_data() {
        assert!(may_be(EVENT.as_bytes()));
        let event = structured(EVENT.as_bytes()).unwrap();
        assert_eq!((event.data_schema, event.content), (None, Content::Other));
        let Data::Base64 {
            text,
            before,
            behind,
        } = event.data
        else {
            panic!("{:?}", event.data);
        };
        assert!(before.ends_with("binary\",\n        "), "{before}");
        assert_eq!(behind, "\n    }");
        let mut out = b"> ".to_vec();
        decode_base64(&text, &mut out).unwrap();
        assert_eq!(out, b"> hello");
        assert!(decode_base64("a===", &mut Vec::new()).is_err());
    }

    #[test]
    fn data_in_json_are_borrowed_as_they_are_written() {
        let value = br#"{"specversion":"1.0","type":"a\/b","source":"","id":"1",
            "dataschema":"urn:x","data":{"n":1e400},"data_base64":"aA=="}"#;
        let event = structured(value).unwrap();
        assert_eq!(event.data, Data::Json("{\"n\":1e400}"));
        assert_eq!(event.content, Content::Json);
        assert_eq!(event.data_schema.as_deref(), Some("urn:x"));
        let none = br#"{"specversion":"1.0","type":"a","source":"","id":"1","data_base64":7}"#;
        assert_eq!(structured(none).unwrap().data, Data::None);
    }

    #[test]
    fn what_says_that_it_is_one_and_is_not_is_refused() {
        for (value, why) in [
            ("[]", "no JSON object"),
            ("{", "no JSON object"),
            (r#"{"specversion":"1.0"}"#, "no string 'type'"),
            (
                r#"{"specversion":1,"type":"","source":"","id":""}"#,
                "'specversion'",
            ),
            (
                r#"{"specversion":"1.0","type":"a","source":"b","id":7}"#,
                "'id'",
            ),
        ] {
            let refusal = structured(value.as_bytes()).unwrap_err();
            assert!(refusal.0.contains(why), "{refusal}");
        }
    }

    #[test]
    fn a_look_tells_most_other_values() {
        for value in ["", "{}", "[\"specversion\"]", "text", "{\"version\":1}"] {
            assert!(!may_be(value.as_bytes()), "{value}");
        }
        let late = format!("{{\"a\":\"{}\",\"specversion\":1}}", "x".repeat(EARLY));
        assert!(!may_be(late.as_bytes()));
    }

    #[test]
    fn content_is_told_by_the_media_type() {
        for (kind, content) in [
            ("application/json", Content::Json),
            ("APPLICATION/JSON; charset=utf-8", Content::Json),
            ("text/json", Content::Json),
            ("application/vnd.order+json", Content::Json),
            ("application/cloudevents-batch+json", Content::Json),
            ("application/cloudevents+json", Content::Event),
            ("Application/CloudEvents+JSON;charset=utf-8", Content::Event),
            ("application/cloudevents+avro", Content::Avro),
            ("application/avro", Content::Avro),
            ("avro/binary", Content::Avro),
            ("application/x-protobuf", Content::Protobuf),
            ("application/cloudevents+protobuf", Content::Protobuf),
            ("application/cbor", Content::Cbor),
            ("application/vnd.msgpack", Content::MessagePack),
            ("text/plain", Content::Text),
            ("application/json5", Content::Other),
            ("application/octet-stream", Content::Other),
            ("json", Content::Other),
            ("é", Content::Other),
            ("", Content::Other),
        ] {
            assert_eq!(Content::of(kind), content, "{kind}");
        }
    }
}
