//! Texts that an event must hold for an expression to be true of it, sought in its bytes before
//! anything is decoded. False is a proof. An event that is dropped here is not evaluated, so that
//! an expression that would fail on it is not counted as failed. Holds for JSON, text and bytes: a
//! decoder of another format must do without.

use std::fmt;

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::Part as PathPart;
use memchr::memmem::Finder;

use super::native::{self, Constant};
use super::sweep::Texts;
use crate::event::EventRef;

/// A condition on the bytes of an event.
pub(super) enum Condition {
    /// Nothing is known.
    Free,
    All(Vec<Self>),
    Any(Vec<Self>),
    Holds(Box<Needle>),
}

/// A text that must occur in a part of an event.
pub(super) struct Needle {
    part: Part,
    text: Finder<'static>,
    /// What may stand there instead: escapes spell a text in other ways.
    instead: Vec<Finder<'static>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Headers,
    Value,
}

impl Needle {
    fn new(part: Part, text: &[u8]) -> Self {
        // Headers are no JSON. Any character may be written as \u and digits.
        let must_escape = |b: &u8| *b < b' ' || matches!(b, b'"' | b'\\');
        let escapes: &[&[u8]] = if part == Part::Headers {
            &[]
        } else if text.iter().any(must_escape) {
            &[b"\\"]
        } else if text.contains(&b'/') {
            &[b"\\u", b"\\/"]
        } else {
            &[b"\\u"]
        };
        Self {
            part,
            text: Finder::new(text).into_owned(),
            instead: escapes.iter().map(|e| Finder::new(*e)).collect(),
        }
    }

    fn may_be_in(&self, bytes: &[u8]) -> bool {
        self.text.find(bytes).is_some() || self.instead.iter().any(|e| e.find(bytes).is_some())
    }
}

impl Condition {
    /// What must be in an event for the first output of an expression to be truthy.
    pub(super) fn of(term: &Term<&str>) -> Self {
        derive(term, &Trail(Vec::new()))
    }

    pub(super) const fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }

    /// Whether the event may fulfil the expression.
    pub(super) fn allows(&self, event: &EventRef<'_>) -> bool {
        match self {
            Self::Free => true,
            Self::All(all) => all.iter().all(|c| c.allows(event)),
            Self::Any(any) => any.iter().any(|c| c.allows(event)),
            Self::Holds(needle) => match needle.part {
                Part::Key => event.key.is_some_and(|key| needle.may_be_in(key)),
                Part::Headers => needle.may_be_in(event.headers.encoded()),
                Part::Value => event.value.is_some_and(|value| needle.may_be_in(value)),
            },
        }
    }

    /// What to seek in the bytes of many events, framing and all.
    pub(super) fn texts(&self) -> Texts<'_> {
        match self {
            Self::Free => Texts::Free,
            Self::All(all) => Texts::All(all.iter().map(Self::texts).collect()),
            Self::Any(any) => Texts::Any(any.iter().map(Self::texts).collect()),
            Self::Holds(needle) => {
                let spellings = std::iter::once(&needle.text).chain(&needle.instead);
                Texts::Any(spellings.map(Texts::One).collect())
            }
        }
    }

    fn all(conditions: Vec<Self>) -> Self {
        let mut known: Vec<_> = conditions.into_iter().filter(|c| !c.is_free()).collect();
        match known.len() {
            0 => Self::Free,
            1 => known.swap_remove(0),
            _ => Self::All(known),
        }
    }

    fn any(conditions: Vec<Self>) -> Self {
        if conditions.iter().any(Self::is_free) {
            Self::Free
        } else {
            Self::Any(conditions)
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, joint) = match self {
            Self::Free => return f.write_str("anything"),
            Self::Holds(needle) => {
                let text = String::from_utf8_lossy(needle.text.needle());
                let part = match needle.part {
                    Part::Key => "key",
                    Part::Headers => "headers",
                    Part::Value => "value",
                };
                return write!(f, "{text:?} in the {part}");
            }
            Self::Any(any) if any.is_empty() => return f.write_str("nothing matches"),
            Self::All(all) => (all, " and "),
            Self::Any(any) => (any, " or "),
        };
        for (i, condition) in all.iter().enumerate() {
            if i > 0 {
                f.write_str(joint)?;
            }
            match condition {
                Self::Holds(_) | Self::Free => write!(f, "{condition}")?,
                _ => write!(f, "({condition})")?,
            }
        }
        Ok(())
    }
}

/// The steps from the event object to the input of a term.
#[derive(Clone)]
struct Trail(Vec<Step>);

#[derive(Clone)]
enum Step {
    Name(Vec<u8>),
    /// An element, or each of them.
    Element,
}

impl Trail {
    /// The part of the event whose bytes hold every text that is found there.
    fn part(&self) -> Option<Part> {
        // Bytes that are no text are shown as base64, which is not what the event holds.
        match self.0.as_slice() {
            [Step::Name(root)] if root == b"key" => Some(Part::Key),
            [Step::Name(root)] if root == b"value" => Some(Part::Value),
            [Step::Name(root), Step::Name(name), ..] if root == b"value" && name != b"base64" => {
                Some(Part::Value)
            }
            [Step::Name(root), _] if root == b"headers" => Some(Part::Headers),
            _ => None,
        }
    }

