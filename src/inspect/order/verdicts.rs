//! One verdict for each kind of check, with the reason for a doubt.

use std::borrow::Cow;

use super::report::{Check, Holes};
use super::{Offsets, Order, Versioned};
use crate::event::PositionStyle;
use crate::inspect::Verdict;
use crate::text::human;

pub(super) fn of(order: &Order, check: Check, holes: &Holes) -> Verdict {
    let coverage = &order.coverage;
    let found = order.counts.get(&check).copied().unwrap_or_default();
    let none = |seen: u64, what: &'static str| (seen == 0).then_some(Cow::Borrowed(what));
    let forgot = |number: u64, what: &str| {
        (number > 0).then(|| Cow::Owned(format!("{} {what} were forgotten", human::count(number))))
    };
    let keys = || forgot(order.versions.forgotten(), "keys");
    let partial = [
        (coverage.filtered > 0).then_some("a filter left events out".into()),
        coverage.skipped.then_some("the reader jumped ahead".into()),
    ];
    let (violated, idle, own) = match check {
        Check::Time => (
            found > 0,
            none(coverage.timed, "no event has a time"),
            Vec::new(),
        ),
        Check::Ids => (
            coverage.duplicates > 0,
            none(coverage.ids, "no event has an id"),
            ids(order),
        ),
        Check::Offsets => offsets(order),
        Check::Producers => (
            found > 0,
            producers(order),
            vec![forgot(order.producers.forgotten(), "producers")],
        ),
        Check::Versions => {
            let (counting, other): (Vec<&Versioned>, Vec<&Versioned>) =
                order.versioned.iter().partition(|v| v.counts_events());
            let why = "what a topic calls version does not count the events of its keys";
            (
                counting.iter().any(|v| v.disordered > 0),
                none(coverage.versioned, "no event has a version"),
                vec![keys(), (!other.is_empty()).then_some(why.into())],
            )
        }
        Check::Sequences => (
            !holes.found.is_empty(),
            none(order.sequences.numbered, "no event has a sequence number"),
            vec![
                holes.doubt.clone(),
                forgot(order.sequences.unfollowed, "numbers"),
            ],
        ),
    };
    Verdict::of(violated, idle, own.into_iter().chain(partial))
}

type Reason = Option<Cow<'static, str>>;

fn ids(order: &Order) -> Vec<Reason> {
    let forgotten = order.ids.forgotten();
    let forgot = (forgotten > 0).then(|| {
        let number = human::count(forgotten);
        let why = "duplicates farther apart were not looked for; a larger --mem remembers more";
        Cow::Owned(format!("{number} ids were forgotten: {why}"))
    });
    let Some(suspects) = order.ids.suspects() else {
        return vec![forgot];
    };
    let (unproven, why) = match &order.proven {
        Some(proven) => (
            proven.left_out + suspects.dropped,
            "there was no room to compare them; a larger --mem gives it",
        ),
        None => (suspects.len(), "they were not read again"),
    };
    let unproven = (unproven > 0).then(|| {
        let number = human::count(unproven);
        Cow::Owned(format!("{number} ids may be there twice: {why}"))
    });
    vec![forgot, unproven]
}

/// Why producers cannot be judged.
fn producers(order: &Order) -> Reason {
    if order.coverage.events == 0 {
        return Some("there is no event".into());
    }
    let batches = order.states.iter().any(|state| state.account.has_batches());
    let why = if batches {
        "no producer is idempotent"
    } else {
        BLIND
    };
    (order.producers.numbered == 0).then_some(why.into())
}

/// What a source without record batches lacks, and what has them.
const BLIND: &str = "the source tells nothing of record batches: a capture (.mcap) does, and Kafka \
                     when it is read directly";

fn offsets(order: &Order) -> (bool, Reason, Vec<Reason>) {
    let total = |of: fn(&Offsets) -> u64| -> u64 {
        let all = order.states.iter().map(|s| of(&s.account.offsets()));
        all.sum()
    };
    let entries = order.lanes.iter().any(|(number, lane)| {
        lane.style != PositionStyle::Offset && order.states[number as usize].events > 0
    });
    let reasons = [
        (order.coverage.events == 0).then_some("there is no event".into()),
        entries.then_some("positions of this broker have gaps by their nature".into()),
    ];
    let idle = reasons.into_iter().flatten().next();
    let unknown = total(|o| o.unknown);
    let blind = (unknown > 0).then(|| {
        let number = human::count(unknown);
        Cow::Owned(format!("{number} offsets are missing, and {BLIND}"))
    });
    let trimmed = total(|o| o.trimmed);
    let trimmed = (trimmed > 0).then(|| {
        let number = human::count(trimmed);
        Cow::Owned(format!(
            "{number} offsets are gone from before the log's start"
        ))
    });
    let open = total(|o| o.in_flight);
    let open = (open > 0).then(|| {
        let number = human::count(open);
        Cow::Owned(format!(
            "{number} offsets are of a transaction that is open"
        ))
    });
    (
        total(|o| o.unexplained) > 0,
        idle,
        vec![blind, trimmed, open],
    )
}
