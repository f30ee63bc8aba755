//! The search for the next event that may match, over the bytes of many events at once: the texts
//! that an event must hold are sought in all of them, and only what is around a hit is worth a
//! look. Which texts those are is not known here.

mod scout;

use std::collections::VecDeque;
use std::ops::Range;

use memchr::memmem::Finder;

use scout::Scout;

/// Texts that must be in the bytes of an event, joined by and and or.
pub(super) enum Texts<'f> {
    /// Nothing is known.
    Free,
    All(Vec<Self>),
    Any(Vec<Self>),
    One(&'f Finder<'static>),
}

/// The search, with how far it is in the bytes at hand.
pub(super) struct Sweep {
    marks: Vec<Mark>,
    root: Node,
    scout: Scout,
    /// Nothing was sought yet in the bytes at hand.
    fresh: bool,
}

enum Node {
    Free,
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Index into `marks`: the same text in two places is sought once.
    Text(usize),
}

/// How far all texts are sought before the first goes on: what one has passed over is then still
/// in the fastest cache for the next.
const STRIDE: usize = 16 * 1024;

/// Behind all bytes.
const NEVER: usize = usize::MAX;

/// One text, and where it is next. Remembered, because each byte is worth one look only: a rare
/// text would else be sought again to the end of the bytes for each hit of a frequent one.
struct Mark {
    finder: Finder<'static>,
    /// What the scout found, and nobody has passed.
    found: VecDeque<usize>,
    /// Where it is behind those.
    next: Next,
    #[cfg(test)]
    looked: usize,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    /// Begins nowhere from where it was asked for up to here, which may be `NEVER`.
    NotBefore(usize),
    At(usize),
}

impl Sweep {
    pub(super) fn new(texts: &Texts<'_>) -> Self {
        let mut marks = Vec::new();
        let root = Node::new(texts, &mut marks);
        Self {
            marks,
            root,
            scout: Scout::new(),
            fresh: true,
        }
    }

    /// Other bytes are next.
    pub(super) fn begin(&mut self) {
        for mark in &mut self.marks {
            mark.found.clear();
            mark.next = Next::NotBefore(0);
        }
        self.fresh = true;
    }

    /// The position up to which no event can match that begins at `from` or later, and ends
    /// there; `None` when none can. `from` must not fall before the next `begin`.
    pub(super) fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        if std::mem::take(&mut self.fresh) {
            self.scout.begin(&self.marks, bytes);
        }
        let mut end = from;
        loop {
            end = bytes.len().min(end.saturating_add(STRIDE));
            self.scout.look(&mut self.marks, bytes, from, end);
            let at = self.root.seek(&mut self.marks, bytes, from..end);
            if at < end || end == bytes.len() || at == NEVER {
                return (at != NEVER).then_some(at);
            }
        }
    }
}

impl Node {
    fn new(texts: &Texts<'_>, marks: &mut Vec<Mark>) -> Self {
        let mut each = |all: &[Texts<'_>]| all.iter().map(|t| Self::new(t, marks)).collect();
        match texts {
            Texts::Free => Self::Free,
            Texts::All(all) => Self::All(each(all)),
            Texts::Any(any) => Self::Any(each(any)),
            Texts::One(finder) => {
                let known = marks
                    .iter()
                    .position(|mark| mark.finder.needle() == finder.needle());
                Self::Text(known.unwrap_or_else(|| {
                    marks.push(Mark::new((*finder).clone()));
                    marks.len() - 1
                }))
            }
        }
    }

    /// The position up to which no event can match that begins at `sought.start` or later: a hit
    /// before `sought.end`, which is all that is looked at, or anything from there on; `NEVER` when
    /// it is the end of the bytes.
    fn seek(&self, marks: &mut [Mark], bytes: &[u8], sought: Range<usize>) -> usize {
        let each = |node: &Self| node.seek(marks, bytes, sought.clone());
        match self {
            Self::Free => sought.start,
            // Each from the start: the event around the hit of one may hold the others before it.
            Self::All(all) => all.iter().map(each).max().unwrap_or(sought.start),
            Self::Any(any) => any.iter().map(each).min().unwrap_or(NEVER),
            Self::Text(index) => marks[*index].seek(bytes, sought),
        }
    }
}

impl Mark {
    fn new(finder: Finder<'static>) -> Self {
        Self {
            finder,
            found: VecDeque::new(),
            next: Next::NotBefore(0),
            #[cfg(test)]
            looked: 0,
        }
    }

