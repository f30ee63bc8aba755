//! A plan that was made before, once its brokers are opened again: the read of its ranges, and the
//! job of what is left. Opening, and asking a person, are the front ends'.

use std::sync::Arc;

use super::alter::Means;
use super::plan::{Again, still_holds};
use super::{Destination, Job, Plan, guard};
use crate::broker::{Address, Broker, Error, ErrorKind, Notices, Range, Result, Subscription};
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

impl Reopened {
    pub fn again(&self) -> Again<'_> {
        Again {
            address: &self.address,
            broker: &*self.broker,
        }
    }
}

/// The read of a plan's sources, in their order. Its ranges are put in by [`Job::again`]. A plan of
/// more than 65,536 sources is refused.
pub fn reading(plan: &Plan, sources: Vec<Reopened>, manner: &Manner) -> Result<Reading> {
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
    /// Writes nothing. With `accept_gap` what retention has taken meanwhile is left out.
    pub async fn reopen(
        plan: Plan,
        sources: Vec<Reopened>,
        to: Destination,
        means: Means,
        (manner, accept_gap): (&Manner, bool),
    ) -> Result<Self> {
        guard::existing_file(&to.address, plan.target.overwrite)?;
        let again: Vec<Again<'_>> = sources.iter().map(Reopened::again).collect();
        let target = Again {
            address: &to.address,
            broker: &*to.broker,
        };
        let ranges = still_holds(&plan, &again, &target, accept_gap).await?;
        drop(again);
        let reading = reading(&plan, sources, manner)?;
        let mut job = Self::again(reading, to, plan, ranges);
        job.equip(means)?;
        Ok(job)
    }
}
