//! Why a group is behind: the first rule that the evidence meets.

use super::{Limits, Row};
use crate::broker::Group;
use crate::event::{Position, PositionStyle};

/// The reason of a lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    Ok,
    /// Only transaction markers lie behind the commit.
    OkTail,
    /// The group never committed here.
    NoCommit,
    /// Nobody reads, and events wait.
    NoMembers,
    /// The same, and the broker calls the group dead.
    Dead,
    /// The commit lies where there are no events any more: below the first, by so many, or beyond
    /// the end.
    OffsetLost {
        lost: u64,
    },
    Rebalancing,
    /// No member has the partition, while others have theirs.
    Unassigned,
    /// The commit stands before an event that cannot be decoded, while its member goes on elsewhere.
    Poison,
    /// The same without one part of the evidence.
    PoisonSuspect,
    /// All partitions of the member stand still.
    MemberStuck,
    /// All members stand still.
    GroupStopped,
    FallingBehind,
    CatchingUp,
    /// The oldest event that waits is old, and it is not known how the group moves.
    Lagging,
    /// What lies behind the commit was not read.
    Unknown,
}

impl Why {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok | Self::OkTail => "OK",
            Self::NoCommit => "NO_COMMIT",
            Self::NoMembers => "NO_MEMBERS",
            Self::Dead => "DEAD",
            Self::OffsetLost { .. } => "OFFSET_LOST",
            Self::Rebalancing => "REBALANCING",
            Self::Unassigned => "UNASSIGNED",
            Self::Poison => "POISON",
            Self::PoisonSuspect => "POISON_SUSPECT",
            Self::MemberStuck => "MEMBER_STUCK",
            Self::GroupStopped => "GROUP_STOPPED",
            Self::FallingBehind => "FALLING_BEHIND",
            Self::CatchingUp => "CATCHING_UP",
            Self::Lagging => "LAGGING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// What the word means, in a few more.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "nothing waits for long",
            Self::OkTail => "only transaction markers lie behind the commit",
            Self::NoCommit => "the group never committed here",
            Self::NoMembers => "events wait and the group has no member",
            Self::Dead => "events wait and the group is dead",
            Self::OffsetLost { .. } => "the commit lies where there are no events any more",
            Self::Rebalancing => "the group is being rebalanced",
            Self::Unassigned => "no member has this partition",
            Self::Poison => {
                "the commit stands before an event that cannot be decoded, while its member goes \
                 on elsewhere"
            }
            Self::PoisonSuspect => "the commit stands before one event, maybe because of it",
            Self::MemberStuck => "all partitions of this member stand still",
            Self::GroupStopped => "no member moves",
            Self::FallingBehind => "events come faster than the group takes them",
            Self::CatchingUp => "the group is faster than the producers",
            Self::Lagging => "old events wait",
            Self::Unknown => "what lies behind the commit was not read",
        }
    }

    pub const fn is_trouble(self) -> bool {
        self.weight() >= WORRY
    }

    /// How much it needs a look.
    pub(super) const fn weight(self) -> u32 {
        match self {
            Self::Ok | Self::OkTail => 0,
            Self::NoCommit => 1,
            Self::CatchingUp => 2,
            Self::Unknown => 3,
            Self::Rebalancing => 4,
            Self::Lagging => WORRY,
            Self::FallingBehind => WORRY + 1,
            Self::Unassigned => WORRY + 2,
            Self::PoisonSuspect => WORRY + 3,
            Self::NoMembers => WORRY + 4,
            Self::Dead => WORRY + 5,
            Self::MemberStuck => WORRY + 6,
            Self::GroupStopped => WORRY + 7,
            Self::OffsetLost { .. } => WORRY + 8,
            Self::Poison => WORRY + 9,
        }
    }
}

const WORRY: u32 = 10;

/// The reasons of a group's rows, in their order.
pub(super) fn reasons(group: &Group, rows: &[Row], limits: Limits) -> Vec<Why> {
    let stands = |row: &Row| {
        let still = row.still_ms.is_some_and(|ms| ms >= limits.still_ms);
        still && row.lag().is_some_and(|lag| lag > 0) && row.visible != Some(0)
    };
    let behind = |row: &&Row| row.lag().is_some_and(|lag| lag > 0) && row.visible != Some(0);
    let all_stand = rows.iter().filter(behind).all(stands);
    let reason = |row: &Row| {
        if let Some(why) = plain(group, rows, row, limits) {
            return why;
        }
        let evidence = Evidence {
            still: stands(row),
            waits_long: row.time_lag_ms.is_some_and(|ms| ms >= limits.still_ms),
            alive_elsewhere: alive_elsewhere(rows, row, limits),
        };
        stuck(rows, row, &evidence, all_stand, stands).unwrap_or_else(|| moving(row, limits))
    };
    rows.iter().map(reason).collect()
}