    /// All places before `end` are found.
    fn swept(&mut self, end: usize) {
        self.next = Next::NotBefore(end);
    }

    /// Where the text begins first in `sought`, or a place behind that before which it does not.
    fn seek(&mut self, bytes: &[u8], sought: Range<usize>) -> usize {
        while let Some(&at) = self.found.front() {
            if at >= sought.start {
                return at;
            }
            self.found.pop_front();
        }
        let from = match self.next {
            Next::At(at) if at >= sought.start => return at,
            Next::At(_) => sought.start,
            Next::NotBefore(at) => at.max(sought.start),
        };
        if from > sought.end {
            return from;
        }
        // One that begins before the end may reach beyond it.
        let reach = self.finder.needle().len().saturating_sub(1);
        let until = bytes.len().min(sought.end + reach);
        let found = self.finder.find(&bytes[from..until]).map(|at| from + at);
        #[cfg(test)]
        {
            let end = found.map_or(sought.end, |at| at + self.finder.needle().len());
            self.looked += end - from;
        }
        let passed = if sought.end == bytes.len() {
            NEVER
        } else {
            sought.end
        };
        self.next = found.map_or(Next::NotBefore(passed), Next::At);
        found.unwrap_or(passed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finder(text: &str) -> Finder<'static> {
        Finder::new(text.as_bytes()).into_owned()
    }

    #[test]
    fn the_next_place_is_the_last_of_all_and_the_first_of_any() {
        let (a, b, c) = (finder("aa"), finder("bb"), finder("cc"));
        let one = || vec![Texts::One(&a), Texts::One(&b)];
        let bytes = b"..aa..bb..aa..";
        for (texts, from, expected) in [
            (Texts::Free, 3, Some(3)),
            (Texts::One(&a), 0, Some(2)),
            (Texts::One(&a), 2, Some(2)),
            (Texts::One(&a), 3, Some(10)),
            (Texts::One(&a), 11, None),
            (Texts::One(&c), 0, None),
            (Texts::All(one()), 0, Some(6)),
            (Texts::All(one()), 3, Some(10)),
            (Texts::All(one()), 7, None),
            (Texts::Any(one()), 0, Some(2)),
            (Texts::Any(one()), 7, Some(10)),
            (Texts::Any(one()), 11, None),
            (Texts::All(vec![Texts::Any(one()), Texts::Free]), 3, Some(6)),
            (Texts::All(vec![Texts::Any(one()), Texts::One(&c)]), 0, None),
            (Texts::Any(vec![Texts::One(&a), Texts::Free]), 0, Some(0)),
        ] {
            assert_eq!(Sweep::new(&texts).seek(bytes, from), expected);
        }
    }

    #[test]
    fn it_goes_on_over_many_strides() {
        let (a, b) = (finder("aa"), finder("bb"));
        let far = 3 * STRIDE;
        let mut bytes = vec![b'.'; far + 10];
        // Across the end of a stride, and behind it.
        bytes[STRIDE - 1..=STRIDE].copy_from_slice(b"aa");
        bytes[far..far + 2].copy_from_slice(b"bb");
        let one = || vec![Texts::One(&a), Texts::One(&b)];
        for (texts, from, expected) in [
            (Texts::One(&a), 0, Some(STRIDE - 1)),
            (Texts::One(&a), STRIDE, None),
            (Texts::One(&b), 5, Some(far)),
            (Texts::One(&b), far + 1, None),
            (Texts::All(one()), 0, Some(far)),
            (Texts::All(one()), STRIDE, None),
            (Texts::Any(one()), 1, Some(STRIDE - 1)),
            (Texts::Any(one()), STRIDE, Some(far)),
            (Texts::Free, bytes.len(), Some(bytes.len())),
        ] {
            assert_eq!(Sweep::new(&texts).seek(&bytes, from), expected);
        }
    }

    #[test]
    fn what_was_found_in_other_bytes_is_forgotten() {
        let a = finder("aa");
        let mut sweep = Sweep::new(&Texts::One(&a));
        assert_eq!(sweep.seek(b"....aa", 0), Some(4));
        sweep.begin();
        assert_eq!(sweep.seek(b"aa....", 0), Some(0));
        assert_eq!(sweep.seek(b"aa....", 1), None);
        sweep.begin();
        assert_eq!(sweep.seek(b"......aa", 0), Some(6));
    }

    #[test]
    fn it_finds_the_same_by_rare_bytes() {
        let texts = ["PaymentFailed", "\\u", "Z"].map(finder);
        let texts = || Texts::Any(texts.iter().map(Texts::One).collect());
        let mut event = b"{\"eventType\":\"PaymentStarted\",\"amount\":12.5}".repeat(4);
        event.push(b'\n');
        let mut bytes = event.repeat(2_000);
        for (at, text) in [
            (7, &b"PaymentFailed"[..]),
            (STRIDE - 3, b"PaymentFailed"),
            (STRIDE + 100, b"PaymentFaile"),
            (3 * STRIDE - 1, b"\\u"),
            (5 * STRIDE, b"Z"),
            (5 * STRIDE + 4, b"Z"),
            (bytes.len() - 13, b"PaymentFailed"),
        ] {
            bytes[at..at + text.len()].copy_from_slice(text);
        }
        let all = |sweep: &mut Sweep, bytes: &[u8]| {
            sweep.begin();
            let (mut from, mut hits) = (0, Vec::new());
            while let Some(at) = sweep.seek(bytes, from) {
                hits.push(at);
                from = at + 1;
            }
            hits
        };
        let mut sweep = Sweep::new(&texts());
        let last = bytes.len() - 13;
        let expected = [
            7,
            STRIDE - 3,
            3 * STRIDE - 1,
            5 * STRIDE,
            5 * STRIDE + 4,
            last,
        ];
        assert_eq!(all(&mut sweep, &bytes), expected);
        assert!(sweep.scout.looks_for(b"F\\Z"));
        // What was rare is everywhere now.
        let mut others = b"FFFF".repeat(20_000);
        others.extend_from_slice(b"PaymentFailed");
        assert_eq!(all(&mut sweep, &others), [80_000]);
        assert!(sweep.scout.looks_for(b""));
        assert_eq!(all(&mut sweep, &bytes), expected);
    }

    proptest! {
        #[test]
        fn whatever_byte_is_sought_the_same_is_found(
            bytes in prop::collection::vec(prop::sample::select(&b"abcd"[..]), 0..200),
            needles in prop::collection::vec("[a-d]{1,4}", 1..4),
            counts in prop::collection::vec(0u32..4, 4),
            steps in prop::collection::vec(1usize..40, 1..20),
        ) {
            let finders: Vec<_> = needles.iter().map(|n| finder(n)).collect();
            let texts = || finders.iter().map(Texts::One).collect();
            for texts in [Texts::Any(texts()), Texts::All(texts())] {
                let (mut plain, mut fast) = (Sweep::new(&texts), Sweep::new(&texts));
                fast.scout.plan_for(&fast.marks, &counts);
                let mut from = 0;
                for step in &steps {
                    prop_assert_eq!(plain.seek(&bytes, from), fast.seek(&bytes, from));
                    from += step;
                    if from > bytes.len() {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn each_text_looks_once_at_each_byte() {
        // One text in each event, one in the last, and one nowhere.
        let events = 10_000;
        let mut bytes = b"an event with often in it\n".repeat(events);
        bytes.extend_from_slice(b"an event with seldom in it\n");
        let (often, seldom, never) = (finder("often"), finder("seldom"), finder("never"));
        let texts = Texts::Any(vec![
            Texts::All(vec![Texts::One(&often), Texts::One(&never)]),
            Texts::One(&often),
            Texts::One(&seldom),
            Texts::One(&never),
        ]);
        let mut sweep = Sweep::new(&texts);
        assert_eq!(sweep.marks.len(), 3);
        let (mut from, mut hits) = (0, 0);
        while let Some(at) = sweep.seek(&bytes, from) {
            hits += 1;
            from = at + bytes[at..].iter().position(|b| *b == b'\n').unwrap() + 1;
        }
        assert_eq!(hits, events + 1);
        for mark in &sweep.marks {
            assert!(mark.looked <= bytes.len(), "{}", mark.looked);
        }
    }
}
