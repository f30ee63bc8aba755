//! The fast way to sweep: of each text the byte that is rarest in the data at hand is sought, of all
//! texts at once, and the rest of the text is compared only where one stands. Which bytes are rare
//! is learned from the data, and learned anew as it goes on. Where no byte is rare enough nothing is
//! done here, and each text is sought for itself.

use memchr::{memchr_iter, memchr2_iter, memchr3_iter};

use super::Mark;

/// Bytes from which is learned what is rare.
const SAMPLE: usize = 8 * 1024;
/// Bytes after which it is learned anew: what is next may be of another kind.
const PERIOD: usize = 16 << 20;
/// A byte to look at costs about as much as the search of so many.
const WORTH: usize = 256;
/// The most bytes that are sought at once.
const AT_ONCE: usize = 3;
/// Looks in vain in a row after which it is given up, once all went well for long.
const PATIENCE: usize = 1024;

/// How often each byte occurs in a sample.
type Counts = [u32; 256];

pub(super) struct Scout {
    plan: Option<Plan>,
    counts: Counts,
    sampled: usize,
    /// Bytes to go until the next sample.
    rest: usize,
}

/// What is looked for.
struct Plan {
    /// Different ones.
    bytes: Vec<u8>,
    /// Of each mark: its byte, and where in the text that stands.
    marks: Vec<(u8, usize)>,
    /// How far the bytes at hand were looked through.
    swept: usize,
    /// Looks in vain that may follow before this is given up.
    patience: usize,
}

impl Scout {
    pub(super) const fn new() -> Self {
        Self {
            plan: None,
            counts: [0; 256],
            sampled: 0,
            rest: 0,
        }
    }

    /// Other bytes are next.
    pub(super) fn begin(&mut self, marks: &[Mark], bytes: &[u8]) {
        if let Some(plan) = &mut self.plan {
            plan.swept = 0;
        }
        if self.rest > 0 {
            self.rest = self.rest.saturating_sub(bytes.len());
            return;
        }
        let sample = &bytes[..bytes.len().min(SAMPLE - self.sampled)];
        for &byte in sample {
            self.counts[usize::from(byte)] += 1;
        }
        self.sampled += sample.len();
        if self.sampled == SAMPLE {
            self.plan = Plan::of(marks, &self.counts);
            self.counts = [0; 256];
            self.sampled = 0;
            self.rest = PERIOD;
        }
    }

    /// Tells the marks where their texts are that begin before `end` and, looked for the first time,
    /// not before `from`.
    pub(super) fn look(&mut self, marks: &mut [Mark], bytes: &[u8], from: usize, end: usize) {
        if let Some(plan) = &mut self.plan {
            plan.look(marks, bytes, from, end);
            if plan.patience == 0 {
                self.plan = None;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn looks_for(&self, bytes: &[u8]) -> bool {
        self.plan.as_ref().map_or(&[][..], |plan| &plan.bytes) == bytes
    }

    /// As if this had been learned of the letters from `a` on.
    #[cfg(test)]
    pub(super) fn plan_for(&mut self, marks: &[Mark], letters: &[u32]) {
        let mut counts = [0; 256];
        counts[usize::from(b'a')..][..letters.len()].copy_from_slice(letters);
        self.plan = Plan::of(marks, &counts);
        self.rest = PERIOD;
    }
}

impl Plan {
    /// None where there are too many bytes to look for, or they are too frequent.
    fn of(marks: &[Mark], counts: &Counts) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut places = Vec::new();
        for mark in marks {
            let needle = mark.finder.needle();
            let count = |at: &usize| counts[usize::from(needle[*at])];
            let at = (0..needle.len()).min_by_key(count)?;
            places.push((needle[at], at));
            if !bytes.contains(&needle[at]) {
                bytes.push(needle[at]);
            }
        }
        let found: u32 = bytes.iter().map(|&b| counts[usize::from(b)]).sum();
        let rare = found as usize <= SAMPLE / WORTH;
        (rare && (1..=AT_ONCE).contains(&bytes.len())).then_some(Self {
            bytes,
            marks: places,
            swept: 0,
            patience: SAMPLE / WORTH,
        })
    }

    fn look(&mut self, marks: &mut [Mark], bytes: &[u8], from: usize, end: usize) {
        // The byte of a text that begins before the end may stand behind it.
        let farthest = self.marks.iter().map(|&(_, at)| at).max().unwrap_or(0);
        let until = bytes.len().min(end.saturating_add(farthest));
        let begin = self.swept.max(from);
        if begin >= until {
            return;
        }
        let stretch = &bytes[begin..until];
        let mut vain = 0;
        let mut check = |at: usize| vain += usize::from(!self.compare(marks, bytes, begin + at));
        match *self.bytes {
            [a] => memchr_iter(a, stretch).for_each(&mut check),
            [a, b] => memchr2_iter(a, b, stretch).for_each(&mut check),
            [a, b, c] => memchr3_iter(a, b, c, stretch).for_each(&mut check),
            _ => return,
        }
        for mark in marks {
            mark.swept(end);
        }
        self.swept = until;
        self.patience = (self.patience + stretch.len() / WORTH)
            .min(PATIENCE)
            .saturating_sub(vain);
    }

    /// Whether a text stands around this byte.
    fn compare(&self, marks: &mut [Mark], bytes: &[u8], at: usize) -> bool {
        let mut found = false;
        for (mark, &(byte, place)) in marks.iter_mut().zip(&self.marks) {
            if bytes[at] != byte {
                continue;
            }
            let Some(start) = at.checked_sub(place) else {
                continue;
            };
            if bytes[start..].starts_with(mark.finder.needle()) {
                mark.found.push_back(start);
                found = true;
            }
        }
        found
    }
}
