//! Makes a plan: asks both sides what the plan needs to know, fills in the defaults, and refuses
//! what cannot work before anything is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alter::Alterations;
use super::holds::Holds;
use super::plan::{
    Guards, PartitionEnd, PartitionPolicy, Plan, PlanSelection, PlanSource, PlanTarget,
    TimestampPolicy,
};
use super::{Pace, Place, feasible, guard};
use crate::broker::topic::PartitionInfo;
use crate::broker::{
    Address, Broker, Error, ErrorKind, NewTopic, PartitionRange, Result, TopicInfo, TopicSelector,
};
use crate::event::Timestamp;
use crate::pipeline::Reading;

/// A source, opened and resolved.
pub struct From<'a> {
    /// With its context resolved.
    pub address: &'a Address,
    /// As the user typed it, secrets hidden.
    pub shown: &'a str,
    pub broker: &'a dyn Broker,
    pub ranges: Vec<PartitionRange>,
}

impl<'a> From<'a> {
    /// The sources of a reading, with what was resolved of each.
    pub(super) fn all(reading: &'a Reading, ranges: Vec<Vec<PartitionRange>>) -> Vec<Self> {
        let inputs = reading.inputs.iter().zip(ranges);
        inputs
            .map(|(input, ranges)| Self {
                address: &input.address,
                shown: &input.shown,
                broker: &*input.broker,
                ranges,
            })
            .collect()
    }
}

/// A target, opened.
pub struct To<'a> {
    /// With its context resolved.
    pub address: &'a Address,
    /// As the user typed it, secrets hidden.
    pub shown: &'a str,
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
    /// The moment of planning.
    pub made: Timestamp,
    pub selection: PlanSelection,
    /// `None`: the same partition when the counts are equal, else by key.
    pub partitions: Option<PartitionPolicy>,
    pub timestamps: TimestampPolicy,
    pub provenance: bool,
    pub pace: Pace,
    pub guards: Guards,
    pub holds: Holds,
    pub alterations: Alterations,
}

