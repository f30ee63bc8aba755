//! One LZ4 block, decompressed. This is half of what a scan costs, so that the usual sequences of a
//! block are copied here without a check for each piece: the one `unsafe` room beside the calls of
//! librdkafka. Frames are the parent's.
//!
//! A block is a row of sequences: a token, literals, how far back a match begins, and how long it
//! is (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>). In JSON events a sequence
//! makes 18 bytes, so what costs is not the copying, but a wrong guess of the processor about the
//! next length. Hence [`rush`] copies more than it must, asks as little as it can, and leaves
//! whatever is unusual to [`step`].

use std::hint::select_unpredictable;

use thiserror::Error;

/// What is wrong with a block.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Fault {
    #[error("a block is cut")]
    Cut,
    #[error("a block holds more than there is room for")]
    Full,
    #[error("a match begins before the block's data")]
    Reach,
}

/// Where a lone token says that the length goes on.
const MORE: usize = 15;
/// The shortest match; lengths count from it.
const LEAST: usize = 4;
/// A piece that is copied at once.
const PIECE: usize = 16;
/// Literals that are copied without asking whether they are so many.
const LITERALS: usize = 2 * PIECE;
/// What is copied of a match without asking whether it is so long.
const MATCH: usize = 4 * PIECE;
/// The longest that one byte more can tell; the last value says that another follows.
const LONGEST: usize = MORE + 254;
/// What a round of [`rush`] reads at most: a token, a length, literals, a distance, a length.
const READ: usize = 1 + 1 + LITERALS + 2 + 1;
/// How far a round of [`rush`] writes at most: a match that repeats itself goes up to two pieces
/// on before its usual pieces.
const WRITTEN: usize = LITERALS + 2 * PIECE + MATCH;

/// Decompresses `block` into `out` from `at` on, and tells where it ends. What stands before `at`
/// is what matches may reach back to.
pub(super) fn expand(block: &[u8], out: &mut [u8], at: usize) -> Result<usize, Fault> {
    let (mut read, mut written) = (0, at);
    loop {
        (read, written) = rush(block, out, read, written);
        let rest = block.get(read..).unwrap_or_default();
        match step(rest, out, written)? {
            (Some(tail), end) => (read, written) = (block.len() - tail.len(), end),
            (None, end) => return Ok(end),
        }
    }
}

/// Goes through usual sequences, up to the first that is not, or that is near the end of the block
/// or of `out`; tells where it begins and where its output goes. Behind that, `out` is scribbled on.
#[expect(
    unsafe_code,
    reason = "checked piece by piece it takes 1.3 times as long"
)]
fn rush(block: &[u8], out: &mut [u8], read: usize, written: usize) -> (usize, usize) {
    let (Some(last_read), Some(last_write)) = (
        block.len().checked_sub(READ),
        out.len().checked_sub(WRITTEN),
    ) else {
        return (read, written);
    };
    if read > last_read || written > last_write {
        return (read, written);
    }
    let (source, target) = (block.as_ptr(), out.as_mut_ptr());
    // SAFETY: a round begins with `from` at most at `last_read` and `to` at most at `last_write`,
    // so READ bytes can be read behind the one and WRITTEN be written behind the other:
    // - LITERALS are copied from two bytes behind `from` at the farthest, to `to`. More of them only
    //   where they end at `last_read` and `last_write` at the farthest, beyond which the last piece
    //   goes by less than its length;
    // - `next` is 2 + LITERALS behind `from`, or at `last_read`, at the farthest when the three bytes
    //   of the distance and the length are read; `end` is LITERALS behind `to`, or at `last_write`;
    // - the match is read from `back` bytes before `end`, which is in `out` as `back` is no more
    //   than what stands before `end`; it is written to `ahead`, which is `gap` behind that. The
    //   last `gap` is below two pieces, so `ahead` is that far behind `end` at most; and it is a
    //   piece or more, so that each piece is read from where it was written before. More than MATCH
    //   only where it ends at `last_write` at the farthest, beyond which `ahead` and the last piece
    //   go by less than three pieces.
    // `from` and `to` are compared with their bounds before the next round. `block` and `out` are
    // different slices, the bytes of `out` are initialized, and any value is a valid byte.
    unsafe {
        let (last_read, last_write) = (source.add(last_read), target.add(last_write));
        let (mut from, mut to) = (source.add(read), target.add(written));
        while from <= last_read && to <= last_write {
            let token = usize::from(*from);
            let mut next = from.add(1);
            let mut literals = token >> 4;
            copy::<PIECE>(next, to);
            if literals == MORE {
                literals += usize::from(*next);
                next = next.add(1);
                copy::<LITERALS>(next, to);
                if literals > LITERALS {
                    let room = last_read.offset_from(next).min(last_write.offset_from(to));
                    if literals > LONGEST || literals.cast_signed() > room {
                        break;
                    }
                    copy_on(next, to, LITERALS, literals);
                }
            }
            next = next.add(literals);
            let end = to.add(literals);
            let back = usize::from(u16::from_le_bytes(next.cast::<[u8; 2]>().read()));
            next = next.add(2);
            let short = token & MORE;
            let longer = short == MORE;
            let len = LEAST + short + select_unpredictable(longer, usize::from(*next), 0);
            if back == 0 || back > end.offset_from_unsigned(target) {
                break;
            }
            // What repeats itself within a piece doubles until it fills one.
            let start = end.sub(back);
            let (mut ahead, mut gap) = (end, back);
            while gap < PIECE {
                copy::<PIECE>(start, ahead);
                ahead = ahead.add(gap);
                gap *= 2;
            }
            copy::<MATCH>(start, ahead);
            if len > MATCH {
                let room = last_write.offset_from(end);
                if len > LEAST + LONGEST || len.cast_signed() > room {
                    break;
                }
                copy_on(start, ahead, MATCH, len);
            }
            from = next.add(usize::from(longer));
            to = end.add(len);
        }
        (
            from.offset_from_unsigned(source),
            to.offset_from_unsigned(target),
        )
    }
}

