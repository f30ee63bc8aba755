//! The run's side of writing exactly once: what is committed and when it is taken back. Which
//! partitions are this host's is the ledger's.

use super::{Outlet, Runner};
use crate::broker::{Error, ErrorKind, PartitionRange, Result};
use crate::replay::exact::{Overall, Part};

impl Runner {
    /// The last of it. Half a batch in a transaction has no progress that could be told: it is
    /// taken back.
    pub(super) async fn flush_last(&mut self) -> Result<()> {
        if let Outlet::Exact(exact) = &mut self.outlet {
            match exact.committed().await {
                Some(Ok(())) => self.keep(),
                Some(Err(error)) => {
                    self.undone = true;
                    self.undo().await?;
                    return Err(error);
                }
                None => {}
            }
            if self.undone || self.in_flight > 0 {
                return self.undo().await;
            }
        }
        self.flush().await
    }

    /// Asks the target what this host is to do now. False when all of the plan is done.
    pub(in crate::replay) async fn share(&mut self) -> Result<bool> {
        let Outlet::Exact(exact) = &mut self.outlet else {
            return Err(not_exact());
        };
        self.undone = true;
        let left = exact.share(&self.transform.tally).await?;
        self.undone = false;
        if let Some(shift) = exact.ledger.shift().filter(|_| self.transform.shifts()) {
            self.transform.shift_by(shift);
        }
        self.already = (exact.ledger.overall().counts.copied, self.sent);
        Ok(left)
    }

    /// The hosts share anew. What was sent counts, if they are not quicker; a share of which nothing
    /// is stored yet is as if it had not begun: who then gets its partitions copies all of them, and
    /// need not read them again to verify them.
    pub(super) async fn leave_share(&mut self) -> Result<()> {
        let (_, sent) = self.already;
        let is_new = self.acknowledged == sent;
        let goes_back = matches!(&self.outlet, Outlet::Exact(exact) if exact.takes_back());
        if is_new && goes_back {
            self.undo().await
        } else {
            self.flush().await
        }
    }

    /// All of the share is copied: stores that too.
    pub(in crate::replay) async fn settle(&mut self) -> Result<()> {
        self.commit(true).await
    }

    /// Ends what was not committed, after an error of the target, which is given back where
    /// nothing mends it.
    pub(in crate::replay) async fn take_back(&mut self, error: Error) -> Result<()> {
        // It may have failed at just that.
        drop(self.undo().await);
        let Outlet::Exact(exact) = &mut self.outlet else {
            return Err(error);
        };
        exact.recover(error).await
    }

    async fn undo(&mut self) -> Result<()> {
        self.transform.tally.go_back(&self.stored);
        // What cannot be taken back may be there.
        let stays = matches!(&self.outlet, Outlet::Exact(exact) if !exact.takes_back());
        self.in_flight = if stays {
            self.in_flight + self.sent.saturating_sub(self.acknowledged)
        } else {
            0
        };
        self.sent = self.acknowledged;
        if let Some(noted) = &mut self.noted {
            noted.take_back();
        }
        self.unflushed = false;
        self.held = None;
        self.out = self.pool.batch(self.transform.streams().clone());
        match &mut self.outlet {
            Outlet::Plain(_) => Ok(()),
            Outlet::Exact(exact) => exact.abort().await,
        }
    }

    /// What is left for this host, by source.
    pub(in crate::replay) fn left(&self, sources: usize) -> Vec<Vec<PartitionRange>> {
        match &self.outlet {
            Outlet::Plain(_) => Vec::new(),
            Outlet::Exact(exact) => exact.ledger.left(sources),
        }
    }

    /// How far the plan was when the share was asked for.
    pub(in crate::replay) fn overall(&self) -> Option<Overall> {
        match &self.outlet {
            Outlet::Plain(_) => None,
            Outlet::Exact(exact) => Some(exact.ledger.overall()),
        }
    }

    /// See [`crate::replay::exact::Ledger::ended_elsewhere`].
    pub(in crate::replay) fn ended_elsewhere(&self) -> Vec<Part> {
        match &self.outlet {
            Outlet::Plain(_) => Vec::new(),
            Outlet::Exact(exact) => exact.ledger.ended_elsewhere(),
        }
    }

    pub(super) async fn commit(&mut self, done: bool) -> Result<()> {
        let Outlet::Exact(exact) = &mut self.outlet else {
            return Err(not_exact());
        };
        let shift = self.transform.shifted_by();
        let tally = &self.transform.tally;
        let progress = exact.ledger.progress(tally, done, shift);
        if !progress.is_empty() {
            self.undone = true;
            exact.commit(progress).await?;
            self.undone = false;
        }
        self.keep();
        Ok(())
    }
}

fn not_exact() -> Error {
    Error::new(ErrorKind::Broker, "this target keeps no progress")
}
