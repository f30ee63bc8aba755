//! lz4 in its frame format. The frame is walked here and its blocks go straight into the output:
//! a frame reader would copy each of them once more, and LZ4 is half the cost of a scan.
//! The frame's own checksums are skipped: the batch's CRC covers the same bytes.

use std::io::Write;

use lz4_flex::block::{DecompressError, decompress_into, decompress_into_with_dict};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use super::{Room, broken, failed};
use crate::event::codec::CodecError;

const NAME: &str = "lz4";
const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// How far back a block may reach into the one before.
const WINDOW: usize = 64 * 1024;
/// One byte of a block makes at most 255 of output.
const DENSEST: usize = 255;
/// The top bit of a block's length: it is stored as it is.
const STORED: u32 = 1 << 31;

/// What the frame header says.
struct Frame {
    linked: bool,
    block_checksums: bool,
    /// A checksum of the whole follows the last block.
    checksum: bool,
    /// No block holds more.
    block: usize,
}

/// Inflates one frame; what follows it is returned.
pub(super) fn inflate<'a>(input: &'a [u8], room: &mut Room) -> Result<&'a [u8], CodecError> {
    let cut = || broken(NAME, "the frame is cut");
    let (frame, mut rest) = frame(input)?;
    loop {
        let (&word, tail) = rest.split_first_chunk().ok_or_else(cut)?;
        let word = u32::from_le_bytes(word);
        if word == 0 {
            let checksum = if frame.checksum { 4 } else { 0 };
            return tail.get(checksum..).ok_or_else(cut);
        }
        let len = (word & !STORED) as usize;
        let (block, tail) = tail.split_at_checked(len).ok_or_else(cut)?;
        if word & STORED == 0 {
            expand(block, &frame, room)?;
        } else {
            let free = room.free(len)?;
            if free.len() < len {
                return Err(room.too_large());
            }
            free[..len].copy_from_slice(block);
            room.used += len;
        }
        let checksum = if frame.block_checksums { 4 } else { 0 };
        rest = tail.get(checksum..).ok_or_else(cut)?;
    }
}

/// Decompresses one block behind what is in the room already.
fn expand(block: &[u8], frame: &Frame, room: &mut Room) -> Result<(), CodecError> {
    let most = block.len().saturating_mul(DENSEST).min(frame.block);
    room.free(most)?;
    let (before, free) = room.bytes.split_at_mut(room.used);
    let capped = free.len() < most;
    let window = free.len().min(most);
    let target = &mut free[..window];
    let written = if frame.linked && !before.is_empty() {
        let dictionary = &before[before.len().saturating_sub(WINDOW)..];
        decompress_into_with_dict(block, target, dictionary)
    } else {
        decompress_into(block, target)
    };
    match written {
        Ok(written) => {
            room.used += written;
            Ok(())
        }
        Err(DecompressError::OutputTooSmall { .. }) if capped => Err(room.too_large()),
        Err(error) => Err(broken(NAME, error)),
    }
}

/// Reads the frame header; the blocks are returned with it.
fn frame(input: &[u8]) -> Result<(Frame, &[u8]), CodecError> {
    let rest = input
        .strip_prefix(&MAGIC)
        .ok_or_else(|| broken(NAME, "it does not begin as an lz4 frame"))?;
    let cut = || broken(NAME, "the frame header is cut");
    let (&[flags, sizes], rest) = rest.split_first_chunk().ok_or_else(cut)?;
    if flags >> 6 != 1 || flags & 0b10 != 0 {
        return Err(broken(NAME, "its frame has an unknown version"));
    }
    if flags & 1 != 0 {
        return Err(broken(NAME, "its frame needs a dictionary"));
    }
    let block = match sizes >> 4 & 7 {
        4 => 64 * 1024,
        5 => 256 * 1024,
        6 => 1024 * 1024,
        7 => 4 * 1024 * 1024,
        _ => return Err(broken(NAME, "its frame has an unknown block size")),
    };
    // The content size, where there is one, then the header's checksum.
    let skip = if flags & 0b1000 == 0 { 1 } else { 9 };
    let rest = rest.get(skip..).ok_or_else(cut)?;
    let frame = Frame {
        linked: flags & 0b10_0000 == 0,
        block_checksums: flags & 0b1_0000 != 0,
        checksum: flags & 0b100 != 0,
        block,
    };
    Ok((frame, rest))
}

pub(super) fn deflate(input: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
    // What Java writes; its reader takes no linked blocks.
    let info = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder
        .write_all(input)
        .map_err(|error| failed(NAME, error))?;
    encoder
        .finish()
        .map(|_| ())
        .map_err(|error| failed(NAME, error))
}