/// Copies `LEN` bytes, a multiple of a piece, piece by piece.
///
/// # Safety
/// `LEN` bytes can be read at `from` and be written at `to`.
#[expect(unsafe_code, reason = "as `rush`")]
#[inline]
unsafe fn copy<const LEN: usize>(from: *const u8, to: *mut u8) {
    for piece in 0..LEN / PIECE {
        // SAFETY: the piece is within the `LEN` bytes, and has no alignment.
        unsafe {
            let bytes = from.add(piece * PIECE).cast::<[u8; PIECE]>().read();
            to.add(piece * PIECE).cast::<[u8; PIECE]>().write(bytes);
        }
    }
}

/// Copies what is still missing of `len` bytes, `done` of which are there; less than a piece more.
///
/// # Safety
/// `len` bytes, and what is missing of their last piece, can be read at `from` and be written at `to`.
#[expect(unsafe_code, reason = "as `rush`")]
#[inline]
unsafe fn copy_on(from: *const u8, to: *mut u8, mut done: usize, len: usize) {
    while done < len {
        // SAFETY: it begins within the `len` bytes.
        unsafe { copy::<PIECE>(from.add(done), to.add(done)) };
        done += PIECE;
    }
}

/// Goes through the sequence at the beginning of `rest`, whatever it is; returns what follows it,
/// nothing behind the last one, and where its output ends.
fn step<'a>(rest: &'a [u8], out: &mut [u8], at: usize) -> Result<(Option<&'a [u8]>, usize), Fault> {
    let (&token, rest) = rest.split_first().ok_or(Fault::Cut)?;
    let token = usize::from(token);
    let (literals, rest) = length(token >> 4, rest)?;
    let (from, rest) = rest.split_at_checked(literals).ok_or(Fault::Cut)?;
    let end = at + literals;
    out.get_mut(at..end)
        .ok_or(Fault::Full)?
        .copy_from_slice(from);
    // The last sequence is literals alone.
    if rest.is_empty() {
        return Ok((None, end));
    }
    let (&back, rest) = rest.split_first_chunk().ok_or(Fault::Cut)?;
    let back = usize::from(u16::from_le_bytes(back));
    let (len, rest) = length(token & MORE, rest)?;
    repeat(out, end, back, len + LEAST)?;
    Ok((Some(rest), end + len + LEAST))
}

/// A length that begins in four bits of the token: each byte of 255 says that another follows.
fn length(short: usize, rest: &[u8]) -> Result<(usize, &[u8]), Fault> {
    if short < MORE {
        return Ok((short, rest));
    }
    let full = rest.iter().take_while(|&&byte| byte == u8::MAX).count();
    let (&last, rest) = rest[full..].split_first().ok_or(Fault::Cut)?;
    Ok((
        short + full * usize::from(u8::MAX) + usize::from(last),
        rest,
    ))
}

/// Writes `len` bytes at `at`, as they stand from `back` bytes before it on. A match that is longer
/// than that repeats itself, and what is there already doubles with each copy.
fn repeat(out: &mut [u8], at: usize, back: usize, len: usize) -> Result<(), Fault> {
    let start = at.checked_sub(back).ok_or(Fault::Reach)?;
    if back == 0 {
        return Err(Fault::Reach);
    }
    if out.len() - at < len {
        return Err(Fault::Full);
    }
    let mut done = 0;
    while done < len {
        let some = (back + done).min(len - done);
        out.copy_within(start..start + some, at + done);
        done += some;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
