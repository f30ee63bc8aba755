//! Escapes in JSON strings: what they stand for, and those that stand for nothing.

/// Appends what a JSON string stands for, given what is written between its quotes; it must be
/// valid. Half a surrogate pair is the replacement character, as in jq.
pub(super) fn unescape(out: &mut Vec<u8>, raw: &[u8]) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (c, len) = escaped(&rest[at..]);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest);
}

/// The character that an escape at the beginning stands for, and the length of the escape.
fn escaped(text: &[u8]) -> (char, usize) {
    let c = match text.get(1) {
        Some(b'u') => return unicode(text),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(&other) => char::from(other),
        None => return (char::REPLACEMENT_CHARACTER, 1),
    };
    (c, 2)
}

fn unicode(text: &[u8]) -> (char, usize) {
    let Some(first) = unit(text) else {
        return (char::REPLACEMENT_CHARACTER, text.len().min(6));
    };
    if let Some(c) = char::from_u32(first) {
        return (c, 6);
    }
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, unit(&text[6..])) {
        let pair = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(pair).unwrap_or_default(), 12);
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

/// The number of a `\u` escape at the beginning.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// The JSON text with each half of a surrogate pair replaced by the escape of the replacement
/// character, which jaq's reader would refuse.
pub(super) fn whole(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (c, len) = escaped(&rest[at..]);
        let half = c == char::REPLACEMENT_CHARACTER && rest.get(at + 1) == Some(&b'u');
        let escape = if half {
            b"\\ufffd"
        } else {
            &rest[at..at + len]
        };
        out.extend_from_slice(escape);
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(raw: &str) -> String {
        let mut out = Vec::new();
        unescape(&mut out, raw.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn halves_of_pairs_become_the_replacement_character() {
        for (raw, expected) in [
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ude00x", "\u{fffd}x"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\ud83d\u0041\n", "\u{fffd}A\n"),
            (r#"\/\"\\\b\f\r\t"#, "/\"\\\u{8}\u{c}\r\t"),
        ] {
            assert_eq!(plain(raw), expected, "{raw}");
            let text = format!("\"{raw}\"");
            let whole = String::from_utf8(whole(text.as_bytes())).unwrap();
            let read: String = serde_json::from_str(&whole).unwrap();
            assert_eq!(read, expected);
        }
    }

    proptest! {
        #[test]
        fn strings_are_unescaped_as_by_a_json_parser(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(plain(&json[1..json.len() - 1]), text);
            prop_assert_eq!(whole(json.as_bytes()), json.into_bytes());
        }
    }
}
