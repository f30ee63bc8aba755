//! The text of the filter bar, the same on the screen and in `--filter`: words, phrases, regular
//! expressions and fields, or one jq expression. Read at each key, so that an error stands under
//! its token while it is typed.
//!
//! | text | meaning |
//! |---|---|
//! | `payment failed` | both words occur, in key, value or headers; in any case |
//! | `Paid` | a word with a capital is sought as it stands |
//! | `"card declined"` | the text between the quotes, `\"` is a quote |
//! | `/pay(ment)?/i` | a regular expression; `i` is any case |
//! | `topic:orders key:order-4* partition:0` | what the event's own must be; `*` and `?` are globs |
//! | `-word`, `!word` | leaves out what the term finds, whatever kind of term it is |
//! | `.value.amount > 500`, `(.key …` | the whole text is a jq expression |

use std::ops::Range;
use std::sync::Arc;

use super::grep::{Grep, Hints};
use super::jq::Fault;
use super::selection::Where;
use super::sweep::Texts;
use super::terms::{Name, Of, Term};
use super::{Query, QueryError};
use crate::event::EventRef;
use crate::schema::Decoder;

/// More terms than a person writes: each costs time for each event.
const MAX_TERMS: usize = 100;
/// A longer text was pasted by mistake.
const MAX_TEXT: usize = 64 * 1024;

const HINTS: Hints = Hints {
    literally: "in double quotes a text is taken literally",
    several: "write several expressions, all of which must match",
};

/// A filter that was read and compiled. Cheap to clone.
#[derive(Clone)]
pub struct FilterText(Arc<Parsed>);

struct Parsed {
    text: String,
    what: What,
}

enum What {
    Terms(Vec<Term>),
    Jq(Box<Where>),
}

impl FilterText {
    /// Reads a filter. The span of an error points into the text as it was given; its message
    /// names no flag.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let what = parse(text).map_err(|fault| QueryError {
            message: fault.message,
            expression: text.to_owned(),
            span: fault.span,
            hint: fault.hint,
        })?;
        Ok(Self(Arc::new(Parsed {
            text: text.to_owned(),
            what,
        })))
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// True when it keeps everything.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0.what, What::Terms(terms) if terms.is_empty())
    }

    /// The selection of this filter alone.
    pub fn query(&self, decoder: Decoder) -> Query {
        Query::of_filter(self.clone(), decoder)
    }

    pub(super) fn jq(&self) -> Option<&Where> {
        match &self.0.what {
            What::Jq(condition) => Some(condition),
            What::Terms(_) => None,
        }
    }

    fn terms(&self) -> &[Term] {
        match &self.0.what {
            What::Jq(_) => &[],
            What::Terms(terms) => terms,
        }
    }

    /// What can be said of an event without jq.
    pub(super) fn allows(&self, event: &EventRef<'_>) -> bool {
        self.terms().iter().all(|term| term.allows(event))
    }

    pub(super) fn looks_at_headers(&self) -> bool {
        self.terms().iter().any(Term::looks_at_headers)
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = Texts<'_>> {
        self.terms().iter().map(Term::texts)
    }

    pub(super) fn explain(&self) -> Vec<String> {
        let terms = self.terms().iter().map(Term::explain);
        terms.chain(self.jq().map(Where::explain)).collect()
    }
}

fn parse(text: &str) -> Result<What, Fault> {
    if text.len() > MAX_TEXT {
        return Err(fault("a filter has at most 64 KiB", 0..0, ""));
    }
    let expression = text.trim();
    if expression.starts_with(['.', '(']) {
        let start = text.len() - text.trim_start().len();
        let condition =
            Where::compile("--filter", expression).map_err(|fault| moved(fault, start))?;
        return Ok(What::Jq(Box::new(condition)));
    }
    let mut reader = Reader { text, at: 0 };
    let mut terms = Vec::new();
    while reader.find_next() {
        let start = reader.at;
        terms.push(reader.term()?);
        if terms.len() > MAX_TERMS {
            let what = format!("a filter has at most {MAX_TERMS} terms");
            return Err(fault(what, start..reader.at, ""));
        }
    }
    Ok(What::Terms(terms))
}

fn fault(message: impl Into<String>, span: Range<usize>, hint: &str) -> Fault {
    Fault {
        message: message.into(),
        span: Some(span),
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
    }
}

/// A fault of a part of the text, told of the whole.
fn moved(mut fault: Fault, by: usize) -> Fault {
    if let Some(span) = &mut fault.span {
        *span = span.start + by..span.end + by;
    }
    fault
}

/// The fields that a term can name.
#[derive(Clone, Copy)]
enum Field {
    Topic,
    Key,
    Partition,
}

const FIELDS: [(&str, Field); 3] = [
    ("topic:", Field::Topic),
    ("key:", Field::Key),
    ("partition:", Field::Partition),
];

