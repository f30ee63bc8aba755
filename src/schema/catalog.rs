//! Who is asked for schemas: a registry, a folder or an AsyncAPI document, or the embedded broker.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::sources::{Answer, Known, SchemaId, Side, Sources, Wanted};
use super::{Language, Source};
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

    /// Whether the type of an event, or the version that its header names, says which schema it
    /// has.
    pub(super) fn facets(&self) -> (bool, bool) {
        match self {
            Self::Sources(sources) => (sources.goes_by_event_type(), false),
            Self::Demo => (false, true),
        }
    }

    /// Whether files are asked, which may have several schemas for one topic.
    pub(super) fn has_files(&self) -> bool {
        match self {
            Self::Sources(sources) => sources.goes_by_event_type(),
            Self::Demo => false,
        }
    }

    /// All schemas of a topic's values, the oldest version first.
    pub fn versions(&self, topic: &str, patience: Duration) -> Vec<Arc<Known>> {
        match self {
            Self::Sources(_) => {
                // Folders and documents have one; what a registry has is listed by subject.
                match self.for_topic(&Wanted::of(topic, Side::Value), None, patience) {
                    Answer::Found(known) => vec![known],
                    _ => Vec::new(),
                }
            }
            Self::Demo => DEMO
                .iter()
                .filter(|(of, _)| *of == topic)
                .map(|(_, known)| known.clone())
                .collect(),
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
