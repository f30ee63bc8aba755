//! The source's side: the selection through the plan's own code, up to where a run would write.

use super::digest::{Digester, Parts};
use super::ledger::Ledger;
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, BatchPool, EventRef};
use crate::pipeline::{Consumer, Flow};
use crate::replay::plan::{Plan, TimestampPolicy};
use crate::replay::transform::Transform;

/// Makes the events that a run would write.
pub(super) struct Originals<'a> {
    plan: &'a Plan,
    transform: Transform,
    pool: BatchPool,
    out: Batch,
    /// The lane of each partition of the source's table.
    lanes: Vec<Option<usize>>,
}

impl<'a> Originals<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            transform: Transform::new(plan),
            pool: BatchPool::default(),
            out: Batch::default(),
            lanes: Vec::new(),
        }
    }

    /// Gives each event of the batch as it would be written, with its lane. It has the position of
    /// the original.
    fn each(
        &mut self,
        batch: &Batch,
        ledger: &mut Ledger,
        mut take: impl FnMut(&mut Ledger, usize, &EventRef<'_>),
    ) -> Result<()> {
        if self.transform.begin(batch) {
            self.find_lanes(batch, ledger);
        }
        self.out = self.pool.batch(self.transform.streams().clone());
        for event in batch.iter() {
            let Some(prior) = self.transform.judge(&event) else {
                continue;
            };
            self.transform.copy(&event, prior, &mut self.out)?;
        }
        for event in self.out.iter() {
            let lane = self.lanes.get(event.stream_index as usize);
            if let Some(Some(lane)) = lane {
                take(ledger, *lane, &event);
            }
        }
        Ok(())
    }

    fn find_lanes(&mut self, batch: &Batch, ledger: &Ledger) {
        let streams = (0..).zip(batch.streams().iter());
        let lanes = streams.map(|(index, stream)| {
            let source = self.plan.sources.get(usize::from(batch.origin(index)))?;
            ledger.find(&source.name, &stream.topic, stream.partition)
        });
        self.lanes = lanes.collect();
    }
}

/// Fills the ledger.
pub(super) struct Expect<'a> {
    originals: Originals<'a>,
    digester: &'a Digester,
    ledger: &'a mut Ledger,
    timed: bool,
    /// The read can be cut where the ledger is full.
    bounded: bool,
}

impl<'a> Expect<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        digester: &'a Digester,
        ledger: &'a mut Ledger,
        bounded: bool,
    ) -> Self {
        Self {
            originals: Originals::new(plan),
            digester,
            ledger,
            timed: plan.timestamps == TimestampPolicy::Keep,
            bounded,
        }
    }

    fn take(&mut self, batch: &Batch) -> Result<Flow> {
        let (digester, timed) = (self.digester, self.timed);
        self.originals
            .each(batch, self.ledger, |ledger, lane, event| {
                let parts = digester.parts(event, timed && event.time().is_some());
                let hash = digester.at(event.position, &parts);
                ledger.expect(lane, event.position, hash);
            })?;
        let full = self.bounded && self.ledger.is_full();
        Ok(if full { Flow::Closed } else { Flow::More })
    }
}

impl Consumer for Expect<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        let taken = self.take(&batch);
        Box::pin(async { taken })
    }
}

/// Hands the parts of each expected event to somebody.
pub(super) struct Each<'a, F> {
    originals: Originals<'a>,
    digester: &'a Digester,
    ledger: &'a mut Ledger,
    timed: bool,
    take: F,
}

impl<'a, F: FnMut(&Ledger, usize, &EventRef<'_>, Parts) + Send> Each<'a, F> {
    pub(super) fn new(
        plan: &'a Plan,
        digester: &'a Digester,
        ledger: &'a mut Ledger,
        take: F,
    ) -> Self {
        Self {
            originals: Originals::new(plan),
            digester,
            ledger,
            timed: plan.timestamps == TimestampPolicy::Keep,
            take,
        }
    }
}

impl<F: FnMut(&Ledger, usize, &EventRef<'_>, Parts) + Send> Consumer for Each<'_, F> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        let (digester, timed, take) = (self.digester, self.timed, &mut self.take);
        let done = self
            .originals
            .each(&batch, self.ledger, |ledger, lane, event| {
                let parts = digester.parts(event, timed && event.time().is_some());
                take(ledger, lane, event, parts);
            });
        Box::pin(async move {
            done?;
            Ok(Flow::More)
        })
    }
}
