//! Opening a capture: by its summary when that is whole, else by walking over it. Gives what is
//! where; what the record batches say is not looked at here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ::mcap::Summary;
use ::mcap::records::{Metadata, Record, op};
use ::mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};

use super::layout::Channel;
use super::scan::{self, Found};
use super::store::{Chunk, Packing, RECORD_HEAD, Spots, Store};
use crate::broker::capture::{file, groups, marks, topics};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::Stream;

/// A footer record and the magic behind it.
const TAIL: usize = RECORD_HEAD + 20 + 8;
/// The record that ends the data, right before the summary.
const DATA_END: u64 = RECORD_HEAD as u64 + 4;
/// A metadata record of ours is never larger.
const METADATA_LIMIT: u64 = 64 * 1024 * 1024;

/// What a capture holds, and where.
pub(super) struct Index {
    pub(super) file: Arc<File>,
    /// Sorted by topic and partition.
    pub(super) streams: Vec<Stream>,
    pub(super) channels: BTreeMap<u16, Lane>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) metadata: Vec<Metadata>,
    /// Where attachments are that may be ours.
    pub(super) attachments: Vec<u64>,
    /// Messages of each channel, where the file says it.
    pub(super) counts: Option<BTreeMap<u16, u64>>,
    /// What is damaged or missing, for a person. Empty when the file is whole.
    pub(super) faults: Vec<String>,
    /// What is left out and yet no damage.
    pub(super) remarks: Vec<String>,
}

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) stream: usize,
    /// The broker set the timestamps, each event its own.
    pub(super) appended: bool,
}

impl Index {
    /// Reads the summary, or walks over the file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = Arc::new(file::open(path)?);
        let unreadable = |error: io::Error| file::unreadable(path, &error);
        let len = file.metadata().map_err(unreadable)?.len();
        let mut magic = [0; ::mcap::MAGIC.len()];
        let have = magic.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        file::read_exact_at(&file, &mut magic[..have], 0).map_err(unreadable)?;
        if magic[..have] != ::mcap::MAGIC[..have] {
            return Err(Error::new(
                ErrorKind::File,
                format!("'{}' is not an MCAP file", path.display()),
            )
            .hint("name files of JSON lines .jsonl; `file NAME` tells what it is"));
        }
        let mut store = Store::new(file.clone());
        let index = match by_summary(&mut store, len) {
            Ok(Some((found, counts))) => Self::of(file, found, Some(counts)),
            Ok(None) => Self::walked(&mut store, file, len, None),
            Err(error) => Self::walked(&mut store, file, len, Some(&error)),
        };
        index.or_foreign(path)
    }

    fn walked(store: &mut Store, file: Arc<File>, len: u64, why: Option<&io::Error>) -> Self {
        let mut found = if len < ::mcap::MAGIC.len() as u64 {
            Found::default()
        } else {
            scan::scan(store, len)
        };
        let first = match why {
            _ if len == 0 => Some("the file is empty".to_owned()),
            Some(error) if found.whole => Some(format!(
                "its index cannot be read, though no data are lost: {error}"
            )),
            // A writer that makes no index, and finished its work.
            None if found.whole => None,
            _ => Some(
                "the recording was not finished: it was killed, or is still going on".to_owned(),
            ),
        };
        found.faults.splice(0..0, first);
        Self::of(file, found, None)
    }

    fn of(file: Arc<File>, found: Found, counts: Option<BTreeMap<u16, u64>>) -> Self {
        let mut streams: Vec<Stream> = found.channels.values().map(Channel::stream).collect();
        let order = |s: &Stream| (s.topic.clone(), s.partition, s.style as u8);
        streams.sort_by_key(order);
        streams.dedup();
        let channels = found.channels.iter().filter_map(|(id, channel)| {
            let stream = streams.iter().position(|s| *s == channel.stream())?;
            let appended = channel.appended;
            Some((*id, Lane { stream, appended }))
        });
        let channels = channels.collect();
        let remarks = found
            .foreign
            .values()
            .map(|topic| format!("channel '{topic}' holds no Kafka record batches: left out"))
            .collect();
        Self {
            file,
            streams,
            channels,
            chunks: found.chunks,
            metadata: found.metadata,
            attachments: found.attachments,
            counts,
            faults: found.faults,
            remarks,
        }
    }

    /// A recording of something else is not ours to read.
    fn or_foreign(self, path: &Path) -> Result<Self> {
        if self.channels.is_empty() && !self.remarks.is_empty() {
            return Err(Error::new(
                ErrorKind::File,
                format!(
                    "'{}' is an MCAP file without Kafka record batches",
                    path.display()
                ),
            )
            .hint("evtap reads what `evtap record` wrote"));
        }
        Ok(self)
    }

    /// Whether a channel is that of broker timestamps which differ from event to event.
    pub(super) fn is_appended(&self, channel: u16) -> bool {
        self.channels
            .get(&channel)
            .is_some_and(|lane| lane.appended)
    }

    /// The metadata record of that name; the last one when there are several.
    pub(super) fn about(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        let found = self.metadata.iter().rev().find(|m| m.name == name);
        found.map(|m| &m.metadata)
    }
}

