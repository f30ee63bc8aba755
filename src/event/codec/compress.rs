//! The four compressions of Kafka, both ways, on recycled buffers, and the streams of the same
//! kinds that stand in values. Output grows as it is made and stops at a limit; a size that the
//! input claims is never allocated.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

use super::{CodecError, StreamKind};
use crate::event::Compression;

/// A first buffer, and the least by which it grows.
const STEP: usize = 64 * 1024;
/// A buffer that one huge batch grew beyond this is given back when a small one follows.
const KEEP: usize = 8 * 1024 * 1024;

/// Decompresses, one batch after the other.
pub(super) struct Inflater {
    room: Room,
    zstd: zstd::Inflate,
}

impl Inflater {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            room: Room {
                bytes: Vec::new(),
                limit,
                used: 0,
            },
            zstd: zstd::Inflate::new(),
        }
    }

    /// The decompressed bytes, valid until the next call.
    pub(super) fn inflate<'a>(
        &'a mut self,
        codec: Compression,
        input: &'a [u8],
    ) -> Result<&'a [u8], CodecError> {
        self.room.restart();
        match codec {
            Compression::None => return Ok(input),
            // What follows the stream was never looked at: nothing reads it.
            Compression::Gzip => {
                gzip::inflate(input, &mut self.room)?;
            }
            Compression::Snappy => snappy::inflate(input, &mut self.room)?,
            Compression::Lz4 => {
                lz4::inflate(input, &mut self.room)?;
            }
            Compression::Zstd => self.zstd.inflate(input, &mut self.room)?,
        }
        self.inflated()
    }

    /// As [`Inflater::inflate`], for a stream that is the whole of `input`.
    pub(super) fn inflate_stream(
        &mut self,
        kind: StreamKind,
        input: &[u8],
        limit: usize,
    ) -> Result<&[u8], CodecError> {
        self.room.restart();
        self.room.set_limit(limit);
        let room = &mut self.room;
        let none: &[u8] = &[];
        let mut rest = match kind {
            StreamKind::Gzip => gzip::inflate(input, room)?,
            StreamKind::Zlib => gzip::inflate_zlib(input, room)?,
            StreamKind::Lz4 => lz4::inflate(input, room)?,
            StreamKind::Snappy => snappy::inflate_frames(input, room).map(|()| none)?,
            StreamKind::SnappyJava => snappy::inflate(input, room).map(|()| none)?,
            StreamKind::Zstd => self.zstd.inflate(input, room).map(|()| none)?,
        };
        // Frames may follow each other, as `lz4` itself reads them.
        while kind == StreamKind::Lz4 && rest.starts_with(StreamKind::Lz4.magic()) {
            rest = lz4::inflate(rest, &mut self.room)?;
        }
        if !rest.is_empty() {
            let reason = format!("{} bytes follow it", rest.len());
            return Err(broken(kind.name(), reason));
        }
        self.inflated()
    }

    fn inflated(&self) -> Result<&[u8], CodecError> {
        if self.room.used > self.room.limit {
            return Err(self.room.too_large());
        }
        Ok(&self.room.bytes[..self.room.used])
    }
}

/// Decompresses what is no record batch, to `limit` bytes at most.
pub fn inflate(codec: Compression, input: &[u8], limit: usize) -> Result<Vec<u8>, CodecError> {
    let mut inflater = Inflater::new(limit);
    inflater.inflate(codec, input).map(<[u8]>::to_vec)
}

/// The output buffer: initialized once, so that no batch pays for zeroing it again.
struct Room {
    bytes: Vec<u8>,
    limit: usize,
    used: usize,
}

impl Room {
    fn restart(&mut self) {
        if self.bytes.len() > KEEP && self.used < KEEP / 2 {
            self.bytes = Vec::new();
        }
        self.used = 0;
    }

    /// The buffer never holds more than one byte beyond the limit.
    fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.bytes.truncate(limit.saturating_add(1));
    }

    /// The free bytes: at least `want`, unless the limit is nearer; beyond the limit an error.
    /// One byte more than the limit may be filled, so that reaching it is not yet passing it.
    fn free(&mut self, want: usize) -> Result<&mut [u8], CodecError> {
        let need = self.used.saturating_add(want);
        if need > self.bytes.len() {
            let doubled = need.max(self.bytes.len().saturating_mul(2)).max(STEP);
            self.bytes
                .resize(doubled.min(self.limit.saturating_add(1)), 0);
        }
        if self.used == self.bytes.len() && want > 0 {
            return Err(self.too_large());
        }
        Ok(&mut self.bytes[self.used..])
    }

    const fn too_large(&self) -> CodecError {
        CodecError::TooLarge { limit: self.limit }
    }
}

/// Compresses, one batch after the other.
#[derive(Default)]
pub(super) struct Deflater {
    lz4: lz4::Deflate,
    zstd: zstd::Deflate,
}

impl Deflater {
    /// Appends the compressed bytes to `out`.
    pub(super) fn deflate(
        &mut self,
        codec: Compression,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        match codec {
            Compression::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            Compression::Gzip => gzip::deflate(input, out),
            Compression::Snappy => snappy::deflate(input, out),
            Compression::Lz4 => self.lz4.deflate(input, out),
            Compression::Zstd => self.zstd.deflate(input, out),
        }
    }
}

fn broken(codec: &'static str, reason: impl std::fmt::Display) -> CodecError {
    CodecError::Inflate {
        codec,
        reason: reason.to_string(),
    }
}

fn failed(codec: &'static str, reason: impl std::fmt::Display) -> CodecError {
    CodecError::Deflate {
        codec,
        reason: reason.to_string(),
    }
}
