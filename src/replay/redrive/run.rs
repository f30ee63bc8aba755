//! The run: each dead letter judged and copied to where it goes, in the order of its partition.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::copy::{Copier, To};
use super::judge::{Aims, Judge, Met, Way};
use super::outlet::Outlet;
use super::plan::Plan;
use super::tally::Tally;
use crate::broker::{BoxFuture, Error, Result};
use crate::event::{Batch, Position, Timestamp};
use crate::pipeline::{Consumer, Flow};
use crate::replay::{Pacer, guard};
use crate::text::human;

/// A pause of this length has time for what was sent to be stored.
const LONG_WAIT: Duration = Duration::from_millis(500);

/// Finds out where dead letters came from, and writes nothing.
pub(super) struct Survey<'p> {
    judge: Judge<'p>,
    pub(super) met: Met,
}

impl<'p> Survey<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self {
            judge: Judge::new(plan),
            met: Met::default(),
        }
    }

    fn take(&mut self, batch: &Batch) -> Result<Flow> {
        self.judge.begin(batch);
        for event in batch.iter().filter(|event| !event.is_aborted()) {
            self.judge.meet(&event, &mut self.met)?;
        }
        Ok(Flow::More)
    }
}

impl Consumer for Survey<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        let taken = self.take(&batch);
        Box::pin(async { taken })
    }
}

/// A preview or run under way.
pub(super) struct Runner<'p> {
    judge: Judge<'p>,
    copier: Copier,
    aims: Aims<'p>,
    outlets: Vec<Outlet>,
    /// Number of the outlet of what is parked; one that keeps a stream for each partition of the
    /// sources, or has but one.
    parked: Option<usize>,
    pacer: Pacer,
    /// `None` in a preview, which does not wait.
    started: Option<Instant>,
    most: Option<u64>,
    redriven: u64,
}

impl<'p> Runner<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        aims: Aims<'p>,
        outlets: Vec<Outlet>,
        parked: Option<usize>,
        most: Option<u64>,
    ) -> Self {
        Self {
            judge: Judge::new(plan),
            copier: Copier::new(plan),
            aims,
            outlets,
            parked,
            pacer: Pacer::new(plan.pace),
            started: None,
            most,
            redriven: 0,
        }
    }

    /// Keeps to the pace from now on.
    pub(super) fn paced(mut self) -> Self {
        self.started = Some(Instant::now());
        self
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.judge.tally
    }

    /// Waits until what was sent is stored, closes the sinks, and gives what was counted.
    pub(super) async fn finish(mut self) -> (Tally, Vec<Outlet>, Option<Error>) {
        let mut failure = None;
        for outlet in &mut self.outlets {
            if let Err(error) = outlet.finish().await {
                failure.get_or_insert(error);
            }
        }
        (self.judge.tally, self.outlets, failure)
    }

    async fn take(&mut self, batch: &Batch) -> Result<Flow> {
        self.judge.begin(batch);
        for event in batch.iter().filter(|event| !event.is_aborted()) {
            let way = self.judge.judge(&event, &self.aims)?;
            let (number, stream) = match way {
                Way::Leave => continue,
                Way::Redrive { target, stream, .. } => {
                    let Some(target) = self.aims.targets.get(target) else {
                        continue;
                    };
                    self.count()?;
                    self.wait(event.time()).await?;
                    (target.outlet, stream)
                }
                Way::Park(_) => {
                    let Some(parked) = self.parked else { continue };
                    let lane = u32::try_from(self.judge.lane(&event)).unwrap_or_default();
                    (parked, lane)
                }
            };
            let Some(outlet) = self.outlets.get_mut(number) else {
                continue;
            };
            let table = std::sync::Arc::clone(outlet.table());
            let stream_index = if (stream as usize) < table.len() {
                stream
            } else {
                0
            };
            let Some(stream) = table.get(stream_index as usize) else {
                continue;
            };
            let number = outlet.number(stream_index);
            let to = To {
                stream,
                stream_index,
                // What is parked in a file stands there as it stood among the dead letters.
                position: match way {
                    Way::Park(_) => event.position,
                    _ => Position::offset(number),
                },
                keeps_time: outlet.is_file,
            };
            let (place, out) = (self.judge.place(&event), &mut outlet.out);
            let bytes = match way {
                Way::Redrive { past, .. } => self.copier.copy(&event, place, past, to, out)?,
                Way::Park(fate) => self.copier.park(&event, place, fate, to, out)?,
                Way::Leave => 0,
            };
            self.judge.tally.bytes += bytes;
            if outlet.out.is_full() {
                outlet.send().await?;
            }
        }
        self.send().await?;
        Ok(Flow::More)
    }

    fn count(&mut self) -> Result<()> {
        self.redriven += 1;
        match self.most {
            Some(most) if self.redriven > most => Err(guard::too_many(&format!(
                "more than {} dead letters would be redriven",
                human::count(most)
            ))),
            _ => Ok(()),
        }
    }

    async fn send(&mut self) -> Result<()> {
        for outlet in &mut self.outlets {
            outlet.send().await?;
        }
        Ok(())
    }

    /// Holds the next one until its moment, by the clock of the run.
    async fn wait(&mut self, time: Option<Timestamp>) -> Result<()> {
        let due = self.pacer.next(time);
        let Some(started) = self.started else {
            return Ok(());
        };
        let wait = due.saturating_sub(started.elapsed());
        if wait.is_zero() {
            return Ok(());
        }
        self.send().await?;
        if wait >= LONG_WAIT {
            for outlet in &mut self.outlets {
                outlet.flush().await?;
            }
        }
        sleep_until(started + due).await;
        Ok(())
    }
}

impl Consumer for Runner<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        Box::pin(async move { self.take(&batch).await })
    }
}
