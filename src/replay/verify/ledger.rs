//! What must be in the target and what is there, by partition of the source: two bits and a share
//! of two sums for each position where positions are dense, 16 bytes more where they are not.
//! Bounded: see [`Ledger::is_full`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{Batch, Position, PositionStyle};
use crate::replay::Part;
use crate::replay::copies::Places;
use crate::replay::plan::Plan;

/// Positions of one chunk.
pub(super) const CHUNK: usize = 4096;
const WORDS: usize = CHUNK / 64;

/// A partition of a source, and the window of it that is looked at now.
pub(super) struct Lane {
    /// `TOPIC/PARTITION`, for people.
    pub name: String,
    pub partition: u32,
    pub style: PositionStyle,
    /// Others see to it.
    pub elsewhere: bool,
    /// All that is expected of it is known: it is not read.
    pub known: bool,
    /// The whole range of the plan.
    pub start: Position,
    pub end: Position,
    /// Where retention has come to: what stood before it cannot be judged.
    pub first: Position,
    /// The window `[from, to)`.
    pub from: Position,
    pub to: Position,
    /// The last position that the source handed on.
    last: Option<Position>,
    /// The positions of the window, in order, where they are not dense.
    listed: Vec<Position>,
    /// Those that hold something: positions can be far apart.
    chunks: BTreeMap<usize, Box<Chunk>>,
}

struct Chunk {
    expected: [u64; WORDS],
    seen: [u64; WORDS],
    /// Of the hashes of all that is expected, and of what was seen first at each position.
    expected_sum: u64,
    seen_sum: u64,
}

/// What a copy is to its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    First,
    Again,
    Unexpected,
}

pub(super) struct Ledger {
    pub lanes: Vec<Lane>,
    /// Numbers the lanes.
    pub places: Arc<Places>,
    /// The names of the plan's sources.
    sources: Vec<String>,
    bytes: usize,
    most_bytes: usize,
    pub expected: u64,
    /// Positions that the source handed on twice or out of order: they cannot be told apart.
    pub ambiguous: u64,
}

impl Chunk {
    const EMPTY: Self = Self {
        expected: [0; WORDS],
        seen: [0; WORDS],
        expected_sum: 0,
        seen_sum: 0,
    };
}

fn bit(slot: usize) -> (usize, u64) {
    (slot % CHUNK / 64, 1 << (slot % 64))
}

impl Lane {
    fn new(
        name: String,
        partition: u32,
        style: PositionStyle,
        start: Position,
        end: Position,
    ) -> Self {
        Self {
            name,
            partition,
            style,
            elsewhere: false,
            known: false,
            start,
            end,
            first: Position::ZERO,
            from: start,
            to: end,
            last: None,
            listed: Vec::new(),
            chunks: BTreeMap::new(),
        }
    }

    fn forget(&mut self) {
        self.last = None;
        self.listed = Vec::new();
        self.chunks = BTreeMap::new();
    }

    /// `orders/0@15`
    pub(super) fn coordinate(&self, position: Position) -> String {
        format!("{}@{}", self.name, position.display(self.style))
    }

    pub(super) fn slot(&self, position: Position) -> Option<usize> {
        match self.style {
            PositionStyle::Offset => {
                usize::try_from(position.major.checked_sub(self.from.major)?).ok()
            }
            PositionStyle::Entry => self.listed.binary_search(&position).ok(),
        }
    }

    fn position(&self, slot: usize) -> Position {
        match self.style {
            PositionStyle::Offset => Position::offset(self.from.major + slot as u64),
            PositionStyle::Entry => self.listed.get(slot).copied().unwrap_or(self.to),
        }
    }

    fn chunk(&self, slot: usize) -> Option<&Chunk> {
        self.chunks.get(&(slot / CHUNK)).map(|chunk| &**chunk)
    }

    /// Notes a copy of the event at this position, which lies in the window.
    pub(super) fn see(&mut self, position: Position, hash: u64) -> Match {
        let Some(slot) = self.slot(position) else {
            return Match::Unexpected;
        };
        let chunk = self.chunks.get_mut(&(slot / CHUNK));
        let (word, bit) = bit(slot);
        match chunk {
            Some(chunk) if chunk.expected[word] & bit != 0 => {
                if chunk.seen[word] & bit != 0 {
                    return Match::Again;
                }
                chunk.seen[word] |= bit;
                chunk.seen_sum = chunk.seen_sum.wrapping_add(hash);
                Match::First
            }
            _ => Match::Unexpected,
        }
    }

