//! Folds on threads of their own: one that has to see every batch in order, and others of which
//! each batch meets one. Everything between is bounded: a fold that is slow holds the source back.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Consumer, Flow};
use crate::broker::{BoxFuture, Error, ErrorKind, Result};
use crate::event::Batch;

/// Batches that wait for a fold.
const WAITING: usize = 4;

/// What is done with a batch.
pub trait Fold: Send + 'static {
    fn batch(&mut self, batch: &Batch);
}

type Queue = Arc<Mutex<Receiver<Arc<Batch>>>>;

/// The threads, seen from where the batches come.
pub struct Crew<O, A> {
    in_order: (Sender<Arc<Batch>>, JoinHandle<O>),
    /// `None` where there is no such fold.
    any: Option<Sender<Arc<Batch>>>,
    others: Vec<JoinHandle<A>>,
}

impl<O: Fold, A: Fold> Crew<O, A> {
    /// Starts a thread for each fold.
    pub fn start(in_order: O, any: Vec<A>) -> Result<Self> {
        let one = alone(in_order)?;
        let (sender, receiver) = channel(WAITING + any.len());
        let queue = Arc::new(Mutex::new(receiver));
        let some = !any.is_empty();
        let others = any.into_iter().map(|fold| thread(fold, Arc::clone(&queue)));
        Ok(Self {
            in_order: one,
            others: others.collect::<Result<_>>()?,
            any: some.then_some(sender),
        })
    }

    /// Waits until every batch was folded, and gives the folds back.
    pub fn finish(self) -> Result<(O, Vec<A>)> {
        let Self {
            in_order: (sender, one),
            any,
            others,
        } = self;
        // Nothing more comes: the threads end.
        drop((sender, any));
        let others: Vec<A> = others.into_iter().map(join).collect::<Result<_>>()?;
        Ok((join(one)?, others))
    }
}

impl<O: Fold, A: Fold> Consumer for Crew<O, A> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        Box::pin(async move {
            let batch = Arc::new(batch);
            if let Some(any) = &self.any {
                any.send(Arc::clone(&batch)).await.map_err(|_| gone())?;
            }
            self.in_order.0.send(batch).await.map_err(|_| gone())?;
            Ok(Flow::More)
        })
    }
}

fn alone<F: Fold>(fold: F) -> Result<(Sender<Arc<Batch>>, JoinHandle<F>)> {
    let (sender, receiver) = channel(WAITING);
    Ok((sender, thread(fold, Arc::new(Mutex::new(receiver)))?))
}

fn thread<F: Fold>(mut fold: F, queue: Queue) -> Result<JoinHandle<F>> {
    let work = move || {
        while let Some(batch) = next(&queue) {
            fold.batch(&batch);
        }
        fold
    };
    Builder::new()
        .name("fold".into())
        .spawn(work)
        .map_err(|error| {
            let said = format!("no thread to look at the events with: {error}");
            Error::new(ErrorKind::Broker, said)
        })
}

fn next(queue: &Queue) -> Option<Arc<Batch>> {
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
    use crate::pipeline::{Limits, Stop, run};

    #[derive(Default)]
    struct Seen(Vec<u64>);

    impl Fold for Seen {
        fn batch(&mut self, batch: &Batch) {
            self.0.extend(batch.iter().map(|e| e.position.major));
        }
    }

    struct NoTicks;

    impl crate::pipeline::Ticker for NoTicks {
        fn tick(&mut self, _: crate::event::Scanned, _: u64, _: Option<(u64, u64)>) {}
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
            &mut NoTicks,
        )
        .await;
        let (one, others) = crew.finish().unwrap();
        assert!(one.0.iter().copied().eq(0..200));
        let mut shared: Vec<u64> = others.into_iter().flat_map(|seen| seen.0).collect();
        shared.sort_unstable();
        assert!(shared.into_iter().eq(0..200));
    }

    struct Falls;

    impl Fold for Falls {
        fn batch(&mut self, _: &Batch) {
            panic!("on purpose");
        }
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
            &mut NoTicks,
        )
        .await;
        let error = crew.finish().err().unwrap();
        assert!(error.to_string().contains("has failed"), "{error}");
    }
}
