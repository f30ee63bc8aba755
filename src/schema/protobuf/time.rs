//! Times and durations in the JSON forms of `Timestamp` and `Duration`.

use super::scalar::push_integer;
use crate::event::civil_from_days;

/// The seconds that a timestamp may have: the years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// Seconds of a duration, either way: about 10,000 years.
const LONGEST: u64 = 315_576_000_000;
const NANOS: u32 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Appends `"2024-08-15T10:30:43.500Z"`; false, and nothing appended, when the form has no such
/// time.
pub(super) fn push_timestamp(out: &mut Vec<u8>, seconds: i64, nanos: i32) -> bool {
    let fraction = u32::try_from(nanos).ok().filter(|nanos| *nanos < NANOS);
    let (true, Some(fraction)) = (SECONDS.contains(&seconds), fraction) else {
        return false;
    };
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    out.push(b'"');
    push_digits(out, year, 1000);
    for (separator, value) in [
        (b'-', month),
        (b'-', day),
        (b'T', rest / 3600),
        (b':', rest / 60 % 60),
        (b':', rest % 60),
    ] {
        out.push(separator);
        push_digits(out, value, 10);
    }
    push_fraction(out, fraction);
    out.extend_from_slice(b"Z\"");
    true
}

/// Appends `"1.500s"`; false, and nothing appended, when the form has no such duration.
pub(super) fn push_duration(out: &mut Vec<u8>, seconds: i64, nanos: i32) -> bool {
    let fraction = nanos.unsigned_abs();
    let (down, up) = (seconds < 0 || nanos < 0, seconds > 0 || nanos > 0);
    if seconds.unsigned_abs() > LONGEST || fraction >= NANOS || down && up {
        return false;
    }
    out.push(b'"');
    if down {
        out.push(b'-');
    }
    push_integer(out, seconds.unsigned_abs());
    push_fraction(out, fraction);
    out.extend_from_slice(b"s\"");
    true
}

/// Appends no digits, or three, six or nine.
fn push_fraction(out: &mut Vec<u8>, nanos: u32) {
    let (value, first) = match nanos {
        0 => return,
        _ if nanos.is_multiple_of(1_000_000) => (nanos / 1_000_000, 100),
        _ if nanos.is_multiple_of(1000) => (nanos / 1000, 100_000),
        _ => (nanos, 100_000_000),
    };
    out.push(b'.');
    push_digits(out, i64::from(value), first);
}

/// Appends the digits from that of value `first` down to the last.
fn push_digits(out: &mut Vec<u8>, value: i64, first: i64) {
    let mut place = first;
    while place > 0 {
        out.push(b'0' + (value / place % 10).unsigned_abs() as u8);
        place /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp(seconds: i64, nanos: i32) -> Option<String> {
        let mut out = Vec::new();
        let done = push_timestamp(&mut out, seconds, nanos);
        done.then(|| String::from_utf8(out).unwrap())
    }

    fn duration(seconds: i64, nanos: i32) -> Option<String> {
        let mut out = Vec::new();
        let done = push_duration(&mut out, seconds, nanos);
        done.then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn timestamps_are_of_the_years_1_to_9999() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_723_717_843, 500_000_000, "2024-08-15T10:30:43.500Z"),
            (951_782_400, 1_000, "2000-02-29T00:00:00.000001Z"),
            (-1, 1, "1969-12-31T23:59:59.000000001Z"),
            (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds, nanos), Some(format!("\"{text}\"")));
        }
        for (seconds, nanos) in [
            (-62_135_596_801, 0),
            (253_402_300_800, 0),
            (i64::MIN, 0),
            (i64::MAX, 0),
            (0, -1),
            (0, 1_000_000_000),
            (0, i32::MIN),
        ] {
            assert_eq!(timestamp(seconds, nanos), None);
        }
    }

    #[test]
    fn durations_have_one_sign() {
        for (seconds, nanos, text) in [
            (0, 0, "0s"),
            (1, 500_000_000, "1.500s"),
            (0, -1, "-0.000000001s"),
            (-3, -10_000, "-3.000010s"),
            (315_576_000_000, 0, "315576000000s"),
        ] {
            assert_eq!(duration(seconds, nanos), Some(format!("\"{text}\"")));
        }
        for (seconds, nanos) in [
            (1, -1),
            (-1, 1),
            (315_576_000_001, 0),
            (i64::MIN, 0),
            (0, 1_000_000_000),
            (0, i32::MIN),
        ] {
            assert_eq!(duration(seconds, nanos), None);
        }
    }
}
