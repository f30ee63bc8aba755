//! What stands in the place of a value that is masked.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hmac::Hmac;
use super::plausible;
use crate::text::{push_hex, push_string};

/// What a redacted value becomes.
pub(super) const MARK: &str = "***";
/// Bytes of a pseudonym, two hex digits each: two values of a billion billion share one.
const PSEUDONYM: usize = 16;

/// What a mask makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disguise {
    /// The first 128 bits of its HMAC-SHA256 in hex: who has not the key learns nothing, and what
    /// was equal stays equal.
    Hash,
    /// `***`
    #[default]
    Redact,
    /// A value that looks like it, drawn from its HMAC.
    Fake,
}

impl FromStr for Disguise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "hash" => Ok(Self::Hash),
            "redact" => Ok(Self::Redact),
            "fake" => Ok(Self::Fake),
            _ => Err(format!("'{text}' is none of hash, redact, fake")),
        }
    }
}

impl fmt::Display for Disguise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hash => "hash",
            Self::Redact => "redact",
            Self::Fake => "fake",
        })
    }
}

/// Appends what stands for these bytes: a key, a header, a value that is no JSON.
pub(super) fn push_bytes(how: Disguise, key: &Hmac, bytes: &[u8], out: &mut Vec<u8>) {
    match (how, str::from_utf8(bytes)) {
        (Disguise::Redact, _) => out.extend_from_slice(MARK.as_bytes()),
        (Disguise::Hash, _) => push_pseudonym(key, bytes, out),
        (Disguise::Fake, Ok(text)) => {
            let mut made = String::with_capacity(text.len());
            plausible::push_text(key, text, &mut made);
            out.extend_from_slice(made.as_bytes());
        }
        (Disguise::Fake, Err(_)) => plausible::push_bytes(key, bytes, out),
    }
}

/// Appends the JSON that stands for this one. The text of a string counts, not how it is written:
/// the key `42`, the string `"42"` and the number `42` have one pseudonym. Null stays null.
pub(super) fn push_json(how: Disguise, key: &Hmac, json: &[u8], out: &mut Vec<u8>) {
    match (how, json.first()) {
        (_, Some(b'n') | None) => out.extend_from_slice(json),
        (Disguise::Redact, _) => push_string(out, MARK),
        (_, Some(b'"')) => {
            let text = text_of(json);
            let mut made = Vec::with_capacity(text.len().max(2 * PSEUDONYM));
            push_bytes(how, key, text.as_bytes(), &mut made);
            push_string(out, &String::from_utf8_lossy(&made));
        }
        (Disguise::Hash, first) => {
            out.push(b'"');
            if matches!(first, Some(b'{' | b'[')) {
                push_pseudonym(key, &compact(json), out);
            } else {
                push_pseudonym(key, json, out);
            }
            out.push(b'"');
        }
        (Disguise::Fake, Some(b't' | b'f')) => {
            let made: &[u8] = if plausible::truth(key, json) {
                b"true"
            } else {
                b"false"
            };
            out.extend_from_slice(made);
        }
        // Containers are faked leaf by leaf.
        (Disguise::Fake, _) => plausible::push_number(key, json, out),
    }
}

fn push_pseudonym(key: &Hmac, bytes: &[u8], out: &mut Vec<u8>) {
    push_hex(out, &key.of(&[bytes])[..PSEUDONYM]);
}

/// What a JSON string says; half of a surrogate pair is taken for what it is not.
fn text_of(json: &[u8]) -> Cow<'_, str> {
    let plain = json
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(json);
    if memchr::memchr(b'\\', plain).is_none() {
        return String::from_utf8_lossy(plain);
    }
    match serde_json::from_slice::<String>(json) {
        Ok(text) => Cow::Owned(text),
        Err(_) => String::from_utf8_lossy(plain),
    }
}

/// JSON without the white space outside of strings.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let keep = |byte: &u8| {
        if inside {
            inside = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return true;
        }
        inside = *byte == b'"';
        !byte.is_ascii_whitespace()
    };
    json.iter().copied().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(how: Disguise, text: &str) -> String {
        let mut out = Vec::new();
        push_json(how, &Hmac::new(b"a key"), text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn bytes(how: Disguise, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_bytes(how, &Hmac::new(b"a key"), text, &mut out);
        out
    }

    #[test]
    fn a_pseudonym_joins_however_the_value_is_written() {
        let key = String::from_utf8(bytes(Disguise::Hash, b"42")).unwrap();
        assert_eq!(key.len(), 32);
        for text in ["42", "\"42\"", "\"\\u0034\\u0032\""] {
            assert_eq!(json(Disguise::Hash, text), format!("\"{key}\""), "{text}");
        }
        assert_ne!(json(Disguise::Hash, "43"), format!("\"{key}\""));
        assert_eq!(
            json(Disguise::Hash, r#"{"a": [1, "x \" y"]}"#),
            json(Disguise::Hash, r#"{"a":[1,"x \" y"]}"#)
        );
        assert_ne!(
            json(Disguise::Hash, r#"["x \" y"]"#),
            json(Disguise::Hash, r#"["x \"y"]"#)
        );
    }

    #[test]
    fn a_pseudonym_is_one_that_others_can_make() {
        // printf %s ada@example.com | openssl dgst -sha256 -hmac 'a key'
        let digest = Hmac::new(b"a key").of(&[b"ada@example.com"]);
        let mut hex = Vec::new();
        push_hex(&mut hex, &digest);
        assert_eq!(bytes(Disguise::Hash, b"ada@example.com"), hex[..32]);
    }

    #[test]
    fn null_stays_and_the_rest_goes() {
        for how in [Disguise::Hash, Disguise::Redact, Disguise::Fake] {
            assert_eq!(json(how, "null"), "null");
            assert_ne!(json(how, "\"secret\""), "\"secret\"");
        }
        assert_eq!(json(Disguise::Redact, "[1,2]"), "\"***\"");
        assert_eq!(json(Disguise::Redact, "12.5"), "\"***\"");
        assert_eq!(bytes(Disguise::Fake, b"\xff\x00").len(), 2);
    }

    #[test]
    fn what_is_made_of_odd_text_is_json() {
        for text in [r#""\ud800 x""#, r#""a\u0000\u202e""#, "\"\"", "true"] {
            for how in [Disguise::Hash, Disguise::Redact, Disguise::Fake] {
                let made = json(how, text);
                assert!(
                    serde_json::from_str::<serde_json::Value>(&made).is_ok(),
                    "{made}"
                );
            }
        }
    }
}
