//! JSON that jaq's reader cannot take as it is: it recurses, and reads long integers in quadratic
//! time. One event must not stop the tool.

use std::borrow::Cow;

use crate::text::MAX_DEPTH;

/// Integers with more digits are decimals.
const MAX_DIGITS: usize = 4096;
/// What makes an integer a decimal of the same value.
const DECIMAL: &[u8] = b"e0";

/// The digits of a number as they were before [`with_short_integers`].
pub(super) fn as_it_was(digits: &[u8]) -> &[u8] {
    match digits.strip_suffix(DECIMAL) {
        Some(short) if short.len() > MAX_DIGITS && !short.contains(&b'.') => short,
        _ => digits,
    }
}

/// The JSON text with its very long integers made decimals.
pub(super) fn with_short_integers(json: &[u8]) -> Cow<'_, [u8]> {
    // A run of so many digits has one at one of these places.
    let places = json.iter().skip(MAX_DIGITS - 1).step_by(MAX_DIGITS);
    if !places.into_iter().any(u8::is_ascii_digit) {
        return Cow::Borrowed(json);
    }
    let mut out = Vec::with_capacity(json.len() + 64);
    let mut rest = json;
    while let Some(&byte) = rest.first() {
        let len = match byte {
            b'"' => string(rest),
            b'0'..=b'9' => {
                let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                let decimal = matches!(rest.get(digits), Some(b'.' | b'e' | b'E'));
                out.extend_from_slice(&rest[..digits]);
                if digits > MAX_DIGITS && !decimal {
                    out.extend_from_slice(DECIMAL);
                }
                rest = &rest[digits..];
                if decimal {
                    // The digits behind the point are no integer.
                    let number = |b: &&u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
                    rest.iter().take_while(number).count()
                } else {
                    continue;
                }
            }
            _ => 1,
        };
        let (done, left) = rest.split_at(len);
        out.extend_from_slice(done);
        rest = left;
    }
    Cow::Owned(out)
}

/// The length of the string that begins here, with its quotes.
fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    text.len()
}

/// Whether what jaq reads as JSON is nested deeper than an event may be. It also reads comments.
pub(crate) fn too_deep(text: &[u8]) -> bool {
    // The brackets that open bound the depth, and counting them is nearly free.
    let opened = text.iter().filter(|&&b| b == b'[' || b == b'{').count();
    opened > MAX_DEPTH && depth(text) > MAX_DEPTH
}

/// The depth of brackets outside of strings.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            bytes.next();
                        }
                        _ => {}
                    }
                }
            }
            b'#' => {
                bytes.find(|&&b| b == b'\n');
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_strings_nest() {
        assert!(!too_deep(&b"[]".repeat(1000)));
        assert!(!too_deep("[".repeat(MAX_DEPTH).as_bytes()));
        assert!(too_deep("[{".repeat(MAX_DEPTH).as_bytes()));
        let text = format!("\"\\\"{}\"", "[".repeat(1000));
        assert!(!too_deep(text.as_bytes()));
        let text = format!("#\"\n{}", "[".repeat(1000));
        assert!(too_deep(text.as_bytes()));
    }

    #[test]
    fn only_long_integers_become_decimals() {
        let long = "7".repeat(MAX_DIGITS + 1);
        let short = "7".repeat(MAX_DIGITS);
        let text = format!("[{short}, {long},-{long},{long}.5,{long}E1,0.{long},\"\\\"{long}\"]");
        let expected =
            format!("[{short}, {long}e0,-{long}e0,{long}.5,{long}E1,0.{long},\"\\\"{long}\"]");
        let short = with_short_integers(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&short), expected);
        let text = format!("[1,{}]", "12,".repeat(MAX_DIGITS));
        assert_eq!(with_short_integers(text.as_bytes()), text.as_bytes());
    }
}
