//! What waits behind a group's commit: how many events a reader would be given, and the first of
//! them. A fold over the events from the commit on; events before it are passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::{Group, GroupOffset, PartitionRange};
use crate::event::{
    Batch, BatchMeta, EventRef, Position, PositionStyle, Stream, Streams, Timestamp, Visibility,
};
use crate::inspect::top::{self, Value};
use crate::inspect::{At, Names};
use crate::text::JsonText;

/// Events behind the first that tell what the topic's values are.
const SAMPLES: u32 = 16;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;

/// The event that a group will be given next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub at: At,
    pub time: Option<Timestamp>,
    /// The front of its key.
    pub key: Option<Box<[u8]>>,
    /// Why its value cannot be decoded as those behind it are.
    pub fault: Option<String>,
}

/// One commit that is looked behind.
#[derive(Debug)]
struct Watch {
    committed: Position,
    end: Position,
    /// The reading has passed the commit, so that the first event behind it is the first.
    begun: bool,
    /// Everything before this was seen.
    covered: Position,
    visible: u64,
    first: Option<Waiting>,
    /// The first one's value, when it is no JSON: the reason, and whether it begins like JSON.
    broken: Option<(String, bool)>,
    json: u32,
    other: u32,
}

impl Watch {
    const fn new(committed: Position, end: Position) -> Self {
        Self {
            committed,
            end,
            begun: false,
            covered: committed,
            visible: 0,
            first: None,
            broken: None,
            json: 0,
            other: 0,
        }
    }

    /// The reader stood here: whatever lies between the commit and here was looked at.
    fn pass(&mut self, from: Position, to: Position) {
        self.begun |= from <= self.committed;
        if self.begun {
            self.covered = self.covered.max(to);
        }
    }

    /// True the first time for a record batch that lies behind the commit as a whole: its own
    /// count of records holds, whatever a filter left of them.
    fn batch(&mut self, meta: &BatchMeta) {
        let base = Position::offset(meta.base_offset);
        let end = Position::offset(meta.next_offset());
        let new = end > self.covered;
        self.pass(base, end);
        let whole = base >= self.committed && base < self.end;
        if new && whole && self.begun && meta.visibility == Visibility::Visible {
            self.visible += u64::from(meta.records);
        }
    }

    fn event(&mut self, at: impl Fn() -> At, event: &EventRef<'_>, names: &Names) {
        let position = event.position;
        if event.meta.is_none() {
            self.pass(position, position.next(event.stream.style));
        }
        let counted = event
            .meta
            .is_some_and(|m| Position::offset(m.base_offset) >= self.committed);
        if position < self.committed || position >= self.end || !self.begun {
            return;
        }
        self.visible += u64::from(!counted);
        if self.first.is_none() {
            self.first = Some(Waiting {
                at: at(),
                time: event.time(),
                key: event.key.map(|k| k.get(..KEY_BYTES).unwrap_or(k).into()),
                fault: None,
            });
            self.broken = broken(event.value, names);
        } else if self.json + self.other < SAMPLES {
            match top::look(event.value, names) {
                Value::Json { .. } => self.json += 1,
                Value::Other => self.other += 1,
                Value::Nothing => {}
            }
        }
    }

    fn waiting(&self) -> Option<Waiting> {
        let mut waiting = self.first.clone()?;
        waiting.fault = self.broken.as_ref().and_then(|(why, like_json)| {
            let alone = self.json + self.other == 0;
            (self.json > self.other || (alone && *like_json)).then(|| why.clone())
        });
        Some(waiting)
    }
}

/// Why a value is no JSON, and whether it begins like an object or array.
fn broken(value: Option<&[u8]>, names: &Names) -> Option<(String, bool)> {
    if top::look(value, names) != Value::Other {
        return None;
    }
    let bytes = value?;
    let why = match JsonText::parse(bytes) {
        Ok(_) => return None,
        Err(fault) => format!("not JSON: {fault}"),
    };
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    Some((why, matches!(first, Some(b'{' | b'['))))
}

/// What lies behind a commit, as far as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behind {
    /// Events that the group would be given; `None` when not everything up to the end was seen.
    pub visible: Option<u64>,
    pub waiting: Option<Waiting>,
}

/// A topic and the number of a partition.
type Place = (Arc<str>, u32);

/// Looks behind the commits of groups.
#[derive(Debug, Default)]
pub struct Probe {
    names: Names,
    watches: Vec<Vec<Watch>>,
    places: BTreeMap<Place, usize>,
    /// The table of the last batch, and which of `watches` its streams are.
    table: Option<Streams>,
    map: Vec<Option<usize>>,
}

