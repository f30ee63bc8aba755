//! Attachments of a capture: finding the one with the marks, the groups, the topics. Their bytes
//! are parsed here, bounded: the length fields of a file are nobody's word.

use std::fs::File;
use std::io;
use std::path::Path;

use ::mcap::records::op;

use super::Recording;
use super::index::{self, record_at};
use super::store::RECORD_HEAD;
use crate::broker::capture::{document, file, groups, marks, topics};
use crate::broker::{Group, Mark, Result, TopicSettings};

/// The largest record that is looked into; one of ours is smaller.
const RECORD_LIMIT: u64 = document::LIMIT as u64 + 1024;
/// Two times of eight bytes each.
const TIMES: usize = 16;

/// The name and data of an attachment record; `None` when it makes no sense.
fn parse(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let content = body.len().checked_sub(4)?;
    let (content, crc) = body.split_at_checked(content)?;
    let mut rest = content.get(TIMES..)?;
    let name = sized(&mut rest)?;
    sized(&mut rest)?;
    let (len, rest) = rest.split_first_chunk()?;
    let data = rest.get(..usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    let crc = u32::from_le_bytes(crc.try_into().ok()?);
    let sound = crc == 0 || crc == crc32fast::hash(content);
    sound.then_some((name, data))
}

/// Takes bytes with their length in front off the beginning.
fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk()?;
    let (taken, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    *rest = after;
    Some(taken)
}

/// The marks that were attached last; none when nothing is attached.
pub(super) fn marks(recording: &Recording) -> Result<Vec<Mark>> {
    let place = recording.path.display().to_string();
    let found = last(recording, marks::NAME)?;
    found.map_or(Ok(Vec::new()), |data| marks::from_json(&data, &place))
}

/// The groups that were attached last; `None` when nothing is attached.
pub(super) fn groups(recording: &Recording) -> Result<Option<Vec<Group>>> {
    let place = recording.path.display().to_string();
    let found = last(recording, groups::NAME)?;
    found
        .map(|data| groups::from_json(&data, &place))
        .transpose()
}

/// How topics were kept, as far as it is attached.
pub(super) fn topics(recording: &Recording) -> Result<Vec<TopicSettings>> {
    let place = recording.path.display().to_string();
    let found = last(recording, topics::NAME)?;
    found.map_or(Ok(Vec::new()), |data| topics::from_json(&data, &place))
}

/// The data of the last attachment of this name that the summary of a file lists. Of a file whose
/// end is missing: what stands before its events, where we write what is known by then.
pub(super) fn listed(path: &Path, wanted: &str) -> Option<Vec<u8>> {
    let listed = index::attachment(path, wanted, RECORD_LIMIT).and_then(|body| {
        let (name, data) = parse(&body)?;
        (name == wanted.as_bytes()).then(|| data.to_vec())
    });
    listed.or_else(|| early(path, wanted))
}

/// Records before the first events that are looked at.
const EARLY: usize = 1_000;

/// The data of the last attachment of this name before the first events.
fn early(path: &Path, wanted: &str) -> Option<Vec<u8>> {
    let file = file::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    let mut at = ::mcap::MAGIC.len() as u64;
    let mut found = None;
    for _ in 0..EARLY {
        let mut head = [0; RECORD_HEAD];
        if file::read_exact_at(&file, &mut head, at).is_err() {
            break;
        }
        let [kind, size @ ..] = head;
        if [op::CHUNK, op::MESSAGE, op::DATA_END].contains(&kind) {
            break;
        }
        if kind == op::ATTACHMENT
            && let Ok(body) = record_at(&file, at, len, op::ATTACHMENT, RECORD_LIMIT)
            && let Some((name, data)) = parse(&body)
            && name == wanted.as_bytes()
        {
            found = Some(data.to_vec());
        }
        at = at.saturating_add(RECORD_HEAD as u64);
        at = at.saturating_add(u64::from_le_bytes(size));
    }
    found
}

/// The data of the last attachment of this name. What cannot be read of other attachments is not our
/// business.
fn last(recording: &Recording, wanted: &str) -> Result<Option<Vec<u8>>> {
    let file: &File = &recording.index.file;
    let unreadable = |error: io::Error| file::unreadable(&recording.path, &error);
    let len = file.metadata().map_err(unreadable)?.len();
    for &at in recording.index.attachments.iter().rev() {
        let Ok(body) = record_at(file, at, len, op::ATTACHMENT, RECORD_LIMIT) else {
            continue;
        };
        if let Some((name, data)) = parse(&body)
            && name == wanted.as_bytes()
        {
            return Ok(Some(data.to_vec()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(name: &[u8], data: &[u8], len: u64) -> Vec<u8> {
        let mut body = vec![0; TIMES];
        for text in [name, b"application/json"] {
            body.extend_from_slice(&(text.len() as u32).to_le_bytes());
            body.extend_from_slice(text);
        }
        body.extend_from_slice(&len.to_le_bytes());
        body.extend_from_slice(data);
        let crc = crc32fast::hash(&body);
        body.extend_from_slice(&crc.to_le_bytes());
        body
    }

    #[test]
    fn an_attachment_is_taken_apart_and_its_checksum_checked() {
        let mut good = body(b"n", b"data", 4);
        assert_eq!(parse(&good), Some((&b"n"[..], &b"data"[..])));
        good[0] ^= 1;
        assert_eq!(parse(&good), None);
    }

    #[test]
    fn lengths_that_lie_lead_nowhere() {
        assert_eq!(parse(&body(b"n", b"data", 5)), None);
        assert_eq!(parse(&body(b"n", b"data", u64::MAX)), None);
        let good = body(b"n", b"data", 4);
        for len in 0..good.len() {
            assert_eq!(parse(&good[..len]), None, "{len}");
        }
        let mut long = good;
        long[TIMES..TIMES + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(parse(&long), None);
    }
}
