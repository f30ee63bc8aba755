//! Pieces of a line: strings, bytes in base64, and headers in both forms.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Reason;
use crate::event::HeaderBuf;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base64<'a> {
    #[serde(borrow)]
    base64: Cow<'a, str>,
}

/// Appends what a JSON string says.
pub(super) fn push_text(raw: &RawValue, out: &mut Vec<u8>) -> Result<(), ()> {
    let json = raw.get();
    let plain = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match plain {
        // The common case: nothing is escaped.
        Some(text) if memchr::memchr(b'\\', text.as_bytes()).is_none() => {
            out.extend_from_slice(text.as_bytes());
        }
        _ => {
            let text: String = serde_json::from_str(json).map_err(|_| ())?;
            out.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

/// Appends the bytes of `{"base64":"…"}`.
pub(super) fn push_base64(raw: &RawValue, out: &mut Vec<u8>) -> Result<(), ()> {
    let Base64 { base64 } = serde_json::from_str(raw.get()).map_err(|_| ())?;
    STANDARD.decode_vec(base64.as_bytes(), out).map_err(|_| ())
}

/// How headers are written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// evtap's: an object; an array is a repeated header.
    Object,
    /// kcat's: an array of names and values by turns.
    Pairs,
}

pub(super) fn read_headers(raw: &RawValue, out: &mut HeaderBuf, form: Form) -> Result<(), Reason> {
    if raw.get() == "null" {
        return Ok(());
    }
    let mut from = serde_json::Deserializer::from_str(raw.get());
    let read = match form {
        Form::Object => from.deserialize_map(Object(out)),
        Form::Pairs => from.deserialize_seq(Pairs(out)),
    };
    read.map_err(|error| format!("'headers' make no sense: {error}").into())
}

struct Object<'b>(&'b mut HeaderBuf);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of headers")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some((name, raw)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
            if raw.get().starts_with('[') {
                let values: Vec<&RawValue> =
                    serde_json::from_str(raw.get()).map_err(de::Error::custom)?;
                for raw in values {
                    push_header(self.0, &name, raw).map_err(de::Error::custom)?;
                }
            } else {
                push_header(self.0, &name, raw).map_err(de::Error::custom)?;
            }
        }
        Ok(())
    }
}

struct Pairs<'b>(&'b mut HeaderBuf);

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of names and values by turns")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        while let Some(name) = seq.next_element::<Cow<'de, str>>()? {
            let Some(raw) = seq.next_element::<&RawValue>()? else {
                return Err(de::Error::custom("a name without a value"));
            };
            push_header(self.0, &name, raw).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}

/// A string is text, `{"base64":…}` bytes, null is null; other scalars are their JSON text.
fn push_header(out: &mut HeaderBuf, name: &str, raw: &RawValue) -> Result<(), &'static str> {
    let json = raw.get();
    let mut bytes = Vec::new();
    match json.as_bytes().first() {
        Some(b'n') => {
            out.push(name.as_bytes(), None);
            return Ok(());
        }
        Some(b'"') => push_text(raw, &mut bytes).map_err(|()| "a header is no text")?,
        Some(b'{') => push_base64(raw, &mut bytes)
            .map_err(|()| "a header is an object, but not {\"base64\":…}")?,
        Some(b'[') => return Err("a header is an array in an array"),
        _ => bytes.extend_from_slice(json.as_bytes()),
    }
    out.push(name.as_bytes(), Some(&bytes));
    Ok(())
}
