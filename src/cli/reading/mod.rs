//! From the selection flags to a running read: compile, open, freeze, run, sum up. Shared by every
//! command that reads.

mod newest;

use std::sync::Arc;
use std::time::Instant;

use super::args::Select;
use super::error::{Exit, Failure, Result, exit_of};
use super::position::Pos;
use super::progress::Progress;
use super::session::{Opened, Session};
use crate::broker::{Capabilities, PartitionRange, Range, Source, Subscription};
use crate::event::Timestamp;
use crate::pipeline::{self, Consumer, End, Limits, Outcome};
use crate::query::{Query, QueryError, QuerySpec};
use crate::replay::split_by_partition;

/// A prepared read.
pub struct Reading {
    pub query: Arc<Query>,
    pub inputs: Vec<Input>,
    pub limits: Limits,
    pub last: Option<usize>,
    pub follow: bool,
}

/// One source of it.
pub struct Input {
    pub opened: Opened,
    pub sub: Subscription,
    /// Its number among the sources; its events carry it.
    origin: u16,
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let hint = error.hint.clone();
        Self {
            exit: Exit::Usage,
            message: error.to_string(),
            hint,
        }
    }
}

/// Compiles the selection before anything is opened: a typing error must not wait for a network.
pub fn compile(session: &Session, select: &Select) -> Result<Arc<Query>> {
    let spec = QuerySpec {
        where_: select.where_.clone(),
        filters: select.filters.clone(),
        grep: select.grep.clone(),
        ignore_case: select.ignore_case,
        fixed: select.fixed_strings,
        keys: select.keys.iter().map(|k| k.clone().into_bytes()).collect(),
        decoding: session.decoding(),
    };
    Ok(Arc::new(Query::compile(&spec)?))
}

/// Opens, and puts the bounds on the clock of each source.
pub async fn prepare(
    session: &Session,
    query: Arc<Query>,
    sources: &[String],
    select: &Select,
    follow: bool,
) -> Result<Reading> {
    let opened = sources
        .iter()
        .map(|source| session.open(source))
        .collect::<Result<Vec<_>>>()?;
    prepare_opened(session, query, opened, select, follow, &Pos::Start).await
}

/// As [`prepare`], with the sources opened by the caller; `default_from` is where to begin when
/// the user does not say.
pub async fn prepare_opened(
    session: &Session,
    query: Arc<Query>,
    opened: Vec<Opened>,
    select: &Select,
    follow: bool,
    default_from: &Pos,
) -> Result<Reading> {
    if follow && select.until.is_some() {
        return Err(Failure::usage("--until and --follow contradict each other")
            .hint("leave one of them out"));
    }
    let memory = session.global.mem / 4 / opened.len().max(1);
    let mut inputs = Vec::with_capacity(opened.len());
    for opened in opened {
        let from = select.from.as_ref().unwrap_or(default_from);
        let until = select.until.as_ref().unwrap_or(&Pos::End);
        // A file may have to be read for its clock: only ages need it.
        let now = if [from, until].iter().any(|pos| matches!(pos, Pos::Age(_))) {
            opened.now(session).await?
        } else {
            Timestamp::default()
        };
        let sub = Subscription {
            topics: opened.address.topics(),
            partitions: select.partitions.clone(),
            range: Range::Bounds {
                from: from.bound(now),
                until: until.bound(now),
            },
            follow,
            select: query.clone(),
            memory,
            raw: false,
            notices: session.notices(),
        };
        let origin = u16::try_from(inputs.len())
            .map_err(|_| Failure::usage("too many sources").hint("name at most 65,536"))?;
        inputs.push(Input {
            opened,
            sub,
            origin,
        });
    }
    Ok(Reading {
        query,
        inputs,
        limits: Limits {
            events: select.limit,
            idle: select.idle,
            timeout: select.timeout,
        },
        last: select.last,
        follow,
    })
}

impl Input {
    fn capabilities(&self) -> Capabilities {
        self.opened.broker.capabilities()
    }

    async fn ranges(&self) -> Result<Vec<PartitionRange>> {
        let ranges = self
            .opened
            .broker
            .resolve(&self.sub)
            .await
            .map_err(|e| Failure::from(e).on(format!("cannot read {}", self.opened.shown)))?;
        let topics = &self.sub.topics;
        if ranges.is_empty() && !topics.is_all() && !self.sub.follow {
            return Err(Failure::new(
                Exit::Broker,
                format!(
                    "cannot read {}: no topic matches '{topics}'",
                    self.opened.shown
                ),
            )
            .hint("`evtap topics` lists what is there"));
        }
        Ok(ranges)
    }

