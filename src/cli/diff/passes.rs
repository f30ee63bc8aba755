//! The readings of a comparison: one for the sketches, one or several for the parts that differ,
//! and one of what is listed.

use std::collections::HashMap;

use crate::broker::{self, BoxFuture, PartitionRange};
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::progress::Progress;
use crate::cli::session::Session;
use crate::event::{Batch, EventRef, object};
use crate::inspect::At;
use crate::inspect::compare::{
    COST, Differences, Lanes, Look, Matching, Seen, Side, Sketch, Spot, unequal,
};
use crate::pipeline::{Consumer, End, Flow, Reading};

/// Times that both sides are read again for what differs, at most.
const ROUNDS: usize = 8;

/// One side.
pub struct Stream {
    reading: Reading,
    ranges: Vec<PartitionRange>,
    look: Look,
    lanes: Lanes,
    sketch: Sketch,
}

impl Stream {
    pub fn new(reading: Reading, ranges: Vec<PartitionRange>, look: Look, lanes: Lanes) -> Self {
        Self {
            reading,
            ranges,
            look,
            sketch: Sketch::new(lanes.len()),
            lanes,
        }
    }
}

/// An event that is listed.
pub struct Found {
    pub at: At,
    /// As a JSON line.
    pub line: Vec<u8>,
}

/// What was found.
pub struct Compared {
    pub differ: bool,
    pub differences: Differences,
    /// Of each side, the events that are listed; those for which there is no room are missing.
    pub found: [HashMap<Spot, Found>; 2],
    pub events: [u64; 2],
    /// The order within partitions was compared.
    pub ordered: bool,
    /// Events of parts that may differ and were not matched: there is no room for them.
    pub unmatched: u64,
}

const SIDES: [Side; 2] = [Side::Left, Side::Right];

/// `ordered`: the sides have the same partitions.
pub async fn compare(
    session: &Session,
    streams: &mut [Stream; 2],
    ordered: bool,
) -> Result<Compared> {
    for stream in streams.iter_mut() {
        let mut sketch = stream.sketch.clone();
        let mut each = |_: &Batch, seen: Option<Seen>, spot: Spot, _: &EventRef<'_>| {
            if let Some(seen) = seen {
                sketch.event(seen, spot.lane);
            }
        };
        pass(session, stream, true, &mut each).await?;
        stream.sketch = sketch;
    }
    let [left, right] = &*streams;
    let ordered = ordered && left.sketch.is_ordered();
    let events = [left.sketch.events(), right.sketch.events()];
    let differing = unequal(&left.sketch, &right.sketch, ordered);
    let room = (session.global.mem / 4) as u64 / COST;
    let rounds = rounds(&differing, [&left.sketch, &right.sketch], room);
    let mut differences = Differences::default();
    for slots in rounds.all {
        let mut matching = Matching::new(&slots);
        for (stream, side) in streams.iter_mut().zip(SIDES) {
            let mut again = Sketch::new(stream.lanes.len());
            let mut each = |_: &Batch, seen: Option<Seen>, spot: Spot, _: &EventRef<'_>| {
                if let Some(seen) = seen {
                    again.event(seen, spot.lane);
                    matching.event(side, &seen, spot);
                }
            };
            pass(session, stream, true, &mut each).await?;
            if !stream.sketch.agrees(&again) {
                return Err(changed_meanwhile(stream));
            }
        }
        matching.compare(ordered, &mut differences);
    }
    differences.sort();
    let found = [
        find(session, &mut streams[0], &differences, Side::Left).await?,
        find(session, &mut streams[1], &differences, Side::Right).await?,
    ];
    Ok(Compared {
        differ: rounds.differ || !differences.counts.is_empty(),
        differences,
        found,
        events,
        ordered,
        unmatched: rounds.unmatched,
    })
}

fn changed_meanwhile(stream: &Stream) -> Failure {
    let shown = stream.reading.inputs.first();
    let shown = shown.map_or("a side", |input| input.shown.as_str());
    Failure::new(
        Exit::Partial,
        format!("{shown} changed while it was compared: what was read first is not there any more"),
    )
    .hint("retention or compaction took events away: begin later with --from, or record it first")
}

/// What is matched at once, and what is not at all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rounds {
    /// Parts that fit into memory together.
    all: Vec<Vec<u16>>,
    /// Events of parts for which there is no room, or no more round.
    unmatched: u64,
    /// Some of these differ for sure. Where only the order does, it need not be that of one key.
    differ: bool,
}

fn rounds(slots: &[u16], [left, right]: [&Sketch; 2], room: u64) -> Rounds {
    let mut rounds = Rounds::default();
    let mut taken = u64::MAX;
    for &slot in slots {
        let events = left.events_of(slot) + right.events_of(slot);
        let begins = taken.saturating_add(events) > room;
        if events > room || (begins && rounds.all.len() == ROUNDS) {
            rounds.unmatched += events;
            rounds.differ |= !left.holds_the_same(right, slot);
            continue;
        }
        if begins {
            rounds.all.push(Vec::new());
            taken = 0;
        }
        taken += events;
        if let Some(last) = rounds.all.last_mut() {
            last.push(slot);
        }
    }
    rounds
}

