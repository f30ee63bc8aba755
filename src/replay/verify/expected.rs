//! The source's side: the selection through the plan's own code, up to where a run would write.

use super::digest::{Digester, Parts};
use super::ledger::Ledger;
use super::sides::Sides;
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, BatchPool, EventRef};
use crate::pipeline::{Consumer, Flow};
use crate::replay::alter::Alterer;
use crate::replay::transform::Transform;

/// Makes the events that a run would write, and what is compared of each.
struct Scan<'a> {
    transform: Transform,
    pool: BatchPool,
    out: Batch,
    /// The lane of each partition of the source's table.
    lanes: Vec<Option<usize>>,
    digester: &'a Digester,
    ledger: &'a mut Ledger,
}

impl<'a> Scan<'a> {
    fn new(sides: &Sides<'a>, digester: &'a Digester, ledger: &'a mut Ledger) -> Result<Self> {
        let plan = sides.plan;
        let alterer = Alterer::new(&plan.alterations, sides.means)?;
        Ok(Self {
            transform: Transform::new(plan).altering(alterer),
            pool: BatchPool::default(),
            out: Batch::default(),
            lanes: Vec::new(),
            digester,
            ledger,
        })
    }

    /// Gives each event of the batch as it would be written, with its lane. It has the position of
    /// the original.
    fn each(
        &mut self,
        batch: &Batch,
        mut take: impl FnMut(&mut Ledger, usize, &EventRef<'_>),
    ) -> Result<()> {
        if self.transform.begin(batch) {
            self.lanes = self.ledger.lanes_of(batch);
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
                take(self.ledger, *lane, &event);
            }
        }
        Ok(())
    }
}

/// Fills the ledger.
pub(super) struct Expect<'a> {
    scan: Scan<'a>,
    /// The read can be cut where the ledger is full.
    bounded: bool,
}

impl<'a> Expect<'a> {
    pub(super) fn new(
        sides: &Sides<'a>,
        digester: &'a Digester,
        ledger: &'a mut Ledger,
        bounded: bool,
    ) -> Result<Self> {
        let scan = Scan::new(sides, digester, ledger)?;
        Ok(Self { scan, bounded })
    }

    fn take(&mut self, batch: &Batch) -> Result<Flow> {
        let digester = self.scan.digester;
        self.scan.each(batch, |ledger, lane, event| {
            ledger.expect(lane, event.position, digester.of(event));
        })?;
        let full = self.bounded && self.scan.ledger.is_full();
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
    scan: Scan<'a>,
    take: F,
}

impl<'a, F: FnMut(&Ledger, usize, &EventRef<'_>, Parts) + Send> Each<'a, F> {
    pub(super) fn new(
        sides: &Sides<'a>,
        digester: &'a Digester,
        ledger: &'a mut Ledger,
        take: F,
    ) -> Result<Self> {
        let scan = Scan::new(sides, digester, ledger)?;
        Ok(Self { scan, take })
    }
}

impl<F: FnMut(&Ledger, usize, &EventRef<'_>, Parts) + Send> Consumer for Each<'_, F> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        let (take, digester) = (&mut self.take, self.scan.digester);
        let done = self.scan.each(&batch, |ledger, lane, event| {
            let parts = digester.parts(event, event.time().is_some());
            take(ledger, lane, event, parts);
        });
        Box::pin(async move {
            done?;
            Ok(Flow::More)
        })
    }
}
