//! The answers about groups: who there is, who their members are, what they have committed. Read
//! by our own code, as all answers are; what they amount to is put together next door.

use super::super::super::error::Failure;
use super::super::super::terms::{Place, Row};
use super::super::wire::{Reader, checked, garbled};
use super::classic;
use crate::broker::{Epochs, Member};

/// A group as its coordinator lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    /// `consumer` for those that read topics, or nothing; Connect's workers and others have their
    /// own.
    pub(super) protocol: String,
    /// Empty where the broker does not tell it here.
    pub(super) state: String,
    /// `classic` where the broker knows no others.
    pub(super) kind: String,
}

/// What a group is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: String,
    /// Of the broker, about this group alone; 0 is none.
    pub(super) error: i16,
    pub(super) state: String,
    pub(super) epochs: Option<Epochs>,
    pub(super) members: Vec<Member>,
}

/// What a group has committed.
pub(super) struct Commits {
    pub(super) name: String,
    pub(super) error: i16,
    pub(super) rows: Vec<Row>,
}

pub(super) const LIST: (i16, i16) = (0, 5);

pub(super) fn list(answer: &[u8], version: i16) -> Result<Vec<Listed>, Failure> {
    let mut reader = Reader::new(answer, version >= 3);
    let r = &mut reader;
    if version >= 1 {
        r.i32()?;
    }
    checked(r.i16()?)?;
    let mut groups = Vec::new();
    for _ in 0..r.count()? {
        let name = r.text()?.to_owned();
        let protocol = r.text()?.to_owned();
        let state = if version >= 4 { r.text()? } else { "" }.to_owned();
        let kind = if version >= 5 { r.text()? } else { "classic" };
        let kind = kind.to_lowercase();
        r.tags()?;
        groups.push(Listed {
            name,
            protocol,
            state,
            kind,
        });
    }
    Ok(groups)
}

pub(super) const DESCRIBE: (i16, i16) = (0, 6);

pub(super) fn classic_groups(answer: &[u8], version: i16) -> Result<Vec<Described>, Failure> {
    let mut reader = Reader::new(answer, version >= 5);
    let r = &mut reader;
    if version >= 1 {
        r.i32()?;
    }
    let mut groups = Vec::new();
    for _ in 0..r.count()? {
        let error = r.i16()?;
        if version >= 6 {
            r.string()?;
        }
        let name = r.text()?.to_owned();
        let state = r.text()?.to_owned();
        let consumers = r.text()? == "consumer";
        r.string()?;
        let mut members = Vec::new();
        for _ in 0..r.count()? {
            members.push(classic_member(r, version, consumers)?);
        }
        if version >= 3 {
            r.i32()?;
        }
        r.tags()?;
        groups.push(Described {
            name,
            error,
            state,
            epochs: None,
            members,
        });
    }
    Ok(groups)
}

fn classic_member(r: &mut Reader<'_>, version: i16, consumers: bool) -> Result<Member, Failure> {
    let id = r.text()?.to_owned();
    if version >= 4 {
        r.string()?;
    }
    let client = r.text()?.to_owned();
    let host = host(r.text()?);
    let (about, given) = (r.blob()?, r.blob()?);
    r.tags()?;
    Ok(Member {
        id,
        client,
        host,
        topics: classic::topics(about)
            .filter(|_| consumers)
            .unwrap_or_default(),
        owned: classic::places(given)
            .filter(|_| consumers)
            .unwrap_or_default(),
        ..Member::default()
    })
}

/// Java writes an address with a slash in front.
fn host(told: &str) -> String {
    told.strip_prefix('/').unwrap_or(told).to_owned()
}

pub(super) const DESCRIBE_CONSUMERS: (i16, i16) = (0, 1);

pub(super) fn consumer_groups(answer: &[u8], version: i16) -> Result<Vec<Described>, Failure> {
    let mut reader = Reader::new(answer, true);
    let r = &mut reader;
    r.i32()?;
    let mut groups = Vec::new();
    for _ in 0..r.count()? {
        let error = r.i16()?;
        r.string()?;
        let name = r.text()?.to_owned();
        let state = r.text()?.to_owned();
        let epochs = Epochs {
            group: r.i32()?,
            assignment: r.i32()?,
        };
        r.string()?;
        let mut members = Vec::new();
        for _ in 0..r.count()? {
            members.push(consumer_member(r, version)?);
        }
        r.i32()?;
        r.tags()?;
        groups.push(Described {
            name,
            error,
            state,
            epochs: Some(epochs),
            members,
        });
    }
    Ok(groups)
}