    /// Whether a copy of the event in this slot was seen.
    pub(super) fn was_seen(&self, slot: usize) -> bool {
        let (word, bit) = bit(slot);
        self.chunk(slot)
            .is_some_and(|chunk| chunk.seen[word] & bit != 0)
    }

    /// The positions of which no copy was seen, in order.
    pub(super) fn missing(&self) -> impl Iterator<Item = Position> + '_ {
        self.chunks.iter().flat_map(move |(index, chunk)| {
            let words = chunk.expected.iter().zip(&chunk.seen).enumerate();
            words
                .filter(|(_, (expected, seen))| *expected & !*seen != 0)
                .flat_map(move |(word, (expected, seen))| {
                    let lost = *expected & !*seen;
                    (0..64)
                        .filter(move |bit| lost >> bit & 1 == 1)
                        .map(move |bit| self.position(index * CHUNK + word * 64 + bit))
                })
        })
    }

    pub(super) fn count_missing(&self) -> u64 {
        self.chunks
            .values()
            .flat_map(|chunk| chunk.expected.iter().zip(&chunk.seen))
            .map(|(expected, seen)| u64::from((expected & !seen).count_ones()))
            .sum()
    }

    /// The chunks of which copies were seen and whose sums differ.
    pub(super) fn differing(&self) -> impl Iterator<Item = usize> + '_ {
        let differs = |chunk: &Chunk| {
            chunk.expected_sum != chunk.seen_sum && chunk.seen.iter().any(|word| *word != 0)
        };
        self.chunks
            .iter()
            .filter(move |(_, chunk)| differs(chunk))
            .map(|(index, _)| *index)
    }

    /// The positions that a chunk covers, `[from, to)`.
    pub(super) fn span(&self, chunk: usize) -> (Position, Position) {
        let end = (chunk + 1) * CHUNK;
        let to = match self.style {
            PositionStyle::Offset => self.position(end).min(self.to),
            PositionStyle::Entry => self.position(end),
        };
        (self.position(chunk * CHUNK), to)
    }
}

impl Ledger {
    /// Empty, with a window on all of the plan.
    pub(super) fn new(plan: &Plan, most_bytes: usize) -> Self {
        let mut ledger = Self {
            lanes: Vec::new(),
            places: Arc::new(Places::of(plan)),
            sources: plan.sources.iter().map(|s| s.name.clone()).collect(),
            bytes: 0,
            most_bytes,
            expected: 0,
            ambiguous: 0,
        };
        for source in &plan.sources {
            for range in &source.ranges {
                let lane = ledger.find(&source.name, &range.topic, range.partition);
                let lane = lane.and_then(|lane| ledger.lanes.get_mut(lane));
                if let Some(lane) = lane {
                    // Two sources read parts of one partition.
                    lane.start = lane.start.min(range.start);
                    lane.end = lane.end.max(range.end);
                    (lane.from, lane.to) = (lane.start, lane.end);
                } else {
                    ledger.lanes.push(Lane::new(
                        format!("{}/{}", range.topic, range.partition),
                        range.partition,
                        range.style,
                        range.start,
                        range.end,
                    ));
                }
            }
        }
        ledger
    }

    /// The lane of a partition of a source, by the source's name.
    pub(super) fn find(&self, source: &str, topic: &str, partition: u32) -> Option<usize> {
        self.places.number(source, topic, partition)
    }

    /// The lane of a partition of a source, by the source's place in the plan.
    pub(super) fn lane_of(&self, source: usize, topic: &str, partition: u32) -> Option<usize> {
        self.find(self.sources.get(source)?, topic, partition)
    }

    /// The lanes of a batch's partitions.
    pub(super) fn lanes_of(&self, batch: &Batch) -> Vec<Option<usize>> {
        let streams = (0..).zip(batch.streams().iter());
        streams
            .map(|(index, stream)| {
                let source = usize::from(batch.origin(index));
                self.lane_of(source, &stream.topic, stream.partition)
            })
            .collect()
    }

