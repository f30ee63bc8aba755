//! Reads POS of `--from` and `--until`. An age becomes a time only once the clock is known, which
//! is the source's own for the demo and for captures.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::units;
use crate::broker::Bound;
use crate::event::{Position, PositionStyle, Timestamp};

/// One end of a range, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pos {
    Start,
    End,
    At(Position),
    Last(u64),
    Time(Timestamp),
    /// This long before now.
    Age(Duration),
    Group(String),
}

/// From this on a bare number is milliseconds since the epoch (2001 and later), not an offset.
const EPOCH_MS: u64 = 1_000_000_000_000;

impl Pos {
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "start" | "beginning" => return Ok(Self::Start),
            "end" => return Ok(Self::End),
            _ => {}
        }
        if let Some(group) = text.strip_prefix("stored:") {
            return if group.is_empty() {
                Err("stored: wants the name of a consumer group: stored:billing".to_owned())
            } else {
                Ok(Self::Group(group.to_owned()))
            };
        }
        if let Some(back) = text.strip_prefix('-') {
            if let Ok(count) = back.parse::<u64>() {
                return Ok(Self::Last(count));
            }
            return units::duration(back).map(Self::Age).map_err(|_| fail(text));
        }
        if let Some(position) = Position::parse(text, PositionStyle::Entry) {
            let bare = !text.contains('-');
            return Ok(if bare && position.major >= EPOCH_MS {
                Self::Time(Timestamp(
                    i64::try_from(position.major).map_err(|_| fail(text))?,
                ))
            } else {
                Self::At(position)
            });
        }
        time(text).map(Self::Time).ok_or_else(|| fail(text))
    }

    /// With the clock known, what the adapters understand.
    pub fn bound(&self, now: Timestamp) -> Bound {
        match self {
            Self::Start => Bound::Start,
            Self::End => Bound::End,
            Self::At(position) => Bound::At(*position),
            Self::Last(count) => Bound::Last(*count),
            Self::Time(time) => Bound::Time(*time),
            Self::Age(age) => {
                let ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                Bound::Time(Timestamp(now.0.saturating_sub(ms)))
            }
            Self::Group(group) => Bound::Group(group.clone()),
        }
    }
}

fn fail(text: &str) -> String {
    format!(
        "'{text}' is no position; write start, end, an offset (1500), the last N (-100), \
         a time (2024-08-15T10:30:00Z, 2024-08-15, epoch ms), an age (-15m) or stored:GROUP"
    )
}

/// RFC 3339, a date (its midnight, UTC), or a date and time without a zone (UTC).
pub fn time(text: &str) -> Option<Timestamp> {
    let millis = |at: jiff::Timestamp| Timestamp(at.as_millisecond());
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(millis(at));
    }
    let at = text.parse::<jiff::civil::DateTime>().ok()?;
    at.to_zoned(TimeZone::UTC)
        .ok()
        .map(|z| millis(z.timestamp()))
}

/// `--now`: a time as above, or epoch milliseconds.
pub fn now(text: &str) -> Result<Timestamp, String> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(Timestamp(ms));
    }
    time(text).ok_or_else(|| {
        format!("'{text}' is no time; write 2024-08-15T10:32:00Z or epoch milliseconds")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_table_is_read() {
        let cases = [
            ("start", Pos::Start),
            ("end", Pos::End),
            ("15", Pos::At(Position::offset(15))),
            ("-5", Pos::Last(5)),
            ("-15m", Pos::Age(Duration::from_mins(15))),
            (
                "2024-08-15T10:30:43Z",
                Pos::Time(Timestamp(1_723_717_843_000)),
            ),
            (
                "2024-08-15T12:30:43+02:00",
                Pos::Time(Timestamp(1_723_717_843_000)),
            ),
            (
                "2024-08-15T10:30:43",
                Pos::Time(Timestamp(1_723_717_843_000)),
            ),
            ("2024-08-15", Pos::Time(Timestamp(1_723_680_000_000))),
            ("1723717843000", Pos::Time(Timestamp(1_723_717_843_000))),
            (
                "1723717843000-2",
                Pos::At(Position {
                    major: 1_723_717_843_000,
                    minor: 2,
                }),
            ),
            ("stored:billing", Pos::Group("billing".into())),
        ];
        for (text, pos) in cases {
            assert_eq!(Pos::parse(text), Ok(pos), "{text}");
        }
    }

    #[test]
    fn what_is_no_position_is_refused_with_the_forms() {
        for bad in [
            "",
            "-",
            "--follow",
            "yesterday",
            "1.5",
            "stored:",
            "2024-13-01",
            "-5y",
            "2024-08-15T25:00:00Z",
        ] {
            assert!(Pos::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_age_counts_back_from_the_clock_in_force() {
        let pos = Pos::parse("-15m").unwrap();
        assert_eq!(
            pos.bound(Timestamp(1_000_000)),
            Bound::Time(Timestamp(100_000))
        );
    }
}
