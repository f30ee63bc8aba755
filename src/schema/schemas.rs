//! The schemas that are known, each compiled once, shared by all threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::avro::Avro;
use super::catalog::Catalog;
use super::json::Validator;
use super::protobuf::Protobuf;
use super::sources::{Answer, Known, SchemaId, Wanted};
use super::{Language, SchemaError};

/// Compiled schemas that are kept.
const KEPT: usize = 4_096;

/// A source of schemas, and what was compiled of it.
pub struct Schemas {
    catalog: Catalog,
    /// Whether JSON Schema's `format` is a rule.
    formats: bool,
    /// By the place of what was compiled, which is kept with it.
    compiled: Mutex<HashMap<usize, Arc<Ready>>>,
}

/// A schema that can be used, or why not.
pub(super) struct Ready {
    pub(super) known: Arc<Known>,
    pub(super) compiled: Result<Compiled, SchemaError>,
}

/// A schema of any language.
pub(super) enum Compiled {
    Avro(Avro),
    Json(Validator),
    Protobuf(Protobuf),
}

/// What asking for a schema came to.
pub(super) enum Found {
    Ready(Arc<Ready>),
    Missing,
    /// Not now, and why.
    Unavailable(Arc<str>),
}

impl Schemas {
    pub fn new(catalog: Catalog, formats: bool) -> Self {
        Self {
            catalog,
            formats,
            compiled: Mutex::default(),
        }
    }

    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Waits no longer than that.
    pub(super) fn by_id(&self, id: &SchemaId, patience: Duration) -> Found {
        self.found(self.catalog.by_id(id, patience))
    }

    pub(super) fn for_topic(
        &self,
        wanted: &Wanted<'_>,
        version: Option<&str>,
        patience: Duration,
    ) -> Found {
        self.found(self.catalog.for_topic(wanted, version, patience))
    }

    fn found(&self, answer: Answer) -> Found {
        match answer {
            Answer::Found(known) => Found::Ready(self.ready(known)),
            Answer::Missing => Found::Missing,
            Answer::Unavailable(why) => Found::Unavailable(why),
            Answer::Pending => Found::Unavailable("the schema is being fetched".into()),
        }
    }

    fn ready(&self, known: Arc<Known>) -> Arc<Ready> {
        let place = Arc::as_ptr(&known).addr();
        let lock = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = lock().get(&place) {
            return Arc::clone(ready);
        }
        // Compiled without the lock: another thread may do the same, and one of the two is kept.
        let compiled = compile(&known, self.formats);
        let ready = Arc::new(Ready { known, compiled });
        let mut all = lock();
        if all.len() >= KEPT {
            all.clear();
        }
        Arc::clone(all.entry(place).or_insert(ready))
    }
}

fn compile(known: &Known, formats: bool) -> Result<Compiled, SchemaError> {
    let source = &known.source;
    Ok(match source.language {
        Language::Avro => Compiled::Avro(Avro::compile(source)?),
        Language::Json => Compiled::Json(Validator::compile(source, formats)?),
        Language::Protobuf => Compiled::Protobuf(Protobuf::compile(source)?),
    })
}
