//! The reasons of a lag: their words, what they mean, and how much each needs a look.

use super::limits::LONG_MS;

/// The reason of a lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    Ok,
    /// Only transaction markers and aborted events lie behind the commit.
    OkTail,
    /// No broker leads the partition, or the one that does is not answering.
    Offline,
    /// The group never committed here.
    NoCommit,
    /// No member reads this topic any more.
    NotSubscribed,
    /// Nobody reads, and events wait.
    NoMembers,
    /// The same, and the broker calls the group dead.
    Dead,
    /// The commit lies where there are no events any more: below the first, by so many, or beyond
    /// the end.
    OffsetLost {
        lost: u64,
    },
    /// The members are being asked what they want (classic protocol). For so long, as far as was
    /// seen.
    Rebalancing {
        for_ms: Option<i64>,
    },
    /// Not every member has what the coordinator gave it (KIP-848).
    Reconciling {
        for_ms: Option<i64>,
    },
    /// No member has the partition, though one subscribes to the topic.
    Unassigned,
    /// All that waits is behind a transaction that was not ended.
    BlockedByTxn {
        for_ms: Option<i64>,
    },
    /// The commit stands before an event that cannot be decoded, while its member goes on elsewhere.
    Poison,
    /// The same without one part of the evidence.
    PoisonSuspect,
    /// All partitions of the member stand still.
    MemberStuck,
    /// All members stand still.
    GroupStopped,
    /// Events will be deleted before they are read.
    RetentionRace,
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
            Self::Offline => "OFFLINE",
            Self::NoCommit => "NO_COMMIT",
            Self::NotSubscribed => "NOT_SUBSCRIBED",
            Self::NoMembers => "NO_MEMBERS",
            Self::Dead => "DEAD",
            Self::OffsetLost { .. } => "OFFSET_LOST",
            Self::Rebalancing { .. } => "REBALANCING",
            Self::Reconciling { .. } => "RECONCILING",
            Self::Unassigned => "UNASSIGNED",
            Self::BlockedByTxn { .. } => "BLOCKED_BY_TXN",
            Self::Poison => "POISON",
            Self::PoisonSuspect => "POISON_SUSPECT",
            Self::MemberStuck => "MEMBER_STUCK",
            Self::GroupStopped => "GROUP_STOPPED",
            Self::RetentionRace => "RETENTION_RACE",
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
            Self::Offline => "no broker answers for this partition",
            Self::NoCommit => "the group never committed here",
            Self::NotSubscribed => "no member of the group reads this topic any more",
            Self::NoMembers => "events wait and the group has no member",
            Self::Dead => "events wait and the group is dead",
            Self::OffsetLost { .. } => "the commit lies where there are no events any more",
            Self::Rebalancing { .. } => "the group is being rebalanced",
            Self::Reconciling { .. } => "partitions are on their way from member to member",
            Self::Unassigned => "no member has this partition",
            Self::BlockedByTxn { .. } => "all that waits is behind an open transaction",
            Self::Poison => {
                "the commit stands before an event that cannot be decoded, while its member goes \
                 on elsewhere"
            }
            Self::PoisonSuspect => "the commit stands before one event, maybe because of it",
            Self::MemberStuck => "all partitions of this member stand still",
            Self::GroupStopped => "no member moves",
            Self::RetentionRace => "events will be deleted before the group reads them",
            Self::FallingBehind => "events come faster than the group takes them",
            Self::CatchingUp => "the group is faster than the producers",
            Self::Lagging => "old events wait",
            Self::Unknown => "what lies behind the commit was not read",
        }
    }

    pub const fn is_trouble(self) -> bool {
        self.weight() >= WORRY
    }

    /// Nothing is wrong, as far as was seen.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::OkTail)
    }

    /// Another look, some seconds later, may tell more.
    pub const fn moves(self) -> bool {
        matches!(
            self,
            Self::Lagging | Self::Unknown | Self::Poison | Self::PoisonSuspect | Self::Ok
        )
    }

    /// How much it needs a look.
    pub(super) const fn weight(self) -> u32 {
        match self {
            Self::Ok | Self::OkTail => 0,
            Self::NoCommit | Self::NotSubscribed => 1,
            Self::CatchingUp => 2,
            Self::Unknown => 3,
            Self::Lagging => WORRY,
            Self::FallingBehind => WORRY + 1,
            Self::Rebalancing { for_ms } | Self::Reconciling { for_ms } => {
                if is_long(for_ms) {
                    WORRY + 2
                } else {
                    4
                }
            }
            Self::BlockedByTxn { for_ms } => {
                if is_long(for_ms) {
                    WORRY + 7
                } else {
                    5
                }
            }
            Self::Unassigned => WORRY + 3,
            Self::PoisonSuspect => WORRY + 4,
            Self::NoMembers => WORRY + 5,
            Self::Dead => WORRY + 6,
            Self::RetentionRace => WORRY + 8,
            Self::MemberStuck => WORRY + 9,
            Self::GroupStopped => WORRY + 10,
            Self::OffsetLost { .. } => WORRY + 11,
            Self::Poison => WORRY + 12,
            Self::Offline => WORRY + 13,
        }
    }
}

const WORRY: u32 = 10;

const fn is_long(for_ms: Option<i64>) -> bool {
    matches!(for_ms, Some(ms) if ms >= LONG_MS)
}
