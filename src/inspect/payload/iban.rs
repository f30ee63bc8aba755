//! International bank account numbers (ISO 13616): by country, length and check digits.

use std::ops::Range;

/// Countries and the length of their numbers, from the registry of ISO 13616.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// The numbers in a text, as one word or in groups of four.
pub(super) fn find(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut look = 0;
    std::iter::from_fn(move || {
        while let Some(start) = front(text, look) {
            if let Some(end) = number(text, start) {
                look = end;
                return Some(start..end);
            }
            look = start + 1;
        }
        None
    })
}

/// Where the next two capitals stand that two digits follow, from there on.
fn front(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*word);
        let capitals = within(word, b'A', b'Z');
        let digits = within(word, b'0', b'9');
        let fronts = capitals & (capitals >> 8) & (digits >> 16) & (digits >> 24);
        if fronts != 0 {
            return Some(at + fronts.trailing_zeros() as usize / 8);
        }
        // Of eight bytes, five can begin four that are all there.
        at += 5;
    }
    // No number is so short: what follows may be the end of one, never its front.
    None
}

/// The high bit of each byte that is one of these, which are ASCII.
#[inline]
const fn within(word: u64, least: u8, most: u8) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // Seven bits of each byte, so that no sum runs over into the next.
    let low = word & !HIGH;
    let from = low + (0x80 - least as u64) * EACH;
    let beyond = low + (0x7f - most as u64) * EACH;
    from & !beyond & !word & HIGH
}

const fn is_part(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// Where the number that begins here ends.
fn number(text: &[u8], start: usize) -> Option<usize> {
    let [country @ .., one, two] = text.get(start..start + 4)?.first_chunk::<4>()?;
    // Most of what is looked at is digits, and the list is long.
    let shaped =
        country.iter().all(u8::is_ascii_uppercase) && one.is_ascii_digit() && two.is_ascii_digit();
    if !shaped {
        return None;
    }
    let length = LENGTHS.iter().find(|(code, _)| *code == country)?.1;
    let joined = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
    if joined(start.checked_sub(1).and_then(|i| text.get(i))) {
        return None;
    }
    let mut digits = [0u8; 34];
    let (mut at, mut len) = (start, 0);
    while len < length {
        let byte = *text.get(at)?;
        if byte == b' ' && len % 4 == 0 && len > 0 {
            at += 1;
            continue;
        }
        if !is_part(byte) {
            return None;
        }
        *digits.get_mut(len)? = byte;
        (at, len) = (at + 1, len + 1);
    }
    let (front, rest) = digits.get(..length)?.split_at(4);
    (!joined(text.get(at)) && checks(rest.iter().chain(front))).then_some(at)
}

/// ISO 7064, MOD 97-10: letters count as 10 to 35.
fn checks<'a>(bytes: impl Iterator<Item = &'a u8>) -> bool {
    let rest = bytes.fold(0u32, |rest, &byte| {
        if byte.is_ascii_digit() {
            (rest * 10 + u32::from(byte - b'0')) % 97
        } else {
            (rest * 100 + u32::from(byte - b'A') + 10) % 97
        }
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        find(text.as_bytes()).map(|range| &text[range]).collect()
    }

    #[test]
    fn classes_of_bytes_are_told_eight_at_a_time() {
        for byte in 0..=u8::MAX {
            let word = u64::from_le_bytes([byte, 0, byte, 0xff, 0x7f, 0x80, b'@', byte]);
            let bits = |is: bool| u64::from(is) * 0x8000_0000_0080_0080;
            let capitals = within(word, b'A', b'Z');
            assert_eq!(capitals, bits(byte.is_ascii_uppercase()), "{byte}");
            let digits = within(word, b'0', b'9');
            assert_eq!(digits, bits(byte.is_ascii_digit()), "{byte}");
        }
    }

    #[test]
    fn a_front_is_found_wherever_it_stands() {
        for before in 0..20 {
            let text = format!("{}DE89 and so on", "x".repeat(before));
            assert_eq!(front(text.as_bytes(), 0), Some(before));
            assert_eq!(front(text.as_bytes(), before + 1), None);
        }
    }

    #[test]
    fn numbers_with_right_check_digits_are_found() {
        for iban in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "GB29NWBK60161331926819",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            for (before, after) in [
                ("", ""),
                ("{\"iban\":\"", "\"}"),
                ("to ", "."),
                ("to: ", ", x"),
            ] {
                assert_eq!(all(&format!("{before}{iban}{after}")), [iban]);
            }
        }
        assert_eq!(all("DE89370400440532013000 NO9386011117947").len(), 2);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "DE88370400440532013000",
            "DE8937040044053201300",
            "DE893704004405320130001",
            "XX89370400440532013000",
            "aDE89370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "SKU-1 ORDER-456 TRK-456 ABCD1234EFGH5678",
            "DE89",
            "",
        ] {
            assert!(all(text).is_empty(), "{text}");
        }
    }
}
