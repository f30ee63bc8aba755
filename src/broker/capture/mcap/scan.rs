//! Finding everything without the index: a capture whose recording was killed, or whose index is
//! damaged, is walked from its beginning for as far as it goes. The file is not changed.

use std::collections::BTreeMap;
use std::io;

use ::mcap::records::{Record, op};

use super::layout::Channel;
use super::store::{Chunk, Head, MESSAGE_HEAD, Packing, RECORD_HEAD, Spot, Spots, Store};
use crate::broker::capture::file;

/// A record other than a message or a chunk is never larger, but for attachments, which are not
/// read.
const RECORD_LIMIT: u64 = 64 * 1024 * 1024;
/// A chunk's header without the name of its compression.
const CHUNK_HEAD: usize = 40;
/// Where the length of that name stands.
const AT_NAME: usize = 28;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) channels: BTreeMap<u16, Channel>,
    /// Channels that hold something else than record batches.
    pub(super) foreign: BTreeMap<u16, String>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) metadata: Vec<::mcap::records::Metadata>,
    /// Where attachments are.
    pub(super) attachments: Vec<u64>,
    /// What could not be read, for a person.
    pub(super) faults: Vec<String>,
    /// The end of the data was reached: only the index behind it is missing.
    pub(super) whole: bool,
}

/// Walks over the whole file.
pub(super) fn scan(store: &mut Store, len: u64) -> Found {
    let mut found = Found::default();
    let mut at = ::mcap::MAGIC.len() as u64;
    while at < len && !found.whole {
        match step(store, at, len, &mut found) {
            Ok(next) => at = next,
            Err(error) => {
                let lost = len - at;
                found.faults.push(match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        format!("the last {lost} bytes are a record that was not finished")
                    }
                    _ => format!("the last {lost} bytes (from byte {at}) cannot be read: {error}"),
                });
                return found;
            }
        }
    }
    found
}

/// Takes the record at `at`, and returns where the next one is.
fn step(store: &mut Store, at: u64, len: u64, found: &mut Found) -> io::Result<u64> {
    let mut bytes = [0; RECORD_HEAD];
    if len - at < RECORD_HEAD as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file::read_exact_at(store.file(), &mut bytes, at)?;
    let [op, size @ ..] = bytes;
    let size = u64::from_le_bytes(size);
    let body = at + RECORD_HEAD as u64;
    if op == op::CHUNK {
        return chunk(store, at, size, len, found);
    }
    let next = body
        .checked_add(size)
        .filter(|&next| next <= len)
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    match op {
        0 => return Err(super::store::invalid("there is no record")),
        op::MESSAGE => loose(store, at, next, found)?,
        op::CHANNEL | op::METADATA => {
            let body = read_body(size, |b| file::read_exact_at(store.file(), b, body))?;
            note(op, &body, found)?;
        }
        op::ATTACHMENT => found.attachments.push(at),
        op::DATA_END => found.whole = true,
        _ => {}
    }
    Ok(next)
}

