//! Expressions of paths, constants and tests, evaluated on the event as it lies in memory. The
//! verdict is always jq's; what only jq can tell is said to be so.

mod compile;
mod operand;
mod pattern;
mod pick;

use std::cmp::Ordering;

use jaq_core::load::parse::Term;
use jaq_core::ops::Cmp;
use memchr::memmem;
use regex::bytes::Regex;

use super::escape;
use crate::event::{Decoding, EventRef, Format, PositionStyle, SchemaVerdict, object};
use crate::text::JsonText;
pub(super) use compile::{constant, constants};
pub(super) use operand::Constant;
use operand::{Operand, compare};
pub(super) use pattern::literal;
use pick::{Picked, Places, Step};

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Native {
    expr: Expr,
    /// Where in the value its paths lead.
    places: Places,
    /// Without this, an event may be shown to it without its headers.
    pub(super) reads_headers: bool,
    /// Without this, nobody need check the event against a schema.
    pub(super) reads_verdict: bool,
}

#[derive(Debug)]
enum Expr {
    Const(bool),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Check(Field, Check),
}

/// What a path leads to.
#[derive(Debug)]
enum Field {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Time,
    TimestampType,
    Key,
    Header(Vec<u8>),
    /// What the schema says of the value.
    Verdict,
    /// The trail of places in the value.
    Value(Vec<usize>),
}

/// What is asked of what a path finds.
#[derive(Debug)]
enum Check {
    /// Nothing, but that the path does not fail.
    Any,
    Truthy,
    Compare(Cmp, Constant),
    In(Vec<Constant>),
    StartsWith(Vec<u8>),
    EndsWith(Vec<u8>),
    Contains(Vec<u8>),
    Test(Regex),
    /// That the container of the last step has it.
    Has,
}

/// Why there is no truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// jq fails here.
    Failed,
    /// Only jq can tell.
    Unknown,
}

type Truth = Result<bool, Without>;

impl Expr {
    /// Whether it looks at a path in any case, before all else.
    fn looks(&self) -> bool {
        match self {
            Self::Const(_) => false,
            Self::Check(..) => true,
            Self::Not(inner) => inner.looks(),
            Self::And(all) | Self::Or(all) => all.first().is_some_and(Self::looks),
        }
    }
}

impl Native {
    /// Compiles an expression, or says what of it is left to jq.
    pub(crate) fn compile(term: &Term<&str>) -> Result<Self, String> {
        compile::compile(term)
    }

    /// The truth of the expression's output on an event.
    pub(crate) fn test(&self, event: &EventRef<'_>, decoding: Decoding, desk: &mut Desk) -> Truth {
        desk.value = Value::Unseen;
        Evaluation {
            native: self,
            event,
            decoding,
            desk,
        }
        .truth(&self.expr)
    }
}

/// Buffers of one thread, kept from event to event.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    picked: Picked,
    value: Value,
    text: Vec<u8>,
    /// What the schema says of the event, where one was asked.
    verdict: Option<SchemaVerdict>,
}

impl Desk {
    pub(crate) fn verdict(&mut self, verdict: Option<SchemaVerdict>) {
        self.verdict = verdict;
    }
}

/// What the value was found to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Value {
    #[default]
    Unseen,
    Json,
    Text,
    Binary,
}

struct Evaluation<'e, 'd> {
    native: &'e Native,
    event: &'e EventRef<'e>,
    decoding: Decoding,
    desk: &'d mut Desk,
}

