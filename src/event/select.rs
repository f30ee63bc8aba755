//! The seam between a source and the query: what decides which events are handed on.
//! The expressions themselves live in `query`; sources see only this.

use super::{EventRef, Scanned};

/// A compiled selection, shared by all threads of a source.
pub trait Select: Send + Sync {
    /// The state of one thread: parsers, scratch buffers.
    fn worker(&self) -> Box<dyn SelectWorker>;

    /// True when every event is kept, so that a source need not look at it.
    fn keeps_all(&self) -> bool {
        false
    }

    /// False when the test looks at no header, so that a source may leave them out of the events
    /// that it tests. What is kept has them.
    fn needs_headers(&self) -> bool {
        true
    }
}

/// One thread's part of a selection.
pub trait SelectWorker: Send {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError>;

    /// What is handed on of an event that it keeps, for who needs less than all of it. The event's
    /// place and time stay.
    fn reduce<'e>(&'e mut self, event: &EventRef<'e>) -> EventRef<'e> {
        *event
    }

    /// The event as it is handed on, if it is kept. What fails is counted.
    fn kept<'e>(
        &'e mut self,
        event: &EventRef<'e>,
        scanned: &mut Scanned,
    ) -> Result<Option<EventRef<'e>>, SelectError> {
        let verdict = self.test(event)?;
        scanned.failed += u64::from(verdict == Verdict::Failed);
        Ok((verdict == Verdict::Keep).then(|| self.reduce(event)))
    }

    /// Other bytes are next for `seek`.
    fn begin(&mut self) {}

    /// The search for the next event worth a test, over a whole decompressed record batch, framing
    /// included. Gives a position, not below `from`: every event that begins at `from` or later
    /// and ends there or before would be dropped. `None` when all of them would be. `from` never
    /// falls until `begin` is called, so that the bytes are searched once however many hits they
    /// have.
    fn seek(&mut self, _bytes: &[u8], from: usize) -> Option<usize> {
        Some(from)
    }
}

/// What the selection says of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    Drop,
    /// The expression failed on this event (indexing a string, say): no match, and counted.
    Failed,
}

/// A selection that cannot go on: an expression that does not end on one event.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct SelectError {
    pub message: String,
}

/// Keeps everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct SelectAll;

impl Select for SelectAll {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Self)
    }

    fn keeps_all(&self) -> bool {
        true
    }
}

impl SelectWorker for SelectAll {
    fn test(&mut self, _event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        Ok(Verdict::Keep)
    }
}
