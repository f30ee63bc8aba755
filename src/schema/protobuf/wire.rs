//! Protobuf's wire format: varints, tags and the ends of values, with every length checked. What
//! fields mean is not known here. <https://protobuf.dev/programming-guides/encoding/>

use super::super::DEEPEST;
use super::fault::{Fault, Walked};

/// How a value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Varint,
    Fixed64,
    /// Bytes after their length: text, bytes, messages, packed numbers.
    Len,
    Group,
    Fixed32,
}

impl Wire {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Varint => "a varint",
            Self::Fixed64 => "8 bytes",
            Self::Len => "a length and bytes",
            Self::Group => "a group",
            Self::Fixed32 => "4 bytes",
        }
    }
}

/// One field as it stands in the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) number: u32,
    pub(super) wire: Wire,
    /// Where its tag begins.
    pub(super) at: usize,
    /// Where its value begins: after the tag, and after the length if there is one.
    pub(super) start: usize,
    /// Where its value ends.
    pub(super) end: usize,
    /// Where the next field begins: `end`, or behind the end of the group.
    pub(super) next: usize,
}

/// Steps that may still be taken for one event: fields that are looked at, messages that are
/// opened, defaults that are written, comparisons of keys. Bytes can ask for much more work than
/// they are: groups nested in groups are walked once a level, an empty message has all its
/// defaults. This bounds it. A step is some ten nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps(u64);

/// The steps that every event has: below 100 ms.
const FREE: u64 = 6_000_000;

impl Steps {
    /// [`FREE`] up to 10 MB, beyond in proportion: enough for what an encoder makes of data whose
    /// fields have four bytes and its messages 40 on the average.
    pub(super) fn for_bytes(bytes: usize) -> Self {
        Self(FREE.max(bytes as u64 / 5 * 3))
    }

    #[inline]
    pub(super) fn take(&mut self, steps: usize, at: usize) -> Walked {
        match self.0.checked_sub(steps as u64) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Fault::new("takes too long to decode", at)),
        }
    }
}

/// The steps that sorting so many small items takes.
pub(super) const fn sorting(items: usize) -> usize {
    items / 8 * (usize::BITS - items.leading_zeros()) as usize
}

/// Reads from `at` up to `end` of the bytes of an event; neither ever passes the end of the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// `end` is brought down to the end of the bytes.
    pub(super) fn new(bytes: &'a [u8], at: usize, end: usize) -> Self {
        let end = end.min(bytes.len());
        Self { bytes, at, end }
    }

    #[inline]
    pub(super) const fn is_done(&self) -> bool {
        self.at >= self.end
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Walked<u64> {
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        if let Some(&byte) = rest.first()
            && byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(byte));
        }
        let mut value = 0;
        for (i, &byte) in rest.iter().take(10).enumerate() {
            // Of the tenth byte one bit has a place; encoders write no more.
            if i == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.at += i + 1;
                return Ok(value);
            }
        }
        let why = if rest.len() < 10 {
            "a number is cut off"
        } else {
            "a number has more than 64 bits"
        };
        Err(Fault::new(why, self.at))
    }

    pub(super) fn fixed32(&mut self) -> Walked<u32> {
        let rest = self.bytes.get(self.at..self.end);
        let Some(four) = rest.and_then(<[u8]>::first_chunk::<4>) else {
            return Err(Fault::new("4 bytes of a number are cut off", self.at));
        };
        self.at += 4;
        Ok(u32::from_le_bytes(*four))
    }

    pub(super) fn fixed64(&mut self) -> Walked<u64> {
        let rest = self.bytes.get(self.at..self.end);
        let Some(eight) = rest.and_then(<[u8]>::first_chunk::<8>) else {
            return Err(Fault::new("8 bytes of a number are cut off", self.at));
        };
        self.at += 8;
        Ok(u64::from_le_bytes(*eight))
    }

    /// The next field, with the cursor behind it. Its length and, of a group, its inner fields
    /// are checked.
    #[inline]
    pub(super) fn frame(&mut self, steps: &mut Steps) -> Walked<Frame> {
        let at = self.at;
        steps.take(1, at)?;
        let (number, code) = self.tag()?;
        let mut start = self.at;
        let (wire, end) = match code {
            0 => {
                self.varint()?;
                (Wire::Varint, self.at)
            }
            1 => (Wire::Fixed64, self.skip(8)?),
            2 => {
                let length = self.varint()?;
                start = self.at;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                (Wire::Len, self.skip(length)?)
            }
            3 => (Wire::Group, self.group(number, steps)?),
            4 => return Err(Fault::new("a group ends that was not begun", at)),
            5 => (Wire::Fixed32, self.skip(4)?),
            _ => return Err(Fault::new(format!("there is no wire type {code}"), at)),
        };
        let next = self.at;
        Ok(Frame {
            number,
            wire,
            at,
            start,
            end,
            next,
        })
    }

    /// A field number and the code of its wire type.
    #[inline]
    fn tag(&mut self) -> Walked<(u32, u8)> {
        let at = self.at;
        let tag = self.varint()?;
        let number = tag >> 3;
        match u32::try_from(tag) {
            Ok(_) if number > 0 => Ok((number as u32, (tag & 7) as u8)),
            _ => Err(Fault::new(format!("no field has the number {number}"), at)),
        }
    }

    #[inline]
    fn skip(&mut self, length: usize) -> Walked<usize> {
        if length > self.end.saturating_sub(self.at) {
            let left = self.end.saturating_sub(self.at);
            return Err(Fault::new(
                format!("a value of {length} bytes is announced, {left} are left,"),
                self.at,
            ));
        }
        self.at += length;
        Ok(self.at)
    }

    /// Goes behind the end of a group; what is returned is where its content ends.
    fn group(&mut self, number: u32, steps: &mut Steps) -> Walked<usize> {
        let mut open = [0; DEEPEST];
        let mut depth = 1;
        open[0] = number;
        loop {
            let at = self.at;
            steps.take(1, at)?;
            if self.is_done() {
                return Err(Fault::new("a group has no end", at));
            }
            let (number, code) = self.tag()?;
            match code {
                0 => {
                    self.varint()?;
                }
                1 => {
                    self.skip(8)?;
                }
                2 => {
                    let length = self.varint()?;
                    self.skip(usize::try_from(length).unwrap_or(usize::MAX))?;
                }
                3 => match open.get_mut(depth) {
                    Some(place) => {
                        *place = number;
                        depth += 1;
                    }
                    None => return Err(too_deep(at)),
                },
                4 => {
                    depth -= 1;
                    if open.get(depth) != Some(&number) {
                        return Err(Fault::new("a group ends that was not begun", at));
                    }
                    if depth == 0 {
                        return Ok(at);
                    }
                }
                5 => {
                    self.skip(4)?;
                }
                _ => return Err(Fault::new(format!("there is no wire type {code}"), at)),
            }
        }
    }
}

