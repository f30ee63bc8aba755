//! Counts over time by verdict, in fixed buckets, and how they are drawn as a strip of bars. What
//! a verdict is, and which clock the times are of, the view decides.

#[cfg(test)]
mod tests;

/// What is known of an event that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Good,
    Bad,
    /// Nothing is known.
    None,
}

/// What becomes of the window when a time does not fit into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It moves on, and what is too old is gone: for what is live.
    Newest,
    /// Buckets become wider until all fit: for what has an end.
    All,
}

/// Counts of one bucket, or of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub good: u64,
    pub bad: u64,
    pub none: u64,
}

impl Counts {
    pub const fn total(&self) -> u64 {
        self.good.saturating_add(self.bad).saturating_add(self.none)
    }

    /// What most of them are, the worse of two that are equally many; `None` for no events.
    pub fn dominant(&self) -> Option<Verdict> {
        let all = [
            (self.bad, Verdict::Bad),
            (self.good, Verdict::Good),
            (self.none, Verdict::None),
        ];
        let most = all.iter().map(|(count, _)| *count).max()?;
        let first = all
            .into_iter()
            .find(|(count, _)| *count == most && most > 0);
        first.map(|(_, verdict)| verdict)
    }

    fn add(&mut self, verdict: Verdict, count: u64) {
        let slot = match verdict {
            Verdict::Good => &mut self.good,
            Verdict::Bad => &mut self.bad,
            Verdict::None => &mut self.none,
        };
        *slot = slot.saturating_add(count);
    }

    fn merge(&mut self, other: Self) {
        self.add(Verdict::Good, other.good);
        self.add(Verdict::Bad, other.bad);
        self.add(Verdict::None, other.none);
    }
}

/// A bar of the strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Milliseconds at which it begins.
    pub start: i64,
    pub counts: Counts,
    /// 0 for nothing, 1 to 8 for something, 8 for the most of all columns.
    pub level: u8,
    pub verdict: Option<Verdict>,
}

/// Counts in a fixed number of buckets of equal width, the newest last.
#[derive(Debug, Clone)]
pub struct Histogram {
    keep: Keep,
    /// Milliseconds of a bucket.
    width: i64,
    /// The number of the first bucket, counted from the epoch in widths.
    first: i64,
    /// A ring: bucket `n` is at `n` modulo the length.
    buckets: Vec<Counts>,
    /// The number of the newest bucket that was counted in.
    newest: Option<i64>,
    outside: u64,
}

impl Histogram {
    /// So many buckets of so many milliseconds, which are the finest that can be seen.
    pub fn new(buckets: usize, width: i64, keep: Keep) -> Self {
        Self {
            keep,
            width: width.max(1),
            first: 0,
            buckets: vec![Counts::default(); buckets.max(2)],
            newest: None,
            outside: 0,
        }
    }

    /// Milliseconds of a bucket; they can become more with [`Keep::All`].
    pub const fn width(&self) -> i64 {
        self.width
    }

    pub const fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// Events that were too old for the window when they came.
    pub const fn outside(&self) -> u64 {
        self.outside
    }

    fn len(&self) -> i64 {
        i64::try_from(self.buckets.len()).unwrap_or(i64::MAX)
    }

    fn slot(&mut self, bucket: i64) -> Option<&mut Counts> {
        let at = usize::try_from(bucket.rem_euclid(self.len())).ok()?;
        self.buckets.get_mut(at)
    }

    fn at(&self, bucket: i64) -> Counts {
        let inside = bucket >= self.first && bucket.saturating_sub(self.first) < self.len();
        let at = usize::try_from(bucket.rem_euclid(self.len())).unwrap_or(0);
        let counts = self.buckets.get(at).copied().filter(|_| inside);
        counts.unwrap_or_default()
    }

    /// Counts events of one time, in milliseconds.
    pub fn add(&mut self, time: i64, verdict: Verdict, count: u64) {
        let mut bucket = time.div_euclid(self.width);
        match self.newest {
            None => self.first = bucket.saturating_sub(self.len() - 1),
            Some(_) if self.keep == Keep::All => {
                self.widen_for(time);
                bucket = time.div_euclid(self.width);
                if bucket < self.first {
                    // The buckets at the other end are empty, or it would have widened.
                    self.first = bucket;
                }
                self.move_to(bucket);
            }
            Some(_) => self.move_to(bucket),
        }
        if bucket < self.first {
            self.outside = self.outside.saturating_add(count);
            return;
        }
        self.newest = Some(self.newest.map_or(bucket, |newest| newest.max(bucket)));
        if let Some(slot) = self.slot(bucket) {
            slot.add(verdict, count);
        }
    }

