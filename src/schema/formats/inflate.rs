//! Values that their producer compressed: recognised by their first bytes and inflated up to a
//! limit. The decompression itself is the codec's.

use crate::event::codec::{CodecError, StreamInflater, StreamKind};
use crate::schema::Refusal;

/// The most that one value may inflate to, in bytes: 16 MiB, which leaves part of the 100 ms that an
/// event may take for reading what comes out.
pub const INFLATED: usize = 16 * 1024 * 1024;
/// What densest data may become of each byte, beyond [`FREE`]. DEFLATE's own limit is 1032.
const DENSEST: usize = 1000;
const FREE: usize = 1024 * 1024;

/// The compression that the bytes begin as. It is only a candidate until they inflate.
///
/// By chance three bytes of gzip begin one of 16 million random values, the others need four and
/// more; each of them also checks its own header and most their content.
pub fn kind(bytes: &[u8]) -> Option<StreamKind> {
    StreamKind::of(bytes)
}

/// The most that a value of that size may inflate to.
pub const fn most(compressed: usize) -> usize {
    let most = compressed.saturating_mul(DENSEST).saturating_add(FREE);
    if most < INFLATED { most } else { INFLATED }
}

/// Inflates values, one after the other, on one recycled buffer.
#[derive(Default)]
pub struct Inflater(StreamInflater);

impl Inflater {
    /// The bytes that the whole of `bytes` inflates to, valid until the next call; at most `most`
    /// of them, for which [`most`] gives the usual value.
    pub fn inflate(
        &mut self,
        kind: StreamKind,
        bytes: &[u8],
        most: usize,
    ) -> Result<&[u8], Refusal> {
        let inflated = self.0.inflate(kind, bytes, most);
        inflated.map_err(|error| refusal(kind, &error))
    }
}

fn refusal(kind: StreamKind, error: &CodecError) -> Refusal {
    let name = kind.name();
    Refusal::new(match error {
        CodecError::Inflate { reason, .. } => {
            format!("the {name} stream does not decompress: {reason}")
        }
        CodecError::TooLarge { limit } => {
            format!("the {name} stream is larger than {limit} bytes when decompressed")
        }
        other => format!("the {name} stream does not decompress: {other}"),
    })
}

#[cfg(test)]
mod tests;
