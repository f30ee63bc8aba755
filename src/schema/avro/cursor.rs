//! Avro's binary form, piece by piece: numbers, lengths and texts, each checked against what is
//! left before anything is done with it.

use std::borrow::Cow;
use std::fmt;

use crate::schema::Refusal;
use crate::text::Visible;

/// Bytes of a path, and of one step of it, that a refusal tells.
const PATH: usize = 200;
const STEP: usize = 64;

/// Why and where bytes were not taken. In a box, because it goes through every level of a value.
#[derive(Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    at: usize,
    why: Cow<'static, str>,
    /// Where in the value, as a JSON pointer.
    path: String,
}

impl Fault {
    #[cold]
    pub(super) fn new(at: usize, why: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            at,
            why: why.into(),
            path: String::new(),
        }))
    }

    /// Adds the step above to the path.
    #[cold]
    pub(super) fn under(mut self, step: impl fmt::Display) -> Self {
        let path = &mut self.0.path;
        if path.len() < PATH {
            let mut step = format!("/{step}");
            if step.len() > STEP {
                step.truncate(step.floor_char_boundary(STEP));
                step.push('…');
            }
            path.insert_str(0, &step);
        } else if !path.starts_with('…') {
            path.insert(0, '…');
        }
        self
    }

    /// `byte 12 (/items/2/price): …`
    #[cold]
    pub(super) fn refusal(self) -> Refusal {
        let Inner { at, why, path } = *self.0;
        Refusal::new(if path.is_empty() {
            format!("byte {at}: {why}")
        } else {
            format!("byte {at} ({}): {why}", Visible(&path))
        })
    }
}

/// Bytes, and how many of them are read.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    #[cold]
    fn cut(&self, what: &str) -> Fault {
        Fault::new(self.at, format!("the data end within {what}"))
    }

    #[inline]
    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, Fault> {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            None => Err(self.cut(what)),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some(taken) = rest.get(..len) {
            self.at += len;
            Ok(taken)
        } else {
            let left = rest.len();
            let why = format!("{what} of {len} bytes, but {left} are left");
            Err(Fault::new(self.at, why))
        }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(taken) => {
                self.at += N;
                Ok(*taken)
            }
            None => Err(self.cut(what)),
        }
    }

    /// A number of up to 64 bits, seven in a byte, its sign in the lowest bit.
    #[inline]
    pub(super) fn long(&mut self, what: &'static str) -> Result<i64, Fault> {
        let first = self.byte(what)?;
        let bits = if first < 0x80 {
            u64::from(first)
        } else {
            self.wide(first, what)?
        };
        Ok((bits >> 1).cast_signed() ^ -((bits & 1).cast_signed()))
    }

    fn wide(&mut self, first: u8, what: &'static str) -> Result<u64, Fault> {
        let start = self.at - 1;
        let mut bits = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte(what)?;
            if shift == 63 && byte > 1 {
                break;
            }
            bits |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(bits);
            }
        }
        Err(Fault::new(start, format!("{what} of more than 64 bits")))
    }

    #[inline]
    pub(super) fn int(&mut self, what: &'static str) -> Result<i32, Fault> {
        let start = self.at;
        let long = self.long(what)?;
        i32::try_from(long)
            .map_err(|_| Fault::new(start, format!("{what} of more than 32 bits: {long}")))
    }

    /// Bytes with their length in front.
    #[inline]
    pub(super) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let len = self.long(what)?;
        let len = usize::try_from(len)
            .map_err(|_| Fault::new(start, format!("{what} of a length below zero: {len}")))?;
        self.take(len, what)
    }

    #[inline]
    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, Fault> {
        let bytes = self.bytes(what)?;
        str::from_utf8(bytes).map_err(|error| {
            let at = self.at - bytes.len() + error.valid_up_to();
            Fault::new(at, format!("{what} that is not UTF-8"))
        })
    }

    /// The head of a block of an array's or map's items: how many there are, and where the block
    /// ends, if it says so. No block has more than `i64::MAX` items.
    pub(super) fn block(&mut self, what: &'static str) -> Result<(u64, Option<usize>), Fault> {
        let start = self.at;
        let count = self.long(what)?;
        if count >= 0 {
            return Ok((count.unsigned_abs(), None));
        }
        if count == i64::MIN {
            return Err(Fault::new(start, format!("{what} of more than 63 bits")));
        }
        let start = self.at;
        let size = self.long(what)?;
        let left = self.left();
        match usize::try_from(size) {
            Ok(size) if size <= left => Ok((count.unsigned_abs(), Some(self.at + size))),
            _ => {
                let why = format!("a block of {size} bytes, but {left} are left");
                Err(Fault::new(start, why))
            }
        }
    }
}