fn consumer_member(r: &mut Reader<'_>, version: i16) -> Result<Member, Failure> {
    let id = r.text()?.to_owned();
    r.string()?;
    r.string()?;
    let epoch = r.i32()?;
    let client = r.text()?.to_owned();
    let host = host(r.text()?);
    let mut topics = Vec::new();
    for _ in 0..r.count()? {
        topics.push(r.text()?.into());
    }
    let by_pattern = r.string()?.is_some_and(|pattern| !pattern.is_empty());
    let owned = assignment(r)?;
    let target = assignment(r)?;
    if version >= 1 {
        r.u8()?;
    }
    r.tags()?;
    Ok(Member {
        id,
        client,
        host,
        epoch: Some(epoch),
        topics,
        by_pattern,
        owned,
        target: Some(target),
    })
}

fn assignment(r: &mut Reader<'_>) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    for _ in 0..r.count()? {
        r.uuid()?;
        let topic: std::sync::Arc<str> = r.text()?.into();
        for _ in 0..r.count()? {
            places.push((topic.clone(), partition(r)?));
        }
        r.tags()?;
    }
    r.tags()?;
    places.sort_unstable();
    Ok(places)
}

pub(super) fn partition(r: &mut Reader<'_>) -> Result<u32, Failure> {
    u32::try_from(r.i32()?).map_err(|_| garbled("a partition below 0"))
}

/// Older ones cannot be asked for all that a group has committed.
pub(super) const COMMITS: (i16, i16) = (2, 9);
/// From this version on several groups are asked about at once.
pub(super) const MANY: i16 = 8;

/// `group` is who was asked about, where the answer does not repeat it.
pub(super) fn commits(answer: &[u8], version: i16, group: &str) -> Result<Vec<Commits>, Failure> {
    let mut reader = Reader::new(answer, version >= 6);
    let r = &mut reader;
    if version >= 3 {
        r.i32()?;
    }
    if version < MANY {
        let rows = committed_rows(r, version, |row, _| row)?;
        let error = r.i16()?;
        return Ok(vec![Commits {
            name: group.to_owned(),
            error,
            rows,
        }]);
    }
    let mut groups = Vec::new();
    for _ in 0..r.count()? {
        let name = r.text()?.to_owned();
        let rows = committed_rows(r, version, |row, _| row)?;
        let error = r.i16()?;
        r.tags()?;
        groups.push(Commits { name, error, rows });
    }
    Ok(groups)
}

/// The commits of one group, with the text beside each.
pub(super) fn commits_with_text(
    answer: &[u8],
    version: i16,
) -> Result<Vec<(Row, String)>, Failure> {
    let mut reader = Reader::new(answer, version >= 6);
    let r = &mut reader;
    if version >= 3 {
        r.i32()?;
    }
    if version >= MANY {
        if r.count()? == 0 {
            return Err(garbled("no group"));
        }
        r.text()?;
    }
    let rows = committed_rows(r, version, |row, text| (row, text.to_owned()))?;
    checked(r.i16()?)?;
    Ok(rows)
}

/// `keep` makes of a row and the text beside it what is wanted of both.
fn committed_rows<T>(
    r: &mut Reader<'_>,
    version: i16,
    keep: impl Fn(Row, &str) -> T,
) -> Result<Vec<T>, Failure> {
    let mut rows = Vec::new();
    for _ in 0..r.count()? {
        let topic: std::sync::Arc<str> = r.text()?.into();
        for _ in 0..r.count()? {
            let place = (topic.clone(), partition(r)?);
            let offset = r.i64()?;
            if version >= 5 {
                r.i32()?;
            }
            let text = r.string()?.unwrap_or_default();
            let error = r.i16()?.into();
            r.tags()?;
            let row = Row {
                place,
                offset,
                error,
            };
            rows.push(keep(row, text));
        }
        r.tags()?;
    }
    Ok(rows)
}
