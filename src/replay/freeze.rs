//! Makes a plan: asks both sides what the plan needs to know, fills in the defaults, and refuses
//! what cannot work before anything is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::plan::{Guards, PartitionPolicy, Plan, PlanSource, PlanTarget, TimestampPolicy};
use super::{Pace, Place, guard};
use crate::broker::{
    Address, Broker, Error, ErrorKind, NewTopic, PartitionRange, Result, TopicSelector,
};

/// A source, opened and resolved.
pub struct From<'a> {
    pub address: &'a Address,
    pub broker: &'a dyn Broker,
    pub ranges: Vec<PartitionRange>,
}

/// A target, opened.
pub struct To<'a> {
    pub address: &'a Address,
    pub broker: &'a dyn Broker,
    pub create: Create,
    pub overwrite: bool,
}

/// What to do when the target topic is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    Never,
    /// With as many partitions as the source has.
    LikeSource,
    Partitions(u32),
}

/// The rest of what the user asked for.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// The selection as written: `--where '.amount > 500'`.
    pub selection: Vec<String>,
    /// `None`: the same partition when the counts are equal, else by key.
    pub partitions: Option<PartitionPolicy>,
    pub timestamps: TimestampPolicy,
    pub provenance: bool,
    pub pace: Pace,
    pub guards: Guards,
}

/// Makes the plan. The sources' order is the one in which the run reads them.
pub async fn freeze(from: &[From<'_>], to: &To<'_>, how: How) -> Result<Plan> {
    let sources = sources(from).await?;
    let counts = Counts::of(from).await?;
    let target = target(to, &counts).await?;
    let equal = target.partitions.is_none_or(|n| counts.all_are(n));
    let plan = Plan {
        sources,
        selection: how.selection,
        partitions: how.partitions.unwrap_or(if equal {
            PartitionPolicy::Same
        } else {
            PartitionPolicy::Key
        }),
        target,
        timestamps: how.timestamps,
        provenance: how.provenance,
        pace: how.pace,
        guards: how.guards,
    };
    guard::frozen(&plan)?;
    check_overlap(&plan)?;
    check_partitions(&plan)?;
    check_capabilities(&plan, to.broker)?;
    Ok(plan)
}

/// Creates the target topic when the plan says so.
pub async fn create_target(plan: &Plan, broker: &dyn Broker) -> Result<()> {
    let (true, Some(topic), Some(partitions)) = (
        plan.target.create,
        &plan.target.topic,
        plan.target.partitions,
    ) else {
        return Ok(());
    };
    let topic = NewTopic {
        name: topic.to_string(),
        partitions,
        config: Vec::new(),
    };
    broker.create_topic(&topic).await
}

async fn sources(from: &[From<'_>]) -> Result<Vec<PlanSource>> {
    let mut sources = Vec::with_capacity(from.len());
    for one in from {
        let place = Place::new(one.address.clone(), one.broker.cluster().await?);
        sources.push(PlanSource {
            name: place.name(),
            place,
            ranges: one.ranges.clone(),
        });
    }
    // Two files of one name in two folders are told apart by their paths.
    let names: Vec<String> = sources.iter().map(|s| s.name.clone()).collect();
    for source in &mut sources {
        if names.iter().filter(|n| **n == source.name).count() > 1 {
            source.name = source.place.long_name();
        }
    }
    Ok(sources)
}

/// How many partitions the topics that are read have in all, read or not.
struct Counts(BTreeSet<u32>);

impl Counts {
    async fn of(from: &[From<'_>]) -> Result<Self> {
        let mut counts = BTreeSet::new();
        for one in from {
            let topics: BTreeSet<&Arc<str>> = one.ranges.iter().map(|r| &r.topic).collect();
            for topic in topics {
                let found = one.broker.topics(&TopicSelector::one(topic)).await?;
                counts.extend(found.iter().map(|t| t.partitions.len() as u32));
            }
        }
        Ok(Self(counts))
    }

    fn all_are(&self, count: u32) -> bool {
        self.0.len() == 1 && self.0.contains(&count)
    }

    fn most(&self) -> u32 {
        self.0.last().copied().unwrap_or(1).max(1)
    }
}

async fn target(to: &To<'_>, counts: &Counts) -> Result<PlanTarget> {
    let topic = guard::target_topic(to.address)?;
    let place = Place::new(to.address.clone(), to.broker.cluster().await?);
    let (partitions, create) = match &topic {
        None => (None, false),
        Some(topic) => {
            let (count, create) = target_partitions(to, topic, counts).await?;
            (Some(count), create)
        }
    };
    Ok(PlanTarget {
        place,
        topic,
        partitions,
        create,
        overwrite: to.overwrite,
    })
}

/// How many partitions the target has, or will have when it is created.
async fn target_partitions(to: &To<'_>, topic: &str, counts: &Counts) -> Result<(u32, bool)> {
    let missing = match to.broker.topics(&TopicSelector::one(topic)).await {
        Ok(found) => match found.iter().find(|t| &*t.name == topic) {
            Some(found) => {
                let there = found.partitions.len() as u32;
                return match to.create {
                    Create::Partitions(asked) if asked != there => Err(Error::new(
                        ErrorKind::Usage,
                        format!("{topic} is there already, with {there} partitions"),
                    )
                    .hint("leave --create-topic out, or name another topic")),
                    _ => Ok((there, false)),
                };
            }
            None => Error::new(ErrorKind::MissingTopic, format!("no topic {topic}")),
        },
        Err(error) if error.kind == ErrorKind::MissingTopic => error,
        Err(error) => return Err(error),
    };
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
    Ok((if can.partitions { count } else { 1 }, true))
}

/// An event that is read twice would be written twice.
fn check_overlap(plan: &Plan) -> Result<()> {
    let mut all: Vec<(&str, &PartitionRange)> = plan
        .sources
        .iter()
        .flat_map(|s| s.ranges.iter().map(|r| (s.name.as_str(), r)))
        .filter(|(_, r)| r.start < r.end)
        .collect();
    all.sort_by(|(a, x), (b, y)| {
        (a, &x.topic, x.partition, x.start).cmp(&(b, &y.topic, y.partition, y.start))
    });
    let twice = all.windows(2).find(|pair| {
        let ((a, x), (b, y)) = (pair[0], pair[1]);
        a == b && x.topic == y.topic && x.partition == y.partition && y.start < x.end
    });
    match twice {
        None => Ok(()),
        Some(pair) => {
            let (name, range) = pair[1];
            Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "{name}/{}/{} is read by two sources: its events would be written twice",
                    range.topic, range.partition
                ),
            )
            .hint("name each source once"))
        }
    }
}

