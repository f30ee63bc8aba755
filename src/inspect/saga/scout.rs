//! What an event is to the sagas of a model, told by the event alone: the part of the fold that any
//! thread can do, and the dear one, as it looks into values.

use std::sync::Arc;

use super::model::{Model, StepNumber};
use super::store::POISON;
use crate::event::{Decoded, EventRef, SchemaVerdict};
use crate::inspect::top::{self, Value};
use crate::inspect::window::Keyed;
use crate::inspect::{Heads, Names};
use crate::schema::Reader;

/// What an event is to the sagas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::inspect) enum Sight {
    #[default]
    Nothing,
    /// A step of a saga that is not named.
    Nameless,
    /// A step, perhaps one that could not be decoded, of the saga whose id has this hash.
    Step(StepNumber, u64),
}

/// Looks at events. Several of them, with the same hash, can share a read.
pub(in crate::inspect) struct Scout {
    model: Arc<Model>,
    names: Names,
    hash: Keyed,
    /// Decodes values that are no JSON themselves.
    reader: Option<Reader>,
}

impl Scout {
    pub(super) fn new(model: Arc<Model>, hash: Keyed, reader: Option<Reader>) -> Self {
        Self {
            model,
            names: Names::default(),
            hash,
            reader,
        }
    }

    pub(in crate::inspect) fn look(&mut self, event: &EventRef<'_>, heads: &Heads<'_>) -> Sight {
        let value = top::look(event.value, &self.names);
        let kind = match value {
            Value::Json { kind } => heads.kind.or(kind),
            Value::Nothing | Value::Other => heads.kind,
        };
        let mut step = kind.and_then(|kind| self.model.step(kind));
        if value == Value::Other {
            step = self.decoded(event, step);
        }
        let Some(step) = step else {
            return Sight::Nothing;
        };
        match self.model.id(event) {
            Some(id) => Sight::Step(step, self.hash.hash(0, id)),
            None if step == POISON => Sight::Nothing,
            None => Sight::Nameless,
        }
    }

    /// A value that is no JSON: can it be decoded, and does it then say what it is?
    fn decoded(&mut self, event: &EventRef<'_>, step: Option<StepNumber>) -> Option<StepNumber> {
        let like_json = matches!(event.value, Some([b'{' | b'[', ..]));
        let Some(reader) = &mut self.reader else {
            return if like_json { Some(POISON) } else { step };
        };
        let seen = reader.see(event);
        let verdict = seen.schema.map(|checked| checked.verdict);
        match seen.value.data {
            Decoded::Json(json) => {
                step.or_else(|| match top::look(Some(json.as_bytes()), &self.names) {
                    Value::Json { kind } => self.model.step(kind?),
                    Value::Nothing | Value::Other => None,
                })
            }
            _ if verdict == Some(SchemaVerdict::Undecodable) || like_json => Some(POISON),
            _ => step,
        }
    }
}