/// The reasons that need no look at the events.
fn plain(group: &Group, rows: &[Row], row: &Row, limits: Limits) -> Option<Why> {
    let Some(committed) = row.committed else {
        return Some(Why::NoCommit);
    };
    if let Some(lost) = lost(row, committed) {
        return Some(Why::OffsetLost { lost });
    }
    let raw = row.raw.or_else(|| (committed >= row.end).then_some(0));
    match (raw, row.visible) {
        (Some(0), _) => return Some(Why::Ok),
        (_, Some(0)) => return Some(Why::OkTail),
        _ => {}
    }
    if group.members.is_empty() {
        let dead = group.state.eq_ignore_ascii_case("dead");
        return Some(if dead { Why::Dead } else { Why::NoMembers });
    }
    let state = group.state.to_ascii_lowercase();
    if ["rebalanc", "reconciling", "assigning"]
        .iter()
        .any(|word| state.contains(word))
    {
        return Some(Why::Rebalancing);
    }
    let others = rows.iter().filter(|r| r.topic == row.topic);
    let long = row.time_lag_ms.is_none_or(|ms| ms >= limits.still_ms);
    let unassigned = row.member.is_none() && others.clone().any(|r| r.member.is_some());
    (unassigned && long).then_some(Why::Unassigned)
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

struct Evidence {
    /// The commit was seen to stand still.
    still: bool,
    /// The event behind it has waited for long.
    waits_long: bool,
    /// The member goes on in another partition.
    alive_elsewhere: bool,
}

/// The member of this row moves in another partition, or has nothing left to do there.
fn alive_elsewhere(rows: &[Row], row: &Row, limits: Limits) -> bool {
    let Some(member) = &row.member else {
        return false;
    };
    let same = |other: &&Row| {
        other.member.as_ref() == Some(member)
            && (&other.topic, other.partition) != (&row.topic, row.partition)
    };
    rows.iter().filter(same).any(|other| {
        let moves = other.rate.is_some_and(|rate| rate.passed > 0.0)
            && other.still_ms.is_none_or(|ms| ms < limits.still_ms);
        let caught_up = other.visible == Some(0) && other.committed > Some(other.first);
        moves || caught_up
    })
}

fn stuck(
    rows: &[Row],
    row: &Row,
    evidence: &Evidence,
    all_stand: bool,
    stands: impl Fn(&Row) -> bool,
) -> Option<Why> {
    let undecodable = row.waiting.as_ref().is_some_and(|w| w.fault.is_some());
    let moved = row.rate.is_some_and(|rate| rate.passed > 0.0) && !evidence.still;
    if moved {
        return None;
    }
    if undecodable && (evidence.still || evidence.waits_long) {
        return Some(if evidence.alive_elsewhere {
            Why::Poison
        } else {
            Why::PoisonSuspect
        });
    }
    if !evidence.still {
        return None;
    }
    if evidence.alive_elsewhere {
        return Some(Why::PoisonSuspect);
    }
    if all_stand {
        let mut members: Vec<&String> = rows.iter().filter_map(|r| r.member.as_ref()).collect();
        members.sort_unstable();
        members.dedup();
        if members.len() != 1 {
            return Some(Why::GroupStopped);
        }
    }
    let own = |r: &&Row| r.member == row.member;
    let all_own = rows
        .iter()
        .filter(own)
        .all(|r| stands(r) || r.lag() == Some(0));
    all_own.then_some(Why::MemberStuck)
}

/// The reasons of a group that may be moving.
fn moving(row: &Row, limits: Limits) -> Why {
    let old = row.time_lag_ms.map(|ms| ms >= limits.behind_ms);
    match (old, row.rate) {
        (Some(false), _) => Why::Ok,
        (_, Some(rate)) if rate.passed > rate.written => Why::CatchingUp,
        (_, Some(_)) if row.lag().is_some_and(|lag| lag > 0) => Why::FallingBehind,
        (Some(true), _) => Why::Lagging,
        _ => Why::Unknown,
    }
}
