//! Reasons without what differs from event to event, so that the same failure is one group; and
//! which of them were asked for.

use crate::broker::subscription::glob_matches;

/// Characters of a reason that are kept.
const CHARS: usize = 200;
/// Hexadecimal digits and dashes from which on they are an id.
const ID: usize = 8;

/// What a dead letter without one has.
pub(super) const UNKNOWN: &str = "no reason given";

/// Appends a reason with each number and id as `#`, on one line and not too long.
pub(super) fn push_normal(reason: &str, out: &mut String) {
    let mut rest = reason.trim();
    let mut room = CHARS;
    if rest.is_empty() {
        out.push_str(UNKNOWN);
    }
    while let (Some(c), 1..) = (rest.chars().next(), room) {
        room -= 1;
        let run = rest
            .find(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
            .unwrap_or(rest.len());
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let id = run >= ID && rest[..run].contains(|c: char| c.is_ascii_digit());
        // An id begins a word: the end of one is not taken for it.
        let begins = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        let cut = if id && begins { run } else { digits };
        if cut > 0 {
            out.push('#');
            rest = &rest[cut..];
        } else {
            out.push(if c.is_whitespace() { ' ' } else { c });
            rest = &rest[c.len_utf8()..];
        }
    }
    if !rest.is_empty() {
        out.push('…');
    }
}

/// Reasons that were asked for, as text that they contain or as globs of the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picks(Vec<String>);

impl Picks {
    pub fn new(texts: &[String]) -> Self {
        Self(texts.iter().map(|text| text.to_lowercase()).collect())
    }

    /// True when nothing was asked for, or one of the texts fits the normal form of a reason or
    /// the reason itself; upper and lower case are the same.
    pub(super) fn takes(&self, normal: &str, reason: &str) -> bool {
        let fits = |text: &String| {
            [normal, reason].iter().any(|reason| {
                let reason = reason.to_lowercase();
                if text.contains(['*', '?']) {
                    glob_matches(text, &reason)
                } else {
                    reason.contains(text.as_str())
                }
            })
        };
        self.0.is_empty() || self.0.iter().any(fits)
    }

    pub(super) fn texts(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(reason: &str) -> String {
        let mut out = String::new();
        push_normal(reason, &mut out);
        out
    }

    #[test]
    fn numbers_and_ids_do_not_make_another_reason() {
        for (reason, expected) in [
            (
                "order-409 not found after 30000 ms",
                "order-# not found after # ms",
            ),
            (
                "id 550e8400-e29b-41d4-a716-446655440000 is gone",
                "id # is gone",
            ),
            ("at 0xdeadbeef01", "at #xdeadbeef#"),
            (
                "java.net.SocketTimeoutException: ledger: read timed out",
                "",
            ),
            ("a\nb\tc", "a b c"),
            ("feedback-decade", ""),
            ("  ", UNKNOWN),
            ("", UNKNOWN),
        ] {
            let expected = if expected.is_empty() {
                reason
            } else {
                expected
            };
            assert_eq!(normal(reason), expected);
        }
        let long = normal(&"é".repeat(1_000));
        assert_eq!(long.chars().count(), CHARS + 1);
    }

    #[test]
    fn groups_are_picked_by_text_or_glob() {
        let pick = |texts: &[&str], reason: &str| {
            let texts: Vec<String> = texts.iter().map(|&t| t.to_owned()).collect();
            Picks::new(&texts).takes(&normal(reason), reason)
        };
        assert!(pick(&[], "x"));
        assert!(pick(&["TIMEOUT"], "java.net.SocketTimeoutException: x"));
        assert!(pick(&["java.net.*"], "java.net.SocketTimeoutException: x"));
        assert!(!pick(
            &["SocketTimeout*"],
            "java.net.SocketTimeoutException: x"
        ));
        assert!(pick(&["order 409"], "order 409"));
        assert!(pick(&["a", "order #"], "order 409"));
        assert!(!pick(&["schema"], "x"));
    }
}
