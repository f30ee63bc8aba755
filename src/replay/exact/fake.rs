//! A target for the tests of this room that stores events and progress as one, for several hosts,
//! and fails where it is told to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::broker::exact::{Job, Progress, Share};
use crate::broker::{BoxFuture, Error, ErrorKind, ExactSink, Result, Written};
use crate::event::Batch;

/// What all hosts see.
#[derive(Default)]
pub(super) struct Shared {
    /// What committed readers see: `evtap-source` of each event.
    pub events: Vec<String>,
    pub progress: Vec<Option<Progress>>,
    /// The units of each worker, by name.
    pub members: Vec<(String, Vec<usize>)>,
    /// Counts up when the hosts share anew.
    pub generation: u32,
    pub commits: u32,
}

/// A step that fails once, at its n-th time counted over all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Share,
    Send,
    Commit,
    /// The commit succeeds, and its answer is lost.
    Answer,
}

#[derive(Clone, Default)]
pub(super) struct FakeTarget {
    pub shared: Arc<Mutex<Shared>>,
    pub failures: Arc<Mutex<BTreeSet<(Step, u32)>>>,
    steps: Arc<Mutex<[u32; 4]>>,
    /// What failed is not mended.
    pub final_kind: Option<ErrorKind>,
}

impl FakeTarget {
    pub(super) fn failing(failures: &[(Step, u32)]) -> Self {
        let target = Self::default();
        target.failures.lock().unwrap().extend(failures);
        target
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub(super) fn sink(&self, job: &Job) -> Box<dyn ExactSink> {
        let units = job.units.len();
        self.state().progress.resize(units, None);
        Box::new(FakeSink {
            target: self.clone(),
            job: job.clone(),
            generation: 0,
            open: Vec::new(),
        })
    }

    /// How often this was asked for.
    pub(super) fn asked(&self, step: Step) -> u32 {
        self.steps.lock().unwrap()[step as usize]
    }

    fn step(&self, step: Step) -> Result<()> {
        let mut steps = self.steps.lock().unwrap();
        let count = &mut steps[step as usize];
        *count += 1;
        if self.failures.lock().unwrap().remove(&(step, *count)) {
            let what = format!("{step:?} {count} fails");
            return Err(Error::new(ErrorKind::Unreachable, what));
        }
        Ok(())
    }
}

struct FakeSink {
    target: FakeTarget,
    job: Job,
    generation: u32,
    open: Vec<String>,
}

impl FakeSink {
    /// Gives out what is not done, in turn.
    fn deal(shared: &mut Shared, job: &Job) {
        shared.generation += 1;
        let done = |unit: usize| {
            let next = shared.progress[unit].as_ref().map(|p| p.next);
            job.units[unit].is_done_at(next.unwrap_or(job.units[unit].start))
        };
        let left: Vec<usize> = (0..job.units.len()).filter(|unit| !done(*unit)).collect();
        let hosts = if job.undivided {
            1
        } else {
            shared.members.len()
        };
        for (i, (_, units)) in shared.members.iter_mut().enumerate() {
            let of_host = |(n, _): &(usize, &usize)| i < hosts && n % hosts == i;
            let dealt = left.iter().enumerate().filter(of_host);
            *units = dealt.map(|(_, unit)| *unit).collect();
        }
    }

    fn try_share(&mut self) -> Option<Share> {
        let mut shared = self.target.state();
        let known = shared.members.iter().any(|(n, _)| *n == self.job.worker);
        if !known {
            shared.members.push((self.job.worker.clone(), Vec::new()));
        }
        // An empty share is dealt anew: somebody may have left.
        let mine = |shared: &Shared| {
            let mut members = shared.members.iter();
            members
                .find(|(n, _)| *n == self.job.worker)
                .map_or_else(Vec::new, |(_, units)| units.clone())
        };
        let is_done = |shared: &Shared, unit: usize| {
            let next = shared.progress[unit].as_ref().map(|p| p.next);
            next.is_some_and(|next| self.job.units[unit].is_done_at(next))
        };
        if !known || mine(&shared).iter().all(|unit| is_done(&shared, *unit)) {
            Self::deal(&mut shared, &self.job);
        }
        self.generation = shared.generation;
        let mut mine = mine(&shared);
        mine.retain(|unit| !is_done(&shared, *unit));
        let all_done = (0..self.job.units.len()).all(|unit| is_done(&shared, unit));
        (all_done || !mine.is_empty()).then(|| Share {
            mine,
            progress: shared.progress.clone(),
        })
    }
}

impl ExactSink for FakeSink {
    fn share(&mut self) -> BoxFuture<'_, Result<Share>> {
        Box::pin(async move {
            self.open.clear();
            self.target.step(Step::Share)?;
            loop {
                if let Some(share) = self.try_share() {
                    return Ok(share);
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
    }

    fn is_stale(&self) -> bool {
        self.generation != self.target.state().generation
    }

    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for event in batch.iter() {
                let mut headers = event.headers.iter();
                let source = headers.find(|(name, _)| *name == b"evtap-source");
                let source = source.and_then(|(_, value)| value).unwrap();
                self.open.push(String::from_utf8(source.to_vec()).unwrap());
            }
            // Other hosts have their turn.
            tokio::task::yield_now().await;
            self.target.step(Step::Send)
        })
    }

    fn commit<'a>(
        &'a mut self,
        progress: &'a [(usize, Progress)],
    ) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async move {
            self.target.step(Step::Commit)?;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let mut shared = self.target.state();
            if self.generation != shared.generation {
                return Err(Error::new(ErrorKind::Broker, "fenced"));
            }
            shared.commits += 1;
            let events = self.open.len() as u64;
            shared.events.append(&mut self.open);
            for (unit, progress) in progress {
                shared.progress[*unit] = Some(progress.clone());
            }
            drop(shared);
            self.target.step(Step::Answer)?;
            Ok(Written { events, bytes: 0 })
        })
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        self.open.clear();
        Box::pin(async { Ok(()) })
    }

    fn recover(&mut self, error: Error) -> BoxFuture<'_, Result<()>> {
        let last_word = self.target.final_kind == Some(error.kind);
        Box::pin(async move { if last_word { Err(error) } else { Ok(()) } })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        let mut shared = self.target.state();
        shared.members.retain(|(name, _)| *name != self.job.worker);
        Self::deal(&mut shared, &self.job);
        Box::pin(async { Ok(()) })
    }
}
