//! The target of a plan: what is there, what is to be made, and the making of it.

use super::{Counts, Create, To, typed};
use crate::broker::topic::PartitionInfo;
use crate::broker::{Broker, Error, ErrorKind, NewTopic, Result, TopicInfo, TopicSelector};
use crate::replay::plan::{PartitionEnd, Plan, PlanTarget};
use crate::replay::{Place, guard};

pub(super) async fn target(to: &To<'_>, counts: &Counts) -> Result<PlanTarget> {
    let topic = guard::target_topic(to.address)?;
    let place = Place::new(to.address.clone(), to.broker.cluster().await?);
    let mut target = PlanTarget {
        address: typed(to.shown, to.address),
        place,
        topic,
        partitions: None,
        create: false,
        overwrite: to.overwrite,
        ends: Vec::new(),
    };
    let Some(topic) = &target.topic else {
        return Ok(target);
    };
    match find(to.broker, topic).await? {
        Ok(there) => {
            target.partitions = Some(count_there(to, &there)?);
            target.ends = ends(&there);
        }
        Err(missing) => {
            target.partitions = Some(count_made(to, topic, counts, &missing)?);
            target.create = true;
        }
    }
    Ok(target)
}

/// The topic, or that it is missing.
pub(in crate::replay) async fn find(broker: &dyn Broker, topic: &str) -> Result<Result<TopicInfo>> {
    match broker.topics(&TopicSelector::one(topic)).await {
        Ok(found) => {
            let found = found.into_iter().find(|t| &*t.name == topic);
            Ok(found
                .ok_or_else(|| Error::new(ErrorKind::MissingTopic, format!("no topic {topic}"))))
        }
        Err(error) if error.kind == ErrorKind::MissingTopic => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

/// Where the partitions of a topic end now.
fn ends(topic: &TopicInfo) -> Vec<PartitionEnd> {
    let end = |p: &PartitionInfo| PartitionEnd {
        partition: p.partition,
        style: topic.style,
        end: p.end,
    };
    topic.partitions.iter().map(end).collect()
}

/// How many partitions the target has.
fn count_there(to: &To<'_>, topic: &TopicInfo) -> Result<u32> {
    let there = topic.partitions.len() as u32;
    match to.create {
        Create::Partitions(asked) if asked != there => Err(Error::new(
            ErrorKind::Usage,
            format!("{} is there already, with {there} partitions", topic.name),
        )
        .hint("leave --create-topic out, or name another topic")),
        _ => Ok(there),
    }
}

/// How many partitions the target will have when it is created.
fn count_made(to: &To<'_>, topic: &str, counts: &Counts, missing: &Error) -> Result<u32> {
    let count = match to.create {
        Create::Never => {
            return Err(Error::new(
                ErrorKind::MissingTopic,
                format!("the target does not exist: {}", missing.message),
            )
            .hint("give --create-topic to make it, by default with the source's partitions"));
        }
        Create::LikeSource => counts.most(),
        Create::Partitions(0) => {
            return Err(Error::new(
                ErrorKind::Usage,
                "a topic has at least one partition",
            ));
        }
        Create::Partitions(count) => count,
    };
    let can = to.broker.capabilities();
    if !can.create_topics {
        return Err(Error::unsupported(
            can.adapter,
            &format!("cannot create topics (topic {topic})"),
        ));
    }
    Ok(if can.partitions { count } else { 1 })
}

/// Creates the target topic when the plan says so and it is not there yet: a plan that is applied
/// again finds what it made.
pub async fn create_target(plan: &Plan, broker: &dyn Broker) -> Result<()> {
    let (true, Some(topic), Some(partitions)) = (
        plan.target.create,
        &plan.target.topic,
        plan.target.partitions,
    ) else {
        return Ok(());
    };
    if find(broker, topic).await?.is_ok() {
        return Ok(());
    }
    let topic = NewTopic {
        name: topic.to_string(),
        partitions,
        config: Vec::new(),
    };
    let Err(error) = broker.create_topic(&topic).await else {
        return Ok(());
    };
    // Another host on the same plan may have been quicker.
    let found = broker.topics(&TopicSelector::one(&topic.name)).await;
    let there = found.is_ok_and(|found| {
        let mut same = found.iter().filter(|t| *t.name == *topic.name);
        same.any(|t| t.partitions.len() == partitions as usize)
    });
    if there { Ok(()) } else { Err(error) }
}
