//! Values that look like the ones that they stand for: an address for an address, a card number
//! that passes its check for a card number, else letters for letters and digits for digits. They
//! are drawn from the HMAC of the original, so that the same one always gets the same.

use super::hmac::{DIGEST, Hmac};

const GIVEN: [&str; 32] = [
    "Ada", "Ben", "Clara", "David", "Elif", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Kira",
    "Liam", "Mara", "Noah", "Olga", "Paul", "Quinn", "Rosa", "Samir", "Tessa", "Umar", "Vera",
    "Wim", "Xenia", "Yara", "Zoe", "Amir", "Bea", "Carlo", "Dana", "Emil", "Fiona",
];
const FAMILY: [&str; 32] = [
    "Adler", "Baker", "Costa", "Dubois", "Ebert", "Fischer", "Garcia", "Hansen", "Ivanov",
    "Jensen", "Keller", "Lindt", "Moreau", "Novak", "Olsen", "Petrov", "Quist", "Rossi", "Silva",
    "Tanaka", "Ulrich", "Vogel", "Weber", "Xu", "Yilmaz", "Ziegler", "Arnold", "Brandt", "Chen",
    "Dorn", "Engel", "Frank",
];
/// Names that nobody can own (RFC 2606).
const HOSTS: [&str; 3] = ["example.com", "example.org", "example.net"];
/// Digits of payment cards.
const CARD: std::ops::RangeInclusive<usize> = 13..=19;

/// Bytes without end, of one key and one original.
struct Stream<'a> {
    key: &'a Hmac,
    original: &'a [u8],
    block: [u8; DIGEST],
    used: usize,
    blocks: u32,
}

impl<'a> Stream<'a> {
    fn new(key: &'a Hmac, original: &'a [u8]) -> Self {
        Self {
            key,
            original,
            block: [0; DIGEST],
            used: DIGEST,
            blocks: 0,
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == DIGEST {
            let number = self.blocks.to_be_bytes();
            self.block = self.key.of(&[b"evtap fake", &number, self.original]);
            self.blocks += 1;
            self.used = 0;
        }
        let byte = self.block[self.used];
        self.used += 1;
        byte
    }

    /// Less than `most`, which is at most 256; each about as likely.
    fn below(&mut self, most: u8) -> u8 {
        let pair = u16::from_be_bytes([self.byte(), self.byte()]);
        (pair % u16::from(most.max(1))) as u8
    }

    fn digit(&mut self) -> u8 {
        b'0' + self.below(10)
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        let index = self.below(all.len() as u8);
        all.get(usize::from(index)).copied().unwrap_or_default()
    }
}

/// Appends a value for the text.
pub(super) fn push_text(key: &Hmac, text: &str, out: &mut String) {
    let mut stream = Stream::new(key, text.as_bytes());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number = |c: char| c.is_ascii_digit() || " -().+/".contains(c);
    if is_email(text) {
        push_email(&mut stream, out);
    } else if digits > 0 && text.chars().all(number) {
        let grouped = text
            .chars()
            .all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
        let start = out.len();
        push_digits(&mut stream, text, out);
        if CARD.contains(&digits) && grouped && is_luhn(text) {
            make_luhn(out, start);
        }
    } else if is_name(text) {
        push_name(&mut stream, text, out);
    } else {
        out.extend(text.chars().map(|c| like(&mut stream, c)));
    }
}

/// Appends a number of JSON that has as many digits, the same sign and the same point.
pub(super) fn push_number(key: &Hmac, number: &[u8], out: &mut Vec<u8>) {
    let mut stream = Stream::new(key, number);
    let mut leads = true;
    let mut exponent = false;
    for &byte in number {
        exponent |= matches!(byte, b'e' | b'E');
        let made = match byte {
            // A larger exponent would be another order of size.
            b'0'..=b'9' if exponent => byte,
            // What begins with a nought has no more digits before the point.
            b'0' if leads => b'0',
            b'0'..=b'9' if leads => b'1' + stream.below(9),
            b'0'..=b'9' => stream.digit(),
            other => other,
        };
        leads &= !byte.is_ascii_digit();
        out.push(made);
    }
}

/// Appends as many bytes.
pub(super) fn push_bytes(key: &Hmac, bytes: &[u8], out: &mut Vec<u8>) {
    let mut stream = Stream::new(key, bytes);
    out.extend(bytes.iter().map(|_| stream.byte()));
}

/// One of the two.
pub(super) fn truth(key: &Hmac, original: &[u8]) -> bool {
    Stream::new(key, original).byte() & 1 == 1
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    let host_like = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let spaced = |c: char| c.is_whitespace() || c == '@';
    !local.is_empty()
        && !local.contains(spaced)
        && host.contains('.')
        && host.chars().all(host_like)
}

/// Two people of one name must not become one: 40 bits follow it.
fn push_email(stream: &mut Stream<'_>, out: &mut String) {
    out.push_str(&stream.of(&GIVEN).to_ascii_lowercase());
    out.push('.');
    out.push_str(&stream.of(&FAMILY).to_ascii_lowercase());
    out.push('.');
    for _ in 0..8 {
        let letter = b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(stream.below(32))];
        out.push(char::from(letter));
    }
    out.push('@');
    out.push_str(stream.of(&HOSTS));
}

