//! JSON Schema: documents compiled once, and values checked by them.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12; a schema without `$schema` is of 2020-12. `$ref` leads to
//! the references of the [`Source`] and to the drafts' own metaschemas, and nowhere else.

mod bounds;
mod describe;
pub(crate) mod documents;
mod faults;
pub(crate) mod index;
mod library;
mod metaschemas;
mod native;
mod settle;
mod size;
mod tape;
#[cfg(test)]
mod tests;
mod view;

use std::borrow::Cow;
use std::sync::Arc;

use self::bounds::Bounds;
pub use self::describe::describe;
use self::documents::Documents;
pub use self::faults::{Fault, Faults, MOST_FAULTS};
use self::index::Index;
use self::library::Library;
use self::native::{Program, Verdict};
use self::settle::settled;
use self::size::Size;
use self::tape::{Part, Tape};
use self::view::{Document, is_void};
use super::{DEEPEST, SchemaError, Source};
use crate::text::{JsonFault, JsonText};

/// A compiled schema. It is shared by threads; each has its own [`Bench`].
pub struct Validator {
    library: Library,
    /// Judges what is common; absent where the schema is beyond it.
    native: Option<Program>,
    bounds: Bounds,
}

/// What checking needs beside the schema; its memory is kept from event to event.
#[derive(Debug, Default)]
pub struct Bench {
    tape: Tape,
}

impl Bench {
    /// Checks whether bytes are JSON and keeps its parts for [`Validator::check_read`]: half the
    /// work of doing the one after the other.
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<JsonText<'a>, JsonFault> {
        // What is no JSON is gone through again, to say why.
        self.tape
            .read(bytes)
            .map_or_else(|| JsonText::parse(bytes), Ok)
    }
}

impl Validator {
    /// Compiles a schema. `formats`: `format` is asserted, in every draft; else it is not, in none.
    ///
    /// Errors: a text that is no schema, longer than 32 MiB or nested deeper than 127 levels; a
    /// `$ref` to what is not given, by name; more than 100,000 objects, 1,000,000 values, 50,000
    /// references or 5,000 patterns, or references that multiply; a pattern of more than 8 MiB when
    /// compiled, less among many others.
    pub fn compile(source: &Source, formats: bool) -> Result<Self, SchemaError> {
        let documents = Arc::new(Documents::read(source)?);
        let size = Size::of(&documents)?;
        let index = Index::new(&documents);
        let bounds = Bounds::of(&index, &index.roots())?;
        let library = Library::compile(&documents, size.patterns, formats)?;
        let native = (!bounds.goes_round()).then(|| Program::compile(&index, formats));
        Ok(Self {
            library,
            native: native.flatten(),
            bounds,
        })
    }

    /// True when the event is valid; else `faults` says what is wrong. What was in it goes.
    ///
    /// An event that cannot be judged is not valid either: nested deeper than 127 levels, or such
    /// that schema and event together would take too long. Then the fault has no keyword, or that
    /// of the pattern which gave up. Half a surrogate pair counts as U+FFFD; of a name that comes
    /// twice in one object the last value counts.
    pub fn check(&self, text: JsonText<'_>, bench: &mut Bench, faults: &mut Faults) -> bool {
        bench.tape.read(text.as_bytes());
        self.check_read(text, bench, faults)
    }

    /// As [`Validator::check`] for the text that `bench` has just read.
    pub fn check_read(&self, text: JsonText<'_>, bench: &Bench, faults: &mut Faults) -> bool {
        faults.clear();
        let parts = bench.tape.parts();
        if parts.is_empty() {
            faults.give_up("longer than 256 MiB");
            return false;
        }
        if bench.tape.deepest() >= DEEPEST {
            faults.give_up("nested deeper than 127 levels");
            return false;
        }
        if !self.bounds.admit(parts.len(), bench.tape.deepest()) {
            faults.give_up("the schema would take too long on an event of this size");
            return false;
        }
        let native = self.native.as_ref();
        let verdict = native.map(|native| native.judge(text.as_str(), &bench.tape));
        verdict == Some(Verdict::Valid) || self.by_library(text.as_str(), parts, faults)
    }

    /// True when the schema is of the common kind that is judged without the library.
    pub fn is_native(&self) -> bool {
        self.native.is_some()
    }

    fn by_library(&self, text: &str, parts: &[Part], faults: &mut Faults) -> bool {
        match settled(text, parts) {
            Some(Cow::Borrowed(_)) => self.judge(text, parts, faults),
            Some(Cow::Owned(text)) => {
                let mut tape = Tape::default();
                let read = tape.read(text.as_bytes()).is_some();
                read && self.judge(&text, tape.parts(), faults)
            }
            None => {
                faults.give_up("cannot be read");
                false
            }
        }
    }

    fn judge(&self, text: &str, parts: &[Part], faults: &mut Faults) -> bool {
        let document = Document::new(text, parts, self.library.patterns);
        let valid = self.library.validator.is_valid(document.root());
        if document.is_exhausted() {
            faults.give_up("the schema takes too long on this event");
            return false;
        }
        if !valid {
            self.explain(text, parts, faults);
        }
        valid
    }

    /// Says what is wrong with an event that is not valid.
    fn explain(&self, text: &str, parts: &[Part], faults: &mut Faults) {
        let patterns = self.library.patterns;
        let document = Document::to_explain(text, parts, patterns);
        let errors = self.library.validator.iter_errors(document.root());
        // With the whole as a tree it cannot be told which errors mean nothing.
        if !(patterns.backtrack() && document.is_exhausted()) {
            let errors = errors.filter(|error| !is_void(error));
            for error in errors.take(MOST_FAULTS + 1) {
                faults.push(faults::fault(&error, text, parts));
            }
        }
        if faults.list().is_empty() {
            faults.give_up(if patterns.backtrack() {
                "not valid, or a pattern gave up; which takes too long to find out"
            } else {
                "not valid; where takes too long to find out on an event of this size"
            });
        }
    }
}
