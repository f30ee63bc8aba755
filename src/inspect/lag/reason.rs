//! Why a group is behind: the first rule that the evidence meets. What the words mean is next door.

use super::{Limits, Row, Why};
use crate::broker::{Group, Member};
use crate::event::{Position, PositionStyle};

/// What all rows of a group are judged by.
struct Case<'a> {
    group: &'a Group,
    rows: &'a [Row],
    limits: Limits,
    /// How long the group was seen in its state.
    in_state_ms: Option<i64>,
}

/// The reasons of a group's rows, in their order.
pub(super) fn reasons(
    group: &Group,
    rows: &[Row],
    limits: Limits,
    in_state_ms: Option<i64>,
) -> Vec<Why> {
    let case = Case {
        group,
        rows,
        limits,
        in_state_ms,
    };
    let stopped = case.all_stand();
    let reason = |row: &Row| {
        case.plain(row)
            .or_else(|| case.stuck(row, stopped))
            .unwrap_or_else(|| case.moving(row))
    };
    rows.iter().map(reason).collect()
}

/// The reason of a group as a whole: that of its worst row, or what its members are doing.
pub(super) fn of_group(group: &Group, worst: Option<Why>, in_state_ms: Option<i64>) -> Why {
    let own = rebalance(group, in_state_ms);
    let none = if group.untold.is_some() {
        Why::Unknown
    } else {
        Why::NoCommit
    };
    let worst = worst.unwrap_or(none);
    own.filter(|own| own.weight() > worst.weight())
        .unwrap_or(worst)
}

/// Whether its partitions are being shared out anew.
fn rebalance(group: &Group, in_state_ms: Option<i64>) -> Option<Why> {
    let state = group.state.to_ascii_lowercase();
    let for_ms = in_state_ms;
    if state.contains("rebalanc") {
        return Some(Why::Rebalancing { for_ms });
    }
    let behind = group.epochs.is_some_and(|epochs| {
        epochs.assignment < epochs.group
            || group
                .members
                .iter()
                .any(|m| m.epoch.is_some_and(|e| e < epochs.assignment))
    });
    let moving = group.members.iter().any(is_moving);
    let told = state.contains("reconciling") || state.contains("assigning");
    (told || behind || moving).then_some(Why::Reconciling { for_ms })
}

/// What it has is not what it is to have.
fn is_moving(member: &Member) -> bool {
    member.target.as_ref().is_some_and(|t| *t != member.owned)
}

/// The members that still have a partition which is to go to another.
pub(super) fn holders(group: &Group) -> impl Iterator<Item = (&Member, usize)> {
    group.members.iter().filter_map(|member| {
        let target = member.target.as_ref()?;
        let kept = member.owned.iter().filter(|p| !target.contains(p)).count();
        (kept > 0).then_some((member, kept))
    })
}

/// How many events the group will never be given: those between its commit and the first.
fn lost(row: &Row, committed: Position) -> Option<u64> {
    if row.style != PositionStyle::Offset {
        // Ids of this style have holes: nobody can tell whether anything was in between.
        return None;
    }
    if committed > row.end {
        return Some(0);
    }
    (committed < row.first).then(|| row.first.major - committed.major)
}

