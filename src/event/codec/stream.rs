//! Compressed streams outside of record batches: producers compress values by themselves. Which
//! compression it is, is told by its first bytes.

use super::CodecError;
use super::compress::Inflater;

/// A compression by the container that it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// RFC 1952.
    Gzip,
    /// RFC 1950. Its first bytes occur elsewhere: it is never recognised, only asked for.
    Zlib,
    /// RFC 8878.
    Zstd,
    /// LZ4's frame format.
    Lz4,
    /// Snappy's framing format.
    Snappy,
    /// The stream format of snappy-java ("xerial").
    SnappyJava,
}

impl StreamKind {
    const RECOGNISED: [Self; 5] = [
        Self::Gzip,
        Self::Zstd,
        Self::Lz4,
        Self::Snappy,
        Self::SnappyJava,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Snappy | Self::SnappyJava => "snappy",
        }
    }

    /// The bytes that every such stream begins with; none for zlib.
    pub const fn magic(self) -> &'static [u8] {
        match self {
            // With the one compression method that there is.
            Self::Gzip => b"\x1f\x8b\x08",
            Self::Zlib => b"",
            Self::Zstd => b"\x28\xb5\x2f\xfd",
            Self::Lz4 => b"\x04\x22\x4d\x18",
            Self::Snappy => b"\xff\x06\x00\x00sNaPpY",
            Self::SnappyJava => b"\x82SNAPPY\0",
        }
    }

    /// The kind whose magic the bytes begin with.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let known = Self::RECOGNISED.iter();
        known.copied().find(|kind| bytes.starts_with(kind.magic()))
    }
}

/// Inflates streams, one after the other, on one recycled buffer.
pub struct StreamInflater(Inflater);

impl Default for StreamInflater {
    fn default() -> Self {
        Self(Inflater::new(0))
    }
}

impl StreamInflater {
    /// The bytes that the whole of `input` inflates to, valid until the next call. More than
    /// `limit` bytes are [`CodecError::TooLarge`], found out before they are made.
    pub fn inflate(
        &mut self,
        kind: StreamKind,
        input: &[u8],
        limit: usize,
    ) -> Result<&[u8], CodecError> {
        self.0.inflate_stream(kind, input, limit)
    }
}
