//! What can be wrong with a record batch, with the byte at which it is.

/// A batch that cannot be read or written. Positions count from the first byte of the batch, or
/// from the first byte of the decompressed records where the message says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("the record batch is cut: it needs {need} bytes, {have} are there")]
    Truncated { need: usize, have: usize },
    #[error(
        "message format v{magic} (byte 16) is from before Kafka 0.11; only record batches (v2) are read"
    )]
    OldFormat { magic: u8 },
    #[error("not a record batch: byte 16 is {magic}, format v2 has 2 there")]
    NotABatch { magic: u8 },
    #[error("the batch header says {field} = {value} (byte {at}), which cannot be")]
    Header {
        field: &'static str,
        value: i64,
        at: usize,
    },
    #[error(
        "the batch is damaged: its CRC-32C is {stored:#010x} (byte 17), that of its bytes {computed:#010x}"
    )]
    Checksum { stored: u32, computed: u32 },
    #[error("compression type {id} (byte 21) is unknown")]
    Compression { id: i16 },
    #[error("the {codec} data of the batch (from byte 61) do not decompress: {reason}")]
    Inflate { codec: &'static str, reason: String },
    #[error("the records of the batch are larger than {limit} bytes when decompressed")]
    TooLarge { limit: usize },
    #[error("record {index} of the batch (byte {at} of its decompressed records): {reason}")]
    Record {
        index: u32,
        at: usize,
        reason: &'static str,
    },
    #[error("record {index} does not fit into the batch: {reason}")]
    Unfit { index: u32, reason: &'static str },
    #[error("the records do not compress with {codec}: {reason}")]
    Deflate { codec: &'static str, reason: String },
}
