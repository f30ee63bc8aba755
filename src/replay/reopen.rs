//! A plan that was made before, once its brokers are opened again: the read of its ranges, and the
//! job of what is left, or of all of it to be compared. Opening, and asking a person, are the front ends'.

use std::sync::Arc;

use super::alter::Means;
use super::plan::{Again, same_brokers, same_schemas, still_holds};
use super::{Destination, Job, Plan, guard};
use crate::broker::{
    Address, Broker, Error, ErrorKind, Notices, PartitionRange, Range, Result, Subscription,
};
use crate::pipeline::{Input, Limits, Reading};
use crate::query::Query;

/// A source of a plan, opened again.
pub struct Reopened {
    /// With its context resolved.
    pub address: Address,
    /// As the plan has it.
    pub shown: String,
    pub broker: Arc<dyn Broker>,
}

/// With what a plan's sources are read.
pub struct Manner {
    /// The plan's selection, compiled.
    pub query: Arc<Query>,
    /// Bytes that all sources together may hold.
    pub memory: usize,
    pub notices: Notices,
}

/// What may be another than when the plan was made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accept {
    /// What retention has taken of the ranges meanwhile is left out.
    pub gap: bool,
    /// What is selected, changed and judged goes by the schemas that are there now.
    pub schemas: bool,
}

/// The read of a plan's sources, in their order. Its ranges are put in by [`Job::again`]. A plan of
/// more than 65,536 sources is refused.
fn reading(plan: &Plan, sources: Vec<Reopened>, manner: &Manner) -> Result<Reading> {
    let memory = manner.memory / sources.len().max(1);
    let mut inputs = Vec::with_capacity(sources.len());
    for (index, source) in sources.into_iter().enumerate() {
        let sub = Subscription {
            topics: source.address.topics(),
            partitions: Vec::new(),
            range: Range::Frozen(Vec::new()),
            follow: false,
            select: manner.query.clone(),
            memory,
            raw: false,
            notices: manner.notices.clone(),
        };
        inputs.push(Input {
            address: source.address,
            shown: source.shown,
            broker: source.broker,
            sub,
            origin: u16::try_from(index)
                .map_err(|_| Error::new(ErrorKind::Usage, "the plan has too many sources"))?,
        });
    }
    Ok(Reading {
        query: manner.query.clone(),
        inputs,
        limits: Limits {
            events: plan.selection.limit,
            ..Limits::default()
        },
        last: plan.selection.last,
        follow: false,
    })
}

impl Job {
    /// Asks both sides whether the plan still holds, and makes the job of what is left of it.
    /// Writes nothing.
    pub async fn reopen(
        plan: Plan,
        sources: Vec<Reopened>,
        to: Destination,
        means: Means,
        (manner, accept): (&Manner, Accept),
    ) -> Result<Self> {
        guard::existing_file(&to.address, plan.target.overwrite)?;
        let (from, onto) = both(&sources, &to);
        let ranges = still_holds(&plan, &from, &onto, accept.gap).await?;
        if !accept.schemas {
            same_schemas(&plan, &means).await?;
        }
        Self::of_ranges(plan, ranges, sources, to, means, manner)
    }

    /// The job of all of the plan, to be compared only: both sides are asked for nothing but which
    /// brokers they are.
    pub async fn reopen_to_compare(
        plan: Plan,
        sources: Vec<Reopened>,
        to: Destination,
        means: Means,
        manner: &Manner,
    ) -> Result<Self> {
        let (from, onto) = both(&sources, &to);
        same_brokers(&plan, &from, &onto).await?;
        let ranges = plan.sources.iter().map(|s| s.ranges.clone()).collect();
        Self::of_ranges(plan, ranges, sources, to, means, manner)
    }

    fn of_ranges(
        plan: Plan,
        ranges: Vec<Vec<PartitionRange>>,
        sources: Vec<Reopened>,
        to: Destination,
        means: Means,
        manner: &Manner,
    ) -> Result<Self> {
        let reading = reading(&plan, sources, manner)?;
        let mut job = Self::again(reading, to, plan, ranges);
        job.equip(means)?;
        Ok(job)
    }
}

/// The sources and the target, as a plan asks them.
fn both<'a>(sources: &'a [Reopened], to: &'a Destination) -> (Vec<Again<'a>>, Again<'a>) {
    let again = |source: &'a Reopened| Again {
        address: &source.address,
        broker: &*source.broker,
    };
    let target = Again {
        address: &to.address,
        broker: &*to.broker,
    };
    (sources.iter().map(again).collect(), target)
}
