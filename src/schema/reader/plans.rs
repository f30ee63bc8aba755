//! How the topics are decoded, found out once for each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::schema::Decoder;
use crate::schema::compiler::Ready;
use crate::schema::pins::Pin;
use crate::schema::sources::SchemaId;

/// Schemas by what bytes name them.
pub(super) type Ids = HashMap<SchemaId, Arc<Ready>>;

/// The topics that were met.
#[derive(Default)]
pub(super) struct Plans {
    numbers: HashMap<Arc<str>, usize>,
    all: Vec<Plan>,
    /// The topic of the last event; most follow one of their own.
    last: Option<(Arc<str>, usize)>,
    ids: Ids,
}

/// How one topic is decoded.
pub(super) struct Plan {
    pub(super) key: SidePlan,
    pub(super) value: SidePlan,
}

/// How keys or values of one topic are decoded.
pub(super) struct SidePlan {
    pub(super) pin: Pin,
    /// The topic's schemas by what of an event decides between them.
    pub(super) of_topic: HashMap<String, OfTopic>,
    /// The ids of schemas that events name by URIs.
    pub(super) named: HashMap<String, Option<Arc<SchemaId>>>,
}

/// What was said of a topic's schema.
pub(super) struct OfTopic {
    /// `None`: there is none.
    pub(super) ready: Option<Arc<Ready>>,
    /// When to ask again; never where the answer cannot change.
    pub(super) again: Option<Instant>,
}

impl OfTopic {
    /// Whether that holds still.
    pub(super) fn counts(&self) -> bool {
        self.again.is_none_or(|again| Instant::now() < again)
    }
}

impl SidePlan {
    fn new(pin: Pin) -> Self {
        Self {
            pin,
            of_topic: HashMap::new(),
            named: HashMap::new(),
        }
    }
}

impl Plans {
    pub(super) fn of(&mut self, topic: &Arc<str>, decoder: &Decoder) -> (&mut Plan, &mut Ids) {
        let number = match &self.last {
            Some((last, number)) if Arc::ptr_eq(last, topic) => *number,
            _ => self.number(topic, decoder),
        };
        (&mut self.all[number], &mut self.ids)
    }

    fn number(&mut self, topic: &Arc<str>, decoder: &Decoder) -> usize {
        let number = if let Some(number) = self.numbers.get(topic) {
            *number
        } else {
            let number = self.all.len();
            let settings = &decoder.settings;
            let own = settings.topics.iter().find(|(takes, _)| takes(topic));
            let pins = own.map_or(settings.pins, |(_, pins)| *pins);
            self.all.push(Plan {
                key: SidePlan::new(decoder.pin(pins.key)),
                value: SidePlan::new(decoder.pin(pins.value)),
            });
            self.numbers.insert(Arc::clone(topic), number);
            number
        };
        self.last = Some((Arc::clone(topic), number));
        number
    }
}
