//! Whether two JSON numbers are one number in two notations. By their digits: no number is too
//! large or too fine, and nothing is rounded.

/// A number as sign, digits without zeros at either end, and the power of ten of the last one.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// `None` when the exponent itself is beyond counting.
    fn read(number: &[u8]) -> Option<Self> {
        let (negative, number) = match number.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let mut halves = number.splitn(2, |b| matches!(b, b'e' | b'E'));
        let mantissa = halves.next().unwrap_or_default();
        let exponent = halves.next().map_or(Some(0), integer);
        let mut parts = mantissa.splitn(2, |b| *b == b'.');
        let whole = parts.next().unwrap_or_default();
        let fraction = parts.next().unwrap_or_default();
        let all = whole.iter().chain(fraction);
        let mut digits: Vec<u8> = all.copied().skip_while(|b| *b == b'0').collect();
        let long = digits.len();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let zeros = i64::try_from(long - digits.len()).ok()?;
        let fraction = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent?.checked_add(zeros)?.checked_sub(fraction)?;
        Some(Self {
            negative,
            digits,
            exponent,
        })
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// True for `1.0` and `1`, `1e2` and `100`, `-0` and `0`.
pub(super) fn same(old: &[u8], new: &[u8]) -> bool {
    old == new || Decimal::read(old).is_some_and(|old| Decimal::read(new) == Some(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_one_number_are_the_same() {
        for (a, b, one) in [
            ("1.0", "1", true),
            ("1e2", "100", true),
            ("0.10", "1E-1", true),
            ("-0", "0.0e5", true),
            ("12345678901234567890", "12345678901234567891", false),
            ("0.1", "0.10000000000000001", false),
            ("1e400", "1e401", false),
            ("10e399", "1e400", true),
            ("-1", "1", false),
            ("1e99999999999999999999", "1e99999999999999999999", true),
            ("1e99999999999999999999", "10e99999999999999999998", false),
            ("0e99999999999999999999", "0", true),
            ("1e9223372036854775807", "10e9223372036854775807", false),
        ] {
            assert_eq!(same(a.as_bytes(), b.as_bytes()), one, "{a} {b}");
            assert_eq!(same(b.as_bytes(), a.as_bytes()), one, "{b} {a}");
        }
    }
}
