//! The second look: chunks whose sums differ are read again on both sides, event by event, to name
//! the copies that are not what their originals are.

use std::collections::HashMap;

use super::compare::Whole;
use super::digest::{Digester, Parts};
use super::expected::Each;
use super::found::coordinate;
use super::ledger::{CHUNK, Ledger};
use super::result::{Findings, Kind};
use super::sides::Pass;
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, EventRef, Position};
use crate::pipeline::{Consumer, Flow, Limits};
use crate::replay::copies::{Copies, Marks, Origin, Reader};

/// Chunks that are read again in one go: 160 KiB each.
const AT_ONCE: usize = 256;
/// Times that both sides are read again before it is given up to name every change.
const TURNS: usize = 16;

/// The parts of each expected event of a chunk of which a copy was seen.
type Chunks = HashMap<(usize, usize), Box<[Option<Parts>]>>;

/// Names what changed. What cannot be told is a note.
pub(super) async fn name_changes(whole: &mut Whole<'_>, ledger: &mut Ledger) -> Result<Option<()>> {
    let lanes = ledger.lanes.iter().enumerate();
    let all: Vec<(usize, usize)> = lanes
        .flat_map(|(index, lane)| lane.differing().map(move |chunk| (index, chunk)))
        .collect();
    let before = whole.findings.count(Kind::Changed);
    let mut turns = all.chunks(AT_ONCE);
    for some in turns.by_ref().take(TURNS) {
        let Some(mut chunks) = collect(whole, ledger, some).await? else {
            return Ok(None);
        };
        let mut compare = Compare {
            plan: &whole.id,
            digester: &whole.digester,
            ledger,
            findings: &mut whole.findings,
            reader: Reader::default(),
            chunks: &mut chunks,
        };
        let copies = Copies::of(&whole.id);
        let read = whole
            .sides
            .read_target(&whole.target, copies, &mut whole.hands, &mut compare);
        match read.await? {
            Pass::Interrupted => return Ok(None),
            Pass::Broken(why) => whole
                .notes
                .push(format!("the target could not be read again: {why}")),
            Pass::Whole | Pass::Full => {}
        }
    }
    let left: usize = turns.map(<[_]>::len).sum();
    if left > 0 {
        whole.notes.push(format!(
            "at least as many changed as are counted: {left} stretches of {CHUNK} positions differ \
             too and were not read again"
        ));
    }
    let none_lost = ledger.lanes.iter().all(|lane| lane.count_missing() == 0);
    if !all.is_empty() && none_lost && whole.findings.count(Kind::Changed) == before {
        whole
            .notes
            .push("what differed at first did not when it was read again".to_owned());
    }
    Ok(Some(()))
}

/// Reads the source's part of these chunks.
async fn collect(
    whole: &mut Whole<'_>,
    ledger: &mut Ledger,
    some: &[(usize, usize)],
) -> Result<Option<Chunks>> {
    let mut windows = vec![(Position::ZERO, Position::ZERO); ledger.lanes.len()];
    let mut chunks = Chunks::new();
    for &(index, chunk) in some {
        chunks.insert((index, chunk), vec![None; CHUNK].into_boxed_slice());
        let lane = ledger.lanes.get(index);
        if let (Some(window), Some(lane)) = (windows.get_mut(index), lane) {
            let (from, to) = lane.span(chunk);
            let empty = window.0 == window.1;
            *window = if empty {
                (from, to)
            } else {
                (window.0.min(from), window.1.max(to))
            };
        }
    }
    let (sides, digester) = (whole.sides, &whole.digester);
    let inputs = sides.narrowed(&windows, ledger);
    let mut each = Each::new(sides, digester, ledger, |ledger, lane, event, parts| {
        note(&mut chunks, ledger, lane, event, parts);
    })?;
    let limits = Limits::default();
    let read = sides
        .read_inputs(inputs, limits, &mut whole.hands, &mut each)
        .await?;
    // What could not be read again is told by the caller: nothing that differed was found.
    Ok((!matches!(read, Pass::Interrupted)).then_some(chunks))
}

fn note(chunks: &mut Chunks, ledger: &Ledger, lane: usize, event: &EventRef<'_>, parts: Parts) {
    let Some(row) = ledger.lanes.get(lane) else {
        return;
    };
    let Some(slot) = row.slot(event.position).filter(|slot| row.was_seen(*slot)) else {
        return;
    };
    let place = chunks.get_mut(&(lane, slot / CHUNK));
    if let Some(place) = place.and_then(|chunk| chunk.get_mut(slot % CHUNK)) {
        *place = Some(parts);
    }
}

/// Holds the first copy of each event against its original.
struct Compare<'a> {
    plan: &'a str,
    digester: &'a Digester,
    ledger: &'a Ledger,
    findings: &'a mut Findings,
    reader: Reader,
    chunks: &'a mut Chunks,
}

impl Compare<'_> {
    fn look(&mut self, event: &EventRef<'_>) {
        let Some(marks) = Marks::of(event, self.plan) else {
            return;
        };
        let origin = self.reader.origin_by(&self.ledger.places, &marks);
        let Origin::At(index, position) = origin else {
            return;
        };
        let Some(lane) = self.ledger.lanes.get(index) else {
            return;
        };
        if position < lane.from || position >= lane.to {
            return;
        }
        let Some(slot) = lane.slot(position) else {
            return;
        };
        let chunk = self.chunks.get_mut(&(index, slot / CHUNK));
        let original = chunk.and_then(|chunk| chunk.get_mut(slot % CHUNK));
        // Later ones are duplicates, and told as such.
        let Some(original) = original.and_then(Option::take) else {
            return;
        };
        let copy = self.digester.parts(event, marks.timed);
        if copy != original {
            self.findings.add(Kind::Changed, || {
                let at = coordinate(event.stream, event.position);
                let what = original.differing(&copy);
                (Some(lane.coordinate(position)), Some(at), what)
            });
        }
    }
}

impl Consumer for Compare<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        for event in batch.iter() {
            self.look(&event);
        }
        Box::pin(async { Ok(Flow::More) })
    }
}
