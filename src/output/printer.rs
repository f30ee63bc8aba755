//! The printer: formats what comes a little at a time where it stands, and a stream of full
//! batches on several threads. Either way the order stays.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::crew::{Crew, lock};
use super::out::{Out, PrintError};
use super::render::Renderer;
use super::{MappedWriter, Writer};
use crate::event::{BATCH_BYTES, BATCH_EVENTS, Batch};
use crate::query::JqMap;
use crate::schema::Decoder;

/// Full batches that are formatted before threads are started: a short read needs none.
const BEFORE_THREADS: u32 = 2;
/// More threads than these get in each other's way.
const MOST_THREADS: usize = 4;
/// A buffer that one huge event made larger is given back.
const PIECE_KEPT: usize = 1024 * 1024;

/// Prints batches, or what `--map` makes of them.
pub struct Printer {
    renderer: Renderer,
    out: Arc<Mutex<Out>>,
    piece: Vec<u8>,
    at_once: bool,
    /// None when batches are formatted where they arrive.
    threads: usize,
    full: u32,
    crew: Option<Crew>,
    /// A batch for which there was no room yet.
    waiting: Option<Batch>,
    failed: u64,
}

impl Printer {
    pub fn events(writer: Box<dyn Writer>, sink: Box<dyn Write + Send>) -> Self {
        Self::new(Renderer::Events(writer), sink)
    }

    /// Events are decoded as told before the program sees them.
    pub fn mapped(
        writer: Box<dyn MappedWriter>,
        map: JqMap,
        decoder: &Decoder,
        sink: Box<dyn Write + Send>,
    ) -> Self {
        Self::new(Renderer::mapped(writer, map, decoder.reader()), sink)
    }

    fn new(renderer: Renderer, sink: Box<dyn Write + Send>) -> Self {
        let mut head = Vec::new();
        renderer.frame().begin(&mut head);
        let out = Out::new(sink, head, renderer.frame().separator());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            renderer,
            out: Arc::new(Mutex::new(out)),
            piece: Vec::new(),
            at_once: false,
            threads: 0,
            full: 0,
            crew: None,
            waiting: None,
            failed: 0,
        }
        .threads(if cores > 1 { cores } else { 0 })
    }

    /// On how many threads a stream of full batches is formatted; with none, where it arrives.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.min(MOST_THREADS);
        self
    }

    /// Somebody watches: each batch is handed on at once.
    #[must_use]
    pub fn at_once(mut self, at_once: bool) -> Self {
        self.at_once = at_once;
        self
    }

    /// Prints a batch, or hands it to the threads that will; waits while they are behind. A future
    /// that is dropped loses nothing: the batch is printed by the next call.
    pub async fn batch(&mut self, batch: Batch) -> Result<(), PrintError> {
        self.catch_up().await?;
        if batch.is_empty() {
            return Ok(());
        }
        let full = is_full(&batch);
        if full && self.crew.is_none() && self.threads > 0 {
            self.start();
        }
        match &mut self.crew {
            // The threads are for what comes in bulk, and for what must stand behind it.
            Some(crew) if full || !crew.is_idle() => {
                self.waiting = Some(batch);
                crew.batch(&mut self.waiting).await
            }
            _ => self.print(&batch),
        }
    }

    async fn catch_up(&mut self) -> Result<(), PrintError> {
        match (&self.waiting, &mut self.crew) {
            (Some(_), Some(crew)) => crew.batch(&mut self.waiting).await,
            _ => Ok(()),
        }
    }

    fn start(&mut self) {
        self.full += 1;
        if self.full <= BEFORE_THREADS {
            return;
        }
        match Crew::start(&self.renderer, &self.out, self.threads, self.at_once) {
            Ok(crew) => self.crew = Some(crew),
            // A machine that gives no more threads still prints.
            Err(_) => self.threads = 0,
        }
    }

    /// Prints here and now.
    fn print(&mut self, batch: &Batch) -> Result<(), PrintError> {
        let mut out = lock(&self.out);
        let result = self.renderer.batch(batch, &mut self.piece, &mut |piece| {
            let put = out.put(piece);
            piece.clear();
            put
        });
        // What came before a fault is printed.
        let put = out.put(&self.piece);
        self.piece.clear();
        self.piece.shrink_to(PIECE_KEPT);
        self.failed += result?;
        put?;
        if self.at_once {
            out.flush()?;
        }
        Ok(())
    }

    /// Hands on everything: when nothing more is waiting for now, and at the end.
    pub async fn rest(&mut self) -> Result<(), PrintError> {
        self.catch_up().await?;
        match &mut self.crew {
            Some(crew) if !crew.is_idle() => crew.flush().await,
            _ => lock(&self.out).flush(),
        }
    }

    /// Events on which `--map` failed.
    pub fn failed(&self) -> u64 {
        self.failed + self.crew.as_ref().map_or(0, Crew::failed)
    }

    /// Closes what the format opened, an array for one, and hands on everything. To be called
    /// however the run ended, so that the output is whole.
    pub fn finish(self) -> Result<(), PrintError> {
        let ended = self.crew.map_or(Ok(()), Crew::end);
        let frame = self.renderer.frame();
        let finished = lock(&self.out).finish(|out, any| frame.finish(out, any));
        ended.and(finished)
    }
}

/// Full, or so nearly that the source did not wait for more.
fn is_full(batch: &Batch) -> bool {
    batch.bytes() >= BATCH_BYTES / 4 || batch.len() >= BATCH_EVENTS / 4
}

#[cfg(test)]
mod tests;
