//! Whether a plan from a file still fits what it was made for. Asked before anything is written,
//! and answered by a refusal that names the guard.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Plan, PlanTarget};
use crate::broker::{
    Address, Broker, Error, ErrorKind, PartitionRange, Result, TopicInfo, TopicSelector,
};
use crate::replay::freeze::find;
use crate::replay::guard::refused;
use crate::replay::{Place, feasible, guard};

/// One side of a plan, opened again.
pub struct Again<'a> {
    /// With its context resolved.
    pub address: &'a Address,
    pub broker: &'a dyn Broker,
}

/// Asks both sides. Gives the ranges to read, one list a source: the plan's own, and with
/// `accept_gap` without what retention has taken from their starts.
pub async fn still_holds(
    plan: &Plan,
    sources: &[Again<'_>],
    target: &Again<'_>,
    accept_gap: bool,
) -> Result<Vec<Vec<PartitionRange>>> {
    if plan.sources.iter().any(|s| s.address == Address::Stdin) {
        return Err(Error::new(
            ErrorKind::Usage,
            "the plan reads standard input, which came once",
        )
        .hint("keep the events in a file, and replay that"));
    }
    let mut all = Vec::with_capacity(sources.len());
    for (planned, now) in plan.sources.iter().zip(sources) {
        same_broker(&planned.place, &planned.address, now).await?;
        all.push(ranges(&planned.ranges, now, accept_gap).await?);
    }
    same_broker(&plan.target.place, &plan.target.address, target).await?;
    same_target(&plan.target, target.broker).await?;
    guard::frozen(plan)?;
    feasible::check(plan, target.broker.capabilities())?;
    Ok(all)
}

/// As [`still_holds`], of nothing but which brokers they are: for who only looks.
pub async fn same_brokers(plan: &Plan, sources: &[Again<'_>], target: &Again<'_>) -> Result<()> {
    for (planned, now) in plan.sources.iter().zip(sources) {
        same_broker(&planned.place, &planned.address, now).await?;
    }
    same_broker(&plan.target.place, &plan.target.address, target).await
}

/// By the cluster's own name where it has one, else by the address. Files are where their path is.
async fn same_broker(planned: &Place, typed: &Address, now: &Again<'_>) -> Result<()> {
    if planned.is_file() {
        return Ok(());
    }
    let here = Place::new(now.address.clone(), now.broker.cluster().await?);
    let same = match &planned.cluster {
        Some(_) => here.cluster == planned.cluster,
        None => here.is_same(planned),
    };
    if same {
        return Ok(());
    }
    Err(refused(
        "cluster",
        &format!(
            "{typed} is {} now, and was {} when the plan was made",
            here.shown(),
            planned.shown()
        ),
        "apply it where it was made for, or make the plan anew",
    ))
}

/// What is left of the ranges of one source.
async fn ranges(
    planned: &[PartitionRange],
    now: &Again<'_>,
    accept_gap: bool,
) -> Result<Vec<PartitionRange>> {
    let mut topics: BTreeMap<&Arc<str>, TopicInfo> = BTreeMap::new();
    let mut left = Vec::with_capacity(planned.len());
    for range in planned {
        if !topics.contains_key(&range.topic) {
            let found = now.broker.topics(&TopicSelector::one(&range.topic)).await?;
            let found = found.into_iter().find(|t| t.name == range.topic);
            let found = found.ok_or_else(|| {
                Error::new(
                    ErrorKind::MissingTopic,
                    format!("no topic {} any more", range.topic),
                )
            })?;
            topics.insert(&range.topic, found);
        }
        if let Some(topic) = topics.get(&range.topic) {
            left.push(range_left(range, topic, accept_gap)?);
        }
    }
    Ok(left)
}

fn range_left(
    range: &PartitionRange,
    topic: &TopicInfo,
    accept_gap: bool,
) -> Result<PartitionRange> {
    let at = format!("{}/{}", range.topic, range.partition);
    let mut left = range.clone();
    let Some(there) = topic
        .partitions
        .iter()
        .find(|p| p.partition == range.partition)
    else {
        return Err(refused(
            "source partitions",
            &format!("the plan reads {at}, which is not there any more"),
            "make the plan anew",
        ));
    };
    if range.start == range.end {
        return Ok(left);
    }
    if range.end > there.end {
        return Err(refused(
            "source end",
            &format!(
                "the plan reads {at} up to {}, and it ends at {}: it was made anew or cut",
                range.end.display(range.style),
                there.end.display(topic.style)
            ),
            "make the plan anew",
        ));
    }
    if range.start < there.first {
        if !accept_gap {
            return Err(refused(
                "gap",
                &format!(
                    "the plan reads {at} from {}, and it begins at {}: what stood before is gone",
                    range.start.display(range.style),
                    there.first.display(topic.style)
                ),
                "give --accept-gap to replay what is left, or make the plan anew",
            ));
        }
        left.start = there.first.min(range.end);
    }
    Ok(left)
}

/// The target has the partitions that it had, and still holds what it held.
async fn same_target(planned: &PlanTarget, broker: &dyn Broker) -> Result<()> {
    let Some(topic) = &planned.topic else {
        return Ok(());
    };
    let there = match find(broker, topic).await? {
        Ok(there) => there,
        Err(_) if planned.create => return Ok(()),
        Err(missing) => return Err(missing),
    };
    let count = there.partitions.len() as u32;
    if let Some(had) = planned.partitions
        && had != count
    {
        return Err(refused(
            "target partitions",
            &format!("{topic} has {count} partitions, and the plan was made for {had}"),
            "make the plan anew",
        ));
    }
    for partition in &there.partitions {
        let had = planned.end_of(partition.partition);
        if partition.end < had {
            return Err(refused(
                "target end",
                &format!(
                    "{topic}/{} ends at {}, and ended at {} when the plan was made: it was made \
                     anew",
                    partition.partition,
                    partition.end.display(there.style),
                    had.display(there.style)
                ),
                "make the plan anew",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Position, PositionStyle};
    use crate::replay::PartitionEnd;
    use crate::replay::fake::plan;
    use crate::replay::fake_broker::FakeBroker;

    /// The fake's partitions hold `[0, 10)`.
    fn small() -> Plan {
        let mut plan = plan();
        for range in &mut plan.sources[0].ranges {
            range.end = Position::offset(10);
        }
        plan
    }

    fn broker() -> FakeBroker {
        FakeBroker::new(&[("orders", 2), ("copy", 2)])
    }

    async fn asked(
        plan: &Plan,
        source: &FakeBroker,
        target: &FakeBroker,
        accept_gap: bool,
    ) -> Result<Vec<Vec<PartitionRange>>> {
        let (from, to) = (
            Address::parse("kafka://h:9092/orders").unwrap(),
            Address::parse("kafka://t:9092/copy").unwrap(),
        );
        let source = Again {
            address: &from,
            broker: source,
        };
        let target = Again {
            address: &to,
            broker: target,
        };
        still_holds(plan, &[source], &target, accept_gap).await
    }

    async fn guard_of(plan: &Plan, source: &FakeBroker, target: &FakeBroker) -> String {
        let error = asked(plan, source, target, false).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.hint.is_some(), "{error}");
        let named = error.message.strip_prefix("guard ").unwrap();
        named.split(':').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn what_is_as_it_was_is_read_as_planned() {
        let plan = small();
        let left = asked(&plan, &broker(), &broker(), false).await.unwrap();
        assert_eq!(left[0], plan.sources[0].ranges);
    }

    #[tokio::test]
    async fn another_cluster_is_refused_on_either_side() {
        let mut plan = small();
        plan.sources[0].place.cluster = Some("c1".into());
        let mut here = broker();
        assert_eq!(guard_of(&plan, &here, &broker()).await, "cluster");
        here.cluster = Some("c2".into());
        assert_eq!(guard_of(&plan, &here, &broker()).await, "cluster");
        here.cluster = Some("c1".into());
        assert!(asked(&plan, &here, &broker(), false).await.is_ok());
        plan.target.place = Place::new(Address::parse("kafka://other").unwrap(), None);
        assert_eq!(guard_of(&plan, &here, &broker()).await, "cluster");
    }

    #[tokio::test]
    async fn a_source_that_lost_what_is_planned_is_refused() {
        let mut plan = small();
        let one = FakeBroker::new(&[("orders", 1)]);
        assert_eq!(guard_of(&plan, &one, &broker()).await, "source partitions");
        plan.sources[0].ranges[1].end = Position::offset(11);
        assert_eq!(guard_of(&plan, &broker(), &broker()).await, "source end");
        let gone = FakeBroker::new(&[]);
        let error = asked(&plan, &gone, &broker(), true).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::MissingTopic);
    }

    #[tokio::test]
    async fn a_start_that_retention_has_passed_is_a_gap() {
        let plan = small();
        let mut cut = broker();
        cut.first = 4;
        assert_eq!(guard_of(&plan, &cut, &broker()).await, "gap");
        let left = asked(&plan, &cut, &broker(), true).await.unwrap();
        assert!(left[0].iter().all(|r| r.start == Position::offset(4)));
        // An empty range misses nothing.
        let mut empty = plan.clone();
        for range in &mut empty.sources[0].ranges {
            range.end = range.start;
        }
        assert!(asked(&empty, &cut, &broker(), false).await.is_ok());
    }

    #[tokio::test]
    async fn a_target_that_is_not_what_it_was_is_refused() {
        let mut plan = small();
        let wide = FakeBroker::new(&[("orders", 2), ("copy", 3)]);
        assert_eq!(guard_of(&plan, &broker(), &wide).await, "target partitions");
        let missing = FakeBroker::new(&[("orders", 2)]);
        let error = asked(&plan, &broker(), &missing, false).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::MissingTopic);
        // What the plan makes may be missing, and may be there.
        plan.target.create = true;
        assert!(asked(&plan, &broker(), &missing, false).await.is_ok());
        assert!(asked(&plan, &broker(), &broker(), false).await.is_ok());
        plan.target.ends = vec![PartitionEnd {
            partition: 1,
            style: PositionStyle::Offset,
            end: Position::offset(11),
        }];
        assert_eq!(guard_of(&plan, &broker(), &broker()).await, "target end");
    }
}
