//! Lag, and why: from the commits of groups, what waits behind them, and how they moved. Who asks
//! the broker and reads the events behind the commits lives elsewhere.

mod detail;
#[cfg(test)]
mod evidence;
mod hot;
mod limits;
mod plan;
mod probe;
mod reason;
mod slope;
#[cfg(test)]
mod tests;
mod trend;
mod why;

use std::sync::Arc;

use super::At;
use crate::broker::{Epochs, Group, GroupOffset, Member};
use crate::event::{Position, PositionStyle, Timestamp};
pub use hot::HotKey;
pub use limits::Limits;
pub use plan::{Depth, plan};
pub use probe::{Behind, Probe, Waiting};
pub use slope::Slope;
pub use trend::{Eta, Rate, Trend};
pub use why::Why;

/// One group in one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub topic: Arc<str>,
    pub partition: u32,
    pub style: PositionStyle,
    pub member: Option<String>,
    pub committed: Option<Position>,
    pub first: Position,
    /// As far as readers of committed events are served; `None` where it is not told.
    pub stable: Option<Position>,
    pub end: Position,
    /// Nobody tells how far the partition goes: `first`, `stable` and `end` say nothing.
    pub offline: bool,
    /// Positions behind the commit; transaction markers count.
    pub raw: Option<u64>,
    /// Events that the group would be given; `None` when nobody looked.
    pub visible: Option<u64>,
    /// Not all of them were counted.
    pub estimated: bool,
    /// Delivered and not acknowledged, where the broker keeps such a list.
    pub pending: Option<u64>,
    /// Age of the oldest event that waits.
    pub time_lag_ms: Option<i64>,
    /// How long it is kept at least; `None` where nothing waits or nothing is deleted by age.
    pub to_loss_ms: Option<i64>,
    pub retention_ms: Option<u64>,
    /// The age of the transaction that holds the partition back.
    pub blocked_ms: Option<i64>,
    pub rate: Option<Rate>,
    pub eta: Eta,
    /// How long the commit was seen to stand still, and the longest time between two.
    pub still_ms: Option<i64>,
    pub longest_pause_ms: i64,
    pub why: Why,
    /// What is behind the reason, in a sentence.
    pub detail: Option<String>,
    /// The event that the group will be given next.
    pub waiting: Option<Waiting>,
    /// Keys that many of the waiting events have.
    pub hot: Vec<HotKey>,
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
        let from = self.committed.or(self.offline.then_some(self.first));
        waiting.or_else(|| from.map(place))
    }

    /// The best figure there is for how much is behind.
    pub fn lag(&self) -> Option<u64> {
        self.visible.or(self.raw)
    }

    /// Events are deleted before the group reads them: what is left of their time is less than the
    /// group needs, or it never catches up and half of it is gone.
    fn loses_first(&self) -> bool {
        let (Some(left), Some(kept)) = (self.to_loss_ms, self.retention_ms) else {
            return false;
        };
        match self.eta {
            #[expect(clippy::cast_precision_loss, reason = "compared with an estimate")]
            Eta::Seconds { likely, .. } => (left as f64) < likely * 1000.0,
            Eta::Never => left.unsigned_abs() < kept / 2,
            Eta::Done | Eta::Unknown => false,
        }
    }
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupReport {
    pub name: String,
    pub state: String,
    pub kind: String,
    pub members: Vec<Member>,
    pub epochs: Option<Epochs>,
    /// That of the row that most needs a look, or of what the members are doing.
    pub why: Why,
    /// What is behind the reason, in a sentence.
    pub detail: Option<String>,
    /// What the broker did not tell.
    pub untold: Option<String>,
    /// By topic and partition.
    pub rows: Vec<Row>,
    /// The row that most needs a look.
    pub worst: Option<usize>,
    /// The greatest lag over the median one, where there are several.
    pub skew: Option<f64>,
}

impl GroupReport {
    pub fn worst(&self) -> Option<&Row> {
        self.rows.get(self.worst?)
    }

