//! Makes a plan: asks both sides what the plan needs to know, fills in the defaults, and refuses
//! what cannot work before anything is read. What becomes of the target is `target`'s.

mod target;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alter::{Alterations, Means};
use super::holds::Holds;
use super::plan::{Guards, PartitionPolicy, Plan, PlanSelection, PlanSource, TimestampPolicy};
use super::{Pace, Place, feasible, guard};
use crate::broker::{Address, Broker, PartitionRange, Result, TopicInfo, TopicSelector};
use crate::event::Timestamp;
use crate::pipeline::Reading;

pub use self::target::create_target;
pub(super) use self::target::find;
use self::target::target;

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
    /// What the alterations go by: without it, plain decoding.
    pub means: Means,
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
        schemas: Vec::new(),
    };
    plan.alterations.check()?;
    guard::frozen(&plan)?;
    feasible::check(&plan, to.broker.capabilities())?;
    Ok(plan)
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
pub(super) fn typed(shown: &str, resolved: &Address) -> Address {
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

#[cfg(test)]
mod tests;
