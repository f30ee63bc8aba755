//! Arithmetic, order and conversions of jq values: jaq's own, asked beforehand whether the result
//! fits.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use jaq_json::{Num, Val};
use jaq_std::ValT as _;

use super::limits::{self, Stop};
use super::size::Size;
use super::value::{Result, Value, halted, lift};

/// Bits of the largest integer that a program may make: some 300,000 digits.
const MAX_BITS: u64 = 1_000_000;

impl Value {
    /// Runs one of jaq's operations, whose result is at most as large as `size`.
    fn op(
        self,
        other: Self,
        size: Size,
        f: impl FnOnce(Val, Val) -> std::result::Result<Val, jaq_core::Error<Val>>,
    ) -> Result<Self> {
        limits::spend(self.weight().max(other.weight()) / 1024 + 1).map_err(halted)?;
        let val = f(self.val, other.val).map_err(lift)?;
        Ok(match val {
            Val::Arr(_) | Val::Obj(_) => Self::made(val, size),
            leaf => Self::leaf(leaf),
        })
    }

    fn byte_len(&self) -> Option<usize> {
        self.val.as_bytes().map(<[u8]>::len)
    }

    /// Bits of an integer; those beyond the machine's grow with every product.
    fn bits(&self) -> u64 {
        match &self.val {
            Val::Num(Num::BigInt(int)) => int.bits(),
            Val::Num(Num::Int(_)) => 64,
            _ => 0,
        }
    }
}

impl Add for Value {
    type Output = Result<Self>;

    fn add(self, other: Self) -> Self::Output {
        if let (Some(left), Some(right)) = (self.byte_len(), other.byte_len()) {
            limits::string(left.saturating_add(right)).map_err(halted)?;
        }
        let size = self.size.and(other.size);
        self.op(other, size, |l, r| l + r)
    }
}

impl Sub for Value {
    type Output = Result<Self>;

    fn sub(self, other: Self) -> Self::Output {
        let size = self.size;
        self.op(other, size, |l, r| l - r)
    }
}

impl Mul for Value {
    type Output = Result<Self>;

    fn mul(self, other: Self) -> Self::Output {
        if let Some((len, times)) = match (&self, &other) {
            (text, times) if text.byte_len().is_some() => text.byte_len().zip(Some(times)),
            (times, text) => text.byte_len().zip(Some(times)),
        } {
            let times = match &times.val {
                Val::Num(Num::Int(times)) => usize::try_from(*times).unwrap_or(0),
                Val::Num(Num::BigInt(_)) if times.val > Val::from(0usize) => usize::MAX,
                _ => 0,
            };
            limits::string(len.saturating_mul(times)).map_err(halted)?;
        }
        if self.bits().saturating_add(other.bits()) > MAX_BITS {
            limits::stop(Stop::Memory);
            return Err(halted(Stop::Memory));
        }
        let size = self.size.and(other.size);
        self.op(other, size, |l, r| l * r)
    }
}

impl Div for Value {
    type Output = Result<Self>;

    fn div(self, other: Self) -> Self::Output {
        // Text divided by text is split: at worst one string for every byte.
        let pieces = self.byte_len().unwrap_or(0).saturating_mul(24);
        if other.byte_len().is_some() {
            limits::string(pieces).map_err(halted)?;
        }
        let val = (self.val / other.val).map_err(lift)?;
        Ok(Self::leaf(val))
    }
}

impl Rem for Value {
    type Output = Result<Self>;

    fn rem(self, other: Self) -> Self::Output {
        let size = self.size;
        self.op(other, size, |l, r| l % r)
    }
}

impl Neg for Value {
    type Output = Result<Self>;

    fn neg(self) -> Self::Output {
        (-self.val).map(Self::leaf).map_err(lift)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        // A comparison cannot fail: the next tick sees that the run is stopped.
        limits::spend(self.weight().min(other.weight()) / 256).is_ok() && self.val == other.val
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        self.val.cmp(&other.val)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.val.fmt(f)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::leaf(Val::from(b))
    }
}

impl From<isize> for Value {
    fn from(i: isize) -> Self {
        Self::leaf(Val::from(i))
    }
}

impl From<usize> for Value {
    fn from(i: usize) -> Self {
        Self::leaf(Val::from(i))
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Self {
        Self::leaf(Val::from(f))
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::leaf(Val::from(s))
    }
}

impl From<jaq_core::val::Range<Self>> for Value {
    fn from(range: jaq_core::val::Range<Self>) -> Self {
        let range = range.start.map(|v| v.val)..range.end.map(|v| v.val);
        Self::leaf(Val::from(range))
    }
}
