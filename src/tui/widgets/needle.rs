//! What a search inside a widget looks for. Lower case finds both cases, a capital asks for
//! exactly what was typed. Searches over events are queries, which live elsewhere.

use std::ops::Range;

/// A text that is sought; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    text: String,
    /// Both cases are meant.
    fold: bool,
}

impl Needle {
    /// `None` for an empty text, which is found nowhere.
    pub fn new(text: &str) -> Option<Self> {
        let fold = !text.chars().any(char::is_uppercase);
        (!text.is_empty()).then(|| Self {
            text: text.to_owned(),
            fold,
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_in(&self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// The first place at or after `from`, which stands between characters.
    pub fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        let found = if self.fold {
            self.find_folded(rest)?
        } else {
            let at = memchr::memmem::find(rest.as_bytes(), self.text.as_bytes())?;
            at..at + self.text.len()
        };
        Some(from + found.start..from + found.end)
    }

    fn find_folded(&self, text: &str) -> Option<Range<usize>> {
        let first = self.text.chars().next()?;
        if first.is_ascii() {
            let (low, high) = (first as u8, first.to_ascii_uppercase() as u8);
            let mut places = memchr::memchr2_iter(low, high, text.as_bytes());
            places.find_map(|at| self.range_at(text, at))
        } else {
            let mut places = text.char_indices();
            places.find_map(|(at, _)| self.range_at(text, at))
        }
    }

    fn range_at(&self, text: &str, at: usize) -> Option<Range<usize>> {
        let mut wanted = self.text.chars();
        let mut next = wanted.next();
        for (i, c) in text.get(at..)?.char_indices() {
            if next.is_none() {
                return Some(at..at + i);
            }
            for low in c.to_lowercase() {
                match next {
                    Some(w) if w == low => next = wanted.next(),
                    Some(_) => return None,
                    None => {}
                }
            }
        }
        next.is_none().then_some(at..text.len())
    }

    /// Cuts a text into pieces that match and pieces that do not.
    pub fn pieces<'a>(&self, text: &'a str, mut each: impl FnMut(bool, &'a str)) {
        let mut at = 0;
        while let Some(found) = self.find(text, at) {
            each(false, text.get(at..found.start).unwrap_or_default());
            each(true, text.get(found.clone()).unwrap_or_default());
            at = found.end;
        }
        each(false, text.get(at..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lower_case_finds_both_and_a_capital_finds_itself() {
        for (needle, text, found) in [
            ("paid", "is PAID", Some(3..7)),
            ("Paid", "paid Paid", Some(5..9)),
            ("größe", "GRÖßE", Some(0..7)),
            ("é", "xÉ", Some(1..3)),
            ("ab", "aab", Some(1..3)),
            ("abc", "ab", None),
            ("i", "İ", None),
        ] {
            let needle = Needle::new(needle).unwrap();
            assert_eq!(needle.find(text, 0), found, "{needle:?} {text}");
        }
        assert_eq!(Needle::new(""), None);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(needle in "[a-cA-Cé\u{130}]{1,3}", text in "[a-cA-Cé\u{130}漢]{0,20}") {
            let needle = Needle::new(&needle).unwrap();
            let mut joined = String::new();
            let mut matches = 0;
            needle.pieces(&text, |hit, piece| {
                joined.push_str(piece);
                matches += usize::from(hit);
            });
            prop_assert_eq!(matches > 0, needle.is_in(&text));
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn a_part_of_a_text_is_found(text in "[a-zé漢]{1,20}", start in 0..20usize, len in 1..5usize) {
            let part: String = text.chars().skip(start).take(len).collect();
            if let Some(needle) = Needle::new(&part) {
                prop_assert!(needle.is_in(&text));
                prop_assert!(needle.is_in(&text.to_uppercase()));
            }
        }
    }
}
