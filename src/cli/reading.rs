//! From the selection flags to a running read: compile, open, freeze, run, sum up. Shared by every
//! command that reads.

use std::sync::Arc;
use std::time::Instant;

use super::args::Select;
use super::error::{Exit, Failure, Result, exit_of};
use super::position::Pos;
use super::progress::Progress;
use super::session::{Opened, Session};
use crate::broker::{Bound, Capabilities, ErrorKind, PartitionRange, Range, Source, Subscription};
use crate::event::{Scanned, Timestamp};
use crate::pipeline::{self, Consumer, End, Flow, LastEvents, Limits, Outcome, Window};
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
        grep: select.grep.clone(),
        ignore_case: select.ignore_case,
        fixed: select.fixed_strings,
        keys: select.keys.iter().map(|k| k.clone().into_bytes()).collect(),
        decoding: session.decoding(),
    };
    Ok(Arc::new(Query::compile(&spec)?))
}

/// Compiles, opens, and puts the bounds on the clock of each source.
pub async fn prepare(
    session: &Session,
    sources: &[String],
    select: &Select,
    follow: bool,
) -> Result<Reading> {
    let opened = sources
        .iter()
        .map(|source| session.open(source))
        .collect::<Result<Vec<_>>>()?;
    prepare_opened(session, opened, select, follow, &Pos::Start).await
}

/// As [`prepare`], with the sources opened by the caller; `default_from` is where to begin when
/// the user does not say.
pub async fn prepare_opened(
    session: &Session,
    opened: Vec<Opened>,
    select: &Select,
    follow: bool,
    default_from: &Pos,
) -> Result<Reading> {
    let query = compile(session, select)?;
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
        self.opened
            .broker
            .resolve(&self.sub)
            .await
            .map_err(|e| Failure::from(e).on(format!("cannot read {}", self.opened.shown)))
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

    /// All sources as one.
    pub async fn source(&self) -> Result<Box<dyn Source>> {
        let mut sources = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            sources.push(input.source(&input.sub).await?);
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

    /// Reads growing windows at the tail until each partition gave its last N, or was read whole.
    /// Gives the ends too, from where a follow goes on.
    async fn run_last(
        &self,
        n: usize,
        session: &Session,
        consumer: &mut dyn Consumer,
        progress: &mut Progress,
    ) -> Result<(Outcome, Vec<Vec<PartitionRange>>)> {
        let started = Instant::now();
        let limits = Limits {
            events: None,
            ..self.limits
        };
        let mut all = LastSearch::new(n);
        let mut ends = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let ranges = input.ranges().await?;
            let found = input.last(&ranges, n, limits, session, progress).await?;
            all.add(found)?;
            ends.push(ranges.into_iter().map(after).collect());
        }
        let mut batch = all.last.finish().map_err(too_many)?;
        if let Some(most) = self.limits.events {
            batch.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        let mut outcome = Outcome {
            scanned: all.scanned,
            matched: batch.len() as u64,
            elapsed: started.elapsed(),
            end: all.end,
        };
        if !batch.is_empty() {
            let flow = consumer.batch(&batch).await?;
            if flow == Flow::Closed || consumer.rest().await? == Flow::Closed {
                outcome.end = End::Closed;
            }
        }
        Ok((outcome, ends))
    }
}

/// What comes after a range.
fn after(range: PartitionRange) -> PartitionRange {
    PartitionRange {
        start: range.end,
        ..range
    }
}

fn too_many(error: crate::event::ArenaFull) -> Failure {
    Failure::usage(error.to_string()).hint("ask for fewer events with --last")
}

/// The last events of the sources so far.
struct LastSearch {
    last: LastEvents,
    scanned: Scanned,
    end: End,
}

impl LastSearch {
    fn new(n: usize) -> Self {
        Self {
            last: LastEvents::new(n),
            scanned: Scanned::default(),
            end: End::Complete,
        }
    }

    fn add(&mut self, found: Self) -> Result<()> {
        let batch = found.last.finish().map_err(too_many)?;
        self.last.take_other(&batch).map_err(too_many)?;
        self.scanned += found.scanned;
        if matches!(self.end, End::Complete) {
            self.end = found.end;
        }
        Ok(())
    }
}

/// Gathers the last events of one window.
struct Gather<'a> {
    last: &'a mut LastEvents,
}

impl Consumer for Gather<'_> {
    fn batch<'a>(
        &'a mut self,
        batch: &'a crate::event::Batch,
    ) -> crate::broker::BoxFuture<'a, crate::broker::Result<Flow>> {
        let taken = self.last.take(batch);
        Box::pin(async move {
            taken.map_err(|e| {
                crate::broker::Error::new(ErrorKind::Usage, e.to_string())
                    .hint("ask for fewer events with --last")
            })?;
            Ok(Flow::More)
        })
    }
}

impl Input {
    async fn last(
        &self,
        ranges: &[PartitionRange],
        n: usize,
        limits: Limits,
        session: &Session,
        progress: &mut Progress,
    ) -> Result<LastSearch> {
        let filtered = !crate::event::Select::keeps_all(&*self.sub.select);
        let mut window = Window::first(n, filtered);
        loop {
            let tails = self.tails(window, ranges).await?;
            let cut = window.cut(ranges, &tails);
            let sub = Subscription {
                range: Range::Frozen(cut.clone()),
                follow: false,
                ..self.sub.clone()
            };
            let mut found = LastSearch::new(n);
            let mut source = self.source(&sub).await?;
            let mut gather = Gather {
                last: &mut found.last,
            };
            let stop = session.minded_stop();
            let outcome = pipeline::run(&mut *source, &mut gather, limits, stop, progress).await;
            found.scanned = outcome.scanned;
            let whole = cut.iter().zip(ranges).all(|(cut, range)| {
                cut.start <= range.start || found.last.held(&cut.topic, cut.partition) >= n
            });
            let complete = matches!(outcome.end, End::Complete);
            found.end = outcome.end;
            if whole || !complete {
                return Ok(found);
            }
            window = window.wider();
        }
    }

    /// Where the last positions begin, for brokers whose positions cannot be counted back.
    async fn tails(
        &self,
        window: Window,
        ranges: &[PartitionRange],
    ) -> Result<Vec<PartitionRange>> {
        use crate::event::PositionStyle;
        if ranges.iter().all(|r| r.style == PositionStyle::Offset) {
            return Ok(Vec::new());
        }
        let sub = Subscription {
            range: Range::Bounds {
                from: Bound::Last(window.positions),
                until: Bound::End,
            },
            ..self.sub.clone()
        };
        self.opened
            .broker
            .resolve(&sub)
            .await
            .map_err(Failure::from)
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
