//! How many events happened when, in a bounded number of buckets: minutes while they suffice,
//! wider ones after that.

use std::collections::BTreeMap;

use crate::event::Timestamp;

const MINUTE: i64 = 60_000;
/// A day of minutes.
const BUCKETS: usize = 1440;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    width: i64,
    counts: BTreeMap<i64, u64>,
    /// The bucket of the event before, which is mostly the next one's.
    current: i64,
    pending: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            width: MINUTE,
            counts: BTreeMap::new(),
            current: 0,
            pending: 0,
        }
    }
}

impl Histogram {
    pub fn add(&mut self, time: Timestamp) {
        let bucket = time.0.div_euclid(self.width);
        if bucket != self.current {
            self.settle();
            self.current = time.0.div_euclid(self.width);
        }
        self.pending += 1;
    }

    fn settle(&mut self) {
        if self.pending == 0 {
            return;
        }
        *self.counts.entry(self.current).or_default() += self.pending;
        self.pending = 0;
        while self.counts.len() > BUCKETS {
            self.width = self.width.saturating_mul(2);
            let mut wider = BTreeMap::new();
            for (bucket, count) in &self.counts {
                *wider.entry(bucket.div_euclid(2)).or_default() += count;
            }
            self.counts = wider;
        }
    }

    /// Milliseconds that a bucket is wide.
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// The beginning of each bucket that is not empty, with its count.
    pub fn buckets(&self) -> Vec<(Timestamp, u64)> {
        let mut settled = self.clone();
        settled.settle();
        let start = |bucket: i64| Timestamp(bucket.saturating_mul(settled.width));
        let counts = settled.counts.iter();
        counts
            .map(|(&bucket, &count)| (start(bucket), count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_minute() {
        let mut times = Histogram::default();
        for ms in [0, 59_999, 60_000, 10, -1] {
            times.add(Timestamp(ms));
        }
        let got = times.buckets();
        assert_eq!(
            got,
            [
                (Timestamp(-60_000), 1),
                (Timestamp(0), 3),
                (Timestamp(60_000), 1)
            ]
        );
    }

    #[test]
    fn a_long_time_is_counted_in_wider_buckets() {
        let mut times = Histogram::default();
        for minute in 0..100_000 {
            times.add(Timestamp(minute * MINUTE));
        }
        for end in [i64::MIN, i64::MAX] {
            times.add(Timestamp(end));
        }
        let got = times.buckets();
        assert!(got.len() <= BUCKETS, "{}", got.len());
        assert_eq!(got.iter().map(|(_, n)| n).sum::<u64>(), 100_002);
        assert!(times.width() > MINUTE);
    }
}
