//! How much a schema can ask of one value: found out before it is used, because the library
//! recurses as deep as references go and evaluates a schema as often as it is referred to.

use std::collections::HashMap;

use serde_json::Value;

use super::index::{Index, Scope, address};
use crate::schema::SchemaError;

/// Schemas that apply to one value, each because of the one before.
const LONGEST_CHAIN: u64 = 256;
/// Evaluations of schemas on one value.
const MOST_EVALUATIONS: u64 = 10_000_000;
/// References of a schema; the library takes seconds for so many that lead to each other.
const MOST_REFERENCES: u32 = 50_000;
/// Chain times nesting of the event: how deep the evaluation may recurse.
const DEEPEST_RECURSION: u64 = 2048;
/// Evaluations of schemas on an event, however small.
const MOST_WORK: u64 = 20_000_000;
/// Evaluations for each part of an event that are always granted.
const WORK_A_PART: u64 = 256;

/// Of all subschemas the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// How many schemas apply to one value, each because of the one before.
    chain: u64,
    /// How often schemas are evaluated on one value.
    evaluations: u64,
    /// How many references lead back to a schema that applies to the same value already.
    circles: u32,
}

impl Bounds {
    pub fn of(index: &Index<'_>, documents: &[(Scope, &Value)]) -> Result<Self, SchemaError> {
        let mut measure = Measure {
            index,
            done: HashMap::new(),
            circles: 0,
        };
        let mut most = Self {
            chain: 1,
            evaluations: 1,
            circles: 0,
        };
        let mut references = 0u32;
        let mut pending = documents.to_vec();
        while let Some((scope, value)) = pending.pop() {
            let scope = index.enter(scope, value);
            match value {
                Value::Array(items) => pending.extend(items.iter().map(|item| (scope, item))),
                Value::Object(members) => {
                    references += u32::from(members.contains_key("$ref"));
                    let here = measure.object(scope, value);
                    most.chain = most.chain.max(here.chain);
                    most.circles = measure.circles;
                    most.evaluations = most.evaluations.max(here.evaluations);
                    pending.extend(members.values().map(|value| (scope, value)));
                }
                _ => {}
            }
        }
        // The library goes round each circle once, but in every order.
        most.circles = measure.circles;
        most.evaluations = most
            .evaluations
            .saturating_pow(measure.circles.saturating_add(1));
        if most.chain > LONGEST_CHAIN {
            return Err(SchemaError(format!(
                "{} schemas apply to one value by way of each other; {LONGEST_CHAIN} are the most",
                most.chain
            )));
        }
        if most.evaluations > MOST_EVALUATIONS {
            return Err(SchemaError(
                "its references multiply: more than 10,000,000 schemas apply to one value"
                    .to_owned(),
            ));
        }
        if references > MOST_REFERENCES {
            return Err(SchemaError(format!(
                "it has {references} references; {MOST_REFERENCES} are the most"
            )));
        }
        Ok(most)
    }

    /// True when a schema applies to a value because of itself.
    pub fn goes_round(self) -> bool {
        self.circles > 0
    }

    /// True when an event of so many parts and levels is judged in bounded time and stack.
    pub fn admit(self, parts: usize, levels: usize) -> bool {
        let work = self.evaluations.saturating_mul(parts as u64);
        self.chain * (levels as u64 + 1) <= DEEPEST_RECURSION
            && (work <= MOST_WORK || self.evaluations <= WORK_A_PART)
    }
}

/// The schemas that apply to the same value as this one does.
fn in_place<'a>(index: &Index<'a>, scope: Scope, schema: &'a Value) -> Vec<(Scope, &'a Value)> {
    let mut found = Vec::new();
    let Value::Object(members) = schema else {
        return found;
    };
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                found.extend(schemas.iter().map(|schema| (scope, schema)));
            }
            ("not" | "if" | "then" | "else", schema) => found.push((scope, schema)),
            ("dependentSchemas" | "dependencies", Value::Object(schemas)) => {
                found.extend(schemas.values().map(|schema| (scope, schema)));
            }
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                found.extend(index.resolve(scope, reference));
            }
            _ => {}
        }
    }
    found
}

/// Measures without recursion: the schemas may be nested as they like.
struct Measure<'i, 'a> {
    index: &'i Index<'a>,
    /// By address; `None` while it is being measured: a circle ends there, as in the library.
    done: HashMap<usize, Option<Bounds>>,
    /// References that lead back to a schema which already applies to the value.
    circles: u32,
}

impl<'a> Measure<'_, 'a> {
    fn object(&mut self, scope: Scope, schema: &'a Value) -> Bounds {
        let mut pending = vec![(scope, schema, false)];
        while let Some((scope, schema, leaving)) = pending.pop() {
            let scope = self.index.enter(scope, schema);
            let known = self.done.get(&address(schema));
            if !leaving && known.is_some() {
                continue;
            }
            let inner = in_place(self.index, scope, schema);
            if leaving || inner.is_empty() {
                let bounds = self.sum(&inner);
                self.done.insert(address(schema), Some(bounds));
            } else {
                self.done.insert(address(schema), None);
                let back = inner.iter().filter(|(_, schema)| self.is_open(schema));
                self.circles = self.circles.saturating_add(back.count() as u32);
                pending.push((scope, schema, true));
                pending.extend(
                    inner
                        .into_iter()
                        .map(|(scope, schema)| (scope, schema, false)),
                );
            }
        }
        self.known(schema)
    }

    fn is_open(&self, schema: &Value) -> bool {
        matches!(self.done.get(&address(schema)), Some(None))
    }

    fn known(&self, schema: &Value) -> Bounds {
        let known = self.done.get(&address(schema)).copied().flatten();
        known.unwrap_or(Bounds {
            chain: 0,
            evaluations: 0,
            circles: 0,
        })
    }

    fn sum(&self, inner: &[(Scope, &Value)]) -> Bounds {
        let known = inner.iter().map(|(_, schema)| self.known(schema));
        let start = Bounds {
            chain: 1,
            evaluations: 1,
            circles: 0,
        };
        known.fold(start, |sum, inner| Bounds {
            chain: sum.chain.max(inner.chain + 1),
            evaluations: sum.evaluations.saturating_add(inner.evaluations),
            circles: 0,
        })
    }
}
