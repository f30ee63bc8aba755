//! The schemas that are known, from where they are to what they can be used for.

use std::sync::Arc;
use std::time::Duration;

use super::catalog::Catalog;
use super::compiler::{Compiler, Ready};
use super::sources::{Answer, SchemaId, Wanted};

/// A source of schemas, and what was compiled of it.
pub struct Schemas {
    catalog: Catalog,
    compiler: Arc<Compiler>,
    /// For how long an answer of a registry about a topic counts.
    counts: Duration,
}

/// How often a reader asks again for a topic's schema: a subject may be registered, or get another
/// version. Over the network the registry is asked less often, whoever asks.
const COUNTS: Duration = Duration::from_secs(5);

/// What asking for a schema came to.
pub(super) enum Found {
    Ready(Arc<Ready>),
    Missing,
    /// Not now, and why.
    Unavailable(Arc<str>),
    /// It is known, and will be of use soon.
    Compiling,
}

impl Schemas {
    pub fn new(catalog: Catalog, formats: bool) -> Self {
        Self {
            catalog,
            compiler: Arc::new(Compiler::new(formats)),
            counts: COUNTS,
        }
    }

    #[cfg(test)]
    pub(super) fn ask_again_after(self, counts: Duration) -> Self {
        Self { counts, ..self }
    }

    /// For how long what it says of a topic counts; `None`: for good.
    pub(super) fn counts(&self) -> Option<Duration> {
        self.catalog.may_change().then_some(self.counts)
    }

    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Waits no longer than that for an answer, and no longer than that for another thread to
    /// compile it.
    pub(super) fn by_id(&self, id: &SchemaId, patience: Duration) -> Found {
        self.found(self.catalog.by_id(id, patience), None, patience)
    }

    /// `before` is what it came to the last time.
    pub(super) fn for_topic(
        &self,
        wanted: &Wanted<'_>,
        version: Option<&str>,
        before: Option<&Arc<Ready>>,
        patience: Duration,
    ) -> Found {
        let answer = self.catalog.for_topic(wanted, version, patience);
        self.found(answer, before, patience)
    }

    fn found(&self, answer: Answer, before: Option<&Arc<Ready>>, patience: Duration) -> Found {
        match answer {
            Answer::Found(known) => {
                let before = before.filter(|ready| Arc::ptr_eq(&ready.known, &known));
                before
                    .cloned()
                    .or_else(|| self.compiler.compiled(&known, patience))
                    .map_or(Found::Compiling, Found::Ready)
            }
            Answer::Missing => Found::Missing,
            Answer::Unavailable(why) => Found::Unavailable(why),
            Answer::Pending => Found::Unavailable("the schema is being fetched".into()),
        }
    }
}
