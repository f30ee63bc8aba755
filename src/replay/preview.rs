//! The run without a target: the same code up to the sink, and what a person wants to know before
//! saying yes.

use std::collections::VecDeque;
use std::time::Duration;

use super::histogram::Histogram;
use super::plan::Plan;
use super::transform::Transform;
use super::{Pace, Pacer, Tally};
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, BatchPool, EventRef, Scanned, Timestamp};
use crate::pipeline::{Consumer, Flow};

/// Samples from each end.
const SAMPLES: usize = 3;
/// Bytes of a sample's key and value that are kept.
const SAMPLE_BYTES: usize = 1024;

/// A preview under way.
pub struct PreviewRun {
    transform: Transform,
    pacer: Pacer,
    paced: bool,
    pool: BatchPool,
    out: Batch,
    times: Histogram,
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
    keyless: u64,
    largest: u64,
    first: Vec<Sample>,
    last: VecDeque<Sample>,
}

/// A small copy of an event as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// `orders/0@15`
    pub at: String,
    pub time: Option<Timestamp>,
    pub key: Option<Vec<u8>>,
    /// The beginning of it; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The whole value's length.
    pub value_bytes: usize,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Events looked at, and those that the selection kept.
    pub scanned: u64,
    pub matched: u64,
    /// What becomes of those.
    pub tally: Tally,
    /// Events that are copied, by the minute that they happened in.
    pub times: Histogram,
    pub earliest: Option<Timestamp>,
    pub latest: Option<Timestamp>,
    /// Events to be written that have no key.
    pub keyless: u64,
    /// Bytes of the largest event as it would be written: key, value and headers.
    pub largest: u64,
    pub first: Vec<Sample>,
    pub last: Vec<Sample>,
    /// How long the pace takes; `None` at full speed.
    pub expected: Option<Duration>,
}

impl PreviewRun {
    pub fn new(plan: &Plan) -> Self {
        Self {
            transform: Transform::new(plan),
            pacer: Pacer::new(plan.pace),
            paced: plan.pace != Pace::Max,
            pool: BatchPool::default(),
            out: Batch::default(),
            times: Histogram::default(),
            earliest: None,
            latest: None,
            keyless: 0,
            largest: 0,
            first: Vec::new(),
            last: VecDeque::new(),
        }
    }

    /// Sums up; `scanned` is what the source looked at in all.
    pub fn finish(self, scanned: Scanned) -> Preview {
        Preview {
            scanned: scanned.events,
            matched: self.transform.tally.read(),
            tally: self.transform.tally,
            times: self.times,
            earliest: self.earliest,
            latest: self.latest,
            keyless: self.keyless,
            largest: self.largest,
            first: self.first,
            last: self.last.into(),
            expected: self.paced.then(|| self.pacer.last_due()),
        }
    }

    fn take(&mut self, batch: &Batch) -> Result<Flow> {
        self.transform.begin(batch);
        self.out = self.pool.batch(self.transform.streams().clone());
        // Indices of the batch's last copied events.
        let mut tail = VecDeque::with_capacity(SAMPLES);
        for index in 0..batch.len() {
            let event = batch.get(index);
            let Some(prior) = self.transform.judge(&event) else {
                continue;
            };
            self.pacer.next(event.time());
            self.transform.copy(&event, prior, &mut self.out)?;
            self.note_copy();
            if self.out.is_full() {
                self.out = self.pool.batch(self.transform.streams().clone());
            }
            self.note_time(event.time());
            if self.first.len() < SAMPLES {
                self.first.push(Sample::of(&event));
            }
            if tail.len() == SAMPLES {
                tail.pop_front();
            }
            tail.push_back(index);
        }
        for index in tail {
            if self.last.len() == SAMPLES {
                self.last.pop_front();
            }
            self.last.push_back(Sample::of(&batch.get(index)));
        }
        Ok(Flow::More)
    }

    /// The event that was copied last, as it would be written.
    fn note_copy(&mut self) {
        let Some(last) = self.out.len().checked_sub(1) else {
            return;
        };
        let copy = self.out.get(last);
        self.keyless += u64::from(copy.key.is_none());
        let bytes = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers = copy
            .headers
            .iter()
            .map(|(name, value)| name.len() + bytes(value));
        let size = bytes(copy.key) + bytes(copy.value) + headers.sum::<usize>();
        self.largest = self.largest.max(size as u64);
    }

    fn note_time(&mut self, time: Option<Timestamp>) {
        let Some(time) = time else { return };
        self.times.add(time);
        self.earliest = Some(self.earliest.map_or(time, |t| t.min(time)));
        self.latest = Some(self.latest.map_or(time, |t| t.max(time)));
    }
}

