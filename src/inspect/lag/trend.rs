//! Groups over time: since when a commit stands still and a group is in its state, and how fast
//! both ends of a lag move.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::slope::{self, Slope};
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
    /// The longest time that it stood before it moved on, as far as was seen.
    longest_ms: i64,
}

/// Positions a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Written to the partition.
    pub written: f64,
    /// Passed by the group.
    pub passed: f64,
    /// How fast the lag becomes less, with its band.
    pub gain: Slope,
}

/// When a lag will be gone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Eta {
    /// It has none.
    Done,
    /// In so many seconds, with the band: at best, at worst. Infinite where it may take for ever.
    Seconds {
        likely: f64,
        soonest: f64,
        latest: f64,
    },
    /// The group is no faster than the producers.
    Never,
    Unknown,
}

type Pair = (Arc<str>, Arc<str>, u32);

/// Follows the commits of groups from look to look.
#[derive(Debug, Default)]
pub struct Trend {
    series: BTreeMap<Pair, Series>,
    /// The state of each group, and the first look that found it.
    states: BTreeMap<Arc<str>, (String, Timestamp)>,
    /// Pairs that there was no room for at the last look.
    pub unfollowed: u64,
    now: Timestamp,
}

impl Trend {
    /// Takes one look at all groups. What is gone is forgotten.
    pub fn look(&mut self, now: Timestamp, groups: &[Group]) {
        self.unfollowed = 0;
        self.now = now;
        let mut old = std::mem::take(&mut self.series);
        let mut states = std::mem::take(&mut self.states);
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
                if offset.silent.is_some() {
                    // Nothing is known of now, and what was known stays.
                    self.series.extend(before.map(|before| (pair, before)));
                    continue;
                }
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
            let before = states.remove(&name);
            let same = before.filter(|(state, since)| *state == group.state && *since <= now);
            let state = same.unwrap_or_else(|| (group.state.clone(), now));
            self.states.insert(name, state);
        }
    }

    fn of(&self, group: &str, topic: &Arc<str>, partition: u32) -> Option<&Series> {
        let pair = (Arc::from(group), Arc::clone(topic), partition);
        self.series.get(&pair)
    }

    /// How long the group has been seen in the state that it is in.
    pub fn in_state_ms(&self, group: &str) -> Option<i64> {
        let (_, since) = self.states.get(group)?;
        Some(self.now.0.saturating_sub(since.0))
    }

    /// How long the commit has been seen to stand where it is; `None` with fewer than two looks.
    pub fn still_ms(&self, group: &str, topic: &Arc<str>, partition: u32) -> Option<i64> {
        let series = self.of(group, topic, partition)?;
        let last = series.samples.back().filter(|_| series.samples.len() > 1)?;
        Some(last.time.0.saturating_sub(series.still_since.0))
    }

    /// The longest time between two commits that was seen; 0 where none was.
    pub fn longest_pause_ms(&self, group: &str, topic: &Arc<str>, partition: u32) -> i64 {
        let series = self.of(group, topic, partition);
        series.map_or(0, |series| series.longest_ms)
    }

    /// How fast it goes, over the looks that are kept. Only offsets can be counted so.
    pub fn rate(
        &self,
        group: &str,
        topic: &Arc<str>,
        partition: u32,
        style: PositionStyle,
    ) -> Option<Rate> {
        let series = self.of(group, topic, partition)?;
        let (first, last) = (*series.samples.front()?, *series.samples.back()?);
        let ms = last.time.0.saturating_sub(first.time.0);
        if style != PositionStyle::Offset || ms < LEAST_MS {
            return None;
        }
        let slope = |of: fn(&Sample) -> i128| {
            let base = of(&first);
            let points: Vec<(f64, f64)> = series
                .samples
                .iter()
                .map(|sample| (seconds(first.time, sample.time), small(of(sample) - base)))
                .collect();
            slope::theil_sen(&points)
        };
        Some(Rate {
            written: slope(|s| s.end.major.into())?.middle,
            passed: slope(|s| s.committed.major.into())?.middle,
            gain: slope(|s| i128::from(s.committed.major) - i128::from(s.end.major))?,
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "differences within minutes, for people"
)]
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.0.saturating_sub(from.0) as f64 / 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 do not occur within minutes"
)]
const fn small(difference: i128) -> f64 {
    difference as f64
}

fn continued(before: Option<Series>, sample: Sample) -> Series {
    let fresh = |sample: Sample| Series {
        samples: VecDeque::from([sample]),
        still_since: sample.time,
        longest_ms: 0,
    };
    let Some(mut series) = before else {
        return fresh(sample);
    };
    let Some(last) = series.samples.back().copied() else {
        return fresh(sample);
    };
    // The clock was set back: what was seen before has no place on it.
    if last.time > sample.time {
        return fresh(sample);
    }
    if last.committed != sample.committed {
        let stood = sample.time.0.saturating_sub(series.still_since.0);
        // A pause with nothing to do tells nothing of how often it commits.
        if last.committed < last.end {
            series.longest_ms = series.longest_ms.max(stood);
        }
        series.still_since = sample.time;
    } else if sample.committed >= sample.end {
        series.still_since = sample.time;
    }
    if series.samples.len() == SAMPLES {
        series.samples.pop_front();
    }
    series.samples.push_back(sample);
    series
}

/// When `lag` positions will be passed at this rate.
#[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
pub(super) fn eta(lag: Option<u64>, rate: Option<Rate>) -> Eta {
    match (lag, rate) {
        (Some(0), _) => Eta::Done,
        (Some(_), Some(rate)) if rate.gain.middle <= 0.0 => Eta::Never,
        (Some(lag), Some(rate)) => {
            let after = |gain: f64| {
                if gain > 0.0 {
                    lag as f64 / gain
                } else {
                    f64::INFINITY
                }
            };
            Eta::Seconds {
                likely: after(rate.gain.middle),
                soonest: after(rate.gain.high),
                latest: after(rate.gain.low),
            }
        }
        _ => Eta::Unknown,
    }
}