    /// A glob is frozen here: one that matches nothing is a mistake, not an empty read.
    async fn sub(&self) -> Result<Subscription> {
        let topics = &self.sub.topics;
        let mut sub = self.sub.clone();
        if !topics.is_all()
            && !topics.is_literal()
            && !sub.follow
            && matches!(sub.range, Range::Bounds { .. })
        {
            sub.range = Range::Frozen(self.ranges().await?);
        }
        Ok(sub)
    }

    async fn source(&self, sub: &Subscription) -> Result<Box<dyn Source>> {
        let source = self.opened.broker.source(sub).await;
        let source = source
            .map_err(|e| Failure::from(e).on(format!("cannot read {}", self.opened.shown)))?;
        Ok(pipeline::tag(source, self.origin))
    }
}

impl Reading {
    /// The frozen ranges of each source.
    pub async fn resolve(&self) -> Result<Vec<Vec<PartitionRange>>> {
        let mut all = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            all.push(input.ranges().await?);
        }
        Ok(all)
    }

    /// Reads these ranges from now on, whatever the flags said.
    pub fn freeze(&mut self, ranges: Vec<Vec<PartitionRange>>) {
        for (input, ranges) in self.inputs.iter_mut().zip(ranges) {
            input.sub.range = Range::Frozen(ranges);
        }
    }

    /// Asks for whole record batches as they came: for a consumer that writes them as they are.
    /// Nothing may need a look at the events, and the batches of one source only stay in order.
    pub fn ask_for_raw(&mut self) {
        let counted = self.limits.events.is_some() || self.last.is_some();
        if let [input] = &mut self.inputs[..] {
            input.sub.raw = !counted && input.sub.select.keeps_all();
        }
    }

    /// All sources as one.
    pub async fn source(&self) -> Result<Box<dyn Source>> {
        let mut sources = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            sources.push(input.source(&input.sub().await?).await?);
        }
        let ordered = !self.follow && self.inputs.iter().all(|i| i.capabilities().time_ordered);
        Ok(pipeline::merge(sources, ordered))
    }

    /// The frozen ranges merged by time: one source a partition, each in its own order.
    pub async fn source_by_time(&self) -> Result<Box<dyn Source>> {
        let mut sources = Vec::new();
        for input in &self.inputs {
            let Range::Frozen(ranges) = &input.sub.range else {
                sources.push(input.source(&input.sub).await?);
                continue;
            };
            for sub in split_by_partition(&input.sub, ranges) {
                sources.push(input.source(&sub).await?);
            }
        }
        Ok(pipeline::merge(sources, true))
    }

    /// Runs the read into the consumer.
    pub async fn run(
        &self,
        session: &Session,
        consumer: &mut dyn Consumer,
        progress: &mut Progress,
    ) -> Result<Outcome> {
        let Some(n) = self.last else {
            let mut source = self.source().await?;
            let stop = session.minded_stop();
            return Ok(pipeline::run(&mut *source, consumer, self.limits, stop, progress).await);
        };
        let started = Instant::now();
        let (mut outcome, ends) = self.run_last(n, session, consumer, progress).await?;
        if self.follow && matches!(outcome.end, End::Complete) {
            let mut sources = Vec::with_capacity(self.inputs.len());
            for (input, range) in self.inputs.iter().zip(ends) {
                let sub = Subscription {
                    range: Range::Frozen(range),
                    ..input.sub.clone()
                };
                sources.push(input.source(&sub).await?);
            }
            let mut source = pipeline::merge(sources, false);
            let limits = Limits {
                events: self
                    .limits
                    .events
                    .map(|n| n.saturating_sub(outcome.matched)),
                ..self.limits
            };
            let stop = session.minded_stop();
            let rest = pipeline::run(&mut *source, consumer, limits, stop, progress).await;
            outcome.scanned += rest.scanned;
            outcome.matched += rest.matched;
            outcome.end = rest.end;
        }
        outcome.elapsed = started.elapsed();
        Ok(outcome)
    }
}

/// The exit code of a finished run, after its summary was printed.
pub fn exit_of_outcome(outcome: &Outcome, follow: bool, fail_empty: bool) -> Exit {
    match &outcome.end {
        End::Complete | End::Limit | End::Idle | End::Closed => {
            if fail_empty && outcome.matched == 0 && !matches!(outcome.end, End::Closed) {
                Exit::Finding
            } else {
                Exit::Done
            }
        }
        End::Timeout if follow => {
            if fail_empty && outcome.matched == 0 {
                Exit::Finding
            } else {
                Exit::Done
            }
        }
        End::Timeout => Exit::Partial,
        End::Interrupted => Exit::Interrupted,
        End::Failed(error) => exit_of(error.kind),
    }
}
