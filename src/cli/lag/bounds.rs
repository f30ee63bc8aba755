//! The bounds of an assertion: which groups are over them.

use std::time::Duration;

use super::super::error::Exit;
use super::super::session::Session;
use crate::inspect::lag::{GroupReport, LagReport, Row};
use crate::text::human;

/// What may wait, and for how long.
pub(super) struct Bounds {
    pub(super) events: Option<u64>,
    pub(super) age: Option<Duration>,
}

/// How a group stands to the bounds.
enum Stand {
    Within,
    Over(String),
    /// It could not be found out.
    Open(String),
}

impl Bounds {
    /// Names on standard error what is over, and says how it ends.
    pub(super) fn judge(&self, session: &Session, report: &LagReport) -> Exit {
        let mut exit = Exit::Done;
        for group in &report.groups {
            for stand in [self.by_events(group), self.by_age(group)] {
                match stand {
                    Stand::Within => {}
                    Stand::Over(text) => {
                        session.say(&format!("over: {} {text}", group.name));
                        exit = Exit::Finding;
                    }
                    Stand::Open(text) => {
                        session.say(&format!("not known: {} {text}", group.name));
                        if exit == Exit::Done {
                            exit = Exit::Partial;
                        }
                    }
                }
            }
        }
        exit
    }

    /// By the events that wait in all partitions; where they were not counted by positions, which
    /// are no fewer.
    fn by_events(&self, group: &GroupReport) -> Stand {
        let Some(most) = self.events else {
            return Stand::Within;
        };
        let committed = || {
            let rows = group.rows.iter().rev();
            rows.filter(|row| row.committed.is_some())
        };
        let waits: u64 = committed().filter_map(Row::lag).sum();
        let all = committed().all(|row| row.lag().is_some());
        if waits <= most {
            if all {
                return Stand::Within;
            }
            return Stand::Open(format!("how many events wait (--max {most})"));
        }
        let about = if !all {
            "at least "
        } else if committed().any(|r| r.estimated || r.visible.is_none()) {
            "about "
        } else {
            ""
        };
        let worst = committed().max_by_key(|row| row.lag());
        let most_in = worst.filter(|_| group.rows.len() > 1).map(|row| {
            let lag = human::count(row.lag().unwrap_or(0));
            format!(", {lag} of them in {}/{}", row.topic, row.partition)
        });
        Stand::Over(format!(
            "has {about}{} events waiting, more than {}{}",
            human::count(waits),
            human::count(most),
            most_in.unwrap_or_default()
        ))
    }

    /// By the oldest event that waits; behind an open transaction by the transaction's age.
    fn by_age(&self, group: &GroupReport) -> Stand {
        let Some(most) = self.age else {
            return Stand::Within;
        };
        let age = |row: &Row| row.time_lag_ms.or(row.blocked_ms);
        let waits = |row: &&Row| row.committed.is_some() && row.raw != Some(0);
        let oldest = group
            .rows
            .iter()
            .rev()
            .filter_map(|row| Some((age(row)?, row)))
            .max_by_key(|a| a.0);
        let over = oldest.filter(|(ms, _)| u128::from(ms.unsigned_abs()) > most.as_millis());
        if let Some((ms, row)) = over {
            return Stand::Over(format!(
                "has an event in {}/{} that has waited for {}, longer than {}",
                row.topic,
                row.partition,
                human::duration(Duration::from_millis(ms.unsigned_abs())),
                human::duration(most)
            ));
        }
        match group
            .rows
            .iter()
            .filter(waits)
            .find(|row| age(row).is_none())
        {
            Some(row) => Stand::Open(format!(
                "how old the events are that wait in {}/{} (--max-age)",
                row.topic, row.partition
            )),
            None => Stand::Within,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{Group, GroupOffset};
    use crate::event::{Position, Timestamp};
    use crate::inspect::lag::{Limits, Probe, Trend};

    fn stands(raws: &[Option<u64>]) -> &'static str {
        let offset = |(raw, partition): (&Option<u64>, u32)| GroupOffset {
            topic: "t".into(),
            partition,
            committed: Some(Position::offset(1)),
            end: Position::offset(raw.map_or(0, |raw| raw + 1)),
            raw_lag: *raw,
            silent: raw.is_none().then(|| "no broker leads it".to_owned()),
            ..GroupOffset::default()
        };
        let groups = [Group {
            name: "g".to_owned(),
            offsets: raws.iter().zip(0..).map(offset).collect(),
            ..Group::default()
        }];
        let (probe, trend) = (Probe::new(&groups), Trend::default());
        let report = LagReport::new(&groups, &probe, &trend, Timestamp(0), Limits::default());
        let bounds = Bounds {
            events: Some(10),
            age: None,
        };
        match bounds.by_events(&report.groups[0]) {
            Stand::Within => "within",
            Stand::Over(text) if text.contains("at least") => "over at least",
            Stand::Over(_) => "over",
            Stand::Open(_) => "open",
        }
    }

    #[test]
    fn what_is_over_without_the_partitions_that_do_not_answer_is_over() {
        assert_eq!(stands(&[Some(4), Some(6)]), "within");
        assert_eq!(stands(&[Some(4), Some(7)]), "over");
        assert_eq!(stands(&[Some(4), None]), "open");
        assert_eq!(stands(&[Some(11), None]), "over at least");
    }
}
