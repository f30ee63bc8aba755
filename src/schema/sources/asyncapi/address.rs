//! Which topics a channel's address means.

/// An address with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `{tenant}`: one segment, so nothing with a slash or a dot.
    Parameter,
}

impl Address {
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((_, after)) = after.split_once('}') else {
                break;
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Parameter);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Self(pieces)
    }

    /// True when it means exactly one topic.
    pub(super) fn is_plain(&self) -> bool {
        !self.0.contains(&Piece::Parameter)
    }

    /// Whether the topic is one of those meant. The time is at most the pieces times the length
    /// of the topic.
    pub(super) fn matches(&self, topic: &str) -> bool {
        let bytes = topic.as_bytes();
        // Where a match of the pieces so far can end.
        let mut ends = vec![false; bytes.len() + 1];
        ends[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; bytes.len() + 1];
            match piece {
                Piece::Text(text) => {
                    for (at, _) in ends.iter().enumerate().filter(|(_, end)| **end) {
                        if bytes[at..].starts_with(text.as_bytes()) {
                            next[at + text.len()] = true;
                        }
                    }
                }
                Piece::Parameter => {
                    for (at, byte) in bytes.iter().enumerate() {
                        let inside = !matches!(byte, b'/' | b'.');
                        next[at + 1] = inside && (ends[at] || next[at]);
                    }
                }
            }
            ends = next;
        }
        ends[bytes.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_one_segment_that_is_not_empty() {
        for (address, topic, matches) in [
            ("orders", "orders", true),
            ("orders", "orders2", false),
            ("orders.{tenant}.placed", "orders.acme.placed", true),
            ("orders.{tenant}.placed", "orders.acme.eu.placed", false),
            ("orders.{tenant}.placed", "orders..placed", false),
            ("{a}-{b}", "x-y-z", true),
            ("{a}/{b}", "x/y", true),
            ("{a}", "", false),
            ("", "", true),
            ("a{b", "a{b", true),
        ] {
            assert_eq!(
                Address::parse(address).matches(topic),
                matches,
                "{address} {topic}"
            );
        }
        let hostile = Address::parse(&"{a}".repeat(500));
        assert!(!hostile.matches(&"x".repeat(249)));
    }
}
