//! What a path finds in an event, and how it compares with a constant: as jaq's values do.

use std::cmp::Ordering;

/// A constant of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::query) enum Constant {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Vec<u8>),
}

/// What a path found. Borrowed from the event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand<'a> {
    Null,
    Bool(bool),
    /// A number of ours: an offset, a timestamp.
    Int(i128),
    /// A number as it is written in JSON.
    Number(&'a [u8]),
    /// Text without escapes.
    Text(&'a [u8]),
    /// What is between the quotes of a JSON string that has escapes.
    Escaped(&'a [u8]),
    Array,
    Object,
}

impl<'a> Operand<'a> {
    /// What a valid JSON value is.
    pub(super) fn of_json(json: &'a [u8]) -> Self {
        match json {
            [b'"', text @ .., b'"'] if memchr::memchr(b'\\', text).is_some() => Self::Escaped(text),
            [b'"', text @ .., b'"'] => Self::Text(text),
            [b'{', ..] => Self::Object,
            [b'[', ..] => Self::Array,
            [b't', ..] => Self::Bool(true),
            [b'f', ..] => Self::Bool(false),
            [b'n', ..] => Self::Null,
            number => Self::Number(number),
        }
    }

    pub(super) const fn is_truthy(self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// The order of the types: null, booleans, numbers, strings, arrays, objects.
    const fn rank(self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Number(_) => 2,
            Self::Text(_) | Self::Escaped(_) => 3,
            Self::Array => 4,
            Self::Object => 5,
        }
    }
}

impl Constant {
    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

/// How an operand compares; `None` when only jq can tell. Escaped text must be made plain before.
pub(super) fn compare(left: Operand<'_>, right: &Constant) -> Option<Ordering> {
    let ranks = left.rank().cmp(&right.rank());
    if ranks.is_ne() {
        return Some(ranks);
    }
    match (left, right) {
        (Operand::Null, _) => Some(Ordering::Equal),
        (Operand::Bool(l), Constant::Bool(r)) => Some(l.cmp(r)),
        (Operand::Text(l), Constant::Text(r)) => Some(l.cmp(r.as_slice())),
        (Operand::Int(l), Constant::Int(r)) => Some(l.cmp(&i128::from(*r))),
        (Operand::Int(l), Constant::Float(r)) => {
            let l = i64::try_from(l).ok()?;
            Some(floats(rounded(l), *r))
        }
        (Operand::Number(l), r) => number(l, r),
        _ => None,
    }
}

fn number(digits: &[u8], constant: &Constant) -> Option<Ordering> {
    let text = str::from_utf8(digits).ok()?;
    let whole = digits.iter().all(|b| b.is_ascii_digit() || *b == b'-');
    match constant {
        // jaq keeps integers of any size apart from decimals.
        Constant::Int(r) if whole => Some(match text.parse::<i64>() {
            Ok(l) => l.cmp(r),
            Err(_) if digits.first() == Some(&b'-') => Ordering::Less,
            Err(_) => Ordering::Greater,
        }),
        Constant::Int(r) => Some(floats(text.parse().ok()?, rounded(*r))),
        Constant::Float(r) if whole => Some(floats(rounded(text.parse().ok()?), *r)),
        Constant::Float(r) => Some(floats(text.parse().ok()?, *r)),
        _ => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "jaq compares integers with decimals as doubles"
)]
const fn rounded(int: i64) -> f64 {
    int as f64
}

/// The total order, but both zeros are equal. Neither side is ever not a number.
fn floats(left: f64, right: f64) -> Ordering {
    if left == 0.0 && right == 0.0 {
        Ordering::Equal
    } else {
        left.total_cmp(&right)
    }
}
