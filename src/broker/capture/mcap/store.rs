//! Where the bytes of a capture are: chunks, and messages in them. What the bytes of a message
//! mean is not known here.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use ::mcap::records::op;

use super::layout::BATCH_LIMIT;
use crate::broker::capture::{file, zst};

/// Opcode and length of a record.
pub(super) const RECORD_HEAD: usize = 9;
/// Channel, sequence, log time and publish time of a message.
pub(super) const MESSAGE_HEAD: usize = 22;
/// Where the checksum of a chunk's records is in its record.
const AT_CHUNK_CRC: u64 = RECORD_HEAD as u64 + 24;
/// The largest chunk of another tool that is inflated.
const CHUNK_LIMIT: u64 = BATCH_LIMIT as u64;
/// Inflated chunks that are kept: partitions are merged, and stand near each other.
const CHUNKS_KEPT: usize = 4;

/// How a chunk is compressed. Ours never are, the record batches in them being so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Zstd,
    Lz4,
    Other(String),
}

impl Packing {
    pub(super) fn parse(name: &str) -> Self {
        match name {
            "" => Self::None,
            "zstd" => Self::Zstd,
            "lz4" => Self::Lz4,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A run of records: a chunk, or messages outside of any.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Where its own record begins, if it has one that was finished.
    pub(super) record: Option<u64>,
    /// Where its records begin in the file, and how many bytes they take there.
    pub(super) data: u64,
    pub(super) stored: u64,
    /// Bytes of its records when they are inflated.
    pub(super) size: u64,
    pub(super) packing: Packing,
    /// The greatest log time in it.
    pub(super) end_time: u64,
    pub(super) spots: Spots,
}

/// How the messages of a chunk are found.
#[derive(Debug)]
pub(super) enum Spots {
    /// For each channel in it, where its message index record is in the file.
    Indexed(Vec<(u16, u64)>),
    /// Found by walking over the chunk, in file order.
    Known(Vec<Spot>),
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) channel: u16,
    pub(super) log_time: u64,
    /// From the beginning of the chunk's records.
    pub(super) at: u64,
}

/// The head of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) op: u8,
    pub(super) len: u64,
}

/// Reads a capture's bytes; each thread has its own.
pub(super) struct Store {
    file: Arc<File>,
    inflated: VecDeque<(u64, Arc<[u8]>)>,
}

impl Store {
    pub(super) const fn new(file: Arc<File>) -> Self {
        Self {
            file,
            inflated: VecDeque::new(),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Fills the buffer from a place in the chunk's records.
    pub(super) fn read(&mut self, chunk: &Chunk, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > chunk.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if chunk.packing == Packing::None {
            return file::read_exact_at(&self.file, buffer, chunk.data + at);
        }
        let records = self.inflate(chunk)?;
        let start = at as usize;
        match records.get(start..start + buffer.len()) {
            Some(found) => buffer.copy_from_slice(found),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    /// The head of the record at that place; fails when it runs beyond the chunk.
    pub(super) fn head(&mut self, chunk: &Chunk, at: u64) -> io::Result<Head> {
        let mut bytes = [0; RECORD_HEAD];
        self.read(chunk, at, &mut bytes)?;
        let [op, len @ ..] = bytes;
        let len = u64::from_le_bytes(len);
        let room = chunk.size - at - RECORD_HEAD as u64;
        if len > room {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Head { op, len })
    }

    /// Reads the message at that spot into `body`: all of its data, or the first `most` bytes.
    /// Returns its sequence, the low half of the first offset.
    pub(super) fn message(
        &mut self,
        chunk: &Chunk,
        spot: Spot,
        most: usize,
        body: &mut Vec<u8>,
    ) -> io::Result<u32> {
        let head = self.head(chunk, spot.at)?;
        let mut fields = [0; 6];
        let at = spot.at + RECORD_HEAD as u64;
        self.read(chunk, at, &mut fields)?;
        let [c0, c1, sequence @ ..] = fields;
        let is_it = head.op == op::MESSAGE
            && head.len >= MESSAGE_HEAD as u64
            && u16::from_le_bytes([c0, c1]) == spot.channel;
        if !is_it {
            return Err(invalid("there is no message where the index points to"));
        }
        let size = head.len - MESSAGE_HEAD as u64;
        if size > BATCH_LIMIT as u64 {
            return Err(invalid("a message is larger than 256 MiB"));
        }
        body.clear();
        body.resize((size as usize).min(most), 0);
        self.read(chunk, at + MESSAGE_HEAD as u64, body)?;
        Ok(u32::from_le_bytes(sequence))
    }

    /// Whether the checksum of a chunk is that of its bytes. True for one that has none.
    pub(super) fn is_sound(&mut self, chunk: &Chunk) -> io::Result<bool> {
        let Some(record) = chunk.record else {
            return Ok(true);
        };
        let mut stored = [0; 4];
        file::read_exact_at(&self.file, &mut stored, record + AT_CHUNK_CRC)?;
        let stored = u32::from_le_bytes(stored);
        if stored == 0 {
            return Ok(true);
        }
        if chunk.packing != Packing::None {
            return Ok(crc32fast::hash(&self.inflate(chunk)?) == stored);
        }
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0; 128 * 1024];
        let mut at = 0;
        while at < chunk.size {
            let part = (chunk.size - at).min(buffer.len() as u64) as usize;
            file::read_exact_at(&self.file, &mut buffer[..part], chunk.data + at)?;
            hasher.update(&buffer[..part]);
            at += part as u64;
        }
        Ok(hasher.finalize() == stored)
    }

    fn inflate(&mut self, chunk: &Chunk) -> io::Result<Arc<[u8]>> {
        if let Some((_, records)) = self.inflated.iter().find(|(at, _)| *at == chunk.data) {
            return Ok(records.clone());
        }
        if chunk.size > CHUNK_LIMIT {
            return Err(invalid("a compressed chunk is larger than 256 MiB"));
        }
        let mut stored = file::Cursor::at(self.file.clone(), chunk.data).take(chunk.stored);
        let mut records = Vec::new();
        let mut inflater: Box<dyn Read + '_> = match &chunk.packing {
            Packing::None => Box::new(&mut stored),
            Packing::Zstd => zst::reader(&mut stored)?,
            Packing::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(&mut stored)),
            Packing::Other(name) => {
                return Err(invalid(format!("a chunk is compressed with '{name}'")));
            }
        };
        inflater
            .by_ref()
            .take(chunk.size)
            .read_to_end(&mut records)?;
        let records: Arc<[u8]> = records.into();
        if self.inflated.len() == CHUNKS_KEPT {
            self.inflated.pop_front();
        }
        self.inflated.push_back((chunk.data, records.clone()));
        Ok(records)
    }
}

pub(super) fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}
