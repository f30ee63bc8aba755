//! Takes bytes off the front of an encoded value and says where they end early. What a format
//! means by its bytes is in its own file.

use crate::schema::{DEEPEST, Refusal, most_values};

/// Bytes that are read from the front.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What the bytes are, for messages.
    format: &'static str,
    /// Values that may still come.
    values: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], format: &'static str) -> Self {
        Self {
            bytes,
            at: 0,
            format,
            values: most_values(bytes.len()),
        }
    }

    /// How many bytes were taken.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The byte that a value begins with.
    pub(super) fn begin(&mut self) -> Result<u8, Refusal> {
        let left = self.values.checked_sub(1);
        self.values = left.ok_or_else(|| self.refuse("holds too many values"))?;
        self.byte()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.first_chunk() else {
            return Err(self.cut(N as u64));
        };
        self.at += N;
        Ok(*taken)
    }

    /// A length is only believed when that many bytes are there.
    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], Refusal> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let known = usize::try_from(len).ok();
        let Some(taken) = known.and_then(|len| rest.get(..len)) else {
            return Err(self.cut(len));
        };
        self.at += taken.len();
        Ok(taken)
    }

    pub(super) fn text(&mut self, len: u64) -> Result<&'a str, Refusal> {
        let start = self.at;
        let bytes = self.take(len)?;
        str::from_utf8(bytes).map_err(|error| {
            let at = start + error.valid_up_to();
            self.refuse_at(at, "a text is not UTF-8")
        })
    }

    /// A count of things that take a byte or more each. It is only believed when that many bytes
    /// are left, so no loop runs longer than the event is.
    pub(super) fn count(&self, count: u64) -> Result<u64, Refusal> {
        if count > self.left() as u64 {
            return Err(self.cut(count));
        }
        Ok(count)
    }

    /// Refuses what follows the value.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.refuse(&format!("{left} bytes follow the value"))),
        }
    }

    /// Refuses a value that is nested deeper than [`DEEPEST`].
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), Refusal> {
        if depth > DEEPEST {
            return Err(self.refuse(&format!("nested deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    pub(super) fn refuse(&self, why: &str) -> Refusal {
        self.refuse_at(self.at, why)
    }

    pub(super) fn refuse_at(&self, at: usize, why: &str) -> Refusal {
        Refusal::new(format!("not {}: {why} (byte {at})", self.format))
    }

    #[cold]
    fn cut(&self, need: u64) -> Refusal {
        let left = self.left();
        self.refuse(&format!("the bytes end early: {need} needed, {left} left"))
    }
}