impl<'e> Evaluation<'e, '_> {
    fn truth(&mut self, expr: &Expr) -> Truth {
        match expr {
            Expr::Const(truth) => Ok(*truth),
            Expr::Not(inner) => Ok(!self.truth(inner)?),
            Expr::And(all) => {
                for inner in all {
                    if !self.truth(inner)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Or(any) => {
                for inner in any {
                    if self.truth(inner)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expr::Check(field, check) => self.check(field, check),
        }
    }

    fn check(&mut self, field: &Field, check: &Check) -> Truth {
        let found = self.find(field)?;
        match (check, found) {
            (Check::Has, found) => Ok(found.is_some()),
            (_, None) => judge(Operand::Null, check),
            (_, Some(Found::Operand(operand))) => judge(operand, check),
            (_, Some(Found::Written)) => judge(Operand::Text(&self.desk.text), check),
        }
    }

    /// What is there; nothing where a container does not have it, which jq takes for null.
    fn find(&mut self, field: &Field) -> Result<Option<Found<'e>>, Without> {
        let event = self.event;
        let operand = match field {
            Field::Topic => Operand::Text(event.stream.topic.as_bytes()),
            Field::Partition => Operand::Int(event.stream.partition.into()),
            Field::Offset => match event.stream.style {
                PositionStyle::Offset => Operand::Int(event.position.major.into()),
                PositionStyle::Entry => {
                    self.desk.text.clear();
                    object::push_position(&mut self.desk.text, event);
                    return Ok(Some(Found::Written));
                }
            },
            Field::Timestamp => match event.time() {
                Some(time) => Operand::Int(time.0.into()),
                None => Operand::Null,
            },
            Field::Time => match event.time() {
                Some(time) => {
                    self.desk.text.clear();
                    time.write_rfc3339(&mut self.desk.text);
                    return Ok(Some(Found::Written));
                }
                None => Operand::Null,
            },
            Field::TimestampType => Operand::Text(event.timestamp_type.name().as_bytes()),
            Field::Key => match (event.key, self.decoding.key) {
                (None, _) => Operand::Null,
                (Some(_), Format::Json) => return Err(Without::Unknown),
                (Some(_), Format::Binary) => Operand::Object,
                (Some(bytes), Format::Auto | Format::Text) => text_or_object(bytes),
            },
            Field::Header(name) => return self.header(name),
            Field::Verdict => match self.desk.verdict {
                Some(verdict) => Operand::Text(verdict.name().as_bytes()),
                None => Operand::Null,
            },
            Field::Value(trail) => return self.value(trail),
        };
        Ok(Some(Found::Operand(operand)))
    }

    fn header(&self, name: &[u8]) -> Result<Option<Found<'e>>, Without> {
        let mut found = None;
        for (other, value) in self.event.headers {
            if str::from_utf8(other).is_err() {
                // The event object spells such names in its own way.
                return Err(Without::Unknown);
            }
            if other == name {
                found = Some(Found::Operand(match (found, value) {
                    // A repeated header is an array.
                    (Some(_), _) => Operand::Array,
                    (None, None) => Operand::Null,
                    (None, Some(bytes)) => text_or_object(bytes),
                }));
            }
        }
        Ok(found)
    }

    fn value(&mut self, trail: &[usize]) -> Result<Option<Found<'e>>, Without> {
        let (Some(&root), Some(bytes)) = (trail.first(), self.event.value) else {
            // null has nothing in it, and that is null too.
            let null = (trail.len() < 2).then_some(Found::Operand(Operand::Null));
            return Ok(null);
        };
        match (self.look(bytes), trail.len()) {
            (Value::Json, _) => {}
            (Value::Text, 1) => return Ok(Some(Found::Operand(Operand::Text(bytes)))),
            (Value::Binary, 1) => return Ok(Some(Found::Operand(Operand::Object))),
            (Value::Text, _) => return Err(Without::Failed),
            (_, _) => return Err(Without::Unknown),
        }
        let Some(mut json) = self.desk.picked.get(bytes, root) else {
            return Err(Without::Unknown);
        };
        for &node in &trail[1..] {
            let step = self.native.places.step(node);
            let inner = match (json.first(), step) {
                (Some(b'{'), Step::Name(_)) | (Some(b'['), Step::Index(_)) => {
                    self.desk.picked.get(bytes, node)
                }
                // jaq's objects may have keys of any type; those that were read do not.
                (Some(b'{' | b'n'), _) => None,
                _ => return Err(Without::Failed),
            };
            match inner {
                Some(inner) => json = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(match Operand::of_json(json) {
            Operand::Escaped(raw) => {
                self.desk.text.clear();
                escape::unescape(&mut self.desk.text, raw);
                Found::Written
            }
            operand => Found::Operand(operand),
        }))
    }

    /// What the value is, found out once an event, with all places in it.
    fn look(&mut self, bytes: &[u8]) -> Value {
        if self.desk.value == Value::Unseen {
            let asked = match self.decoding.value {
                Format::Json => true,
                Format::Auto => JsonText::may_be(bytes),
                Format::Text | Format::Binary => false,
            };
            self.desk.value = if asked && self.desk.picked.pick(&self.native.places, bytes) {
                Value::Json
            } else if self.decoding.value != Format::Binary && str::from_utf8(bytes).is_ok() {
                Value::Text
            } else {
                Value::Binary
            };
        }
        self.desk.value
    }
}

/// What a path found.
#[derive(Debug, Clone, Copy)]
enum Found<'e> {
    Operand(Operand<'e>),
    /// A text that was written to the desk.
    Written,
}

/// Bytes that are no text are an object with their base64.
fn text_or_object(bytes: &[u8]) -> Operand<'_> {
    match str::from_utf8(bytes) {
        Ok(_) => Operand::Text(bytes),
        Err(_) => Operand::Object,
    }
}

fn judge(operand: Operand<'_>, check: &Check) -> Truth {
    let text = match operand {
        Operand::Text(text) => Ok(text),
        _ => Err(Without::Failed),
    };
    match check {
        Check::Any | Check::Has => Ok(true),
        Check::Truthy => Ok(operand.is_truthy()),
        Check::Compare(cmp, constant) => {
            let order = compare(operand, constant).ok_or(Without::Unknown)?;
            Ok(holds(*cmp, order))
        }
        Check::In(constants) => {
            for constant in constants {
                if compare(operand, constant).ok_or(Without::Unknown)?.is_eq() {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Check::StartsWith(part) => Ok(text?.starts_with(part)),
        Check::EndsWith(part) => Ok(text?.ends_with(part)),
        // What is no text does not contain one, and does not fail.
        Check::Contains(part) => Ok(text.is_ok_and(|t| memmem::find(t, part).is_some())),
        Check::Test(regex) => Ok(regex.is_match(text?)),
    }
}

const fn holds(cmp: Cmp, order: Ordering) -> bool {
    match cmp {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
    }
}
