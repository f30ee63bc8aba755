//! The message indexes in front of a Protobuf value in Confluent's framing: which message of the
//! schema it is.

use super::wire::{Cursor, zigzag};

/// How deep the message may be nested; the framing itself has no limit.
const MOST: usize = 16;

/// The way to a message: which of the top-level messages, which of those nested in it, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Indexes {
    items: [u32; MOST],
    len: usize,
}

impl Indexes {
    /// At least one, at most 16.
    pub fn as_slice(&self) -> &[u32] {
        self.items.get(..self.len).unwrap_or_default()
    }
}

/// Reads the indexes in front of a value, and how many bytes they take: a count and as many
/// numbers, all of them zigzag varints, or the one byte `00` for the first message. `None` for
/// what is neither, and for more than 16 levels.
pub fn read_indexes(bytes: &[u8]) -> Option<(Indexes, usize)> {
    read(bytes, |value| u32::try_from(zigzag(value)).ok())
}

/// As [`read_indexes`], without zigzag: what old Python clients wrote.
pub fn read_indexes_plain(bytes: &[u8]) -> Option<(Indexes, usize)> {
    read(bytes, |value| u32::try_from(value).ok())
}

fn read(bytes: &[u8], number: impl Fn(u64) -> Option<u32>) -> Option<(Indexes, usize)> {
    let mut cursor = Cursor::new(bytes, 0, bytes.len());
    let mut indexes = Indexes::default();
    let next = |cursor: &mut Cursor<'_>| cursor.varint().ok().and_then(&number);
    let count = next(&mut cursor)? as usize;
    indexes.len = count.max(1);
    for place in indexes.items.get_mut(..indexes.len)?.iter_mut().take(count) {
        *place = next(&mut cursor)?;
    }
    Some((indexes, cursor.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reads indexes.
    type Read = fn(&[u8]) -> Option<(Indexes, usize)>;

    fn both(read: Read, bytes: &[u8]) -> Option<(Vec<u32>, usize)> {
        read(bytes).map(|(indexes, len)| (indexes.as_slice().to_vec(), len))
    }

    #[test]
    fn what_reference_serializers_write_is_read() {
        for (bytes, indexes, length) in [
            (&b"\x00\x0a"[..], &[0][..], 1),
            (b"\x02\x00\x0a", &[0], 2),
            (b"\x02\x02\x0a", &[1], 2),
            (b"\x04\x02\x00\x0a", &[1, 0], 3),
            (b"\x06\x02\x00\x00", &[1, 0, 0], 4),
            (b"\x02\xd8\x04", &[300], 3),
        ] {
            let read = both(read_indexes, bytes);
            assert_eq!(read, Some((indexes.to_vec(), length)), "{bytes:?}");
        }
        for (bytes, indexes, length) in [
            (&b"\x00"[..], &[0][..], 1),
            (b"\x01\x00", &[0], 2),
            (b"\x02\x01\x00", &[1, 0], 3),
        ] {
            let read = both(read_indexes_plain, bytes);
            assert_eq!(read, Some((indexes.to_vec(), length)), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_indexes_is_none() {
        for bytes in [
            &b""[..],
            b"\x01",
            b"\x03",
            b"\x02",
            b"\x02\x01",
            b"\x04\x02",
            b"\x22\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
            b"\x80",
        ] {
            assert_eq!(read_indexes(bytes), None, "{bytes:?}");
        }
        let sixteen = [&b"\x20"[..], &[0; 16]].concat();
        assert_eq!(both(read_indexes, &sixteen), Some((vec![0; 16], 17)));
    }
}
