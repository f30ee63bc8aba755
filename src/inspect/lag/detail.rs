//! What is behind a reason, in one sentence that names names: the transaction, the member, the
//! event. The words come from others: whoever shows them makes them visible.

use std::time::Duration;

use super::{Row, Why, reason};
use crate::broker::{Group, GroupOffset, Member};
use crate::text::human;

/// `None` where the reason says it all.
pub(super) fn of_row(group: &Group, offset: &GroupOffset, row: &Row) -> Option<String> {
    match row.why {
        Why::Offline => offset.silent.clone(),
        Why::OkTail => Some("the tail is transaction markers".to_owned()),
        Why::OffsetLost { lost: 0 } => Some(format!(
            "the commit {} lies beyond the end: the topic was cut or made anew",
            row.committed?.display(row.style)
        )),
        Why::OffsetLost { lost } => Some(format!(
            "{} positions below {} are gone that the group was not given",
            human::count(lost),
            row.first.display(row.style)
        )),
        Why::BlockedByTxn { .. } => Some(transaction(group, offset, row)),
        Why::Rebalancing { .. } | Why::Reconciling { .. } => rebalance(group),
        Why::Poison | Why::PoisonSuspect => row.waiting.as_ref().and_then(|w| w.fault.clone()),
        Why::MemberStuck => {
            let id = row.member.as_deref()?;
            let member = group.members.iter().find(|m| m.id == id)?;
            Some(format!(
                "{} has not committed{}",
                who(member),
                span(row.still_ms)
            ))
        }
        Why::GroupStopped => Some(format!("no member has committed{}", span(row.still_ms))),
        Why::RetentionRace => {
            let left = u64::try_from(row.to_loss_ms?).ok()?;
            let left = human::duration(Duration::from_millis(left));
            Some(format!("events are lost in {left} at the earliest"))
        }
        _ => None,
    }
}

/// What a group as a whole waits for.
pub(super) fn rebalance(group: &Group) -> Option<String> {
    let holders: Vec<String> = reason::holders(group)
        .take(3)
        .map(|(member, kept)| {
            let what = if kept == 1 { "partition" } else { "partitions" };
            format!("{} has not given up {kept} {what}", who(member))
        })
        .collect();
    if !holders.is_empty() {
        return Some(holders.join(", "));
    }
    let epochs = group.epochs?;
    let late = |m: &&Member| m.epoch.is_some_and(|e| e < epochs.assignment);
    let late = group.members.iter().find(late)?;
    Some(format!(
        "{} is at epoch {} of {}",
        who(late),
        late.epoch?,
        epochs.assignment
    ))
}

fn transaction(group: &Group, offset: &GroupOffset, row: &Row) -> String {
    let Some(open) = &offset.transaction else {
        let why = group.untold.as_deref().unwrap_or("the broker names none");
        return format!("whose transaction is not known: {why}");
    };
    let name = open.id.as_ref().map(|id| format!(" ({id})"));
    let age = row.blocked_ms.and_then(|ms| u64::try_from(ms).ok());
    let age = age.map(|ms| format!(", for {}", human::duration(Duration::from_millis(ms))));
    format!(
        "producer {}{} has one open since offset {}{}",
        open.producer,
        name.unwrap_or_default(),
        open.first.display(row.style),
        age.unwrap_or_default()
    )
}

/// A member as a person may find it.
fn who(member: &Member) -> String {
    let at = if member.host.is_empty() {
        String::new()
    } else {
        format!(" at {}", member.host)
    };
    format!("{}{at}", member.id)
}

fn span(ms: Option<i64>) -> String {
    let ms = ms.and_then(|ms| u64::try_from(ms).ok());
    ms.map_or_else(String::new, |ms| {
        format!(" for {}", human::duration(Duration::from_millis(ms)))
    })
}