fn read_body(size: u64, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Vec<u8>> {
    if size > RECORD_LIMIT {
        return Err(super::store::invalid(format!(
            "a record claims {size} bytes"
        )));
    }
    let mut body = vec![0; size as usize];
    read(&mut body)?;
    Ok(body)
}

fn note(op: u8, body: &[u8], found: &mut Found) -> io::Result<()> {
    match ::mcap::parse_record(op, body).map_err(|e| super::store::invalid(e.to_string()))? {
        Record::Channel(channel) => add_channel(&channel, found),
        Record::Metadata(metadata) => found.metadata.push(metadata),
        _ => {}
    }
    Ok(())
}

fn add_channel(channel: &::mcap::records::Channel, found: &mut Found) {
    match Channel::parse(&channel.topic, &channel.message_encoding, &channel.metadata) {
        Some(ours) => {
            found.channels.insert(channel.id, ours);
        }
        None => {
            found.foreign.insert(channel.id, channel.topic.clone());
        }
    }
}

/// A message outside of any chunk; neighbours make one run.
fn loose(store: &mut Store, at: u64, next: u64, found: &mut Found) -> io::Result<()> {
    let extends = found
        .chunks
        .last()
        .is_some_and(|c| c.packing == Packing::None && c.data + c.stored == at);
    if !extends {
        found.chunks.push(Chunk {
            record: None,
            data: at,
            stored: 0,
            size: 0,
            packing: Packing::None,
            end_time: 0,
            spots: Spots::Known(Vec::new()),
        });
    }
    let Some(run) = found.chunks.last_mut() else {
        return Ok(());
    };
    run.stored = next - run.data;
    run.size = run.stored;
    let spot = spot(store, run, at - run.data)?;
    run.end_time = run.end_time.max(spot.log_time);
    if let Spots::Known(spots) = &mut run.spots {
        spots.push(spot);
    }
    Ok(())
}

fn spot(store: &mut Store, chunk: &Chunk, at: u64) -> io::Result<Spot> {
    let mut head = [0; MESSAGE_HEAD];
    store.read(chunk, at + RECORD_HEAD as u64, &mut head)?;
    let [c0, c1, _, _, _, _, time @ ..] = head;
    let mut log_time = [0; 8];
    log_time.copy_from_slice(&time[..8]);
    Ok(Spot {
        channel: u16::from_le_bytes([c0, c1]),
        log_time: u64::from_le_bytes(log_time),
        at,
    })
}

/// A chunk: as its header has it, or, when that was not written any more, up to the file's end.
fn chunk(store: &mut Store, at: u64, size: u64, len: u64, found: &mut Found) -> io::Result<u64> {
    let body = at + RECORD_HEAD as u64;
    let mut head = [0; CHUNK_HEAD];
    if len - body < CHUNK_HEAD as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file::read_exact_at(store.file(), &mut head, body)?;
    let name_len = u64::from(le_u32(&head, AT_NAME));
    if name_len > 64 {
        return Err(super::store::invalid("a chunk's header makes no sense"));
    }
    let head_len = CHUNK_HEAD as u64 + name_len;
    let mut head = vec![0; head_len as usize];
    let data = body + head_len;
    if data > len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file::read_exact_at(store.file(), &mut head, body)?;
    let name = String::from_utf8_lossy(&head[AT_NAME + 4..][..name_len as usize]).into_owned();
    let stored = le_u64(&head, head.len() - 8);
    let complete = body.checked_add(size).is_some_and(|end| end <= len)
        && size
            .checked_sub(head_len)
            .is_some_and(|room| stored <= room);
    let mut chunk = Chunk {
        record: complete.then_some(at),
        data,
        stored: if complete { stored } else { len - data },
        size: if complete {
            le_u64(&head, 16)
        } else {
            len - data
        },
        packing: Packing::parse(&name),
        end_time: 0,
        spots: Spots::Known(Vec::new()),
    };
    let walked = walk(store, &mut chunk, found);
    found.chunks.push(chunk);
    match walked {
        Ok(()) => {}
        Err((_, error)) if complete => {
            found
                .faults
                .push(format!("the chunk at byte {at} is damaged: {error}"));
        }
        Err((lost, _)) => {
            found.faults.push(format!(
                "the last {lost} bytes are a message that was not finished"
            ));
        }
    }
    Ok(if complete { body + size } else { len })
}

/// Finds the messages and channels of a chunk. An error says how many bytes are left unread.
pub(super) fn walk(
    store: &mut Store,
    chunk: &mut Chunk,
    found: &mut Found,
) -> Result<(), (u64, io::Error)> {
    let mut at = 0;
    let mut spots = Vec::new();
    let mut result = Ok(());
    while at < chunk.size {
        match inner(store, chunk, at, &mut spots, found) {
            Ok(next) => at = next,
            Err(error) => {
                result = Err((chunk.size - at, error));
                break;
            }
        }
    }
    chunk.end_time = spots.iter().map(|s: &Spot| s.log_time).max().unwrap_or(0);
    chunk.spots = Spots::Known(spots);
    result
}

fn inner(
    store: &mut Store,
    chunk: &Chunk,
    at: u64,
    spots: &mut Vec<Spot>,
    found: &mut Found,
) -> io::Result<u64> {
    let Head { op, len } = store.head(chunk, at)?;
    let body = at + RECORD_HEAD as u64;
    match op {
        op::MESSAGE if len >= MESSAGE_HEAD as u64 => spots.push(spot(store, chunk, at)?),
        op::CHANNEL => {
            let bytes = read_body(len, |b| store.read(chunk, body, b))?;
            note(op, &bytes, found)?;
        }
        // Schemas, and what other tools keep in their chunks.
        op::SCHEMA | 0x80.. => {}
        _ => {
            return Err(super::store::invalid(
                "a record that has no place in a chunk",
            ));
        }
    }
    Ok(body + len)
}

fn le_u32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |field| u32::from_le_bytes(*field))
}

fn le_u64(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |field| u64::from_le_bytes(*field))
}
