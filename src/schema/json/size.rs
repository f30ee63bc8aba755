//! How large a schema is in what costs time and memory to compile, which is not its bytes: counted
//! before it is compiled.

use std::collections::HashSet;

use serde_json::Value;

use super::documents::Documents;
use crate::schema::SchemaError;

/// Objects, each of which can be a schema: some microseconds each.
const MOST_OBJECTS: usize = 100_000;
/// Values of any kind; those of an `enum` cost less than a schema, but not nothing.
const MOST_VALUES: usize = 1_000_000;
/// Different patterns: some ten microseconds each, and more for what they take.
const MOST_PATTERNS: usize = 5_000;

/// What was counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    objects: usize,
    values: usize,
    /// Different patterns.
    pub patterns: usize,
}

impl Size {
    /// Errors: a schema that is too large to be compiled in about a second, by what it has too
    /// many of.
    pub fn of(documents: &Documents) -> Result<Self, SchemaError> {
        let mut size = Self::default();
        let mut patterns: HashSet<&str> = HashSet::new();
        let mut pending: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
        while let Some(value) = pending.pop() {
            size.values += 1;
            match value {
                Value::Array(items) => pending.extend(items),
                Value::Object(members) => {
                    size.objects += 1;
                    patterns.extend(members.get("pattern").and_then(Value::as_str));
                    if let Some(Value::Object(by_name)) = members.get("patternProperties") {
                        patterns.extend(by_name.keys().map(String::as_str));
                    }
                    pending.extend(members.values());
                }
                _ => {}
            }
            size.patterns = patterns.len();
            size.admit()?;
        }
        Ok(size)
    }

    fn admit(&self) -> Result<(), SchemaError> {
        let too_many = if self.objects > MOST_OBJECTS {
            "100,000 objects"
        } else if self.values > MOST_VALUES {
            "1,000,000 values"
        } else if self.patterns > MOST_PATTERNS {
            "5,000 different patterns"
        } else {
            return Ok(());
        };
        let why = format!("it is too large: with what it refers to it has more than {too_many}");
        Err(SchemaError(why))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use super::super::tests::{compile, in_time, refusal};
    use super::*;
    use crate::schema::{Language, Reference, Source};

    fn size(text: &str) -> Result<Size, SchemaError> {
        let source = Source {
            language: Language::Json,
            text: text.to_owned(),
            references: vec![Reference {
                name: "other".to_owned(),
                text: r#"{"pattern":"a"}"#.to_owned(),
            }],
        };
        Size::of(&Documents::read(&source)?)
    }

    #[test]
    fn schemas_values_and_different_patterns_are_counted_in_all_documents() {
        let text = r#"{"pattern":"a","not":{"pattern":"b"},"enum":[1,2],
            "patternProperties":{"b":true,"c":{"pattern":"a"}}}"#;
        let counted = Size {
            objects: 5,
            values: 13,
            patterns: 3,
        };
        assert_eq!(size(text), Ok(counted));
    }

    #[test]
    fn what_there_is_too_much_of_is_named() {
        let many = |one: &str, times| vec![one; times].join(",");
        for (text, most) in [
            (format!(r#"{{"allOf":[{}]}}"#, many("{}", 99_998)), None),
            (
                format!(r#"{{"allOf":[{}]}}"#, many("{}", 99_999)),
                Some("objects"),
            ),
            (
                format!(r#"{{"enum":[{}]}}"#, many("1", 999_999)),
                Some("values"),
            ),
        ] {
            let refused = size(&text).err().map(|error| error.0);
            let named = |why: &String| most.is_some_and(|most| why.ends_with(most));
            assert_eq!(
                refused.as_ref().is_some_and(named),
                most.is_some(),
                "{refused:?}"
            );
        }
        let patterns: Vec<String> = (0..5_000).map(|n| format!(r#""^x{n}$":true"#)).collect();
        let text = format!(r#"{{"patternProperties":{{{}}}}}"#, patterns.join(","));
        assert!(size(&text).unwrap_err().0.contains("patterns"));
    }

    /// A schema of 10 MB: so many properties as have room with a description of that length.
    fn ten_megabytes(description: usize) -> String {
        let mut schema =
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"#.to_owned();
        let text = "x".repeat(description);
        let mut i = 0;
        while schema.len() < 10_000_000 {
            write!(
                schema,
                r#""p{i}":{{"type":"string","minLength":1,"description":"{text}"}},"#
            )
            .unwrap();
            i += 1;
        }
        schema.push_str(r#""last":{"type":"integer"}}}"#);
        schema
    }

    #[test]
    fn a_schema_of_10_mb_is_compiled_or_refused_in_bounded_time() {
        let started = Instant::now();
        let validator = compile(&ten_megabytes(200));
        assert!(in_time(&validator, r#"{"p1":"x","last":1}"#).0);
        assert!(!in_time(&validator, r#"{"p1":"","last":1}"#).0);
        assert!(refusal(&ten_megabytes(10), &[]).contains("more than 100,000 objects"));
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{:?}",
            started.elapsed()
        );
    }

    #[test]
    fn many_large_patterns_are_refused_before_they_fill_the_memory() {
        let patterns = (0..2_000).map(|n| format!(r#""^\\p{{L}}{{1,100}}{n}$":true"#));
        let patterns: Vec<String> = patterns.collect();
        let schema = format!(r#"{{"patternProperties":{{{}}}}}"#, patterns.join(","));
        assert!(refusal(&schema, &[]).contains("too much memory"));
        let one = format!(r#"{{"patternProperties":{{{}}}}}"#, patterns[0]);
        compile(&one);
    }
}
