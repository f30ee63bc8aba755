//! Times for people, in UTC or a zone.

use jiff::tz::TimeZone;

use crate::event::Timestamp;

/// Writes times in one zone.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    zone: Option<TimeZone>,
}

impl Clock {
    pub(super) fn new(zone: Option<&TimeZone>) -> Self {
        Self {
            zone: zone.cloned(),
        }
    }

    /// Appends RFC 3339 with milliseconds: `…Z`, or `…+02:00` in a zone. A time that no calendar
    /// of a zone reaches is written in UTC.
    pub(super) fn write(&self, out: &mut Vec<u8>, time: Timestamp) {
        let offset = self.zone.as_ref().and_then(|zone| {
            let instant = jiff::Timestamp::from_millisecond(time.0).ok()?;
            Some(zone.to_offset(instant).seconds())
        });
        let Some(seconds) = offset else {
            time.write_rfc3339(out);
            return;
        };
        Timestamp(time.0.saturating_add(i64::from(seconds) * 1000)).write_rfc3339(out);
        out.pop();
        out.push(if seconds < 0 { b'-' } else { b'+' });
        let seconds = seconds.unsigned_abs();
        push_two(out, seconds / 3600);
        out.push(b':');
        push_two(out, seconds / 60 % 60);
        // Local mean times of the 19th century.
        if !seconds.is_multiple_of(60) {
            out.push(b':');
            push_two(out, seconds % 60);
        }
    }
}

fn push_two(out: &mut Vec<u8>, number: u32) {
    let digit = |n: u32| b'0' + (n % 10) as u8;
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_zone_that_is_asked_for() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let india = TimeZone::posix("IST-5:30").unwrap();
        let chile = TimeZone::posix("<-0330>3:30").unwrap();
        let odd = TimeZone::posix("LMT-0:53:28").unwrap();
        let time = 1_723_717_843_000;
        for (zone, ms, text) in [
            (None, time, "2024-08-15T10:30:43.000Z"),
            (Some(&berlin), time, "2024-08-15T12:30:43.000+02:00"),
            (Some(&berlin), 1, "1970-01-01T01:00:00.001+01:00"),
            (Some(&india), time, "2024-08-15T16:00:43.000+05:30"),
            (Some(&chile), time, "2024-08-15T07:00:43.000-03:30"),
            (Some(&odd), 0, "1970-01-01T00:53:28.000+00:53:28"),
        ] {
            let mut out = Vec::new();
            Clock::new(zone).write(&mut out, Timestamp(ms));
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for ms in [i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            Clock::new(Some(&berlin)).write(&mut out, Timestamp(ms));
            assert!(out.ends_with(b"Z"));
        }
    }
}
