//! Where a run writes to: a sink, which says what it has stored, or a target that keeps how far the
//! run is together with the events. When to store is the run's business.

use tokio::task::JoinHandle;

use super::Tally;
use super::exact::Ledger;
use crate::broker::exact::Progress;
use crate::broker::{Error, ErrorKind, ExactSink, Result, Sink};
use crate::event::Batch;

pub(super) enum Outlet {
    Plain(Box<dyn Sink>),
    Exact(Exact),
}

/// A target that stores events and progress as one.
pub(super) struct Exact {
    pub ledger: Ledger,
    sink: Held,
}

/// The sink is with the commit that is under way: who gives up waiting for it does not end it.
enum Held {
    Here(Box<dyn ExactSink>),
    Committing(JoinHandle<(Box<dyn ExactSink>, Result<()>)>),
    /// Its commit panicked.
    Gone,
}

impl Exact {
    pub(super) fn new(sink: Box<dyn ExactSink>, ledger: Ledger) -> Self {
        Self {
            ledger,
            sink: Held::Here(sink),
        }
    }

    fn sink(&mut self) -> Result<&mut Box<dyn ExactSink>> {
        match &mut self.sink {
            Held::Here(sink) => Ok(sink),
            Held::Committing(_) | Held::Gone => Err(gone()),
        }
    }

    /// What this host is to do now. False when all of the plan is done.
    pub(super) async fn share(&mut self, tally: &Tally) -> Result<bool> {
        let share = self.sink()?.share().await?;
        self.ledger.begin(&share, tally)?;
        Ok(!share.mine.is_empty())
    }

    pub(super) fn is_stale(&self) -> bool {
        matches!(&self.sink, Held::Here(sink) if sink.is_stale())
    }

    /// See [`ExactSink::takes_back`].
    pub(super) fn takes_back(&self) -> bool {
        !matches!(&self.sink, Held::Here(sink) if !sink.takes_back())
    }

    /// See [`ExactSink::promise`].
    pub(super) fn promise(&self) -> Option<&'static str> {
        match &self.sink {
            Held::Here(sink) => Some(sink.promise()),
            Held::Committing(_) | Held::Gone => None,
        }
    }

    pub(super) async fn send(&mut self, batch: &Batch) -> Result<()> {
        self.sink()?.send(batch).await
    }

    /// Stores what was sent, with this progress.
    pub(super) async fn commit(&mut self, progress: Vec<(usize, Progress)>) -> Result<()> {
        let Held::Here(mut sink) = std::mem::replace(&mut self.sink, Held::Gone) else {
            return Err(gone());
        };
        self.sink = Held::Committing(tokio::spawn(async move {
            let done = sink.commit(&progress).await.map(|_| ());
            (sink, done)
        }));
        // None is impossible: it was just begun.
        self.committed().await.unwrap_or(Ok(()))
    }

    /// Waits for a commit that was not waited for to its end. `None` when there is none.
    pub(super) async fn committed(&mut self) -> Option<Result<()>> {
        let Held::Committing(task) = &mut self.sink else {
            return None;
        };
        let Ok((sink, done)) = task.await else {
            self.sink = Held::Gone;
            return Some(Err(gone()));
        };
        self.sink = Held::Here(sink);
        if done.is_ok() {
            self.ledger.committed();
        }
        Some(done)
    }

    pub(super) async fn abort(&mut self) -> Result<()> {
        self.sink()?.abort().await
    }

    pub(super) async fn recover(&mut self, error: Error) -> Result<()> {
        self.sink()?.recover(error).await
    }

    pub(super) async fn finish(&mut self) -> Result<()> {
        self.sink()?.finish().await
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Broker, "the commit of a transaction ended badly")
        .hint("run the plan again: what was committed is not written twice")
}