fn check_partitions(plan: &Plan) -> Result<()> {
    let (Some(count), Some(topic)) = (plan.target.partitions, &plan.target.topic) else {
        return Ok(());
    };
    let wrong = match plan.partitions {
        PartitionPolicy::Key => None,
        PartitionPolicy::Fixed(partition) => (partition >= count).then_some(partition),
        PartitionPolicy::Same => plan
            .sources
            .iter()
            .flat_map(|s| &s.ranges)
            .map(|r| r.partition)
            .find(|partition| *partition >= count),
    };
    match wrong {
        None => Ok(()),
        Some(partition) => Err(Error::new(
            ErrorKind::Usage,
            format!("{topic} has no partition {partition}: it has {count}, counted from 0"),
        )
        .hint("let the key choose with --partitions key, or name one that is there")),
    }
}

fn check_capabilities(plan: &Plan, broker: &dyn Broker) -> Result<()> {
    let can = broker.capabilities();
    let unsupported = |what: &str, hint: &str| {
        Err(Error::new(ErrorKind::Unsupported, format!("{} {what}", can.adapter)).hint(hint))
    };
    if !can.write {
        return unsupported(
            "cannot be written to",
            "`evtap brokers` shows which adapters can",
        );
    }
    if plan.timestamps != TimestampPolicy::Now && !can.keeps_timestamp {
        return unsupported(
            "gives every event its own timestamp",
            "leave --timestamps out: the original goes into the header evtap-time",
        );
    }
    if plan.provenance && !can.headers {
        return unsupported(
            "has no headers to write the provenance into",
            "give --no-provenance",
        );
    }
    Ok(())
}
