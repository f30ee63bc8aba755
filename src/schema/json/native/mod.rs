//! Judges by the common part of JSON Schema without the library: a schema becomes a list of rules,
//! and the parts of a text are held against them. It only says whether an event is valid; what
//! is wrong with one the library says. What it is not sure of it leaves to the library as well.
//!
//! Whatever it calls valid the library must call valid. The reverse holds but for objects in which
//! a name comes twice: both values are judged here, and the last one counts there.

mod compile;
mod decimal;
mod judge;
#[cfg(test)]
mod tests;

use self::decimal::Decimal;
use super::tape::Kind;

/// What is known of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Valid,
    Invalid,
    /// Only the library can tell: escapes, exponents, a name that comes twice, too much work.
    Unsure,
}

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Program {
    rules: Vec<Rule>,
    root: RuleId,
}

type RuleId = u32;

/// The rule that allows everything.
const ANYTHING: RuleId = 0;
/// The rule that allows nothing.
const NOTHING: RuleId = 1;

/// A set of types, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NONE: Self = Self(0);
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    const NUMBER: Self = Self(4);
    const INTEGER: Self = Self(8);
    const STRING: Self = Self(16);
    const ARRAY: Self = Self(32);
    const OBJECT: Self = Self(64);
    const ALL: Self = Self(127);

    /// The type of what has such a part; of numbers not whether they are integers.
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Null => Self::NULL,
            Kind::True | Kind::False => Self::BOOLEAN,
            Kind::Number => Self::NUMBER,
            Kind::String | Kind::Name => Self::STRING,
            Kind::Array => Self::ARRAY,
            Kind::Object => Self::OBJECT,
        }
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What one schema demands of a value.
#[derive(Debug)]
struct Rule {
    types: Types,
    /// Nothing but the type is demanded.
    is_simple: bool,
    /// Nothing is demanded by way of other rules.
    is_alone: bool,
    /// `const` and `enum`: the value is one of these.
    values: Option<Box<[Scalar]>>,
    numbers: Option<Box<Numbers>>,
    /// Characters of a string, least and most.
    lengths: Option<(u64, u64)>,
    arrays: Option<Arrays>,
    objects: Option<Box<Objects>>,
    /// What must hold too: `allOf`, `$ref`.
    also: Box<[RuleId]>,
    groups: Box<[Group]>,
    choices: Box<[Choice]>,
}

impl Rule {
    fn of(types: Types) -> Self {
        Self {
            types,
            is_simple: false,
            is_alone: true,
            values: None,
            numbers: None,
            lengths: None,
            arrays: None,
            objects: None,
            also: Box::default(),
            groups: Box::default(),
            choices: Box::default(),
        }
    }
}

#[derive(Debug)]
enum Scalar {
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(Box<str>),
}

/// Bounds are with whether the bound itself is allowed.
#[derive(Debug, Default)]
struct Numbers {
    least: Vec<(Decimal, bool)>,
    most: Vec<(Decimal, bool)>,
}

#[derive(Debug, Clone, Copy)]
struct Arrays {
    items: RuleId,
    least: u64,
    most: u64,
}

#[derive(Debug)]
struct Objects {
    /// At most 64: one bit of a word tells that a member was seen.
    members: Box<[Member]>,
    required: u64,
    additional: RuleId,
}

#[derive(Debug)]
struct Member {
    name: Name,
    rule: RuleId,
}

/// A name that is looked for in texts.
#[derive(Debug)]
struct Name {
    text: Box<str>,
    /// The first eight bytes, the lowest first, zeros where there are fewer: most names differ in
    /// them.
    head: u64,
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        let mut head = [0; 8];
        head.iter_mut()
            .zip(text.bytes())
            .for_each(|(to, from)| *to = from);
        Self {
            text: text.into(),
            head: u64::from_le_bytes(head),
        }
    }
}

/// `anyOf`, `oneOf`, and `not`, which is none of one.
#[derive(Debug)]
struct Group {
    how_many: HowMany,
    rules: Box<[RuleId]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HowMany {
    Any,
    One,
    None,
}

/// `if`, `then`, `else`.
#[derive(Debug)]
struct Choice {
    condition: Condition,
    then: RuleId,
    otherwise: RuleId,
}

#[derive(Debug)]
enum Condition {
    Rule(RuleId),
    /// A member is one of some scalars; when it is absent the condition holds, or not.
    Member {
        name: Name,
        rule: RuleId,
        absent: bool,
    },
}
