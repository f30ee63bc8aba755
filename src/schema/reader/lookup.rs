//! Finds schemas, and keeps at hand what was found.

use std::sync::Arc;
use std::time::Instant;

use super::Desk;
use super::facets::{event_type, version};
use super::plans::{OfTopic, SidePlan};
use super::work::Work;
use crate::schema::Language;
use crate::schema::compiler::Ready;
use crate::schema::schemas::Found;
use crate::schema::sources::{SchemaId, Side, Wanted};

/// Schemas that one thread keeps at hand.
const KEPT: usize = 1_024;

/// Why a topic's schema cannot be had now.
pub(super) enum NotNow {
    /// Nobody can tell.
    Unavailable(Arc<str>),
    /// There is one, which is being compiled.
    Compiling,
}

impl NotNow {
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Unavailable(why) => why,
            Self::Compiling => "the schema is being compiled",
        }
    }
}

impl Work<'_, '_> {
    /// The schema of that id. Nothing where nobody can be asked, or it is of another language.
    /// `Err`: it is not known; the desk says why.
    pub(super) fn find(
        &mut self,
        id: &SchemaId,
        only: Option<Language>,
        desk: &mut Desk,
    ) -> Result<Option<Arc<Ready>>, ()> {
        let Some(schemas) = self.schemas else {
            return Ok(None);
        };
        let wanted = |ready: &Arc<Ready>| only.is_none_or(|l| l == ready.known.source.language);
        if let Some(ready) = self.ids.get(id) {
            return Ok(Some(Arc::clone(ready)).filter(wanted));
        }
        match schemas.by_id(id, self.patience) {
            Found::Ready(ready) => {
                if self.ids.len() >= KEPT {
                    self.ids.clear();
                }
                self.ids.insert(id.clone(), Arc::clone(&ready));
                Ok(Some(ready).filter(wanted))
            }
            Found::Missing => {
                desk.said = format!("names the schema {id}, which is not known");
                Err(())
            }
            Found::Unavailable(why) => {
                desk.said = format!("names the schema {id}: {why}");
                Err(())
            }
            Found::Compiling => {
                desk.said = format!("names the schema {id}, which is being compiled");
                Err(())
            }
        }
    }

    /// The id of the schema that a URI is of.
    pub(super) fn named(&self, uri: &str, plan: &mut SidePlan) -> Option<Arc<SchemaId>> {
        if let Some(id) = plan.named.get(uri) {
            return id.clone();
        }
        let id = self.schemas?.catalog().named(uri).map(Arc::new);
        if plan.named.len() >= KEPT {
            plan.named.clear();
        }
        plan.named.insert(uri.to_owned(), id.clone());
        id
    }

    /// The schema of the topic. `Err`: nobody can tell now, and why.
    pub(super) fn of_topic(
        &mut self,
        side: Side,
        language: Option<Language>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Result<Option<Arc<Ready>>, NotNow> {
        let Some(schemas) = self.schemas else {
            return Ok(None);
        };
        let (by_type, by_version) = schemas.catalog().facets();
        let event_type = if by_type {
            event_type(self.event)
        } else {
            None
        };
        let version = if by_version {
            version(self.event)
        } else {
            None
        };
        let key = &mut desk.said;
        key.clear();
        for part in [event_type, version, language.map(Language::name)] {
            key.push_str(part.unwrap_or_default());
            key.push('\0');
        }
        let told = plan.of_topic.get(key.as_str());
        if let Some(told) = told.filter(|told| told.counts()) {
            return Ok(told.ready.clone());
        }
        let before = told.and_then(|told| told.ready.clone());
        let wanted = Wanted {
            event_type,
            language,
            ..Wanted::of(&self.event.stream.topic, side)
        };
        let found = match schemas.for_topic(&wanted, version, before.as_ref(), self.patience) {
            Found::Ready(ready) => Some(ready),
            Found::Missing => None,
            Found::Unavailable(why) => return Err(NotNow::Unavailable(why)),
            Found::Compiling => return Err(NotNow::Compiling),
        };
        if plan.of_topic.len() >= KEPT {
            plan.of_topic.clear();
        }
        let told = OfTopic {
            ready: found.clone(),
            again: schemas.counts().map(|time| Instant::now() + time),
        };
        plan.of_topic.insert(key.clone(), told);
        Ok(found)
    }
}
