//! Where the consumer groups stand, found by topic and partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::Group;
use crate::event::{Position, Timestamp};
use crate::inspect::At;
use crate::inspect::lag::LagReport;

/// Topic and partition.
type Place = (Arc<str>, u32);

/// The commits of all groups; `None` where a group has not committed in a partition that it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commits {
    groups: BTreeMap<String, BTreeMap<Place, Option<Position>>>,
    /// When they were asked for; `None` is now.
    as_of: Option<Timestamp>,
}

impl Commits {
    pub fn of_groups(groups: &[Group]) -> Self {
        let mut all = Self::default();
        for group in groups {
            let own = all.groups.entry(group.name.clone()).or_default();
            let offsets = group.offsets.iter();
            own.extend(offsets.map(|o| ((Arc::clone(&o.topic), o.partition), o.committed)));
        }
        all
    }

    pub fn of_lag(lag: &LagReport) -> Self {
        let mut all = Self::default();
        for group in &lag.groups {
            let own = all.groups.entry(group.name.clone()).or_default();
            let rows = group.rows.iter();
            own.extend(rows.map(|r| ((Arc::clone(&r.topic), r.partition), r.committed)));
        }
        all
    }

    /// They were asked for at this time, which may be a while ago.
    #[must_use]
    pub const fn as_of(mut self, time: Timestamp) -> Self {
        self.as_of = Some(time);
        self
    }

    /// They were asked for at this time or later.
    pub(super) fn are_from(&self, time: i64) -> bool {
        self.as_of.is_none_or(|as_of| as_of.0 >= time)
    }

    /// The group that stands farthest behind in the partition of an event, and its commit there:
    /// the one named, else of all that read the partition. `None` where there is none.
    pub(super) fn slowest(&self, by: Option<&str>, at: &At) -> Option<(&str, Option<Position>)> {
        let place = (Arc::clone(&at.topic), at.partition);
        if let Some(name) = by {
            let (name, own) = self.groups.get_key_value(name)?;
            return Some((name, own.get(&place).copied().flatten()));
        }
        let there = self.groups.iter();
        there
            .filter_map(|(name, own)| Some((name.as_str(), *own.get(&place)?)))
            .min_by_key(|(_, committed)| *committed)
    }
}
