//! How keys and values are decoded, as the user asked for it: shared by all threads. The work
//! itself is a `Reader`'s.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::pins::{Pin, Pins};
use super::reader::Reader;
use super::schemas::Schemas;
use crate::event::Decoding;

/// How the events of all topics are decoded. Cheap to clone.
#[derive(Clone, Default)]
pub struct Decoder {
    pub(super) settings: Arc<Settings>,
    /// Does not wait for a schema that is not there yet.
    hurried: bool,
    /// Looks for what describes itself, also without schemas.
    detects: bool,
}

/// How long a thread that reads a range waits for a schema that is asked for the first time. A
/// source that fails is not asked again for a minute, so this is not paid for each event.
const PATIENCE: Duration = Duration::from_secs(10);

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
            .field("pins", &self.settings.pins)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// Without schemas.
    pub fn pinned(pins: Pins) -> Self {
        Self::new(pins, Vec::new(), None)
    }

    pub fn new(pins: Pins, topics: Vec<(TopicNames, Pins)>, schemas: Option<Schemas>) -> Self {
        Self {
            settings: Arc::new(Settings {
                pins,
                topics,
                schemas,
            }),
            hurried: false,
            detects: false,
        }
    }

    /// The same for what must see values as they will be seen with schemas: what is not pinned is
    /// looked into for what describes itself.
    #[must_use]
    pub fn detecting(&self) -> Self {
        Self {
            detects: true,
            ..self.clone()
        }
    }

    /// The same with the same schemas, for who must not wait: what is not there yet is asked for
    /// by another thread, and until then counts as not known.
    #[must_use]
    pub fn impatient(&self) -> Self {
        Self {
            hurried: true,
            ..self.clone()
        }
    }

    /// The pin that counts.
    pub(super) const fn pin(&self, pin: Pin) -> Pin {
        match pin {
            Pin::Auto if self.detects => Pin::Detect,
            pin => pin,
        }
    }

    pub(super) const fn patience(&self) -> Duration {
        if self.hurried {
            Duration::ZERO
        } else {
            PATIENCE
        }
    }

    /// How to decode when that needs nothing but the bytes themselves: what can be done in place.
    pub fn plain(&self) -> Option<Decoding> {
        let alone =
            !self.detects && self.settings.topics.is_empty() && self.settings.schemas.is_none();
        if alone {
            self.settings.pins.plain()
        } else {
            None
        }
    }

    /// Whether events are checked against schemas.
    pub fn has_schemas(&self) -> bool {
        self.settings.schemas.is_some()
    }

    pub fn schemas(&self) -> Option<&Schemas> {
        self.settings.schemas.as_ref()
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
