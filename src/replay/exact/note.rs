//! What stands beside the progress of a unit: what was counted on the way there, by all runs and
//! hosts together. Text of a few bytes, as servers bound what they keep.

use crate::replay::tally::{Counts, SKIPS};

/// Counts from the beginning of the unit to where its progress stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::replay) struct Note {
    pub counts: Counts,
    /// Milliseconds that timestamps are shifted by, once it is known: every run of the plan shifts
    /// alike.
    pub shift: Option<i64>,
}

impl Note {
    /// `2s,1z,3kf,1.0.4;-a5`: read, copied, bytes, skipped by reason; then the shift. Numbers in
    /// base 36; no zeros at the end of the reasons.
    pub(in crate::replay) fn encode(&self) -> String {
        let counts = &self.counts;
        let mut text = String::new();
        for number in [counts.read, counts.copied, counts.bytes] {
            push(&mut text, number);
            text.push(',');
        }
        let used = counts.skipped.iter().rposition(|n| *n > 0);
        for (i, number) in counts.skipped.iter().enumerate() {
            if used.is_some_and(|used| i <= used) {
                if i > 0 {
                    text.push('.');
                }
                push(&mut text, *number);
            }
        }
        if let Some(shift) = self.shift {
            text.push(';');
            if shift < 0 {
                text.push('-');
            }
            push(&mut text, shift.unsigned_abs());
        }
        text
    }

    /// `None` where it is no text of ours.
    pub(in crate::replay) fn parse(text: &str) -> Option<Self> {
        let (counts, shift) = match text.split_once(';') {
            Some((counts, shift)) => (counts, Some(parse_shift(shift)?)),
            None => (text, None),
        };
        let mut parts = counts.split(',');
        let mut next = || number(parts.next()?);
        let (read, copied, bytes) = (next()?, next()?, next()?);
        let mut skipped = [0; SKIPS];
        let reasons = parts.next()?;
        if !reasons.is_empty() {
            for (i, part) in reasons.split('.').enumerate() {
                *skipped.get_mut(i)? = number(part)?;
            }
        }
        let counts = Counts {
            read,
            copied,
            bytes,
            skipped,
        };
        parts.next().is_none().then_some(Self { counts, shift })
    }
}

fn parse_shift(text: &str) -> Option<i64> {
    let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |t| (t, -1));
    i64::try_from(number(digits)?).ok()?.checked_mul(sign)
}

fn number(text: &str) -> Option<u64> {
    // The sign that the standard library takes is not ours.
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| u64::from_str_radix(text, 36).ok()).flatten()
}

fn push(text: &mut String, mut number: u64) {
    let at = text.len();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        text.insert(at, char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::broker::exact::NOTE_BYTES;

    fn note(read: u64, copied: u64, bytes: u64, skipped: &[u64], shift: Option<i64>) -> Note {
        let mut all = [0; SKIPS];
        all[..skipped.len()].copy_from_slice(skipped);
        Note {
            counts: Counts {
                read,
                copied,
                bytes,
                skipped: all,
            },
            shift,
        }
    }

    #[test]
    fn a_note_is_short_and_plain() {
        assert_eq!(Note::default().encode(), "0,0,0,");
        let text = note(100, 71, 4567, &[1, 0, 4], Some(-365)).encode();
        assert_eq!(text, "2s,1z,3iv,1.0.4;-a5");
        let large = note(
            4_000_000_000,
            3_999_000_000,
            4_000_000_000_000,
            &[1000, 900_000],
            Some(1_700_000_000_000),
        );
        let text = large.encode();
        assert!(text.len() <= NOTE_BYTES, "{text}");
        assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text}");
    }

    #[test]
    fn what_is_no_note_is_told_apart() {
        for text in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "1,2,+3,",
            "1,2,3,;x-",
            "a b,1,1,",
            "1,2,3,1.1.1.1.1.1.1.1.1.1",
        ] {
            assert_eq!(Note::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            read: u64, copied: u64, bytes: u64,
            skipped in prop::collection::vec(any::<u64>(), 0..=SKIPS),
            shift in prop::option::of(-i64::MAX..),
        ) {
            let note = note(read, copied, bytes, &skipped, shift);
            prop_assert_eq!(Note::parse(&note.encode()), Some(note));
        }
    }
}
