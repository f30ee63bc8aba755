//! Numbers as people read them: counts, sizes, durations.

use std::time::Duration;

/// A count with thousands separators: `2,000,000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of events a second, without the unit: `0`, `0.4`, `1,204`.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second <= 0.0 {
        return "0".to_owned();
    }
    if per_second < 9.95 {
        return format!("{per_second:.1}");
    }
    let whole = format!("{per_second:.0}");
    whole.parse().map_or(whole, count)
}

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A size in bytes: `512 B`, `1.5 KiB`, `256 MiB`. Three digits at most before the unit.
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, so that rounding can carry into the next one.
    let mut unit = 0;
    let mut tenths = tenths_of(bytes, 1);
    while tenths >= 10_235 && unit + 1 < UNITS.len() {
        unit += 1;
        tenths = tenths_of(bytes, unit + 1);
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if tenths.is_multiple_of(10) || tenths >= 1000 {
        format!("{} {name}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

fn tenths_of(bytes: u64, power: usize) -> u64 {
    let shift = 10 * power as u32;
    let tenths = (u128::from(bytes) * 10 + (1 << (shift - 1))) >> shift;
    u64::try_from(tenths).unwrap_or(u64::MAX)
}

/// How long something took: `12 ms`, `1.2 s`, `2 min 05 s`, `3 h 07 min`, `2 d 04 h`.
pub fn duration(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let tenths = millis.saturating_add(50) / 100;
    let seconds = millis.saturating_add(500) / 1000;
    match millis {
        0..100 => format!("{millis} ms"),
        100..59_950 => format!("{}.{} s", tenths / 10, tenths % 10),
        59_950..3_599_500 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ if seconds < 86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// `30s`, `5m`, `1.5h`, `2d`, `250ms`, `1h30m`. A bare number has no unit and is refused.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let fail =
        || format!("'{text}' is no duration; write a number and ms, s, m, h or d: 30s, 1h30m");
    let mut rest = text;
    let mut total = 0f64;
    if rest.is_empty() {
        return Err(fail());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(fail)?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return Err(fail()),
        };
        total += number.parse::<f64>().map_err(|_| fail())? * scale;
        rest = tail;
    }
    Duration::try_from_secs_f64(total).map_err(|_| fail())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_keep_a_decimal_only_where_it_tells() {
        let cases = [
            (0.0, "0"),
            (0.44, "0.4"),
            (9.94, "9.9"),
            (9.96, "10"),
            (1204.4, "1,204"),
        ];
        for (per_second, expected) in cases {
            assert_eq!(rate(per_second), expected);
        }
        assert_eq!(rate(f64::NAN), "0");
    }

    #[test]
    fn counts_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (20_431, "20,431"),
            (2_000_000, "2,000,000"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn sizes_carry_into_the_next_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (100 * 1024 + 600, "101 KiB"),
            (1024 * 1024 - 1, "1 MiB"),
            (256 << 20, "256 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        for (millis, text) in [
            (0, "0 ms"),
            (12, "12 ms"),
            (100, "0.1 s"),
            (1234, "1.2 s"),
            (59_949, "59.9 s"),
            (59_950, "1 min 00 s"),
            (125_000, "2 min 05 s"),
            (3_599_500, "1 h 00 min"),
            (11_220_000, "3 h 07 min"),
            (187_200_000, "2 d 04 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text, "{millis}");
        }
    }
}