type BySummary = (Found, BTreeMap<u16, u64>);

/// Reads the summary; `None` when there is none, or it does not list the messages.
fn by_summary(store: &mut Store, len: u64) -> io::Result<Option<BySummary>> {
    let Some(start) = summary_start(store, len)? else {
        return Ok(None);
    };
    let summary = read_summary(store.file(), start, len)?;
    let stats = summary.stats.unwrap_or_default();
    let mut chunks = Vec::with_capacity(summary.chunk_indexes.len());
    let mut found = Found {
        whole: true,
        ..Found::default()
    };
    for (id, channel) in &summary.channels {
        match Channel::parse(&channel.topic, &channel.message_encoding, &channel.metadata) {
            Some(ours) => {
                found.channels.insert(*id, ours);
            }
            None => {
                found.foreign.insert(*id, channel.topic.clone());
            }
        }
    }
    for index in &summary.chunk_indexes {
        chunks.push(chunk(index, start)?);
    }
    let lists_all = !chunks.is_empty() || (stats.message_count == 0 && stats.chunk_count == 0);
    if !lists_all || stats.channel_count as usize != summary.channels.len() {
        return Ok(None);
    }
    // A chunk without message index is walked over.
    for chunk in &mut chunks {
        if matches!(&chunk.spots, Spots::Indexed(at) if at.is_empty()) {
            scan::walk(store, chunk, &mut found).map_err(|(_, error)| error)?;
        }
    }
    found.chunks = chunks;
    for index in &summary.metadata_indexes {
        found
            .metadata
            .push(metadata(store.file(), index.offset, len)?);
    }
    let ours = summary.attachment_indexes.iter();
    let ours = ours
        .filter(|index| [marks::NAME, groups::NAME, topics::NAME].contains(&index.name.as_str()));
    found.attachments.extend(ours.map(|index| index.offset));
    Ok(Some((found, stats.channel_message_counts)))
}

/// The body of the last attachment record of this name that the summary of a file lists, if any. A
/// file without a summary is not walked over for it.
pub(super) fn attachment(path: &Path, name: &str, most: u64) -> Option<Vec<u8>> {
    let file = file::open(path).map(Arc::new).ok()?;
    let len = file.metadata().ok()?.len();
    let store = Store::new(Arc::clone(&file));
    let start = summary_start(&store, len).ok()??;
    let summary = read_summary(&file, start, len).ok()?;
    let mut ours = summary.attachment_indexes.iter().rev();
    let offset = ours.find(|index| index.name == name)?.offset;
    record_at(&file, offset, len, op::ATTACHMENT, most).ok()
}

fn summary_start(store: &Store, len: u64) -> io::Result<Option<u64>> {
    let cut = || super::store::invalid("the end of the file is cut off");
    let at = len.checked_sub(TAIL as u64).ok_or_else(cut)?;
    let mut tail = [0; TAIL];
    file::read_exact_at(store.file(), &mut tail, at)?;
    if !tail.ends_with(::mcap::MAGIC) || tail[0] != op::FOOTER {
        return Err(cut());
    }
    let mut start = [0; 8];
    start.copy_from_slice(&tail[RECORD_HEAD..RECORD_HEAD + 8]);
    match u64::from_le_bytes(start) {
        0 => Ok(None),
        start if start <= at && start >= DATA_END => Ok(Some(start)),
        _ => Err(super::store::invalid("it is not where the footer says")),
    }
}

