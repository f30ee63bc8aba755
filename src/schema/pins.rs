//! The decoders by their names, and what `--decode` and the config pin.

use std::fmt;

use super::formats::scalar::Plain;
use crate::event::{Decoding, Format};

/// A decoder that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pin {
    /// For values JSON, else text, else bytes; for keys text, else bytes. Where there is a source
    /// of schemas, what they and the bytes' own marks say comes first.
    #[default]
    Auto,
    /// What the bytes' own marks say (a frame, a compression), also without a source of schemas.
    Detect,
    Plain(Format),
    Avro,
    Protobuf,
    /// Protobuf's fields by their numbers.
    ProtobufRaw,
    /// A format that needs no schema.
    Other(Plain),
}

/// The names of those that are no format of their own room.
const NAMES: &[(&str, Pin)] = &[
    ("auto", Pin::Auto),
    ("detect", Pin::Detect),
    ("json", Pin::Plain(Format::Json)),
    ("text", Pin::Plain(Format::Text)),
    ("binary", Pin::Plain(Format::Binary)),
    ("avro", Pin::Avro),
    ("protobuf", Pin::Protobuf),
    ("protobuf-raw", Pin::ProtobufRaw),
];

/// Names of formats that stand above already.
const ABOVE: [Plain; 3] = [Plain::Json, Plain::Text, Plain::Binary];

/// The names of all decoders, in the order in which they are shown.
fn names() -> impl Iterator<Item = (&'static str, Pin)> {
    let others = Plain::ALL
        .iter()
        .filter(|(_, plain, _)| !ABOVE.contains(plain));
    let others = others.map(|(name, plain, _)| (*name, Pin::Other(*plain)));
    NAMES.iter().copied().chain(others)
}

impl Pin {
    fn named(name: &str) -> Result<Self, PinsError> {
        let known = names().find(|(known, _)| *known == name);
        known
            .map(|(_, pin)| pin)
            .ok_or_else(|| PinsError::Unknown(name.to_owned()))
    }
}

/// The decoders of keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pins {
    pub key: Pin,
    pub value: Pin,
}

/// As `--decode` takes it.
impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |pin: Pin| {
            names()
                .find(|(_, known)| *known == pin)
                .map_or("auto", |n| n.0)
        };
        write!(f, "key={},value={}", name(self.key), name(self.value))
    }
}

/// Why a `--decode` text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinsError {
    #[error("'{0}' does not say what to decode and how")]
    Shape(String),
    #[error("there is no decoder '{0}'")]
    Unknown(String),
    #[error("the decoder of the {0} is given twice")]
    Twice(&'static str),
}

impl PinsError {
    /// What to try.
    pub fn hint(&self) -> String {
        let names: Vec<&str> = names().map(|(name, _)| name).collect();
        format!(
            "write key=FORMAT, value=FORMAT or both with a comma between; FORMAT is one of {}",
            names.join(", ")
        )
    }
}

impl Pins {
    /// Reads `key=FORMAT,value=FORMAT`; what is not named stays `auto`.
    pub fn parse(text: &str) -> Result<Self, PinsError> {
        let (mut key, mut value) = (None, None);
        for part in text.split(',') {
            let shape = || PinsError::Shape(part.to_owned());
            let (what, name) = part.split_once('=').ok_or_else(shape)?;
            let (slot, which) = match what.trim() {
                "key" => (&mut key, "key"),
                "value" => (&mut value, "value"),
                _ => return Err(shape()),
            };
            if slot.replace(Pin::named(name.trim())?).is_some() {
                return Err(PinsError::Twice(which));
            }
        }
        Ok(Self {
            key: key.unwrap_or_default(),
            value: value.unwrap_or_default(),
        })
    }

    /// The pins of a config file's two names.
    pub fn of_names(key: Option<&str>, value: Option<&str>) -> Result<Self, PinsError> {
        let pin = |name: Option<&str>| name.map_or(Ok(Pin::Auto), Pin::named);
        Ok(Self {
            key: pin(key)?,
            value: pin(value)?,
        })
    }

    /// How to decode when that needs nothing but the bytes themselves.
    pub(super) const fn plain(self) -> Option<Decoding> {
        match (self.key.plain(), self.value.plain()) {
            (Some(key), Some(value)) => Some(Decoding { key, value }),
            _ => None,
        }
    }
}

impl Pin {
    const fn plain(self) -> Option<Format> {
        match self {
            Self::Auto => Some(Format::Auto),
            Self::Plain(format) => Some(format),
            _ => None,
        }
    }
}

impl From<Decoding> for Pins {
    fn from(decoding: Decoding) -> Self {
        let pin = |format| match format {
            Format::Auto => Pin::Auto,
            format => Pin::Plain(format),
        };
        Self {
            key: pin(decoding.key),
            value: pin(decoding.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_from_their_flag() {
        let pins = Pins::parse("key=json, value=avro").unwrap();
        assert_eq!(pins.value, Pin::Avro);
        assert_eq!(pins.plain(), None);
        let pins = Pins::parse("key=json").unwrap();
        let plain = Decoding {
            key: Format::Json,
            value: Format::Auto,
        };
        assert_eq!(pins.plain(), Some(plain));
        assert_eq!(Pins::from(plain), pins);
        for (text, message) in [
            ("", "'' does not say"),
            ("json", "'json' does not say"),
            ("values=json", "'values=json' does not say"),
            ("value=avroo", "no decoder 'avroo'"),
            ("key=text,key=json", "given twice"),
        ] {
            let error = Pins::parse(text).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.hint().contains("auto, detect, json, text, binary"));
        }
    }

    #[test]
    fn the_config_names_them_one_by_one() {
        let pins = Pins::of_names(None, Some("text")).unwrap();
        assert_eq!(pins, Pins::parse("value=text").unwrap());
        assert!(Pins::of_names(Some("jsn"), None).is_err());
    }
}
