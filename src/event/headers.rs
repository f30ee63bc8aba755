//! Headers of one event, kept in the encoding of Kafka's record format: for each header a zigzag
//! varint key length, the key, a zigzag varint value length (-1 = null), the value.
//! Their order, repeats and nulls are part of the event and survive.

/// A borrowed block of headers. Bytes that do not parse end the iteration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    pub const fn from_encoded(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub const fn encoded(&self) -> &'a [u8] {
        self.bytes
    }

    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub const fn iter(&self) -> HeaderIter<'a> {
        HeaderIter { bytes: self.bytes }
    }

    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// The last header of that name, which is the one that wins in most clients.
    pub fn last(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.iter()
            .filter(|(key, _)| *key == name.as_bytes())
            .last()
            .map(|(_, value)| value)
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

/// Walks the headers in their order.
#[derive(Debug, Clone)]
pub struct HeaderIter<'a> {
    bytes: &'a [u8],
}

impl<'a> HeaderIter<'a> {
    /// The bytes that are not walked yet; at the end of the iteration those that do not parse.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    // Copying, comparing and checking a copy walk its headers a dozen times; most of a call was
    // handing the parts over in memory.
    #[expect(
        clippy::inline_always,
        reason = "each header of each event passes here"
    )]
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.bytes;
        let key_len = usize::try_from(take_varint(&mut rest)?).ok()?;
        let key = take(&mut rest, key_len)?;
        let value = match take_varint(&mut rest)? {
            -1 => None,
            len => Some(take(&mut rest, usize::try_from(len).ok()?)?),
        };
        self.bytes = rest;
        Some((key, value))
    }
}

#[inline]
fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(len)?;
    *bytes = tail;
    Some(head)
}

/// Reads a zigzag varint of at most 64 bits off the front.
#[expect(clippy::inline_always, reason = "six or more for each event")]
#[inline(always)]
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<i64> {
    // Nearly all lengths take one byte or two, and the times of a batch no more than three.
    let low = |byte: &u8| u64::from(byte & 0x7f);
    let (raw, rest) = match *bytes {
        [a @ ..0x80, rest @ ..] => (low(a), rest),
        [a, b @ ..0x80, rest @ ..] => (low(a) | low(b) << 7, rest),
        [a, b, c @ ..0x80, rest @ ..] => (low(a) | low(b) << 7 | low(c) << 14, rest),
        _ => return take_long_varint(bytes),
    };
    *bytes = rest;
    Some(unzigzag(raw))
}

#[inline]
const fn unzigzag(raw: u64) -> i64 {
    (raw >> 1).cast_signed() ^ -((raw & 1).cast_signed())
}

fn take_long_varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut raw = 0u64;
    for (i, &byte) in bytes.iter().enumerate().take(10) {
        raw |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Some(unzigzag(raw));
        }
    }
    None
}

/// Appends a zigzag varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// Bytes of a name or a value with its length before it, see [`put_varint`].
const fn spelled(bytes: &[u8]) -> usize {
    let len = bytes.len();
    // Zigzag takes one bit, and each byte has seven.
    if len < 64 {
        1 + len
    } else {
        (usize::BITS - len.leading_zeros()) as usize / 7 + 1 + len
    }
}

/// An owned block of headers that is built once and reused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderBuf {
    bytes: Vec<u8>,
}

impl HeaderBuf {
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        put_varint(&mut self.bytes, key.len().cast_signed() as i64);
        self.bytes.extend_from_slice(key);
        match value {
            None => put_varint(&mut self.bytes, -1),
            Some(value) => {
                put_varint(&mut self.bytes, value.len().cast_signed() as i64);
                self.bytes.extend_from_slice(value);
            }
        }
    }

    /// Bytes that [`HeaderBuf::push`] appends.
    pub(crate) fn len_of(key: &[u8], value: Option<&[u8]>) -> usize {
        spelled(key) + value.map_or(1, spelled)
    }

    pub fn extend(&mut self, headers: Headers<'_>) {
        self.bytes.extend_from_slice(headers.encoded());
    }

    pub fn as_headers(&self) -> Headers<'_> {
        Headers::from_encoded(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_repeats_nulls_and_empties_survive() {
        let mut buf = HeaderBuf::default();
        let all: [(&[u8], Option<&[u8]>); 4] = [
            (b"a", Some(b"1")),
            (b"a", None),
            (b"", Some(b"")),
            (b"\xff", Some(&[0; 300])),
        ];
        for (key, value) in all {
            buf.push(key, value);
        }
        assert_eq!(buf.as_headers().iter().collect::<Vec<_>>(), all);
        assert_eq!(buf.as_headers().last("a"), Some(None));
    }

    #[test]
    fn lengths_are_counted_as_they_are_written() {
        for len in [0, 1, 63, 64, 65, 8191, 8192, 8193, 1 << 20, (1 << 20) - 1] {
            let bytes = vec![0; len];
            for value in [None, Some(&*bytes)] {
                let mut buf = HeaderBuf::default();
                buf.push(&bytes, value);
                let written = buf.as_headers().encoded().len();
                assert_eq!(written, HeaderBuf::len_of(&bytes, value), "{len}");
            }
        }
    }

    #[test]
    fn bytes_that_do_not_parse_end_the_iteration() {
        for bytes in [&b"\x80"[..], b"\x04a", b"\x02a\x04b", b"\x01", &[0xff; 12]] {
            assert_eq!(Headers::from_encoded(bytes).count(), 0, "{bytes:?}");
        }
    }

    #[test]
    fn varints_round_trip_at_the_edges() {
        for value in [
            0,
            -1,
            1,
            63,
            64,
            -64,
            -65,
            8191,
            8192,
            -8192,
            -8193,
            i64::MAX,
            i64::MIN,
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            let mut rest = out.as_slice();
            assert_eq!(take_varint(&mut rest), Some(value));
            assert!(rest.is_empty());
        }
    }
}
