//! The choke point for text that others wrote: which characters can move a cursor, reorder or
//! hide what a person sees, and how they are made visible. Whatever reaches a terminal, a message
//! or a table goes through here; JSON escapes the same set.

use std::convert::Infallible;
use std::fmt;

use super::hex::{DIGITS, hex_byte};
use super::scan::{self, NotPrintable, NotPrintableInString};

/// True for characters that a terminal obeys or that a person cannot see:
/// C0, DEL, C1; bidirectional controls; line and paragraph separators; and what Unicode calls
/// default ignorable (zero-width, fillers, tags, invisible operators), with the noncharacters.
///
/// Left alone are variation selectors 1 to 16 and Mongolian ones, which emoji and ordinary words
/// are written with, and combining marks. Selectors 17 to 256 (U+E0100 on) are hostile: they
/// carry whole hidden messages behind one letter.
pub const fn is_hostile(c: char) -> bool {
    if matches!(c, ' '..='~' | '\u{ae}'..='\u{34e}') {
        return false;
    }
    matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || c as u32 & 0xfffe == 0xfffe
}

/// True when a character of the text is hostile.
pub(super) fn has_hostile(text: &str) -> bool {
    let found = pieces::<false, _>(text, |piece| match piece {
        Piece::Plain(_) => Ok(()),
        Piece::Hostile(c) => Err(c),
    });
    found.is_err()
}

/// A piece of a text, in order.
pub(super) enum Piece<'a> {
    /// To be copied as it is.
    Plain(&'a str),
    /// To be escaped.
    Hostile(char),
}

/// Cuts a text into pieces. With `JSON`, quotes and backslashes are handed over like hostile ones.
#[inline]
fn pieces<'a, const JSON: bool, E>(
    text: &'a str,
    mut each: impl FnMut(Piece<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let bytes = text.as_bytes();
    let (mut start, mut at) = (0, 0);
    loop {
        at += if JSON {
            scan::run::<NotPrintableInString>(&bytes[at..])
        } else {
            scan::run::<NotPrintable>(&bytes[at..])
        };
        let Some(c) = text[at..].chars().next() else {
            break;
        };
        if JSON && c.is_ascii() || is_hostile(c) {
            if start < at {
                each(Piece::Plain(&text[start..at]))?;
            }
            each(Piece::Hostile(c))?;
            start = at + c.len_utf8();
        }
        at += c.len_utf8();
    }
    if start < bytes.len() {
        each(Piece::Plain(&text[start..]))?;
    }
    Ok(())
}

