//! The thread between a file and the one who asks for batches: bounded, ended by dropping the
//! source. What is read on it is the business of the formats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::file::{died, no_thread};
use crate::broker::{BoxFuture, Error, Result, Source, Subscription};
use crate::event::{BATCH_BYTES, Batch, EventRef, Scanned, SelectWorker};

/// Batches in flight at most: 8 × 256 KiB = 2 MiB; fewer when the budget is smaller.
const IN_FLIGHT: usize = 8;

/// How much of the range lies behind, and how long it is.
#[derive(Default)]
pub(super) struct Way {
    done: AtomicU64,
    total: AtomicU64,
}

impl Way {
    pub(super) fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn set_done(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }
}

enum Said {
    Batch(Batch),
    End,
    Failed(Error),
}

/// The thread's end of the line.
pub(super) struct Outlet {
    to: mpsc::Sender<Said>,
    pub(super) way: Arc<Way>,
}

/// Nobody reads any more: the thread ends.
#[derive(Debug)]
pub(super) struct Gone;

/// Why a reading thread ends early.
pub(super) enum Stop {
    Gone,
    Failed(Error),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Outlet {
    /// Hands a batch on; waits while the reader is busy.
    pub(super) fn send(&self, batch: Batch) -> Result<(), Gone> {
        self.to.blocking_send(Said::Batch(batch)).map_err(|_| Gone)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.to.is_closed()
    }
}

/// A source that is fed by a thread.
pub(super) struct Feed {
    from: mpsc::Receiver<Said>,
    way: Arc<Way>,
    ended: bool,
}

impl Feed {
    /// Starts the thread. `work` returns when the range is done, or with why it stopped.
    pub(super) fn start(
        memory: usize,
        work: impl FnOnce(&Outlet) -> Result<(), Stop> + Send + 'static,
    ) -> Result<Box<dyn Source>> {
        let (to, from) = mpsc::channel((memory / (4 * BATCH_BYTES)).clamp(1, IN_FLIGHT));
        let way = Arc::new(Way::default());
        let outlet = Outlet {
            to,
            way: way.clone(),
        };
        std::thread::Builder::new()
            .name("capture-read".into())
            .spawn(move || {
                let last = match work(&outlet) {
                    Ok(()) => Said::End,
                    Err(Stop::Failed(error)) => Said::Failed(error),
                    Err(Stop::Gone) => return,
                };
                // The reader may have left meanwhile.
                drop(outlet.to.blocking_send(last));
            })
            .map_err(|error| no_thread(&error))?;
        Ok(Box::new(Self {
            from,
            way,
            ended: false,
        }))
    }
}

impl Source for Feed {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(async {
            if self.ended {
                return Ok(None);
            }
            let said = self.from.recv().await;
            self.ended = !matches!(said, Some(Said::Batch(_)));
            match said {
                Some(Said::Batch(batch)) => Ok(Some(batch)),
                Some(Said::End) => Ok(None),
                Some(Said::Failed(error)) => Err(error),
                // Only a panic of the thread drops the line without a last word.
                None => Err(died()),
            }
        })
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let total = self.way.total.load(Ordering::Relaxed);
        let done = self.way.done.load(Ordering::Relaxed);
        (total > 0).then(|| (done.min(total), total))
    }

    fn undisturbed(&self) -> bool {
        true
    }
}

/// The selection on the reading thread.
pub(super) struct Sieve {
    worker: Box<dyn SelectWorker>,
    keeps_all: bool,
}

impl Sieve {
    pub(super) fn new(sub: &Subscription) -> Self {
        Self {
            worker: sub.select.worker(),
            keeps_all: sub.select.keeps_all(),
        }
    }

    /// Other bytes are next for `seek`.
    pub(super) fn begin(&mut self) {
        self.worker.begin();
    }

    /// Where in the bytes of a record batch the next event may be that is kept; see
    /// [`SelectWorker::seek`].
    pub(super) fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        if self.keeps_all {
            return Some(from);
        }
        self.worker.seek(bytes, from)
    }

    /// Looks at one event, and counts it; the event as it is handed on, if it is kept.
    pub(super) fn kept<'e>(
        &'e mut self,
        event: &EventRef<'e>,
        scanned: &mut Scanned,
    ) -> Result<Option<EventRef<'e>>> {
        scanned.events += 1;
        scanned.bytes += event.size() as u64;
        if self.keeps_all {
            return Ok(Some(*event));
        }
        Ok(self.worker.kept(event, scanned)?)
    }
}
