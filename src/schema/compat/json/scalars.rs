//! Types, values, bounds: what is compared without looking further into schemas.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Place, Reason, reason};

/// A set of types, one bit each. Numbers are integers and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Types(u8);

const NAMES: [(&str, Types); 7] = [
    ("null", Types(1)),
    ("boolean", Types(2)),
    ("number", Types::NUMBER),
    ("integer", Types::INTEGER),
    ("string", Types::STRING),
    ("array", Types::ARRAY),
    ("object", Types::OBJECT),
];

impl Types {
    pub const ALL: Self = Self(127);
    pub const INTEGER: Self = Self(8);
    pub const NUMBER: Self = Self(4 | 8);
    pub const STRING: Self = Self(16);
    pub const ARRAY: Self = Self(32);
    pub const OBJECT: Self = Self(64);

    /// What a schema allows by `type`, or else by the values that it lists.
    pub fn of(place: Place<'_>) -> Self {
        let declared = match (place.schema.get("type"), listed(place)) {
            (Some(Value::Array(names)), _) => {
                let names = names.iter().map(Self::named);
                names.fold(Self(0), |all, one| Self(all.0 | one.0))
            }
            (Some(name), _) => Self::named(name),
            (None, Some(values)) => {
                let values = values.iter().map(Self::of_value);
                values.fold(Self(0), |all, one| Self(all.0 | one.0))
            }
            (None, None) => Self::ALL,
        };
        declared.and(place.only)
    }

    fn named(name: &Value) -> Self {
        let known = NAMES.iter().find(|(known, _)| name == known);
        known.map_or(Self::ALL, |(_, types)| *types)
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self(1),
            Value::Bool(_) => Self(2),
            Value::Number(number) if number.as_i64().is_some() || number.as_u64().is_some() => {
                Self::INTEGER
            }
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// One by one; numbers as one.
    pub fn each(self) -> Vec<Self> {
        let singles = NAMES.iter().map(|(_, types)| *types);
        let mut found: Vec<Self> = singles.filter(|one| self.and(*one) == *one).collect();
        if found.contains(&Self::NUMBER) {
            found.retain(|one| *one != Self::INTEGER);
        }
        found
    }

    fn words(self) -> String {
        if self == Self::ALL {
            return "any type".to_owned();
        }
        let each = self.each();
        let names = NAMES.iter().filter(|(_, types)| each.contains(types));
        let names: Vec<&str> = names.map(|(name, _)| *name).collect();
        names.join(" or ")
    }
}

pub(super) fn types(reader: Place<'_>, writer: Types, path: &str, found: &mut Vec<Reason>) {
    if reader.schema.get("type").is_none() {
        return;
    }
    let wanted = Types::of(reader);
    if writer.and(wanted) != writer {
        let what = format!(
            "the reader wants {}, the writer may write {}",
            wanted.words(),
            writer.words()
        );
        found.push(reason(path, what));
    }
}

/// The values of `enum` or `const`.
fn listed(place: Place<'_>) -> Option<&[Value]> {
    let one = place.schema.get("const").map(std::slice::from_ref);
    one.or_else(|| place.schema.get("enum")?.as_array().map(Vec::as_slice))
}

pub(super) fn values(reader: Place<'_>, writer: Place<'_>, path: &str, found: &mut Vec<Reason>) {
    let Some(known) = listed(reader) else {
        return;
    };
    let Some(written) = listed(writer) else {
        let what = "the reader takes listed values only, the writer is not bound to a list";
        found.push(reason(path, what));
        return;
    };
    for value in written {
        let same = |known: &Value| jsonschema::json::cmp::equal(known, value);
        if writer.only.has(Types::of_value(value)) && !known.iter().any(same) {
            let what = format!("the writer may write {value}, which the reader does not list");
            found.push(reason(path, what));
        }
    }
}

/// Keywords that are compared as they are written.
pub(super) fn unread(reader: Place<'_>, writer: Place<'_>, path: &str, found: &mut Vec<Reason>) {
    for keyword in [
        "if",
        "then",
        "else",
        "contains",
        "minContains",
        "maxContains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
        "$recursiveRef",
    ] {
        let (wanted, given) = (reader.schema.get(keyword), writer.schema.get(keyword));
        let alone = matches!(keyword, "then" | "else") && reader.schema.get("if").is_none();
        if wanted.is_some() && wanted != given && !alone {
            let how = if given.is_some() { "another" } else { "no" };
            found.push(reason(path, format!("the writer has {how} {keyword:?}")));
        }
    }
}

fn compare(left: &Number, right: &Number) -> Ordering {
    if let (Some(left), Some(right)) = (left.as_i128(), right.as_i128()) {
        return left.cmp(&right);
    }
    let (left, right) = (left.as_f64(), right.as_f64());
    left.partial_cmp(&right).unwrap_or(Ordering::Equal)
}

/// The bound by `minimum` or `maximum`, and whether it is itself allowed. Draft 4 says so beside it.
fn bound<'a>(
    place: Place<'a>,
    inclusive: &str,
    exclusive: &str,
    tighter: Ordering,
) -> Option<(&'a Number, bool)> {
    let number = |keyword: &str| place.schema.get(keyword).and_then(Value::as_number);
    let strict = place.schema.get(exclusive) == Some(&Value::Bool(true));
    match (number(inclusive), number(exclusive)) {
        (Some(with), Some(without)) if compare(with, without) == tighter => Some((with, true)),
        (_, Some(without)) => Some((without, false)),
        (Some(with), None) => Some((with, !strict)),
        (None, None) => None,
    }
}