/// Calls back for each piece of a text to be put into a JSON string.
#[inline]
pub(super) fn json_pieces(text: &str, mut each: impl FnMut(Piece<'_>)) {
    let Ok(()): Result<(), Infallible> = pieces::<true, _>(text, |piece| {
        each(piece);
        Ok(())
    });
}

/// Appends bytes with everything hostile made visible: `\n`, `\t`, `\r`, other ASCII controls as
/// `\x1b`, other characters as `\u{202e}`, and bytes that are no UTF-8 as `\xff`.
///
/// A backslash stays one backslash, so that paths and patterns read as they are; the output is for
/// eyes and cannot be turned back. JSON output can.
pub fn write_visible(out: &mut Vec<u8>, bytes: &[u8]) {
    match str::from_utf8(bytes) {
        Ok(text) => push_visible(out, text),
        Err(_) => {
            for chunk in bytes.utf8_chunks() {
                push_visible(out, chunk.valid());
                for &byte in chunk.invalid() {
                    push_hex_byte(out, byte);
                }
            }
        }
    }
}

/// As [`write_visible`], for text that is known to be UTF-8.
pub fn push_visible(out: &mut Vec<u8>, text: &str) {
    if !scan::needs_a_look(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let Ok(()): Result<(), Infallible> = pieces::<false, _>(text, |piece| {
        match piece {
            Piece::Plain(plain) => out.extend_from_slice(plain.as_bytes()),
            Piece::Hostile(c) => push_escape(out, c),
        }
        Ok(())
    });
}

fn push_hex_byte(out: &mut Vec<u8>, byte: u8) {
    let [high, low] = hex_byte(byte);
    out.extend_from_slice(&[b'\\', b'x', high, low]);
}

/// Appends the hexadecimal digits of a number, at least `least` of them.
pub(super) fn push_hex(out: &mut Vec<u8>, number: u32, least: u32) {
    let digits = (32 - number.leading_zeros()).div_ceil(4).max(least);
    for place in (0..digits).rev() {
        out.push(DIGITS[(number >> (4 * place) & 15) as usize]);
    }
}

fn push_escape(out: &mut Vec<u8>, c: char) {
    match c {
        '\n' => out.extend_from_slice(b"\\n"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\r' => out.extend_from_slice(b"\\r"),
        // The `\x` form is kept for what is one byte, so that U+0085 and a stray byte 85 differ.
        _ if c.is_ascii() => push_hex_byte(out, c as u8),
        _ => {
            out.extend_from_slice(b"\\u{");
            push_hex(out, u32::from(c), 1);
            out.push(b'}');
        }
    }
}

/// Displays a text with everything hostile made visible, for messages:
/// `write!(f, "{}", Visible(name))`.
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pieces::<false, _>(self.0, |piece| match piece {
            Piece::Plain(plain) => f.write_str(plain),
            Piece::Hostile('\n') => f.write_str("\\n"),
            Piece::Hostile('\t') => f.write_str("\\t"),
            Piece::Hostile('\r') => f.write_str("\\r"),
            Piece::Hostile(c) if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c)),
            Piece::Hostile(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        write_visible(&mut out, bytes);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hostile_characters_become_ascii() {
        for (input, output) in [
            (&b"plain \\ text"[..], "plain \\ text"),
            (b"a\nb\tc\rd", "a\\nb\\tc\\rd"),
            (b"\x1b[2J\x07\x7f\0", "\\x1b[2J\\x07\\x7f\\x00"),
            ("paid \u{202e}txt.exe".as_bytes(), "paid \\u{202e}txt.exe"),
            (
                "\u{85}\u{feff}\u{e0041}".as_bytes(),
                "\\u{85}\\u{feff}\\u{e0041}",
            ),
            (b"\x85 \xff \xe2\x80", "\\x85 \\xff \\xe2\\x80"),
            ("größe 漢字 ❤\u{fe0f}".as_bytes(), "größe 漢字 ❤\u{fe0f}"),
            (b"", ""),
        ] {
            assert_eq!(visible(input), output);
        }
    }

    #[test]
    fn no_code_point_that_is_hostile_comes_through() {
        for c in '\0'..=char::MAX {
            let text = format!("ab{c}cd");
            let shown = visible(text.as_bytes());
            assert!(!shown.contains(is_hostile), "{c:?}");
            assert_eq!(shown == text, !is_hostile(c), "{c:?}");
            if is_hostile(c) {
                assert_eq!(Visible(&text).to_string(), shown);
            }
        }
    }

    #[test]
    fn every_single_byte_is_shown_without_controls() {
        for byte in 0..=255u8 {
            let shown = visible(&[b'<', byte, b'>']);
            assert!(shown.bytes().all(|b| (0x20..0x7f).contains(&b)), "{byte}");
        }
    }

    #[test]
    fn what_takes_no_room_is_hostile_or_a_mark() {
        use unicode_width::UnicodeWidthChar;
        let marks = |c: char| {
            matches!(c,
                '\u{300}'..='\u{10ff}' | '\u{135d}'..='\u{1dff}' | '\u{20d0}'..='\u{20f0}'
                | '\u{2cef}'..='\u{302f}' | '\u{3099}'..='\u{309a}' | '\u{a66f}'..='\u{abed}'
                | '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}' | '\u{fb1e}'
                | '\u{fe00}'..='\u{fe2f}' | '\u{101fd}'..='\u{16ff1}'
                | '\u{1bc9d}'..='\u{1bc9e}' | '\u{1cf00}'..='\u{1da9f}'
                | '\u{1daa0}'..='\u{1e94a}')
        };
        for c in '\0'..=char::MAX {
            if c.width().is_none_or(|w| w == 0) && !is_hostile(c) {
                assert!(marks(c), "U+{:04X}", u32::from(c));
            }
        }
    }
}
