//! Personal data in text: e-mail addresses, telephone numbers, payment cards; bank accounts and
//! secrets have files of their own. Chosen to be right rather than complete, and cheap: it runs
//! over every value.

use std::ops::Range;

use memchr::memchr_iter;

use super::{iban, secrets};

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Personal {
    Email,
    Phone,
    Card,
    Iban,
    /// A key or token that opens something.
    Secret,
}

impl Personal {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "e-mail address",
            Self::Phone => "telephone number",
            Self::Card => "card number",
            Self::Iban => "bank account number (IBAN)",
            Self::Secret => "secret",
        }
    }
}

/// What there is of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hits {
    pub(super) kind: Personal,
    pub(super) number: u32,
    /// The first one.
    pub(super) first: Range<usize>,
}

impl Hits {
    fn of(kind: Personal, mut all: impl Iterator<Item = Range<usize>>) -> Option<Self> {
        let first = all.next()?;
        Some(Self {
            kind,
            number: 1 + all.count() as u32,
            first,
        })
    }
}

/// The shortest card and bank account numbers, and no secret is shorter but a login.
const LONG: usize = 15;

/// What there is of each kind; kinds without a hit are left out.
pub(super) fn find(text: &[u8]) -> impl Iterator<Item = Hits> + use<> {
    let emails = memchr_iter(b'@', text).filter_map(|at| email(text, at));
    let phones = memchr_iter(b'+', text).filter_map(|at| phone(text, at));
    // Most keys and headers are short.
    let long = text.len() >= LONG;
    let long = |look: &dyn Fn() -> Option<Hits>| if long { look() } else { None };
    let hits = [
        Hits::of(Personal::Email, emails),
        Hits::of(Personal::Phone, phones),
        long(&|| Hits::of(Personal::Card, Cards::of(text))),
        long(&|| Hits::of(Personal::Iban, iban::find(text))),
        long(&|| Hits::of(Personal::Secret, secrets::find(text))),
    ];
    hits.into_iter().flatten()
}

/// The text with all that is personal in it put out of sight, as [`masked`] does.
pub fn hide_personal(text: &str) -> String {
    let bytes = text.as_bytes();
    let emails = memchr_iter(b'@', bytes).filter_map(|at| email(bytes, at));
    let phones = memchr_iter(b'+', bytes).filter_map(|at| phone(bytes, at));
    let mut hits: Vec<(Range<usize>, Personal)> = Vec::new();
    hits.extend(emails.map(|hit| (hit, Personal::Email)));
    hits.extend(phones.map(|hit| (hit, Personal::Phone)));
    hits.extend(Cards::of(bytes).map(|hit| (hit, Personal::Card)));
    hits.extend(iban::find(bytes).map(|hit| (hit, Personal::Iban)));
    hits.extend(secrets::find(bytes).map(|hit| (hit, Personal::Secret)));
    hits.sort_by_key(|(hit, _)| (hit.start, std::cmp::Reverse(hit.end)));
    let (mut hidden, mut from) = (String::with_capacity(text.len()), 0);
    for (hit, kind) in hits {
        // What lies in another one went with it; what reaches out of it goes, too.
        let start = hit.start.max(from);
        if let (Some(before), Some(found)) = (text.get(from..start), bytes.get(start..hit.end)) {
            hidden.push_str(before);
            hidden.push_str(&masked(kind, found));
            from = hit.end;
        }
    }
    hidden.push_str(text.get(from..).unwrap_or_default());
    hidden
}

/// The hit with all that tells whose it is put out of sight; safe to show.
pub(super) fn masked(kind: Personal, hit: &[u8]) -> String {
    let text = String::from_utf8_lossy(hit);
    let shown = match kind {
        Personal::Email => {
            let (local, host) = text.split_once('@').unwrap_or_default();
            let top = host.rsplit('.').next().unwrap_or_default();
            format!("{}***@{}***.{top}", front(local, 1), front(host, 1))
        }
        Personal::Phone => format!("{}*** {}", front(&text, 3), back(&text, 2)),
        Personal::Card => format!("{}******{}", front(&text, 6), back(&text, 4)),
        Personal::Iban => format!("{}***{}", front(&text, 4), back(&text, 4)),
        Personal::Secret => format!("{}***", front(&text, secrets::shown(hit))),
    };
    crate::text::Visible(&shown).to_string()
}

