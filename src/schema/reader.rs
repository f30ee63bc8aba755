//! One thread's decoder of events.

use super::decoder::Decoder;
use crate::event::{Decoding, EventRef, Seen};

/// Decodes events; keeps its buffers from event to event.
pub struct Reader {
    decoder: Decoder,
    plain: Option<Decoding>,
    judges: bool,
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
            decoder,
            judges,
        }
    }

    /// What the event says.
    #[inline]
    pub fn see<'a>(&'a mut self, event: &EventRef<'a>) -> Seen<'a> {
        if let Some(decoding) = self.plain {
            return decoding.see(event);
        }
        Decoding::default().see(event)
    }
}
