//! Makes a text such that names are compared byte by byte: no name is escaped or comes twice in
//! one object, and every escape means a character. Nearly all texts are so already.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::tape::{Kind, Part};

/// Objects of more members are looked through with a set.
const FEW: u32 = 16;

/// The text itself, or one that means the same: of a name that comes twice the last counts, and
/// what is half of a surrogate pair becomes U+FFFD.
///
/// `None`: it is nested too deep to be read.
pub(super) fn settled<'a>(text: &'a str, parts: &[Part]) -> Option<Cow<'a, str>> {
    let whole = without_halves(text);
    if whole.is_none() && !has_escaped_name(text, parts) && !has_twins(text, parts) {
        return Some(Cow::Borrowed(text));
    }
    let text = whole.as_deref().unwrap_or(text);
    let value: Value = serde_json::from_str(text).ok()?;
    serde_json::to_string(&value).ok().map(Cow::Owned)
}

fn has_escaped_name(text: &str, parts: &[Part]) -> bool {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return false;
    }
    let mut names = parts.iter().filter(|part| part.kind() == Kind::Name);
    names.any(|name| name.of(text).contains('\\'))
}

/// The names of the members of the object at that index.
fn names<'a>(
    text: &'a str,
    parts: &'a [Part],
    at: usize,
    object: Part,
) -> impl Iterator<Item = &'a str> + Clone {
    let first = Some(at as u32 + 1).filter(|first| *first < object.next);
    let after = move |name: &u32| {
        let value = parts.get(*name as usize + 1)?;
        Some(value.next).filter(|next| *next < object.next)
    };
    let places = std::iter::successors(first, after);
    places.filter_map(|name| parts.get(name as usize).map(|part| part.of(text)))
}

pub(super) fn has_twins(text: &str, parts: &[Part]) -> bool {
    let objects = parts.iter().enumerate();
    let mut objects = objects.filter(|(_, part)| part.kind() == Kind::Object);
    objects.any(|(at, object)| {
        let mut names = names(text, parts, at, *object);
        if object.count() <= FEW {
            while let Some(name) = names.next() {
                if names.clone().any(|other| other == name) {
                    return true;
                }
            }
            return false;
        }
        let mut seen = HashSet::with_capacity(object.count() as usize);
        !names.all(|name| seen.insert(name))
    })
}

/// The text without escapes that are half of a surrogate pair; `None` when it has none.
fn without_halves(text: &str) -> Option<String> {
    let mut whole: Option<String> = None;
    let (mut from, mut at) = (0, 0);
    while let Some(next) = memchr::memchr(b'\\', text.as_bytes().get(at..)?) {
        at += next;
        let unit = unit(text, at);
        at += match unit {
            // The first half and the second belong together.
            Some(0xd800..0xdc00) if matches!(self::unit(text, at + 6), Some(0xdc00..0xe000)) => 12,
            Some(0xd800..0xe000) => {
                let out = whole.get_or_insert_default();
                out.push_str(text.get(from..at)?);
                out.push_str("\\ufffd");
                from = at + 6;
                6
            }
            _ => 2,
        };
    }
    let mut whole = whole?;
    whole.push_str(text.get(from..)?);
    Some(whole)
}

/// The number of the `\u` escape there.
fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tape::Tape;
    use super::*;

    fn settle(text: &str) -> Option<String> {
        let mut tape = Tape::default();
        tape.read(text.as_bytes()).unwrap();
        settled(text, tape.parts()).map(Cow::into_owned)
    }

    #[test]
    fn texts_that_are_plain_stay_as_they_are() {
        for text in [
            r#" {"a" : 1.50, "b":{"a":[{"a":1},{"a":2}]}} "#,
            r#"{"a":"\ud83d\ude00 \\ud800 \" é"}"#,
            "[]",
        ] {
            assert_eq!(settle(text).unwrap(), text);
        }
    }

    #[test]
    fn the_last_of_a_name_counts_and_numbers_keep_their_digits() {
        assert_eq!(
            settle(r#"{"a":1,"b":2.50,"a":3}"#).unwrap(),
            r#"{"a":3,"b":2.50}"#
        );
        assert_eq!(
            settle(r#"[{"\u0061":1,"a":0.10}]"#).unwrap(),
            r#"[{"a":0.10}]"#
        );
        let many: Vec<String> = (0..40).map(|i| format!("\"n{}\":{i}", i % 39)).collect();
        let many = settle(&format!("{{{}}}", many.join(","))).unwrap();
        assert!(many.starts_with(r#"{"n0":39,"n1":1,"#), "{many}");
    }

    #[test]
    fn half_a_surrogate_pair_is_the_replacement_character() {
        for (text, meant) in [
            (r#""\ud800""#, "\"\u{fffd}\""),
            (r#""a\udc00\ud800\ud83d\ude00""#, "\"a\u{fffd}\u{fffd}😀\""),
            (r#"["\\\ud800x"]"#, "[\"\\\\\u{fffd}x\"]"),
        ] {
            assert_eq!(settle(text).unwrap(), meant);
        }
    }
}