fn push_digits(stream: &mut Stream<'_>, text: &str, out: &mut String) {
    let mut leads = true;
    for c in text.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        // The first digit tells networks and countries; a nought stays one.
        out.push(match (leads, c) {
            (true, '0') => '0',
            (true, _) => char::from(b'1' + stream.below(9)),
            (false, _) => char::from(stream.digit()),
        });
        leads = false;
    }
}

/// What each digit adds to the sum of ISO/IEC 7812, from the last one.
fn luhn_sum(digits: impl Iterator<Item = u8>) -> u32 {
    let weighed = digits.enumerate().map(|(i, digit)| {
        let digit = u32::from(digit - b'0');
        match i % 2 {
            0 => digit,
            _ if digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        }
    });
    weighed.sum()
}

fn is_luhn(text: &str) -> bool {
    luhn_sum(text.bytes().rev().filter(u8::is_ascii_digit)).is_multiple_of(10)
}

/// Sets the last digit so that the check is passed.
fn make_luhn(out: &mut String, start: usize) {
    let text = out.split_off(start);
    let Some(last) = text.rfind(|c: char| c.is_ascii_digit()) else {
        out.push_str(&text);
        return;
    };
    let (front, back) = text.split_at(last);
    let sum = luhn_sum(std::iter::once(b'0').chain(front.bytes().rev().filter(u8::is_ascii_digit)));
    out.push_str(front);
    out.push(char::from(b'0' + ((10 - sum % 10) % 10) as u8));
    out.push_str(back.get(1..).unwrap_or_default());
}

/// Two to four words of letters that begin with a capital.
fn is_name(text: &str) -> bool {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().is_some_and(char::is_uppercase)
            && word.chars().count() > 1
            && letters.all(|c| c.is_alphabetic() && c.is_lowercase() || "-'".contains(c))
    };
    let words = text.split(' ').count();
    (2..=4).contains(&words) && text.split(' ').all(word)
}

fn push_name(stream: &mut Stream<'_>, text: &str, out: &mut String) {
    let words = text.split(' ').count();
    for word in 1..=words {
        if word > 1 {
            out.push(' ');
        }
        let names = if word == words { &FAMILY } else { &GIVEN };
        out.push_str(stream.of(names));
    }
}

/// A character of the same kind.
fn like(stream: &mut Stream<'_>, c: char) -> char {
    match c {
        '0'..='9' => char::from(stream.digit()),
        c if c.is_uppercase() => char::from(b'A' + stream.below(26)),
        c if c.is_alphabetic() => char::from(b'a' + stream.below(26)),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fake(text: &str) -> String {
        let mut out = "before ".to_owned();
        push_text(&Hmac::new(b"a key"), text, &mut out);
        out["before ".len()..].to_owned()
    }

    #[test]
    fn what_stands_in_looks_like_the_original() {
        let email = fake("ada.lovelace@corp.example.com");
        assert!(is_email(&email) && !email.contains("lovelace"), "{email}");
        for card in [
            "4111111111111111",
            "3782 822463 10005",
            "5500-0000-0000-0004",
        ] {
            let made = fake(card);
            assert!(is_luhn(&made), "{made}");
            assert_ne!(made, card);
            let shape = |s: &str| s.replace(|c: char| c.is_ascii_digit(), "#");
            assert_eq!(shape(&made), shape(card));
        }
        let phone = fake("+49 (30) 901820");
        assert!(phone.starts_with('+') && phone.len() == 15, "{phone}");
        assert_eq!(fake("Grace Hopper").split(' ').count(), 2);
        let id = fake("ord-444/B");
        assert!(id.as_bytes()[3] == b'-' && id.as_bytes()[7] == b'/', "{id}");
        assert!(id.ends_with(|c: char| c.is_ascii_uppercase()), "{id}");
    }

    #[test]
    fn the_same_gets_the_same_and_another_key_another() {
        assert_eq!(fake("a@b.example"), fake("a@b.example"));
        assert_ne!(fake("a@b.example"), fake("c@b.example"));
        let mut other = String::new();
        push_text(&Hmac::new(b"another"), "a@b.example", &mut other);
        assert_ne!(fake("a@b.example"), other);
    }

    proptest! {
        #[test]
        fn a_number_stays_one_of_its_shape(
            number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?"
        ) {
            let mut made = Vec::new();
            push_number(&Hmac::new(b"k"), number.as_bytes(), &mut made);
            let made = String::from_utf8(made).unwrap();
            prop_assert!(serde_json::from_str::<serde_json::Number>(&made).is_ok(), "{}", made);
            prop_assert_eq!(made.len(), number.len());
        }

        #[test]
        fn any_text_has_a_stand_in(text in ".*") {
            prop_assert!(fake(&text).chars().count() > 0 || text.is_empty());
        }
    }
}