/// Reads what is listed of one side, as far as there is room for it.
async fn find(
    session: &Session,
    stream: &mut Stream,
    differences: &Differences,
    side: Side,
) -> Result<HashMap<Spot, Found>> {
    let listed = differences.listed.iter().filter_map(|one| match side {
        Side::Left => one.left,
        Side::Right => one.right,
    });
    let mut wanted: Vec<Spot> = listed.collect();
    wanted.sort_unstable();
    let lanes = &stream.lanes;
    let narrowed = stream.ranges.iter().filter_map(|range| {
        let lane = lanes.find(&range.topic, range.partition)?;
        let from = wanted.partition_point(|spot| spot.lane < lane);
        let until = wanted.partition_point(|spot| spot.lane <= lane);
        let of_lane = wanted.get(from..until)?;
        Some(PartitionRange {
            start: of_lane.first()?.position,
            end: of_lane.last()?.position.next(range.style),
            ..range.clone()
        })
    });
    let narrowed: Vec<PartitionRange> = narrowed.collect();
    let mut found = HashMap::new();
    if narrowed.is_empty() {
        return Ok(found);
    }
    stream.reading.freeze(vec![narrowed]);
    let mut reader = stream.look.reader();
    let mut room = session.global.mem / 4;
    let mut each = |batch: &Batch, _: Option<Seen>, spot: Spot, event: &EventRef<'_>| {
        if wanted.binary_search(&spot).is_err() {
            return;
        }
        let mut line = Vec::new();
        object::write(&mut line, event, &reader.see(event));
        if let Some(left) = room.checked_sub(line.len()) {
            room = left;
            let at = At::of(batch, event);
            found.insert(spot, Found { at, line });
        }
    };
    pass(session, stream, false, &mut each).await?;
    Ok(found)
}

type Each<'a> = &'a mut (dyn FnMut(&Batch, Option<Seen>, Spot, &EventRef<'_>) + Send);

/// Reads one side, all of it. `looks`: with what each event is known by.
async fn pass(session: &Session, stream: &mut Stream, looks: bool, each: Each<'_>) -> Result<()> {
    let mut feed = Feed {
        look: looks.then_some(&mut stream.look),
        lanes: &mut stream.lanes,
        each,
    };
    let outcome = Progress::new(session, false)
        .read(session, &stream.reading, &mut feed)
        .await;
    match outcome?.end {
        End::Complete => Ok(()),
        End::Failed(error) => Err(Failure::from(error)),
        End::Interrupted => Err(Failure::new(Exit::Interrupted, "interrupted")),
        End::Limit | End::Idle | End::Timeout | End::Closed => Err(Failure::new(
            Exit::Partial,
            "not everything was read, so nothing can be said",
        )
        .hint("give it more time, or compare less with --from and --until")),
    }
}

struct Feed<'a> {
    look: Option<&'a mut Look>,
    lanes: &'a mut Lanes,
    each: Each<'a>,
}

impl Consumer for Feed<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, broker::Result<Flow>> {
        self.lanes.begin(&batch);
        for event in batch.iter().filter(|event| !event.is_aborted()) {
            let spot = Spot {
                lane: self.lanes.number(event.stream_index),
                position: event.position,
            };
            let seen = self.look.as_mut().map(|look| look.see(&event));
            (self.each)(&batch, seen, spot, &event);
        }
        Box::pin(async { Ok(Flow::More) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(events: &[(u16, u64)]) -> Sketch {
        let mut sketch = Sketch::new(1);
        for (slot, count) in events {
            for content in 0..*count {
                let seen = Seen {
                    slot: *slot,
                    identity: content,
                    content,
                    key: 1,
                };
                sketch.event(seen, 0);
            }
        }
        sketch
    }

    #[test]
    fn parts_are_put_together_as_far_as_memory_reaches() {
        let (left, right) = (
            sketch(&[(1, 3), (2, 4), (3, 9)]),
            sketch(&[(1, 2), (3, 9), (4, 5)]),
        );
        let put = |room| {
            let rounds = rounds(&[1, 2, 3, 4], [&left, &right], room);
            (rounds.all, rounds.unmatched, rounds.differ)
        };
        assert_eq!(put(100), (vec![vec![1, 2, 3, 4]], 0, false));
        assert_eq!(put(18), (vec![vec![1, 2], vec![3], vec![4]], 0, false));
        // What holds the same events may still be in order.
        assert_eq!(put(9), (vec![vec![1, 2], vec![4]], 18, false));
        assert_eq!(put(4), (vec![vec![2]], 28, true));
    }

    #[test]
    fn there_are_no_more_rounds_than_a_person_waits_for() {
        let slots: Vec<u16> = (0..20).collect();
        let all: Vec<(u16, u64)> = slots.iter().map(|slot| (*slot, 2)).collect();
        let rounds = rounds(&slots, [&sketch(&all), &sketch(&[])], 2);
        let told = (rounds.all.len(), rounds.unmatched, rounds.differ);
        assert_eq!(told, (ROUNDS, 24, true));
    }
}