fn front(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect()
}

fn back(text: &str, letters: usize) -> String {
    let skipped = text.chars().count().saturating_sub(letters);
    text.chars().skip(skipped).collect()
}

/// An address around this `@`.
fn email(text: &[u8], at: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let local = |b: &&u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b);
    let start = at - before.iter().rev().take_while(local).count();
    if start == at {
        return None;
    }
    let host = |b: &&u8| b.is_ascii_alphanumeric() || b".-".contains(b);
    let len = after.iter().take_while(host).count();
    let host = after.get(..len)?;
    let host = host.strip_suffix(b".").unwrap_or(host);
    let mut parts = host.rsplit(|b| *b == b'.');
    let top = parts.next().unwrap_or_default();
    let rest = parts.next().unwrap_or_default();
    let whole = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic) && !rest.is_empty();
    whole.then_some(start..at + 1 + host.len())
}

/// A number in international form that begins with this `+`.
fn phone(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1).and_then(|i| text.get(i));
    // An exponent, a time zone, base64.
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || b"/+=".contains(b)) {
        return None;
    }
    let after = text.get(at + 1..).unwrap_or_default();
    if !matches!(after.first(), Some(b'1'..=b'9')) {
        return None;
    }
    let part = |b: &&u8| b.is_ascii_digit() || b" -().".contains(b);
    let run = after.iter().take_while(part).count();
    let digit = |b: &u8| b.is_ascii_digit();
    let run = after.get(..run).unwrap_or_default();
    let len = run.iter().rposition(digit).map_or(0, |last| last + 1);
    if after
        .get(len)
        .is_some_and(|b| b.is_ascii_alphabetic() || b"/+=:".contains(b))
    {
        return None;
    }
    let digits = run.iter().filter(|b| digit(b)).count();
    (8..=15).contains(&digits).then_some(at..at + 1 + len)
}

/// Bytes that are looked at together. A card has at least 15, so it holds a whole such chunk; and
/// as no group of it has fewer than four digits, at most two bytes of the chunk are none.
const CHUNK: usize = 8;
const CHUNK_DIGITS: u32 = 6;

/// Numbers of payment cards: by length, issuer and check digit.
struct Cards<'a> {
    text: &'a [u8],
    look: usize,
    /// What lies before was judged.
    judged: usize,
}

impl<'a> Cards<'a> {
    const fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            look: 0,
            judged: 0,
        }
    }
}

impl Iterator for Cards<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let text = self.text;
        while let Some(chunk) = text.get(self.look..).and_then(<[u8]>::first_chunk::<CHUNK>) {
            if digits_of(*chunk) < CHUNK_DIGITS {
                self.look += CHUNK;
                continue;
            }
            let inside = chunk.iter().take_while(|b| !b.is_ascii_digit()).count();
            let at = groups_from(text, self.look + inside).max(self.judged);
            let (digits, end) = digits(text, at);
            let before = at.checked_sub(1).and_then(|i| text.get(i));
            let after = text.get(end);
            let joined = |b: Option<&u8>| {
                b.is_some_and(|b| b.is_ascii_alphanumeric() || b"_-.+".contains(b))
            };
            // The end of a sentence may follow.
            let decimal = after == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
            let alone = !joined(before) && (!joined(after) || after == Some(&b'.'));
            self.judged = end;
            self.look = end.max(self.look + 1);
            if alone && !decimal && is_card(digits.all()) {
                return Some(at..end);
            }
        }
        None
    }
}

/// How many of the bytes are digits.
#[inline]
const fn digits_of(chunk: [u8; CHUNK]) -> u32 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let bytes = u64::from_le_bytes(chunk) ^ (b'0' as u64 * EACH);
    // The highest bit of each byte that is more than 9.
    let more = ((bytes & (0x7f * EACH)) + 0x76 * EACH) | bytes;
    CHUNK as u32 - (more & (0x80 * EACH)).count_ones()
}

