//! From an event that was read to the event that is written: partition, timestamp, provenance.
//! One for a preview and one for a run, so that both do the same. Allocates nothing per event.

use std::sync::Arc;

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
    id: String,
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
    pub(super) tally: Tally,
}

impl Transform {
    pub(super) fn new(plan: &Plan) -> Self {
        let target = plan.target.topic.as_ref().map_or_else(Vec::new, |topic| {
            let names = plan.target.place.names();
            names.map(|name| format!("{name}/{topic}/")).collect()
        });
        Self {
            id: plan.id(),
            known: Known {
                plan: plan.id(),
                target,
            },
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
            stamp: Stamp::default(),
            shift: None,
            tally: Tally::default(),
        }
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
        self.tally.partitions[row].read += 1;
        self.tally.skip(row, skip);
        None
    }

    /// Writes the copy.
    pub(super) fn copy(
        &mut self,
        event: &EventRef<'_>,
        prior: Prior,
        out: &mut Batch,
    ) -> Result<()> {
        let (timestamp, timestamp_type) = self.timestamp(event);
        let lane = &self.lanes[event.stream_index as usize];
        let headers = if self.provenance {
            self.stamp.headers(event, prior, &self.id, &lane.place)
        } else {
            event.headers
        };
        let copy = EventRef {
            stream: &self.out[event.stream_index as usize],
            stream_index: event.stream_index,
            position: event.position,
            timestamp,
            timestamp_type,
            key: event.key,
            value: event.value,
            headers,
            meta: None,
        };
        out.push(&copy)
            .map_err(|e| Error::new(ErrorKind::Broker, format!("cannot copy an event: {e}")))?;
        let row = &mut self.tally.partitions[lane.row];
        row.read += 1;
        row.copied += 1;
        row.bytes += copy.size() as u64;
        Ok(())
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
mod tests {
    use super::*;
    use crate::replay::fake::{Event, Header, batch, event, place, plan, streams};

    /// Copies the events by the plan; gives the copies and what was skipped.
    fn copy(plan: &Plan, events: &[Event]) -> (Batch, Vec<(Skip, u64)>) {
        let mut transform = Transform::new(plan);
        let input = batch(&streams(), events);
        transform.begin(&input);
        let mut out = Batch::new(transform.streams().clone());
        for event in input.iter() {
            if let Some(prior) = transform.judge(&event) {
                transform.copy(&event, prior, &mut out).unwrap();
            }
        }
        (out, transform.tally.skipped().collect())
    }

    fn headers(out: &Batch, index: usize) -> Vec<(String, Option<String>)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let all = out.get(index).headers.iter();
        all.map(|(name, value)| (text(name), value.map(text)))
            .collect()
    }

    fn owned(headers: &[Header]) -> Vec<(String, Option<String>)> {
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn provenance_is_appended_and_the_rest_is_untouched() {
        let plan = plan();
        let mut original = event(1, 15);
        original.time = Some(1_723_717_843_000);
        original.headers = vec![("a", Some("1")), ("b", None), ("a", Some(""))];
        let (out, _) = copy(&plan, &[original]);
        let id = plan.id();
        let expected = [
            ("a", Some("1")),
            ("b", None),
            ("a", Some("")),
            ("evtap-replay", Some("ID")),
            ("evtap-source", Some("kafka://h:9092/orders/1/15")),
            ("evtap-time", Some("2024-08-15T10:30:43.000Z")),
            ("evtap-count", Some("1")),
        ];
        let mut expected = owned(&expected);
        expected[3].1 = Some(id);
        assert_eq!(headers(&out, 0), expected);
        let copy = out.get(0);
        assert_eq!((&*copy.stream.topic, copy.stream.partition), ("copy", 1));
    }

    #[test]
    fn null_and_empty_stay_what_they_are() {
        let mut events = Vec::new();
        for key in [None, Some(&b""[..]), Some(b"\0\xff")] {
            for value in [None, Some(&b""[..]), Some(b"\xff\0")] {
                let mut one = event(0, events.len() as u64);
                (one.key, one.value) = (key, value);
                events.push(one);
            }
        }
        for provenance in [true, false] {
            let mut plan = plan();
            plan.provenance = provenance;
            let (out, _) = copy(&plan, &events);
            let got: Vec<_> = out.iter().map(|e| (e.key, e.value)).collect();
            let sent: Vec<_> = events.iter().map(|e| (e.key, e.value)).collect();
            assert_eq!(got, sent);
        }
    }

    #[test]
    fn old_provenance_is_replaced_and_counted_on() {
        let mut plan = plan();
        plan.guards.max_replays = 9;
        let mut original = event(0, 3);
        original.time = None;
        original.headers = vec![
            ("evtap-count", Some("2")),
            ("evtap-replay", Some("other")),
            ("x", Some("y")),
            ("evtap-position", Some("kept")),
            ("evtap-source", Some("a/b/0/1")),
            ("evtap-time", Some("then")),
        ];
        let (out, _) = copy(&plan, &[original.clone()]);
        let expected = [
            ("x", Some("y")),
            ("evtap-position", Some("kept")),
            ("evtap-replay", Some("ID")),
            ("evtap-source", Some("kafka://h:9092/orders/0/3")),
            ("evtap-count", Some("3")),
        ];
        let mut expected = owned(&expected);
        expected[2].1 = Some(plan.id());
        assert_eq!(headers(&out, 0), expected);
        plan.provenance = false;
        let (out, _) = copy(&plan, &[original.clone()]);
        assert_eq!(headers(&out, 0), owned(&original.headers));
    }

    #[test]
    fn events_that_would_go_round_are_skipped_with_their_reason() {
        let mut plan = plan();
        plan.target.place = place("redis://me:pw@t:9092/copy");
        let with = |offset, headers: &[Header]| Event {
            headers: headers.to_vec(),
            ..event(0, offset)
        };
        let id: &'static str = plan.id().leak();
        let events = [
            with(0, &[("evtap-count", Some("1"))]),
            with(1, &[("evtap-replay", Some(id))]),
            with(2, &[("evtap-source", Some("redis://t:9092/copy/0/5-0"))]),
            with(3, &[("evtap-source", Some("redis://t:9092/other/0/5-0"))]),
            with(1000, &[]),
            with(999, &[]),
        ];
        let (out, skipped) = copy(&plan, &events);
        assert_eq!(out.len(), 1);
        assert_eq!(
            skipped,
            [
                (Skip::OutsidePlan, 1),
                (Skip::MaxReplays, 2),
                (Skip::ThisPlan, 1),
                (Skip::FromTarget, 1)
            ]
        );
        // Another limit is another plan: the mark of the first says nothing to it.
        plan.guards.max_replays = 2;
        assert_eq!(copy(&plan, &events).0.len(), 4);
    }

    #[test]
    fn the_partition_policy_is_followed() {
        let events = [event(0, 0), event(1, 0)];
        for (policy, expected) in [
            (PartitionPolicy::Same, [0, 1]),
            (PartitionPolicy::Key, [ANY_PARTITION; 2]),
            (PartitionPolicy::Fixed(1), [1, 1]),
        ] {
            let mut plan = plan();
            plan.partitions = policy;
            let (out, _) = copy(&plan, &events);
            let got: Vec<u32> = out.iter().map(|e| e.stream.partition).collect();
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn the_timestamp_policy_is_followed() {
        let mut events = [event(0, 0), event(0, 1), event(0, 2)];
        events[0].time = Some(5000);
        events[1].time = None;
        events[2].time = Some(4500);
        let times = |policy| {
            let mut plan = plan();
            plan.timestamps = policy;
            let (out, _) = copy(&plan, &events);
            out.iter()
                .map(|e| e.time().map(|t| t.0))
                .collect::<Vec<_>>()
        };
        assert_eq!(times(TimestampPolicy::Now), [None; 3]);
        assert_eq!(times(TimestampPolicy::Keep), [Some(5000), None, Some(4500)]);
        let shifted = times(TimestampPolicy::Shift);
        let now = Timestamp::wall_clock().0;
        assert!((now - shifted[0].unwrap()).abs() < 60_000);
        assert_eq!(shifted[0].unwrap() - shifted[2].unwrap(), 500);
    }

    #[test]
    fn each_source_has_its_own_name_and_range() {
        let mut plan = plan();
        let mut second = plan.sources[0].clone();
        second.name = "b.mcap".into();
        second.ranges[0].end = Position::offset(1);
        plan.sources.push(second);
        let mut transform = Transform::new(&plan);
        let table: Streams = [streams(), streams()].concat().into();
        let mut input = batch(&table, &[event(0, 7), event(2, 7), event(2, 0)]);
        input.set_origins([0, 0, 1, 1].into());
        transform.begin(&input);
        let mut out = Batch::new(transform.streams().clone());
        for event in input.iter() {
            if let Some(prior) = transform.judge(&event) {
                transform.copy(&event, prior, &mut out).unwrap();
            }
        }
        let sources: Vec<_> = out.iter().map(|e| e.headers.last("evtap-source")).collect();
        assert_eq!(
            sources,
            [
                Some(Some(&b"kafka://h:9092/orders/0/7"[..])),
                Some(Some(&b"b.mcap/orders/0/0"[..]))
            ]
        );
    }
}
