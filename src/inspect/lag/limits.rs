//! What counts as standing still, as behind, as long.

/// The bounds that reasons go by, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A commit stands still when it has not moved for so long while an event waits. Consumers
    /// commit every five seconds unless told otherwise; one that was seen to take longer between
    /// two commits is given twice that time.
    pub still_ms: i64,
    /// A group is behind when the oldest event that it was not given is older.
    pub behind_ms: i64,
    /// Where there are but two looks: a commit that did not move between them, at least so far
    /// apart, before an event that has waited for `still_ms`, stands still as well. `None` waits
    /// until it was seen for `still_ms`.
    pub glance_ms: Option<i64>,
}

/// A rebalance or an open transaction is a trouble from this age on, in milliseconds: shorter ones
/// are everyday life.
pub(super) const LONG_MS: i64 = 30_000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            still_ms: 15_000,
            behind_ms: 30_000,
            glance_ms: None,
        }
    }
}
