//! lz4 in its frame format. The frame is walked and written here, and its blocks go straight into
//! the output: a frame reader would copy each of them once more, and LZ4 is half the cost of a scan.
//! The frame's own checksums are skipped: the batch's CRC covers the same bytes.

mod block;

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use self::block::Fault;
use super::{Room, broken, failed};
use crate::event::codec::CodecError;

const NAME: &str = "lz4";
const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
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
    let start = room.used;
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
            expand(block, &frame, start, room)?;
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

/// Decompresses one block behind what is in the room already. The frame began at `start` of it.
fn expand(block: &[u8], frame: &Frame, start: usize, room: &mut Room) -> Result<(), CodecError> {
    let most = block.len().saturating_mul(DENSEST).min(frame.block);
    let free = room.free(most)?.len();
    let capped = free < most;
    let end = room.used + free.min(most);
    // Linked blocks reach back into those before them.
    let start = if frame.linked { start } else { room.used };
    let window = &mut room.bytes[start..end];
    match block::expand(block, window, room.used - start) {
        Ok(end) => {
            room.used = start + end;
            Ok(())
        }
        Err(Fault::Full) if capped => Err(room.too_large()),
        Err(fault) => Err(broken(NAME, fault)),
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

/// A frame of independent blocks of at most 64 KiB without checksums, as Java writes it; its reader
/// takes no linked ones. The last byte is the header's own checksum.
const HEAD: [u8; 7] = [MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3], 0x60, 0x40, 0x82];
const BLOCK: usize = 64 * 1024;

/// Writes frames; keeps the table by which matches are found, and the room for one block.
pub(super) struct Deflate {
    table: CompressTable,
    room: Vec<u8>,
}

impl Default for Deflate {
    fn default() -> Self {
        Self {
            table: CompressTable::large(),
            room: Vec::new(),
        }
    }
}

impl Deflate {
    /// Appends one frame. A frame writer copies each block twice and makes its buffers anew, which
    /// costs as much as compressing does.
    pub(super) fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&HEAD);
        let most = get_maximum_output_size(input.len().min(BLOCK));
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        for block in input.chunks(BLOCK) {
            let written = compress_into_with_table(block, &mut self.room, &mut self.table);
            let len = written.map_err(|error| failed(NAME, error))?;
            // What does not shrink would grow, beyond what readers have room for.
            let (flag, bytes) = match self.room.get(..len) {
                Some(shrunk) if len < block.len() => (0, shrunk),
                _ => (STORED, block),
            };
            out.extend_from_slice(&(bytes.len() as u32 | flag).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        out.extend_from_slice(&0_u32.to_le_bytes());
        Ok(())
    }
}
