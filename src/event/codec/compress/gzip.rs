//! gzip, as `java.util.zip` writes it. Several members in a row are one stream, as RFC 1952 says.
//! A zlib stream (RFC 1950) is read the same way.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::{Room, STEP, broken, failed};
use crate::event::codec::CodecError;

const NAME: &str = "gzip";
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Base-two logarithm of DEFLATE's largest window.
const WINDOW_BITS: u8 = 15;

/// What follows the last member is returned.
pub(super) fn inflate<'a>(mut input: &'a [u8], room: &mut Room) -> Result<&'a [u8], CodecError> {
    loop {
        input = stream(NAME, Decompress::new_gzip(WINDOW_BITS), input, room)?;
        if !input.starts_with(&MAGIC) {
            return Ok(input);
        }
    }
}

/// What follows the stream is returned.
pub(super) fn inflate_zlib<'a>(input: &'a [u8], room: &mut Room) -> Result<&'a [u8], CodecError> {
    stream("zlib", Decompress::new(true), input, room)
}

/// Inflates one stream; what follows it is returned.
fn stream<'a>(
    name: &'static str,
    mut state: Decompress,
    mut input: &'a [u8],
    room: &mut Room,
) -> Result<&'a [u8], CodecError> {
    loop {
        let (read, written) = (state.total_in(), state.total_out());
        let free = room.free(STEP)?;
        let status = state
            .decompress(input, free, FlushDecompress::None)
            .map_err(|error| broken(name, error))?;
        let read = (state.total_in() - read) as usize;
        let written = (state.total_out() - written) as usize;
        input = &input[read..];
        room.used += written;
        match status {
            Status::StreamEnd => return Ok(input),
            Status::Ok | Status::BufError if read == 0 && written == 0 => {
                return Err(broken(name, "the stream is cut"));
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

pub(super) fn deflate(input: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
    let mut encoder = GzEncoder::new(out, flate2::Compression::default());
    encoder
        .write_all(input)
        .and_then(|()| encoder.finish())
        .map(|_| ())
        .map_err(|error| failed(NAME, error))
}
