//! The target's side: which copies of this plan are there, each held against the ledger.

use std::collections::HashMap;
use std::sync::Arc;

use super::digest::Digester;
use super::ledger::{Ledger, Match};
use super::result::{Findings, Kind};
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, EventRef, Position, Select, SelectError, SelectWorker, Stream, Verdict};
use crate::pipeline::{Consumer, Flow};
use crate::replay::provenance;

/// Where a copy says that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    At(usize, Position),
    /// Of this plan, and from no place that it reads.
    Unknown,
}

/// Finds the lane of a copy; the lane before is most often the right one.
#[derive(Debug, Default)]
pub(super) struct Reader {
    place: Vec<u8>,
    lane: Option<usize>,
}

impl Reader {
    /// Where the event comes from by its headers; `None` when it is no copy of this plan.
    pub(super) fn origin(
        &mut self,
        ledger: &Ledger,
        plan: &str,
        event: &EventRef<'_>,
    ) -> Option<Origin> {
        if event.is_aborted() || !is_copy(event, plan) {
            return None;
        }
        Some(self.parse(ledger, event).unwrap_or(Origin::Unknown))
    }

    fn parse(&mut self, ledger: &Ledger, event: &EventRef<'_>) -> Option<Origin> {
        let source = event.headers.last(provenance::SOURCE)??;
        let slash = memchr::memrchr(b'/', source)?;
        let (place, position) = source.split_at(slash);
        if self.lane.is_none() || self.place != place {
            self.lane = ledger.find(place);
            self.place.clear();
            self.place.extend_from_slice(place);
        }
        let lane = self.lane?;
        let text = std::str::from_utf8(position.get(1..)?).ok()?;
        let position = Position::parse(text, ledger.lanes.get(lane)?.style)?;
        Some(Origin::At(lane, position))
    }
}

fn is_copy(event: &EventRef<'_>, plan: &str) -> bool {
    event.headers.last(provenance::REPLAY) == Some(Some(plan.as_bytes()))
}

/// True for an event whose original had a timestamp.
pub(super) fn had_time(event: &EventRef<'_>) -> bool {
    event.headers.last(provenance::TIME).is_some()
}

/// `copy/1@20`
pub(super) fn coordinate(stream: &Stream, position: Position) -> String {
    let position = position.display(stream.style);
    format!("{}/{}@{position}", stream.topic, stream.partition)
}

/// One pass over the target.
pub(super) struct Find<'a> {
    pub plan: &'a str,
    pub digester: &'a Digester,
    pub ledger: &'a mut Ledger,
    pub findings: &'a mut Findings,
    /// Windows that come before all others, and after them.
    pub is_first: bool,
    pub is_last: bool,
    pub reader: Reader,
    pub order: Order,
    /// Copies of events that retention has taken from the source.
    pub unjudged: u64,
}

/// The furthest copy so far of each partition of the source in each of the target.
#[derive(Default)]
pub(super) struct Order {
    /// By lane, and by the target's own index of the partition.
    furthest: HashMap<(usize, u32), Position>,
}

impl Order {
    /// False when a later event stands before it.
    fn is_kept(&mut self, lane: usize, partition: u32, position: Position) -> bool {
        let furthest = self.furthest.entry((lane, partition)).or_insert(position);
        let kept = *furthest <= position;
        *furthest = position.max(*furthest);
        kept
    }
}

impl Find<'_> {
    fn look(&mut self, event: &EventRef<'_>) {
        let Some(origin) = self.reader.origin(self.ledger, self.plan, event) else {
            return;
        };
        let Origin::At(index, position) = origin else {
            if self.is_first {
                self.findings.copies += 1;
                let at = coordinate(event.stream, event.position);
                let what = "names no place that the plan reads";
                self.findings
                    .add(Kind::Extra, || (None, Some(at), what.into()));
            }
            return;
        };
        let Some(lane) = self.ledger.lanes.get_mut(index) else {
            return;
        };
        if position < lane.first && position >= lane.start {
            self.unjudged += u64::from(self.is_first);
            return;
        }
        let before = position < lane.from;
        let after = position >= lane.to;
        if before && !self.is_first {
            return;
        }
        if after && !self.is_last {
            // Whether it is expected is not known yet; that it stands before others is.
            if position < lane.end {
                self.order.is_kept(index, event.stream_index, position);
            }
            return;
        }
        self.findings.copies += 1;
        let matched = if before || after {
            Match::Unexpected
        } else {
            lane.see(position, || {
                let parts = self.digester.parts(event, had_time(event));
                self.digester.at(position, &parts)
            })
        };
        let tell = || {
            let at = coordinate(event.stream, event.position);
            (Some(lane.coordinate(position)), Some(at), String::new())
        };
        match matched {
            Match::First => {
                if !self.order.is_kept(index, event.stream_index, position) {
                    self.findings.add(Kind::Reordered, tell);
                }
            }
            Match::Again => self.findings.add(Kind::Duplicated, tell),
            Match::Unexpected => self.findings.add(Kind::Extra, tell),
        }
    }
}

impl Consumer for Find<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        for event in batch.iter() {
            self.look(&event);
        }
        Box::pin(async { Ok(Flow::More) })
    }
}

/// Selects the copies that a plan made; others need not be looked at.
pub(super) struct Copies {
    plan: Arc<str>,
}

impl Copies {
    pub(super) fn of(plan: &str) -> Arc<Self> {
        Arc::new(Self { plan: plan.into() })
    }
}

impl Select for Copies {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(CopiesWorker {
            finder: memchr::memmem::Finder::new(self.plan.as_bytes()).into_owned(),
            plan: self.plan.clone(),
        })
    }
}

struct CopiesWorker {
    plan: Arc<str>,
    finder: memchr::memmem::Finder<'static>,
}

impl SelectWorker for CopiesWorker {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        if is_copy(event, &self.plan) {
            Ok(Verdict::Keep)
        } else {
            Ok(Verdict::Drop)
        }
    }

    fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let hit = self.finder.find(bytes.get(from..)?)?;
        Some(from + hit)
    }
}
