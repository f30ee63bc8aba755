//! Writing exactly once: events, and how far their sources were read, are stored as one or not at
//! all. Hosts that do the same job share it. What the progress means is the caller's.

use std::sync::Arc;

use super::{BoxFuture, Result, Target, Written};
use crate::event::{Batch, Position};

/// What is done together by all hosts that name it alike.
#[derive(Debug, Clone)]
pub struct Job {
    /// The same on every host, and of no other job: `evtap-3f2a9c0d17be4e55`.
    pub name: String,
    /// Tells this process from the others of the job, and is the same when it is started again:
    /// what it left behind when it was killed is its own to clear away.
    pub worker: String,
    pub target: Target,
    /// In an order that is the same on all hosts.
    pub units: Vec<Unit>,
    /// One host does all of it; others wait, and take over when it is gone.
    pub undivided: bool,
}

/// What one host does at a time: in a replay, a partition of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its topic and partition, where the source is the cluster that is written to: progress is
    /// then kept under that name, for everybody to see.
    pub home: Option<(Arc<str>, u32)>,
    pub start: Position,
    pub end: Position,
}

impl Unit {
    /// Where there is nothing left to do from here on.
    pub fn is_done_at(&self, next: Position) -> bool {
        next >= self.end
    }
}

/// How far a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is to be read next.
    pub next: Position,
    /// The caller's own: printable ASCII without spaces, at most [`NOTE_BYTES`].
    pub note: String,
}

/// Servers bound what may stand beside a commit.
pub const NOTE_BYTES: usize = 64;

/// Which units are this host's, and how far all of them are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Share {
    /// Indices into [`Job::units`]; none of them done. Empty only when all units are.
    pub mine: Vec<usize>,
    /// One a unit: `None` before its first commit.
    pub progress: Vec<Option<Progress>>,
}

/// A host's part in a job, under way. A transaction is open from the first `send` to `commit` or
/// `abort`. Dropped without either, what was sent since the last commit is never seen by a
/// committed reader.
pub trait ExactSink: Send {
    /// What to do now. Gives up the share from before, which must be committed or aborted. Waits
    /// as long as other hosts hold all that is left, and until what a host that died left open is
    /// cleared away; ends when there is something to do, or all is done. Dropping the future is
    /// allowed: the next call asks again.
    fn share(&mut self) -> BoxFuture<'_, Result<Share>>;

    /// True when the hosts share anew: what was sent can be committed quickly or aborted, then
    /// [`ExactSink::share`] must be asked.
    fn is_stale(&self) -> bool;

    /// As [`super::Sink::send`], into the open transaction, which it opens.
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>>;

    /// Stores what was sent since the last commit together with the progress of these units, which
    /// must be this host's. With nothing sent it stores the progress alone. After an error
    /// [`ExactSink::recover`] says whether it is worth going on; what of the transaction holds is
    /// told by the next [`ExactSink::share`].
    fn commit<'a>(
        &'a mut self,
        progress: &'a [(usize, Progress)],
    ) -> BoxFuture<'a, Result<Written>>;

    /// Takes back what was sent since the last commit.
    fn abort(&mut self) -> BoxFuture<'_, Result<()>>;

    /// After an error of `share`, `send`, `commit` or `abort`: makes the sink fit for another
    /// `share`, with a new connection where that is needed. Gives the error back where another
    /// try mends nothing: no permission, a missing target, an event that is too large, another
    /// process that took this one's place.
    fn recover(&mut self, error: super::Error) -> BoxFuture<'_, Result<()>>;

    /// False where `abort` leaves what was sent since the last commit, and the next share tells.
    fn takes_back(&self) -> bool {
        true
    }

    /// What is promised of a job that is interrupted and begun again, in words.
    fn promise(&self) -> &'static str {
        "exactly once, for readers of what is committed"
    }

    /// Leaves the job: others need not wait until this host counts as gone.
    fn finish(&mut self) -> BoxFuture<'_, Result<()>>;
}