    /// Moves the window on to a time without counting: a strip that stands still says nothing of
    /// a stream that does.
    pub fn advance(&mut self, time: i64) {
        if self.newest.is_some() && self.keep == Keep::Newest {
            let bucket = time.div_euclid(self.width);
            self.move_to(bucket);
            self.newest = self.newest.max(Some(bucket));
        }
    }

    /// Makes the window end with that bucket, if it ends before it.
    fn move_to(&mut self, bucket: i64) {
        let first = bucket.saturating_sub(self.len() - 1);
        if first <= self.first {
            return;
        }
        if first.saturating_sub(self.first) >= self.len() {
            self.buckets.fill(Counts::default());
        } else {
            for gone in self.first..first {
                if let Some(slot) = self.slot(gone) {
                    *slot = Counts::default();
                }
            }
        }
        self.first = first;
    }

    /// Doubles the width until the window can hold that time beside all that is counted.
    fn widen_for(&mut self, time: i64) {
        loop {
            let bucket = time.div_euclid(self.width);
            let Some((oldest, newest)) = self.counted() else {
                return;
            };
            let span = newest.max(bucket).saturating_sub(oldest.min(bucket));
            if span < self.len() {
                return;
            }
            let held: Vec<(i64, Counts)> = (oldest..=newest).map(|b| (b, self.at(b))).collect();
            self.width = self.width.saturating_mul(2);
            self.buckets.fill(Counts::default());
            self.first = oldest.div_euclid(2);
            self.newest = Some(newest.div_euclid(2));
            for (bucket, counts) in held {
                if let Some(slot) = self.slot(bucket.div_euclid(2)) {
                    slot.merge(counts);
                }
            }
        }
    }

    /// The first and the last bucket in which something is counted.
    fn counted(&self) -> Option<(i64, i64)> {
        let newest = self.newest?;
        let some = |bucket: &i64| self.at(*bucket).total() > 0;
        let oldest = (self.first..=newest).find(some).unwrap_or(newest);
        Some((oldest, newest))
    }

    /// Steps of zoom: in each a column is twice as many buckets as in the one before, and in the
    /// last of them all buckets fit into so many columns.
    pub fn zooms(&self, columns: usize) -> u32 {
        let mut zoom = 0;
        while columns > 0 && self.buckets.len().div_ceil(1 << zoom) > columns {
            zoom += 1;
        }
        zoom
    }

    /// The newest part of the window in at most so many columns of `2^zoom` buckets, the oldest
    /// first. Columns begin at multiples of their width, so that counts do not jump between
    /// neighbours while the window moves.
    pub fn columns(&self, columns: usize, zoom: u32) -> Vec<Column> {
        let Some(newest) = self.newest else {
            return Vec::new();
        };
        let each = 1i64 << zoom.min(32);
        let last = newest.div_euclid(each);
        let first = match self.keep {
            Keep::Newest => self.first,
            Keep::All => self.counted().map_or(newest, |(oldest, _)| oldest),
        };
        let wanted = i64::try_from(columns).unwrap_or(i64::MAX);
        let start = first
            .div_euclid(each)
            .max(last.saturating_sub(wanted).saturating_add(1));
        let mut all: Vec<Column> = (start..=last)
            .map(|number| self.column(number, each))
            .collect();
        let most = all.iter().map(|column| column.counts.total()).max();
        for column in &mut all {
            column.level = level(column.counts.total(), most.unwrap_or(0));
        }
        all
    }

    fn column(&self, number: i64, each: i64) -> Column {
        let begin = number.saturating_mul(each);
        let from = begin.max(self.first);
        let until = begin
            .saturating_add(each)
            .min(self.first.saturating_add(self.len()));
        let mut counts = Counts::default();
        for bucket in from..until {
            counts.merge(self.at(bucket));
        }
        Column {
            start: begin.saturating_mul(self.width),
            verdict: counts.dominant(),
            counts,
            level: 0,
        }
    }
}

/// How high a bar is of eight; something is never nothing.
pub fn level(count: u64, most: u64) -> u8 {
    if count == 0 || most == 0 {
        return 0;
    }
    let eighths = (u128::from(count.min(most)) * 8).div_ceil(u128::from(most));
    u8::try_from(eighths).unwrap_or(8)
}

/// The character of a bar, in blocks or in ASCII.
pub fn bar(level: u8, ascii: bool) -> char {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const SIGNS: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];
    let bars = if ascii { SIGNS } else { BLOCKS };
    bars.get(usize::from(level)).copied().unwrap_or(bars[8])
}
