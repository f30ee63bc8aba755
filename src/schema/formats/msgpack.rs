//! `MessagePack` to JSON text, by <https://github.com/msgpack/msgpack/blob/master/spec.md>. One pass
//! and no tree. Nothing in the bytes tells that they are `MessagePack`: it is never guessed.

use std::io::Write as _;

use super::read::Reader;
use super::write::{check_size, name_from, push_base64, push_f32, push_f64, push_int};
use crate::event::Timestamp;
use crate::schema::Refusal;
use crate::text::push_string;

/// A container as the key of a map is written as text, whose quotes are escaped once more for each
/// such key around it. Deeper ones are refused, before the escapes multiply.
const KEYS_DEEPEST: usize = 3;
/// The extension's type.
const TIMESTAMP: i8 = -1;

/// Appends the one value that `bytes` are as JSON text. After a refusal `out` holds a part of it.
///
/// Binary is Base64 in a string; an extension `{"ext":TYPE,"base64":"…"}`, but timestamps RFC 3339.
/// Names of members that come twice stay both. Keys that are no strings become their JSON text.
pub fn write_json(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut decoder = Decoder {
        from: Reader::new(bytes, "MessagePack"),
        start: out.len(),
        out,
        keys: 0,
    };
    decoder.value(1)?;
    decoder.from.end()
}

struct Decoder<'a, 'o> {
    from: Reader<'a>,
    out: &'o mut Vec<u8>,
    start: usize,
    /// Keys that are containers around the present place.
    keys: usize,
}

impl Decoder<'_, '_> {
    fn value(&mut self, depth: usize) -> Result<(), Refusal> {
        check_size(self.out, self.start)?;
        let at = self.from.at();
        let marker = self.from.begin()?;
        match marker {
            0x00..=0x7f => push_int(self.out, marker),
            0x80..=0x8f => self.map(u64::from(marker & 15), depth)?,
            0x90..=0x9f => self.array(u64::from(marker & 15), depth)?,
            0xa0..=0xbf => self.text(u64::from(marker & 31))?,
            0xc0 => self.out.extend_from_slice(b"null"),
            0xc1 => return Err(self.from.refuse_at(at, "c1 begins no value")),
            0xc2 => self.out.extend_from_slice(b"false"),
            0xc3 => self.out.extend_from_slice(b"true"),
            0xc4..=0xc6 => {
                let len = self.unsigned(marker - 0xc4)?;
                push_base64(self.out, self.from.take(len)?);
            }
            0xc7..=0xc9 => {
                let len = self.unsigned(marker - 0xc7)?;
                self.extension(len)?;
            }
            0xca => push_f32(self.out, f32::from_be_bytes(self.from.array()?)),
            0xcb => push_f64(self.out, f64::from_be_bytes(self.from.array()?)),
            0xcc..=0xcf => {
                let number = self.unsigned(marker - 0xcc)?;
                push_int(self.out, number);
            }
            0xd0 => push_int(self.out, i8::from_be_bytes(self.from.array()?)),
            0xd1 => push_int(self.out, i16::from_be_bytes(self.from.array()?)),
            0xd2 => push_int(self.out, i32::from_be_bytes(self.from.array()?)),
            0xd3 => push_int(self.out, i64::from_be_bytes(self.from.array()?)),
            0xd4..=0xd8 => self.extension(1 << (marker - 0xd4))?,
            0xd9..=0xdb => {
                let len = self.unsigned(marker - 0xd9)?;
                self.text(len)?;
            }
            0xdc | 0xdd => {
                let len = self.unsigned(marker - 0xdc + 1)?;
                self.array(len, depth)?;
            }
            0xde | 0xdf => {
                let len = self.unsigned(marker - 0xde + 1)?;
                self.map(len, depth)?;
            }
            0xe0..=0xff => push_int(self.out, marker.cast_signed()),
        }
        Ok(())
    }

    /// An unsigned number of 8, 16, 32 or 64 bits: 1 << `power` bytes.
    fn unsigned(&mut self, power: u8) -> Result<u64, Refusal> {
        Ok(match power {
            0 => u64::from(self.from.byte()?),
            1 => u64::from(u16::from_be_bytes(self.from.array()?)),
            2 => u64::from(u32::from_be_bytes(self.from.array()?)),
            _ => u64::from_be_bytes(self.from.array()?),
        })
    }

    fn text(&mut self, len: u64) -> Result<(), Refusal> {
        push_string(self.out, self.from.text(len)?);
        Ok(())
    }

