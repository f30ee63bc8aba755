//! Logical types: which of them a schema means, and their values as JSON text.

use serde_json::{Map, Value};

use super::node::{Logical, Shape, Unit};
use crate::event::Timestamp;

/// Digits behind the point that are written out; a decimal of a larger scale is bytes.
const MOST_SCALE: usize = 1024;
/// A decimal of more bytes is written as bytes: making digits takes time by the square of them.
const WIDEST: usize = 256;
/// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z: beyond them RFC 3339 has no form.
const YEARS: std::ops::Range<i64> = -62_167_219_200_000..253_402_300_800_000;
const DAY: i64 = 86_400_000;

/// The logical type of a schema's object; `None` when there is none that fits the shape.
pub(super) fn of(object: &Map<String, Value>, shape: &Shape) -> Option<Logical> {
    let name = object.get("logicalType")?.as_str()?;
    let stamp = |unit, local| Some(Logical::Timestamp { unit, local });
    match (shape, name) {
        (Shape::Int, "date") => Some(Logical::Date),
        (Shape::Int, "time-millis") => Some(Logical::TimeMillis),
        (Shape::Long, "time-micros") => Some(Logical::TimeMicros),
        (Shape::Long, "timestamp-millis") => stamp(Unit::Millis, false),
        (Shape::Long, "timestamp-micros") => stamp(Unit::Micros, false),
        (Shape::Long, "timestamp-nanos") => stamp(Unit::Nanos, false),
        (Shape::Long, "local-timestamp-millis") => stamp(Unit::Millis, true),
        (Shape::Long, "local-timestamp-micros") => stamp(Unit::Micros, true),
        (Shape::Long, "local-timestamp-nanos") => stamp(Unit::Nanos, true),
        (Shape::String, "uuid") => Some(Logical::Uuid),
        (Shape::Fixed(fixed), "uuid") if fixed.size == 16 => Some(Logical::Uuid),
        (Shape::Fixed(fixed), "duration") if fixed.size == 12 => Some(Logical::Duration),
        (Shape::Bytes, "decimal") => decimal(object, usize::MAX),
        (Shape::Fixed(fixed), "decimal") => decimal(object, fixed.size),
        _ => None,
    }
}

/// A decimal that its bytes can hold.
fn decimal(object: &Map<String, Value>, size: usize) -> Option<Logical> {
    let number = |key| object.get(key).map(|n| usize::try_from(n.as_u64()?).ok());
    let precision = number("precision")??;
    let scale = match number("scale") {
        Some(scale) => scale?,
        None => 0,
    };
    // The most digits that all numbers of this many bytes with a sign have. A fixed of more bytes
    // than this has digits to spare.
    let most = match u32::try_from(size) {
        Ok(size) if size < 100_000 => {
            ((f64::from(size) * 8.0 - 1.0) * std::f64::consts::LOG10_2).floor()
        }
        _ => f64::MAX,
    };
    let fits = u32::try_from(precision).is_ok_and(|precision| f64::from(precision) <= most);
    (fits && precision >= 1 && scale <= precision && scale <= MOST_SCALE)
        .then_some(Logical::Decimal { precision, scale })
}

/// What an `int` or a `long` means.
#[inline(never)]
pub(super) fn push_time_of(out: &mut Vec<u8>, value: i64, meaning: Logical) {
    match meaning {
        Logical::Date => push_date(out, value),
        Logical::TimeMillis => push_time(out, value, Unit::Millis),
        Logical::TimeMicros => push_time(out, value, Unit::Micros),
        Logical::Timestamp { unit, local } => push_timestamp(out, value, unit, local),
        // Of other types.
        Logical::Decimal { .. } | Logical::Uuid | Logical::Duration => push_integer(out, value),
    }
}

/// A day as `"2024-08-15"`; the number where it has no such form.
fn push_date(out: &mut Vec<u8>, days: i64) {
    let ms = days.saturating_mul(DAY);
    if YEARS.contains(&ms) {
        out.push(b'"');
        Timestamp(ms).write_rfc3339(out);
        out.truncate(out.len() - "T00:00:00.000Z".len());
        out.push(b'"');
    } else {
        push_integer(out, days);
    }
}

/// A time of day as `"10:30:43.123"` with three digits of a second for each thousand of `second`;
/// the number where it is no time of a day.
fn push_time(out: &mut Vec<u8>, value: i64, unit: Unit) {
    let (thousandth, digits) = split(unit);
    let (ms, below) = (value.div_euclid(thousandth), value.rem_euclid(thousandth));
    if !(0..DAY).contains(&ms) {
        return push_integer(out, value);
    }
    out.push(b'"');
    let start = out.len();
    Timestamp(ms).write_rfc3339(out);
    out.drain(start..start + "1970-01-01T".len());
    out.pop();
    push_digits(out, below, digits);
    out.push(b'"');
}

/// A time as RFC 3339, a local one without `Z`; the number where it has no such form.
fn push_timestamp(out: &mut Vec<u8>, value: i64, unit: Unit, local: bool) {
    let (thousandth, digits) = split(unit);
    let (ms, below) = (value.div_euclid(thousandth), value.rem_euclid(thousandth));
    if !YEARS.contains(&ms) {
        return push_integer(out, value);
    }
    out.push(b'"');
    Timestamp(ms).write_rfc3339(out);
    if digits > 0 || local {
        out.pop();
        push_digits(out, below, digits);
        if !local {
            out.push(b'Z');
        }
    }
    out.push(b'"');
}