/// Makes the plan. The sources' order is the one in which the run reads them.
pub async fn freeze(from: &[From<'_>], to: &To<'_>, how: How) -> Result<Plan> {
    let sources = sources(from).await?;
    let counts = Counts::of(from).await?;
    let target = target(to, &counts).await?;
    let equal = target.partitions.is_none_or(|n| counts.all_are(n));
    let plan = Plan {
        made: how.made,
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
        holds: how.holds,
        alterations: how.alterations,
    };
    plan.alterations.check()?;
    guard::frozen(&plan)?;
    feasible::check(&plan, to.broker.capabilities())?;
    Ok(plan)
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

pub(super) async fn sources(from: &[From<'_>]) -> Result<Vec<PlanSource>> {
    let mut sources = Vec::with_capacity(from.len());
    for one in from {
        let place = Place::new(one.address.clone(), one.broker.cluster().await?);
        sources.push(PlanSource {
            address: typed(one.shown, one.address),
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

/// What a plan keeps of what was typed. A file is kept by its whole path, so that the plan can be
/// applied from another folder.
fn typed(shown: &str, resolved: &Address) -> Address {
    let typed = Address::parse(shown).unwrap_or_else(|_| resolved.clone());
    match typed.without_secrets() {
        Address::File { path } => Address::File {
            path: std::path::absolute(&path).unwrap_or(path),
        },
        other => other,
    }
}

/// How many partitions the topics that are read have in all, read or not. A capture knows only
/// those with events: there it is as many as the highest number asks for.
struct Counts(BTreeSet<u32>);

impl Counts {
    async fn of(from: &[From<'_>]) -> Result<Self> {
        let mut counts = BTreeSet::new();
        for one in from {
            let topics: BTreeSet<&Arc<str>> = one.ranges.iter().map(|r| &r.topic).collect();
            for topic in topics {
                let found = one.broker.topics(&TopicSelector::one(topic)).await?;
                counts.extend(found.iter().map(count));
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

fn count(topic: &TopicInfo) -> u32 {
    let numbers = topic.partitions.iter().map(|p| p.partition);
    numbers.max().map_or(0, |highest| highest.saturating_add(1))
}

async fn target(to: &To<'_>, counts: &Counts) -> Result<PlanTarget> {
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
pub(super) async fn find(broker: &dyn Broker, topic: &str) -> Result<Result<TopicInfo>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Position, PositionStyle};
    use crate::replay::TargetState;
    use crate::replay::fake_broker::FakeBroker;

    struct Case {
        source: FakeBroker,
        target: FakeBroker,
        from: &'static str,
        to: &'static str,
        /// Partitions of `orders` that are read.
        read: u32,
        create: Create,
        how: How,
    }

    /// `orders` with three partitions, to `copy` with three.
    fn case() -> Case {
        Case {
            source: FakeBroker::new(&[("orders", 3)]),
            target: FakeBroker::new(&[("copy", 3), ("small", 2)]),
            from: "kafka://h/orders",
            to: "kafka://t/copy",
            read: 3,
            create: Create::Never,
            how: How {
                provenance: true,
                ..How::default()
            },
        }
    }

    fn ranges(partitions: u32) -> Vec<PartitionRange> {
        (0..partitions)
            .map(|partition| PartitionRange {
                topic: "orders".into(),
                partition,
                style: PositionStyle::Offset,
                start: Position::ZERO,
                end: Position::offset(5),
            })
            .collect()
    }

    impl Case {
        async fn freeze(&self) -> Result<Plan> {
            let from = Address::parse(self.from).unwrap();
            let from = [From {
                address: &from,
                shown: self.from,
                broker: &self.source,
                ranges: ranges(self.read),
            }];
            let to = To {
                address: &Address::parse(self.to).unwrap(),
                shown: self.to,
                broker: &self.target,
                create: self.create,
                overwrite: false,
            };
            freeze(&from, &to, self.how.clone()).await
        }

        async fn refused(&self) -> (ErrorKind, String) {
            let error = self.freeze().await.unwrap_err();
            assert!(error.hint.is_some(), "{error}");
            (error.kind, error.message)
        }
    }

    #[tokio::test]
    async fn partitions_stay_when_the_counts_are_equal_else_the_key_decides() {
        let mut case = case();
        let plan = case.freeze().await.unwrap();
        assert_eq!(plan.partitions, PartitionPolicy::Same);
        // Equal is meant of the topics, not of what is read of them.
        case.read = 2;
        assert_eq!(
            case.freeze().await.unwrap().partitions,
            PartitionPolicy::Same
        );
        case.to = "kafka://t/small";
        assert_eq!(
            case.freeze().await.unwrap().partitions,
            PartitionPolicy::Key
        );
        case.to = "out.mcap";
        let plan = case.freeze().await.unwrap();
        assert_eq!(
            (plan.partitions, plan.target.topic),
            (PartitionPolicy::Same, None)
        );
    }

    #[tokio::test]
    async fn a_partition_that_the_target_lacks_is_refused() {
        let mut case = case();
        case.to = "kafka://t/small";
        case.how.partitions = Some(PartitionPolicy::Same);
        let (kind, message) = case.refused().await;
        assert_eq!(kind, ErrorKind::Usage);
        assert!(message.starts_with("small has no partition 2"), "{message}");
        case.read = 2;
        assert!(case.freeze().await.is_ok());
        case.how.partitions = Some(PartitionPolicy::Fixed(2));
        assert_eq!(case.refused().await.0, ErrorKind::Usage);
    }

    #[tokio::test]
    async fn a_missing_target_is_refused_unless_it_is_to_be_created() {
        let mut case = case();
        case.to = "kafka://t/new";
        assert_eq!(case.refused().await.0, ErrorKind::MissingTopic);
        case.create = Create::LikeSource;
        let plan = case.freeze().await.unwrap();
        assert_eq!(
            (plan.target.partitions, plan.target.create),
            (Some(3), true)
        );
        assert_eq!(case.target.topics.lock().unwrap().len(), 2);
        create_target(&plan, &case.target).await.unwrap();
        let state = TargetState::look(&plan, &case.target).await.unwrap();
        assert!(state.is_some());
        // It is there now: the same command goes on.
        assert!(!case.freeze().await.unwrap().target.create);
        case.create = Create::Partitions(7);
        assert_eq!(case.refused().await.0, ErrorKind::Usage);
        case.target.can.create_topics = false;
        case.to = "kafka://t/newer";
        assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
    }

    #[tokio::test]
    async fn an_alias_of_the_source_is_seen_through() {
        let mut case = case();
        case.target = FakeBroker::new(&[("orders", 3)]);
        case.to = "kafka://alias/orders";
        assert!(case.freeze().await.is_ok());
        case.source.cluster = Some("c1".into());
        case.target.cluster = Some("c1".into());
        let (kind, message) = case.refused().await;
        assert_eq!(kind, ErrorKind::Refused);
        assert!(message.starts_with("guard same topic"), "{message}");
        case.how.guards.allow_self = true;
        let plan = case.freeze().await.unwrap();
        assert_eq!(plan.sources[0].name, "c1");
    }

    #[tokio::test]
    async fn what_the_target_cannot_keep_is_refused() {
        let mut case = case();
        case.how.timestamps = TimestampPolicy::Keep;
        case.target.can.keeps_timestamp = false;
        assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
        case.how.timestamps = TimestampPolicy::Now;
        assert!(case.freeze().await.is_ok());
        case.target.can.headers = false;
        assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
        case.how.provenance = false;
        assert!(case.freeze().await.is_ok());
        case.target.can.write = false;
        assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
    }

    #[tokio::test]
    async fn a_partition_that_two_sources_read_is_refused() {
        let case = case();
        let address = Address::parse(case.from).unwrap();
        let from = |ranges| From {
            address: &address,
            shown: case.from,
            broker: &case.source,
            ranges,
        };
        let to = To {
            address: &Address::parse(case.to).unwrap(),
            shown: case.to,
            broker: &case.target,
            create: Create::Never,
            overwrite: false,
        };
        let twice = [from(ranges(3)), from(ranges(1))];
        let error = freeze(&twice, &to, case.how.clone()).await.unwrap_err();
        assert!(
            error.message.contains("orders/0 is read by two sources"),
            "{error}"
        );
        let mut later = ranges(1);
        later[0].start = Position::offset(5);
        later[0].end = Position::offset(9);
        let apart = [from(ranges(3)), from(later)];
        assert!(freeze(&apart, &to, case.how.clone()).await.is_ok());
    }
}
