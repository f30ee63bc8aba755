//! Bounds as a user gives them become frozen offsets, once it is known what the log of each
//! partition holds. Pure: whoever asks the cluster is next door.

use super::terms::{self, Found, position};
use super::terms::{Ask, Place, Row};
use crate::broker::{Bound, Error, ErrorKind, PartitionRange, Range, Result, Subscription};
use crate::event::PositionStyle;

/// What has to be asked of every partition, in this order.
pub(super) fn questions(sub: &Subscription, committed_only: bool) -> Vec<Ask> {
    let mut asks = vec![Ask::First, Ask::End { committed_only }];
    for bound in bounds(sub) {
        if let Bound::Time(time) = bound {
            asks.push(Ask::Time(time.0));
        }
    }
    asks
}

/// The groups whose commits have to be asked for.
pub(super) fn groups(sub: &Subscription) -> impl Iterator<Item = &str> {
    bounds(sub).filter_map(|bound| match bound {
        Bound::Group(group) => Some(group.as_str()),
        _ => None,
    })
}

/// The bounds that matter: following has no end.
fn bounds(sub: &Subscription) -> impl Iterator<Item = &Bound> {
    let both = match &sub.range {
        Range::Bounds { from, until } => [Some(from), (!sub.follow).then_some(until)],
        Range::Frozen(_) => [None, None],
    };
    both.into_iter().flatten()
}

/// The partitions that are asked for. A number that no topic has is a mistake.
pub(super) fn selected(found: &[Found], wanted: &[u32]) -> Result<Vec<Place>> {
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
    let all = terms::places(found);
    Ok(all
        .filter(|(_, partition)| wanted.is_empty() || wanted.contains(partition))
        .collect())
}

/// What the log of each partition holds.
pub(super) struct Log {
    pub(super) places: Vec<Place>,
    /// The answers to [`questions`].
    pub(super) offsets: Vec<Vec<i64>>,
    /// The commits of each of [`groups`].
    pub(super) commits: Vec<(String, Vec<Row>)>,
}

impl Log {
    /// The ranges of the subscription, ordered by topic and partition. A bound below the log's
    /// start is lifted to it, one beyond the end is lowered to it. With `stored:GROUP` a partition
    /// without a commit begins at its start.
    pub(super) fn ranges(&self, sub: &Subscription) -> Result<Vec<PartitionRange>> {
        let (from, until) = match &sub.range {
            Range::Frozen(ranges) => return Ok(ranges.clone()),
            Range::Bounds { from, until } => (from, until),
        };
        let (first, end) = (&self.offsets[0], &self.offsets[1]);
        let mut times = self.offsets[2..].iter();
        let starts = self.bound(from, &mut times)?;
        let ends = if sub.follow {
            end.clone()
        } else {
            self.bound(until, &mut times)?
        };
        tell_trimmed(sub, from, first);
        let ranges = self.places.iter().enumerate();
        let ranges = ranges.map(|(i, (topic, partition))| {
            let most = end[i].max(first[i]);
            let start = starts[i].clamp(first[i], most);
            PartitionRange {
                topic: topic.clone(),
                partition: *partition,
                style: PositionStyle::Offset,
                start: position(start),
                end: position(ends[i].clamp(start, most)),
            }
        });
        Ok(ranges.collect())
    }

    /// A bound as one offset a partition, not yet clamped.
    fn bound<'a>(
        &self,
        bound: &Bound,
        times: &mut impl Iterator<Item = &'a Vec<i64>>,
    ) -> Result<Vec<i64>> {
        let (first, end) = (&self.offsets[0], &self.offsets[1]);
        Ok(match bound {
            Bound::Start => first.clone(),
            Bound::End => end.clone(),
            Bound::At(at) => {
                let at = i64::try_from(at.major).unwrap_or(i64::MAX);
                vec![at; self.places.len()]
            }
            Bound::Last(count) => {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                end.iter().map(|end| end.saturating_sub(count)).collect()
            }
            Bound::Time(_) => {
                let beyond = |(&at, &end): (&i64, &i64)| if at < 0 { end } else { at };
                let found = times.next().unwrap_or(end);
                found.iter().zip(end).map(beyond).collect()
            }
            Bound::Group(group) => self.group(group)?,
        })
    }

    fn group(&self, group: &str) -> Result<Vec<i64>> {
        let rows = self.commits.iter().find(|(name, _)| name == group);
        let rows = rows.map_or(&[][..], |(_, rows)| rows);
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
        let rows = commits.iter().zip(&self.offsets[0]);
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
