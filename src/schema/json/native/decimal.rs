//! Decimal numbers of up to 18 digits, compared exactly.

use std::cmp::Ordering;

/// Digits that always fit.
const MOST_DIGITS: u32 = 18;

/// `digits` divided by ten to the power of `scale`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    digits: i64,
    scale: u32,
}

impl Decimal {
    /// Reads a JSON number; `None` for an exponent or more than 18 digits.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (mut digits, mut scale, mut count, mut point) = (0i64, 0, 0, false);
        let (negative, bytes) = match bytes.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, bytes),
        };
        for byte in bytes {
            match byte {
                b'0'..=b'9' => {
                    count += 1;
                    if count > MOST_DIGITS {
                        return None;
                    }
                    digits = digits * 10 + i64::from(byte - b'0');
                    scale += u32::from(point);
                }
                b'.' => point = true,
                _ => return None,
            }
        }
        let digits = if negative { -digits } else { digits };
        Some(Self { digits, scale })
    }

    fn times_ten_to(self, power: u32) -> i128 {
        i128::from(self.digits) * 10i128.pow(power)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.digits.cmp(&other.digits);
        }
        // At most 36 digits each, which 128 bits hold.
        let (left, right) = (
            self.times_ten_to(other.scale),
            other.times_ten_to(self.scale),
        );
        left.cmp(&right)
    }
}

/// Whether a JSON number is an integer, as drafts from 6 on have it: `1.0` is one. `None` for
/// numbers with an exponent.
#[inline]
pub(super) fn is_integer(text: &[u8]) -> Option<bool> {
    let mut fraction = false;
    let mut whole = true;
    for byte in text {
        match byte {
            b'.' => fraction = true,
            b'e' | b'E' => return None,
            b'0' => {}
            _ => whole &= !fraction,
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_what_they_mean() {
        let decimal = |text| Decimal::parse(str::as_bytes(text)).unwrap();
        assert_eq!(decimal("1.0"), decimal("1"));
        assert_eq!(decimal("-0.00"), decimal("0"));
        assert!(decimal("0.1") < decimal("0.10000000000000001"));
        assert!(decimal("-999999999999999999") < decimal("0.00000000000000001"));
        assert!(Decimal::parse(b"1234567890123456789").is_none());
        assert!(Decimal::parse(b"1e2").is_none());
    }

    #[test]
    fn a_fraction_of_zeros_makes_an_integer() {
        for (text, integer) in [
            ("-12", Some(true)),
            ("1.0", Some(true)),
            ("1.01", Some(false)),
            ("10.10", Some(false)),
            ("1E2", None),
        ] {
            assert_eq!(is_integer(text.as_bytes()), integer, "{text}");
        }
    }
}
