//! The partitions that are read: their number, the beginning of `evtap-source`, and the range.

use std::sync::Arc;

use crate::broker::PartitionRange;
use crate::event::{Batch, EventRef, Streams};
use crate::replay::PlanSource;

/// A partition of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    pub source: usize,
    pub range: PartitionRange,
    /// `PLACE/TOPIC/PARTITION/`
    pub place: Vec<u8>,
}

/// All of them, and which one each stream of the batch at hand is.
pub(super) struct Lanes {
    all: Vec<Lane>,
    table: Streams,
    origins: Arc<[u16]>,
    numbers: Vec<usize>,
}

/// The partitions of a plan's sources, in their order.
pub(super) fn lanes(sources: &[PlanSource]) -> Vec<Lane> {
    let of = |(source, plan): (usize, &PlanSource)| {
        let name = plan.name.clone();
        let lane = move |range: &PartitionRange| Lane {
            source,
            range: range.clone(),
            place: format!("{name}/{}/{}/", range.topic, range.partition).into_bytes(),
        };
        plan.ranges.iter().map(lane).collect::<Vec<_>>()
    };
    sources.iter().enumerate().flat_map(of).collect()
}

/// No partition of the plan's.
const NONE: usize = usize::MAX;

impl Lanes {
    pub(super) fn new(sources: &[PlanSource]) -> Self {
        Self {
            all: lanes(sources),
            table: Streams::default(),
            origins: Arc::default(),
            numbers: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, batch: &Batch) {
        if Arc::ptr_eq(&self.table, batch.streams()) && self.origins == *batch.origins() {
            return;
        }
        self.table = Arc::clone(batch.streams());
        self.origins = Arc::clone(batch.origins());
        self.numbers.clear();
        for (index, stream) in (0..).zip(self.table.iter()) {
            let source = usize::from(batch.origin(index));
            let of = |lane: &Lane| {
                let range = &lane.range;
                (lane.source, &range.topic, range.partition)
                    == (source, &stream.topic, stream.partition)
            };
            let number = self.all.iter().position(of);
            self.numbers.push(number.unwrap_or(NONE));
        }
    }

    pub(super) fn number(&self, event: &EventRef<'_>) -> usize {
        let number = self.numbers.get(event.stream_index as usize);
        number.copied().unwrap_or(NONE)
    }

    fn lane(&self, event: &EventRef<'_>) -> Option<&Lane> {
        self.all.get(self.number(event))
    }

    /// Whether the event stands in a frozen range.
    pub(super) fn holds(&self, event: &EventRef<'_>) -> bool {
        self.lane(event)
            .is_some_and(|lane| (lane.range.start..lane.range.end).contains(&event.position))
    }

    pub(super) fn source(&self, event: &EventRef<'_>) -> usize {
        self.lane(event).map_or(0, |lane| lane.source)
    }

    pub(super) fn place(&self, event: &EventRef<'_>) -> &[u8] {
        self.lane(event).map_or(&[], |lane| &lane.place)
    }
}