impl Probe {
    pub fn new(groups: &[Group]) -> Self {
        let mut probe = Self::default();
        for offset in groups.iter().flat_map(|g| &g.offsets) {
            let Some(committed) = offset.committed.filter(|c| *c < offset.end) else {
                continue;
            };
            let place = (Arc::clone(&offset.topic), offset.partition);
            let number = *probe.places.entry(place).or_insert(probe.watches.len());
            if number == probe.watches.len() {
                probe.watches.push(Vec::new());
            }
            let watches = &mut probe.watches[number];
            match watches.iter_mut().find(|w| w.committed == committed) {
                Some(same) => same.end = same.end.max(offset.end),
                None => watches.push(Watch::new(committed, offset.end)),
            }
        }
        probe
    }

    fn of(&self, topic: &Arc<str>, partition: u32) -> Option<&Vec<Watch>> {
        let place = (Arc::clone(topic), partition);
        self.places.get(&place).and_then(|&n| self.watches.get(n))
    }

    fn of_mut(&mut self, range: &PartitionRange) -> impl Iterator<Item = &mut Watch> {
        let place = (Arc::clone(&range.topic), range.partition);
        let number = self.places.get(&place).copied();
        let watches = number.and_then(|n| self.watches.get_mut(n));
        watches.into_iter().flatten()
    }

    /// The parts of partitions that would have to be read to know all; at most `most` positions of
    /// each, from the commit that is farthest behind.
    pub fn wanted(&self, most: u64) -> Vec<PartitionRange> {
        let range = |((topic, partition), &number): (&Place, &usize)| {
            let watches = self.watches.get(number)?;
            let start = watches.iter().map(|w| w.committed).min()?;
            let end = watches.iter().map(|w| w.end).max()?;
            let cut = Position::offset(start.major.saturating_add(most));
            Some(PartitionRange {
                topic: Arc::clone(topic),
                partition: *partition,
                style: PositionStyle::Offset,
                start,
                end: end.min(cut),
            })
        };
        self.places.iter().filter_map(range).collect()
    }

    /// The range was read, or will be, from its start to its end: what is not given is not there.
    /// Needed where the source tells nothing of record batches; then it is called at the end.
    pub fn has_read(&mut self, range: &PartitionRange) {
        for watch in self.of_mut(range) {
            watch.pass(range.start, range.end);
        }
    }

    /// Begins to read a range: what comes first behind its start is the first that is there.
    pub fn reads_from(&mut self, range: &PartitionRange) {
        for watch in self.of_mut(range) {
            watch.begun |= range.start <= watch.committed;
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.enter(batch.streams());
        for meta in batch.metas() {
            if let Some(number) = self.map[meta.stream as usize] {
                self.watches[number].iter_mut().for_each(|w| w.batch(meta));
            }
        }
        for event in batch.iter() {
            let Some(number) = self.map[event.stream_index as usize] else {
                continue;
            };
            let aborted = |m: &BatchMeta| m.visibility == Visibility::Aborted;
            if event.meta.is_some_and(aborted) {
                continue;
            }
            for watch in &mut self.watches[number] {
                watch.event(|| At::of(batch, &event), &event, &self.names);
            }
        }
    }

    /// Finds out which of the watches the streams of this table are.
    fn enter(&mut self, streams: &Streams) {
        if self.table.as_ref().is_some_and(|t| Arc::ptr_eq(t, streams)) {
            return;
        }
        let number = |stream: &Stream| {
            let place = (Arc::clone(&stream.topic), stream.partition);
            self.places.get(&place).copied()
        };
        self.map = streams.iter().map(number).collect();
        self.table = Some(Arc::clone(streams));
    }

    /// What lies behind this commit.
    pub fn behind(&self, offset: &GroupOffset) -> Behind {
        let none = Behind {
            visible: Some(0),
            waiting: None,
        };
        let Some(committed) = offset.committed else {
            return Behind::default();
        };
        if committed >= offset.end {
            return none;
        }
        let watches = self.of(&offset.topic, offset.partition);
        let same = |w: &&Watch| w.committed == committed;
        let Some(watch) = watches.and_then(|all| all.iter().find(same)) else {
            return Behind::default();
        };
        let all = watch.begun && watch.covered >= watch.end;
        let visible = match offset.style {
            // Positions are not dense here; the broker's own figure counts entries.
            PositionStyle::Entry => offset.raw_lag,
            PositionStyle::Offset => all.then_some(watch.visible),
        };
        Behind {
            visible,
            waiting: watch.waiting(),
        }
    }
}
