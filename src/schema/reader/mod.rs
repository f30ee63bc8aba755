//! One thread's decoder of events. `work` finds out what bytes are; here is what is kept from
//! event to event, and how it is put together into what was seen.

mod apply;
mod declared;
mod explain;
mod facets;
mod frames;
mod lookup;
mod made;
mod plans;
#[cfg(test)]
mod tests;
mod work;

use super::decoder::Decoder;
use super::sources::Side;
use crate::event::{Checked, Decoding, EventRef, SchemaFault, SchemaId, SchemaVerdict, Seen};
pub use explain::{Explained, Trail};
use made::{Id, Made};
use plans::Plans;
use work::{Tools, Work};

/// Decodes events; keeps its buffers from event to event.
pub struct Reader {
    decoder: Decoder,
    plain: Option<Decoding>,
    judges: bool,
    plans: Plans,
    tools: Tools,
    key: Desk,
    value: Desk,
}

/// Buffers of one side of an event.
#[derive(Default)]
struct Desk {
    /// JSON text that was made of the bytes.
    out: Vec<u8>,
    /// What the bytes inflated to.
    inflated: Vec<u8>,
    /// Why the bytes were not taken.
    said: String,
    /// The schema's id, where it is no number.
    id: String,
    faults: Vec<SchemaFault>,
}

impl Clone for Reader {
    /// The same for one more thread, with buffers of its own.
    fn clone(&self) -> Self {
        Self::new(self.decoder.clone(), self.judges)
    }
}

impl Reader {
    pub(super) fn new(decoder: Decoder, judges: bool) -> Self {
        Self {
            plain: decoder.plain(),
            judges: judges && decoder.has_schemas(),
            decoder,
            plans: Plans::default(),
            tools: Tools::default(),
            key: Desk::default(),
            value: Desk::default(),
        }
    }

    /// What the event says.
    #[inline]
    pub fn see<'a>(&'a mut self, event: &EventRef<'a>) -> Seen<'a> {
        match self.plain {
            Some(decoding) => decoding.see(event),
            None => self.look(event),
        }
    }

    fn look<'a>(&'a mut self, event: &EventRef<'a>) -> Seen<'a> {
        self.look_along(event, None)
    }

    /// Looks, and notes how key and value were understood.
    fn look_along<'a>(
        &'a mut self,
        event: &EventRef<'a>,
        trails: Option<(&mut Trail, &mut Trail)>,
    ) -> Seen<'a> {
        let settings = &*self.decoder.settings;
        let (of_key, of_value) = trails.unzip();
        let (plan, ids) = self.plans.of(&event.stream.topic, &self.decoder);
        let mut work = Work {
            schemas: settings.schemas.as_ref(),
            judges: false,
            tools: &mut self.tools,
            ids,
            event,
            patience: self.decoder.patience(),
            trail: of_key,
        };
        let key = work.decode(Side::Key, event.key, &mut plan.key, &mut self.key);
        work.judges = self.judges;
        work.trail = of_value;
        let value = work.decode(Side::Value, event.value, &mut plan.value, &mut self.value);
        Seen {
            key: key.content(&self.key),
            value: value.content(&self.value),
            schema: self.judges.then(|| checked(&value, &self.value)),
        }
    }
}

fn checked<'a>(made: &Made<'a>, desk: &'a Desk) -> Checked<'a> {
    Checked {
        verdict: made.verdict.unwrap_or(SchemaVerdict::None),
        id: made.id.map(|id| match id {
            Id::Number(id) => SchemaId::Number(id),
            Id::Text => SchemaId::Text(&desk.id),
        }),
        faults: &desk.faults,
    }
}
