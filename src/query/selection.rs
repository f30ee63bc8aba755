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
mod tests;
