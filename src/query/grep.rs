//! One pattern over the key, the value and the headers of an event: `--grep`, and the words and
//! regular expressions of a filter.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::jq::Fault;
use super::sweep::Texts;
use super::{QueryError, native};
use crate::event::EventRef;

/// A compiled pattern.
pub(super) struct Grep {
    text: String,
    how: How,
}

enum How {
    Literal(Box<Finder<'static>>),
    Regex(Regex),
    /// A text in any case, with a part of it that has none.
    AnyCase(Regex, Box<Finder<'static>>),
}

/// What to write instead of what cannot be, where the pattern stands.
pub(super) struct Hints {
    pub literally: &'static str,
    pub several: &'static str,
}

const FLAG: Hints = Hints {
    literally: "-F takes the text literally",
    several: "write several --grep, all of which must match",
};

/// Bytes without case that are rare enough to be worth a search of their own.
const CASELESS: usize = 3;

impl Grep {
    pub(super) fn compile(text: &str, fixed: bool, ignore_case: bool) -> Result<Self, QueryError> {
        Self::build(text, fixed, ignore_case, &FLAG).map_err(|fault| fault.of("--grep", text))
    }

    pub(super) fn build(
        text: &str,
        fixed: bool,
        ignore_case: bool,
        hints: &Hints,
    ) -> Result<Self, Fault> {
        let caseless = if fixed && ignore_case {
            caseless(text)
        } else {
            ""
        };
        let literal = fixed || native::literal(text).is_some();
        // A pattern without special characters is a text, and a text is looked for in whole batches.
        let how = if literal && (!ignore_case || caseless.len() == text.len()) {
            How::Literal(Box::new(Finder::new(text.as_bytes()).into_owned()))
        } else {
            let pattern = if fixed {
                regex::escape(text)
            } else {
                text.to_owned()
            };
            let built = RegexBuilder::new(&pattern)
                .case_insensitive(ignore_case)
                .build();
            let regex = built.map_err(|e| fault(text, &e, hints))?;
            if caseless.len() >= CASELESS {
                let part = Finder::new(caseless.as_bytes()).into_owned();
                How::AnyCase(regex, Box::new(part))
            } else {
                How::Regex(regex)
            }
        };
        Ok(Self {
            text: text.to_owned(),
            how,
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Matches what the bytes say: a key, a value, a header's name or value.
    pub(super) fn matches(&self, event: &EventRef<'_>) -> bool {
        event.value.is_some_and(|v| self.finds(v))
            || event.key.is_some_and(|k| self.finds(k))
            || event
                .headers
                .iter()
                .any(|(name, value)| self.finds(name) || value.is_some_and(|v| self.finds(v)))
    }

    fn finds(&self, bytes: &[u8]) -> bool {
        match &self.how {
            How::Literal(finder) => finder.find(bytes).is_some(),
            How::Regex(regex) | How::AnyCase(regex, _) => regex.is_match(bytes),
        }
    }

    /// What to seek in the bytes of many events, framing and all.
    pub(super) fn texts(&self) -> Texts<'_> {
        match &self.how {
            How::Literal(finder) | How::AnyCase(_, finder) => Texts::One(finder),
            // `^` and `\b` mean the edges of a key or value, which are not to be seen there.
            How::Regex(_) => Texts::Free,
        }
    }
}

/// The longest run of ASCII characters that are no letters: the same in any case. No letter of
/// another alphabet has one of them as its other case.
fn caseless(text: &str) -> &str {
    let runs = text.split(|c: char| !c.is_ascii() || c.is_ascii_alphabetic());
    runs.max_by_key(|run| run.len()).unwrap_or_default()
}

fn fault(text: &str, error: &regex::Error, hints: &Hints) -> Fault {
    let mut fault = Fault {
        message: "not a regular expression".to_owned(),
        span: None,
        hint: Some(hints.literally.to_owned()),
    };
    match error {
        regex::Error::Syntax(drawn) => {
            // The parser draws the pattern with carets below and the reason in the last line.
            let carets = drawn.lines().find_map(|line| line.find('^'));
            fault.span = carets.and_then(|at| {
                // Its lines begin with four spaces.
                let at = text
                    .char_indices()
                    .map(|(i, _)| i)
                    .nth(at.checked_sub(4)?)?;
                Some(at..at)
            });
            if let Some(reason) = drawn.lines().last().and_then(|l| l.strip_prefix("error: ")) {
                reason.clone_into(&mut fault.message);
            }
            if drawn.contains("look-around") || drawn.contains("backreferences") {
                fault.hint = Some(hints.several.to_owned());
            }
        }
        regex::Error::CompiledTooBig(_) => {
            "the regular expression is too large".clone_into(&mut fault.message);
            fault.hint = Some("repeat less: x{1000} is a thousand times x".to_owned());
        }
        _ => {}
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::samples::Sample;
    use crate::query::sweep::Sweep;

    fn matches(pattern: &str, flags: &str, sample: &Sample) -> bool {
        let (fixed, ignore_case) = (flags.contains('F'), flags.contains('i'));
        let grep = Grep::compile(pattern, fixed, ignore_case).unwrap();
        let found = grep.matches(&sample.event());
        let everything = [
            sample.key.clone().unwrap_or_default(),
            sample.value.clone().unwrap_or_default(),
            sample.headers.as_headers().encoded().to_vec(),
        ];
        let mut sweep = Sweep::new(&grep.texts());
        assert!(!found || sweep.seek(&everything.concat(), 0).is_some());
        found
    }

    #[test]
    fn a_pattern_is_sought_in_key_value_and_headers() {
        let mut sample = Sample::of("{\"city\":\"Oslo\"}");
        sample.key = Some(b"ord-1".to_vec());
        sample.headers.push(b"trace", Some(b"00-aa"));
        sample.headers.push(b"empty", None);
        for (pattern, flags, expected) in [
            ("^ord-\\d$", "", true),
            ("Os.o", "", true),
            ("Os.o", "F", false),
            ("oslo", "", false),
            ("oslo", "i", true),
            ("OSLO", "Fi", true),
            ("\"city\"", "F", true),
            ("trace", "F", true),
            ("^00-a+$", "", true),
            ("ord-1.*Oslo", "", false),
            ("ORD-1", "Fi", true),
            ("-1", "Fi", true),
            ("00-", "Fi", true),
            ("x00-AA", "Fi", false),
        ] {
            assert_eq!(
                matches(pattern, flags, &sample),
                expected,
                "{pattern} {flags}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_looked_at_too() {
        let mut sample = Sample::of("");
        sample.value = Some(b"\xff\x00abc\xfe".to_vec());
        assert!(matches("abc", "", &sample));
        assert!(matches("(?-u)\\xff\\x00a", "", &sample));
        sample.value = None;
        assert!(!matches("a|", "F", &sample));
        let literal = Grep::compile("Payment-Failed", false, false).unwrap();
        assert_eq!(Sweep::new(&literal.texts()).seek(b"Payment", 0), None);
    }

    #[test]
    fn what_has_no_case_is_sought_in_whole_batches_too() {
        let texts = |text| Grep::compile(text, true, true).unwrap();
        let seeks = |text, bytes: &[u8]| Sweep::new(&texts(text).texts()).seek(bytes, 0);
        assert_eq!(seeks("4711", b"..4711"), Some(2));
        assert_eq!(seeks("order-4711é", b"..-4711"), Some(2));
        assert_eq!(seeks("order-4711", b"order-471"), None);
        // Letters only: nothing is known.
        assert_eq!(seeks("order", b".."), Some(0));
    }

    #[test]
    fn errors_point_at_the_place() {
        let error = |text| Grep::compile(text, false, false).err().unwrap();
        let unclosed = error("a(b");
        assert_eq!(unclosed.to_string(), "--grep: unclosed group\n  a(b\n   ^");
        let look = error("a(?=b)");
        assert!(look.hint.unwrap().contains("several --grep"));
        assert!(error("(\\w{1000}){1000}").message.contains("too large"));
    }
}
