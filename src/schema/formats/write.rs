//! Pieces of JSON text that several formats write: numbers, Base64, keys. Strings are `text`'s.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::LARGEST;
use crate::schema::Refusal;
use crate::text;

/// What is not finite is a string, as JSON has no word for it. The digits are the fewest that are
/// read back as the same number.
pub(super) fn push_f64(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        push_debug(out, number);
    } else {
        push_not_finite(out, number);
    }
}

/// As [`push_f64`], with the fewest digits that tell a number of 32 bits.
pub(super) fn push_f32(out: &mut Vec<u8>, number: f32) {
    if number.is_finite() {
        push_debug(out, number);
    } else {
        push_not_finite(out, f64::from(number));
    }
}

/// Rust's debug form of a finite number is JSON: `1.0`, `1e16`, `-0.0`.
fn push_debug(out: &mut Vec<u8>, number: impl std::fmt::Debug) {
    let written = write!(out, "{number:?}");
    debug_assert!(written.is_ok(), "a Vec takes all that is written");
}

fn push_not_finite(out: &mut Vec<u8>, number: f64) {
    out.extend_from_slice(if number.is_nan() {
        b"\"NaN\""
    } else if number > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    });
}

pub(super) fn push_int(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends Base64 with its quotes.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + base64_len(bytes.len()), 0);
    let room = out.get_mut(start..).unwrap_or_default();
    encode(bytes, room);
    out.push(b'"');
}

/// Turns the raw bytes that stand at the end of `out`, from `start` on, into Base64 with its
/// quotes: for bytes that come in pieces.
pub(super) fn base64_from(out: &mut Vec<u8>, start: usize) {
    let raw = out.len();
    out.push(b'"');
    out.resize(raw + 1 + base64_len(raw - start), 0);
    let (bytes, room) = out.split_at_mut(raw);
    encode(
        bytes.get(start..).unwrap_or_default(),
        room.get_mut(1..).unwrap_or_default(),
    );
    out.push(b'"');
    drop_front(out, start, raw);
}

const fn base64_len(raw: usize) -> usize {
    raw.div_ceil(3) * 4
}

/// The room is exactly what the encoding takes: four characters for each three bytes begun.
fn encode(bytes: &[u8], room: &mut [u8]) {
    let len = room.len();
    let written = STANDARD.encode_slice(bytes, room);
    debug_assert_eq!(written, Ok(len));
}

/// Moves what follows `end` to `start`.
pub(super) fn drop_front(out: &mut Vec<u8>, start: usize, end: usize) {
    let kept = out.len() - end;
    out.copy_within(end.., start);
    out.truncate(start + kept);
}

/// Appends hexadecimal digits with quotes.
pub(super) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    text::push_hex(out, bytes);
    out.push(b'"');
}

/// Appends a UUID in its text form with quotes: 8-4-4-4-12 digits (RFC 9562).
pub(super) fn push_uuid(out: &mut Vec<u8>, uuid: [u8; 16]) {
    out.push(b'"');
    for (i, byte) in uuid.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&text::hex_byte(*byte));
    }
    out.push(b'"');
}

/// Makes the JSON text that stands at the end of `out`, from `start` on, the name of a member: a
/// string is one already, everything else becomes a string that holds its text.
pub(super) fn name_from(out: &mut Vec<u8>, start: usize) {
    if out.get(start) == Some(&b'"') {
        return;
    }
    let end = out.len();
    out.push(b'"');
    // Control and invisible characters are escaped already: quotes and backslashes are left.
    for at in start..end {
        let byte = out.get(at).copied().unwrap_or_default();
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    drop_front(out, start, end);
}

/// Refuses an event whose JSON text, from `start` on, grew beyond [`LARGEST`].
pub(super) fn check_size(out: &[u8], start: usize) -> Result<(), Refusal> {
    if out.len() - start > LARGEST {
        return Err(Refusal::new("more than 32 MiB as JSON"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b">".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_keep_the_digits_that_tell_them_apart() {
        for (number, text) in [
            (0.1, ">0.1"),
            (1.0, ">1.0"),
            (-0.0, ">-0.0"),
            (1e16, ">1e16"),
            (5e-324, ">5e-324"),
            (f64::MAX, ">1.7976931348623157e308"),
            (f64::NAN, ">\"NaN\""),
            (f64::INFINITY, ">\"Infinity\""),
            (f64::NEG_INFINITY, ">\"-Infinity\""),
        ] {
            let json = written(|out| push_f64(out, number));
            assert_eq!(json, text);
            if number.is_finite() {
                let back: f64 = serde_json::from_str(&json[1..]).unwrap();
                assert_eq!(back.to_bits(), number.to_bits());
            }
        }
        assert_eq!(written(|out| push_f32(out, 0.1)), ">0.1");
        assert_eq!(written(|out| push_f32(out, f32::NAN)), ">\"NaN\"");
    }

    #[test]
    fn base64_is_the_same_from_one_piece_and_from_the_tail() {
        for (raw, text) in [
            (&b""[..], ">\"\""),
            (b"f", ">\"Zg==\""),
            (b"fo", ">\"Zm8=\""),
            (b"foo", ">\"Zm9v\""),
            (b"foobar", ">\"Zm9vYmFy\""),
            (b"\xff\xfe\xfd", ">\"//79\""),
        ] {
            assert_eq!(written(|out| push_base64(out, raw)), text);
            let tail = written(|out| {
                out.extend_from_slice(raw);
                base64_from(out, 1);
            });
            assert_eq!(tail, text);
        }
    }

    #[test]
    fn names_are_strings_once() {
        for (value, name) in [
            ("7", ">\"7\""),
            ("\"a\\\"b\"", ">\"a\\\"b\""),
            (r#"{"a":"\n"}"#, r#">"{\"a\":\"\\n\"}""#),
        ] {
            let json = written(|out| {
                out.extend_from_slice(value.as_bytes());
                name_from(out, 1);
            });
            assert_eq!(json, name);
        }
    }
}
