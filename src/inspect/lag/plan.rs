//! What has to be read to know what waits behind the commits of groups. Pure; who reads it is the
//! pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::{Group, GroupOffset, PartitionRange};
use crate::event::{Position, PositionStyle};
use crate::pipeline::Pass;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Up to so many positions behind a commit are read whole.
    pub exact: u64,
    /// Of more than that, so many.
    pub front: u64,
    /// Bytes of one such front, and of all that is read at once.
    pub front_bytes: u64,
    pub bytes: u64,
}

impl Depth {
    /// For one look: exact up to 10,000 positions, or as far as 4 MB go.
    pub const ONCE: Self = Self {
        exact: 10_000,
        front: u64::MAX,
        front_bytes: 4 << 20,
        bytes: 256 << 20,
    };
    /// For a look every few seconds: enough of a long lag to know the first event and its kind.
    pub const OFTEN: Self = Self {
        exact: 10_000,
        front: 128,
        front_bytes: 1 << 20,
        bytes: 16 << 20,
    };
}

/// Partitions of one topic that are read at once.
const PARTITIONS: usize = 256;
/// Long lags that are looked at the front of, one after the other.
const FRONTS: usize = 200;
/// Commits of one partition that lie apart and are looked behind.
const APART: usize = 4;

/// The reads, short lags first. The ranges of a pass are of one topic, one of each partition.
pub fn plan(groups: &[Group], depth: Depth) -> Vec<Pass> {
    let mut commits: BTreeMap<(Arc<str>, u32), Vec<&GroupOffset>> = BTreeMap::new();
    for offset in groups.iter().flat_map(|g| &g.offsets) {
        if offset.committed.is_some_and(|c| c < offset.readable()) {
            let place = (offset.topic.clone(), offset.partition);
            commits.entry(place).or_default().push(offset);
        }
    }
    let mut short: BTreeMap<Arc<str>, Vec<Vec<PartitionRange>>> = BTreeMap::new();
    let mut fronts = Vec::new();
    for ((topic, _), offsets) in commits {
        let rounds = short.entry(topic).or_default();
        let mut round = 0;
        for range in apart(offsets, depth).into_iter().take(APART) {
            if length(&range) > depth.exact {
                fronts.push(range);
                continue;
            }
            // The first round from here on that has room.
            while rounds.get(round).is_some_and(|r| r.len() >= PARTITIONS) {
                round += 1;
            }
            if rounds.len() == round {
                rounds.push(Vec::new());
            }
            rounds[round].push(range);
            round += 1;
        }
    }
    let bytes = depth.bytes;
    let whole = short.into_values().flatten();
    let mut passes: Vec<Pass> = whole.map(|ranges| Pass { ranges, bytes }).collect();
    passes.extend(fronts.into_iter().take(FRONTS).map(|range| Pass {
        ranges: vec![range],
        bytes: depth.front_bytes,
    }));
    passes
}

/// Positions in it; those of a style that counts none are few enough to be read.
fn length(range: &PartitionRange) -> u64 {
    match range.style {
        PositionStyle::Offset => range.end.major.saturating_sub(range.start.major),
        PositionStyle::Entry => 0,
    }
}

/// The ranges behind the commits of one partition; those that meet are one.
fn apart(mut offsets: Vec<&GroupOffset>, depth: Depth) -> Vec<PartitionRange> {
    offsets.sort_by_key(|offset| offset.committed);
    let mut ranges: Vec<PartitionRange> = Vec::new();
    for offset in offsets {
        // What was deleted cannot be read.
        let start = offset.committed.unwrap_or_default().max(offset.first);
        let all = offset.readable();
        let far = all.major.saturating_sub(start.major) > depth.exact;
        let cut = Position::offset(start.major.saturating_add(depth.front));
        let end = match offset.style {
            PositionStyle::Offset if far => all.min(cut),
            _ => all,
        };
        match ranges.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ if start < end => ranges.push(PartitionRange {
                topic: offset.topic.clone(),
                partition: offset.partition,
                style: offset.style,
                start,
                end,
            }),
            _ => {}
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(committed: u64, end: u64) -> GroupOffset {
        GroupOffset {
            topic: "t".into(),
            committed: Some(Position::offset(committed)),
            first: Position::offset(5),
            end: Position::offset(end),
            ..GroupOffset::default()
        }
    }

    fn spans(offsets: Vec<GroupOffset>, depth: Depth) -> Vec<(u64, u64, u64)> {
        let group = Group {
            offsets,
            ..Group::default()
        };
        let span = |pass: &Pass| {
            let range = &pass.ranges[0];
            (range.start.major, range.end.major, pass.bytes)
        };
        plan(&[group], depth).iter().map(span).collect()
    }

    #[test]
    fn short_lags_are_read_whole_and_of_long_ones_the_front() {
        let all = vec![
            offset(0, 90_000),
            offset(20, 90_000),
            offset(89_000, 90_000),
        ];
        assert_eq!(
            spans(all.clone(), Depth::OFTEN),
            [(5, 148, 16 << 20), (89_000, 90_000, 16 << 20)]
        );
        assert_eq!(spans(all, Depth::ONCE), [(5, 90_000, 4 << 20)]);
    }

    #[test]
    fn what_nothing_can_be_read_behind_is_not_read() {
        let held = GroupOffset {
            stable: Some(Position::offset(90)),
            ..offset(90, 95)
        };
        assert!(spans(vec![offset(90, 90), offset(91, 90), held], Depth::ONCE).is_empty());
    }

    #[test]
    fn many_partitions_are_read_in_several_passes() {
        let offsets = (0..600)
            .map(|partition| GroupOffset {
                partition,
                ..offset(6, 9)
            })
            .collect();
        let group = Group {
            offsets,
            ..Group::default()
        };
        let passes = plan(&[group], Depth::ONCE);
        let ranges: usize = passes.iter().map(|p| p.ranges.len()).sum();
        assert_eq!((passes.len(), ranges), (3, 600));
    }
}
