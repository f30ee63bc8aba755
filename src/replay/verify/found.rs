//! The target's side: which copies of this plan are there, each held against the ledger.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::ledger::{Ledger, Match};
use super::result::{Findings, Kind};
use super::sighting::Sighting;
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, EventRef, Position, Stream};
use crate::pipeline::{Consumer, Flow};
use crate::replay::copies::Origin;

/// `copy/1@20`
pub(super) fn coordinate(stream: &Stream, position: Position) -> String {
    let position = position.display(stream.style);
    format!("{}/{}@{position}", stream.topic, stream.partition)
}

/// One pass over the target, which is read by [`super::sighting::Sightings`].
pub(super) struct Find<'a> {
    pub ledger: &'a mut Ledger,
    pub findings: &'a mut Findings,
    /// Events keep the partition that they had.
    pub kept: bool,
    /// Windows that come before all others, and after them.
    pub is_first: bool,
    pub is_last: bool,
    pub order: Order,
    /// Copies of events that retention has taken from the source.
    pub unjudged: u64,
}

/// The furthest copy so far of each partition of the source in each of the target.
#[derive(Default)]
pub(super) struct Order {
    /// By lane, and by the target's own index of the partition.
    furthest: HashMap<(usize, u32), Position, RandomState>,
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
        let Some(seen) = Sighting::of(event) else {
            return;
        };
        let Origin::At(index, position) = seen.origin else {
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
        if lane.elsewhere {
            // Who looks at its originals does not look here.
            if self.kept && lane.partition != event.stream.partition && self.is_first {
                self.findings.copies += 1;
                let at = coordinate(event.stream, event.position);
                let from = lane.coordinate(position);
                self.findings
                    .add(Kind::Extra, || (Some(from), Some(at), String::new()));
            }
            return;
        }
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
            lane.see(position, seen.hash)
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
