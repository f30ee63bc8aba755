//! Reads what people type for durations, sizes and rates. No I/O.

pub use crate::text::human::parse_duration as duration;

/// `256MiB`, `64M`, `1GiB`, `1000000`. K, M, G alone are the binary units.
pub fn size(text: &str) -> Result<usize, String> {
    let fail = || format!("'{text}' is no size; write bytes or KiB, MiB, GiB: 256MiB");
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale: f64 = match unit.trim() {
        "" | "B" => 1.0,
        "K" | "KiB" => 1024.0,
        "KB" | "kB" => 1e3,
        "M" | "MiB" => 1024.0 * 1024.0,
        "MB" => 1e6,
        "G" | "GiB" => 1024.0 * 1024.0 * 1024.0,
        "GB" => 1e9,
        _ => return Err(fail()),
    };
    let bytes = number.parse::<f64>().map_err(|_| fail())? * scale;
    if !(0.0..=9.0e15).contains(&bytes) {
        return Err(fail());
    }
    #[expect(clippy::cast_sign_loss, reason = "checked to be positive")]
    Ok(bytes as usize)
}

/// The buffer budget: as a size, but enough to work with.
pub fn memory(text: &str) -> Result<usize, String> {
    const LEAST: usize = 8 * 1024 * 1024;
    let bytes = size(text)?;
    if bytes < LEAST {
        return Err(format!(
            "'{text}' is too little to work with; give at least 8MiB"
        ));
    }
    Ok(bytes)
}

/// Events a second: a positive number, `20/s`, or `max`, which is infinity.
pub fn rate(text: &str) -> Result<f64, String> {
    if text == "max" {
        return Ok(f64::INFINITY);
    }
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err(format!(
            "'{text}' is no rate; write events a second, or max: 500"
        )),
    }
}

/// A speed over the recorded time: `1x`, `10x`, `0.5x`, or `max`, which is infinity.
pub fn speed(text: &str) -> Result<f64, String> {
    if text == "max" {
        return Ok(f64::INFINITY);
    }
    match text.strip_suffix('x').map(str::parse::<f64>) {
        Some(Ok(speed)) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err(format!("'{text}' is no speed; write 1x, 10x, 0.5x or max")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, ms) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("0.5s", 500),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "5y",
            "1..5s",
            "5 s",
            "99999999999999999999d",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("1.5K"), Ok(1536));
        assert_eq!(size("1000"), Ok(1000));
        for bad in ["", "MiB", "1X", "-1", "1e99", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert!(memory("1K").is_err());
    }

    #[test]
    fn rates_and_speeds_are_positive() {
        assert_eq!(rate("max"), Ok(f64::INFINITY));
        assert_eq!(rate("20/s"), Ok(20.0));
        assert_eq!(speed("0.5x"), Ok(0.5));
        for bad in ["0", "-1", "nan", "inf", ""] {
            assert!(rate(bad).is_err(), "{bad}");
            assert!(speed(&format!("{bad}x")).is_err(), "{bad}");
        }
        assert!(speed("5").is_err());
    }
}
