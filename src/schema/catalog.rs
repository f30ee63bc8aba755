//! Who is asked for schemas: a registry, a folder or an AsyncAPI document, or the embedded broker.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::sources::{Answer, Known, Listed, RegistryState, SchemaId, Side, Sources, Wanted};
use super::{Language, SchemaError, Source};
use crate::broker::demo::SCHEMAS;

/// A source of schemas.
pub enum Catalog {
    Sources(Sources),
    /// The embedded broker's own.
    Demo,
}

/// The schemas of the demo, each with its topic and version.
static DEMO: LazyLock<Vec<(&str, Arc<Known>)>> = LazyLock::new(|| {
    let known = SCHEMAS.iter().map(|schema| {
        let known = Known {
            source: Arc::new(Source {
                language: Language::Json,
                text: schema.text.to_owned(),
                references: Vec::new(),
            }),
            id: None,
            subject: Some(format!("{}-value", schema.topic)),
            version: Some(schema.version),
            origin: "demo:".to_owned(),
        };
        (schema.topic, Arc::new(known))
    });
    known.collect()
});

impl Catalog {
    /// The schema of a topic whose bytes name none. `version` is what the event says of it.
    pub(super) fn for_topic(
        &self,
        wanted: &Wanted<'_>,
        version: Option<&str>,
        patience: Duration,
    ) -> Answer {
        match self {
            Self::Sources(sources) => sources.wait_for_topic(wanted, patience),
            Self::Demo if wanted.side == Side::Key => Answer::Missing,
            Self::Demo => {
                let version = version.and_then(|v| v.parse().ok()).unwrap_or(1);
                let found = DEMO.iter().find(|(topic, known)| {
                    *topic == wanted.topic && known.version == Some(version)
                });
                found.map_or(Answer::Missing, |(_, known)| Answer::Found(known.clone()))
            }
        }
    }

    pub(super) fn by_id(&self, id: &SchemaId, patience: Duration) -> Answer {
        match self {
            Self::Sources(sources) => sources.wait(id, patience),
            Self::Demo => Answer::Missing,
        }
    }

    /// The id of the schema that a URI is of, where one of the sources has it.
    pub(super) fn named(&self, uri: &str) -> Option<SchemaId> {
        match self {
            Self::Sources(sources) => sources.named(uri),
            Self::Demo => None,
        }
    }

    /// Whether the type of an event, or the version that its header names, says which schema it
    /// has.
    pub(super) fn facets(&self) -> (bool, bool) {
        match self {
            Self::Sources(sources) => (sources.goes_by_event_type(), false),
            Self::Demo => (false, true),
        }
    }

    /// Whether what it says of a topic can be another tomorrow.
    pub(super) fn may_change(&self) -> bool {
        self.registry_state().is_some()
    }

    /// Whether files are asked, which may have several schemas for one topic.
    pub(super) fn has_files(&self) -> bool {
        match self {
            Self::Sources(sources) => sources.goes_by_event_type(),
            Self::Demo => false,
        }
    }

    /// Every schema that there is for a topic, of all versions, the oldest first. Waits for a
    /// registry no longer than that.
    pub fn list(&self, topic: &str, patience: Duration) -> Result<Vec<Listed>, SchemaError> {
        match self {
            Self::Sources(sources) => sources.list(topic, patience),
            Self::Demo => {
                let own = DEMO.iter().filter(|(of, _)| *of == topic);
                let listed = own.map(|(_, known)| Listed {
                    side: Side::Value,
                    event_type: None,
                    answer: Answer::Found(known.clone()),
                });
                Ok(listed.collect())
            }
        }
    }

    /// The schemas that events of a topic have now when their bytes name none, as far as the topic
    /// alone decides. Waits for a registry no longer than that.
    pub(super) fn in_force(
        &self,
        topic: &str,
        patience: Duration,
    ) -> Result<Vec<Listed>, SchemaError> {
        match self {
            Self::Sources(sources) => Ok(sources.in_force(topic, patience)),
            // The version that an event names decides.
            Self::Demo => self.list(topic, patience),
        }
    }

    /// What was left out or is wrong in files, each a sentence fragment.
    pub fn problems(&self) -> Vec<&str> {
        match self {
            Self::Sources(sources) => sources.problems(),
            Self::Demo => Vec::new(),
        }
    }

    /// Whether the registry works; `None` where there is none.
    pub fn registry_state(&self) -> Option<RegistryState> {
        match self {
            Self::Sources(sources) => sources.registry_state(),
            Self::Demo => None,
        }
    }

    /// Where it is, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Sources(sources) => sources.describe(),
            Self::Demo => "the demo's own".to_owned(),
        }
    }
}
