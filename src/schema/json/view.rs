//! The library's view of a tape: it asks for parts of the text as it would ask a tree. What it
//! asks is counted, so that no schema and no event can keep it for long.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::str::FromStr;

use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object, SerdeJson};
use jsonschema::{JsonType, ValidationError};
use serde_json::{Number, Value};

use super::library::Patterns;
use super::tape::{Kind, Part};

/// Questions answered for any event, however small.
const LEAST_WORK: u64 = 200_000;
/// Questions answered for each part of an event.
const WORK_A_PART: u64 = 32;
/// Questions answered to find out what is wrong: errors are kept until all are found.
const EXPLAINING_WORK: u64 = 300_000;
/// What an error costs, in questions.
const ERROR_WORK: u64 = 16;
/// A value that is made a tree costs one question more for each of so many bytes.
const BYTES_A_QUESTION: u64 = 32;

/// A text and its parts, with names that are not escaped and do not come twice in one object.
pub(super) struct Document<'a> {
    text: &'a str,
    parts: &'a [Part],
    /// Questions left.
    work: Cell<u64>,
    patterns: Patterns,
    /// The whole as a tree, for the few errors that need it.
    tree: Option<OnceCell<Value>>,
}

impl<'a> Document<'a> {
    /// To find out whether it is valid.
    pub fn new(text: &'a str, parts: &'a [Part], patterns: Patterns) -> Self {
        Self {
            text,
            parts,
            patterns,
            work: Cell::new(LEAST_WORK.max(WORK_A_PART * parts.len() as u64)),
            tree: None,
        }
    }

    /// To find out what is wrong.
    pub fn to_explain(text: &'a str, parts: &'a [Part], patterns: Patterns) -> Self {
        // The library wants the whole as a tree when a pattern was given up.
        let whole = patterns.backtrack();
        Self {
            text,
            parts,
            patterns,
            work: Cell::new(EXPLAINING_WORK),
            tree: whole.then(OnceCell::new),
        }
    }

    pub fn root(&'a self) -> Place<'a> {
        Place::Part {
            document: self,
            at: 0,
        }
    }

    /// True when the library asked too much; what it says then is worth nothing.
    pub fn is_exhausted(&self) -> bool {
        self.work.get() == 0
    }

    /// False when there is nothing left to spend.
    #[inline]
    fn spend(&self, questions: u64) -> bool {
        let left = self.work.get().saturating_sub(questions);
        self.work.set(left);
        left > 0
    }

    #[inline]
    fn part(&self, at: u32) -> Option<Part> {
        self.parts.get(at as usize).copied()
    }
}

/// True when an error came of there being no work left, and means nothing.
pub(super) fn is_void(error: &ValidationError<'_>) -> bool {
    matches!(&**error.instance(), Value::Bool(true))
}

/// Stands for texts of which a [`Document`] was made.
pub(super) struct Taped;

impl Json for Taped {
    type Node<'a> = Place<'a>;
    type PreparedKey = Box<str>;
    // Members are found by looking at one after the other: one pass is better than many.
    const KEYS_PER_LOOKUP: usize = 16;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Place<'_>) -> T) -> T {
        f(Place::Name(string))
    }
}

/// One value.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Part {
        document: &'a Document<'a>,
        at: u32,
    },
    /// A name of a member, which `propertyNames` judges as a string.
    Name(&'a str),
}

impl<'a> Place<'a> {
    /// The part that is here while there is work left.
    #[inline]
    fn part(&self) -> Option<(&'a Document<'a>, u32, Part)> {
        match *self {
            Self::Part { document, at } if document.spend(1) => {
                document.part(at).map(|part| (document, at, part))
            }
            _ => None,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Name(_) => Kind::String,
            Self::Part { .. } => self.part().map_or(Kind::Null, |(_, _, part)| part.kind()),
        }
    }

    /// The value as a tree.
    fn tree(&self) -> Value {
        match self.part() {
            None => match self {
                Self::Name(name) => Value::String((*name).to_owned()),
                Self::Part { .. } => Value::Null,
            },
            Some((document, _, part)) => {
                let text = part.of(document.text);
                if !document.spend(text.len() as u64 / BYTES_A_QUESTION) {
                    return Value::Null;
                }
                serde_json::from_str(text).unwrap_or_default()
            }
        }
    }
}

/// What is between the quotes of a string, as it is meant.
pub(super) fn unescaped(inside: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        return Cow::Borrowed(inside);
    }
    let quoted = format!("\"{inside}\"");
    serde_json::from_str(&quoted).map_or(Cow::Borrowed(inside), Cow::Owned)
}

