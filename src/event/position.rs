//! Where an event stands: positions inside a partition, and the partitions themselves.

use std::fmt;
use std::sync::Arc;

/// The place of an event in its partition, ordered within that partition only.
///
/// Two 64-bit halves hold what the brokers use: a Kafka offset or JetStream sequence is `major`
/// alone, a Redis entry id is milliseconds and sequence, a Pulsar id is ledger and entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    pub major: u64,
    pub minor: u64,
}

impl Position {
    /// The place before every event.
    pub const ZERO: Self = Self { major: 0, minor: 0 };
    /// The place after every event.
    pub const MAX: Self = Self {
        major: u64::MAX,
        minor: u64::MAX,
    };

    /// The position of an integer offset.
    pub const fn offset(offset: u64) -> Self {
        Self {
            major: offset,
            minor: 0,
        }
    }

    /// The position right after this one, in the given style.
    #[must_use]
    pub const fn next(self, style: PositionStyle) -> Self {
        match style {
            PositionStyle::Offset => Self {
                major: self.major.saturating_add(1),
                minor: 0,
            },
            PositionStyle::Entry => match self.minor.checked_add(1) {
                Some(minor) => Self {
                    major: self.major,
                    minor,
                },
                None if self.major == u64::MAX => Self::MAX,
                None => Self {
                    major: self.major + 1,
                    minor: 0,
                },
            },
        }
    }

    /// Reads what [`Position::display`] writes; `None` when the text is not of this style.
    pub fn parse(text: &str, style: PositionStyle) -> Option<Self> {
        match style {
            PositionStyle::Offset => digits(text).map(Self::offset),
            PositionStyle::Entry => match text.split_once('-') {
                Some((major, minor)) => Some(Self {
                    major: digits(major)?,
                    minor: digits(minor)?,
                }),
                None => digits(text).map(Self::offset),
            },
        }
    }

    /// The text that the broker's own tools use for it.
    pub const fn display(self, style: PositionStyle) -> PositionText {
        PositionText {
            position: self,
            style,
        }
    }
}

/// `parse` would take a leading plus sign.
fn digits(text: &str) -> Option<u64> {
    let mut number = None;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        let tens = number.unwrap_or(0u64).checked_mul(10)?;
        number = Some(tens.checked_add(digit.into())?);
    }
    number
}

/// How a broker writes its positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PositionStyle {
    /// One integer that counts up: Kafka, `JetStream`, RabbitMQ streams, files. A number in JSON.
    #[default]
    Offset,
    /// Two integers joined by a dash, Redis entry ids: `1692100000000-0`. A string in JSON.
    Entry,
}

/// A position that knows how it is written.
#[derive(Debug, Clone, Copy)]
pub struct PositionText {
    position: Position,
    style: PositionStyle,
}

impl fmt::Display for PositionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            PositionStyle::Offset => write!(f, "{}", self.position.major),
            PositionStyle::Entry => write!(f, "{}-{}", self.position.major, self.position.minor),
        }
    }
}

/// One partition of one topic; brokers without partitions have one, number 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stream {
    pub topic: Arc<str>,
    pub partition: u32,
    pub style: PositionStyle,
}

/// In a batch on its way to a sink: "let the target choose the partition by key".
pub const ANY_PARTITION: u32 = u32::MAX;

/// The partitions that a source reads. An event names its partition by the index in this table,
/// which only ever grows: an index stays valid for as long as the source lives.
pub type Streams = Arc<[Stream]>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_back_as_written() {
        let id = Position {
            major: 1_692_100_000_000,
            minor: 7,
        };
        let text = id.display(PositionStyle::Entry).to_string();
        assert_eq!(text, "1692100000000-7");
        assert_eq!(Position::parse(&text, PositionStyle::Entry), Some(id));
        assert_eq!(
            Position::parse("42", PositionStyle::Offset),
            Some(Position::offset(42))
        );
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "",
            "-",
            "+1",
            "1-",
            "-1",
            "1-2-3",
            "99999999999999999999",
            "a",
        ] {
            assert_eq!(Position::parse(text, PositionStyle::Entry), None, "{text}");
        }
        assert_eq!(Position::parse("1-0", PositionStyle::Offset), None);
    }

    #[test]
    fn next_follows_the_style() {
        let last = Position {
            major: 5,
            minor: u64::MAX,
        };
        assert_eq!(last.next(PositionStyle::Entry), Position::offset(6));
        assert_eq!(Position::MAX.next(PositionStyle::Entry), Position::MAX);
        assert_eq!(
            Position::offset(5).next(PositionStyle::Offset),
            Position::offset(6)
        );
    }
}
