//! What was asked for, compiled into what looks at events.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::QueryError;
use super::filter_text::FilterText;
use super::grep::Grep;
use super::jq::{End, Fault, Input, Next, Program};
use super::native::{Desk, Native, Without};
use super::prefilter::Condition;
use super::sweep::{Sweep, Texts};
use crate::event::object;
use crate::event::{Decoding, EventRef, Select, SelectError, SelectWorker, Verdict};

/// Everything that flags say of the events to look at, apart from their range.
#[derive(Debug, Clone, Default)]
pub struct QuerySpec {
    /// jq expressions, all of which must hold.
    pub where_: Vec<String>,
    /// Texts of a filter bar, all of which must hold.
    pub filters: Vec<String>,
    /// Patterns, all of which must match.
    pub grep: Vec<String>,
    pub ignore_case: bool,
    /// Patterns are texts, not regular expressions.
    pub fixed: bool,
    /// Keys, one of which must be the event's.
    pub keys: Vec<Vec<u8>>,
    pub decoding: Decoding,
}

/// A compiled selection. Cheap to clone.
#[derive(Clone)]
pub struct Query(Arc<Compiled>);

struct Compiled {
    keys: Vec<Vec<u8>>,
    greps: Vec<Grep>,
    wheres: Vec<Where>,
    filters: Vec<FilterText>,
    decoding: Decoding,
}

/// A compiled jq condition.
pub(super) struct Where {
    /// Where it was written, for messages.
    flag: &'static str,
    text: String,
    /// What must be in an event for the expression to hold.
    condition: Condition,
    /// The expression evaluated on the event itself, or what of it only jq can do.
    native: Result<Native, String>,
    program: Program,
}

impl Query {
    pub fn compile(spec: &QuerySpec) -> Result<Self, QueryError> {
        let greps = spec
            .grep
            .iter()
            .map(|text| Grep::compile(text, spec.fixed, spec.ignore_case))
            .collect::<Result<_, _>>()?;
        let wheres = spec.where_.iter().map(|text| {
            let compiled = Where::compile("--where", text);
            compiled.map_err(|fault| fault.of("--where", text))
        });
        let filters = spec.filters.iter().map(|text| {
            FilterText::parse(text).map_err(|mut error| {
                error.message = format!("--filter: {}", error.message);
                error
            })
        });
        Ok(Self(Arc::new(Compiled {
            keys: spec.keys.clone(),
            greps,
            wheres: wheres.collect::<Result<_, _>>()?,
            filters: filters.collect::<Result<_, _>>()?,
            decoding: spec.decoding,
        })))
    }

    /// The selection of one filter text alone.
    pub(super) fn of_filter(filter: FilterText, decoding: Decoding) -> Self {
        Self(Arc::new(Compiled {
            keys: Vec::new(),
            greps: Vec::new(),
            wheres: Vec::new(),
            filters: vec![filter],
            decoding,
        }))
    }

    /// How the selection will run, a line for each part of it.
    pub fn explain(&self) -> Vec<String> {
        let keys = self.0.keys.iter();
        let keys = keys.map(|key| format!("key {}: exact", String::from_utf8_lossy(key)));
        let greps = self.0.greps.iter();
        let greps = greps.map(|grep| format!("grep {}: over key, value and headers", grep.text()));
        let wheres = self.0.wheres.iter();
        let wheres = wheres.map(Where::explain);
        let filters = self.0.filters.iter().flat_map(FilterText::explain);
        keys.chain(greps).chain(filters).chain(wheres).collect()
    }
}

impl Compiled {
    /// Those of the filters too.
    fn wheres(&self) -> impl Iterator<Item = &Where> {
        let filters = self.filters.iter().filter_map(FilterText::jq);
        self.wheres.iter().chain(filters)
    }

