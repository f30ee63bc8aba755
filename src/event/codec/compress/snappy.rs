//! snappy: the bare block that librdkafka writes, and the chunks that Java's snappy ("xerial")
//! writes. Both are read; chunks are written, which every client reads. Snappy's own frames, which
//! no Kafka client writes around records, are read too.

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use super::{Room, broken, failed};
use crate::event::codec::CodecError;

const NAME: &str = "snappy";
/// In front of Java's chunks, followed by two version numbers.
const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// Uncompressed bytes of one chunk, as Java has it.
const CHUNK: usize = 32 * 1024;

pub(super) fn inflate(input: &[u8], room: &mut Room) -> Result<(), CodecError> {
    match input.strip_prefix(&MAGIC) {
        Some(rest) => chunks(rest, room),
        None => block(input, room),
    }
}

/// Chunks: a length in four bytes, big end first, and a block.
fn chunks(input: &[u8], room: &mut Room) -> Result<(), CodecError> {
    let cut = || broken(NAME, "a chunk is cut");
    let mut rest = input.get(VERSIONS.len()..).ok_or_else(cut)?;
    while let Some((&len, tail)) = rest.split_first_chunk() {
        // Streams that were joined carry their magic again.
        if let Some(tail) = rest.strip_prefix(&MAGIC) {
            rest = tail.get(VERSIONS.len()..).ok_or_else(cut)?;
            continue;
        }
        let len = u32::from_be_bytes(len) as usize;
        let (chunk, tail) = tail.split_at_checked(len).ok_or_else(cut)?;
        block(chunk, room)?;
        rest = tail;
    }
    if rest.is_empty() { Ok(()) } else { Err(cut()) }
}

fn block(input: &[u8], room: &mut Room) -> Result<(), CodecError> {
    let len = decompress_len(input).map_err(|error| broken(NAME, error))?;
    // The densest element makes 64 bytes of 3, so a block cannot hold more than it claims here.
    if len > input.len().saturating_mul(64) / 3 {
        return Err(broken(NAME, "a block claims more bytes than it can hold"));
    }
    let free = room.free(len)?;
    if free.len() < len {
        return Err(room.too_large());
    }
    let written = Decoder::new()
        .decompress(input, &mut free[..len])
        .map_err(|error| broken(NAME, error))?;
    room.used += written;
    Ok(())
}

/// The stream identifier in front of snappy's own frames.
const FRAMES: [u8; 10] = *b"\xff\x06\x00\x00sNaPpY";
/// No frame holds more, by the format's description.
const FRAME: usize = 64 * 1024;

/// Frames by <https://github.com/google/snappy/blob/main/framing_format.txt>: a type, a length in
/// three bytes, little end first, and for data a checksum.
pub(super) fn inflate_frames(input: &[u8], room: &mut Room) -> Result<(), CodecError> {
    let cut = || broken(NAME, "a frame is cut");
    if !input.starts_with(&FRAMES) {
        return Err(broken(NAME, "it does not begin with the stream identifier"));
    }
    let mut rest = input;
    while !rest.is_empty() {
        let (&[kind, a, b, c], tail) = rest.split_first_chunk().ok_or_else(cut)?;
        let len = u32::from_le_bytes([a, b, c, 0]) as usize;
        let (frame, tail) = tail.split_at_checked(len).ok_or_else(cut)?;
        match kind {
            0 | 1 => data(kind == 0, frame, room)?,
            0xff if !rest.starts_with(&FRAMES) => {
                return Err(broken(NAME, "a stream identifier is wrong"));
            }
            // Padding, and what may be skipped.
            0x80.. => {}
            _ => return Err(broken(NAME, "a frame has an unknown type")),
        }
        rest = tail;
    }
    Ok(())
}

fn data(compressed: bool, frame: &[u8], room: &mut Room) -> Result<(), CodecError> {
    let cut = || broken(NAME, "a frame is cut");
    let (&checksum, data) = frame.split_first_chunk().ok_or_else(cut)?;
    let start = room.used;
    if compressed {
        block(data, room)?;
    } else {
        let free = room.free(data.len())?;
        if free.len() < data.len() {
            return Err(room.too_large());
        }
        free[..data.len()].copy_from_slice(data);
        room.used += data.len();
    }
    let made = &room.bytes[start..room.used];
    if made.len() > FRAME {
        return Err(broken(NAME, "a frame holds more than 64 KiB"));
    }
    // The checksum is masked, so that those of data that hold checksums stay good ones.
    let masked = crc32c::crc32c(made)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8);
    if masked != u32::from_le_bytes(checksum) {
        return Err(broken(NAME, "a frame's checksum is wrong"));
    }
    Ok(())
}

pub(super) fn deflate(input: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSIONS);
    let mut encoder = Encoder::new();
    for chunk in input.chunks(CHUNK) {
        let at = out.len();
        out.resize(at + 4 + max_compress_len(chunk.len()), 0);
        let written = encoder
            .compress(chunk, &mut out[at + 4..])
            .map_err(|error| failed(NAME, error))?;
        out[at..at + 4].copy_from_slice(&(written as u32).to_be_bytes());
        out.truncate(at + 4 + written);
    }
    Ok(())
}