/// How many of a unit make a millisecond, and how many digits that are.
const fn split(unit: Unit) -> (i64, u32) {
    match unit {
        Unit::Millis => (1, 0),
        Unit::Micros => (1000, 3),
        Unit::Nanos => (1_000_000, 6),
    }
}

fn push_digits(out: &mut Vec<u8>, mut value: i64, digits: u32) {
    let start = out.len();
    out.resize(start + digits as usize, b'0');
    for place in out.iter_mut().skip(start).rev() {
        *place = b'0' + (value % 10).unsigned_abs() as u8;
        value /= 10;
    }
}

pub(super) fn push_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Three numbers of four bytes, little end first.
pub(super) fn push_duration(out: &mut Vec<u8>, bytes: &[u8]) {
    let (numbers, _) = bytes.as_chunks::<4>();
    let mut numbers = numbers.iter().map(|number| u32::from_le_bytes(*number));
    for key in [&b"{\"months\":"[..], b",\"days\":", b",\"millis\":"] {
        out.extend_from_slice(key);
        push_integer(out, i64::from(numbers.next().unwrap_or(0)));
    }
    out.push(b'}');
}

/// Sixteen bytes as `"123e4567-e89b-12d3-a456-426614174000"`.
pub(super) fn push_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push(b'"');
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
    out.push(b'"');
}

/// A whole number (two's complement, big end first) over ten to the power of `scale`, with all
/// its digits. `false`, and nothing written, when it has too many bytes.
pub(super) fn push_decimal(out: &mut Vec<u8>, bytes: &[u8], scale: usize) -> bool {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    if negative {
        out.push(b'-');
    }
    // What most decimals need is in a machine word.
    if bytes.len() <= 16 {
        let mut wide = [if negative { 0xff } else { 0 }; 16];
        for (place, byte) in wide.iter_mut().rev().zip(bytes.iter().rev()) {
            *place = *byte;
        }
        let number = i128::from_be_bytes(wide).unsigned_abs();
        push_scaled(out, itoa::Buffer::new().format(number).as_bytes(), scale);
        return true;
    }
    if bytes.len() > WIDEST {
        if negative {
            out.pop();
        }
        return false;
    }
    let mut digits = Vec::with_capacity(WIDEST * 3);
    long_digits(bytes, negative, &mut digits);
    push_scaled(out, &digits, scale);
    true
}

/// The digits of a number of up to [`WIDEST`] bytes, without its sign: it is divided by 10⁹ until
/// nothing is left.
fn long_digits(bytes: &[u8], negative: bool, digits: &mut Vec<u8>) {
    const BILLION: u64 = 1_000_000_000;
    let mut limbs = [0u32; WIDEST / 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(4)) {
        let mut wide = [if negative { 0xff } else { 0 }; 4];
        for (place, byte) in wide.iter_mut().rev().zip(chunk.iter().rev()) {
            *place = *byte;
        }
        *limb = u32::from_be_bytes(wide);
    }
    let mut used = bytes.len().div_ceil(4);
    if negative {
        let mut carry = true;
        for limb in limbs.iter_mut().take(used) {
            (*limb, carry) = (!*limb).overflowing_add(u32::from(carry));
        }
    }
    let mut groups = Vec::with_capacity(used * 2);
    while let Some(left) = limbs.get_mut(..used).filter(|limbs| !limbs.is_empty()) {
        if left.last() == Some(&0) {
            used -= 1;
            continue;
        }
        let mut over = 0;
        for limb in left.iter_mut().rev() {
            let value = over << 32 | u64::from(*limb);
            *limb = (value / BILLION) as u32;
            over = value % BILLION;
        }
        groups.push(over);
    }
    let mut groups = groups.into_iter().rev();
    let first = groups.next().unwrap_or(0);
    digits.extend_from_slice(itoa::Buffer::new().format(first).as_bytes());
    for group in groups {
        push_digits(digits, group.cast_signed(), 9);
    }
}

/// Puts the point into a number's digits.
fn push_scaled(out: &mut Vec<u8>, digits: &[u8], scale: usize) {
    let whole = digits.len().saturating_sub(scale);
    let (whole, below) = digits.split_at(whole);
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if scale > 0 {
        out.push(b'.');
        out.resize(out.len() + scale - below.len(), b'0');
        out.extend_from_slice(below);
    }
}

/// A number with the fewest digits that are read back as the same; what is none, as a string.
pub(super) fn push_double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        push_finite(out, value);
    } else {
        push_not_finite(out, value);
    }
}

/// As [`push_double`], with the digits that 32 bits have.
pub(super) fn push_float(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        push_finite(out, value);
    } else {
        push_not_finite(out, value.into());
    }
}

/// A vector takes whatever is written into it.
fn push_finite(out: &mut Vec<u8>, value: impl serde::Serialize) {
    serde_json::to_writer(out, &value).unwrap_or_default();
}

fn push_not_finite(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(if value.is_nan() {
        b"\"NaN\""
    } else if value > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    });
}
