//! Consumer groups: who they are, what they have committed, and how far that is from the end.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::admin::{self, ListedGroup, Member};
use super::client::Client;
use super::error::Failure;
use super::terms::{self, Ask, Place, Row};
use super::topics;
use crate::broker::{Group, GroupOffset, Result, TopicSelector};
use crate::event::{Position, PositionStyle};

/// Requests for commits that are under way at the same time.
const AT_ONCE: usize = 64;

/// All groups, by name. Never joins one.
pub(super) fn list(client: &Arc<Client>) -> Result<Vec<Group>> {
    let fail = |failure: Failure| failure.into_error("list the consumer groups");
    // The first contact: it tells a wrong host or password at once. And it says which topics are
    // still there: a group keeps the commits of deleted ones.
    let known: BTreeSet<Place> =
        topics::find(client, &TopicSelector::all()).map(|found| terms::places(&found).collect())?;
    let mut listed = admin::list_groups(client).map_err(fail)?;
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<String> = listed.iter().map(|g| g.name.clone()).collect();
    let mut members: HashMap<String, Vec<Member>> = admin::members(client, &names)
        .map_err(fail)?
        .into_iter()
        .collect();
    let commits = commits(client, &names).map_err(fail)?;
    let mut groups: Vec<Unfinished> = listed
        .into_iter()
        .zip(commits)
        .map(|(group, commits)| {
            let members = members.remove(&group.name).unwrap_or_default();
            Unfinished::new(group, members, &commits, &known)
        })
        .collect();
    let places: Vec<Place> = groups
        .iter()
        .flat_map(|g| g.places.keys().cloned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let end = Ask::End {
        committed_only: false,
    };
    let asked = topics::offsets(client, &places, &[Ask::First, end])?;
    let ends: HashMap<&Place, (i64, i64)> = places
        .iter()
        .zip(asked[0].iter().copied().zip(asked[1].iter().copied()))
        .collect();
    Ok(groups.drain(..).map(|g| g.finish(&ends)).collect())
}

/// The commits of each group, in their order.
fn commits(client: &Arc<Client>, names: &[String]) -> Result<Vec<Vec<Row>>, Failure> {
    let mut rows = Vec::with_capacity(names.len());
    for some in names.chunks(AT_ONCE) {
        let calls = some
            .iter()
            .map(|name| admin::ask_commits(client, name, None))
            .collect::<Result<Vec<_>, _>>()?;
        for call in calls {
            rows.push(admin::commits(call)?);
        }
    }
    Ok(rows)
}

/// A group, before the ends of its partitions are known.
struct Unfinished {
    listed: ListedGroup,
    members: Vec<String>,
    /// Partition: commit, and the member that has it.
    places: HashMap<Place, (Option<u64>, Option<String>)>,
}

impl Unfinished {
    fn new(
        listed: ListedGroup,
        members: Vec<Member>,
        commits: &[Row],
        known: &BTreeSet<Place>,
    ) -> Self {
        let mut places: HashMap<Place, (Option<u64>, Option<String>)> = HashMap::new();
        for row in commits.iter().filter(|row| known.contains(&row.place)) {
            let commit = u64::try_from(row.offset).ok();
            places.entry(row.place.clone()).or_default().0 = commit;
        }
        let mut names = Vec::with_capacity(members.len());
        for member in members {
            for place in member.places {
                if known.contains(&place) {
                    places.entry(place).or_default().1 = Some(member.id.clone());
                }
            }
            names.push(member.id);
        }
        Self {
            listed,
            members: names,
            places,
        }
    }

    fn finish(self, ends: &HashMap<&Place, (i64, i64)>) -> Group {
        let mut offsets: Vec<GroupOffset> = self
            .places
            .into_iter()
            .map(|(place, (commit, member))| {
                let (first, end) = ends.get(&place).copied().unwrap_or((0, 0));
                let end = end.max(0).cast_unsigned();
                GroupOffset {
                    topic: place.0,
                    partition: place.1,
                    style: PositionStyle::Offset,
                    committed: commit.map(Position::offset),
                    first: terms::position(first),
                    end: Position::offset(end),
                    raw_lag: commit.map(|commit| end.saturating_sub(commit)),
                    pending: None,
                    member,
                }
            })
            .collect();
        offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        Group {
            name: self.listed.name,
            state: self.listed.state,
            kind: self.listed.kind,
            members: self.members,
            offsets,
        }
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
        let known = BTreeSet::from([("t".into(), 0), ("t".into(), 1)]);
        let listed = ListedGroup {
            name: "g".into(),
            state: "Stable".into(),
            kind: "classic".into(),
        };
        let member = Member {
            id: "m1".into(),
            places: vec![("t".into(), 1)],
        };
        let commits = [row("t", 0, 7), row("gone", 0, 3)];
        let unfinished = Unfinished::new(listed, vec![member], &commits, &known);
        let places = [("t".into(), 0), ("t".into(), 1)];
        let ends = HashMap::from([(&places[0], (2, 10)), (&places[1], (0, 4))]);
        let group = unfinished.finish(&ends);
        assert_eq!(group.offsets.len(), 2);
        assert_eq!(group.offsets[0].raw_lag, Some(3));
        assert_eq!(group.offsets[0].member, None);
        assert_eq!(group.offsets[1].committed, None);
        assert_eq!(group.offsets[1].raw_lag, None);
        assert_eq!(group.offsets[1].member.as_deref(), Some("m1"));
    }
}
