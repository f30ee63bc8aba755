//! The selection, applied to messages where they lie; only what is kept is copied. One filter
//! belongs to one thread.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::messages::{Message, Messages};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{
    ArenaFull, Batch, BatchPool, EventRef, HeaderBuf, Headers, Position, Scanned, Select,
    SelectWorker, Streams, Verdict,
};

/// One thread's part of the work.
pub(super) struct Filter {
    worker: Box<dyn SelectWorker>,
    keeps_all: bool,
    needs_headers: bool,
    headers: HeaderBuf,
    pool: BatchPool,
}

impl Filter {
    pub(super) fn new(select: &dyn Select, pool: BatchPool) -> Self {
        Self {
            worker: select.worker(),
            keeps_all: select.keeps_all(),
            needs_headers: select.needs_headers(),
            headers: HeaderBuf::default(),
            pool,
        }
    }

    /// The events of the array that are kept. There is at least one batch, for the counts.
    pub(super) fn run(&mut self, messages: &Messages, streams: &Streams) -> Result<Vec<Batch>> {
        let mut full = Vec::new();
        let mut batch = self.pool.batch(Arc::clone(streams));
        for (stream, message) in messages.iter() {
            self.one(&mut batch, streams, stream, message)?;
            if batch.is_full() {
                full.push(std::mem::replace(
                    &mut batch,
                    self.pool.batch(Arc::clone(streams)),
                ));
            }
        }
        if batch.scanned != Scanned::default() || full.is_empty() {
            full.push(batch);
        }
        Ok(full)
    }

    fn one(
        &mut self,
        batch: &mut Batch,
        streams: &Streams,
        stream: u32,
        message: Message<'_>,
    ) -> Result<()> {
        self.headers.clear();
        let early = self.keeps_all || self.needs_headers;
        if early {
            message.headers(&mut self.headers);
        }
        let tested = event(streams, stream, message, self.headers.as_headers());
        batch.scanned.events += 1;
        batch.scanned.bytes += tested.size() as u64;
        if !self.keeps_all {
            match self.worker.test(&tested)? {
                Verdict::Keep => {}
                Verdict::Drop => return Ok(()),
                Verdict::Failed => {
                    batch.scanned.failed += 1;
                    return Ok(());
                }
            }
        }
        if !early {
            message.headers(&mut self.headers);
            batch.scanned.bytes += self.headers.as_headers().encoded().len() as u64;
        }
        let mut kept = event(streams, stream, message, self.headers.as_headers());
        if !self.keeps_all {
            kept = self.worker.reduce(&kept);
        }
        batch.push(&kept).map_err(|full: ArenaFull| {
            Error::new(ErrorKind::Broker, format!("take over an event: {full}"))
        })
    }
}

fn event<'a>(
    streams: &'a Streams,
    stream: u32,
    message: Message<'a>,
    headers: Headers<'a>,
) -> EventRef<'a> {
    let (timestamp, timestamp_type) = message.timestamp();
    EventRef {
        stream: &streams[stream as usize],
        stream_index: stream,
        position: Position::offset(message.offset()),
        timestamp,
        timestamp_type,
        key: message.key(),
        value: message.value(),
        headers,
        meta: None,
    }
}

/// What a worker is given: messages, and where their batches go.
struct Job {
    messages: Messages,
    streams: Streams,
    done: oneshot::Sender<Result<Vec<Batch>>>,
}

/// Filters on threads of their own. Each array's batches come back on its own channel, so whoever
/// waits for these in order gets the events in order.
pub(super) struct Workers {
    jobs: SyncSender<Job>,
}

impl Workers {
    pub(super) fn start(count: usize, select: &Arc<dyn Select>, pool: &BatchPool) -> Result<Self> {
        let (jobs, waiting) = sync_channel(count);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..count {
            let (waiting, select, pool) = (Arc::clone(&waiting), Arc::clone(select), pool.clone());
            thread::Builder::new()
                .name(format!("kafka-select-{number}"))
                .spawn(move || work(&waiting, &*select, pool))
                .map_err(|e| Error::new(ErrorKind::Broker, format!("start a thread: {e}")))?;
        }
        Ok(Self { jobs })
    }

    /// Hands an array to the next free worker; blocks while all are busy. The workers end when
    /// this value is dropped.
    pub(super) fn run(
        &self,
        messages: Messages,
        streams: &Streams,
    ) -> oneshot::Receiver<Result<Vec<Batch>>> {
        let (done, result) = oneshot::channel();
        let job = Job {
            messages,
            streams: Arc::clone(streams),
            done,
        };
        // When every worker has died the job is dropped with its sender, and the receiver tells.
        drop(self.jobs.send(job));
        result
    }
}

fn work(waiting: &Mutex<Receiver<Job>>, select: &dyn Select, pool: BatchPool) {
    let mut filter = Filter::new(select, pool);
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = job else { return };
        let batches = filter.run(&job.messages, &job.streams);
        drop(job.messages);
        drop(job.done.send(batches));
    }
}
