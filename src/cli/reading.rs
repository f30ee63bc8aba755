//! From the selection flags to a read that can run: compile, open, put the bounds on the clock of
//! each source, and what the end of a run means. Shared by every command that reads; the read
//! itself is `pipeline`'s.

use std::sync::Arc;

use super::args::Select;
use super::error::{Exit, Failure, Result, exit_of};
use super::opened::Opened;
use super::position::Pos;
use super::session::Session;
use crate::broker::{Group, Range, Subscription};
use crate::event::Timestamp;
use crate::pipeline::{End, Input, Limits, Outcome, Reading};
use crate::query::{Query, QueryError, QuerySpec};

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
pub fn compile(session: &Session, sources: &[String], select: &Select) -> Result<Arc<Query>> {
    Ok(Arc::new(Query::compile(&spec(session, sources, select)?)?))
}

/// The selection before it is compiled.
pub fn spec(session: &Session, sources: &[String], select: &Select) -> Result<QuerySpec> {
    Ok(QuerySpec {
        where_: select.where_.clone(),
        filters: select.filters.clone(),
        grep: select.grep.clone(),
        ignore_case: select.ignore_case,
        fixed: select.fixed_strings,
        keys: select.keys.iter().map(|k| k.clone().into_bytes()).collect(),
        decoder: session.decoder(sources)?,
    })
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
            address: opened.address,
            shown: opened.shown,
            broker: opened.broker,
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

/// The latest of the sources' clocks.
pub async fn clock(session: &Session, reading: &Reading) -> Result<Timestamp> {
    if let Some(now) = session.global.now {
        return Ok(now);
    }
    let mut latest = None;
    for input in &reading.inputs {
        latest = latest.max(input.broker.clock().await?);
    }
    Ok(latest.unwrap_or_else(Timestamp::wall_clock))
}

/// The groups of all sources, as far as they stand in what is read; `None` where none has any. `what`
/// is said not to be done with those that cannot be asked for.
pub async fn groups(session: &Session, reading: &Reading, what: &str) -> Option<Vec<Group>> {
    let mut all: Option<Vec<Group>> = None;
    for input in &reading.inputs {
        if !input.broker.capabilities().groups {
            continue;
        }
        match input.broker.groups().await {
            Ok(groups) => {
                let topics = &input.sub.topics;
                let all = all.get_or_insert_default();
                for mut group in groups {
                    group.offsets.retain(|o| topics.takes(&o.topic, false));
                    if !group.offsets.is_empty() {
                        all.push(group);
                    }
                }
            }
            // Who may read topics need not be allowed to see groups.
            Err(error) => session.say(&format!(
                "the groups of {} are not {what}: {error}",
                input.shown
            )),
        }
    }
    all
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
