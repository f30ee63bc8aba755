//! Verification by count: what was sent, what the target says it stored, and how far its own
//! positions moved.

use std::collections::BTreeMap;

use crate::broker::{Broker, Result, TopicInfo, TopicSelector};
use crate::event::PositionStyle;
use crate::replay::plan::{PartitionPolicy, Plan};
use crate::replay::run::Report;
use crate::text::human;

/// How many events each partition of the target ever held, as far as its broker counts them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetState {
    counts: BTreeMap<u32, u64>,
}

/// What the comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// What was compared with what.
    pub compared: String,
    /// Events by which the target grew, by its own count.
    pub grown: Option<u64>,
    /// What does not fit. Empty is good.
    pub problems: Vec<String>,
}

impl TargetState {
    /// Asks the target; `None` where it has no counts: a file, or positions that are no numbers
    /// and no count beside them.
    pub async fn look(plan: &Plan, broker: &dyn Broker) -> Result<Option<Self>> {
        let Some(topic) = &plan.target.topic else {
            return Ok(None);
        };
        let found = broker.topics(&TopicSelector::one(topic)).await?;
        Ok(found.iter().find(|t| t.name == *topic).and_then(Self::of))
    }

    fn of(topic: &TopicInfo) -> Option<Self> {
        let counts = topic.partitions.iter().map(|p| match topic.style {
            // The next offset: retention and compaction do not lower it.
            PositionStyle::Offset => Some((p.partition, p.end.major)),
            PositionStyle::Entry => p.events.map(|events| (p.partition, events)),
        });
        Some(Self {
            counts: counts.collect::<Option<_>>()?,
        })
    }

    fn growth(&self, before: &Self) -> BTreeMap<u32, i128> {
        self.counts
            .iter()
            .map(|(partition, &count)| {
                let was = before.counts.get(partition).copied().unwrap_or_default();
                (*partition, i128::from(count) - i128::from(was))
            })
            .collect()
    }
}

/// Compares. Others may write to the target meanwhile: it must have grown by at least this much.
pub fn verify(
    plan: &Plan,
    report: &Report,
    before: Option<&TargetState>,
    after: Option<&TargetState>,
) -> Verification {
    let mut problems = Vec::new();
    let most = report.sent + report.in_doubt;
    if report.acknowledged < report.sent || report.acknowledged > most {
        problems.push(format!(
            "{} events were sent and {} acknowledged",
            human::count(report.sent),
            human::count(report.acknowledged)
        ));
    }
    let (Some(before), Some(after)) = (before, after) else {
        return Verification {
            compared: "sent with acknowledged; the target has no counts of its own".to_owned(),
            grown: None,
            problems,
        };
    };
    let growth = after.growth(before);
    let grown = growth.values().sum::<i128>();
    if grown < i128::from(report.acknowledged) {
        problems.push(format!(
            "the target acknowledged {} events and grew by {grown}",
            human::count(report.acknowledged)
        ));
    }
    // In an interrupted run it is not known which partition the last events went to.
    if report.tally.copied() == report.sent {
        for (partition, copied) in by_target(plan, report) {
            let grown = growth.get(&partition).copied().unwrap_or_default();
            if grown < i128::from(copied) {
                problems.push(format!(
                    "partition {partition} was sent {} events and grew by {grown}",
                    human::count(copied)
                ));
            }
        }
    }
    Verification {
        compared: "sent with acknowledged, and with the target's own count before and after"
            .to_owned(),
        grown: u64::try_from(grown).ok(),
        problems,
    }
}

/// What each partition of the target got, where the plan says which one.
fn by_target(plan: &Plan, report: &Report) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    for row in &report.tally.partitions {
        let partition = match plan.partitions {
            PartitionPolicy::Same => row.partition,
            PartitionPolicy::Fixed(partition) => partition,
            PartitionPolicy::Key => continue,
        };
        *counts.entry(partition).or_default() += row.copied;
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::replay::Tally;
    use crate::replay::fake::plan;

    fn state(counts: &[(u32, u64)]) -> TargetState {
        TargetState {
            counts: counts.iter().copied().collect(),
        }
    }

    fn report(copied: &[u64], sent: u64, in_doubt: u64, acknowledged: u64) -> Report {
        let mut tally = Tally::default();
        for (partition, &copied) in (0..).zip(copied) {
            let row = tally.row(0, &"orders".into(), partition);
            tally.partitions[row].copied = copied;
        }
        Report {
            plan: String::new(),
            tally,
            sent,
            in_doubt,
            acknowledged,
            elapsed: Duration::ZERO,
            paused: Duration::ZERO,
            late: None,
            failure: None,
            overall: None,
            promise: Report::AT_LEAST_ONCE,
        }
    }

    fn problems(report: &Report, before: &[(u32, u64)], after: &[(u32, u64)]) -> usize {
        let (before, after) = (state(before), state(after));
        let found = verify(&plan(), report, Some(&before), Some(&after));
        found.problems.len()
    }

    #[test]
    fn a_target_that_grew_enough_is_good_whoever_else_wrote() {
        let done = report(&[2, 1], 3, 0, 3);
        assert_eq!(problems(&done, &[(0, 5), (1, 0)], &[(0, 7), (1, 1)]), 0);
        assert_eq!(problems(&done, &[(0, 5), (1, 0)], &[(0, 90), (1, 1)]), 0);
        assert_eq!(problems(&done, &[], &[(0, 2), (1, 1)]), 0);
    }

    #[test]
    fn what_is_missing_is_told_in_all_and_by_partition() {
        let done = report(&[2, 1], 3, 0, 3);
        assert_eq!(problems(&done, &[(0, 5), (1, 0)], &[(0, 7), (1, 0)]), 2);
        // Enough in all, but in the wrong place.
        assert_eq!(problems(&done, &[(0, 5), (1, 0)], &[(0, 8), (1, 0)]), 1);
        // Made anew meanwhile.
        assert_eq!(problems(&done, &[(0, 5), (1, 5)], &[(0, 2), (1, 1)]), 3);
    }

    #[test]
    fn an_acknowledgement_that_does_not_fit_is_a_problem() {
        let none = |report| verify(&plan(), &report, None, None).problems.len();
        assert_eq!(none(report(&[3], 3, 0, 3)), 0);
        assert_eq!(none(report(&[3], 3, 0, 2)), 1);
        assert_eq!(none(report(&[3], 1, 2, 2)), 0);
        assert_eq!(none(report(&[3], 1, 1, 3)), 1);
    }
}
