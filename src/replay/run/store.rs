//! What was filled goes to the target, and is stored there: when, and what is known then.

use std::time::Duration;

use tokio::time::Instant;

use super::{Outlet, Runner};
use crate::broker::Result;

/// How often the target is asked to store what it took: it bounds what an end by force leaves in
/// doubt, and is rare enough to cost nothing.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// A transaction is committed so long after the one before, whatever it holds: one that stays open
/// holds up whoever reads the target.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// One that holds so many events is committed earlier, see [`COMMIT_APART`].
const COMMIT_EVENTS: u64 = 20_000;
/// The least between two commits. Nothing is sent during one: a few milliseconds on loopback, many
/// where brokers wait for each other, which must stay a small part however fast events come.
const COMMIT_APART: Duration = Duration::from_millis(250);

impl Runner {
    /// Sends what was filled.
    pub(super) async fn send(&mut self) -> Result<()> {
        let events = self.out.len() as u64;
        if events == 0 {
            return Ok(());
        }
        self.in_flight = events;
        self.unflushed = true;
        match &mut self.outlet {
            Outlet::Plain(sink) => sink.send(&self.out).await?,
            Outlet::Exact(exact) => {
                self.undone = true;
                exact.send(&self.out).await?;
                self.undone = false;
            }
        }
        self.in_flight = 0;
        self.sent += events;
        if let Some(noted) = &mut self.noted {
            noted.note(&self.out);
            // What waits for no commit is never taken back.
            if matches!(self.outlet, Outlet::Plain(_)) {
                noted.keep();
            }
        }
        self.out = self.pool.batch(self.transform.streams().clone());
        Ok(())
    }

    pub(super) fn must_flush(&self) -> bool {
        if !self.unflushed {
            return false;
        }
        let since = self.flushed.elapsed();
        match &self.outlet {
            Outlet::Plain(_) => since >= FLUSH_EVERY,
            Outlet::Exact(_) => is_commit_due(since, self.sent - self.acknowledged),
        }
    }

    /// Has stored what was sent, and waits until it is.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if let Some(rejects) = &mut self.rejects {
            rejects.store()?;
        }
        match &mut self.outlet {
            Outlet::Exact(_) => self.commit(false).await,
            Outlet::Plain(sink) => {
                self.acknowledged = sink.flush().await?.events;
                self.flushed = Instant::now();
                self.unflushed = false;
                Ok(())
            }
        }
    }

    /// All that was sent is stored: none of it is taken back any more.
    pub(super) fn keep(&mut self) {
        self.acknowledged = self.sent;
        self.stored.clone_from(&self.transform.tally);
        if let Some(noted) = &mut self.noted {
            noted.keep();
        }
        self.flushed = Instant::now();
        self.unflushed = false;
    }
}

/// So many events were sent since the last commit, which was so long ago.
fn is_commit_due(since: Duration, events: u64) -> bool {
    since >= COMMIT_EVERY || (since >= COMMIT_APART && events >= COMMIT_EVENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_large_and_never_open_for_long() {
        let due = |ms, events| is_commit_due(Duration::from_millis(ms), events);
        assert!(!due(249, 1_000_000), "a commit is not for free");
        assert!(due(250, 20_000));
        assert!(!due(999, 19_999));
        assert!(due(1000, 1), "readers wait for it");
    }
}
