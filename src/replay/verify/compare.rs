//! Verification by provenance: the selection once more through the plan's own code, the target
//! from where it ended when the plan was made, and what each event is on both sides.

use super::detail::name_changes;
use super::digest::Digester;
use super::expected::{Each, Expect};
use super::found::{Find, Order};
use super::ledger::Ledger;
use super::noted::Noted;
use super::result::{Comparison, Findings, Kind, Manner};
use super::sides::{Hands, Pass, Sides};
use super::sighting::Sightings;
use crate::broker::{BoxFuture, Range, Result};
use crate::event::{Batch, Position};
use crate::pipeline::{Consumer, Flow, Limits, StopWhenBegun, Ticker};
use crate::replay::copies::{Copies, Origin, Reader};
use crate::text::human;

/// A verification under way.
pub(super) struct Whole<'a> {
    pub sides: &'a Sides<'a>,
    pub digester: Digester,
    /// What of the target is read.
    pub target: Range,
    /// The plan's id.
    pub id: String,
    pub findings: Findings,
    pub notes: Vec<String>,
    pub hands: Hands<'a>,
}

/// Compares both sides by provenance. `None` when it was interrupted.
pub(super) async fn by_provenance(
    sides: &Sides<'_>,
    known: Option<Noted>,
    stop: StopWhenBegun<'_>,
    ticker: &mut dyn Ticker,
) -> Result<Option<Comparison>> {
    let mut notes = Vec::new();
    let (digester, mut ledger) = match known {
        Some(known) => known.into_ledger(sides.memory),
        None => (
            Digester::new(sides.plan),
            Ledger::new(sides.plan, sides.memory),
        ),
    };
    let left_out = ledger.leave_out(sides.plan, sides.elsewhere);
    sides.note_retention(&mut ledger, &mut notes).await?;
    let mut target = sides.target_range(&mut notes).await?;
    if sides.keeps_partitions()
        && let Range::Frozen(ranges) = &mut target
    {
        ranges.retain(|range| ledger.is_of_this(range.partition));
    }
    sides.wait_until_decided(&target, stop).await;
    let mut whole = Whole {
        sides,
        digester,
        target,
        id: sides.plan.id(),
        findings: Findings::default(),
        notes,
        hands: Hands { stop, ticker },
    };
    let limit = sides.reading.limits.events;
    if (sides.cut_short || limit.is_some()) && whole.cut(&mut ledger).await?.is_none() {
        return Ok(None);
    }
    if whole.windows(&mut ledger).await?.is_none() {
        return Ok(None);
    }
    let kept = ledger
        .expected
        .saturating_sub(whole.findings.count(Kind::Missing));
    if let Some(limit) = limit.filter(|limit| kept < *limit && !sides.cut_short) {
        let Some(lost) = whole.beyond(limit, kept).await? else {
            return Ok(None);
        };
        ledger.expected += lost;
    }
    sides.note_retention(&mut ledger, &mut whole.notes).await?;
    if ledger.ambiguous > 0 {
        whole.notes.push(format!(
            "the source itself holds {} events twice or out of order: they cannot be told apart",
            ledger.ambiguous
        ));
    }
    let Whole {
        id,
        findings,
        notes,
        ..
    } = whole;
    let mut compared = findings.finish(id, Manner::Provenance, ledger.expected, notes);
    if left_out > 0 {
        compared.remarks.push(format!(
            "of {} of the {} partitions, which this host brought to their end; other hosts look at \
             theirs",
            ledger.lanes.len() - left_out,
            ledger.lanes.len()
        ));
    }
    Ok(Some(compared))
}

