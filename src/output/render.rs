//! Turns whole batches into pieces of bytes: the work of one printing thread. Where the pieces go
//! is not known here.

use super::out::PrintError;
use super::{Frame, MappedWriter, Writer};
use crate::event::{Batch, object};
use crate::query::{JqMap, JqMapWorker, MapOutcome};
use crate::schema::Reader;

/// A piece is given away at this size: what most batches give fits into one or two, and a batch of
/// any size needs no more memory than that.
const PIECE_BYTES: usize = 256 * 1024;

/// Where a full piece goes; it comes back empty.
pub(super) type Full<'a> = &'a mut dyn FnMut(&mut Vec<u8>) -> Result<(), PrintError>;

/// Prints events, or what `--map` made of them.
pub(super) enum Renderer {
    Events(Box<dyn Writer>),
    Mapped(Box<Mapped>),
}

pub(super) struct Mapped {
    writer: Box<dyn MappedWriter>,
    map: JqMap,
    worker: JqMapWorker,
    reader: Reader,
    /// The event object that the program sees; reused.
    object: Vec<u8>,
}

impl Renderer {
    pub(super) fn mapped(writer: Box<dyn MappedWriter>, map: JqMap, reader: Reader) -> Self {
        Self::Mapped(Box::new(Mapped {
            writer,
            worker: map.worker(),
            map,
            reader,
            object: Vec::new(),
        }))
    }

    /// The same for one more thread.
    pub(super) fn fork(&self) -> Self {
        match self {
            Self::Events(writer) => Self::Events(writer.fork()),
            Self::Mapped(mapped) => Self::mapped(
                mapped.writer.fork_mapped(),
                mapped.map.clone(),
                mapped.reader.clone(),
            ),
        }
    }

    pub(super) fn frame(&self) -> &dyn Frame {
        match self {
            Self::Events(writer) => &**writer,
            Self::Mapped(mapped) => &*mapped.writer,
        }
    }

    /// Appends what the batch gives to `out`, a piece that is still empty. The last piece is left
    /// there. Tells on how many events `--map` failed.
    pub(super) fn batch(
        &mut self,
        batch: &Batch,
        out: &mut Vec<u8>,
        full: Full<'_>,
    ) -> Result<u64, PrintError> {
        match self {
            Self::Events(writer) => {
                let separator = writer.separator();
                for event in batch.iter() {
                    if !out.is_empty() {
                        out.extend_from_slice(separator);
                    }
                    writer.event(out, &event);
                    if out.len() >= PIECE_BYTES {
                        full(out)?;
                    }
                }
                Ok(0)
            }
            Self::Mapped(mapped) => mapped.batch(batch, out, full),
        }
    }
}

impl Mapped {
    fn batch(
        &mut self,
        batch: &Batch,
        out: &mut Vec<u8>,
        full: Full<'_>,
    ) -> Result<u64, PrintError> {
        let separator = self.writer.separator();
        let mut failed = 0;
        for event in batch.iter() {
            self.object.clear();
            object::write(&mut self.object, &event, &self.reader.see(&event));
            let mut given = Ok(());
            let outcome = self.worker.run(&self.object, &mut |text| {
                if given.is_err() {
                    return;
                }
                if !out.is_empty() {
                    out.extend_from_slice(separator);
                }
                self.writer.mapped(out, text.json);
                // One event can give any number of texts.
                if out.len() >= PIECE_BYTES {
                    given = full(out);
                }
            })?;
            given?;
            failed += u64::from(matches!(outcome, MapOutcome::Failed(_)));
        }
        Ok(failed)
    }
}
