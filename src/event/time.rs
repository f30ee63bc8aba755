//! Timestamps: milliseconds since 1970-01-01T00:00:00Z, as the brokers keep them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch, UTC. Negative before 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The machine's clock. What measures ages goes through `--now` first; see `cli::clock`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    pub fn wall_clock() -> Self {
        let now = SystemTime::now();
        let millis = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_millis()),
            Err(before) => i128::try_from(before.duration().as_millis()).map(|ms| -ms),
        };
        Self(
            millis
                .ok()
                .and_then(|ms| i64::try_from(ms).ok())
                .unwrap_or(i64::MAX),
        )
    }

    /// Appends RFC 3339 in UTC with milliseconds, `2024-08-15T10:30:43.000Z`. Allocates nothing:
    /// it runs for every printed event. Years beyond 0000..=9999 are written with a sign, as
    /// ISO 8601 has it.
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let days = self.0.div_euclid(86_400_000);
        let in_day = self.0.rem_euclid(86_400_000);
        let (year, month, day) = civil_from_days(days);
        if (0..=9999).contains(&year) {
            put_digits(out, year, 4);
        } else {
            out.push(if year < 0 { b'-' } else { b'+' });
            put_digits(out, year.abs(), 6);
        }
        out.push(b'-');
        put_digits(out, month, 2);
        out.push(b'-');
        put_digits(out, day, 2);
        out.push(b'T');
        put_digits(out, in_day / 3_600_000, 2);
        out.push(b':');
        put_digits(out, in_day / 60_000 % 60, 2);
        out.push(b':');
        put_digits(out, in_day / 1000 % 60, 2);
        out.push(b'.');
        put_digits(out, in_day % 1000, 3);
        out.push(b'Z');
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::with_capacity(32);
        self.write_rfc3339(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

fn put_digits(out: &mut Vec<u8>, value: i64, width: u32) {
    let mut scale = 10i64.pow(width - 1);
    // A year beyond six digits keeps them all.
    while value / scale >= 10 {
        scale *= 10;
    }
    while scale > 0 {
        out.push(b'0' + (value / scale % 10).cast_unsigned() as u8);
        scale /= 10;
    }
}

/// Howard Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>):
/// days since 1970-01-01 to year, month, day of the proleptic Gregorian calendar.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Who set the timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimestampType {
    /// The producer.
    #[default]
    Create,
    /// The broker, on appending.
    Append,
    /// There is none; the number next to it means nothing.
    None,
}

impl TimestampType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Append => "append",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_written_for_known_instants() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_723_717_843_000, "2024-08-15T10:30:43.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
        }
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        assert!(Timestamp(i64::MIN).to_string().starts_with('-'));
        assert!(Timestamp(i64::MAX).to_string().starts_with('+'));
    }
}