/// Reads from the end of the data on, so that the checksum of the summary is checked.
fn read_summary(file: &File, start: u64, len: u64) -> io::Result<Summary> {
    let mut at = start - DATA_END;
    let mut op = [0];
    file::read_exact_at(file, &mut op, at)?;
    if op[0] != op::DATA_END {
        return Err(super::store::invalid("no end of the data before it"));
    }
    let most = usize::try_from(len - at).unwrap_or(usize::MAX);
    let mut reader = LinearReader::new_with_options(
        LinearReaderOptions::default()
            .with_skip_start_magic(true)
            .with_validate_summary_section_crc(true)
            .with_record_length_limit(most),
    );
    let mut summary = Summary::default();
    while let Some(event) = reader.next_event() {
        match event.map_err(|e| super::store::invalid(e.to_string()))? {
            LinearReadEvent::ReadRequest(want) => {
                let want = want.min(usize::try_from(len - at).unwrap_or(usize::MAX));
                let read = file::read_at(file, reader.insert(want), at)?;
                at += read as u64;
                reader.notify_read(read);
            }
            LinearReadEvent::Record { data, opcode } => {
                // Others have no place here, and the parser trusts what some of them say.
                let wanted = [
                    op::CHANNEL,
                    op::CHUNK_INDEX,
                    op::METADATA_INDEX,
                    op::ATTACHMENT_INDEX,
                    op::STATISTICS,
                ];
                if !wanted.contains(&opcode) {
                    continue;
                }
                let record = ::mcap::parse_record(opcode, data)
                    .map_err(|e| super::store::invalid(e.to_string()))?;
                collect(record, &mut summary);
            }
        }
    }
    Ok(summary)
}

fn collect(record: Record<'_>, summary: &mut Summary) {
    match record {
        Record::Channel(channel) => {
            let id = channel.id;
            let channel = ::mcap::Channel {
                id,
                topic: channel.topic,
                schema: None,
                message_encoding: channel.message_encoding,
                metadata: channel.metadata,
            };
            summary.channels.insert(id, Arc::new(channel));
        }
        Record::ChunkIndex(index) => summary.chunk_indexes.push(index),
        Record::MetadataIndex(index) => summary.metadata_indexes.push(index),
        Record::AttachmentIndex(index) => summary.attachment_indexes.push(index),
        Record::Statistics(stats) => summary.stats = Some(stats),
        _ => {}
    }
}

fn chunk(index: &::mcap::records::ChunkIndex, end: u64) -> io::Result<Chunk> {
    let data = index
        .compressed_data_offset()
        .map_err(|e| super::store::invalid(e.to_string()))?;
    let packing = Packing::parse(&index.compression);
    let plain = packing != Packing::None || index.compressed_size == index.uncompressed_size;
    if !plain
        || data
            .checked_add(index.compressed_size)
            .is_none_or(|e| e > end)
    {
        return Err(super::store::invalid("it lists a chunk that cannot be"));
    }
    let at = index.message_index_offsets.iter();
    Ok(Chunk {
        record: Some(index.chunk_start_offset),
        data,
        stored: index.compressed_size,
        size: index.uncompressed_size,
        packing,
        end_time: index.message_end_time,
        spots: Spots::Indexed(at.map(|(channel, at)| (*channel, *at)).collect()),
    })
}

/// Reads one metadata record.
fn metadata(file: &File, at: u64, len: u64) -> io::Result<Metadata> {
    let body = record_at(file, at, len, op::METADATA, METADATA_LIMIT)?;
    match ::mcap::parse_record(op::METADATA, &body) {
        Ok(Record::Metadata(metadata)) => Ok(metadata),
        _ => Err(super::store::invalid("a metadata record makes no sense")),
    }
}

/// Reads the record of that kind at a place that an index gives.
pub(super) fn record_at(
    file: &File,
    at: u64,
    len: u64,
    kind: u8,
    most: u64,
) -> io::Result<Vec<u8>> {
    let mut head = [0; RECORD_HEAD];
    file::read_exact_at(file, &mut head, at)?;
    let [op, size @ ..] = head;
    let size = u64::from_le_bytes(size);
    let body = at + RECORD_HEAD as u64;
    let fits = size <= most && body.checked_add(size).is_some_and(|end| end <= len);
    if op != kind || !fits {
        return Err(super::store::invalid("the index points to another record"));
    }
    let mut bytes = vec![0; size as usize];
    file::read_exact_at(file, &mut bytes, body)?;
    Ok(bytes)
}
