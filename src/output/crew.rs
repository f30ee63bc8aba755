//! The threads that format batches at the same time, and the one that writes what they made in the
//! order in which the batches came. Everything between them is bounded: who is slow makes the one
//! before it wait, up to the broker.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::out::{Out, PrintError};
use super::render::Renderer;
use crate::event::Batch;

/// Pieces of one batch that wait for those before it.
const PIECES: usize = 2;
/// A buffer grown beyond this by one huge event is not kept.
const SPARE_BYTES: usize = 1024 * 1024;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A batch to be formatted.
struct Job {
    batch: Batch,
    said: SyncSender<Said>,
}

/// What comes of a batch, in this order: pieces, then one of the others.
enum Said {
    Piece(Vec<u8>),
    /// The whole batch was formatted; on so many events `--map` failed.
    End {
        failed: u64,
    },
    Failed(PrintError),
}

/// What is to be written next.
enum Ticket {
    Batch(Receiver<Said>),
    /// Answered once everything before it left the process.
    Flush(oneshot::Sender<()>),
}

struct Shared {
    out: Arc<Mutex<Out>>,
    /// Tickets that are not done.
    waiting: AtomicUsize,
    /// Events on which `--map` failed.
    failed: AtomicU64,
    /// Why the writing ended early.
    fault: Mutex<Option<PrintError>>,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// The threads, seen from where the batches come.
pub(super) struct Crew {
    shared: Arc<Shared>,
    jobs: SyncSender<Job>,
    tickets: mpsc::Sender<Ticket>,
    writer: JoinHandle<()>,
    /// The fault was handed on.
    told: bool,
}

impl Crew {
    /// Starts `threads` formatting threads and the writing one, which hands on each batch at once
    /// if told so, else in large writes.
    pub(super) fn start(
        renderer: &Renderer,
        out: &Arc<Mutex<Out>>,
        threads: usize,
        at_once: bool,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            out: Arc::clone(out),
            waiting: AtomicUsize::new(0),
            failed: AtomicU64::new(0),
            fault: Mutex::new(None),
            spare: Mutex::new(Vec::new()),
        });
        let in_flight = threads + 2;
        // Each job has a ticket. One more ticket is in the writer's hand, so this never blocks.
        let (jobs, taken) = sync_channel(in_flight + 1);
        let (tickets, order) = mpsc::channel(in_flight);
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..threads {
            let (shared, taken, renderer) =
                (Arc::clone(&shared), Arc::clone(&taken), renderer.fork());
            Builder::new()
                .name("print".into())
                .spawn(move || format(&shared, &taken, renderer))?;
        }
        let of_writer = Arc::clone(&shared);
        let writer = Builder::new()
            .name("print-write".into())
            .spawn(move || write(&of_writer, order, at_once))?;
        Ok(Self {
            shared,
            jobs,
            tickets,
            writer,
            told: false,
        })
    }

    /// Nothing is being formatted or written.
    pub(super) fn is_idle(&self) -> bool {
        self.shared.waiting.load(Ordering::Acquire) == 0
    }

    pub(super) fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Waits until there is room, then takes the batch out of its place. A future that is dropped
    /// leaves it there.
    pub(super) async fn batch(&mut self, place: &mut Option<Batch>) -> Result<(), PrintError> {
        let Ok(room) = self.tickets.reserve().await else {
            // It will never be printed.
            *place = None;
            return Err(self.fault());
        };
        let Some(batch) = place.take() else {
            return Ok(());
        };
        let (said, heard) = sync_channel(PIECES);
        self.shared.waiting.fetch_add(1, Ordering::AcqRel);
        room.send(Ticket::Batch(heard));
        // Without formatting threads the writer finds nothing behind the ticket, and says so.
        drop(self.jobs.send(Job { batch, said }));
        Ok(())
    }

    /// Waits until everything has left the process. Once the fault was told this does nothing.
    pub(super) async fn flush(&mut self) -> Result<(), PrintError> {
        if self.told {
            return Ok(());
        }
        let (done, left) = oneshot::channel();
        if let Ok(room) = self.tickets.reserve().await {
            self.shared.waiting.fetch_add(1, Ordering::AcqRel);
            room.send(Ticket::Flush(done));
            if left.await.is_ok() {
                return Ok(());
            }
        }
        Err(self.fault())
    }

    /// Ends the threads when everything is written; blocks until then.
    pub(super) fn end(self) -> Result<(), PrintError> {
        let Self {
            shared,
            tickets,
            jobs,
            writer,
            told,
        } = self;
        drop((tickets, jobs));
        let died = writer.join().is_err();
        match lock(&shared.fault).take() {
            Some(fault) => Err(fault),
            None if died && !told => Err(PrintError::Died),
            None => Ok(()),
        }
    }

    fn fault(&mut self) -> PrintError {
        let first = !std::mem::replace(&mut self.told, true);
        match lock(&self.shared.fault).take() {
            Some(fault) => fault,
            None if first => PrintError::Died,
            None => PrintError::Closed,
        }
    }
}

