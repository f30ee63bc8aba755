//! Protobuf without a schema: fields by their numbers, and a guess of what is text, what a message
//! and what bytes.

use super::super::{DEEPEST, Refusal};
use super::fault::{Fault, Walked};
use super::scalar::{push_base64, push_integer};
use super::scratch::{NONE, Scratch};
use super::walk::most_out;
use super::wire::{Cursor, Frame, Steps, Wire, sorting, too_deep};
use crate::text::{is_hostile, push_string};

/// Appends a message of unknown type as JSON: `{"1":150,"2":"text","3":{"1":7},"4":[1,2]}`.
///
/// Fields are sorted by number, one that comes several times is an array. Varints and fixed
/// numbers are unsigned integers. What has a length is text when it is UTF-8 that can be printed,
/// else a message when it is one to its last byte, else `{"base64":"…"}`.
///
/// # Errors
/// The bytes are no fields to their last byte, groups are nested deeper than 128 levels, or the
/// text would take too long, or become more than 32 MiB and more than 4 times the bytes. `out` is as it was then.
pub fn write_raw(bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<(), Refusal> {
    if bytes.len() >= NONE as usize {
        return Err(Refusal::new("has 4 GiB or more"));
    }
    scratch.clear();
    let begin = out.len();
    let mut raw = Raw {
        bytes,
        frames: &mut scratch.raw,
        limit: begin.saturating_add(most_out(bytes.len())),
        out,
        to_look: looks(bytes.len()),
        steps: Steps::for_bytes(bytes.len()),
    };
    raw.frames(0, bytes.len())
        .and_then(|()| raw.object(0, 0))
        .map_err(|fault| {
            raw.out.truncate(begin);
            fault.refusal()
        })
}

/// How many bytes may be looked at to guess what they are, those in messages in messages once a
/// level. What is left when that is used up is bytes.
pub(super) const fn looks(bytes: usize) -> usize {
    bytes.saturating_mul(16).saturating_add(1 << 20)
}

/// Steps that it takes to find out what a value with a length is.
const GUESSING: usize = 6;

/// The walk over raw fields.
pub(super) struct Raw<'a> {
    pub(super) bytes: &'a [u8],
    /// A stack: number and place of the fields of the messages that are being written.
    pub(super) frames: &'a mut Vec<(u32, u32)>,
    pub(super) out: &'a mut Vec<u8>,
    /// What `out` may grow to.
    pub(super) limit: usize,
    pub(super) to_look: usize,
    pub(super) steps: Steps,
}

