//! Recognises a change that Debezium captured, so that its parts can be shown apart. It is JSON
//! like any other for everything else.
//!
//! By <https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events>.

use super::members::{members, string};

/// What was done to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Create,
    Update,
    Delete,
    /// Read by a snapshot: the row was there already.
    Read,
    Truncate,
    /// A message of the database's log, no row.
    Message,
}

impl Operation {
    fn of(letter: &str) -> Option<Self> {
        Some(match letter {
            "c" => Self::Create,
            "u" => Self::Update,
            "d" => Self::Delete,
            "r" => Self::Read,
            "t" => Self::Truncate,
            "m" => Self::Message,
            _ => return None,
        })
    }
}

/// A change, in JSON texts as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    pub operation: Operation,
    /// The row; `None` where there was none, or none was captured.
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    /// Where the change comes from: database, table, position in its log.
    pub source: &'a str,
    /// When the connector saw it, in milliseconds since the epoch.
    pub seen_ms: Option<i64>,
}

/// The change that a value is, with the envelope of Kafka Connect around it (`schema` and
/// `payload`) or without. `None` for every other value: `op` has to be one of Debezium's letters,
/// `source` an object, and `before` or `after` there.
pub fn change(value: &[u8]) -> Option<Change<'_>> {
    bare(value).or_else(|| {
        let [schema, payload] = members(value, ["schema", "payload"])?.found;
        schema?;
        bare(payload?.as_bytes())
    })
}

fn bare(value: &[u8]) -> Option<Change<'_>> {
    let names = ["op", "before", "after", "source", "ts_ms"];
    let [operation, before, after, source, seen] = members(value, names)?.found;
    let operation = Operation::of(&string(operation?)?)?;
    if before.or(after).is_none() && operation != Operation::Message {
        return None;
    }
    Some(Change {
        operation,
        before: row(before),
        after: row(after),
        source: source.filter(|text| text.starts_with('{'))?,
        seen_ms: seen.and_then(|text| text.parse().ok()),
    })
}

fn row(member: Option<&str>) -> Option<&str> {
    member.filter(|text| *text != "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATE: &str = r#"{"before":{"id":1,"n":0.10},"after":{"id":1,"n":0.20},
        "source":{"db":"shop","lsn":24023128},"op":"u","ts_ms":1559033904863,"transaction":null}"#;

    #[test]
    fn a_change_is_found_with_and_without_connects_envelope() {
        let enveloped = format!(r#"{{"schema":{{"type":"struct"}},"payload":{UPDATE}}}"#);
        for value in [UPDATE, &enveloped] {
            let change = change(value.as_bytes()).unwrap();
            assert_eq!(
                change,
                Change {
                    operation: Operation::Update,
                    before: Some(r#"{"id":1,"n":0.10}"#),
                    after: Some(r#"{"id":1,"n":0.20}"#),
                    source: r#"{"db":"shop","lsn":24023128}"#,
                    seen_ms: Some(1_559_033_904_863),
                }
            );
        }
    }

    #[test]
    fn a_row_that_is_null_is_none() {
        for (letter, operation) in [
            ("c", Operation::Create),
            ("r", Operation::Read),
            ("t", Operation::Truncate),
        ] {
            let value = format!(r#"{{"before":null,"after":[],"source":{{}},"op":"{letter}"}}"#);
            let change = change(value.as_bytes()).unwrap();
            assert_eq!((change.operation, change.before), (operation, None));
            assert_eq!((change.after, change.seen_ms), (Some("[]"), None));
        }
        let message = br#"{"op":"m","source":{},"message":{}}"#;
        assert_eq!(change(message).unwrap().operation, Operation::Message);
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
