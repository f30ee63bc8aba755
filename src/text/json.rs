//! Writes JSON that is safe to print: one line, and every control, bidirectional and zero-width
//! character as a `\u` escape. Whether a text is JSON is found out in `json_check`.

use super::hex::hex_byte;
use super::safe::{Piece, has_hostile, is_hostile, json_pieces, push_hex};
use super::scan::{self, NotPrintableInString};

/// Appends a JSON string with its quotes.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if scan::run::<NotPrintableInString>(text.as_bytes()) == text.len() {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_escaped(out, text);
    }
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    json_pieces(text, |piece| match piece {
        Piece::Plain(plain) => out.extend_from_slice(plain.as_bytes()),
        Piece::Hostile(c) => push_escape(out, c),
    });
}

fn push_escape(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..='\x7f' => {
            let [high, low] = hex_byte(c as u8);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(b"\\u");
                push_hex(out, u32::from(*unit), 4);
            }
        }
    }
}

/// Appends a JSON text as one line: white space goes when it holds line ends or tabs, hostile
/// characters become escapes, everything else, digits of numbers included, is copied.
///
/// The text should be valid JSON. What is not is still made safe to print.
pub fn push_value(out: &mut Vec<u8>, raw: &[u8]) {
    match str::from_utf8(raw) {
        Ok(text) => push_text(out, text),
        Err(_) => push_text(out, &String::from_utf8_lossy(raw)),
    }
}

/// As [`push_value`], for text that is known to be UTF-8.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    if !scan::needs_a_look(text.as_bytes()) || !has_hostile(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_on_one_line(out, text);
    }
}

/// The long way, for a text that cannot be copied as it is.
fn push_on_one_line(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let compact = bytes.iter().any(|b| matches!(b, b'\n' | b'\r' | b'\t'));
    let (mut at, mut in_string) = (0, false);
    while at < bytes.len() {
        // White space between tokens is printable too: only strings are copied in runs.
        let run = if in_string || !compact {
            scan::run::<NotPrintableInString>(&bytes[at..])
        } else {
            0
        };
        out.extend_from_slice(&bytes[at..at + run]);
        at += run;
        let Some(c) = text[at..].chars().next() else {
            break;
        };
        let next = at + c.len_utf8();
        match c {
            '\\' if in_string && bytes.get(next).is_some_and(u8::is_ascii_graphic) => {
                out.extend_from_slice(&bytes[at..=next]);
                at = next + 1;
                continue;
            }
            '"' => {
                in_string = !in_string;
                out.push(b'"');
            }
            ' ' | '\n' | '\r' | '\t' if compact && !in_string => {}
            _ if is_hostile(c) => push_escape(out, c),
            _ => out.extend_from_slice(&bytes[at..next]),
        }
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    fn value(raw: &[u8]) -> String {
        let mut out = Vec::new();
        push_value(&mut out, raw);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_of_every_code_point_are_read_back_the_same() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}b\"\\c");
            let json = string(&text);
            assert!(!json.contains(is_hostile), "{c:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn values_of_every_code_point_are_read_back_the_same() {
        for c in '\0'..=char::MAX {
            if c < ' ' || matches!(c, '"' | '\\') {
                continue;
            }
            let text = format!("a{c}b");
            let json = value(format!("{{\"{c}\":[\"{text}\"]}}").as_bytes());
            assert!(!json.contains(is_hostile), "{c:?}");
            let back: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(back[c.to_string()][0], text);
        }
    }

    #[test]
    fn the_escapes_are_the_ones_that_people_know() {
        assert_eq!(
            string("q\" b\\ \n\r\t\x1b\x7f\u{9b}\u{202e}\u{200b}\u{e0041} é"),
            r#""q\" b\\ \n\r\t\u001b\u007f\u009b\u202e\u200b\udb40\udc41 é""#
        );
    }

    #[test]
    fn numbers_keep_their_digits_and_lines_become_one() {
        for (raw, line) in [
            (
                "[1e400, 12345678901234567890, 0.10, -0]",
                "[1e400, 12345678901234567890, 0.10, -0]",
            ),
            (
                "{\n\t\"a b\" : [ 1e400,\r\n -0 ],\n \"c\\\"  d\\\\\": \"x  y\"\n}\n",
                r#"{"a b":[1e400,-0],"c\"  d\\":"x  y"}"#,
            ),
            ("[\n\"é  \u{202e}\" ]", "[\"é  \\u202e\"]"),
            ("[ \"é  \u{202e}\" ]", "[ \"é  \\u202e\" ]"),
            (r#""\ud800""#, r#""\ud800""#),
            ("\"\x7f\"", r#""\u007f""#),
        ] {
            assert_eq!(value(raw.as_bytes()), line);
        }
    }

    #[test]
    fn what_is_not_json_is_safe_all_the_same() {
        for raw in [
            &b"\x1b]0;pwned\x07"[..],
            b"\"open \x1b",
            b"\"\\\x1b",
            b"\\\"\x9b\xff\"\\",
            "\"\\\u{202e}".as_bytes(),
        ] {
            assert!(!value(raw).contains(is_hostile), "{raw:?}");
        }
    }
}