impl Whole<'_> {
    /// Looks at the plan's ranges in as many windows as memory asks for.
    async fn windows(&mut self, ledger: &mut Ledger) -> Result<Option<()>> {
        let sides = self.sides;
        let mut is_first = true;
        let mut unjudged = 0;
        loop {
            let windows = ledger.windows();
            let inputs = sides.narrowed(&windows, ledger);
            // What the newest events are is known only from all of them.
            let bounded = sides.reading.last.is_none();
            let source = if ledger.is_known() {
                Pass::Whole
            } else {
                let mut expect = Expect::new(sides, &self.digester, ledger, bounded)?;
                let limits = Limits::default();
                let read = sides.read_inputs(inputs, limits, &mut self.hands, &mut expect);
                read.await?
            };
            if source.note("source", &mut self.notes) {
                return Ok(None);
            }
            let complete = matches!(source, Pass::Whole);
            ledger.close(complete);
            let sightings = Sightings::of(&self.id, &ledger.places, &self.digester);
            let mut find = Find {
                ledger,
                findings: &mut self.findings,
                kept: sides.keeps_partitions(),
                is_first,
                is_last: complete,
                order: Order::default(),
                unjudged: 0,
            };
            let read = sides.read_target(&self.target, sightings, &mut self.hands, &mut find);
            let target = read.await?;
            unjudged += find.unjudged;
            if target.note("target", &mut self.notes) {
                return Ok(None);
            }
            if target.is_broken() {
                break;
            }
            tell_missing(ledger, &mut self.findings);
            if name_changes(self, ledger).await?.is_none() {
                return Ok(None);
            }
            if complete || source.is_broken() {
                break;
            }
            is_first = false;
            ledger.advance();
        }
        if unjudged > 0 {
            self.notes.push(format!(
                "{} copies are of events that retention has taken from the source",
                human::count(unjudged)
            ));
        }
        Ok(Some(()))
    }

    /// With a limit, the run decides which events of several partitions are taken: each partition
    /// is looked at up to its last copy.
    async fn cut(&mut self, ledger: &mut Ledger) -> Result<Option<()>> {
        let mut furthest = Furthest {
            plan: &self.id,
            ledger,
            reader: Reader::default(),
            of_lane: vec![None; ledger.lanes.len()],
        };
        let copies = Copies::of(furthest.plan);
        let sides = self.sides;
        let read = sides.read_target(&self.target, copies, &mut self.hands, &mut furthest);
        if matches!(read.await?, Pass::Interrupted) {
            return Ok(None);
        }
        let of_lane = furthest.of_lane;
        for (lane, furthest) in ledger.lanes.iter_mut().zip(of_lane) {
            let end = furthest.map_or(lane.start, |position| position.next(lane.style));
            lane.end = lane.end.min(end);
            lane.to = lane.end;
        }
        Ok(Some(()))
    }

    /// Fewer copies than the limit are there: how many more the selection has up to it.
    async fn beyond(&mut self, limit: u64, kept: u64) -> Result<Option<u64>> {
        let sides = self.sides;
        let mut all = Ledger::new(sides.plan, usize::MAX);
        let inputs = sides.narrowed(&all.windows(), &all);
        let mut count = 0;
        let limits = Limits {
            events: Some(limit),
            ..Limits::default()
        };
        let mut each = Each::new(sides, &self.digester, &mut all, |_, _, _, _| count += 1)?;
        let read = sides.read_inputs(inputs, limits, &mut self.hands, &mut each);
        if read.await?.note("source", &mut self.notes) {
            return Ok(None);
        }
        let lost = u64::saturating_sub(count, kept + self.findings.count(Kind::Missing));
        self.findings.add_untold(Kind::Missing, lost);
        Ok(Some(lost))
    }
}

fn tell_missing(ledger: &Ledger, findings: &mut Findings) {
    for lane in &ledger.lanes {
        let mut untold = lane.count_missing();
        for position in lane.missing() {
            if !findings.wants(Kind::Missing) {
                break;
            }
            let at = lane.coordinate(position);
            findings.add(Kind::Missing, || (Some(at), None, String::new()));
            untold -= 1;
        }
        findings.add_untold(Kind::Missing, untold);
    }
}

struct Furthest<'a> {
    plan: &'a str,
    ledger: &'a Ledger,
    reader: Reader,
    of_lane: Vec<Option<Position>>,
}

impl Consumer for Furthest<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        for event in batch.iter() {
            let origin = self.reader.origin(&self.ledger.places, self.plan, &event);
            let Some(Origin::At(lane, position)) = origin else {
                continue;
            };
            let known = self.ledger.lanes.get(lane);
            let inside = known.is_some_and(|lane| position < lane.end);
            if let (Some(furthest), true) = (self.of_lane.get_mut(lane), inside) {
                *furthest = (*furthest).max(Some(position));
            }
        }
        Box::pin(async { Ok(Flow::More) })
    }
}
