//! One look at the groups, or two where one cannot tell whether a group moves.

use std::time::Duration;

use super::super::error::{Failure, Result};
use super::super::opened::Opened;
use super::super::session::Session;
use super::{Lag, no_group};
use crate::broker::{Group, TopicSelector};
use crate::inspect::lag::{Depth, GroupReport, LagReport, Limits, Probe, Row, Trend, plan};
use crate::pipeline::look_behind;

/// Between the two looks of a snapshot: a little more than the five seconds between two commits of
/// a consumer that was not configured.
const APART: Duration = Duration::from_millis(5_500);
/// What is read behind the commits takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at the groups, and remembers what it saw.
pub(super) struct Looker<'a> {
    session: &'a Session,
    opened: Opened,
    topics: TopicSelector,
    names: &'a [String],
    limits: Limits,
    trend: Trend,
}

impl<'a> Looker<'a> {
    pub(super) fn new(session: &'a Session, opened: Opened, args: &'a Lag) -> Self {
        Self {
            session,
            topics: opened.address.topics(),
            opened,
            names: &args.group,
            limits: Limits {
                still_ms: millis(args.still),
                ..Limits::default()
            },
            trend: Trend::default(),
        }
    }

    pub(super) fn shown(&self) -> &str {
        &self.opened.shown
    }

    /// What one look can tell, and a second one some seconds later where something waits that may
    /// be on the move.
    pub(super) async fn snapshot(&mut self) -> Result<LagReport> {
        let report = self.look(Depth::ONCE).await?;
        let own_clock = self.opened.broker.clock().await?.is_some();
        // A clock that stands still sees nothing move.
        let still_life = own_clock || self.session.global.now.is_some();
        if still_life || !report.groups.iter().any(|g| self.may_move(g)) {
            return Ok(report);
        }
        self.limits.glance_ms = Some(millis(APART) - 500);
        tokio::time::sleep(APART).await;
        self.look(Depth::ONCE).await
    }

    fn may_move(&self, group: &GroupReport) -> bool {
        let waits = |row: &Row| {
            let old = row.time_lag_ms.is_none_or(|ms| ms >= self.limits.still_ms);
            old && row.lag().is_some_and(|lag| lag > 0) && row.visible != Some(0)
        };
        let unsure = |row: &Row| row.why.moves() && waits(row);
        !group.members.is_empty() && group.rows.iter().any(unsure)
    }

    /// Asks for the groups and reads what waits behind their commits.
    pub(super) async fn look(&mut self, depth: Depth) -> Result<LagReport> {
        let opened = &self.opened;
        let groups = opened.broker.groups().await.map_err(|e| {
            Failure::from(e).on(format!("cannot list the groups of {}", opened.shown))
        })?;
        let groups = self.chosen(groups)?;
        let mut probe = Probe::new(&groups);
        let passes = plan(&groups, depth);
        let looked = look_behind(&*opened.broker, &passes, PATIENCE, &mut probe).await;
        if let Some(error) = looked.failed {
            // The positions are known, and worth something by themselves.
            self.session.say(&format!(
                "warning: not all events behind the commits could be read: {error}"
            ));
        }
        if looked.late {
            self.session
                .say("warning: there was no time to read all events behind the commits");
        }
        let now = opened.now(self.session).await?;
        self.trend.look(now, &groups);
        let report = LagReport::new(&groups, &probe, &self.trend, now, self.limits);
        Ok(report)
    }

    /// The groups that were asked about, with the topics that were.
    fn chosen(&self, mut groups: Vec<Group>) -> Result<Vec<Group>> {
        for wanted in self.names {
            if !groups.iter().any(|g| g.name == *wanted) {
                let known: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
                return Err(no_group(&self.opened.shown, wanted, &known));
            }
        }
        groups.retain(|g| self.names.is_empty() || self.names.contains(&g.name));
        for group in &mut groups {
            group.offsets.retain(|o| self.topics.takes(&o.topic, false));
        }
        // Who asks about topics is not told of groups that have nothing to do with them.
        let asked = !self.names.is_empty() || self.topics.is_all();
        groups.retain(|g| asked || !g.offsets.is_empty());
        Ok(groups)
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
