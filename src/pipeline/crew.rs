//! Folds on threads of their own: one that has to see every batch in order, and others of which
//! each batch meets one. These look first, and what they see goes with the batch to the one in
//! order. Everything between is bounded: a fold that is slow holds the source back.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use super::{Consumer, Flow};
use crate::broker::{BoxFuture, Error, ErrorKind, Result};
use crate::event::Batch;

/// Batches that wait for a fold.
const WAITING: usize = 4;

/// What is done with a batch by who does not go by order.
pub trait Look: Send + 'static {
    /// What the one in order is told of a batch.
    type Seen: Send + 'static;

    /// The first look, which the one in order waits for.
    fn first(&mut self, batch: &Batch) -> Self::Seen;

    /// What else is to be done with the batch; nobody waits for it.
    fn then(&mut self, batch: &Batch);
}

/// What is done with the batches in their order.
pub trait Fold<S>: Send + 'static {
    fn batch(&mut self, batch: &Batch, seen: S);
}

/// A batch, and where what is seen of it goes.
type Job<S> = (Arc<Batch>, oneshot::Sender<S>);
/// A batch, and where what was seen of it comes.
type Turn<S> = (Arc<Batch>, oneshot::Receiver<S>);
type Queue<T> = Arc<Mutex<Receiver<T>>>;

/// The threads, seen from where the batches come.
pub struct Crew<O, A: Look> {
    turns: Sender<Turn<A::Seen>>,
    jobs: Sender<Job<A::Seen>>,
    in_order: JoinHandle<O>,
    others: Vec<JoinHandle<A>>,
}

impl<A: Look, O: Fold<A::Seen>> Crew<O, A> {
    /// Starts a thread for each fold; `others` are one at least.
    pub fn start(in_order: O, others: Vec<A>) -> Result<Self> {
        let (turns, coming) = channel(WAITING + others.len());
        let (jobs, waiting) = channel(WAITING);
        let queue = Arc::new(Mutex::new(waiting));
        let others = others
            .into_iter()
            .map(|fold| look(fold, Arc::clone(&queue)));
        Ok(Self {
            turns,
            jobs,
            in_order: fold(in_order, coming)?,
            others: others.collect::<Result<_>>()?,
        })
    }

    /// Waits until every batch was folded, and gives the folds back.
    pub fn finish(self) -> Result<(O, Vec<A>)> {
        // Nothing more comes: the threads end.
        drop((self.turns, self.jobs));
        let others: Vec<A> = self.others.into_iter().map(join).collect::<Result<_>>()?;
        Ok((join(self.in_order)?, others))
    }
}

impl<A: Look, O: Fold<A::Seen>> Consumer for Crew<O, A> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        Box::pin(async move {
            let batch = Arc::new(batch);
            let (told, seen) = oneshot::channel();
            let job = (Arc::clone(&batch), told);
            self.jobs.send(job).await.map_err(|_| gone())?;
            self.turns.send((batch, seen)).await.map_err(|_| gone())?;
            Ok(Flow::More)
        })
    }
}

fn look<A: Look>(mut fold: A, queue: Queue<Job<A::Seen>>) -> Result<JoinHandle<A>> {
    thread(move || {
        while let Some((batch, seen)) = next(&queue) {
            // Who waits for it may have failed; that is told elsewhere.
            drop(seen.send(fold.first(&batch)));
            fold.then(&batch);
        }
        fold
    })
}

fn fold<S: Send + 'static, O: Fold<S>>(
    mut fold: O,
    mut coming: Receiver<Turn<S>>,
) -> Result<JoinHandle<O>> {
    thread(move || {
        while let Some((batch, seen)) = coming.blocking_recv() {
            // Without an answer the other thread has failed: nothing more can be in order.
            let Ok(seen) = seen.blocking_recv() else {
                break;
            };
            fold.batch(&batch, seen);
        }
        fold
    })
}

fn thread<F: Send + 'static>(work: impl FnOnce() -> F + Send + 'static) -> Result<JoinHandle<F>> {
    Builder::new()
        .name("fold".into())
        .spawn(work)
        .map_err(|error| {
            let said = format!("no thread to look at the events with: {error}");
            Error::new(ErrorKind::Broker, said)
        })
}

fn next<T>(queue: &Queue<T>) -> Option<T> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.blocking_recv()
}

fn join<F>(thread: JoinHandle<F>) -> Result<F> {
    thread.join().map_err(|_| gone())
}

fn gone() -> Error {
    Error::new(
        ErrorKind::Broker,
        "a thread that looks at events has failed",
    )
    .hint("this is a mistake in evtap; please report it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::fake::{Script, stream_table};
    use crate::pipeline::{Limits, Stop, Unwatched, run};

    #[derive(Default)]
    struct Seen(Vec<u64>);

    impl Seen {
        fn take(&mut self, batch: &Batch) {
            self.0.extend(batch.iter().map(|e| e.position.major));
        }
    }

    impl Look for Seen {
        type Seen = u64;

        fn first(&mut self, batch: &Batch) -> u64 {
            batch.get(0).position.major
        }

        fn then(&mut self, batch: &Batch) {
            self.take(batch);
        }
    }

    impl Fold<u64> for Seen {
        fn batch(&mut self, batch: &Batch, seen: u64) {
            assert_eq!(batch.get(0).position.major, seen);
            self.take(batch);
        }
    }

    #[tokio::test]
    async fn one_fold_sees_all_in_order_and_the_others_share_them() {
        let mut script = Script::new(stream_table(&["t"]));
        for n in 0..100 {
            script = script.events(0, &[2 * n, 2 * n + 1]);
        }
        let any = vec![Seen::default(), Seen::default(), Seen::default()];
        let mut crew = Crew::start(Seen::default(), any).unwrap();
        let (_handle, stop) = Stop::new();
        run(
            &mut script,
            &mut crew,
            Limits::default(),
            stop,
            &mut Unwatched,
        )
        .await;
        let (one, others) = crew.finish().unwrap();
        assert!(one.0.iter().copied().eq(0..200));
        let mut shared: Vec<u64> = others.into_iter().flat_map(|seen| seen.0).collect();
        shared.sort_unstable();
        assert!(shared.into_iter().eq(0..200));
    }

    struct Falls;

    impl Look for Falls {
        type Seen = u64;

        fn first(&mut self, _: &Batch) -> u64 {
            panic!("on purpose");
        }

        fn then(&mut self, _: &Batch) {}
    }

    #[tokio::test]
    async fn a_fold_that_fails_is_an_error_and_no_hang() {
        let mut script = Script::new(stream_table(&["t"]));
        for n in 0..50 {
            script = script.events(0, &[n]);
        }
        let mut crew: Crew<Seen, Falls> = Crew::start(Seen::default(), vec![Falls]).unwrap();
        let (_handle, stop) = Stop::new();
        run(
            &mut script,
            &mut crew,
            Limits::default(),
            stop,
            &mut Unwatched,
        )
        .await;
        let error = crew.finish().err().unwrap();
        assert!(error.to_string().contains("has failed"), "{error}");
    }
}
