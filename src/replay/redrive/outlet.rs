//! What is written to one place: a sink with what waits for it, and what went.

use std::sync::Arc;

use crate::broker::{BoxFuture, Result, Sink, Written};
use crate::event::{Batch, Streams};

/// One place that is written to.
pub(super) struct Outlet {
    sink: Box<dyn Sink>,
    /// The streams of all that it can be sent.
    table: Streams,
    pub(super) out: Batch,
    pub(super) sent: Sent,
    /// It is a recording: times stay, and events are numbered here.
    pub(super) is_file: bool,
    /// Of each stream, the number of the next event.
    next: Vec<u64>,
}

/// What went to one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Taken over by the sink.
    pub sent: u64,
    /// Begun to send when it ended: there or not.
    pub in_doubt: u64,
    /// Stored, by its own word.
    pub acknowledged: u64,
}

impl Outlet {
    pub(super) fn new(sink: Box<dyn Sink>, table: &Streams, is_file: bool) -> Self {
        Self {
            sink,
            table: Arc::clone(table),
            out: Batch::new(Arc::clone(table)),
            sent: Sent::default(),
            is_file,
            next: vec![0; table.len()],
        }
    }

    /// The number that the next event of a stream gets.
    pub(super) fn number(&mut self, stream: u32) -> u64 {
        let Some(next) = self.next.get_mut(stream as usize) else {
            return 0;
        };
        *next += 1;
        *next - 1
    }

    pub(super) fn table(&self) -> &Streams {
        &self.table
    }

    /// Sends what waits.
    pub(super) async fn send(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::replace(&mut self.out, Batch::new(Arc::clone(&self.table)));
        let events = out.len() as u64;
        self.sent.in_doubt += events;
        self.sink.send(&out).await?;
        self.sent.in_doubt -= events;
        self.sent.sent += events;
        Ok(())
    }

    /// Waits until all that was sent is stored.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.sent.acknowledged = self.sink.flush().await?.events;
        Ok(())
    }

    pub(super) async fn finish(&mut self) -> Result<()> {
        self.flush().await?;
        self.sink.finish().await
    }
}

/// A sink that drops everything, for previews.
pub(super) struct Nowhere(pub(super) u64);

impl Sink for Nowhere {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        self.0 += batch.len() as u64;
        Box::pin(async { Ok(()) })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        let written = Written {
            events: self.0,
            bytes: 0,
        };
        Box::pin(async move { Ok(written) })
    }
}
