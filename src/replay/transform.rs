//! From an event that was read to the event that is written: partition, timestamp, provenance.
//! One for a preview and one for a run, so that both do the same. Allocates nothing per event.

use std::sync::Arc;

use super::alter::{Altered, Alterer, Record};
use super::plan::{PartitionPolicy, Plan, TimestampPolicy};
use super::provenance::{Known, Prior, Stamp};
use super::tally::{Skip, Tally};
use crate::broker::{Error, ErrorKind, PartitionRange, Result};
use crate::event::{
    ANY_PARTITION, Batch, EventRef, Position, Stream, Streams, Timestamp, TimestampType,
};

/// What is the same for all events of one partition.
struct Lane {
    /// `PLACE/TOPIC/PARTITION/`, the beginning of `evtap-source`.
    place: Vec<u8>,
    start: Position,
    end: Position,
    /// Row of the tally.
    row: usize,
}

pub(super) struct Transform {
    known: Known,
    provenance: bool,
    timestamps: TimestampPolicy,
    partitions: PartitionPolicy,
    topic: Option<Arc<str>>,
    max_replays: u32,
    sources: Vec<(String, Vec<PartitionRange>)>,
    /// The table that `lanes` and `out` stand beside.
    table: Streams,
    origins: Arc<[u16]>,
    lanes: Vec<Lane>,
    out: Streams,
    stamp: Stamp,
    /// Milliseconds to add, once the first event is known.
    shift: Option<i64>,
    alter: Option<Alterer>,
    /// What was rejected since it was last taken; `None` where nobody keeps it.
    rejects: Option<Record>,
    pub(super) tally: Tally,
}

impl Transform {
    pub(super) fn new(plan: &Plan) -> Self {
        let target = plan.target.topic.as_ref().map_or_else(Vec::new, |topic| {
            let names = plan.target.place.names();
            names.map(|name| format!("{name}/{topic}/")).collect()
        });
        let id = plan.id();
        Self {
            stamp: Stamp::new(&id),
            known: Known { plan: id, target },
            provenance: plan.provenance,
            timestamps: plan.timestamps,
            partitions: plan.partitions,
            topic: plan.target.topic.clone(),
            max_replays: plan.guards.max_replays,
            sources: plan
                .sources
                .iter()
                .map(|s| (s.name.clone(), s.ranges.clone()))
                .collect(),
            table: Streams::default(),
            origins: Arc::default(),
            lanes: Vec::new(),
            out: Streams::default(),
            shift: None,
            alter: None,
            rejects: None,
            tally: Tally::default(),
        }
    }

    /// Does to events what the plan's alterations say.
    pub(super) fn altering(mut self, alter: Option<Alterer>) -> Self {
        self.alter = alter;
        self
    }

    pub(super) const fn alterer(&self) -> Option<&Alterer> {
        self.alter.as_ref()
    }

    /// From now on what is rejected is kept, for who takes it.
    pub(super) fn keep_rejects(&mut self) {
        self.rejects = Some(Record::default());
    }

    pub(super) const fn rejects(&mut self) -> Option<&mut Record> {
        self.rejects.as_mut()
    }

    /// With [`TimestampPolicy::Shift`]: an event of this time gets the other one.
    pub(super) fn shift(&mut self, from: Timestamp, to: Timestamp) {
        self.shift = Some(to.0.saturating_sub(from.0));
    }

    pub(super) const fn shifted_by(&self) -> Option<i64> {
        self.shift
    }

    /// Timestamps are moved, by how much is not known before the run.
    pub(super) fn shifts(&self) -> bool {
        self.timestamps == TimestampPolicy::Shift
    }

    /// As an earlier run of the plan did.
    pub(super) fn shift_by(&mut self, millis: i64) {
        self.shift = Some(millis);
    }

    /// Takes in the batch's table of partitions. True when the table for copies is a new one.
    pub(super) fn begin(&mut self, batch: &Batch) -> bool {
        if Arc::ptr_eq(&self.table, batch.streams()) && self.origins == *batch.origins() {
            return false;
        }
        self.table = batch.streams().clone();
        self.origins = batch.origins().clone();
        self.lanes.clear();
        for (index, stream) in (0..).zip(self.table.iter()) {
            let lane = lane(
                &self.sources,
                &mut self.tally,
                batch.origin(index).into(),
                stream,
            );
            self.lanes.push(lane);
        }
        self.out = self
            .table
            .iter()
            .map(|stream| Stream {
                topic: self.topic.clone().unwrap_or_else(|| stream.topic.clone()),
                partition: match self.partitions {
                    PartitionPolicy::Same => stream.partition,
                    PartitionPolicy::Key => ANY_PARTITION,
                    PartitionPolicy::Fixed(partition) => partition,
                },
                style: stream.style,
            })
            .collect();
        if let Some(alter) = &mut self.alter {
            alter.begin(&self.table);
        }
        true
    }

