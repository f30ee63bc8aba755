//! Formats that a topic is pinned to by name: numbers of a fixed size, UUIDs, bytes as digits, and
//! the envelope of Kafka Connect. None of them is ever guessed.

use super::members::members;
use super::write::{push_base64, push_f32, push_f64, push_hex, push_int, push_uuid};
use super::{cbor, msgpack};
use crate::schema::Refusal;
use crate::text::{JsonText, push_string};

/// A format that needs no schema, by the name that `--decode` knows it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plain {
    Json,
    Text,
    Binary,
    MessagePack,
    Cbor,
    Connect,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    Uuid,
    Hex,
    Base64,
}

impl Plain {
    /// All of them in the order in which they are shown, with what they are, in a few words.
    pub const ALL: &[(&str, Self, &str)] = &[
        ("json", Self::Json, "JSON"),
        ("text", Self::Text, "UTF-8"),
        ("binary", Self::Binary, "bytes, as {\"base64\":\"…\"}"),
        ("msgpack", Self::MessagePack, "MessagePack"),
        ("cbor", Self::Cbor, "CBOR (RFC 8949)"),
        (
            "connect",
            Self::Connect,
            "the payload of Kafka Connect's JSON with schema",
        ),
        ("int8", Self::Int8, "1 byte, signed"),
        ("int16", Self::Int16, "2 bytes, signed, big end first"),
        ("int32", Self::Int32, "4 bytes, signed, big end first"),
        ("int64", Self::Int64, "8 bytes, signed, big end first"),
        ("uint8", Self::Uint8, "1 byte"),
        ("uint16", Self::Uint16, "2 bytes, big end first"),
        ("uint32", Self::Uint32, "4 bytes, big end first"),
        ("uint64", Self::Uint64, "8 bytes, big end first"),
        ("float32", Self::Float32, "4 bytes, IEEE 754, big end first"),
        ("float64", Self::Float64, "8 bytes, IEEE 754, big end first"),
        ("uuid", Self::Uuid, "16 bytes"),
        ("hex", Self::Hex, "bytes, as hexadecimal digits"),
        ("base64", Self::Base64, "bytes, as Base64 in a string"),
    ];

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, ..)| *known == name);
        found.map(|(_, plain, _)| *plain)
    }

    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, plain, _)| *plain == self);
        found.map_or("", |(name, ..)| name)
    }

    /// Appends the whole of `bytes` as JSON text, or says why they are not of this format. After a
    /// refusal `out` may hold a part of it.
    pub fn write_json(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Self::Json => {
                let json = JsonText::parse(bytes).map_err(|fault| not_json(&fault))?;
                out.extend_from_slice(json.as_bytes());
            }
            Self::Text => {
                let text = str::from_utf8(bytes).map_err(|error| {
                    Refusal::new(format!(
                        "not text: not UTF-8 at byte {}",
                        error.valid_up_to()
                    ))
                })?;
                push_string(out, text);
            }
            Self::Binary => {
                out.extend_from_slice(b"{\"base64\":");
                push_base64(out, bytes);
                out.push(b'}');
            }
            Self::MessagePack => return msgpack::write_json(bytes, out),
            Self::Cbor => return cbor::write_json(bytes, out),
            Self::Connect => out.extend_from_slice(connect(bytes)?.as_bytes()),
            Self::Hex => push_hex(out, bytes),
            Self::Base64 => push_base64(out, bytes),
            _ => return self.write_sized(bytes, out),
        }
        Ok(())
    }

    /// The formats of a fixed size.
    fn write_sized(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Self::Int8 => push_int(out, i8::from_be_bytes(self.sized(bytes)?)),
            Self::Int16 => push_int(out, i16::from_be_bytes(self.sized(bytes)?)),
            Self::Int32 => push_int(out, i32::from_be_bytes(self.sized(bytes)?)),
            Self::Int64 => push_int(out, i64::from_be_bytes(self.sized(bytes)?)),
            Self::Uint8 => push_int(out, u8::from_be_bytes(self.sized(bytes)?)),
            Self::Uint16 => push_int(out, u16::from_be_bytes(self.sized(bytes)?)),
            Self::Uint32 => push_int(out, u32::from_be_bytes(self.sized(bytes)?)),
            Self::Uint64 => push_int(out, u64::from_be_bytes(self.sized(bytes)?)),
            Self::Float32 => push_f32(out, f32::from_be_bytes(self.sized(bytes)?)),
            Self::Float64 => push_f64(out, f64::from_be_bytes(self.sized(bytes)?)),
            _ => push_uuid(out, self.sized(bytes)?),
        }
        Ok(())
    }

    fn sized<const N: usize>(self, bytes: &[u8]) -> Result<[u8; N], Refusal> {
        bytes.try_into().map_err(|_| {
            let (name, have) = (self.name(), bytes.len());
            Refusal::new(format!("not {name}: it has {N} bytes, {have} are here"))
        })
    }
}

/// The payload of the envelope that Kafka Connect's `JsonConverter` writes with
/// `schemas.enable=true`, Debezium's too: `{"schema":…,"payload":…}` and nothing else, as the
/// converter itself wants it.
pub fn connect(bytes: &[u8]) -> Result<JsonText<'_>, Refusal> {
    let Some(envelope) = members(bytes, ["schema", "payload"]) else {
        let why = match JsonText::parse(bytes) {
            Ok(_) => Refusal::new("not Connect's JSON: no object"),
            Err(fault) => not_json(&fault),
        };
        return Err(why);
    };
    let ([Some(_), Some(payload)], 0) = (envelope.found, envelope.others) else {
        let why = "not Connect's JSON: it has 'schema' and 'payload' and nothing else";
        return Err(Refusal::new(why));
    };
    JsonText::parse(payload.as_bytes()).map_err(|fault| not_json(&fault))
}

