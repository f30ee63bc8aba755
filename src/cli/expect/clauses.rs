//! The conditions of an expectation, one by one: which of them an event fails tells more than that
//! it does not match.

use crate::cli::args::Select;
use crate::cli::error::Result;
use crate::cli::reading;
use crate::cli::session::Session;
use crate::event::{EventRef, Select as _, SelectError, SelectWorker, Verdict};
use crate::query::{Query, QuerySpec};

/// Each with the words by which the user gave it.
pub struct Clauses(Vec<(String, Query)>);

impl Clauses {
    pub fn of(session: &Session, sources: &[String], select: &Select) -> Result<Self> {
        let whole = reading::spec(session, sources, select)?;
        let empty = || QuerySpec {
            where_: Vec::new(),
            filters: Vec::new(),
            grep: Vec::new(),
            ignore_case: whole.ignore_case,
            fixed: whole.fixed,
            keys: Vec::new(),
            decoder: whole.decoder.clone(),
        };
        let mut specs: Vec<(String, QuerySpec)> = Vec::new();
        if !whole.keys.is_empty() {
            let shown = select.keys.iter().map(|key| format!("--key {key}"));
            let spec = QuerySpec {
                keys: whole.keys.clone(),
                ..empty()
            };
            specs.push((shown.collect::<Vec<_>>().join(" "), spec));
        }
        for text in &whole.where_ {
            let spec = QuerySpec {
                where_: vec![text.clone()],
                ..empty()
            };
            specs.push((format!("--where '{text}'"), spec));
        }
        for text in &whole.filters {
            let spec = QuerySpec {
                filters: vec![text.clone()],
                ..empty()
            };
            specs.push((format!("--filter '{text}'"), spec));
        }
        for text in &whole.grep {
            let spec = QuerySpec {
                grep: vec![text.clone()],
                ..empty()
            };
            specs.push((format!("--grep '{text}'"), spec));
        }
        let compiled = specs
            .into_iter()
            .map(|(words, spec)| Ok((words, Query::compile(&spec)?)));
        compiled.collect::<Result<_>>().map(Self)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(words, _)| words.as_str())
    }

    pub fn judge(&self) -> Judge<'_> {
        Judge {
            words: self.words().collect(),
            workers: self.0.iter().map(|(_, query)| query.worker()).collect(),
        }
    }
}

/// One thread's part.
pub struct Judge<'a> {
    words: Vec<&'a str>,
    workers: Vec<Box<dyn SelectWorker>>,
}

impl Judge<'_> {
    /// How many conditions the event fails.
    pub fn fails(&mut self, event: &EventRef<'_>) -> Result<usize, SelectError> {
        let mut fails = 0;
        for worker in &mut self.workers {
            fails += usize::from(worker.test(event)? != Verdict::Keep);
        }
        Ok(fails)
    }

    /// The conditions that it fails, in words.
    pub fn which(&mut self, event: &EventRef<'_>) -> Result<Vec<String>, SelectError> {
        let mut which = Vec::new();
        for (words, worker) in self.words.iter().zip(&mut self.workers) {
            if worker.test(event)? != Verdict::Keep {
                which.push((*words).to_owned());
            }
        }
        Ok(which)
    }
}