    /// Events that wait in all partitions; `None` when one of them is not known.
    pub fn visible(&self) -> Option<u64> {
        self.rows.iter().map(|row| row.visible).sum()
    }

    /// Some of them were not counted.
    pub fn estimated(&self) -> bool {
        self.rows.iter().any(|row| row.estimated)
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
        self.groups.iter().filter(|g| g.why.is_trouble())
    }
}

fn group_report(
    group: &Group,
    probe: &Probe,
    trend: &Trend,
    now: Timestamp,
    limits: Limits,
) -> GroupReport {
    let mut offsets: Vec<&GroupOffset> = group.offsets.iter().collect();
    offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    let mut rows: Vec<Row> = offsets
        .iter()
        .map(|offset| row(group, offset, probe, trend, now))
        .collect();
    let in_state_ms = trend.in_state_ms(&group.name);
    let reasons = reason::reasons(group, &rows, limits, in_state_ms);
    for ((row, why), offset) in rows.iter_mut().zip(reasons).zip(&offsets) {
        row.why = why;
        row.detail = detail::of_row(group, offset, row);
    }
    let weight = |row: &Row| (row.why.weight(), row.lag().unwrap_or(0));
    let worst = (0..rows.len()).rev().max_by_key(|&i| weight(&rows[i]));
    let worst_why = worst.and_then(|i| rows.get(i)).map(|row| row.why);
    let why = reason::of_group(group, worst_why, in_state_ms);
    let detail = match worst.and_then(|i| rows.get(i)).filter(|row| row.why == why) {
        Some(row) => row.detail.clone(),
        None => detail::rebalance(group),
    };
    GroupReport {
        name: group.name.clone(),
        state: group.state.clone(),
        kind: group.kind.clone(),
        members: group.members.clone(),
        epochs: group.epochs,
        why,
        detail,
        untold: group.untold.clone(),
        skew: skew(&rows),
        rows,
        worst,
    }
}

fn row(group: &Group, offset: &GroupOffset, probe: &Probe, trend: &Trend, now: Timestamp) -> Row {
    let Behind {
        visible,
        estimated,
        waiting,
        hot,
    } = probe.behind(offset);
    let (topic, partition) = (&offset.topic, offset.partition);
    let since = |time: Timestamp| now.0.saturating_sub(time.0).max(0);
    let held = offset.readable() < offset.end && offset.raw_lag != Some(0);
    let oldest = waiting.as_ref().and_then(|w| w.time).map(since);
    let time_lag_ms = match visible {
        // What waits cannot be given to anybody yet, and nobody knows how old it is.
        Some(0) if held => None,
        Some(0) => Some(0),
        _ => oldest,
    };
    // It stands still for a reason, which is no rate.
    let stands = offset.silent.is_some() || offset.raw_lag == Some(0) || visible == Some(0);
    let rate = (!stands)
        .then(|| trend.rate(&group.name, topic, partition, offset.style))
        .flatten();
    let left = |kept: u64| {
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        oldest.map(|age| kept.saturating_sub(age).max(0))
    };
    let eta_of = match visible {
        Some(0) if !held => Some(0),
        // Rates count positions.
        _ => offset.raw_lag,
    };
    Row {
        topic: Arc::clone(topic),
        partition,
        style: offset.style,
        member: offset.member.clone(),
        committed: offset.committed,
        first: offset.first,
        stable: offset.stable,
        end: offset.end,
        offline: offset.silent.is_some(),
        raw: offset.raw_lag,
        visible,
        estimated,
        pending: offset.pending,
        time_lag_ms,
        to_loss_ms: offset.retention_ms.and_then(left),
        retention_ms: offset.retention_ms,
        blocked_ms: offset.transaction.as_ref().and_then(|t| t.since).map(since),
        eta: trend::eta(eta_of, rate),
        rate,
        still_ms: trend.still_ms(&group.name, topic, partition),
        longest_pause_ms: trend.longest_pause_ms(&group.name, topic, partition),
        why: Why::Unknown,
        detail: None,
        waiting,
        hot,
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