pub(super) fn numbers(reader: Place<'_>, writer: Place<'_>, path: &str, found: &mut Vec<Reason>) {
    for (inclusive, exclusive, tighter) in [
        ("minimum", "exclusiveMinimum", Ordering::Greater),
        ("maximum", "exclusiveMaximum", Ordering::Less),
    ] {
        let Some((wanted, itself)) = bound(reader, inclusive, exclusive, tighter) else {
            continue;
        };
        let Some((given, also)) = bound(writer, inclusive, exclusive, tighter) else {
            found.push(reason(
                path,
                format!("the reader has a {inclusive} of {wanted}, the writer none"),
            ));
            continue;
        };
        let order = compare(wanted, given);
        if order == tighter || order == Ordering::Equal && !itself && also {
            let what = format!("the reader's {inclusive} is {wanted}, the writer's {given}");
            found.push(reason(path, what));
        }
    }
    let multiple = |place: Place<'_>| place.schema.get("multipleOf").and_then(Value::as_f64);
    if let Some(wanted) = multiple(reader) {
        let fits = |given: f64| {
            let times = given / wanted;
            (times - times.round()).abs() < 1e-9
        };
        if !multiple(writer).is_some_and(fits) {
            let what = format!("the reader wants multiples of {wanted}");
            found.push(reason(path, what));
        }
    }
}

/// A size that the reader bounds and the writer does not bound as tightly.
pub(super) fn sizes(
    reader: Place<'_>,
    writer: Place<'_>,
    keywords: [&str; 2],
    path: &str,
    found: &mut Vec<Reason>,
) {
    for (keyword, tighter) in keywords
        .into_iter()
        .zip([Ordering::Greater, Ordering::Less])
    {
        let number = |place: Place<'_>| place.schema.get(keyword).and_then(Value::as_f64);
        let Some(wanted) = number(reader) else {
            continue;
        };
        // A least of 0 says nothing.
        let given = number(writer).or((tighter == Ordering::Greater).then_some(0.0));
        if let Some(given) = given {
            if wanted.partial_cmp(&given) == Some(tighter) {
                let what = format!("the reader's {keyword} is {wanted}, the writer's {given}");
                found.push(reason(path, what));
            }
        } else {
            let what = format!("the reader has a {keyword} of {wanted}, the writer none");
            found.push(reason(path, what));
        }
    }
}

pub(super) fn strings(reader: Place<'_>, writer: Place<'_>, path: &str, found: &mut Vec<Reason>) {
    sizes(reader, writer, ["minLength", "maxLength"], path, found);
    let pattern = |place: Place<'_>| place.schema.get("pattern").map(Value::to_string);
    match (pattern(reader), pattern(writer)) {
        (Some(wanted), Some(given)) if wanted != given => {
            let what = format!("the reader's pattern is {wanted}, the writer's {given}");
            found.push(reason(path, what));
        }
        (Some(wanted), None) => {
            let what = format!("the reader has the pattern {wanted}, the writer none");
            found.push(reason(path, what));
        }
        _ => {}
    }
}