    /// The row of the tally that an event counts in.
    pub(super) fn row(&self, event: &EventRef<'_>) -> usize {
        self.lanes[event.stream_index as usize].row
    }

    /// The table of the copies.
    pub(super) fn streams(&self) -> &Streams {
        &self.out
    }

    /// Says what the event brings along. `None` when it is not copied: then it is counted here,
    /// else by [`Transform::copy`], which may come much later or never.
    pub(super) fn judge(&mut self, event: &EventRef<'_>) -> Option<Prior> {
        let lane = &self.lanes[event.stream_index as usize];
        let row = lane.row;
        let prior = self.known.read(event.headers);
        let skip = if event.position < lane.start || event.position >= lane.end {
            Skip::OutsidePlan
        } else if prior.of_this_plan {
            Skip::ThisPlan
        } else if prior.from_target {
            Skip::FromTarget
        } else if prior.count >= self.max_replays {
            Skip::MaxReplays
        } else {
            return Some(prior);
        };
        self.tally.skip(row, skip);
        None
    }

    /// Whether [`Transform::copy`] will write something for it.
    pub(super) fn is_written(&mut self, event: &EventRef<'_>) -> Result<bool> {
        let Some(alter) = &mut self.alter else {
            return Ok(true);
        };
        let there = &self.out[event.stream_index as usize];
        Ok(matches!(alter.apply(event, there)?, Altered::Write(_)))
    }

    /// Writes the copy; false when the event is dropped or rejected on the way.
    pub(super) fn copy(
        &mut self,
        event: &EventRef<'_>,
        mut prior: Prior,
        out: &mut Batch,
    ) -> Result<bool> {
        let (timestamp, timestamp_type) = self.timestamp(event);
        let lane = &self.lanes[event.stream_index as usize];
        let there = &self.out[event.stream_index as usize];
        let mut made = *event;
        if let Some(alter) = &mut self.alter {
            match alter.apply(event, there)? {
                Altered::Write(altered) => made = altered,
                Altered::Drop => {
                    self.tally.skip(lane.row, Skip::Dropped);
                    return Ok(false);
                }
                Altered::Reject(rejected) => {
                    self.tally.reject(lane.row, event, &rejected);
                    if let Some(rejects) = &mut self.rejects {
                        rejects.push(&self.known.plan, &lane.place, event, &rejected);
                    }
                    return Ok(false);
                }
            }
            // A map can write headers of ours, which are then not to be there twice.
            prior.marked = true;
        }
        let headers = if self.provenance {
            // The position is the original's, whatever became of the rest.
            self.stamp.headers(&made, prior, &lane.place)
        } else {
            made.headers
        };
        let copy = EventRef {
            stream: there,
            timestamp,
            timestamp_type,
            headers,
            meta: None,
            ..made
        };
        out.push(&copy)
            .map_err(|e| Error::new(ErrorKind::Broker, format!("cannot copy an event: {e}")))?;
        let row = &mut self.tally.partitions[lane.row];
        row.read += 1;
        row.copied += 1;
        row.bytes += copy.size() as u64;
        Ok(true)
    }

    fn timestamp(&mut self, event: &EventRef<'_>) -> (Timestamp, TimestampType) {
        let now = (Timestamp::default(), TimestampType::None);
        let Some(time) = event.time() else { return now };
        match self.timestamps {
            TimestampPolicy::Now => now,
            TimestampPolicy::Keep => (time, TimestampType::Create),
            TimestampPolicy::Shift => {
                let shift = *self
                    .shift
                    .get_or_insert_with(|| Timestamp::wall_clock().0.saturating_sub(time.0));
                let moved = Timestamp(time.0.saturating_add(shift));
                (moved, TimestampType::Create)
            }
        }
    }
}

fn lane(
    sources: &[(String, Vec<PartitionRange>)],
    tally: &mut Tally,
    origin: usize,
    stream: &Stream,
) -> Lane {
    let row = tally.row(origin, &stream.topic, stream.partition);
    let Some((name, ranges)) = sources.get(origin) else {
        // No source of this plan.
        return Lane {
            place: Vec::new(),
            start: Position::ZERO,
            end: Position::ZERO,
            row,
        };
    };
    let range = ranges
        .iter()
        .find(|r| r.partition == stream.partition && r.topic == stream.topic);
    let (start, end) = match range {
        Some(range) => (range.start, range.end),
        // Standard input has no ranges: all that it holds.
        None if ranges.is_empty() => (Position::ZERO, Position::MAX),
        None => (Position::ZERO, Position::ZERO),
    };
    Lane {
        place: format!("{name}/{}/{}/", stream.topic, stream.partition).into_bytes(),
        start,
        end,
        row,
    }
}

#[cfg(test)]
mod tests;
