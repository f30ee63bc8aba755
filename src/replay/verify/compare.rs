//! Verification by provenance: the selection once more through the plan's own code, the target
//! from where it ended when the plan was made, and what each event is on both sides.

use super::detail::name_changes;
use super::digest::Digester;
use super::expected::{Each, Expect};
use super::found::{Find, Order};
use super::ledger::Ledger;
use super::result::{Comparison, Findings, Kind, Manner};
use super::sides::{Hands, Pass, Sides};
use crate::broker::{BoxFuture, Range, Result};
use crate::event::{Batch, Position};
use crate::pipeline::{Consumer, Flow, Limits, StopWhenBegun, Ticker};
use crate::replay::copies::{Copies, Origin, Reader};
use crate::text::human;

/// A verification under way.
pub(super) struct Whole<'a> {
    pub id: String,
    pub findings: Findings,
    pub notes: Vec<String>,
    pub hands: Hands<'a>,
}

/// Compares both sides by provenance. `None` when it was interrupted.
pub(super) async fn by_provenance(
    sides: &Sides<'_>,
    stop: StopWhenBegun<'_>,
    ticker: &mut dyn Ticker,
) -> Result<Option<Comparison>> {
    let mut whole = Whole {
        id: sides.plan.id(),
        findings: Findings::default(),
        notes: Vec::new(),
        hands: Hands { stop, ticker },
    };
    let digester = Digester::new(sides.plan);
    let mut ledger = Ledger::new(sides.plan, sides.memory);
    let left_out = ledger.leave_out(sides.plan, sides.elsewhere);
    sides.note_retention(&mut ledger, &mut whole.notes).await?;
    let range = sides.target_range(&mut whole.notes).await?;
    sides.wait_until_decided(&range, whole.hands.stop).await;
    let limit = sides.reading.limits.events;
    if (sides.cut_short || limit.is_some())
        && cut(sides, &mut ledger, &mut whole, &range).await?.is_none()
    {
        return Ok(None);
    }
    let done = windows(sides, &digester, &mut ledger, &mut whole, &range).await?;
    if done.is_none() {
        return Ok(None);
    }
    let kept = ledger
        .expected
        .saturating_sub(whole.findings.count(Kind::Missing));
    if let Some(limit) = limit.filter(|limit| kept < *limit && !sides.cut_short) {
        let lost = beyond(sides, &digester, &mut whole, limit, kept).await?;
        let Some(lost) = lost else { return Ok(None) };
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

/// Looks at the plan's ranges in as many windows as memory asks for.
async fn windows(
    sides: &Sides<'_>,
    digester: &Digester,
    ledger: &mut Ledger,
    whole: &mut Whole<'_>,
    target: &Range,
) -> Result<Option<()>> {
    let mut is_first = true;
    let mut unjudged = 0;
    loop {
        let windows = ledger.windows();
        let inputs = sides.narrowed(&windows, ledger);
        // What the newest events are is known only from all of them.
        let bounded = sides.reading.last.is_none();
        let mut expect = Expect::new(sides, digester, ledger, bounded)?;
        let limits = Limits::default();
        let read = sides.read_inputs(inputs, limits, &mut whole.hands, &mut expect);
        let (complete, broken) = match read.await? {
            Pass::Interrupted => return Ok(None),
            Pass::Whole => (true, false),
            Pass::Full => (false, false),
            Pass::Broken(why) => {
                let said = format!("the source could not be read to its end: {why}");
                whole.notes.push(said);
                (false, true)
            }
        };
        ledger.close(complete);
        let mut find = Find {
            plan: &whole.id,
            digester,
            ledger,
            findings: &mut whole.findings,
            is_first,
            is_last: complete,
            reader: Reader::default(),
            order: Order::default(),
            unjudged: 0,
        };
        let copies = Copies::of(find.plan);
        let read = sides.read_target(target, copies, &mut whole.hands, &mut find);
        let read = read.await?;
        unjudged += find.unjudged;
        match read {
            Pass::Interrupted => return Ok(None),
            Pass::Broken(why) => {
                let said = format!("the target could not be read to its end: {why}");
                whole.notes.push(said);
                break;
            }
            Pass::Whole | Pass::Full => {}
        }
        tell_missing(ledger, &mut whole.findings);
        let named = name_changes(sides, digester, ledger, whole, target).await?;
        if named.is_none() {
            return Ok(None);
        }
        if complete || broken {
            break;
        }
        is_first = false;
        ledger.advance();
    }
    if unjudged > 0 {
        whole.notes.push(format!(
            "{} copies are of events that retention has taken from the source",
            human::count(unjudged)
        ));
    }
    Ok(Some(()))
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

/// With a limit, the run decides which events of several partitions are taken: each partition is
/// looked at up to its last copy.
async fn cut(
    sides: &Sides<'_>,
    ledger: &mut Ledger,
    whole: &mut Whole<'_>,
    target: &Range,
) -> Result<Option<()>> {
    let mut furthest = Furthest {
        plan: &whole.id,
        ledger,
        reader: Reader::default(),
        of_lane: vec![None; ledger.lanes.len()],
    };
    let copies = Copies::of(furthest.plan);
    let read = sides.read_target(target, copies, &mut whole.hands, &mut furthest);
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

/// Fewer copies than the limit are there: how many more the selection has up to it.
async fn beyond(
    sides: &Sides<'_>,
    digester: &Digester,
    whole: &mut Whole<'_>,
    limit: u64,
    kept: u64,
) -> Result<Option<u64>> {
    let mut all = Ledger::new(sides.plan, usize::MAX);
    let inputs = sides.narrowed(&all.windows(), &all);
    let mut count = 0;
    let limits = Limits {
        events: Some(limit),
        ..Limits::default()
    };
    let mut each = Each::new(sides, digester, &mut all, |_, _, _, _| count += 1)?;
    let read = sides.read_inputs(inputs, limits, &mut whole.hands, &mut each);
    match read.await? {
        Pass::Interrupted => return Ok(None),
        Pass::Broken(why) => {
            let said = format!("the source could not be read to its end: {why}");
            whole.notes.push(said);
        }
        Pass::Whole | Pass::Full => {}
    }
    let lost = u64::saturating_sub(count, kept + whole.findings.count(Kind::Missing));
    whole.findings.add_untold(Kind::Missing, lost);
    Ok(Some(lost))
}
