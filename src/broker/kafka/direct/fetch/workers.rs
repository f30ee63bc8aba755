//! Threads that decompress chunks and keep what is wanted. How a chunk is sifted is `sift`.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use super::gate::Job;
use super::sift::Sieve;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{BatchPool, Select};

/// More than this wait for the connection.
const MOST: usize = 4;

/// Starts the threads. They end when the queue does.
pub(super) fn start(
    waiting: mpsc::Receiver<Job>,
    select: &Arc<dyn Select>,
    raw: bool,
    pool: &BatchPool,
) -> Result<()> {
    let waiting = Arc::new(Mutex::new(waiting));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for number in 0..cores.min(MOST) {
        let (waiting, select, pool) = (Arc::clone(&waiting), Arc::clone(select), pool.clone());
        thread::Builder::new()
            .name(format!("kafka-sift-{number}"))
            .spawn(move || work(&waiting, Sieve::new(&*select, raw, pool)))
            .map_err(|e| Error::new(ErrorKind::Broker, format!("start a thread: {e}")))?;
    }
    Ok(())
}

fn work(waiting: &Mutex<mpsc::Receiver<Job>>, mut sieve: Sieve) {
    loop {
        // One lock a chunk; whoever holds it waits for the next one.
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(job) = job else { return };
        let Job {
            chunk,
            streams,
            done,
        } = job;
        let sifted = sieve.run(&chunk, &streams, &mut |batch| {
            done.blocking_send(Ok(batch)).is_ok()
        });
        drop(chunk);
        if let Err(error) = sifted {
            drop(done.blocking_send(Err(error)));
        }
    }
}