    /// What is expected of these lanes is all that there is of them; of others nothing is known.
    pub(super) fn know(&mut self, is_known: impl Fn(usize) -> bool) {
        self.expected = 0;
        self.bytes = 0;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            lane.known = is_known(index);
            if !lane.known {
                lane.forget();
            }
            self.bytes += lane.chunks.len() * size_of::<Chunk>();
            let words = lane.chunks.values().flat_map(|chunk| &chunk.expected);
            self.expected += words.map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
    }

    /// From now on there is so much room.
    pub(super) const fn widen(&mut self, most_bytes: usize) {
        self.most_bytes = most_bytes;
    }

    /// Nothing is left to be read.
    pub(super) fn is_known(&self) -> bool {
        self.lanes.iter().all(|lane| lane.known || lane.elsewhere)
    }

    /// Nothing of these is expected, and what is there of them is not looked at. Gives how many that
    /// are.
    pub(super) fn leave_out(&mut self, plan: &Plan, parts: &[Part]) -> usize {
        // Several sources may read parts of one partition.
        let mut left = vec![false; self.lanes.len()];
        for (index, source) in plan.sources.iter().enumerate() {
            for range in &source.ranges {
                let same = |p: &Part| {
                    (p.source, &p.topic, p.partition) == (index, &range.topic, range.partition)
                };
                let lane = self.find(&source.name, &range.topic, range.partition);
                if let Some(left) = lane.and_then(|lane| left.get_mut(lane)) {
                    *left = parts.iter().any(same);
                }
            }
        }
        for (lane, left) in self.lanes.iter_mut().zip(&left) {
            lane.elsewhere = *left;
            if *left {
                lane.from = lane.end;
            }
        }
        left.iter().filter(|left| **left).count()
    }

    /// False for a partition of the target that only others wrote to, where each event keeps the
    /// partition that it had.
    pub(super) fn is_of_this(&self, partition: u32) -> bool {
        let mut lanes = self.lanes.iter().filter(|l| l.partition == partition);
        let first = lanes.next();
        first.is_none_or(|first| !first.elsewhere || lanes.any(|lane| !lane.elsewhere))
    }

    /// No room for more: the window ends where each partition stands now.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.most_bytes
    }

    /// Notes that a copy of the event at this position is expected.
    pub(super) fn expect(&mut self, lane: usize, position: Position, hash: u64) {
        let Some(lane) = self.lanes.get_mut(lane) else {
            return;
        };
        if lane.last.is_some_and(|last| position <= last) {
            self.ambiguous += 1;
            return;
        }
        lane.last = Some(position);
        let slot = match lane.style {
            PositionStyle::Offset => lane.slot(position),
            PositionStyle::Entry => {
                lane.listed.push(position);
                self.bytes += size_of::<Position>();
                Some(lane.listed.len() - 1)
            }
        };
        let Some(slot) = slot else { return };
        let chunk = lane.chunks.entry(slot / CHUNK).or_insert_with(|| {
            self.bytes += size_of::<Chunk>();
            Box::new(Chunk::EMPTY)
        });
        let (word, bit) = bit(slot);
        chunk.expected[word] |= bit;
        chunk.expected_sum = chunk.expected_sum.wrapping_add(hash);
        self.expected += 1;
    }

    /// What is to be read of each lane, `[from, to)`.
    pub(super) fn windows(&self) -> Vec<(Position, Position)> {
        let window = |lane: &Lane| (if lane.known { lane.to } else { lane.from }, lane.to);
        self.lanes.iter().map(window).collect()
    }

    /// The windows end where the source stopped: after what it handed on last, or at the very end.
    pub(super) fn close(&mut self, complete: bool) {
        for lane in &mut self.lanes {
            lane.to = match lane.last {
                _ if complete || lane.known => lane.end,
                Some(last) => last.next(lane.style).min(lane.end),
                None => lane.from,
            };
        }
    }

    /// The next windows begin where these end, with nothing in them.
    pub(super) fn advance(&mut self) {
        self.bytes = 0;
        for lane in &mut self.lanes {
            lane.from = lane.to;
            lane.to = lane.end;
            // Kept, as a position may come a second time.
            let last = lane.last;
            lane.forget();
            lane.last = last;
        }
    }
}
