//! Lag, and why: from the commits of groups, what waits behind them, and how they moved. Who asks
//! the broker and reads the events behind the commits lives elsewhere.

mod probe;
mod reason;
#[cfg(test)]
mod tests;
mod trend;

use std::sync::Arc;

use super::At;
use crate::broker::{Group, GroupOffset};
use crate::event::{Position, PositionStyle, Timestamp};
pub use probe::{Behind, Probe, Waiting};
pub use reason::Why;
pub use trend::{Eta, Rate, Trend};

/// What counts as standing still and as behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A commit stands still when it has not moved for so long while events wait.
    pub still_ms: i64,
    /// A group is behind when the oldest event that it was not given is older.
    pub behind_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            still_ms: 30_000,
            behind_ms: 30_000,
        }
    }
}

/// One group in one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub topic: Arc<str>,
    pub partition: u32,
    pub style: PositionStyle,
    pub member: Option<String>,
    pub committed: Option<Position>,
    pub first: Position,
    pub end: Position,
    /// Positions behind the commit; transaction markers count.
    pub raw: Option<u64>,
    /// Events that the group would be given; `None` when nobody looked.
    pub visible: Option<u64>,
    /// Age of the oldest of them.
    pub time_lag_ms: Option<i64>,
    pub rate: Option<Rate>,
    pub eta: Eta,
    /// How long the commit was seen to stand still.
    pub still_ms: Option<i64>,
    pub why: Why,
    /// The event that the group will be given next.
    pub waiting: Option<Waiting>,
}

impl Row {
    /// The event that the reason speaks of: the next one, else the commit's own place.
    pub fn at(&self) -> Option<At> {
        let place = |position| At {
            origin: 0,
            topic: Arc::clone(&self.topic),
            partition: self.partition,
            position,
            style: self.style,
        };
        let waiting = self.waiting.as_ref().map(|w| w.at.clone());
        waiting.or_else(|| self.committed.map(place))
    }

    /// The best figure there is for how much is behind.
    pub fn lag(&self) -> Option<u64> {
        self.visible.or(self.raw)
    }
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupReport {
    pub name: String,
    pub state: String,
    pub kind: String,
    pub members: Vec<String>,
    /// By topic and partition.
    pub rows: Vec<Row>,
    /// The row that most needs a look: its reason is the group's.
    pub worst: Option<usize>,
    /// The greatest lag over the median one, where there are several.
    pub skew: Option<f64>,
}

impl GroupReport {
    pub fn worst(&self) -> Option<&Row> {
        self.rows.get(self.worst?)
    }

    /// The reason of the worst partition.
    pub fn why(&self) -> Why {
        self.worst().map_or(Why::Unknown, |row| row.why)
    }

    /// Events that wait in all partitions; `None` when one of them is not known.
    pub fn visible(&self) -> Option<u64> {
        self.rows.iter().map(|row| row.visible).sum()
    }

    pub fn time_lag_ms(&self) -> Option<i64> {
        self.rows.iter().filter_map(|row| row.time_lag_ms).max()
    }
}

/// All groups, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LagReport {
    pub groups: Vec<GroupReport>,
}

impl LagReport {
    /// Tells of each group how far it is behind, and why. `now` is the clock that the events' times
    /// are measured against.
    pub fn new(
        groups: &[Group],
        probe: &Probe,
        trend: &Trend,
        now: Timestamp,
        limits: Limits,
    ) -> Self {
        let mut reports: Vec<GroupReport> = groups
            .iter()
            .map(|group| group_report(group, probe, trend, now, limits))
            .collect();
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        Self { groups: reports }
    }

    /// Groups whose reason is a trouble.
    pub fn troubled(&self) -> impl Iterator<Item = &GroupReport> {
        self.groups.iter().filter(|g| g.why().is_trouble())
    }
}

fn group_report(
    group: &Group,
    probe: &Probe,
    trend: &Trend,
    now: Timestamp,
    limits: Limits,
) -> GroupReport {
    let mut rows: Vec<Row> = group
        .offsets
        .iter()
        .map(|offset| row(group, offset, probe, trend, now))
        .collect();
    rows.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    let reasons = reason::reasons(group, &rows, limits);
    for (row, why) in rows.iter_mut().zip(reasons) {
        row.why = why;
    }
    let weight = |row: &Row| (row.why.weight(), row.lag().unwrap_or(0));
    let worst = (0..rows.len()).rev().max_by_key(|&i| weight(&rows[i]));
    GroupReport {
        name: group.name.clone(),
        state: group.state.clone(),
        kind: group.kind.clone(),
        members: group.members.clone(),
        skew: skew(&rows),
        rows,
        worst,
    }
}

fn row(group: &Group, offset: &GroupOffset, probe: &Probe, trend: &Trend, now: Timestamp) -> Row {
    let Behind { visible, waiting } = probe.behind(offset);
    let (topic, partition) = (&offset.topic, offset.partition);
    let rate = trend.rate(&group.name, topic, partition, offset.style);
    let oldest = waiting.as_ref().and_then(|w| w.time);
    let time_lag_ms = match visible {
        Some(0) => Some(0),
        _ => oldest.map(|time| now.0.saturating_sub(time.0).max(0)),
    };
    Row {
        topic: Arc::clone(topic),
        partition,
        style: offset.style,
        member: offset.member.clone(),
        committed: offset.committed,
        first: offset.first,
        end: offset.end,
        raw: offset.raw_lag,
        visible,
        time_lag_ms,
        rate,
        eta: trend::eta(visible.or(offset.raw_lag), rate),
        still_ms: trend.still_ms(&group.name, topic, partition),
        why: Why::Unknown,
        waiting,
    }
}

/// The greatest lag over the median one.
#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn skew(rows: &[Row]) -> Option<f64> {
    let mut lags: Vec<u64> = rows.iter().filter_map(Row::lag).collect();
    lags.sort_unstable();
    let (greatest, median) = (lags.last()?, lags.get(lags.len() / 2)?);
    (lags.len() > 1 && *greatest > 0).then(|| *greatest as f64 / (*median).max(1) as f64)
}
