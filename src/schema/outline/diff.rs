//! What differs between two lists of fields, in words.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::Field;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub path: String,
    pub when: String,
    pub change: Change,
}

/// How a field differs from what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added {
        kind: String,
        required: Option<bool>,
        default: Option<String>,
    },
    Removed {
        kind: String,
        required: Option<bool>,
    },
    Type {
        from: String,
        to: String,
    },
    /// It must be there now, or need not any longer.
    Required(bool),
    Default {
        from: Option<String>,
        to: Option<String>,
    },
}

impl Change {
    /// One word for tools.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Type { .. } => "type",
            Self::Required(_) => "required",
            Self::Default { .. } => "default",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let must = |required: &Option<bool>| match required {
            Some(true) => ", required",
            Some(false) => ", optional",
            None => "",
        };
        match self {
            Self::Added {
                kind,
                required,
                default,
            } => {
                write!(f, "is new: {kind}{}", must(required))?;
                match default {
                    Some(default) => write!(f, ", default {default}"),
                    None => Ok(()),
                }
            }
            Self::Removed { kind, required } => {
                write!(f, "is gone: it was {kind}{}", must(required))
            }
            Self::Type { from, to } => write!(f, "is {to} now: it was {from}"),
            Self::Required(true) => f.write_str("is required now"),
            Self::Required(false) => f.write_str("is no longer required"),
            Self::Default { from, to } => match (from, to) {
                (None, Some(to)) => write!(f, "has the default {to} now"),
                (Some(from), None) => write!(f, "has no default any longer: it was {from}"),
                (from, to) => {
                    let word = |text: &Option<String>| text.clone().unwrap_or_default();
                    write!(f, "has the default {} now: it was {}", word(to), word(from))
                }
            },
        }
    }
}

/// What the fields of `new` have other than those of `old`: in the order of the new ones, what is
/// gone at the end.
pub fn differences(old: &[Field], new: &[Field]) -> Vec<Difference> {
    let name = |field: &Field| (field.path.clone(), field.when.clone());
    let before: HashMap<_, &Field> = old.iter().map(|f| (name(f), f)).collect();
    let after: HashSet<_> = new.iter().map(name).collect();
    let mut found = Vec::new();
    let mut add = |field: &Field, change| {
        found.push(Difference {
            path: field.path.clone(),
            when: field.when.clone(),
            change,
        });
    };
    for field in new {
        match before.get(&name(field)) {
            Some(old) => of_pair(old, field).for_each(|change| add(field, change)),
            None => add(
                field,
                Change::Added {
                    kind: field.kind.clone(),
                    required: field.required,
                    default: field.default.clone(),
                },
            ),
        }
    }
    for field in old.iter().filter(|f| !after.contains(&name(f))) {
        add(
            field,
            Change::Removed {
                kind: field.kind.clone(),
                required: field.required,
            },
        );
    }
    found
}

fn of_pair(old: &Field, new: &Field) -> impl Iterator<Item = Change> {
    let kind = (old.kind != new.kind).then(|| Change::Type {
        from: old.kind.clone(),
        to: new.kind.clone(),
    });
    let required = new.required.filter(|_| old.required != new.required);
    let default = (old.default != new.default).then(|| Change::Default {
        from: old.default.clone(),
        to: new.default.clone(),
    });
    kind.into_iter()
        .chain(required.map(Change::Required))
        .chain(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(path: &str, kind: &str, required: bool, default: Option<&str>) -> Field {
        Field {
            path: path.to_owned(),
            when: String::new(),
            kind: kind.to_owned(),
            required: Some(required),
            default: default.map(str::to_owned),
        }
    }

    #[test]
    fn every_kind_of_difference_has_its_words() {
        let old = [
            field(".same", "string", true, None),
            field(".gone", "int", true, None),
            field(".kind", "int", true, None),
            field(".must", "int", false, None),
            field(".may", "int", true, Some("1")),
        ];
        let new = [
            field(".same", "string", true, None),
            field(".kind", "long", true, None),
            field(".must", "int", true, None),
            field(".may", "int", false, Some("2")),
            field(".new", "int", false, Some("0")),
        ];
        let said: Vec<String> = differences(&old, &new)
            .iter()
            .map(|d| format!("{} {}: {}", d.path, d.change.name(), d.change))
            .collect();
        assert_eq!(
            said,
            [
                ".kind type: is long now: it was int",
                ".must required: is required now",
                ".may required: is no longer required",
                ".may default: has the default 2 now: it was 1",
                ".new added: is new: int, optional, default 0",
                ".gone removed: is gone: it was int, required",
            ]
        );
        assert!(differences(&old, &old).is_empty());
    }
}
