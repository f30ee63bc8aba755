//! What a mask covers: the key, a header, or a place in the value, written as in jq.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part of an event, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MaskPath {
    text: String,
    pub part: Part,
    /// Into what the part is decoded to; empty for all of it, and for headers.
    pub steps: Vec<Step>,
}

/// A part of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Key,
    Value,
    Header(String),
}

/// One step into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name` or `["name"]`
    Member(String),
    /// `[3]`
    Index(usize),
    /// `[]`: every element, or the value of every member.
    Each,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError(String);

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PathError {}

const FORMS: &str = "write .value.customer.email, .value.items[].name, key or header:NAME";

impl FromStr for MaskPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let whole = |part| Self {
            text: text.to_owned(),
            part,
            steps: Vec::new(),
        };
        if let Some(name) = text.strip_prefix("header:") {
            if name.is_empty() {
                return Err(PathError(format!("'{text}' names no header; {FORMS}")));
            }
            return Ok(whole(Part::Header(name.to_owned())));
        }
        let (part, rest) = split(text)
            .ok_or_else(|| PathError(format!("'{text}' is no place in an event; {FORMS}")))?;
        let steps = steps(rest).map_err(|why| PathError(format!("'{text}': {why}; {FORMS}")))?;
        if part != Parts::Headers {
            let part = if part == Parts::Key {
                Part::Key
            } else {
                Part::Value
            };
            return Ok(Self {
                steps,
                ..whole(part)
            });
        }
        match steps.as_slice() {
            [Step::Member(name)] => Ok(whole(Part::Header(name.clone()))),
            _ => Err(PathError(format!("'{text}' is no single header; {FORMS}"))),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    Key,
    Value,
    Headers,
}

/// The part that is meant, and the rest of the text.
fn split(text: &str) -> Option<(Parts, &str)> {
    let named = [
        ("key", Parts::Key),
        ("value", Parts::Value),
        ("headers", Parts::Headers),
    ];
    let text = text.strip_prefix('.').unwrap_or(text);
    named.into_iter().find_map(|(name, part)| {
        let rest = text.strip_prefix(name)?;
        // As ids are named in the config: `value:.eventId`.
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let ends = rest.is_empty() || rest.starts_with(['.', '[']);
        ends.then_some((part, rest))
    })
}

fn steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

fn step(text: &str) -> Result<(Step, &str), String> {
    if let Some(rest) = text.strip_prefix('[') {
        return bracket(rest);
    }
    let Some(rest) = text.strip_prefix('.') else {
        return Err(format!("'{text}' does not begin with . or ["));
    };
    // jq takes `.a.[0]` too.
    if let Some(rest) = rest.strip_prefix('[') {
        return bracket(rest);
    }
    if rest.starts_with('"') {
        let (name, rest) = quoted(rest)?;
        return Ok((Step::Member(name), rest));
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '-' || c == '@';
    let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return Err(format!("a name is missing before '{after}'"));
    }
    Ok((Step::Member(name.to_owned()), after))
}

/// What stands in brackets, behind the first of them.
fn bracket(text: &str) -> Result<(Step, &str), String> {
    if let Some(rest) = text.strip_prefix(']') {
        return Ok((Step::Each, rest));
    }
    let (step, rest) = if text.starts_with('"') {
        let (name, rest) = quoted(text)?;
        (Step::Member(name), rest)
    } else {
        let end = text.find(']').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let index = number.parse();
        let index =
            index.map_err(|_| format!("[{number}] is neither [] nor [3] nor [\"name\"]"))?;
        (Step::Index(index), rest)
    };
    let rest = rest.strip_prefix(']').ok_or("a ] is missing")?;
    Ok((step, rest))
}

/// A string of JSON at the beginning, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut all = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match all.next() {
        Some(Ok(name)) => {
            let end = all.byte_offset();
            Ok((name, text.get(end..).unwrap_or_default()))
        }
        _ => Err(format!("{text} is no name in quotes")),
    }
}

impl TryFrom<String> for MaskPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<MaskPath> for String {
    fn from(path: MaskPath) -> Self {
        path.text
    }
}

/// As it was written.
impl fmt::Display for MaskPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    #[test]
    fn paths_are_read_as_jq_writes_them() {
        for (text, part, steps) in [
            ("key", Part::Key, vec![]),
            (".key.id", Part::Key, vec![member("id")]),
            (".value", Part::Value, vec![]),
            (
                ".value.customer.email",
                Part::Value,
                vec![member("customer"), member("email")],
            ),
            ("value:.eventId", Part::Value, vec![member("eventId")]),
            (
                ".value.items[].notes[0][\"a b\"].\"c.d\"",
                Part::Value,
                vec![
                    member("items"),
                    Step::Each,
                    member("notes"),
                    Step::Index(0),
                    member("a b"),
                    member("c.d"),
                ],
            ),
            ("header:user.id", Part::Header("user.id".into()), vec![]),
            (".headers.user", Part::Header("user".into()), vec![]),
            (".headers[\"a b\"]", Part::Header("a b".into()), vec![]),
        ] {
            let path: MaskPath = text.parse().unwrap();
            assert_eq!((path.part, path.steps), (part, steps), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_says_what_is_one() {
        for text in [
            "",
            "email",
            ".email",
            ".values.a",
            "header:",
            ".value.",
            ".value..a",
            ".value[x]",
            ".value[0",
            ".value.\"a",
            ".headers.a.b",
            ".value.a b",
            ".value | .a",
        ] {
            let error = text.parse::<MaskPath>().unwrap_err().to_string();
            assert!(error.contains(FORMS), "{text}: {error}");
        }
    }
}
