//! How keys and values are decoded, as the user asked for it: shared by all threads. The work
//! itself is a `Reader`'s.

use std::fmt;
use std::sync::Arc;

use super::pins::Pins;
use super::reader::Reader;
use super::schemas::Schemas;
use crate::event::Decoding;

/// How the events of all topics are decoded. Cheap to clone.
#[derive(Clone, Default)]
pub struct Decoder(pub(super) Arc<Settings>);

/// What a [`Decoder`] goes by.
#[derive(Default)]
pub(super) struct Settings {
    /// For every topic that has none of its own.
    pub(super) pins: Pins,
    /// Pins of single topics: the first that takes the name counts.
    pub(super) topics: Vec<(TopicNames, Pins)>,
    pub(super) schemas: Option<Schemas>,
}

/// Whether a name or glob takes a topic.
pub type TopicNames = Box<dyn Fn(&str) -> bool + Send + Sync>;

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("pins", &self.0.pins)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// Without schemas.
    pub fn pinned(pins: Pins) -> Self {
        Self::new(pins, Vec::new(), None)
    }

    pub fn new(pins: Pins, topics: Vec<(TopicNames, Pins)>, schemas: Option<Schemas>) -> Self {
        Self(Arc::new(Settings {
            pins,
            topics,
            schemas,
        }))
    }

    /// How to decode when that needs nothing but the bytes themselves: what can be done in place.
    pub fn plain(&self) -> Option<Decoding> {
        let alone = self.0.topics.is_empty() && self.0.schemas.is_none();
        if alone { self.0.pins.plain() } else { None }
    }

    /// Whether events are checked against schemas.
    pub fn has_schemas(&self) -> bool {
        self.0.schemas.is_some()
    }

    pub fn schemas(&self) -> Option<&Schemas> {
        self.0.schemas.as_ref()
    }

    /// One thread's part, which also tells what the schemas say.
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone(), true)
    }

    /// One thread's part, which only decodes.
    pub fn looker(&self) -> Reader {
        Reader::new(self.clone(), false)
    }
}

impl From<Decoding> for Decoder {
    fn from(decoding: Decoding) -> Self {
        Self::pinned(Pins::from(decoding))
    }
}