    /// The search for what must be in an event that is kept. It drops only events that `test`
    /// drops before an expression is evaluated, so that none is missed which would fail.
    fn sweep(&self) -> Sweep {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| Finder::new(key).into_owned())
            .collect();
        let greps = self.greps.iter().map(Grep::texts);
        let mut all: Vec<_> = greps.collect();
        all.extend(self.wheres().map(|w| w.condition.texts()));
        all.extend(self.filters.iter().flat_map(FilterText::texts));
        if !keys.is_empty() {
            all.push(Texts::Any(keys.iter().map(Texts::One).collect()));
        }
        Sweep::new(&Texts::All(all))
    }
}

impl Where {
    pub(super) fn compile(flag: &'static str, text: &str) -> Result<Self, Fault> {
        let (program, (condition, native)) =
            Program::condition(text, |term| (Condition::of(term), Native::compile(term)))?;
        Ok(Self {
            flag,
            text: text.to_owned(),
            condition,
            native,
            program,
        })
    }

    pub(super) fn explain(&self) -> String {
        let how = match &self.native {
            Ok(_) => "native".to_owned(),
            Err(what) => format!("jq, because of {what}"),
        };
        let filter = match &self.condition {
            Condition::Free => "no byte prefilter".to_owned(),
            condition => format!("byte prefilter {condition}"),
        };
        let word = self.flag.trim_start_matches('-');
        format!("{word} {}: {how}; {filter}", self.text)
    }

    /// Lets jq decide: the event is kept if the first output of the expression is truthy.
    fn run(&self, input: &Input, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        let mut keep = false;
        let end = self.program.run(input, |output| {
            keep = output.is_truthy();
            Next::Enough
        });
        match end {
            Ok(End::Failed(_)) => Ok(Verdict::Failed),
            Ok(End::Done) if keep => Ok(Verdict::Keep),
            Ok(End::Done) => Ok(Verdict::Drop),
            Err(broken) => {
                let (stream, style) = (event.stream, event.stream.style);
                let position = event.position.display(style);
                let place = format!("{}/{}@{position}", stream.topic, stream.partition);
                Err(broken.of(self.flag, &self.text, &self.program, &place))
            }
        }
    }
}

impl Select for Query {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(QueryWorker {
            query: Arc::clone(&self.0),
            object: Vec::new(),
            desk: Desk::default(),
            sweep: self.0.sweep(),
        })
    }

    fn keeps_all(&self) -> bool {
        let query = &*self.0;
        query.keys.is_empty()
            && query.greps.is_empty()
            && query.wheres.is_empty()
            && query.filters.iter().all(FilterText::is_empty)
    }

    fn needs_headers(&self) -> bool {
        // What is native has no path to the headers, also when jq decides in the end.
        let reads = |w: &Where| w.native.as_ref().map_or(true, |n| n.reads_headers);
        !self.0.greps.is_empty()
            || self.0.filters.iter().any(FilterText::looks_at_headers)
            || self.0.wheres().any(reads)
    }
}

struct QueryWorker {
    query: Arc<Compiled>,
    /// The event object, written anew for each event that jq looks at.
    object: Vec<u8>,
    desk: Desk,
    sweep: Sweep,
}

impl SelectWorker for QueryWorker {
    fn begin(&mut self) {
        self.sweep.begin();
    }

    fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        self.sweep.seek(bytes, from)
    }

    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        let query = &*self.query;
        let wanted = |key: &Vec<u8>| event.key == Some(key);
        if !query.keys.is_empty() && !query.keys.iter().any(wanted) {
            return Ok(Verdict::Drop);
        }
        if !query.wheres().all(|w| w.condition.allows(event))
            || !query.greps.iter().all(|grep| grep.matches(event))
            || !query.filters.iter().all(|filter| filter.allows(event))
        {
            return Ok(Verdict::Drop);
        }
        let mut input = None;
        for expression in query.wheres() {
            let native = expression.native.as_ref().ok();
            let truth = native.map(|n| n.test(event, query.decoding, &mut self.desk));
            let verdict = match truth {
                Some(Ok(true)) => Verdict::Keep,
                Some(Ok(false)) => Verdict::Drop,
                Some(Err(Without::Failed)) => Verdict::Failed,
                Some(Err(Without::Unknown)) | None => {
                    if input.is_none() {
                        self.object.clear();
                        object::write(&mut self.object, event, &query.decoding);
                        input = Input::read(&self.object).ok();
                    }
                    match &input {
                        Some(input) => expression.run(input, event)?,
                        None => Verdict::Failed,
                    }
                }
            };
            if verdict != Verdict::Keep {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::samples::Sample;
    use std::time::Duration;

    fn query(expressions: &[&str]) -> Query {
        let spec = QuerySpec {
            where_: expressions.iter().map(|&e| e.to_owned()).collect(),
            ..QuerySpec::default()
        };
        Query::compile(&spec).unwrap()
    }

    fn verdict(expression: &str, sample: &Sample) -> Verdict {
        let mut worker = query(&[expression]).worker();
        worker.test(&sample.event()).unwrap()
    }

    #[test]
    fn headers_are_asked_for_only_where_they_can_matter() {
        assert!(!query(&[".value.a == 1 and .key == \"k\""]).needs_headers());
        assert!(query(&[".headers.a == \"1\""]).needs_headers());
        assert!(query(&["[.value.a] == [1]"]).needs_headers());
        let spec = QuerySpec {
            grep: vec!["x".to_owned()],
            ..QuerySpec::default()
        };
        assert!(Query::compile(&spec).unwrap().needs_headers());
    }

    #[test]
    fn the_first_output_decides() {
        let sample = Sample::of("{\"a\":1}");
        for (expression, expected) in [
            (".value.a == 1", Verdict::Keep),
            (".value.a", Verdict::Keep),
            (".value.b", Verdict::Drop),
            ("false, true", Verdict::Drop),
            ("true, error", Verdict::Keep),
            ("empty", Verdict::Drop),
            (
                "select(.topic == \"orders\" and .offset == 15)",
                Verdict::Keep,
            ),
            (".key.a", Verdict::Drop),
            (".value.a.b", Verdict::Failed),
            ("error(\"x\")", Verdict::Failed),
        ] {
            assert_eq!(verdict(expression, &sample), expected, "{expression}");
        }
    }

    #[test]
    fn all_expressions_must_hold() {
        let sample = Sample::of("{\"a\":1}");
        for (second, expected) in [(".value.a == 1", Verdict::Keep), (".key", Verdict::Drop)] {
            let mut worker = query(&[".offset == 15", second]).worker();
            assert_eq!(worker.test(&sample.event()).unwrap(), expected);
        }
    }

    #[test]
    fn keys_are_compared_byte_by_byte() {
        let spec = QuerySpec {
            keys: vec![b"a".to_vec(), b"\xff".to_vec()],
            ..QuerySpec::default()
        };
        let query = Query::compile(&spec).unwrap();
        let mut worker = query.worker();
        for (key, expected) in [
            (Some(&b"a"[..]), Verdict::Keep),
            (Some(b"\xff"), Verdict::Keep),
            (Some(b"ab"), Verdict::Drop),
            (Some(b""), Verdict::Drop),
            (None, Verdict::Drop),
        ] {
            let mut sample = Sample::of("a");
            sample.key = key.map(<[u8]>::to_vec);
            assert_eq!(worker.test(&sample.event()).unwrap(), expected, "{key:?}");
        }
        let mut seek = |bytes| {
            worker.begin();
            worker.seek(bytes, 0)
        };
        assert_eq!(seek(b"..a.."), Some(2));
        assert_eq!(seek(b"..b.."), None);
    }

    #[test]
    fn an_expression_without_end_says_where_it_was() {
        let mut expression = Where::compile("--where", "def f: f; f").unwrap();
        expression.program.time = Duration::from_millis(50);
        let compiled = Compiled {
            keys: Vec::new(),
            greps: Vec::new(),
            wheres: vec![expression],
            filters: Vec::new(),
            decoding: Decoding::default(),
        };
        let mut worker = Query(Arc::new(compiled)).worker();
        let error = worker.test(&Sample::of("{}").event()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--where 'def f: f; f' did not end within 0.05 s on orders/0@15"
        );
    }

    #[test]
    fn errors_point_at_the_token_and_say_what_to_try() {
        let error = |expression: &str| {
            let spec = QuerySpec {
                where_: vec![expression.to_owned()],
                ..QuerySpec::default()
            };
            let error = Query::compile(&spec).err().unwrap();
            format!("{error}\n{}", error.hint.as_deref().unwrap_or_default())
        };
        for (expression, drawn) in [
            (
                ".value.a ==",
                "--where: unexpected end: expected term\n  .value.a ==\n             ^\n",
            ),
            (
                ".value.a = 5",
                "--where: `=` assigns, and what that gives is always true\n  .value.a = 5\n           \
                 ^\ncompare with ==",
            ),
            (
                ".value.a == 'x'",
                "--where: unexpected '\\''\n  .value.a == 'x'\n              ^\njq's strings stand in \
                 double quotes",
            ),
            (
                ".a && .b",
                "--where: unexpected '&'\n  .a && .b\n     ^\njq says `and`",
            ),
            (
                "(.a == 1",
                "--where: closing parenthesis is missing\n  (.a == 1\n  ^\n",
            ),
            (
                ".a | startwith(\"x\")",
                "--where: unknown function startwith/1\n  .a | startwith(\"x\")\n       ^^^^^^^^^\ndid you \
                 mean startswith?",
            ),
            (
                "selct(.a)",
                "--where: unknown function selct/1\n  selct(.a)\n  ^^^^^\ndid you mean select?",
            ),
            (
                "Paid",
                "--where: unknown function Paid/0\n  Paid\n  ^^^^\na field is written .Paid, a text \
                 \"Paid\"",
            ),
            (
                ".a | test",
                "--where: unknown function test/0\n  .a | test\n       ^^^^\ntest takes 1 or 2 arguments, \
                 joined by `;`",
            ),
            (
                ".a == $x",
                "--where: unknown variable $x\n  .a == $x\n        ^^\n",
            ),
            (
                "",
                "--where: unexpected end: expected term\n  \n  ^\nan expression is, for instance, \
                 .value.amount > 500",
            ),
        ] {
            assert_eq!(error(expression), drawn);
        }
    }

    #[test]
    fn the_way_of_each_expression_is_explained() {
        let spec = QuerySpec {
            where_: vec![
                ".value.type == \"Paid\" and (.key == \"a\" or .key == \"b\")".to_owned(),
                "any(.value.items[]; .sku == \"x\")".to_owned(),
                ".value.n + 1 > 2".to_owned(),
            ],
            grep: vec!["a.b".to_owned()],
            keys: vec![b"k".to_vec()],
            ..QuerySpec::default()
        };
        let lines = Query::compile(&spec).unwrap().explain();
        assert_eq!(
            lines,
            [
                "key k: exact",
                "grep a.b: over key, value and headers",
                "where .value.type == \"Paid\" and (.key == \"a\" or .key == \"b\"): native; byte \
                 prefilter \"Paid\" in the value and (\"a\" in the key or \"b\" in the key)",
                "where any(.value.items[]; .sku == \"x\"): jq, because of the function any; byte \
                 prefilter \"x\" in the value",
                "where .value.n + 1 > 2: jq, because of a comparison of other things than a path and \
                 a constant; no byte prefilter",
            ]
        );
    }

    #[test]
    fn nothing_asked_keeps_all() {
        let all = Query::compile(&QuerySpec::default()).unwrap();
        assert!(all.keeps_all());
        assert_eq!(all.worker().seek(b"", 0), Some(0));
        assert!(!query(&["true"]).keeps_all());
    }
}