impl Case<'_> {
    /// The reasons that need no look at how the group moves.
    fn plain(&self, row: &Row) -> Option<Why> {
        let group = self.group;
        if row.offline {
            return Some(Why::Offline);
        }
        let Some(committed) = row.committed else {
            return Some(Why::NoCommit);
        };
        if let Some(lost) = lost(row, committed) {
            return Some(Why::OffsetLost { lost });
        }
        let raw = row.raw.or_else(|| (committed >= row.end).then_some(0));
        let none_visible = row.visible == Some(0) && !row.estimated;
        let held = row.stable.is_some_and(|stable| stable < row.end);
        if raw == Some(0) {
            return Some(Why::Ok);
        }
        if none_visible && !held {
            return Some(Why::OkTail);
        }
        if group.members.is_empty() && group.untold.is_none() {
            let dead = group.state.eq_ignore_ascii_case("dead");
            return Some(if dead { Why::Dead } else { Why::NoMembers });
        }
        if let Some(why) = rebalance(group, self.in_state_ms) {
            return Some(why);
        }
        if let Some(why) = self.unassigned(row) {
            return Some(why);
        }
        (none_visible && held).then_some(Why::BlockedByTxn {
            for_ms: row.blocked_ms,
        })
    }

    fn unassigned(&self, row: &Row) -> Option<Why> {
        if row.member.is_some() {
            return None;
        }
        let members = &self.group.members;
        if members.iter().all(|m| m.topics.is_empty() && !m.by_pattern) {
            // Nobody told what they subscribe to. Who shares a topic gets all of it.
            let others = self.rows.iter().filter(|r| r.topic == row.topic);
            let shared = others.clone().any(|r| r.member.is_some());
            let long = row.time_lag_ms.is_none_or(|ms| ms >= self.limits.still_ms);
            return (shared && long).then_some(Why::Unassigned);
        }
        let wanted = |m: &Member| m.by_pattern || m.topics.contains(&row.topic);
        Some(if members.iter().any(wanted) {
            Why::Unassigned
        } else {
            Why::NotSubscribed
        })
    }

    /// The commit was seen to stand still before an event.
    fn stands(&self, row: &Row) -> bool {
        let waits = row.lag().is_some_and(|lag| lag > 0) && row.visible != Some(0);
        let Some(still) = row.still_ms.filter(|_| waits) else {
            return false;
        };
        let pause = row.longest_pause_ms.saturating_mul(2);
        let glanced = self
            .limits
            .glance_ms
            .is_some_and(|least| still >= least && self.waits_long(row));
        glanced || still >= self.limits.still_ms.max(pause)
    }

    fn waits_long(&self, row: &Row) -> bool {
        row.time_lag_ms.is_some_and(|ms| ms >= self.limits.still_ms)
    }

    /// Each member that has partitions stands still in all where something waits. One that has
    /// nothing to do does not stand still.
    fn all_stand(&self) -> bool {
        let behind = |row: &&Row| row.lag().is_some_and(|lag| lag > 0) && row.visible != Some(0);
        let stands = |one: &Row| {
            let own = self.rows.iter().filter(|row| row.member == one.member);
            let mut waiting = own.filter(behind).peekable();
            waiting.peek().is_some() && waiting.all(|row| self.stands(row))
        };
        self.rows.iter().all(stands)
    }

    /// The member of this row moves in another partition, or has nothing left to do there.
    fn alive_elsewhere(&self, row: &Row) -> bool {
        let Some(member) = &row.member else {
            return false;
        };
        let same = |other: &&Row| {
            other.member.as_ref() == Some(member)
                && (&other.topic, other.partition) != (&row.topic, row.partition)
        };
        self.rows.iter().filter(same).any(|other| {
            let moves = other.rate.is_some_and(|rate| rate.passed > 0.0) && !self.stands(other);
            let done = other.visible == Some(0) && !other.estimated;
            moves || (done && other.committed > Some(other.first))
        })
    }

    fn stuck(&self, row: &Row, stopped: bool) -> Option<Why> {
        let still = self.stands(row);
        let undecodable = row.waiting.as_ref().is_some_and(|w| w.fault.is_some());
        if !still && row.rate.is_some_and(|rate| rate.passed > 0.0) {
            return None;
        }
        if undecodable && (still || self.waits_long(row)) {
            return Some(if self.alive_elsewhere(row) {
                Why::Poison
            } else {
                Why::PoisonSuspect
            });
        }
        if !still {
            return None;
        }
        if self.alive_elsewhere(row) {
            return Some(Why::PoisonSuspect);
        }
        if stopped && self.group.members.len() != 1 {
            return Some(Why::GroupStopped);
        }
        let own = |r: &&Row| r.member == row.member;
        let mut own = self.rows.iter().filter(own);
        own.all(|r| r.offline || self.stands(r) || r.lag() == Some(0) || r.visible == Some(0))
            .then_some(Why::MemberStuck)
    }

    /// The reasons of a group that may be moving.
    fn moving(&self, row: &Row) -> Why {
        let old = row.time_lag_ms.map(|ms| ms >= self.limits.behind_ms);
        if row.loses_first() {
            return Why::RetentionRace;
        }
        match (old, row.rate) {
            (Some(false), _) => Why::Ok,
            (_, Some(rate)) if rate.gain.middle > 0.0 => Why::CatchingUp,
            (_, Some(rate)) if rate.gain.middle < 0.0 => Why::FallingBehind,
            (Some(true), _) => Why::Lagging,
            _ => Why::Unknown,
        }
    }
}