/// The payload of a value that is such an envelope beyond doubt: its schema is one of Connect's, or
/// null. A cheap look tells most others, for the converter writes the schema first.
#[inline]
pub fn enveloped(bytes: &[u8]) -> Option<JsonText<'_>> {
    let rest = bytes.trim_ascii_start().strip_prefix(b"{")?;
    if !rest.trim_ascii_start().starts_with(b"\"schema\"") {
        return None;
    }
    let [schema] = members(bytes, ["schema"])?.found;
    let schema = schema?;
    let is_schema = schema == "null" || members(schema.as_bytes(), ["type"])?.found[0].is_some();
    is_schema.then(|| connect(bytes).ok()).flatten()
}

fn not_json(fault: &crate::text::JsonFault) -> Refusal {
    Refusal::new(format!("not JSON: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(name: &str, bytes: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        let plain = Plain::named(name).unwrap();
        plain
            .write_json(bytes, &mut out)
            .map_err(|refusal| refusal.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_format_is_found_by_its_name() {
        for (name, plain, about) in Plain::ALL {
            assert_eq!(Plain::named(name), Some(*plain));
            assert_eq!(plain.name(), *name);
            assert!(!about.is_empty());
        }
        assert_eq!(Plain::named("avroo"), None);
    }

    #[test]
    fn every_format_writes_what_the_bytes_are() {
        for (name, bytes, text) in [
            ("json", &b"{\"a\":1e400}"[..], "{\"a\":1e400}"),
            ("text", b"a\"\x1b", "\"a\\\"\\u001b\""),
            ("binary", b"\xff", "{\"base64\":\"/w==\"}"),
            ("msgpack", b"\x91\x01", "[1]"),
            ("cbor", b"\x81\x01", "[1]"),
            ("int8", b"\xff", "-1"),
            ("int16", b"\x80\x00", "-32768"),
            ("int32", b"\0\0\x01\0", "256"),
            ("int64", b"\xff\xff\xff\xff\xff\xff\xff\xfe", "-2"),
            ("uint8", b"\xff", "255"),
            ("uint16", b"\x80\x00", "32768"),
            ("uint32", b"\xff\xff\xff\xff", "4294967295"),
            ("uint64", &[0xff; 8], "18446744073709551615"),
            ("float32", b"\x3d\xcc\xcc\xcd", "0.1"),
            ("float64", b"\x7f\xf0\0\0\0\0\0\0", "\"Infinity\""),
            (
                "uuid",
                b"\xf8\x1d\x4f\xae\x7d\xec\x11\xd0\xa7\x65\0\xa0\xc9\x1e\x6b\xf6",
                "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"",
            ),
            ("hex", b"\x00\xaf\x10", "\"00af10\""),
            ("base64", b"\xff", "\"/w==\""),
            ("connect", br#"{"schema":null,"payload":[1]}"#, "[1]"),
        ] {
            assert_eq!(json(name, bytes).as_deref(), Ok(text), "{name}");
        }
    }

    #[test]
    fn every_format_of_a_fixed_size_takes_no_other_size() {
        for (name, size) in [
            ("int8", 1),
            ("int16", 2),
            ("int32", 4),
            ("int64", 8),
            ("uint8", 1),
            ("uint16", 2),
            ("uint32", 4),
            ("uint64", 8),
            ("float32", 4),
            ("float64", 8),
            ("uuid", 16),
        ] {
            for len in 0..20 {
                let refused = json(name, &vec![0; len]).err();
                let expected = format!("not {name}: it has {size} bytes, {len} are here");
                assert_eq!(refused, (len != size).then_some(expected));
            }
        }
    }

    #[test]
    fn the_envelope_of_connect_holds_two_members_and_no_more() {
        for (value, payload) in [
            (r#"{"schema":{"type":"int64"},"payload": 7 }"#, Ok("7")),
            (r#"{"payload":null,"schema":null}"#, Ok("null")),
            (r#"{"payload":{"a":[]}}"#, Err("'schema' and 'payload'")),
            (
                r#"{"schema":1,"payload":2,"x":3}"#,
                Err("'schema' and 'payload'"),
            ),
            ("[]", Err("no object")),
            ("{", Err("not JSON: the text ends early at byte 1")),
        ] {
            match (json("connect", value.as_bytes()), payload) {
                (Ok(found), Ok(payload)) => assert_eq!(found, payload),
                (Err(found), Err(why)) => assert!(found.contains(why), "{found}"),
                (found, _) => panic!("{value}: {found:?}"),
            }
        }
    }

    #[test]
    fn an_envelope_is_taken_off_unasked_only_with_a_schema_of_connect() {
        for (value, payload) in [
            (r#" { "schema":{"type":"int64"},"payload": 7 }"#, Some("7")),
            (r#"{"schema":null,"payload":{}}"#, Some("{}")),
            (r#"{"schema":{},"payload":7}"#, None),
            (r#"{"schema":"v1","payload":7}"#, None),
            (r#"{"payload":7,"schema":null}"#, None),
            (r#"{"schema":null,"payload":7,"x":1}"#, None),
            (r#"{"schema":null}"#, None),
            (r#"{"schema":"#, None),
        ] {
            let found = enveloped(value.as_bytes());
            assert_eq!(found.map(|json| json.as_str()), payload, "{value}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        assert_eq!(
            json("text", b"ab\xff").unwrap_err(),
            "not text: not UTF-8 at byte 2"
        );
        assert!(json("json", b"{\"a\":").unwrap_err().contains("byte 5"));
    }
}