impl<'a> Node<'a, Taped> for Place<'a> {
    type Object = Container<'a>;
    type Array = Container<'a>;
    type Number = Digits<'a>;

    #[inline]
    fn as_object(&self) -> Option<Container<'a>> {
        let (document, at, part) = self.part()?;
        (part.kind() == Kind::Object).then_some(Container { document, at, part })
    }

    #[inline]
    fn as_array(&self) -> Option<Container<'a>> {
        let (document, at, part) = self.part()?;
        (part.kind() == Kind::Array).then_some(Container { document, at, part })
    }

    #[inline]
    fn as_string(&self) -> Option<Cow<'a, str>> {
        if let Self::Name(name) = self {
            return Some(Cow::Borrowed(name));
        }
        let (document, _, part) = self.part()?;
        let long = document.patterns.cost(u64::from(part.end - part.start));
        (part.kind() == Kind::String && document.spend(long))
            .then(|| unescaped(part.inside(document.text)))
    }

    fn string_length(&self) -> Option<u64> {
        let inside = match self {
            Self::Name(name) => Cow::Borrowed(*name),
            Self::Part { .. } => {
                let (document, _, part) = self.part()?;
                let long = u64::from(part.end - part.start) / BYTES_A_QUESTION;
                if part.kind() != Kind::String || !document.spend(long) {
                    return None;
                }
                unescaped(part.inside(document.text))
            }
        };
        Some(inside.chars().count() as u64)
    }

    #[inline]
    fn as_number(&self) -> Option<Digits<'a>> {
        let (document, _, part) = self.part()?;
        (part.kind() == Kind::Number).then(|| Digits(part.of(document.text)))
    }

    #[inline]
    fn as_boolean(&self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    #[inline]
    fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    #[inline]
    fn json_type(&self) -> JsonType {
        match self.kind() {
            Kind::Null => JsonType::Null,
            Kind::True | Kind::False => JsonType::Boolean,
            Kind::Number => JsonType::Number,
            Kind::String | Kind::Name => JsonType::String,
            Kind::Array => JsonType::Array,
            Kind::Object => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match expected {
            Value::Null => self.is_null(),
            Value::Bool(expected) => self.as_boolean() == Some(*expected),
            Value::String(expected) => match self.part() {
                Some((document, _, part)) if part.kind() == Kind::String => {
                    unescaped(part.inside(document.text)) == **expected
                }
                _ => matches!(self, Self::Name(name) if name == expected),
            },
            Value::Number(_) if self.kind() != Kind::Number => false,
            _ => (&&self.tree()).equals_value(expected),
        }
    }

    /// For errors, whose words are made from the text: nothing, unless there was no work left, or
    /// the whole when it was asked for.
    fn to_value(&self) -> Cow<'a, Value> {
        let Self::Part { document, at } = *self else {
            return Cow::Owned(Value::Null);
        };
        match &document.tree {
            Some(tree) if at == 0 => Cow::Borrowed(
                tree.get_or_init(|| serde_json::from_str(document.text).unwrap_or_default()),
            ),
            _ if document.spend(ERROR_WORK) => Cow::Owned(Value::Null),
            _ => Cow::Owned(Value::Bool(true)),
        }
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match *self {
            Self::Part { document, at } => {
                let address = std::ptr::from_ref(document).addr();
                Some(NodeIdentity::tagged(address, at))
            }
            Self::Name(_) => None,
        }
    }
}

/// An array or an object.
#[derive(Clone, Copy)]
pub(super) struct Container<'a> {
    document: &'a Document<'a>,
    at: u32,
    part: Part,
}

impl<'a> Object<'a, Taped> for Container<'a> {
    type Node = Place<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        self.part.count() as usize
    }

    fn get(&self, key: &Box<str>) -> Option<Place<'a>> {
        let mut members = self.members();
        members.find(|(name, _)| *name == **key).map(|(_, at)| at)
    }

    fn members(&self) -> Members<'a> {
        Members {
            document: self.document,
            next: self.at + 1,
            end: self.part.next,
        }
    }
}

impl<'a> Array<'a, Taped> for Container<'a> {
    type Node = Place<'a>;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        self.part.count() as usize
    }

    fn elements(&self) -> Elements<'a> {
        Elements(Members {
            document: self.document,
            next: self.at + 1,
            end: self.part.next,
        })
    }

    fn is_unique(&self) -> bool {
        let values: Vec<Value> = self.elements().map(|element| element.tree()).collect();
        <&[Value] as Array<'_, SerdeJson>>::is_unique(&&values[..])
    }
}

/// What is inside a container, in the order of the text.
pub(super) struct Members<'a> {
    document: &'a Document<'a>,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Place<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end || !self.document.spend(1) {
            return None;
        }
        let name = self.document.part(self.next)?;
        let at = self.next + 1;
        self.next = self.document.part(at)?.next;
        let place = Place::Part {
            document: self.document,
            at,
        };
        Some((unescaped(name.of(self.document.text)), place))
    }
}

pub(super) struct Elements<'a>(Members<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Place<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Members {
            document,
            next: at,
            end,
        } = self.0;
        if at >= end || !document.spend(1) {
            return None;
        }
        self.0.next = document.part(at)?.next;
        Some(Place::Part { document, at })
    }
}

/// A number by its digits, read as `serde_json` reads them.
#[derive(Clone, Copy)]
pub(super) struct Digits<'a>(&'a str);

impl JsonNumber for Digits<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(Number::from_str(self.0).unwrap_or_else(|_| Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        self.as_i64().is_some() || self.to_number().is_integer()
    }
}
