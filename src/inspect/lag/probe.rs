//! What waits behind a group's commit: how many events a reader would be given, and the first of
//! them. A fold over the events from the commit on; events before it are passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hot::{HotKey, HotKeys};
use crate::broker::{Group, GroupOffset, PartitionRange};
use crate::event::{
    Batch, BatchMeta, EventRef, Position, PositionStyle, Stream, Streams, Timestamp, Visibility,
};
use crate::inspect::top::{self, Value};
use crate::inspect::{At, Names};
use crate::pipeline::Watcher;
use crate::text::JsonText;

/// Events behind the first that tell what the topic's values are.
const SAMPLES: u32 = 16;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;
/// Commits behind which keys are counted; up to 22 KB each.
const COUNTED: usize = 256;

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
    /// The commit, or the first position that is still there.
    from: Position,
    /// As far as events can be read now.
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
    keys: Option<Box<HotKeys>>,
}

/// Where what a group will be given begins: not before the first position that is there.
fn begins(offset: &GroupOffset) -> Option<Position> {
    Some(offset.committed?.max(offset.first))
}

impl Watch {
    const fn new(from: Position, end: Position) -> Self {
        Self {
            from,
            end,
            begun: false,
            covered: from,
            visible: 0,
            first: None,
            broken: None,
            json: 0,
            other: 0,
            keys: None,
        }
    }

    /// The reader stood here: whatever lies between the commit and here was looked at.
    fn pass(&mut self, from: Position, to: Position) {
        self.begun |= from <= self.from;
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
        let whole = base >= self.from && base < self.end;
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
            .is_some_and(|m| Position::offset(m.base_offset) >= self.from);
        if position < self.from || position >= self.end || !self.begun {
            return;
        }
        self.visible += u64::from(!counted);
        if let (Some(keys), Some(key)) = (&mut self.keys, event.key) {
            keys.count(key);
        }
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

    /// How many events there are, and whether that is an estimate by the part that was seen.
    fn count(&self) -> (Option<u64>, bool) {
        if !self.begun {
            return (None, false);
        }
        if self.covered >= self.end {
            return (Some(self.visible), false);
        }
        let seen = u128::from(self.covered.major.saturating_sub(self.from.major));
        let all = u128::from(self.end.major.saturating_sub(self.from.major));
        // No event in the part that was seen says nothing of the others.
        let guess = (u128::from(self.visible) * all).checked_div(seen);
        let guess = guess.filter(|guess| *guess > 0);
        (guess.and_then(|guess| u64::try_from(guess).ok()), true)
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
    /// Events that the group would be given; `None` when nobody looked.
    pub visible: Option<u64>,
    /// Not everything up to the end was seen: the figure goes on as the part that was.
    pub estimated: bool,
    pub waiting: Option<Waiting>,
    /// Keys that many of the events have that were seen.
    pub hot: Vec<HotKey>,
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
        let mut count = 0;
        for offset in groups.iter().flat_map(|g| &g.offsets) {
            let end = offset.readable();
            let Some(from) = begins(offset).filter(|from| *from < end) else {
                continue;
            };
            let place = (Arc::clone(&offset.topic), offset.partition);
            let number = *probe.places.entry(place).or_insert(probe.watches.len());
            if number == probe.watches.len() {
                probe.watches.push(Vec::new());
            }
            let watches = &mut probe.watches[number];
            if let Some(same) = watches.iter_mut().find(|w| w.from == from) {
                same.end = same.end.max(end);
                continue;
            }
            let mut watch = Watch::new(from, end);
            watch.keys = (count < COUNTED).then(Box::default);
            count += 1;
            watches.push(watch);
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
        if offset.silent.is_some() {
            return Behind::default();
        }
        let end = offset.readable();
        let Some(from) = begins(offset) else {
            return Behind::default();
        };
        if from >= end {
            // A reader of uncommitted events may stand behind what others are given.
            let raw = offset.raw_lag.filter(|lag| *lag > 0);
            let beyond = raw.filter(|_| offset.committed > offset.stable);
            return Behind {
                visible: Some(beyond.unwrap_or(0)),
                estimated: beyond.is_some(),
                ..Behind::default()
            };
        }
        let watches = self.of(&offset.topic, offset.partition);
        let same = |w: &&Watch| w.from == from;
        let Some(watch) = watches.and_then(|all| all.iter().find(same)) else {
            return Behind::default();
        };
        let (visible, estimated) = match offset.style {
            // Positions are not dense here; the broker's own figure counts entries.
            PositionStyle::Entry => (offset.raw_lag, false),
            PositionStyle::Offset => watch.count(),
        };
        Behind {
            visible,
            estimated,
            waiting: watch.waiting(),
            hot: watch.keys.as_ref().map(|k| k.hot()).unwrap_or_default(),
        }
    }
}

/// Fed with what was read behind the commits. Where the source tells nothing of record batches,
/// what is not given is known not to be there once the range was read.
impl Watcher for Probe {
    fn begins(&mut self, range: &PartitionRange) {
        for watch in self.of_mut(range) {
            watch.begun |= range.start <= watch.from;
        }
    }

    fn batch(&mut self, batch: &Batch) {
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
            if event.is_aborted() {
                continue;
            }
            for watch in &mut self.watches[number] {
                watch.event(|| At::of(batch, &event), &event, &self.names);
            }
        }
    }

    fn ended(&mut self, range: &PartitionRange) {
        for watch in self.of_mut(range) {
            watch.pass(range.start, range.end);
        }
    }
}
