//! Kafka's primitive types, read from bytes that are not trusted: a length or a count is believed
//! only as far as there are bytes behind it. What messages are made of them is next door.

use kafka_protocol::protocol::StrBytes;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::error::Failure;

/// A text as requests take it.
pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The number of an error as answers tell it; 0 is none.
pub(super) fn checked(error: i16) -> Result<(), Failure> {
    match error {
        0 => Ok(()),
        _ => Err(Failure::from_number(error.into())),
    }
}

/// An answer that makes no sense. Whoever meets it hangs up and asks again.
pub(super) fn garbled(what: &str) -> Failure {
    Failure::new(
        Code::BadMessage,
        format!("an answer that makes no sense: {what}"),
    )
}

/// Reads one field after the other. `flexible` messages write lengths as varints and end each
/// structure with tagged fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], flexible: bool) -> Self {
        Self {
            rest: bytes,
            flexible,
        }
    }

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| garbled("it ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn bool(&mut self) -> Result<bool, Failure> {
        Ok(self.take::<1>()? != [0])
    }

    pub(super) fn u8(&mut self) -> Result<u8, Failure> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Failure> {
        self.take().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Failure> {
        self.take().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Failure> {
        self.take().map(i64::from_be_bytes)
    }

    pub(super) fn uuid(&mut self) -> Result<[u8; 16], Failure> {
        self.take()
    }

    pub(super) fn varint(&mut self) -> Result<u32, Failure> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let [byte] = self.take()?;
            let part = u32::from(byte & 0x7f);
            if shift == 28 && part > 0x0f {
                break;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(garbled("a number of more than 32 bits"))
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Failure> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| garbled("a length beyond its end"))?;
        self.rest = rest;
        Ok(head)
    }

    /// A length as it stands before bytes and arrays; `None` is null.
    pub(super) fn length(&mut self) -> Result<Option<usize>, Failure> {
        let length = if self.flexible {
            i64::from(self.varint()?) - 1
        } else {
            i64::from(self.i32()?)
        };
        match length {
            -1 => Ok(None),
            _ => usize::try_from(length)
                .map(Some)
                .map_err(|_| garbled("a negative length")),
        }
    }

    /// The number of elements that follow; a null array has none. Each takes at least one byte.
    pub(super) fn count(&mut self) -> Result<usize, Failure> {
        let count = self.length()?.unwrap_or(0);
        if count > self.left() {
            return Err(garbled("more elements than bytes"));
        }
        Ok(count)
    }

    pub(super) fn string(&mut self) -> Result<Option<&'a str>, Failure> {
        let length = if self.flexible {
            self.length()?
        } else {
            match self.i16()? {
                -1 => None,
                length => Some(usize::try_from(length).map_err(|_| garbled("a negative length"))?),
            }
        };
        let Some(length) = length else {
            return Ok(None);
        };
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| garbled("a text that is not UTF-8"))
    }

    /// A text that may not be null.
    pub(super) fn text(&mut self) -> Result<&'a str, Failure> {
        self.string()?.ok_or_else(|| garbled("a name that is null"))
    }

    /// Bytes with their length in front; null is empty.
    pub(super) fn blob(&mut self) -> Result<&'a [u8], Failure> {
        let length = self.length()?.unwrap_or(0);
        self.bytes(length)
    }

    /// Passes the tagged fields at the end of a structure, where there are any.
    pub(super) fn tags(&mut self) -> Result<(), Failure> {
        self.each_tag(|_, _| Ok(()))
    }

    /// Hands each tagged field to `look`, by number.
    pub(super) fn each_tag(
        &mut self,
        mut look: impl FnMut(u32, Reader<'a>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !self.flexible {
            return Ok(());
        }
        let count = self.varint()?;
        for _ in 0..count {
            let tag = self.varint()?;
            let len = self.varint()? as usize;
            look(tag, Reader::new(self.bytes(len)?, true))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_anything_is_made() {
        let mut plain = Reader::new(&[0x7f, 0xff, 0xff, 0xff, 1], false);
        assert!(plain.count().is_err());
        let mut flexible = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1], true);
        assert!(flexible.count().is_err());
    }

    #[test]
    fn null_and_empty_are_kept_apart() {
        assert_eq!(Reader::new(&[0xff, 0xff], false).string().unwrap(), None);
        assert_eq!(Reader::new(&[0, 0], false).string().unwrap(), Some(""));
        assert_eq!(Reader::new(&[0], true).string().unwrap(), None);
        assert_eq!(Reader::new(&[1], true).string().unwrap(), Some(""));
    }

    #[test]
    fn a_varint_has_32_bits() {
        assert_eq!(Reader::new(&[0xac, 0x02], true).varint().unwrap(), 300);
        let most = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(Reader::new(&most, true).varint().unwrap(), u32::MAX);
        let more = [0xff, 0xff, 0xff, 0xff, 0x1f];
        assert!(Reader::new(&more, true).varint().is_err());
        assert!(Reader::new(&[0x80; 6], true).varint().is_err());
    }

    #[test]
    fn tagged_fields_are_passed() {
        let mut reader = Reader::new(&[2, 0, 1, 9, 5, 2, 8, 8, 7], true);
        let mut seen = Vec::new();
        reader
            .each_tag(|tag, field| {
                seen.push((tag, field.left()));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [(0, 1), (5, 2)]);
        assert_eq!(reader.left(), 1);
    }
}