    fn holds(&self, text: &[u8]) -> Condition {
        match self.part() {
            Some(part) if !text.is_empty() => Condition::Holds(Box::new(Needle::new(part, text))),
            _ => Condition::Free,
        }
    }

    fn then(&self, step: Step) -> Self {
        let mut trail = self.clone();
        trail.0.push(step);
        trail
    }

    /// The trail to all outputs of a term, where it is a path.
    fn follow(&self, term: &Term<&str>) -> Option<Self> {
        match term {
            Term::Id => Some(self.clone()),
            Term::Path(head, path) => {
                let mut trail = self.follow(head)?;
                for (part, _) in &path.0 {
                    trail.0.push(match part {
                        PathPart::Index(index) => match native::constant(index)? {
                            Constant::Text(name) => Step::Name(name),
                            Constant::Int(_) => Step::Element,
                            _ => return None,
                        },
                        PathPart::Range(None, None) => Step::Element,
                        PathPart::Range(..) => return None,
                    });
                }
                Some(trail)
            }
            Term::TryCatch(inner, None) => self.follow(inner),
            Term::BinOp(l, BinaryOp::Pipe(None), r) => self.follow(l)?.follow(r),
            _ => None,
        }
    }
}

/// What must be in an event for a term to have a truthy output.
fn derive(term: &Term<&str>, at: &Trail) -> Condition {
    if let Some(Constant::Null | Constant::Bool(false)) = native::constant(term) {
        // One of none: no event holds that.
        return Condition::Any(Vec::new());
    }
    match term {
        Term::BinOp(l, BinaryOp::And, r) => Condition::all(vec![derive(l, at), derive(r, at)]),
        Term::BinOp(l, BinaryOp::Or | BinaryOp::Comma, r) => {
            Condition::any(vec![derive(l, at), derive(r, at)])
        }
        Term::BinOp(l, BinaryOp::Cmp(Cmp::Eq), r) => {
            let (path, constant) = match native::constant(r) {
                Some(constant) => (at.follow(l), Some(constant)),
                None => (at.follow(r), native::constant(l)),
            };
            match (path, constant) {
                (Some(path), Some(Constant::Text(text))) => path.holds(&text),
                _ => Condition::Free,
            }
        }
        Term::BinOp(l, BinaryOp::Pipe(None), r) => match (at.follow(l), &**l) {
            (Some(inner), _) => derive(r, &inner),
            (None, Term::Call("select", args)) if args.len() == 1 => {
                Condition::all(vec![derive(&args[0], at), derive(r, at)])
            }
            _ => Condition::Free,
        },
        Term::TryCatch(inner, None) => derive(inner, at),
        Term::Call(name, args) => call(name, args, at),
        _ => Condition::Free,
    }
}

fn call(name: &str, args: &[Term<&str>], at: &Trail) -> Condition {
    let text = args.first().and_then(native::constant);
    match (name, args, text) {
        ("select", [condition], _) => derive(condition, at),
        ("any", [condition], _) => derive(condition, &at.then(Step::Element)),
        ("any", [each, condition], _) => match at.follow(each) {
            Some(inner) => derive(condition, &inner),
            None => Condition::Free,
        },
        ("startswith" | "endswith" | "contains", [_], Some(Constant::Text(text))) => {
            at.holds(&text)
        }
        ("test", [_], Some(Constant::Text(text))) => {
            let text = str::from_utf8(&text).ok();
            let literal = text.and_then(native::literal);
            literal.map_or(Condition::Free, |text| at.holds(text))
        }
        ("has", [_], Some(Constant::Text(text))) => {
            // Names of members are in the value as texts are; a header's may be spelt otherwise.
            let inner = at.then(Step::Name(text.clone()));
            match inner.part() {
                Some(Part::Value) => inner.holds(&text),
                _ => Condition::Free,
            }
        }
        ("IN", [all], _) => {
            let Some(all) = native::constants(all) else {
                return Condition::Free;
            };
            let each = all.iter().map(|constant| match constant {
                Constant::Text(text) => at.holds(text),
                _ => Condition::Free,
            });
            Condition::any(each.collect())
        }
        _ => Condition::Free,
    }
}

#[cfg(test)]
mod tests {
    use crate::query::samples::Sample;
    use crate::query::{Query, QuerySpec};

    #[test]
    fn what_is_never_true_is_tested_on_no_event() {
        use crate::event::Select as _;
        for (expression, never) in [
            ("false", true),
            ("null", true),
            ("false and .value.a", true),
            ("select(false)", true),
            ("true", false),
            ("false | not", false),
            ("false, true", false),
            ("false or .value.a", false),
        ] {
            let spec = QuerySpec {
                where_: vec![expression.to_owned()],
                ..QuerySpec::default()
            };
            let query = Query::compile(&spec).unwrap();
            let mut worker = query.worker();
            worker.begin();
            assert_eq!(worker.seek(b"abc", 0).is_none(), never, "{expression}");
            let kept = worker.test(&Sample::of("{\"a\":1}").event()).unwrap();
            assert!(
                !never || kept == crate::event::Verdict::Drop,
                "{expression}"
            );
        }
    }
}