impl Consumer for PreviewRun {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        let taken = self.take(&batch);
        Box::pin(async { taken })
    }
}

impl Preview {
    /// Events that a run would write.
    pub fn sent(&self) -> u64 {
        self.tally.copied()
    }
}

impl Sample {
    fn of(event: &EventRef<'_>) -> Self {
        let stream = event.stream;
        let position = event.position.display(stream.style);
        let cut = |bytes: &[u8]| bytes[..bytes.len().min(SAMPLE_BYTES)].to_vec();
        Self {
            at: format!("{}/{}@{position}", stream.topic, stream.partition),
            time: event.time(),
            key: event.key.map(cut),
            value: event.value.map(cut),
            value_bytes: event.value.map_or(0, <[u8]>::len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::fake::{Event, Memory, batch, event, plan, streams};
    use crate::replay::{Runner, guard};

    fn mixed() -> Vec<Event> {
        (0..500u64)
            .map(|i| Event {
                time: (i % 7 != 0).then_some(i.cast_signed() * 1000),
                headers: if i % 10 == 0 {
                    vec![("evtap-count", Some("1"))]
                } else {
                    vec![("h", None)]
                },
                ..event((i % 2) as u32, i)
            })
            .collect()
    }

    async fn preview(plan: &Plan, events: &[Event]) -> Preview {
        let mut run = PreviewRun::new(plan);
        for part in events.chunks(64) {
            run.batch(batch(&streams(), part)).await.unwrap();
        }
        run.finish(Scanned {
            events: 2 * events.len() as u64,
            ..Scanned::default()
        })
    }

    #[tokio::test]
    async fn a_preview_foretells_the_run() {
        let plan = plan();
        let foretold = preview(&plan, &mixed()).await;
        let memory = Memory::new();
        let mut runner = Runner::new(&plan, Box::new(memory.clone()));
        for part in mixed().chunks(64) {
            runner.batch(batch(&streams(), part)).await.unwrap();
        }
        let report = runner.finish().await;
        assert_eq!(foretold.tally, report.tally);
        assert_eq!(foretold.sent(), report.sent);
        assert_eq!(
            (foretold.scanned, foretold.matched, foretold.sent()),
            (1000, 500, 450)
        );
    }

    #[tokio::test]
    async fn samples_and_times_are_of_what_is_copied() {
        let seen = preview(&plan(), &mixed()).await;
        let at = |samples: &[Sample]| samples.iter().map(|s| s.at.clone()).collect::<Vec<_>>();
        assert_eq!(at(&seen.first), ["orders/1@1", "orders/0@2", "orders/1@3"]);
        assert_eq!(
            at(&seen.last),
            ["orders/1@497", "orders/0@498", "orders/1@499"]
        );
        assert_eq!(seen.earliest, Some(Timestamp(1000)));
        assert_eq!(seen.latest, Some(Timestamp(499_000)));
        let timed: u64 = seen.times.buckets().iter().map(|(_, n)| n).sum();
        let untimed = (0..500).filter(|i| i % 7 == 0 && i % 10 != 0).count() as u64;
        assert_eq!(timed + untimed, seen.sent());
    }

    #[tokio::test]
    async fn the_expected_duration_is_the_paces() {
        let mut plan = plan();
        assert_eq!(preview(&plan, &mixed()).await.expected, None);
        plan.pace = Pace::Rate(449.0);
        let expected = preview(&plan, &mixed()).await.expected;
        assert_eq!(expected, Some(Duration::from_secs(1)));
        plan.pace = Pace::speed(2.0, None);
        let expected = preview(&plan, &mixed()).await.expected;
        assert_eq!(expected, Some(Duration::from_secs(249)));
    }

    #[tokio::test]
    async fn the_limits_are_checked_before_anything_is_written() {
        let mut plan = plan();
        plan.pace = Pace::Rate(1.0);
        plan.guards.max_events = Some(450);
        plan.guards.max_duration = Some(Duration::from_secs(449));
        let seen = preview(&plan, &mixed()).await;
        assert!(guard::after_preview(&plan, &seen).is_ok());
        let mut few = plan.clone();
        few.guards.max_events = Some(449);
        let error = guard::after_preview(&few, &seen).unwrap_err();
        assert!(
            error.message.starts_with("guard max-events: 450"),
            "{error}"
        );
        plan.guards.max_duration = Some(Duration::from_secs(448));
        let error = guard::after_preview(&plan, &seen).unwrap_err();
        assert!(error.message.starts_with("guard max-duration"), "{error}");
    }
}