impl Raw<'_> {
    /// Puts the fields that stand from `start` to `end` on the stack.
    fn frames(&mut self, start: usize, end: usize) -> Walked {
        let mut cursor = Cursor::new(self.bytes, start, end);
        while !cursor.is_done() {
            let frame = cursor.frame(&mut self.steps)?;
            self.frames.push((frame.number, frame.at as u32));
        }
        Ok(())
    }

    /// Writes the fields above `base` and takes them off the stack. `depth` is the number of
    /// brackets that are open around them.
    pub(super) fn object(&mut self, base: usize, depth: usize) -> Walked {
        if depth >= DEEPEST {
            return Err(too_deep(self.place(base)));
        }
        let frames = self.frames.get_mut(base..).unwrap_or_default();
        if !frames.is_sorted() {
            let at = frames.first().map_or(0, |(_, at)| *at as usize);
            self.steps.take(sorting(frames.len()), at)?;
            frames.sort_unstable();
        }
        let end = self.frames.len();
        self.out.push(b'{');
        let mut next = base;
        while let Some(&(number, _)) = self.frames.get(next).filter(|_| next < end) {
            if next > base {
                self.out.push(b',');
            }
            self.out.push(b'"');
            push_integer(self.out, number);
            self.out.extend_from_slice(b"\":");
            let first = next;
            let same = |frame: &(u32, u32)| frame.0 == number;
            while next < end && self.frames.get(next).is_some_and(same) {
                next += 1;
            }
            self.values(first, next, depth + 1)?;
        }
        self.frames.truncate(base);
        self.out.push(b'}');
        Ok(())
    }

    /// Where the first of the fields above `base` begins.
    fn place(&self, base: usize) -> usize {
        self.frames.get(base).map_or(0, |(_, at)| *at as usize)
    }

    /// Writes one value, or several as an array.
    fn values(&mut self, first: usize, end: usize, depth: usize) -> Walked {
        if end - first == 1 {
            return self.value(self.place(first), depth);
        }
        if depth >= DEEPEST {
            return Err(too_deep(self.place(first)));
        }
        self.out.push(b'[');
        for index in first..end {
            if index > first {
                self.out.push(b',');
            }
            self.value(self.place(index), depth + 1)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn value(&mut self, at: usize, depth: usize) -> Walked {
        if self.out.len() > self.limit {
            return Err(Fault::new("becomes too large as JSON", at));
        }
        let mut cursor = Cursor::new(self.bytes, at, self.bytes.len());
        let frame = cursor.frame(&mut self.steps)?;
        let mut cursor = Cursor::new(self.bytes, frame.start, frame.end);
        match frame.wire {
            Wire::Varint => push_integer(self.out, cursor.varint()?),
            Wire::Fixed32 => push_integer(self.out, cursor.fixed32()?),
            Wire::Fixed64 => push_integer(self.out, cursor.fixed64()?),
            Wire::Len => {
                self.steps.take(GUESSING, at)?;
                self.guess(frame, depth);
            }
            Wire::Group => {
                let base = self.frames.len();
                self.frames(frame.start, frame.end)?;
                return self.object(base, depth);
            }
        }
        Ok(())
    }

    /// Writes what has a length as what it seems to be.
    fn guess(&mut self, frame: Frame, depth: usize) {
        let bytes = self.bytes.get(frame.start..frame.end).unwrap_or_default();
        let left = self.to_look.checked_sub(bytes.len());
        if let Some(left) = left {
            self.to_look = left;
            if let Ok(text) = str::from_utf8(bytes)
                && is_printable(text)
            {
                push_string(self.out, text);
                return;
            }
        }
        let (base, begin) = (self.frames.len(), self.out.len());
        // A message takes a level, and arrays and bytes in it two more.
        if left.is_some()
            && depth + 3 < DEEPEST
            && self.frames(frame.start, frame.end).is_ok()
            && self.object(base, depth).is_ok()
        {
            return;
        }
        self.frames.truncate(base);
        self.out.truncate(begin);
        self.out.extend_from_slice(b"{\"base64\":");
        push_base64(self.out, bytes);
        self.out.push(b'}');
    }
}

/// True for text without characters that a person cannot see; lines may end in it.
fn is_printable(text: &str) -> bool {
    let is_space = |c| matches!(c, '\n' | '\r' | '\t');
    text.chars().all(|c| is_space(c) || !is_hostile(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(bytes: &[u8]) -> Result<String, String> {
        let mut out = b"x".to_vec();
        let done = write_raw(bytes, &mut Scratch::default(), &mut out);
        let out = String::from_utf8(out).unwrap();
        match done {
            Ok(()) => Ok(out.strip_prefix('x').unwrap().to_owned()),
            Err(refusal) => {
                assert_eq!(out, "x");
                Err(refusal.to_string())
            }
        }
    }

    #[test]
    fn fields_are_shown_by_number_as_what_they_seem_to_be() {
        for (bytes, json) in [
            (&b""[..], "{}"),
            (b"\x10\x07\x08\x96\x01", r#"{"1":150,"2":7}"#),
            (b"\x08\x01\x12\x02hi\x08\x02", r#"{"1":[1,2],"2":"hi"}"#),
            (b"\x0d\x01\0\0\0\x11\x02\0\0\0\0\0\0\0", r#"{"1":1,"2":2}"#),
            (b"\x0a\x00", r#"{"1":""}"#),
            (b"\x0a\x03\x08\xac\x02", r#"{"1":{"1":300}}"#),
            (b"\x0a\x02\xff\x01", r#"{"1":{"base64":"/wE="}}"#),
            (b"\x0a\x02\xc3\xa9", "{\"1\":\"é\"}"),
            (b"\x0a\x03\xe2\x80\xae", r#"{"1":{"base64":"4oCu"}}"#),
            (b"\x0b\x08\x01\x0b\x0c\x0c", r#"{"1":{"1":[1,{}]}}"#),
            (
                b"\x0a\x06\x0a\x04\x08\x01\x10\x02",
                r#"{"1":{"1":{"1":1,"2":2}}}"#,
            ),
        ] {
            let found = raw(bytes);
            assert_eq!(found.as_deref(), Ok(json), "{bytes:?}");
        }
        assert!(raw(b"\x08").is_err());
        assert!(raw(b"\x0c").is_err());
    }

    /// A message in a message in a message ….
    fn nested(levels: usize, inner: &[u8]) -> Vec<u8> {
        let mut bytes = inner.to_vec();
        bytes.reverse();
        for _ in 0..levels {
            let mut length = bytes.len();
            let mut varint = Vec::new();
            while length >= 0x80 {
                varint.push(length as u8 | 0x80);
                length >>= 7;
            }
            varint.push(length as u8);
            bytes.extend(varint.iter().rev());
            bytes.push(0x0a);
        }
        bytes.reverse();
        bytes
    }

    #[test]
    fn what_is_nested_too_deep_is_bytes() {
        let json = raw(&nested(100, b"\x08\x01")).unwrap();
        assert_eq!(json.matches("{\"1\":").count(), 101);
        let json = raw(&nested(10_000, b"\x08\x01")).unwrap();
        let levels = json.matches("{\"1\":").count();
        assert!((10..=DEEPEST).contains(&levels), "{levels}");
        assert!(json.contains("base64"));
        assert!(crate::text::JsonText::parse(json.as_bytes()).is_ok());
        let groups = b"\x0b".repeat(1_000_000);
        assert!(raw(&groups).unwrap_err().contains("128 levels"));
    }

    #[test]
    fn looking_for_messages_in_messages_takes_bounded_time() {
        // At every level all bytes are looked at, and only the last of them is no text.
        let text = [&b"a".repeat(4 << 20)[..], b"\xff"].concat();
        let begin = std::time::Instant::now();
        let json = raw(&nested(100, &text)).unwrap();
        assert!(json.contains("base64"));
        // Some seconds would be enough to tell that it grows with the levels.
        assert!(begin.elapsed().as_secs() < 20);
    }
}