/// A formatting thread: takes batches until there are no more.
fn format(shared: &Shared, jobs: &Mutex<Receiver<Job>>, mut renderer: Renderer) {
    loop {
        // The lock is held while waiting: the others wait for it instead of for a batch.
        let job = lock(jobs).recv();
        let Ok(Job { batch, said }) = job else { return };
        let mut piece = shared.buffer();
        let result = renderer.batch(&batch, &mut piece, &mut |full| {
            let full = std::mem::replace(full, shared.buffer());
            let sent = said.send(Said::Piece(full));
            sent.map_err(|_| PrintError::Closed)
        });
        drop(batch);
        let last = match result {
            Ok(failed) => Said::End { failed },
            Err(error) => Said::Failed(error),
        };
        // Nobody listens any more when the writer gave up.
        if said.send(Said::Piece(piece)).is_ok() {
            drop(said.send(last));
        }
    }
}

/// The writing thread: goes on until there is nothing more to come, or something went wrong.
fn write(shared: &Shared, mut tickets: mpsc::Receiver<Ticket>, at_once: bool) {
    if let Err(error) = shared.write_all(&mut tickets, at_once) {
        // Told before the tickets go, which is how the other side learns of it.
        *lock(&shared.fault) = Some(error);
    }
}

impl Shared {
    fn write_all(
        &self,
        tickets: &mut mpsc::Receiver<Ticket>,
        at_once: bool,
    ) -> Result<(), PrintError> {
        loop {
            let ticket = match tickets.try_recv() {
                Ok(ticket) => ticket,
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => match tickets.blocking_recv() {
                    Some(ticket) => ticket,
                    None => return Ok(()),
                },
            };
            let flushed = match ticket {
                Ticket::Batch(said) => {
                    self.write_batch(&said)?;
                    if at_once {
                        lock(&self.out).flush()?;
                    }
                    None
                }
                Ticket::Flush(done) => {
                    lock(&self.out).flush()?;
                    Some(done)
                }
            };
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            if let Some(done) = flushed {
                // Whoever asked may have been dropped meanwhile.
                done.send(()).ok();
            }
        }
    }

    fn write_batch(&self, said: &Receiver<Said>) -> Result<(), PrintError> {
        loop {
            match said.recv() {
                Ok(Said::Piece(piece)) => {
                    lock(&self.out).put(&piece)?;
                    self.put_back(piece);
                }
                Ok(Said::End { failed }) => {
                    self.failed.fetch_add(failed, Ordering::Relaxed);
                    return Ok(());
                }
                Ok(Said::Failed(error)) => return Err(error),
                Err(_) => return Err(PrintError::Died),
            }
        }
    }

    fn buffer(&self) -> Vec<u8> {
        lock(&self.spare).pop().unwrap_or_default()
    }

    /// There are no more of them than batches and pieces in flight.
    fn put_back(&self, mut piece: Vec<u8>) {
        if piece.capacity() <= SPARE_BYTES {
            piece.clear();
            lock(&self.spare).push(piece);
        }
    }
}
