//! From what a subscription asks for to the partitions and offsets that it means.

use super::history::{GROUPS, Past};
use super::log::{Log, Store, TopicLog};
use crate::broker::{
    Bound, Error, ErrorKind, PartitionRange, Range, Result, Subscription, TopicSelector,
};
use crate::event::{Position, PositionStyle};

/// The topics that the selector names, ordered by name.
pub(super) fn topics<'a>(store: &'a Store, which: &TopicSelector) -> Result<Vec<&'a TopicLog>> {
    if let Some(name) = which.names().find(|name| store.topic(name).is_none()) {
        return Err(missing(store, name));
    }
    let taken = store
        .topics()
        .iter()
        .filter(|t| which.takes(&t.name, false));
    Ok(taken.collect())
}

pub(super) fn missing(store: &Store, name: &str) -> Error {
    let known: Vec<&str> = store.topics().iter().map(|t| &*t.name).collect();
    Error::new(
        ErrorKind::MissingTopic,
        format!("there is no topic '{name}' on demo:"),
    )
    .hint(format!("it has: {}", known.join(", ")))
}

/// The frozen range of each partition, ordered by topic and partition.
pub(super) fn ranges(
    store: &Store,
    past: &Past,
    sub: &Subscription,
) -> Result<Vec<PartitionRange>> {
    let topics = topics(store, &sub.topics)?;
    check_partitions(&topics, &sub.partitions)?;
    let mut ranges = Vec::new();
    for topic in topics {
        for (partition, log) in (0..).zip(&topic.partitions) {
            if !sub.partitions.is_empty() && !sub.partitions.contains(&partition) {
                continue;
            }
            let place = Place {
                topic,
                partition,
                log,
                past,
            };
            if let Some((start, end)) = place.range(&sub.range)? {
                ranges.push(PartitionRange {
                    topic: topic.name.clone(),
                    partition,
                    style: PositionStyle::Offset,
                    start: Position::offset(start),
                    end: Position::offset(end),
                });
            }
        }
    }
    if let Range::Frozen(rows) = &sub.range {
        check_frozen(store, rows)?;
    }
    Ok(ranges)
}

fn check_partitions(topics: &[&TopicLog], wanted: &[u32]) -> Result<()> {
    let most = topics.iter().map(|t| t.partitions.len()).max().unwrap_or(0);
    match wanted.iter().find(|&&p| p as usize >= most) {
        None => Ok(()),
        Some(partition) => Err(Error::new(
            ErrorKind::Usage,
            format!("no selected topic of demo: has a partition {partition}"),
        )
        .hint(format!("they have {most} at most, counted from 0"))),
    }
}

/// Rows that were frozen elsewhere must be there.
fn check_frozen(store: &Store, rows: &[PartitionRange]) -> Result<()> {
    for row in rows {
        let topic = store
            .topic(&row.topic)
            .ok_or_else(|| missing(store, &row.topic))?;
        let place = format!("{}/{} of demo:", row.topic, row.partition);
        let Some(log) = topic.partitions.get(row.partition as usize) else {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("there is no partition {place}"),
            ));
        };
        if row.end.major > log.end() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "the range of {place} ends at {}, but the log at {}",
                    row.end.major,
                    log.end()
                ),
            )
            .hint("what is written into demo: is gone when the command ends"));
        }
    }
    Ok(())
}

/// One partition, and what is needed to find a bound in it.
struct Place<'a> {
    topic: &'a TopicLog,
    partition: u32,
    log: &'a Log,
    past: &'a Past,
}

impl Place<'_> {
    /// `[start, end)`; `None` when the range leaves the partition out.
    fn range(&self, range: &Range) -> Result<Option<(u64, u64)>> {
        match range {
            Range::Bounds { from, until } => {
                let start = self.offset(from)?;
                Ok(Some((start, self.offset(until)?.max(start))))
            }
            Range::Frozen(rows) => Ok(rows
                .iter()
                .find(|r| r.topic == self.topic.name && r.partition == self.partition)
                .map(|r| (r.start.major, r.end.major.max(r.start.major)))),
        }
    }

    fn offset(&self, bound: &Bound) -> Result<u64> {
        let end = self.log.end();
        Ok(match bound {
            Bound::Start => 0,
            Bound::End => end,
            Bound::At(position) => position.major.min(end),
            Bound::Last(count) => end.saturating_sub(*count),
            Bound::Time(time) => self.log.first_at(*time)?.unwrap_or(end),
            Bound::Group(group) => self.committed(group)?.min(end),
        })
    }

    fn committed(&self, name: &str) -> Result<u64> {
        let Some(group) = GROUPS.iter().find(|g| g.name == name) else {
            let known: Vec<&str> = GROUPS.iter().map(|g| g.name).collect();
            return Err(Error::new(
                ErrorKind::Usage,
                format!("there is no group '{name}' on demo:"),
            )
            .hint(format!("it has: {}", known.join(", "))));
        };
        if let Some(topic) = self.topic.topic.filter(|t| group.topics.contains(t)) {
            let after_last = self.past.after_last(topic, self.partition);
            return Ok(group.committed(self.partition, after_last));
        }
        let reads: Vec<&str> = group.topics.iter().map(|t| t.name()).collect();
        Err(Error::new(
            ErrorKind::Usage,
            format!(
                "the group '{name}' has no commit on {}/{} of demo:",
                self.topic.name, self.partition
            ),
        )
        .hint(format!("it reads: {}", reads.join(", "))))
    }
}