/// Where the groups of four and more digits begin that this digit is of.
fn groups_from(text: &[u8], digit: usize) -> usize {
    let run = |end: usize| {
        let before = text.get(..end).unwrap_or_default().iter().rev();
        before.take_while(|b| b.is_ascii_digit()).count()
    };
    let mut at = digit - run(digit);
    while at > 0 && matches!(text.get(at - 1), Some(b' ' | b'-')) {
        let group = run(at - 1);
        if group < 4 {
            break;
        }
        at -= 1 + group;
    }
    at
}

/// As many digits as a card has, and one more: then it is none.
#[derive(Default)]
struct Digits {
    all: [u8; 17],
    len: usize,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if let Some(place) = self.all.get_mut(self.len) {
            *place = digit;
            self.len += 1;
        }
    }

    fn all(&self) -> &[u8] {
        self.all.get(..self.len).unwrap_or_default()
    }
}

/// The digits from here, in groups that one space or dash may part, and where they end.
fn digits(text: &[u8], start: usize) -> (Digits, usize) {
    let mut at = start;
    let run = text.get(start..).unwrap_or_default();
    let plain = run.iter().take_while(|b| b.is_ascii_digit()).count();
    // Most runs are short, and no group of a card has fewer than four.
    let grouped = |at: usize| {
        matches!(text.get(at), Some(b' ' | b'-'))
            && text.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    let mut digits = Digits::default();
    if plain < 4 || (plain < LONG && !grouped(start + plain)) {
        return (digits, start + plain);
    }
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_digit() {
            digits.push(byte - b'0');
        } else if !grouped(at) {
            break;
        }
        at += 1;
    }
    (digits, at)
}

fn is_card(digits: &[u8]) -> bool {
    let issued = matches!(
        (digits.len(), digits),
        (
            16,
            [4, ..] | [5, 1..=5, ..] | [6, 5, ..] | [6, 0, 1, 1, ..] | [2, 2..=7, ..]
        ) | (15, [3, 4 | 7, ..])
    );
    issued && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &digit)| {
            let digit = u32::from(digit);
            match i % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Personal, u32)> {
        let hits = find(text.as_bytes());
        hits.map(|hits| (hits.kind, hits.number)).collect()
    }

    #[test]
    fn what_is_personal_is_counted_by_kind() {
        let note = "call +1 415 555 0132 or write to ada@example.com, card 4111111111111111";
        assert_eq!(
            all(note),
            [
                (Personal::Email, 1),
                (Personal::Phone, 1),
                (Personal::Card, 1)
            ]
        );
        assert_eq!(all("a@b.de, c.d@e-f.co.uk."), [(Personal::Email, 2)]);
        assert_eq!(
            all("4111 1111 1111 1111 and 3782-822463-10005."),
            [(Personal::Card, 2)]
        );
    }

    #[test]
    fn what_is_found_is_masked() {
        let shown = |text: &str| {
            let hits = find(text.as_bytes()).next().unwrap();
            masked(hits.kind, &text.as_bytes()[hits.first])
        };
        assert_eq!(shown("to ada.l@example.com."), "a***@e***.com");
        assert_eq!(shown("call +1 415 555 0132 now"), "+1 *** 32");
        assert_eq!(shown("card 4111111111111111!"), "411111******1111");
        assert_eq!(shown("to DE89 3704 0044 0532 0130 00"), "DE89***0 00");
        assert_eq!(shown("key AKIAIOSFODNN7EXAMPLE"), "AKIA***");
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        for text in [
            "ticket 1234567890123456",
            "4111111111111112",
            "1723717843000 1723717843000000000",
            "2024-08-15T10:30:00+02:00",
            "1.5e+10 +12 +00000000000",
            "user@localhost @example.com a@b",
            "x4111111111111111 4111111111111111.5",
            "550e8400-e29b-41d4-a716-446655440000",
            "{\"price\":59.98,\"orderId\":\"order-456\"}",
            "aGVsbG8+MTIzNDU2Nzg5MDEy",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }
}
