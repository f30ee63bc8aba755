//! Values of a plan's file that are a number or a text, whichever says it best: addresses,
//! positions, partitions and speeds.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::broker::Address;
use crate::event::{Position, PositionStyle};
use crate::replay::plan::PartitionPolicy;

/// A value that is a number or a text.
pub(super) struct Text<T>(pub T);

pub(super) trait FromText: Sized {
    const EXPECTED: &'static str;

    fn of_text(text: &str) -> Result<Self, String>;

    fn of_number(_: f64) -> Option<Self> {
        None
    }

    fn of_integer(_: u64) -> Option<Self> {
        None
    }
}

impl FromText for Address {
    const EXPECTED: &'static str = "an address";

    fn of_text(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.message)
    }
}

impl FromText for PartitionPolicy {
    const EXPECTED: &'static str = "\"same\", \"key\" or the number of a partition";

    fn of_text(text: &str) -> Result<Self, String> {
        match text {
            "same" => Ok(Self::Same),
            "key" => Ok(Self::Key),
            _ => Err(format!("expected {}", Self::EXPECTED)),
        }
    }

    fn of_integer(number: u64) -> Option<Self> {
        u32::try_from(number).ok().map(Self::Fixed)
    }
}

/// `None` is the maximum.
pub(super) struct Speed(pub Option<f64>);

impl FromText for Speed {
    const EXPECTED: &'static str = "\"max\" or a number";

    fn of_text(text: &str) -> Result<Self, String> {
        match text {
            "max" => Ok(Self(None)),
            _ => Err(format!("expected {}", Self::EXPECTED)),
        }
    }

    fn of_number(number: f64) -> Option<Self> {
        Some(Self(Some(number)))
    }
}

/// A position, and how it is written.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub position: Position,
    pub style: PositionStyle,
}

impl FromText for At {
    const EXPECTED: &'static str = "an offset, or a position such as \"1692100000000-0\"";

    fn of_text(text: &str) -> Result<Self, String> {
        let style = if text.contains('-') {
            PositionStyle::Entry
        } else {
            PositionStyle::Offset
        };
        let position = Position::parse(text, style);
        let position = position.ok_or_else(|| format!("expected {}", Self::EXPECTED))?;
        Ok(Self { position, style })
    }

    fn of_integer(number: u64) -> Option<Self> {
        Some(Self {
            position: Position::offset(number),
            style: PositionStyle::Offset,
        })
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| text.0)
    }
}

impl<'de, T: FromText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
        T::of_text(text).map(Text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text<T>, E> {
        let known = u64::try_from(number).ok().and_then(T::of_integer);
        #[expect(clippy::cast_precision_loss, reason = "only speeds are taken as such")]
        let known = known.or_else(|| T::of_number(number as f64));
        known
            .map(Text)
            .ok_or_else(|| E::custom(format!("expected {}", T::EXPECTED)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Text<T>, E> {
        T::of_number(number)
            .map(Text)
            .ok_or_else(|| E::custom(format!("expected {}", T::EXPECTED)))
    }
}
