//! Kafka's record batch (format v2), read and written: the format of the broker's log, of captures
//! and of the embedded broker. Bytes in, bytes out; no I/O and no selection. Its compressions are
//! lent to whoever finds such a stream in a value.

mod compress;
mod decode;
mod encode;
mod error;
mod header;
mod stream;

pub use compress::inflate;
pub use decode::{Decoder, Record, Records};
pub use encode::{BatchOptions, Encoder, control_batch, emptied};
pub use error::CodecError;
pub use header::BatchHeader;
pub use stream::{StreamInflater, StreamKind};

/// The checksum of record batches, CRC-32C, for other files that tell torn lines by it.
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

#[cfg(test)]
mod tests;
