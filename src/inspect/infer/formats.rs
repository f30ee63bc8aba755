//! Formats that strings may have. Each test is at least as strict as any validator's: a format is
//! told only when every string has it.

use std::net::Ipv4Addr;

/// A set of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Formats(u8);

/// Name and test.
type Format = (&'static str, fn(&str) -> bool);

/// All of them, the more particular first.
const KNOWN: &[Format] = &[
    ("date-time", is_date_time),
    ("date", is_date),
    ("uuid", is_uuid),
    ("ipv4", is_ipv4),
    ("email", is_email),
];

/// A text that is longer has none.
const LONGEST: usize = 128;

impl Formats {
    pub(super) const ALL: Self = Self((1 << KNOWN.len()) - 1);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of this set that the text between the quotes has.
    pub(super) fn of(self, text: &[u8]) -> Self {
        if self.0 == 0 || text.len() > LONGEST || !text.is_ascii() || text.contains(&b'\\') {
            return Self(0);
        }
        let text = str::from_utf8(text).unwrap_or_default();
        let fits = |(at, (_, test)): (usize, &Format)| {
            u8::from(self.0 & (1 << at) != 0 && test(text)) << at
        };
        Self(KNOWN.iter().enumerate().map(fits).sum())
    }

    pub(super) fn name(self) -> Option<&'static str> {
        let place = self.0.trailing_zeros() as usize;
        KNOWN.get(place).map(|(name, _)| *name)
    }
}

/// Text of digits with marks between them: `0` stands for any digit.
fn is_like(text: &str, form: &str) -> bool {
    let mut pairs = text.bytes().zip(form.bytes());
    text.len() == form.len()
        && pairs.all(|(t, f)| {
            if f == b'0' {
                t.is_ascii_digit()
            } else {
                t == f
            }
        })
}

fn number(text: &str, at: usize, digits: usize) -> u32 {
    let part = text.get(at..at + digits).unwrap_or_default();
    part.parse().unwrap_or(u32::MAX)
}

fn is_date(text: &str) -> bool {
    if !is_like(text, "0000-00-00") {
        return false;
    }
    let (year, month, day) = (number(text, 0, 4), number(text, 5, 2), number(text, 8, 2));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// RFC 3339, without leap seconds.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else {
        return false;
    };
    if !is_date(date) || time.len() < 9 {
        return false;
    }
    let (clock, after) = time.split_at(8);
    let in_range = number(clock, 0, 2) < 24 && number(clock, 3, 2) < 60 && number(clock, 6, 2) < 60;
    if !is_like(clock, "00:00:00") || !in_range {
        return false;
    }
    let zone = match after.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => after,
    };
    let offset = zone.strip_prefix(['+', '-']).unwrap_or_default();
    zone == "Z"
        || (is_like(offset, "00:00") && number(offset, 0, 2) < 24 && number(offset, 3, 2) < 60)
}

fn is_uuid(text: &str) -> bool {
    let mut parts = text.split('-');
    let lengths = [8, 4, 4, 4, 12];
    let hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    lengths
        .iter()
        .all(|length| parts.next().is_some_and(|p| p.len() == *length && hex(p)))
        && parts.next().is_none()
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// What nobody would call no address: quotes, comments and bare hosts are left out.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let word = |part: &str, marks: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
        !part.is_empty() && part.chars().all(known)
    };
    let label = |part: &str| {
        word(part, "-") && !part.starts_with('-') && !part.ends_with('-') && part.len() < 64
    };
    let local_fits = local.len() <= 64 && local.split('.').all(|part| word(part, "_+-"));
    let labels: Vec<&str> = domain.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    local_fits
        && labels.len() > 1
        && labels.iter().all(|part| label(part))
        && top.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_the_formats_that_it_looks_like() {
        for (text, format) in [
            ("2024-08-15T10:30:00.000Z", Some("date-time")),
            ("2024-08-15T10:30:00+02:00", Some("date-time")),
            ("2024-08-15T10:30:60Z", None),
            ("2024-08-15T24:30:00Z", None),
            ("2024-08-15T10:30:00.Z", None),
            ("2024-08-15T10:30:00", None),
            ("2024-02-29", Some("date")),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("123e4567-e89b-12d3-a456-426614174000", Some("uuid")),
            ("123e4567-e89b-12d3-a456-42661417400", None),
            ("10.0.0.1", Some("ipv4")),
            ("10.0.0.256", None),
            ("ada@example.com", Some("email")),
            ("ada.@example.com", None),
            ("ada@localhost", None),
            ("", None),
            ("2024\\u002d02-29", None),
        ] {
            assert_eq!(Formats::ALL.of(text.as_bytes()).name(), format, "{text}");
        }
    }
}
