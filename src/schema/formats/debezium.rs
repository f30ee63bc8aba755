//! Recognises a change that Debezium captured, by the members of its envelope. It is JSON like any
//! other for everything else.
//!
//! By <https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events>.

use super::members::members;

/// What can be done to a row: Debezium's letter, and the word for it.
const OPERATIONS: [(&str, &str); 6] = [
    ("c", "created"),
    ("u", "updated"),
    ("d", "deleted"),
    ("r", "read by a snapshot"),
    ("t", "truncated"),
    ("m", "a message of the log"),
];

/// The members of the envelope that tell it from other objects, as JSON texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Envelope<'a> {
    pub operation: Option<&'a str>,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    pub source: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Their names, in their order.
    pub const NAMES: [&'static str; 4] = ["op", "before", "after", "source"];

    /// The letter for what was done, where this is a change: `op` has to be one of Debezium's
    /// letters, `source` an object, and `before` or `after` there. A message has no row.
    pub fn letter(&self) -> Option<&'a str> {
        let letter = self.operation?.strip_prefix('"')?.strip_suffix('"')?;
        word(letter)?;
        let is_change = self.before.or(self.after).is_some() || letter == "m";
        (is_change && self.source?.starts_with('{')).then_some(letter)
    }
}

/// What was done to the row of a change, in words; `None` for every other value.
pub fn change(value: &[u8]) -> Option<&'static str> {
    let [operation, before, after, source] = members(value, Envelope::NAMES)?.found;
    let envelope = Envelope {
        operation,
        before,
        after,
        source,
    };
    word(envelope.letter()?)
}

fn word(letter: &str) -> Option<&'static str> {
    let found = OPERATIONS.iter().find(|(known, _)| *known == letter);
    found.map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_by_its_envelope() {
        let update = br#"{"before":{"id":1,"n":0.10},"after":{"id":1,"n":0.20},
            "source":{"db":"shop","lsn":24023128},"op":"u","ts_ms":1559033904863}"#;
        assert_eq!(change(update), Some("updated"));
        for (letter, word) in OPERATIONS {
            let value = format!(r#"{{"before":null,"after":null,"source":{{}},"op":"{letter}"}}"#);
            assert_eq!(change(value.as_bytes()), Some(word));
        }
        let message = br#"{"op":"m","source":{},"message":{}}"#;
        assert_eq!(change(message), Some("a message of the log"));
    }

    #[test]
    fn every_other_value_is_none() {
        for value in [
            "",
            "null",
            "{}",
            r#"{"op":"u","after":{}}"#,
            r#"{"op":"x","after":{},"source":{}}"#,
            r#"{"op":1,"after":{},"source":{}}"#,
            r#"{"op":"u","source":{}}"#,
            r#"{"op":"u","after":{},"source":"x"}"#,
            r#"{"payload":{"op":"u","after":{},"source":{}}}"#,
            r#"{"op":"u","after":{},"source":{}"#,
        ] {
            assert_eq!(change(value.as_bytes()), None, "{value}");
        }
    }
}
