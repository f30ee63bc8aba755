//! The stable names of findings, and how urgent they are.

use std::fmt;

use crate::inspect::lag::Why;

/// The stable name of a kind of finding, `order.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    pub const ORDER_VERSION: Self = Self("order.version");
    pub const TIME_DISORDER: Self = Self("time.disorder");
    pub const TIME_LATE: Self = Self("time.late");
    pub const TIME_SKEW: Self = Self("time.skew");
    pub const ID_DUPLICATE: Self = Self("id.duplicate");
    pub const EFFECT_DUPLICATE: Self = Self("effect.duplicate");
    pub const SEQUENCE_HOLE: Self = Self("sequence.hole");
    pub const PRODUCER_HOLE: Self = Self("producer.hole");
    pub const PRODUCER_REPEAT: Self = Self("producer.repeat");
    pub const OFFSET_GAP: Self = Self("offset.gap");
    pub const PAYLOAD_UNDECODABLE: Self = Self("payload.undecodable");
    pub const TEXT_CONTROL: Self = Self("text.control");
    pub const PII_EMAIL: Self = Self("pii.email");
    pub const PII_PHONE: Self = Self("pii.phone");
    pub const PII_CARD: Self = Self("pii.card");
    pub const PII_IBAN: Self = Self("pii.iban");
    pub const PII_SECRET: Self = Self("pii.secret");
    pub const LINT_COMPACTED_EVENTS: Self = Self("lint.compacted_events");
    pub const SCHEMA_DRIFT: Self = Self("schema.drift");
    pub const SCHEMA_VIOLATION: Self = Self("schema.violation");
    pub const SCHEMA_UNKNOWN: Self = Self("schema.unknown_id");
    pub const SAGA_LOST: Self = Self("saga.lost");
    pub const SAGA_BLOCKED: Self = Self("saga.blocked");
    pub const SAGA_POISON: Self = Self("saga.poison");
    pub const SAGA_VIOLATION: Self = Self("saga.violation");
    pub const SAGA_OVERDUE: Self = Self("saga.overdue");
    pub const LATENCY_OUTLIER: Self = Self("latency.outlier");

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The code of a group in trouble.
    pub const fn of_lag(why: Why) -> Self {
        Self(match why {
            Why::Ok | Why::OkTail => "lag.ok",
            Why::Offline => "lag.offline",
            Why::NoCommit => "lag.no_commit",
            Why::NoMembers => "lag.no_members",
            Why::Dead => "lag.dead",
            Why::OffsetLost { .. } => "lag.offset_lost",
            Why::NotSubscribed => "lag.not_subscribed",
            Why::Rebalancing { .. } => "lag.rebalancing",
            Why::Reconciling { .. } => "lag.reconciling",
            Why::BlockedByTxn { .. } => "lag.blocked_by_txn",
            Why::RetentionRace => "lag.retention_race",
            Why::Unassigned => "lag.unassigned",
            Why::Poison => "lag.poison",
            Why::PoisonSuspect => "lag.poison_suspect",
            Why::MemberStuck => "lag.member_stuck",
            Why::GroupStopped => "lag.group_stopped",
            Why::FallingBehind => "lag.falling_behind",
            Why::CatchingUp => "lag.catching_up",
            Why::Lagging => "lag.lagging",
            Why::Unknown => "lag.unknown",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How urgent it is; the first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    P1,
    P2,
    P3,
    P4,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}
