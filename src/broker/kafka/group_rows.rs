//! Puts together what either reader learned of a group: its commits, who has which partition, and
//! how far the partitions go. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::terms::{self, Place, Row};
use crate::broker::{Group, GroupOffset, Member};
use crate::event::{Position, PositionStyle};

/// How far a partition goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) first: i64,
    pub(super) end: i64,
    /// The last stable offset, where it was asked for.
    pub(super) stable: Option<i64>,
}

pub(super) fn group(name: String, kind: String, state: String, members: Vec<Member>) -> Group {
    Group {
        name,
        state,
        kind,
        members,
        ..Group::default()
    }
}

/// Gives the group a row for each partition that it has committed, or that a member has or is to
/// have. Commits of topics that are gone are left out.
pub(super) fn place(group: &mut Group, commits: &[Row], known: &BTreeSet<Place>) {
    let mut rows: BTreeMap<&Place, (Option<u64>, Option<&str>)> = BTreeMap::new();
    for row in commits {
        rows.entry(&row.place).or_default().0 = u64::try_from(row.offset).ok();
    }
    for member in &group.members {
        for place in &member.owned {
            rows.entry(place).or_default().1 = Some(&member.id);
        }
        for place in member.target.iter().flatten() {
            rows.entry(place).or_default();
        }
    }
    let row = |(place, (commit, member)): (&Place, (Option<u64>, Option<&str>))| GroupOffset {
        topic: place.0.clone(),
        partition: place.1,
        style: PositionStyle::Offset,
        committed: commit.map(Position::offset),
        member: member.map(str::to_owned),
        ..GroupOffset::default()
    };
    let offsets = rows
        .into_iter()
        .filter(|(place, _)| known.contains(*place))
        .map(row)
        .collect();
    group.offsets = offsets;
}

/// All partitions that the groups have to do with, in order.
pub(super) fn places(groups: &[Group]) -> Vec<Place> {
    let each = groups.iter().flat_map(|group| &group.offsets);
    let places: BTreeSet<Place> = each.map(|o| (o.topic.clone(), o.partition)).collect();
    places.into_iter().collect()
}

/// Fills in how far the partitions go, and so the lag; or why that is not told.
pub(super) fn finish(
    groups: &mut [Group],
    ends: &HashMap<&Place, Ends>,
    silent: &HashMap<&Place, String>,
) {
    for offset in groups.iter_mut().flat_map(|group| &mut group.offsets) {
        let place = (offset.topic.clone(), offset.partition);
        let Some(ends) = ends.get(&place) else {
            offset.silent = silent.get(&place).cloned();
            continue;
        };
        offset.first = terms::position(ends.first);
        offset.end = terms::position(ends.end);
        // It was asked for a moment later, and may have gone on meanwhile.
        let stable = ends.stable.map(terms::position);
        offset.stable = stable.map(|stable| stable.min(offset.end));
        let behind = |commit: Position| offset.end.major.saturating_sub(commit.major);
        offset.raw_lag = offset.committed.map(behind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(topic: &str, partition: u32, offset: i64) -> Row {
        Row {
            place: (topic.into(), partition),
            offset,
            error: 0,
        }
    }

    #[test]
    fn lag_is_counted_where_there_is_a_commit_and_deleted_topics_are_left_out() {
        let known = (0..4).map(|n| ("t".into(), n)).collect();
        let member = Member {
            owned: vec![("t".into(), 1)],
            target: Some(vec![("t".into(), 2)]),
            ..Member::named("m1")
        };
        let mut group = group("g".into(), "consumer".into(), "Stable".into(), vec![member]);
        place(
            &mut group,
            &[row("t", 0, 7), row("t", 3, 5), row("gone", 0, 3)],
            &known,
        );
        let places = places(std::slice::from_ref(&group));
        let of = |first, end, stable| Ends { first, end, stable };
        let ends = HashMap::from([
            (&places[0], of(2, 10, Some(11))),
            (&places[1], of(0, 4, Some(3))),
            (&places[2], of(0, 0, None)),
        ]);
        let silent = HashMap::from([(&places[3], "no broker leads it".to_owned())]);
        finish(std::slice::from_mut(&mut group), &ends, &silent);
        let [zero, one, two, three] = group.offsets.as_slice() else {
            panic!("{group:?}")
        };
        assert_eq!((zero.raw_lag, zero.member.as_deref()), (Some(3), None));
        assert_eq!(zero.stable, Some(Position::offset(10)));
        assert_eq!((one.raw_lag, one.committed), (None, None));
        assert_eq!(one.member.as_deref(), Some("m1"));
        assert_eq!(one.readable(), Position::offset(3));
        assert_eq!((two.member.as_deref(), two.stable), (None, None));
        assert_eq!((two.silent.as_deref(), three.raw_lag), (None, None));
        assert_eq!(three.silent.as_deref(), Some("no broker leads it"));
    }
}
