//! Commits over time: since when one stands still, and how fast both ends of a lag move.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::broker::Group;
use crate::event::{Position, PositionStyle, Timestamp};

/// Looks kept of each group and partition; 40 bytes each.
const SAMPLES: usize = 60;
/// Pairs of group and partition that are followed.
const PAIRS: usize = 10_000;
/// Rates are told of looks at least so far apart.
const LEAST_MS: i64 = 1_000;

#[derive(Debug, Clone, Copy)]
struct Sample {
    time: Timestamp,
    committed: Position,
    end: Position,
}

#[derive(Debug)]
struct Series {
    samples: VecDeque<Sample>,
    /// The first look that found the commit where it stands.
    still_since: Timestamp,
}

/// Events a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Written to the partition.
    pub written: f64,
    /// Passed by the group.
    pub passed: f64,
}

/// When a lag will be gone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Eta {
    /// It has none.
    Done,
    /// In so many seconds.
    Seconds(f64),
    /// The group is no faster than the producers.
    Never,
    Unknown,
}

type Pair = (Arc<str>, Arc<str>, u32);

/// Follows the commits of groups from look to look.
#[derive(Debug, Default)]
pub struct Trend {
    series: BTreeMap<Pair, Series>,
    /// Pairs that there was no room for at the last look.
    pub unfollowed: u64,
}

impl Trend {
    /// Takes one look at all groups. What is gone is forgotten.
    pub fn look(&mut self, now: Timestamp, groups: &[Group]) {
        self.unfollowed = 0;
        let mut old = std::mem::take(&mut self.series);
        for group in groups {
            let name: Arc<str> = group.name.as_str().into();
            for offset in &group.offsets {
                let Some(committed) = offset.committed else {
                    continue;
                };
                let pair = (
                    Arc::clone(&name),
                    Arc::clone(&offset.topic),
                    offset.partition,
                );
                let before = old.remove(&pair);
                if self.series.len() >= PAIRS {
                    self.unfollowed += 1;
                    continue;
                }
                let sample = Sample {
                    time: now,
                    committed,
                    end: offset.end,
                };
                self.series.insert(pair, continued(before, sample));
            }
        }
    }

    fn of(&self, group: &str, topic: &Arc<str>, partition: u32) -> Option<&Series> {
        let pair = (Arc::from(group), Arc::clone(topic), partition);
        self.series.get(&pair)
    }

    /// How long the commit has been seen to stand where it is; `None` with fewer than two looks.
    pub fn still_ms(&self, group: &str, topic: &Arc<str>, partition: u32) -> Option<i64> {
        let series = self.of(group, topic, partition)?;
        let last = series.samples.back().filter(|_| series.samples.len() > 1)?;
        Some(last.time.0.saturating_sub(series.still_since.0))
    }

    /// How fast it goes, over the looks that are kept. Only offsets can be counted so.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate for people: counts beyond 2^53 do not occur within minutes"
    )]
    pub fn rate(
        &self,
        group: &str,
        topic: &Arc<str>,
        partition: u32,
        style: PositionStyle,
    ) -> Option<Rate> {
        let series = self.of(group, topic, partition)?;
        let (first, last) = (series.samples.front()?, series.samples.back()?);
        let ms = last.time.0.saturating_sub(first.time.0);
        if style != PositionStyle::Offset || ms < LEAST_MS {
            return None;
        }
        let per_second = |from: Position, to: Position| {
            let moved = i128::from(to.major) - i128::from(from.major);
            moved as f64 * 1000.0 / ms as f64
        };
        Some(Rate {
            written: per_second(first.end, last.end),
            passed: per_second(first.committed, last.committed),
        })
    }
}

fn continued(before: Option<Series>, sample: Sample) -> Series {
    let Some(mut series) = before else {
        return Series {
            samples: VecDeque::from([sample]),
            still_since: sample.time,
        };
    };
    let last = series.samples.back().copied();
    if last.is_some_and(|last| last.committed != sample.committed) {
        series.still_since = sample.time;
    }
    // The clock was set back: what was seen before has no place on it.
    if last.is_some_and(|last| last.time > sample.time) {
        series.samples.clear();
        series.still_since = sample.time;
    }
    if series.samples.len() == SAMPLES {
        series.samples.pop_front();
    }
    series.samples.push_back(sample);
    series
}

/// When `lag` events will be passed at this rate.
#[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
pub(super) fn eta(lag: Option<u64>, rate: Option<Rate>) -> Eta {
    match (lag, rate) {
        (Some(0), _) => Eta::Done,
        (Some(lag), Some(rate)) => {
            let gain = rate.passed - rate.written;
            if gain > 0.0 {
                Eta::Seconds(lag as f64 / gain)
            } else {
                Eta::Never
            }
        }
        _ => Eta::Unknown,
    }
}