#[cold]
pub(super) fn too_deep(at: usize) -> Fault {
    Fault::new(format!("is nested deeper than {DEEPEST} levels"), at)
}

/// Zigzag: 0, -1, 1, -2, … from 0, 1, 2, 3, ….
pub(super) const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &[u8]) -> Result<(u64, usize), String> {
        let mut cursor = Cursor::new(bytes, 0, bytes.len());
        let value = cursor.varint().map_err(|f| f.refusal().to_string())?;
        Ok((value, cursor.at))
    }

    fn frames(bytes: &[u8]) -> Result<Vec<(u32, Wire)>, String> {
        let mut cursor = Cursor::new(bytes, 0, bytes.len());
        let mut steps = Steps::for_bytes(bytes.len());
        let mut found = Vec::new();
        while !cursor.is_done() {
            let frame = cursor.frame(&mut steps);
            let frame = frame.map_err(|f| f.refusal().to_string())?;
            found.push((frame.number, frame.wire));
        }
        Ok(found)
    }

    #[test]
    fn varints_have_up_to_64_bits() {
        assert_eq!(varint(b"\x00"), Ok((0, 1)));
        assert_eq!(varint(b"\xac\x02\xff"), Ok((300, 2)));
        assert_eq!(varint(b"\x80\x80\x00"), Ok((0, 3)), "longer than needed");
        let most = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(varint(most), Ok((u64::MAX, 10)));
        assert_eq!(
            varint(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
            Err("a number has more than 64 bits at byte 0".to_owned())
        );
        for cut in [&b""[..], b"\x80", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"] {
            assert_eq!(varint(cut), Err("a number is cut off at byte 0".to_owned()));
        }
    }

    #[test]
    fn frames_end_where_their_values_do() {
        let bytes = b"\x08\x01\x12\x02ab\x1d1234\x2112345678\x2b\x30\x07\x2c\x38\x00";
        assert_eq!(
            frames(bytes).unwrap(),
            [
                (1, Wire::Varint),
                (2, Wire::Len),
                (3, Wire::Fixed32),
                (4, Wire::Fixed64),
                (5, Wire::Group),
                (7, Wire::Varint)
            ]
        );
    }

    #[test]
    fn what_is_no_frame_is_refused_with_its_place() {
        for (bytes, why) in [
            (
                &b"\x08\x01\x12\x05ab"[..],
                "a value of 5 bytes is announced, 2 are left, at byte 4",
            ),
            (
                b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                "a value of 18446744073709551615 bytes is announced, 0 are left, at byte 11",
            ),
            (b"\x00\x01", "no field has the number 0 at byte 0"),
            (
                b"\x88\x80\x80\x80\x10\x00",
                "no field has the number 536870913 at byte 0",
            ),
            (b"\x0e", "there is no wire type 6 at byte 0"),
            (b"\x0c", "a group ends that was not begun at byte 0"),
            (b"\x0b\x14", "a group ends that was not begun at byte 1"),
            (b"\x0b\x08\x01", "a group has no end at byte 3"),
        ] {
            assert_eq!(frames(bytes), Err(why.to_owned()));
        }
        let deep = b"\x0b".repeat(1_000_000);
        let why = "is nested deeper than 128 levels at byte 128";
        assert_eq!(frames(&deep), Err(why.to_owned()));
    }

    #[test]
    fn zigzag_reaches_both_ends() {
        for (value, number) in [
            (0, 0),
            (1, -1),
            (2, 1),
            (u64::MAX - 1, i64::MAX),
            (u64::MAX, i64::MIN),
        ] {
            assert_eq!(zigzag(value), number);
        }
    }
}
