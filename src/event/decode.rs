//! What the bytes of a key or value mean: JSON, text, or bytes. Decoding never fails: a decoder
//! that was asked for and refuses is noted, and the bytes are shown as what they are.

use std::fmt;

use crate::text::{JsonFault, JsonText};

/// A decoder that needs nothing but the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// For values JSON, else text, else binary; for keys text, else binary: an order number is not
    /// meant as a number.
    #[default]
    Auto,
    Json,
    Text,
    Binary,
}

/// How keys and values are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decoding {
    pub key: Format,
    pub value: Format,
}

impl Decoding {
    /// Decodes a key.
    #[inline]
    pub fn key<'a>(&self, bytes: Option<&'a [u8]>) -> Content<'a> {
        match (bytes, self.key) {
            (Some(bytes), Format::Auto) => Content::of(text_or_binary(bytes)),
            (bytes, format) => decode(bytes, format),
        }
    }

    /// Decodes a value.
    #[inline]
    pub fn value<'a>(&self, bytes: Option<&'a [u8]>) -> Content<'a> {
        decode(bytes, self.value)
    }
}

/// Decoded bytes, still borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// There are no bytes: a null key, a tombstone.
    Null,
    /// The whole is one JSON text.
    Json(JsonText<'a>),
    Text(&'a str),
    Binary(&'a [u8]),
}

/// What was found, and why it is not what was asked for, if so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    pub data: Decoded<'a>,
    /// The format that the data was decoded from, where it is not what the bytes are.
    pub from: Option<&'static str>,
    pub refused: Option<Refused<'a>>,
}

impl<'a> Content<'a> {
    pub const fn of(data: Decoded<'a>) -> Self {
        Self {
            data,
            from: None,
            refused: None,
        }
    }

    /// The word for how the bytes are made of the data; `null` is the one for none.
    pub fn encoding(&self, null: &'static str) -> &'static str {
        self.from.unwrap_or(match self.data {
            Decoded::Null => null,
            Decoded::Json(_) => "json",
            Decoded::Text(_) => "text",
            Decoded::Binary(_) => "binary",
        })
    }
}

/// Why a decoder refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<'a> {
    NotJson(JsonFault),
    NotUtf8 {
        at: usize,
    },
    /// What a decoder of another room said.
    Said(&'a str),
}

impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(fault) => write!(f, "not JSON: {fault}"),
            Self::NotUtf8 { at } => write!(f, "not text: not UTF-8 at byte {at}"),
            Self::Said(why) => f.write_str(why),
        }
    }
}

/// Decodes bytes. `Auto` takes the whole for JSON where it is one valid JSON text of any kind (a
/// bare number too), else for text where it is UTF-8 (an empty value too), else for bytes.
#[inline]
pub fn decode(bytes: Option<&[u8]>, format: Format) -> Content<'_> {
    let Some(bytes) = bytes else {
        return Content::of(Decoded::Null);
    };
    match format {
        Format::Auto => {
            if JsonText::may_be(bytes)
                && let Ok(json) = JsonText::parse(bytes)
            {
                return Content::of(Decoded::Json(json));
            }
            Content::of(text_or_binary(bytes))
        }
        Format::Json => match JsonText::parse(bytes) {
            Ok(json) => Content::of(Decoded::Json(json)),
            Err(fault) => Content {
                refused: Some(Refused::NotJson(fault)),
                ..Content::of(text_or_binary(bytes))
            },
        },
        Format::Text => match str::from_utf8(bytes) {
            Ok(text) => Content::of(Decoded::Text(text)),
            Err(error) => Content {
                refused: Some(Refused::NotUtf8 {
                    at: error.valid_up_to(),
                }),
                ..Content::of(Decoded::Binary(bytes))
            },
        },
        Format::Binary => Content::of(Decoded::Binary(bytes)),
    }
}

/// Text where the bytes are UTF-8.
pub fn text_or_binary(bytes: &[u8]) -> Decoded<'_> {
    str::from_utf8(bytes).map_or(Decoded::Binary(bytes), Decoded::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_json_then_text_then_bytes() {
        for json in ["{\"a\":1}", "123", "null", " [] ", "\"x\""] {
            let content = decode(Some(json.as_bytes()), Format::Auto);
            assert!(matches!(content.data, Decoded::Json(j) if j.as_bytes() == json.as_bytes()));
        }
        for text in ["", "hello", "{\"eventId\":\"pay-436\",", "01", "é"] {
            let content = decode(Some(text.as_bytes()), Format::Auto);
            assert_eq!(content, Content::of(Decoded::Text(text)));
        }
        let bytes = decode(Some(b"\xff\x00"), Format::Auto);
        assert_eq!(bytes, Content::of(Decoded::Binary(b"\xff\x00")));
        assert_eq!(decode(None, Format::Json), Content::of(Decoded::Null));
    }

    #[test]
    fn keys_are_text_unless_asked_otherwise() {
        let key = Decoding::default().key(Some(b"123"));
        assert_eq!(key, Content::of(Decoded::Text("123")));
        let asked = Decoding {
            key: Format::Json,
            ..Decoding::default()
        };
        assert!(matches!(asked.key(Some(b"123")).data, Decoded::Json(_)));
        assert_eq!(asked.value, Format::Auto);
    }

    #[test]
    fn a_pinned_decoder_that_refuses_is_noted() {
        let cut = decode(Some(b"{\"a\":"), Format::Json);
        assert_eq!(cut.data, Decoded::Text("{\"a\":"));
        assert_eq!(
            cut.refused.unwrap().to_string(),
            "not JSON: the text ends early at byte 5"
        );
        let bytes = decode(Some(b"ab\xff"), Format::Text);
        assert_eq!(bytes.data, Decoded::Binary(b"ab\xff"));
        assert_eq!(bytes.refused, Some(Refused::NotUtf8 { at: 2 }));
        assert!(decode(Some(b"{}"), Format::Binary).refused.is_none());
    }
}
