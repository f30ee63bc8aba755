//! Text that takes over a terminal or turns the direction of what is read. Whatever is shown goes
//! through `crate::text`; this tells which events carry such text at all.

use memchr::{memchr, memchr2_iter};

use super::Place;
use crate::event::EventRef;

/// Where an event has it, the value first.
pub(super) fn find(event: &EventRef<'_>, json: bool) -> Option<Place> {
    let value = event.value.unwrap_or_default();
    let found = if json { in_json(value) } else { in_text(value) };
    if found {
        return Some(Place::Value);
    }
    if event.key.is_some_and(in_text) {
        return Some(Place::Key);
    }
    let mut headers = event.headers.iter();
    headers
        .any(|(name, value)| in_text(name) || value.is_some_and(in_text))
        .then_some(Place::Header)
}

/// Characters that have no place in text. Line breaks and tabs have; a carriage return has before
/// a line feed. Joiners and soft hyphens occur in ordinary words.
const fn is_control(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x08' | '\x0b'..='\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{9f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// In bytes that are text, more of it than not: numbers in four bytes have such bytes by their
/// nature.
fn in_text(bytes: &[u8]) -> bool {
    // Not cut short at the first that is none: so many are looked at together.
    let plain = |all: bool, b: &u8| all & matches!(b, b' '..=b'~');
    if bytes.iter().fold(true, plain) {
        return false;
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    let (mut controls, mut others, mut lone_return) = (0usize, 0usize, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\0' => return false,
            '\r' => lone_return |= chars.peek().is_some_and(|next| *next != '\n'),
            c if is_control(c) => controls += 1,
            _ => others += 1,
        }
    }
    (controls > 0 && others >= controls) || (lone_return && others > 0)
}

/// In a JSON text, where most of it is escaped. It is UTF-8, and below a space it has nothing but
/// white space between its parts.
fn in_json(text: &[u8]) -> bool {
    if memchr(0x7f, text).is_some() {
        return true;
    }
    // What begins the other ones; few characters begin so.
    let control = |at: usize| match text.get(at..) {
        Some([0xc2, second, ..]) => *second < 0xa0,
        Some([0xe2, 0x80, third, ..]) => matches!(third, 0xaa..=0xae),
        Some([0xe2, 0x81, third, ..]) => matches!(third, 0xa6..=0xa9),
        _ => false,
    };
    if !text.is_ascii() && memchr2_iter(0xc2, 0xe2, text).any(control) {
        return true;
    }
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        let escape = rest.get(at + 1..).unwrap_or_default();
        let (len, c) = match escape {
            [b'u', digits @ ..] => (5, unescape(digits)),
            [b'b', ..] => (1, Some('\x08')),
            [b'r', ..] if !escape.starts_with(b"r\\n") => (1, Some('\r')),
            _ => (1, None),
        };
        // A carriage return at the end of a string hides nothing.
        let hides = |c: char| is_control(c) || (c == '\r' && escape.get(1) != Some(&b'"'));
        if c.is_some_and(|c| c != '\0' && hides(c)) {
            return true;
        }
        rest = escape.get(len..).unwrap_or_default();
    }
    false
}

fn unescape(digits: &[u8]) -> Option<char> {
    let digits = str::from_utf8(digits.get(..4)?).ok()?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_json_are_seen_through() {
        for hostile in [
            r#""\u001b[2J""#,
            r#""paid\u202etxt.exe""#,
            r#""a\u0008""#,
            r#""a\bc""#,
            r#""card\rpaid""#,
            r#""\\\u009b""#,
            "\"\u{202e}\"",
            "\"\u{7f}\"",
        ] {
            assert!(in_json(hostile.as_bytes()), "{hostile}");
        }
        for fair in [
            r#""a\nb\tc\r\n""#,
            r#""C:\\u001b""#,
            r#""größe 美咲 👩‍👩‍👧""#,
            r#""\u00e9\ud83d\ude00""#,
            "{}",
        ] {
            assert!(!in_json(fair.as_bytes()), "{fair}");
        }
    }

    #[test]
    fn every_character_is_judged_alike_in_json_and_in_text() {
        for c in ' '..=char::MAX {
            if !matches!(c, '"' | '\\') {
                assert_eq!(
                    in_json(format!("\"{c}\"").as_bytes()),
                    is_control(c),
                    "{c:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_in_bytes_are_no_text() {
        for fair in [
            &[0, 0, 0, 27][..],
            &[27],
            &[1, 2, 3],
            b"\xff\x1b[2J",
            b"a\r\nb",
        ] {
            assert!(!in_text(fair), "{fair:?}");
        }
        for hostile in [
            &b"\x1b]0;pwned\x07"[..],
            b"x\rpaid",
            "a\u{202e}b".as_bytes(),
        ] {
            assert!(in_text(hostile), "{hostile:?}");
        }
    }
}
