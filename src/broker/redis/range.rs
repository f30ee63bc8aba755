//! Bounds of a subscription turned into entry ids. Reads no event, except that "the last N" has to
//! walk back over them: Redis keeps no count by id.

use std::sync::Arc;

use redis::{Value, cmd};

use super::look::{Found, Look, strange};
use super::reply;
use crate::broker::{Bound, Error, ErrorKind, PartitionRange, Range, Result, Subscription};
use crate::event::{Position, PositionStyle};

/// Entries that one step back asks for at most.
const STEP_BACK: u64 = 1000;

/// A stream to read, with its frozen range.
pub(super) struct Frozen {
    pub(super) range: PartitionRange,
    pub(super) found: Found,
}

/// One row a stream, by name.
pub(super) async fn freeze(look: &mut Look<'_>, sub: &Subscription) -> Result<Vec<Frozen>> {
    if let Some(odd) = sub.partitions.iter().find(|&&p| p != 0) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("there is no partition {odd}: a Redis stream is one partition, number 0"),
        )
        .hint("leave out --partition"));
    }
    let found = look.find(&sub.topics, Some(&sub.notices)).await?;
    match &sub.range {
        Range::Frozen(rows) => Ok(frozen_rows(found, rows)),
        Range::Bounds { from, until } => {
            let starts = bounds(look, &found, from).await?;
            let ends = bounds(look, &found, until).await?;
            let rows = found.into_iter().zip(starts.into_iter().zip(ends));
            Ok(rows
                .map(|(found, (start, end))| Frozen {
                    range: row(&found.name, start, end.max(start)),
                    found,
                })
                .collect())
        }
    }
}

fn row(topic: &Arc<str>, start: Position, end: Position) -> PartitionRange {
    PartitionRange {
        topic: topic.clone(),
        partition: 0,
        style: PositionStyle::Entry,
        start,
        end,
    }
}

fn frozen_rows(found: Vec<Found>, rows: &[PartitionRange]) -> Vec<Frozen> {
    found
        .into_iter()
        .filter_map(|found| {
            let asked = rows
                .iter()
                .find(|r| r.topic == found.name && r.partition == 0)?;
            let end = asked.end.max(asked.start);
            Some(Frozen {
                range: row(&found.name, asked.start, end),
                found,
            })
        })
        .collect()
}

async fn bounds(look: &mut Look<'_>, found: &[Found], bound: &Bound) -> Result<Vec<Position>> {
    if let Bound::Group(group) = bound {
        return stored(look, found, group).await;
    }
    let mut positions = Vec::with_capacity(found.len());
    for stream in found {
        let (first, end) = (stream.info.start(), stream.info.end());
        let position = match bound {
            Bound::Start | Bound::Group(_) => first,
            Bound::End => end,
            Bound::At(position) => *position,
            Bound::Time(time) => Position::offset(u64::try_from(time.0).unwrap_or(0)),
            Bound::Last(count) => last(look, stream, *count).await?,
        };
        positions.push(position.clamp(first, end));
    }
    Ok(positions)
}

/// The position of the last but N-1.
async fn last(look: &mut Look<'_>, stream: &Found, count: u64) -> Result<Position> {
    let info = &stream.info;
    if count == 0 {
        return Ok(info.end());
    }
    if count >= info.length {
        return Ok(info.start());
    }
    let doing = format!("find the last {count} entries of '{}' on", stream.name);
    let (mut left, mut end) = (count, info.end());
    // The first step is small: nobody knows yet how large the entries are.
    let mut step = 16;
    while left > 0 && end > Position::ZERO {
        let mut question = cmd("XREVRANGE");
        question.arg(&*stream.name).arg(last_of(end)).arg("-");
        question.arg("COUNT").arg(left.min(step));
        let Value::Array(entries) = look.ask(&doing, &question).await? else {
            return Err(strange(look.server, &doing));
        };
        let Some(oldest) = entries.last() else { break };
        end = reply::entry_id(oldest).ok_or_else(|| strange(look.server, &doing))?;
        left = left.saturating_sub(entries.len() as u64);
        step = next_step(&entries);
    }
    Ok(end)
}

/// As many entries as make up about a megabyte.
fn next_step(entries: &[Value]) -> u64 {
    let bytes: usize = entries.iter().map(reply::entry_bytes).sum();
    let each = (bytes / entries.len().max(1)).max(1);
    ((1 << 20) / each as u64).clamp(1, STEP_BACK)
}

async fn stored(look: &mut Look<'_>, found: &[Found], group: &str) -> Result<Vec<Position>> {
    let names: Vec<&str> = found.iter().map(|f| &*f.name).collect();
    let groups = look.groups_of(&names).await?;
    let mut positions = Vec::with_capacity(found.len());
    for (stream, groups) in found.iter().zip(groups) {
        let Some(row) = groups.iter().find(|g| g.name == group) else {
            let known: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
            let hint = if known.is_empty() {
                "the stream has no group".to_owned()
            } else {
                format!("its groups: {}", known.join(", "))
            };
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the stream '{}' has no group '{group}'", stream.name),
            )
            .hint(hint));
        };
        let next = row.delivered.next(PositionStyle::Entry);
        positions.push(next.clamp(stream.info.start(), stream.info.end()));
    }
    Ok(positions)
}

pub(super) fn id_text(position: Position) -> String {
    position.display(PositionStyle::Entry).to_string()
}

/// The last id of a range that ends before this one. Nothing lies behind the greatest of all.
pub(super) fn last_of(end: Position) -> String {
    if end == Position::MAX {
        "+".to_owned()
    } else {
        id_text(reply::before(end))
    }
}
