//! Looks at consumer groups of the target's broker while a run goes on, and holds it while one of
//! them is too far behind.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Control, PauseIf};
use crate::broker::{Broker, Error, ErrorKind, Group, Result};
use crate::text::human;

/// How often the broker is asked.
const EVERY: Duration = Duration::from_secs(2);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The conditions of a plan, and how they stood when the broker was last asked.
pub(super) struct LagWatch {
    conditions: Vec<(PauseIf, bool)>,
    broker: Arc<dyn Broker>,
    control: Control,
}

impl LagWatch {
    /// Asks for the first time, and holds the run at once where it must. `None` where the plan has
    /// no conditions. A group that is not there is an error: it would never hold anything.
    pub(super) async fn begin(
        conditions: &[PauseIf],
        broker: &Arc<dyn Broker>,
        control: &Control,
    ) -> Result<Option<Self>> {
        if conditions.is_empty() {
            return Ok(None);
        }
        let mut watch = Self {
            conditions: conditions.iter().map(|c| (c.clone(), false)).collect(),
            broker: broker.clone(),
            control: control.clone(),
        };
        let groups = watch.ask().await.map_err(|e| e.on("--pause-if"))?;
        for condition in conditions {
            if !groups.iter().any(|g| g.name == condition.group) {
                let what = format!("--pause-if: there is no group {}", condition.group);
                return Err(Error::new(ErrorKind::Usage, what)
                    .hint("evtap lag lists the groups of a broker"));
            }
        }
        watch.judge(&groups);
        Ok(Some(watch))
    }

    /// Never ends by itself.
    pub(super) async fn watch(mut self) -> Infallible {
        loop {
            sleep(EVERY).await;
            match self.ask().await {
                Ok(groups) => self.judge(&groups),
                // Its last word counts.
                Err(error) => self.tell(Some(format!("its groups cannot be asked: {error}"))),
            }
        }
    }

    async fn ask(&self) -> Result<Vec<Group>> {
        timeout(PATIENCE, self.broker.groups())
            .await
            .unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Unreachable,
                    "the broker does not answer about its groups",
                ))
            })
    }

    fn judge(&mut self, groups: &[Group]) {
        let mut said = Vec::new();
        for (condition, above) in &mut self.conditions {
            // One that is gone, or cannot be told of, counts as it did last.
            let group = groups.iter().find(|g| g.name == condition.group);
            let Some(lag) = group.and_then(raw_lag) else {
                continue;
            };
            // What does not answer may be behind, too: it lets nobody go on.
            let whole = group.is_some_and(answers);
            *above = is_above(*above, lag, condition.most) || (*above && !whole);
            if *above && !whole && lag <= condition.most {
                said.push(format!(
                    "lag({}) was above {}, and not all of its partitions answer",
                    condition.group,
                    human::count(condition.most)
                ));
            } else if *above {
                said.push(format!(
                    "lag({}) is {}{}, and {} are allowed",
                    condition.group,
                    if whole { "" } else { "at least " },
                    human::count(lag),
                    human::count(condition.most)
                ));
            }
        }
        self.tell((!said.is_empty()).then(|| said.join("; ")));
    }

    fn tell(&self, why: Option<String>) {
        let lagging = self.conditions.iter().any(|(_, above)| *above);
        self.control.hold_for_lag(lagging, why);
    }
}

/// A run that was held goes on at half of what is allowed, so that it does not stop and go with
/// each answer.
const fn is_above(was_above: bool, lag: u64, most: u64) -> bool {
    lag > if was_above { most / 2 } else { most }
}

/// Positions before a group in all its partitions; `None` when none of them is known.
fn raw_lag(group: &Group) -> Option<u64> {
    let mut known = group.offsets.iter().filter_map(|o| o.raw_lag).peekable();
    if group.untold.is_some() {
        known.peek()?;
    }
    Some(known.fold(0, u64::saturating_add))
}

/// All of its partitions tell how far they go.
fn answers(group: &Group) -> bool {
    group.offsets.iter().all(|offset| offset.silent.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::GroupOffset;
    use crate::replay::Pace;
    use crate::replay::fake_broker::FakeBroker;

    #[test]
    fn a_held_run_goes_on_at_half() {
        let mut above = false;
        let steps = [
            (5, false),
            (10, false),
            (11, true),
            (7, true),
            (5, false),
            (9, false),
        ];
        for (lag, expected) in steps {
            above = is_above(above, lag, 10);
            assert_eq!(above, expected, "at {lag}");
        }
        assert!(is_above(false, 1, 0) && is_above(true, 1, 0) && !is_above(true, 0, 0));
    }

    #[test]
    fn a_partition_that_does_not_answer_lets_no_held_run_go_on() {
        let condition = PauseIf {
            group: "g".to_owned(),
            most: 10,
        };
        let mut watch = LagWatch {
            conditions: vec![(condition, false)],
            broker: Arc::new(FakeBroker::new(&[])),
            control: Control::new(Pace::Max),
        };
        let mut judged = |lags: &[Option<u64>]| {
            let offset = |raw_lag: &Option<u64>| GroupOffset {
                raw_lag: *raw_lag,
                silent: raw_lag.is_none().then(|| "no broker leads it".to_owned()),
                ..GroupOffset::default()
            };
            watch.judge(&[Group {
                name: "g".to_owned(),
                offsets: lags.iter().map(offset).collect(),
                ..Group::default()
            }]);
            watch.conditions[0].1
        };
        assert!(!judged(&[Some(3), None]), "nothing says that it is behind");
        assert!(judged(&[Some(11), None]));
        assert!(judged(&[None, Some(0)]), "the one that was behind");
        assert!(judged(&[None, None]));
        assert!(!judged(&[Some(3), Some(0)]));
    }

    #[test]
    fn the_lag_is_that_of_all_partitions() {
        let offset = |raw_lag| GroupOffset {
            raw_lag,
            ..GroupOffset::default()
        };
        let mut group = Group {
            offsets: vec![offset(Some(3)), offset(None), offset(Some(4))],
            ..Group::default()
        };
        assert_eq!(raw_lag(&group), Some(7));
        group.offsets.clear();
        assert_eq!(raw_lag(&group), Some(0));
        group.untold = Some("not allowed".to_owned());
        assert_eq!(raw_lag(&group), None);
    }
}
