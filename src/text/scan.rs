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

/// What ends or interrupts a JSON string: a quote, a backslash, a control character.
pub(super) struct StringEnd;

impl Stop for StringEnd {
    #[inline]
    fn mask(word: u64) -> u64 {
        control(word) | quote_or_backslash(word)
    }

    #[inline]
    fn byte(byte: u8) -> bool {
        byte < 0x20 || matches!(byte, b'"' | b'\\')
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

/// True when all bytes are printable ASCII.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    let odd = |odd, &byte: &u8| odd | (byte.wrapping_sub(0x20) > 0x5e);
    !bytes.iter().fold(false, odd)
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
        agrees::<StringEnd>();
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
    fn printable_is_ascii_from_space_to_tilde() {
        for byte in 0..=255u8 {
            let bytes = [b"some text before it ".as_slice(), &[byte]].concat();
            assert_eq!(is_printable(&bytes), (0x20..0x7f).contains(&byte));
        }
    }
}
