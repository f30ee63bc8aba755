//! Finds the next byte that needs a look, eight bytes at a time. No decisions are made here.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

const fn repeat(byte: u8) -> u64 {
    LOW * byte as u64
}

/// The high bit of each byte that is zero. Bits above the lowest one can be wrong (a borrow), so
/// only the lowest counts; the same holds for the other masks here.
const fn zero(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// The high bit of each byte below 0x20.
const fn control(word: u64) -> u64 {
    word.wrapping_sub(repeat(0x20)) & !word & HIGH
}

const fn quote_or_backslash(word: u64) -> u64 {
    zero(word ^ repeat(b'"')) | zero(word ^ repeat(b'\\'))
}

/// What ends a run.
pub(super) trait Stop {
    fn mask(word: u64) -> u64;
    fn byte(byte: u8) -> bool;
}

/// Everything but printable ASCII.
pub(super) struct NotPrintable;

impl Stop for NotPrintable {
    #[inline]
    fn mask(word: u64) -> u64 {
        control(word) | zero(word ^ repeat(0x7f)) | (word & HIGH)
    }

    #[inline]
    fn byte(byte: u8) -> bool {
        !matches!(byte, 0x20..=0x7e)
    }
}

/// Everything but printable ASCII, and what JSON strings escape.
pub(super) struct NotPrintableInString;

impl Stop for NotPrintableInString {
    #[inline]
    fn mask(word: u64) -> u64 {
        NotPrintable::mask(word) | quote_or_backslash(word)
    }

    #[inline]
    fn byte(byte: u8) -> bool {
        NotPrintable::byte(byte) || matches!(byte, b'"' | b'\\')
    }
}

/// The number of bytes before the first stop.
#[inline]
pub(super) fn run<S: Stop>(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let stops = S::mask(u64::from_le_bytes(*word));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    let rest = tail.iter().position(|&b| S::byte(b));
    at + rest.unwrap_or(tail.len())
}

// The functions below are loops without branches inside: the compiler makes vector code of them.

/// True when there is a C0 control character.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "branches would keep the loop from becoming vector code"
)]
pub(super) fn has_control(bytes: &[u8]) -> bool {
    let found = |found, &byte: &u8| found | (byte < 0x20);
    bytes.iter().fold(false, found)
}

/// False when a UTF-8 text surely holds nothing hostile: no control character, and no byte that
/// begins the encoding of a hostile character. True is a maybe.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "branches would keep the loop from becoming vector code"
)]
pub(super) fn needs_a_look(bytes: &[u8]) -> bool {
    let found = |found, &byte: &u8| {
        found
            | (byte < 0x20)
            | (byte == 0x7f)
            | (byte == 0xc2)
            | (byte == 0xcd)
            | (byte == 0xd8)
            | (byte.wrapping_sub(0xe1) <= 2)
            | (byte >= 0xef)
    };
    bytes.iter().fold(false, found)
}

/// One bit for each quote and backslash among the first 64 bytes.
pub(super) fn marks(bytes: &[u8]) -> u64 {
    if let Some(block) = bytes.first_chunk::<64>() {
        return marks_of(block);
    }
    let mut block = [0; 64];
    if let Some(front) = block.get_mut(..bytes.len()) {
        front.copy_from_slice(bytes);
    }
    marks_of(&block)
}

#[inline]
fn marks_of(block: &[u8; 64]) -> u64 {
    let mut marks = [0u8; 64];
    for (mark, byte) in marks.iter_mut().zip(block) {
        *mark = u8::from(*byte == b'"') | u8::from(*byte == b'\\');
    }
    let mut bits = 0;
    for (i, word) in marks.as_chunks::<8>().0.iter().enumerate() {
        // Each byte is 0 or 1; the product has the eight of them side by side in its top byte.
        let gathered = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (8 * i);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees<S: Stop>() {
        for stop in 0..=255u8 {
            for place in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[place] = stop;
                // What follows must not move the first stop.
                bytes[place + 1..].fill(0x80 | stop);
                let slow = bytes.iter().position(|&b| S::byte(b)).unwrap_or(20);
                assert_eq!(run::<S>(&bytes), slow, "{stop:#x} at {place}");
            }
        }
    }

    #[test]
    fn word_and_byte_scans_stop_at_the_same_place() {
        agrees::<NotPrintable>();
        agrees::<NotPrintableInString>();
    }

    #[test]
    fn a_neighbour_of_a_stop_is_no_stop() {
        // A borrow out of a matching byte must not hide or invent an earlier match.
        for first in [0x1fu8, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7e, 0x7f] {
            for second in 0..=255u8 {
                let bytes = [b'a', first, second, b'a', second, first, b'a', b'a'];
                let slow = bytes.iter().position(|&b| NotPrintableInString::byte(b));
                assert_eq!(run::<NotPrintableInString>(&bytes), slow.unwrap_or(8));
            }
        }
    }

    #[test]
    fn marks_are_where_quotes_and_backslashes_are() {
        for len in 0..70 {
            for pattern in 0..=255u8 {
                let letter = |i: u32| [b'a', b'"'][usize::from(pattern >> (i % 8) & 1)];
                let mut bytes: Vec<u8> = (0..len).map(letter).collect();
                if let Some(byte) = bytes.get_mut(usize::from(pattern) % 64) {
                    *byte = b'\\';
                }
                let slow = bytes.iter().take(64).enumerate();
                let slow = slow.fold(0, |bits, (i, b)| bits | u64::from(*b != b'a') << i);
                assert_eq!(marks(&bytes), slow);
            }
        }
    }

    #[test]
    fn whatever_is_hostile_needs_a_look() {
        for c in ('\0'..=char::MAX).filter(|c| crate::text::is_hostile(*c)) {
            assert!(needs_a_look(c.to_string().as_bytes()), "{c:?}");
        }
        for text in [
            "printable ~ ASCII",
            "größe",
            "Łukasz",
            "美咲",
            "кириллица",
            "ελληνικά",
        ] {
            assert!(!needs_a_look(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn control_characters_are_found_anywhere() {
        for place in 0..40 {
            let mut bytes = [b' '; 40];
            assert!(!has_control(&bytes));
            bytes[place] = 0x1f;
            assert!(has_control(&bytes));
        }
    }
}
