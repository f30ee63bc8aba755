//! The headers of an event without evtap's own, found in one walk: what of them is compared between
//! an original and its copy, whatever provenance either has.

use super::provenance::{Own, push_others};
use crate::event::{HeaderBuf, Headers};

/// The headers that are not ours, and what does not parse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Others<'a> {
    all: Headers<'a>,
    /// Their bytes, where they stand together and lengths are spelled as [`HeaderBuf`] does.
    together: Option<&'a [u8]>,
    rest: &'a [u8],
}

impl<'a> Others<'a> {
    pub(super) fn of(headers: Headers<'a>) -> Self {
        Self::beside(headers, |_, _| {})
    }

    /// Tells each of ours on the way.
    #[inline]
    pub(super) fn beside(
        headers: Headers<'a>,
        mut tell: impl FnMut(Own, Option<&'a [u8]>),
    ) -> Self {
        let bytes = headers.encoded();
        let mut walk = headers.iter();
        let (mut at, mut from, mut to) = (0, 0, 0);
        let mut is_plain = true;
        while let Some((name, value)) = walk.next() {
            let end = bytes.len() - walk.rest().len();
            if let Some(own) = Own::of(name) {
                tell(own, value);
            } else {
                if from == to {
                    from = at;
                } else {
                    is_plain &= to == at;
                }
                to = end;
                is_plain &= end - at == HeaderBuf::len_of(name, value);
            }
            at = end;
        }
        Self {
            all: headers,
            together: bytes.get(from..to).filter(|_| is_plain),
            rest: walk.rest(),
        }
    }

    /// Hands on their bytes as [`HeaderBuf`] writes them, and then those that do not parse: alike
    /// for all that hold the same, wherever ours stand.
    pub(super) fn put(&self, mut take: impl FnMut(&[u8])) {
        if let Some(bytes) = self.together {
            take(bytes);
        } else {
            let mut spelled = HeaderBuf::default();
            push_others(self.all, &mut spelled);
            take(spelled.as_headers().encoded());
        }
        take(self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut taken = Vec::new();
        Others::of(Headers::from_encoded(bytes)).put(|bytes| taken.push(bytes.to_vec()));
        taken
    }

    fn spell(headers: &[(&str, Option<&str>)]) -> Vec<u8> {
        let mut buf = HeaderBuf::default();
        for (name, value) in headers {
            buf.push(name.as_bytes(), value.map(str::as_bytes));
        }
        buf.as_headers().encoded().to_vec()
    }

    #[test]
    fn what_is_ours_is_told_and_left_out_wherever_it_stands() {
        let (a, b) = (("a", Some("1")), ("evtap-other", None));
        let (source, count) = (("evtap-source", Some("x")), ("evtap-count", None));
        let wanted = vec![spell(&[a, b]), Vec::new()];
        for all in [
            &[a, b][..],
            &[a, b, source, count],
            &[source, count, a, b],
            &[source, a, count, b],
            &[source, a, b, count],
        ] {
            assert_eq!(put(&spell(all)), wanted, "{all:?}");
        }
        let bytes = spell(&[a, source, count, b]);
        let mut told = Vec::new();
        Others::beside(Headers::from_encoded(&bytes), |own, value| {
            told.push((own, value.map(<[u8]>::to_vec)));
        });
        assert_eq!(
            told,
            [(Own::Source, Some(b"x".to_vec())), (Own::Count, None)]
        );
        assert_eq!(put(&spell(&[source])), put(b""));
    }

    #[test]
    fn lengths_that_are_spelled_longer_than_they_must_be_are_the_same_headers() {
        // A length of 1 in two bytes instead of one.
        assert_eq!(put(b"\x82\x00a\x02b"), put(b"\x02a\x02b"));
        assert_eq!(put(b"\x02a\x81\x00"), put(b"\x02a\x01"));
        assert_ne!(put(b"\x02a\x01"), put(b"\x02a\x00"));
    }

    #[test]
    fn what_does_not_parse_counts() {
        assert_eq!(put(b"\x02a\x02b\x80"), [b"\x02a\x02b".to_vec(), vec![0x80]]);
    }
}
