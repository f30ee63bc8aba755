//! From bounds as a user gives them to frozen offsets, one range a partition. Reads no event.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::admin::{self, Ask, Place};
use super::client::Client;
use super::topics::{self, Found, offsets, position};
use crate::broker::{
    Bound, Error, ErrorKind, PartitionRange, Range, Result, Subscription, TopicSelector,
};
use crate::event::PositionStyle;

/// The ranges of a subscription, ordered by topic and partition. `committed_only` makes an end the
/// last stable offset: a reader of committed records can get no further.
///
/// A bound below the log's start is lifted to it, one beyond the end is lowered to it. With
/// `stored:GROUP` a partition without a commit begins at its start.
pub(super) fn resolve(
    client: &Arc<Client>,
    sub: &Subscription,
    committed_only: bool,
) -> Result<Vec<PartitionRange>> {
    let (from, until) = match &sub.range {
        Range::Frozen(ranges) => {
            // The first contact: it tells a wrong password or a topic that is gone, and the
            // reader needs the leaders.
            let names: BTreeSet<&Arc<str>> = ranges.iter().map(|r| &r.topic).collect();
            for name in names {
                topics::find(client, &TopicSelector::one(name))?;
            }
            return Ok(ranges.clone());
        }
        Range::Bounds { from, until } => (from, until),
    };
    let found = topics::find(client, &sub.topics)?;
    let places = selected(&found, &sub.partitions)?;
    let asked = offsets(client, &places, &[Ask::First, Ask::End { committed_only }])?;
    let log = Log {
        client,
        places: &places,
        first: &asked[0],
        end: &asked[1],
    };
    let starts = log.bound(from)?;
    let ends = if sub.follow {
        asked[1].clone()
    } else {
        log.bound(until)?
    };
    tell_trimmed(sub, from, &asked[0]);
    let ranges = places.iter().enumerate().map(|(i, (topic, partition))| {
        let start = starts[i].clamp(asked[0][i], asked[1][i].max(asked[0][i]));
        let end = ends[i].clamp(start, asked[1][i].max(start));
        PartitionRange {
            topic: Arc::clone(topic),
            partition: *partition,
            style: PositionStyle::Offset,
            start: position(start),
            end: position(end),
        }
    });
    Ok(ranges.collect())
}

/// The partitions that are asked for. A number that no topic has is a mistake.
fn selected(found: &[Found], wanted: &[u32]) -> Result<Vec<Place>> {
    for number in wanted {
        if !found.iter().any(|t| t.partitions.contains(number)) {
            let most = found.iter().map(|t| t.partitions.len()).max().unwrap_or(0);
            let names: Vec<&str> = found.iter().map(|t| &*t.name).take(3).collect();
            return Err(Error::new(
                ErrorKind::Usage,
                format!("no partition {number} in {}", names.join(", ")),
            )
            .hint(format!("partitions are 0 to {}", most.saturating_sub(1))));
        }
    }
    let all = topics::places(found);
    Ok(all
        .filter(|(_, partition)| wanted.is_empty() || wanted.contains(partition))
        .collect())
}

/// What the log of each partition holds.
struct Log<'a> {
    client: &'a Arc<Client>,
    places: &'a [Place],
    first: &'a [i64],
    end: &'a [i64],
}

impl Log<'_> {
    /// A bound as one offset a partition, not yet clamped.
    fn bound(&self, bound: &Bound) -> Result<Vec<i64>> {
        match bound {
            Bound::Start => Ok(self.first.to_vec()),
            Bound::End => Ok(self.end.to_vec()),
            Bound::At(at) => {
                let at = i64::try_from(at.major).unwrap_or(i64::MAX);
                Ok(vec![at; self.places.len()])
            }
            Bound::Last(count) => {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                Ok(self
                    .end
                    .iter()
                    .map(|end| end.saturating_sub(count))
                    .collect())
            }
            Bound::Time(time) => {
                let found = offsets(self.client, self.places, &[Ask::Time(time.0)])?;
                let beyond = |(&at, &end): (&i64, &i64)| if at < 0 { end } else { at };
                Ok(found[0].iter().zip(self.end).map(beyond).collect())
            }
            Bound::Group(group) => self.group(group),
        }
    }

    fn group(&self, group: &str) -> Result<Vec<i64>> {
        let rows = admin::ask_commits(self.client, group, None)
            .and_then(admin::commits)
            .map_err(|f| f.into_error(&format!("ask for the commits of the group {group}")))?;
        let commit = |place: &Place| {
            let row = rows.iter().find(|row| row.place == *place)?;
            (row.offset >= 0).then_some(row.offset)
        };
        let commits: Vec<Option<i64>> = self.places.iter().map(commit).collect();
        if commits.iter().all(Option::is_none) && !commits.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the group {group} has committed nothing in these partitions"),
            )
            .hint("`evtap lag` lists the groups and where they stand"));
        }
        let rows = commits.iter().zip(self.first);
        Ok(rows
            .map(|(commit, first)| commit.unwrap_or(*first))
            .collect())
    }
}

/// A start that is gone already is lifted, and that is said.
fn tell_trimmed(sub: &Subscription, from: &Bound, first: &[i64]) {
    let Bound::At(at) = from else { return };
    if at.major == 0 {
        // "From 0" is how one says "from the start".
        return;
    }
    let at = i64::try_from(at.major).unwrap_or(i64::MAX);
    let gone: i64 = first.iter().map(|first| (first - at).max(0)).sum();
    let partitions = first.iter().filter(|first| **first > at).count();
    if gone > 0 {
        sub.notices.tell(&format!(
            "{gone} positions from {at} on are no longer there in {partitions} partitions: \
             they begin later"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(partitions: &[u32]) -> Found {
        Found {
            name: "orders".into(),
            internal: false,
            partitions: partitions.to_vec(),
        }
    }

    #[test]
    fn a_partition_that_no_topic_has_is_a_mistake() {
        let topics = [found(&[0, 1, 2]), found(&[0])];
        assert_eq!(selected(&topics, &[2]).unwrap().len(), 1);
        assert_eq!(selected(&topics, &[]).unwrap().len(), 4);
        let error = selected(&topics, &[3]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert_eq!(error.hint.as_deref(), Some("partitions are 0 to 2"));
    }
}
