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
use crate::event::{
    Decoded, Decoding, EventRef, Format, Seen, Select, SelectError, SelectWorker, Verdict,
};
use crate::schema::{Decoder, Reader};

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
    pub decoder: Decoder,
}

/// A compiled selection. Cheap to clone.
#[derive(Clone)]
pub struct Query(Arc<Compiled>);

struct Compiled {
    keys: Vec<Vec<u8>>,
    greps: Vec<Grep>,
    wheres: Vec<Where>,
    filters: Vec<FilterText>,
    decoder: Decoder,
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
            decoder: spec.decoder.clone(),
        })))
    }

    /// The selection of one filter text alone.
    pub(super) fn of_filter(filter: FilterText, decoder: Decoder) -> Self {
        Self(Arc::new(Compiled {
            keys: Vec::new(),
            greps: Vec::new(),
            wheres: Vec::new(),
            filters: vec![filter],
            decoder,
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

    /// Whether it looks at what the schema says, or might.
    fn asks_for_verdict(&self) -> bool {
        self.native.as_ref().map_or(true, |n| n.reads_verdict)
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
        let query = &self.0;
        let plain = query.decoder.plain();
        // What is decoded first need not have in its bytes what is sought in it.
        let sweep = plain.map(|_| query.sweep());
        let asks = query.wheres().any(Where::asks_for_verdict);
        Box::new(QueryWorker {
            reader: if asks {
                query.decoder.reader()
            } else {
                query.decoder.looker()
            },
            plain,
            desk: Desks::default(),
            sweep,
            query: Arc::clone(query),
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
        // They may say what a value is.
        self.0.decoder.plain().is_none()
            || !self.0.greps.is_empty()
            || self.0.filters.iter().any(FilterText::looks_at_headers)
            || self.0.wheres().any(reads)
    }
}

struct QueryWorker {
    query: Arc<Compiled>,
    /// How to decode when that needs nothing but the bytes themselves.
    plain: Option<Decoding>,
    reader: Reader,
    desk: Desks,
    sweep: Option<Sweep>,
}

/// Buffers of one thread.
#[derive(Default)]
struct Desks {
    /// The event object, written anew for each event that jq looks at.
    object: Vec<u8>,
    native: Desk,
}

impl SelectWorker for QueryWorker {
    fn begin(&mut self) {
        if let Some(sweep) = &mut self.sweep {
            sweep.begin();
        }
    }

    fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        match &mut self.sweep {
            Some(sweep) => sweep.seek(bytes, from),
            None => Some(from),
        }
    }

    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        let query = &*self.query;
        let wanted = |key: &Vec<u8>| event.key == Some(key);
        if let Some(decoding) = self.plain {
            if !query.keys.is_empty() && !query.keys.iter().any(wanted) {
                return Ok(Verdict::Drop);
            }
            return query.judge(event, decoding, &mut self.desk, |event| decoding.see(event));
        }
        let seen = self.reader.see(event);
        let key = bytes_of(seen.key.data);
        // A key is given as its bytes, or as it is shown.
        let shown = |wanted: &Vec<u8>| key == Some(wanted);
        if !query.keys.is_empty() && !query.keys.iter().any(|key| wanted(key) || shown(key)) {
            return Ok(Verdict::Drop);
        }
        let decoded = EventRef {
            key,
            value: bytes_of(seen.value.data),
            ..*event
        };
        let decoding = Decoding {
            key: format_of(seen.key.data),
            value: format_of(seen.value.data),
        };
        let verdict = seen.schema.map(|checked| checked.verdict);
        self.desk.native.verdict(verdict);
        query.judge(&decoded, decoding, &mut self.desk, |_| seen)
    }
}

/// The bytes that stand for decoded data.
fn bytes_of(data: Decoded<'_>) -> Option<&[u8]> {
    match data {
        Decoded::Null => None,
        Decoded::Json(json) => Some(json.as_bytes()),
        Decoded::Text(text) => Some(text.as_bytes()),
        Decoded::Binary(bytes) => Some(bytes),
    }
}

const fn format_of(data: Decoded<'_>) -> Format {
    match data {
        Decoded::Null => Format::Auto,
        Decoded::Json(_) => Format::Json,
        Decoded::Text(_) => Format::Text,
        Decoded::Binary(_) => Format::Binary,
    }
}

impl Compiled {
    /// Tests everything but the key. `see` is asked for the event only if jq must decide.
    fn judge<'a>(
        &self,
        event: &EventRef<'a>,
        decoding: Decoding,
        desk: &mut Desks,
        see: impl Fn(&EventRef<'a>) -> Seen<'a>,
    ) -> Result<Verdict, SelectError> {
        if !self.wheres().all(|w| w.condition.allows(event))
            || !self.greps.iter().all(|grep| grep.matches(event))
            || !self.filters.iter().all(|filter| filter.allows(event))
        {
            return Ok(Verdict::Drop);
        }
        let mut input = None;
        for expression in self.wheres() {
            let native = expression.native.as_ref().ok();
            let truth = native.map(|n| n.test(event, decoding, &mut desk.native));
            let verdict = match truth {
                Some(Ok(true)) => Verdict::Keep,
                Some(Ok(false)) => Verdict::Drop,
                Some(Err(Without::Failed)) => Verdict::Failed,
                Some(Err(Without::Unknown)) | None => {
                    if input.is_none() {
                        desk.object.clear();
                        object::write(&mut desk.object, event, &see(event));
                        input = Input::read(&desk.object).ok();
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
