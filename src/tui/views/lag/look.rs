//! One look at the groups of a broker: reads the few events behind each commit, and tells how far
//! behind each group is, and why. Bounded in events and in time; nothing is committed or joined.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::broker::{
    self, Group, GroupOffset, Notices, PartitionRange, Range, Subscription, TopicSelector,
};
use crate::event::{Position, PositionStyle, SelectAll, Timestamp};
use crate::inspect::lag::{LagReport, Limits, Probe, Trend};
use crate::tui::connect::Connection;
use crate::tui::msg::Trouble;

/// Positions behind a commit that are read: enough to know the first event and what others are.
const BEHIND: u64 = 128;
/// Commits of one partition that lie apart and are looked behind.
const APART: usize = 4;
/// Partitions of one topic, and events of one read.
const PARTITIONS: usize = 256;
const EVENTS: usize = 20_000;
/// Bytes that a read may hold.
const MEMORY: usize = 4 << 20;
/// All reads of one look together.
const PATIENCE: Duration = Duration::from_secs(4);

/// What goes from look to look.
#[derive(Default)]
pub struct Memory {
    trend: Trend,
    /// Behind which commits was looked, and what was found there.
    probe: Option<(Vec<Group>, Probe)>,
}

/// What came of a look.
pub struct Looked {
    pub memory: Memory,
    pub report: LagReport,
    /// The events behind commits could not be read, or not all.
    pub trouble: Option<Trouble>,
}

/// Takes one look. `now` is the person's clock, where it was given.
pub async fn look(
    connection: Arc<Connection>,
    mut groups: Vec<Group>,
    mut memory: Memory,
    wall: Timestamp,
    now: Option<Timestamp>,
) -> broker::Result<Looked> {
    // Whoever has no clock of its own lives by the wall's.
    let clock = connection.broker.clock().await.ok().flatten();
    let now = now.or(clock).unwrap_or(wall);
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let mut trouble = None;
    let probe = match memory.probe.take() {
        Some((before, probe)) if before == groups => probe,
        _ => {
            let mut probe = Probe::new(&groups);
            let read = read(&connection, &groups, &mut probe);
            trouble = match tokio::time::timeout(PATIENCE, read).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(Trouble::from(error)),
                Err(_) => Some(Trouble {
                    message: "there was no time to read all events behind the commits".to_owned(),
                    hint: None,
                }),
            };
            probe
        }
    };
    // Many groups on many partitions are work that must not hold up other messages.
    let told = tokio::task::spawn_blocking(move || {
        memory.trend.look(now, &groups);
        let report = LagReport::new(&groups, &probe, &memory.trend, now, Limits::default());
        // What could not be read is tried again at the next look.
        memory.probe = trouble.is_none().then_some((groups, probe));
        Looked {
            memory,
            report,
            trouble,
        }
    });
    told.await.map_err(|error| {
        broker::Error::new(
            broker::ErrorKind::Broker,
            format!("the look at the groups ended early: {error}"),
        )
    })
}

/// Reads what lies behind the commits, topic by topic, so that one that is gone hides no other.
async fn read(connection: &Connection, groups: &[Group], probe: &mut Probe) -> broker::Result<()> {
    let mut failed = None;
    for (topic, passes) in passes(groups) {
        for ranges in passes {
            if let Err(error) = read_ranges(connection, &topic, ranges, probe).await {
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn read_ranges(
    connection: &Connection,
    topic: &Arc<str>,
    ranges: Vec<PartitionRange>,
    probe: &mut Probe,
) -> broker::Result<()> {
    let sub = Subscription {
        topics: TopicSelector::one(topic),
        partitions: Vec::new(),
        range: Range::Frozen(ranges.clone()),
        follow: false,
        select: Arc::new(SelectAll),
        memory: MEMORY,
        raw: false,
        notices: Notices::silent(),
    };
    let mut source = connection.broker.source(&sub).await?;
    for range in &ranges {
        probe.reads_from(range);
    }
    let mut events = 0;
    while let Some(batch) = source.next_batch().await? {
        probe.batch(&batch);
        events += batch.len();
        if events > EVENTS {
            // The ends were not reached: nothing more is claimed of them.
            return Ok(());
        }
    }
    for range in &ranges {
        probe.has_read(range);
    }
    Ok(())
}

/// For each topic: the ranges behind the commits, in as many passes as commits of one partition
/// lie apart.
fn passes(groups: &[Group]) -> BTreeMap<Arc<str>, Vec<Vec<PartitionRange>>> {
    let mut commits: BTreeMap<(Arc<str>, u32), Vec<&GroupOffset>> = BTreeMap::new();
    for offset in groups.iter().flat_map(|g| &g.offsets) {
        if offset.committed.is_some_and(|c| c < offset.end) {
            let place = (offset.topic.clone(), offset.partition);
            commits.entry(place).or_default().push(offset);
        }
    }
    let mut passes: BTreeMap<Arc<str>, Vec<Vec<PartitionRange>>> = BTreeMap::new();
    for ((topic, _), offsets) in commits {
        let of_topic = passes.entry(topic).or_default();
        for (pass, range) in apart(offsets).into_iter().take(APART).enumerate() {
            if of_topic.len() <= pass {
                of_topic.push(Vec::new());
            }
            if of_topic[pass].len() < PARTITIONS {
                of_topic[pass].push(range);
            }
        }
    }
    passes
}

/// The ranges behind the commits of one partition; those that meet are one.
fn apart(mut offsets: Vec<&GroupOffset>) -> Vec<PartitionRange> {
    offsets.sort_by_key(|offset| offset.committed);
    let mut ranges: Vec<PartitionRange> = Vec::new();
    for offset in offsets {
        // What was deleted cannot be read.
        let start = offset.committed.unwrap_or_default().max(offset.first);
        let end = match offset.style {
            PositionStyle::Offset => {
                let most = Position::offset(start.major.saturating_add(BEHIND));
                offset.end.min(most)
            }
            // Positions that are no count cannot be cut by one; the number of events is.
            PositionStyle::Entry => offset.end,
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
            partition: 0,
            style: PositionStyle::Offset,
            committed: Some(Position::offset(committed)),
            first: Position::offset(5),
            end: Position::offset(end),
            raw_lag: None,
            pending: None,
            member: None,
        }
    }

    #[test]
    fn commits_that_lie_apart_are_read_apart_and_none_far() {
        let all = [
            offset(0, 90_000),
            offset(20, 90_000),
            offset(80_000, 90_000),
        ];
        let ranges: Vec<(u64, u64)> = apart(all.iter().collect())
            .iter()
            .map(|r| (r.start.major, r.end.major))
            .collect();
        assert_eq!(ranges, [(5, 148), (80_000, 80_128)]);
    }

    #[test]
    fn what_nothing_waits_behind_is_not_read() {
        let group = Group {
            name: "g".to_owned(),
            state: String::new(),
            kind: String::new(),
            members: Vec::new(),
            offsets: vec![offset(90, 90), offset(91, 90)],
        };
        assert!(passes(&[group]).is_empty());
    }
}
