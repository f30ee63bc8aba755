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
        match self.four_digit_year() {
            Some(text) => out.extend_from_slice(&text),
            None => self.write_any_year(out),
        }
    }

    fn write_any_year(self, out: &mut Vec<u8>) {
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

const END_OF_9999: i64 = 253_402_300_800_000;

impl Timestamp {
    /// The same for the times that occur, without a branch per digit.
    fn four_digit_year(self) -> Option<[u8; 24]> {
        let ms = u64::try_from(self.0)
            .ok()
            .filter(|_| self.0 < END_OF_9999)?;
        let in_day = (ms % 86_400_000) as u32;
        let (year, month, day) = civil_from_days((ms / 86_400_000).cast_signed());
        let [year, month, day] = [year, month, day].map(|n| n.cast_unsigned() as u32);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (place, number) in [
            (0, year / 100),
            (2, year % 100),
            (5, month),
            (8, day),
            (11, in_day / 3_600_000),
            (14, in_day / 60_000 % 60),
            (17, in_day / 1000 % 60),
            (20, in_day % 1000 / 10),
        ] {
            text[place] = b'0' + (number / 10) as u8;
            text[place + 1] = b'0' + (number % 10) as u8;
        }
        text[22] = b'0' + (in_day % 10) as u8;
        Some(text)
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
pub const fn civil_from_days(days: i64) -> (i64, i64, i64) {
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
    fn both_ways_of_writing_agree() {
        for ms in (0..END_OF_9999).step_by(86_399_999 * 17) {
            let time = Timestamp(ms);
            let mut slow = Vec::new();
            time.write_any_year(&mut slow);
            assert_eq!(time.four_digit_year().unwrap(), *slow);
        }
        assert_eq!(Timestamp(-1).four_digit_year(), None);
        assert_eq!(Timestamp(END_OF_9999).four_digit_year(), None);
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        assert!(Timestamp(i64::MIN).to_string().starts_with('-'));
        assert!(Timestamp(i64::MAX).to_string().starts_with('+'));
    }
}