/// What a value of a term says, and whether it was quoted.
struct Value {
    text: String,
    quoted: bool,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes to the next term; false when there is none.
    fn find_next(&mut self) -> bool {
        self.at = self.text.len() - self.rest().trim_start().len();
        !self.rest().is_empty()
    }

    /// Up to the next space.
    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let word = rest.split(char::is_whitespace).next().unwrap_or(rest);
        self.at += word.len();
        word
    }

    fn term(&mut self) -> Result<Term, Fault> {
        let start = self.at;
        let not = self.rest().starts_with(['-', '!']);
        if not {
            self.at += 1;
            if self.rest().is_empty() || self.rest().starts_with(char::is_whitespace) {
                let hint = "write what to leave out right behind it; \"-\" in quotes is sought";
                return Err(fault("nothing to leave out", start..self.at, hint));
            }
        }
        let of = self.of()?;
        let text = self.text.get(start..self.at).unwrap_or_default().to_owned();
        Ok(Term { text, not, of })
    }

    fn of(&mut self) -> Result<Of, Fault> {
        let rest = self.rest();
        if rest.starts_with('/') {
            return self.regex();
        }
        let field = FIELDS.iter().find(|(name, _)| rest.starts_with(name));
        if let Some((name, field)) = field {
            return self.field(name, *field);
        }
        let start = self.at;
        let Value { text, .. } = self.value()?;
        if text.is_empty() {
            let what = "nothing between the quotes";
            return Err(fault(what, start..self.at, ""));
        }
        let any_case = !text.chars().any(char::is_uppercase);
        let grep = Grep::build(&text, true, any_case, &HINTS)
            .map_err(|_| fault("the text is too long", start..self.at, ""))?;
        let kind = if any_case {
            "text in any case"
        } else {
            "text as it stands"
        };
        Ok(Of::Anywhere { grep, kind })
    }

    /// A word, or what stands between quotes.
    fn value(&mut self) -> Result<Value, Fault> {
        if !self.rest().starts_with('"') {
            let text = self.word().to_owned();
            return Ok(Value {
                text,
                quoted: false,
            });
        }
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match (c, chars.peek()) {
                ('"', _) => {
                    self.at = start + at + 1;
                    return Ok(Value { text, quoted: true });
                }
                ('\\', Some(&(_, escaped @ ('"' | '\\')))) => {
                    chars.next();
                    text.push(escaped);
                }
                _ => text.push(c),
            }
        }
        Err(fault(
            "the quote is not closed",
            start..start + 1,
            "close it with \"; within quotes a quote is \\\"",
        ))
    }

    fn field(&mut self, name: &str, field: Field) -> Result<Of, Fault> {
        let start = self.at;
        self.at += name.len();
        let from = self.at;
        let Value { text, quoted } = self.value()?;
        if text.is_empty() && !quoted {
            let what = format!("nothing after {name}");
            let hint = "write it without a space: topic:orders key:order-4* partition:0";
            return Err(fault(what, start..self.at, hint));
        }
        let called = || {
            if quoted {
                return Ok(Name::exact(&text));
            }
            Name::glob(&text).ok_or_else(|| fault("the name is too long", from..self.at, ""))
        };
        Ok(match field {
            Field::Topic => Of::Topic(called()?),
            Field::Key => Of::Key(called()?),
            Field::Partition => Of::Partition(text.parse().map_err(|_| {
                let what = "a partition is a number";
                fault(what, from..self.at, "for example partition:0")
            })?),
        })
    }

    /// `/…/` or `/…/i`. The slash that ends it is the last of its word or has only `i` behind it,
    /// so that those between need no escape.
    fn regex(&mut self) -> Result<Of, Fault> {
        let start = self.at;
        let rest = self.rest();
        let mut escaped = false;
        let slashes = rest.char_indices().skip(1).filter(|&(_, c)| {
            let is_end = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let end = slashes.into_iter().find_map(|(at, _)| {
            let flags = rest.get(at + 1..)?;
            let flags = flags.split(char::is_whitespace).next().unwrap_or(flags);
            matches!(flags, "" | "i").then_some((at, flags))
        });
        let Some((end, flags)) = end else {
            return Err(fault(
                "the regular expression is not closed",
                start..start + 1,
                "close it with / or /i; in double quotes a text with slashes is sought",
            ));
        };
        self.at = start + end + 1 + flags.len();
        let pattern = rest.get(1..end).unwrap_or_default();
        if pattern.is_empty() {
            let what = "nothing between the slashes";
            return Err(fault(what, start..self.at, ""));
        }
        let grep = Grep::build(pattern, false, flags == "i", &HINTS)
            .map_err(|fault| moved(fault, start + 1))?;
        let kind = if flags == "i" {
            "regex in any case"
        } else {
            "regex"
        };
        Ok(Of::Anywhere { grep, kind })
    }
}

#[cfg(test)]
mod tests;
