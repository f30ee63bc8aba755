//! The levels of compatibility that registries know, and what each compares.

use super::{Reason, reasons};
use crate::schema::{SchemaError, Source};

/// Who must be able to read whose data. The names and their meaning are those of Confluent's
/// registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The new schema reads what the old ones wrote.
    pub backward: bool,
    /// The old schemas read what the new one writes.
    pub forward: bool,
    /// Of all old schemas, not of the last alone.
    pub transitive: bool,
}

impl Level {
    pub const ALL: [(&'static str, Self); 7] = [
        ("backward", Self::of(true, false, false)),
        ("backward-transitive", Self::of(true, false, true)),
        ("forward", Self::of(false, true, false)),
        ("forward-transitive", Self::of(false, true, true)),
        ("full", Self::of(true, true, false)),
        ("full-transitive", Self::of(true, true, true)),
        ("none", Self::of(false, false, false)),
    ];

    const fn of(backward: bool, forward: bool, transitive: bool) -> Self {
        Self {
            backward,
            forward,
            transitive,
        }
    }

    /// Reads the name, also as registries write it: `BACKWARD_TRANSITIVE`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.to_ascii_lowercase().replace('_', "-");
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, level)| *level)
    }
}

/// In which direction data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The new schema reads what the old one wrote.
    Backward,
    /// The old schema reads what the new one writes.
    Forward,
}

impl Direction {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backward => "backward",
            Self::Forward => "forward",
        }
    }
}

/// One comparison that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Which of the old schemas, by its number.
    pub old: usize,
    pub direction: Direction,
    /// None: they are compatible.
    pub reasons: Vec<Reason>,
}

/// Compares a new schema with old ones, the oldest first, by a level. The newest comes first in
/// what is given back.
///
/// # Errors
/// One of them cannot be used; the number is that of the old one, none where the new one is it or
/// it cannot be told.
pub fn judge(
    new: &Source,
    olds: &[Source],
    level: Level,
) -> Result<Vec<Compared>, (usize, SchemaError)> {
    let of = if level.transitive { olds.len() } else { 1 };
    let mut compared = Vec::new();
    for (number, old) in olds.iter().enumerate().rev().take(of) {
        let mut add = |direction, reader: &Source, writer: &Source| {
            let reasons = reasons(reader, writer).map_err(|error| (number, error))?;
            compared.push(Compared {
                old: number,
                direction,
                reasons,
            });
            Ok(())
        };
        if level.backward {
            add(Direction::Backward, new, old)?;
        }
        if level.forward {
            add(Direction::Forward, old, new)?;
        }
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Language;

    fn record(fields: &str) -> Source {
        Source {
            language: Language::Avro,
            text: format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#),
            references: Vec::new(),
        }
    }

    const A: &str = r#"{"name":"a","type":"int"}"#;
    const B: &str = r#"{"name":"b","type":"int"}"#;

    fn broken(new: &Source, olds: &[Source], level: &str) -> Vec<(usize, &'static str)> {
        let level = Level::parse(level).unwrap();
        let all = judge(new, olds, level).unwrap().into_iter();
        all.filter(|c| !c.reasons.is_empty())
            .map(|c| (c.old, c.direction.name()))
            .collect()
    }

    #[test]
    fn each_level_compares_what_it_says() {
        let (one, both) = (record(A), record(&format!("{A},{B}")));
        let olds = [one.clone(), both.clone()];
        // A field without a default that is new to readers of old data.
        assert_eq!(broken(&both, &olds, "backward"), []);
        assert_eq!(
            broken(&both, &olds, "BACKWARD_TRANSITIVE"),
            [(0, "backward")]
        );
        assert_eq!(broken(&both, &olds, "forward-transitive"), []);
        assert_eq!(broken(&one, &olds, "forward"), [(1, "forward")]);
        assert_eq!(broken(&one, &olds, "full"), [(1, "forward")]);
        assert_eq!(broken(&both, &olds, "full-transitive"), [(0, "backward")]);
        assert_eq!(broken(&one, &olds, "none"), []);
        assert_eq!(Level::parse("sideways"), None);
    }
}