    fn array(&mut self, len: u64, depth: usize) -> Result<(), Refusal> {
        self.from.check_depth(depth)?;
        let len = self.from.count(len)?;
        self.out.push(b'[');
        for i in 0..len {
            if i > 0 {
                self.out.push(b',');
            }
            self.value(depth + 1)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, len: u64, depth: usize) -> Result<(), Refusal> {
        self.from.check_depth(depth)?;
        // A pair takes two bytes or more.
        self.from.count(len * 2)?;
        self.out.push(b'{');
        for i in 0..len {
            if i > 0 {
                self.out.push(b',');
            }
            self.name(depth)?;
            self.out.push(b':');
            self.value(depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn name(&mut self, depth: usize) -> Result<(), Refusal> {
        let start = self.out.len();
        let container = matches!(self.from.peek(), Some(0x80..=0x9f | 0xdc..=0xdf));
        self.keys += usize::from(container);
        if self.keys > KEYS_DEEPEST {
            return Err(self.from.refuse("maps are keys of maps, too deep to write"));
        }
        self.value(depth + 1)?;
        self.keys -= usize::from(container);
        name_from(self.out, start);
        Ok(())
    }

    fn extension(&mut self, len: u64) -> Result<(), Refusal> {
        let kind = i8::from_be_bytes(self.from.array()?);
        let data = self.from.take(len)?;
        let start = self.out.len();
        if kind == TIMESTAMP && self.timestamp(data).is_some() {
            return Ok(());
        }
        self.out.truncate(start);
        self.out.extend_from_slice(b"{\"ext\":");
        push_int(self.out, kind);
        self.out.extend_from_slice(b",\"base64\":");
        push_base64(self.out, data);
        self.out.push(b'}');
        Ok(())
    }

    /// RFC 3339 with as many decimals as there are. `None` for what the extension does not define
    /// and for years that RFC 3339 has no digits for.
    fn timestamp(&mut self, data: &[u8]) -> Option<()> {
        let (seconds, nanos) = match *data {
            [a, b, c, d] => (i64::from(u32::from_be_bytes([a, b, c, d])), 0),
            [_, _, _, _, _, _, _, _] => {
                let word = u64::from_be_bytes(*data.first_chunk()?);
                ((word & ((1 << 34) - 1)).cast_signed(), (word >> 34) as u32)
            }
            [a, b, c, d, ref rest @ ..] => {
                let seconds = i64::from_be_bytes(rest.try_into().ok()?);
                (seconds, u32::from_be_bytes([a, b, c, d]))
            }
            _ => return None,
        };
        if nanos >= 1_000_000_000 || !(YEAR_0..YEAR_10000).contains(&seconds) {
            return None;
        }
        self.out.push(b'"');
        Timestamp(seconds * 1000).write_rfc3339(self.out);
        let whole = self.out.len() - ".000Z".len();
        self.out.truncate(whole);
        // Three digits, six or nine, as the time was taken.
        match nanos {
            0 => Ok(()),
            _ if nanos % 1_000_000 == 0 => write!(self.out, ".{:03}", nanos / 1_000_000),
            _ if nanos % 1000 == 0 => write!(self.out, ".{:06}", nanos / 1000),
            _ => write!(self.out, ".{nanos:09}"),
        }
        .ok()?;
        self.out.extend_from_slice(b"Z\"");
        Some(())
    }
}

/// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z in seconds since the epoch.
const YEAR_0: i64 = -62_167_219_200;
const YEAR_10000: i64 = 253_402_300_800;

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        write_json(bytes, &mut out).map_err(|refusal| refusal.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_format_of_the_specification_is_read() {
        for (bytes, text) in [
            (&b"\xc0"[..], "null"),
            (b"\xc2", "false"),
            (b"\xc3", "true"),
            (b"\x00", "0"),
            (b"\x7f", "127"),
            (b"\xe0", "-32"),
            (b"\xff", "-1"),
            (b"\xcc\xff", "255"),
            (b"\xcd\xff\xfe", "65534"),
            (b"\xce\xff\xff\xff\xfe", "4294967294"),
            (
                b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
                "18446744073709551615",
            ),
            (b"\xd0\x80", "-128"),
            (b"\xd1\x80\x00", "-32768"),
            (b"\xd2\x80\x00\x00\x00", "-2147483648"),
            (b"\xd3\x80\0\0\0\0\0\0\0", "-9223372036854775808"),
            (b"\xca\x3d\xcc\xcc\xcd", "0.1"),
            (b"\xca\x7f\xc0\0\0", "\"NaN\""),
            (b"\xcb\xff\xf0\0\0\0\0\0\0", "\"-Infinity\""),
            (b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1"),
            (b"\xa0", "\"\""),
            (b"\xa3a\"\n", "\"a\\\"\\n\""),
            (b"\xd9\x01x", "\"x\""),
            (b"\xda\0\x01x", "\"x\""),
            (b"\xdb\0\0\0\x01x", "\"x\""),
            (b"\xc4\x02\xff\0", "\"/wA=\""),
            (b"\xc5\0\x01\xff", "\"/w==\""),
            (b"\xc6\0\0\0\0", "\"\""),
            (b"\x90", "[]"),
            (b"\x92\x01\xc0", "[1,null]"),
            (b"\xdc\0\x01\x90", "[[]]"),
            (b"\xdd\0\0\0\x01\xc3", "[true]"),
            (
                b"\x82\xa7compact\xc3\xa6schema\0",
                "{\"compact\":true,\"schema\":0}",
            ),
            (b"\xde\0\x01\xa1a\x01", "{\"a\":1}"),
            (b"\xdf\0\0\0\0", "{}"),
            (b"\xd4\x05\xff", "{\"ext\":5,\"base64\":\"/w==\"}"),
            (b"\xd5\x80\xff\xff", "{\"ext\":-128,\"base64\":\"//8=\"}"),
            (b"\xc7\0\x01", "{\"ext\":1,\"base64\":\"\"}"),
            (b"\xc8\0\x01\x02\0", "{\"ext\":2,\"base64\":\"AA==\"}"),
            (b"\xc9\0\0\0\x01\x02\0", "{\"ext\":2,\"base64\":\"AA==\"}"),
        ] {
            assert_eq!(json(bytes).as_deref(), Ok(text), "{bytes:x?}");
        }
    }

    #[test]
    fn timestamps_are_rfc_3339_where_it_can_say_them() {
        let long = |nanos: u32, seconds: i64| {
            let mut bytes = vec![0xc7, 12, 0xff];
            bytes.extend(nanos.to_be_bytes());
            bytes.extend(seconds.to_be_bytes());
            bytes
        };
        let word = |nanos: u64, seconds: u64| {
            let mut bytes = vec![0xd7, 0xff];
            bytes.extend((nanos << 34 | seconds).to_be_bytes());
            bytes
        };
        for (bytes, text) in [
            (b"\xd6\xff\0\0\0\0".to_vec(), "\"1970-01-01T00:00:00Z\""),
            (
                b"\xd6\xff\x66\xbd\xd6\xb3".to_vec(),
                "\"2024-08-15T10:21:39Z\"",
            ),
            (word(500_000_000, 1 << 33), "\"2242-03-16T12:56:32.500Z\""),
            (long(1, -1), "\"1969-12-31T23:59:59.000000001Z\""),
            (
                long(999_999_999, YEAR_10000 - 1),
                "\"9999-12-31T23:59:59.999999999Z\"",
            ),
            (long(0, YEAR_0), "\"0000-01-01T00:00:00Z\""),
        ] {
            assert_eq!(json(&bytes).as_deref(), Ok(text), "{bytes:x?}");
        }
        for bytes in [
            long(0, YEAR_10000),
            long(0, YEAR_0 - 1),
            long(0, i64::MAX),
            long(1_000_000_000, 0),
            word(1_000_000_000, 0),
            b"\xd4\xff\0".to_vec(),
            b"\xc7\0\xff".to_vec(),
        ] {
            let text = json(&bytes).unwrap();
            assert!(text.starts_with("{\"ext\":-1,\"base64\":\""), "{text}");
        }
    }

    #[test]
    fn keys_of_any_kind_become_names_and_none_is_lost() {
        for (bytes, text) in [
            (&b"\x82\x01\xa1a\x01\xa1b"[..], r#"{"1":"a","1":"b"}"#),
            (b"\x81\xc0\xc0", r#"{"null":null}"#),
            (b"\x81\xc4\x01\xff\x01", r#"{"/w==":1}"#),
            (b"\x81\x92\x01\xa1x\x02", r#"{"[1,\"x\"]":2}"#),
            (b"\x81\x81\xa1\"\x01\x02", r#"{"{\"\\\"\":1}":2}"#),
        ] {
            assert_eq!(json(bytes).as_deref(), Ok(text), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused_with_its_place() {
        for (bytes, why) in [
            (&b""[..], "1 needed, 0 left (byte 0)"),
            (b"\xc1", "c1 begins no value (byte 0)"),
            (b"\x01\x02", "1 bytes follow the value (byte 1)"),
            (b"\x91", "1 needed, 0 left (byte 1)"),
            (b"\xa2a", "2 needed, 1 left (byte 1)"),
            (b"\xa2a\xff", "a text is not UTF-8 (byte 2)"),
            (b"\xdb\xff\xff\xff\xff", "4294967295 needed, 0 left"),
            (b"\xc6\xff\xff\xff\xffaaa", "4294967295 needed, 3 left"),
            (b"\xdd\xff\xff\xff\xff\xc0", "4294967295 needed, 1 left"),
            (b"\xdf\xff\xff\xff\xff\xc0", "8589934590 needed, 1 left"),
            (b"\xc9\xff\xff\xff\xff\x01", "4294967295 needed, 0 left"),
            (b"\x81\x81\x81\x81\x81\xc0", "keys of maps, too deep"),
        ] {
            let refusal = json(bytes).unwrap_err();
            assert!(refusal.starts_with("not MessagePack: "), "{refusal}");
            assert!(refusal.contains(why), "{bytes:x?}: {refusal}");
        }
    }

    #[test]
    fn nesting_ends_at_the_deepest_level() {
        use crate::schema::DEEPEST;
        let nested = |levels: usize| {
            let mut bytes = vec![0x91; levels];
            bytes.push(0xc0);
            bytes
        };
        assert!(json(&nested(DEEPEST)).is_ok());
        for levels in [DEEPEST + 1, 100_000, 1_000_000] {
            let refusal = json(&nested(levels)).unwrap_err();
            assert!(refusal.contains("nested deeper than 128"), "{refusal}");
        }
    }
}
